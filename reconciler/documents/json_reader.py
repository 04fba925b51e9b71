"""JSON text to a tree with positions: strict, each key once, NaN and Infinity refused.

The standard library's parser keeps the last of two equal keys and no positions; only its scanner for
strings is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from json import JSONDecodeError, decoder
from typing import Any

from reconciler.documents.findings import DUPLICATE, Findings
from reconciler.documents.node import Mark, Node, Path, quoted
from reconciler.documents.text import MAX_DEPTH, Lines, hidden_characters, name_of

_scan_string: Callable[[str, int, bool], tuple[str, int]] = decoder.scanstring  # type: ignore[attr-defined]
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z]+")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


class _Refused(Exception):  # noqa: N818 - a signal, not an error
    """The text is not JSON from `offset` on."""

    def __init__(self, offset: int, message: str, hint: str = ""):
        super().__init__(message)
        self.offset, self.message, self.hint = offset, message, hint


@dataclass(slots=True)
class _Parser:
    """A recursive descent whose depth is capped."""

    text: str
    findings: Findings
    lines: Lines
    offset: int = 0

    def document(self) -> Node:
        node = self._value(())
        if self._peek():
            raise _Refused(self.offset, "text follows where the document has ended", "remove it")
        return node

    def _value(self, path: Path) -> Node:
        first, mark = self._peek(), self.lines.mark(self.offset)
        if first in ("{", "["):
            if len(path) >= MAX_DEPTH:
                raise _Refused(self.offset, f"is nested deeper than {MAX_DEPTH} levels", "make it flatter")
            return self._object(path, mark) if first == "{" else self._array(path, mark)
        if first == '"':
            return Node(self._string(mark), *mark)
        return Node(self._word_or_number(), *mark)

    def _object(self, path: Path, mark: Mark) -> Node:
        members: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        self.offset += 1
        while self._more("}", first=not keys):
            if self._peek() != '"':
                raise _Refused(self.offset, "a key in double quotes is expected here")
            at = self.lines.mark(self.offset)
            key = self._string(at)
            self._expect(":")
            value = self._value((*path, key))
            if key in keys:
                self._duplicate(at, (*path, key), keys[key])
            else:
                members[key], keys[key] = value, at
        return Node(members, *mark, None, keys)

    def _duplicate(self, at: Mark, path: Path, first: Mark) -> None:
        message = f"the key {quoted(path[-1])} is written twice: first on line {first[0]}"
        self.findings.add(at, message, "keep one of them", code=DUPLICATE, path=path)

    def _array(self, path: Path, mark: Mark) -> Node:
        items: list[Node] = []
        self.offset += 1
        while self._more("]", first=not items):
            items.append(self._value((*path, len(items))))
        return Node(items, *mark)

    def _more(self, closing: str, *, first: bool) -> bool:
        """Whether another member follows; steps over the comma before it, or over the closing bracket."""
        if self._peek() == closing:
            self.offset += 1
            return False
        if not first:
            self._expect(",", f"a comma or {closing} is expected here")
            if self._peek() == closing:
                raise _Refused(self.offset, "a comma stands before the closing bracket", "remove the comma")
        return True

    def _expect(self, character: str, message: str = "") -> None:
        if self._peek() != character:
            raise _Refused(self.offset, message or f"{character} is expected here")
        self.offset += 1

    def _peek(self) -> str:
        """The next character that is not space; empty at the end."""
        match = _SPACE.match(self.text, self.offset)
        self.offset = match.end() if match else self.offset
        return self.text[self.offset : self.offset + 1]

    def _string(self, mark: Mark) -> str:
        try:
            value, self.offset = _scan_string(self.text, self.offset + 1, True)
        except JSONDecodeError as error:
            raise _Refused(error.pos, "a text in quotes is not closed, or holds a bad escape") from None
        if not value.isprintable():
            for _, character in hidden_characters(value):
                self.findings.hidden(mark, name_of(character))
        return value

    def _word_or_number(self) -> Any:
        number = _NUMBER.match(self.text, self.offset)
        if number:
            value = _number(number, self.offset)
            self.offset = number.end()
            return value
        word = _WORD.match(self.text, self.offset)
        if word and word.group() in _CONSTANTS:
            self.offset = word.end()
            return _CONSTANTS[word.group()]
        raise _Refused(self.offset, "a value is expected here", "put text in double quotes")


def _number(match: re.Match[str], offset: int) -> int | float:
    whole, fraction, exponent = match.groups()
    value = float(match.group()) if fraction or exponent else 0.0
    if len(whole.lstrip("-")) > 19 or value in (float("inf"), float("-inf")):
        raise _Refused(offset, "a number is too large", "put it in quotes if it is an id")
    return value if fraction or exponent else int(whole)


def read_json(text: str, findings: Findings) -> Node | None:
    """The tree of a JSON document, or None; what is wrong is added to `findings`."""
    if not text.strip():
        findings.add((0, 0), "is empty", "write the document, or remove the file")
        return None
    lines = Lines(text)
    try:
        return _Parser(text, findings, lines).document()
    except _Refused as refused:
        findings.add(lines.mark(refused.offset), refused.message, refused.hint)
        return None
