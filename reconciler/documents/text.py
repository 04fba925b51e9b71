"""From a path to text that holds nothing a reviewer cannot see: size, kind, encoding and characters."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from reconciler.documents.node import Mark

MAX_DEPTH = 20
"""Mappings and lists inside one another."""
MAX_FINDINGS = 50
"""Problems reported of one file."""

_CONFLICT = re.compile(r"^(?:(?:<{7}|>{7}|\|{7})(?: .*)?|={7})\r?$", re.MULTILINE)
_LAYOUT = re.compile(r"\r?\n|\t")
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
_CONTROL_NAMES = {
    0x00: "NULL",
    0x0D: "CARRIAGE RETURN without a line feed",
    0x1B: "ESCAPE",
    0x85: "NEXT LINE",
}


class UnreadableError(Exception):
    """The file cannot be taken as text. Stays inside this package: readers make problems of it."""

    def __init__(self, message: str, hint: str = "", mark: Mark = (0, 0)):
        super().__init__(message)
        self.message, self.hint, self.mark = message, hint, mark


def read_bytes(path: Path, *, max_bytes: int, root: Path | None = None) -> bytes:
    """The bytes of a regular file of at most `max_bytes`; never waits for a pipe.

    A symbolic link is followed only to a file inside `root` (None: not at all).
    Raises UnreadableError.
    """
    try:
        if path.is_symlink() and not _leads_inside(path, root):
            raise UnreadableError(
                "is a symbolic link that leads out of the repository", "put the file itself here"
            )
        # A pipe or device opened without waiting is told apart by fstat, on the very handle that is read.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:  # noqa: PTH123 - it is a handle
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UnreadableError("is not a regular file", "put a file here, or remove it")
            data = stream.read(max_bytes + 1)
    except IsADirectoryError:
        raise UnreadableError("is a folder, not a file", "rename the folder") from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "a loop of symbolic links"
        raise UnreadableError(f"cannot be read: {reason.lower()}") from error
    if len(data) > max_bytes:
        raise UnreadableError(
            f"is larger than {max_bytes // 1024} KiB", "split it, or remove what is not needed"
        )
    return data


def _leads_inside(path: Path, root: Path | None) -> bool:
    return root is not None and path.resolve(strict=True).is_relative_to(root.resolve())


def decode(data: bytes) -> str:
    """UTF-8 text without its byte order mark. Raises UnreadableError."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("is UTF-16", "save it as UTF-8")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line_start = before.rfind(b"\n") + 1
        mark = before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", errors="replace")) + 1
        raise UnreadableError("is not UTF-8", "save it as UTF-8", mark) from None


def hidden_characters(text: str) -> Iterator[tuple[int, str]]:
    """Offset and character of all that changes what a reader sees, or that he cannot see."""
    if text.replace("\r\n", "").replace("\n", "").replace("\t", "").isprintable():
        return
    for offset, character in enumerate(text):
        if unicodedata.category(character) in _HIDDEN and not _LAYOUT.match(text, offset):
            yield offset, character


def name_of(character: str) -> str:
    """A character as `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    code = ord(character)
    name = _CONTROL_NAMES.get(code) or unicodedata.name(character, "control character")
    return f"U+{code:04X} {name}"


class Lines:
    """Where the lines of a text begin, to turn offsets into marks."""

    __slots__ = ("_starts",)

    def __init__(self, text: str):
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def mark(self, offset: int) -> Mark:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def conflict_marker(text: str) -> int | None:
    """The offset of the first marker that git left of an unresolved merge, if any."""
    match = _CONFLICT.search(text)
    return match.start() if match else None
