"""YAML text to a tree, from the event stream alone.

Nothing is composed or constructed by the library: 25 kB of `[` crash its C composer, duplicate keys
vanish in it, and its messages quote the line, secrets included. Events do neither; the depth is capped
while they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import events

from reconciler.documents import yaml_words
from reconciler.documents.findings import DUPLICATE, Findings
from reconciler.documents.node import Mark, Node, Path, Unquoted, quoted
from reconciler.documents.scalars import resolve
from reconciler.documents.text import MAX_DEPTH, hidden_characters, name_of

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C one, where the library was built with it."""


class _StopReading(Exception):  # noqa: N818 - a signal, not an error
    """What follows cannot be read in a useful way; the reason is among the findings."""


@dataclass(slots=True)
class _Frame:
    """A mapping or list whose end has not been read."""

    node: Node
    keys: dict[str, Mark] | None
    """None for a list."""
    key: str | None = None
    """The key whose value comes next; None where that key is refused."""
    expects_value: bool = False
    index: int = 0

    @property
    def step(self) -> str | int:
        return self.index if self.keys is None else (self.key or "?")


@dataclass(slots=True)
class _Builder:
    """Takes events, grows the tree."""

    findings: Findings
    root: Node | None = None
    documents: int = 0
    stack: list[_Frame] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return tuple(frame.step for frame in self.stack)

    def document(self, event: events.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.findings.add(_mark(event), "a second document begins here", "keep one document in a file")
            raise _StopReading
        if event.version or event.tags:
            self.findings.add(_mark(event), "directives (%YAML, %TAG) are not used here", "remove the line")

    def alias(self, event: events.AliasEvent) -> None:
        self.findings.add(_mark(event), "aliases (*name) are not used here", "write the value out")
        self._attach(Node(None, *_mark(event)))

    def scalar(self, event: events.ScalarEvent) -> None:
        self._refuse_labels(event)
        plain = None if event.style else event.value
        value = event.value if plain is None else resolve(plain)
        if not event.value.isprintable():
            for _, character in hidden_characters(event.value):
                self.findings.hidden(_mark(event), name_of(character))
        self._attach(Node(value, *_mark(event), plain))

    def mapping(self, event: events.MappingStartEvent) -> None:
        keys: dict[str, Mark] = {}
        self._open(event, _Frame(Node({}, *_mark(event), None, keys), keys))

    def sequence(self, event: events.SequenceStartEvent) -> None:
        self._open(event, _Frame(Node([], *_mark(event)), None))

    def close(self, _event: events.Event) -> None:
        self._attach(self.stack.pop().node)

    def _open(self, event: events.NodeEvent, frame: _Frame) -> None:
        self._refuse_labels(event)
        if len(self.stack) >= MAX_DEPTH:
            self.findings.add(_mark(event), f"is nested deeper than {MAX_DEPTH} levels", "make it flatter")
            raise _StopReading
        self.stack.append(frame)

    def _refuse_labels(self, event: events.NodeEvent) -> None:
        if event.anchor is not None:
            self.findings.add(_mark(event), "anchors (&name) are not used here", "write the value out")
        if getattr(event, "tag", None) is not None:
            self.findings.add(_mark(event), *yaml_words.TAG)

    def _attach(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if frame.keys is None:
            frame.node.content.append(node)
            frame.index += 1
        elif not frame.expects_value:
            frame.key, frame.expects_value = self._key(node, frame.keys), True
        else:
            if frame.key is not None:
                frame.node.content[frame.key] = node
            frame.key, frame.expects_value = None, False

    def _key(self, node: Node, keys: dict[str, Mark]) -> str | None:
        """The key as text, or None where it is refused. Never names it: it may be a misplaced secret."""
        key = node.content
        if node.plain == "<<":
            self.findings.add(node.mark, "merge keys (<<) are not used here", "write the values out")
        elif not isinstance(key, str) or isinstance(key, Unquoted):
            self.findings.add(node.mark, "a key must be text", "put the key in quotes")
        elif key in keys:
            self.findings.add(
                node.mark,
                f"the key {quoted(key)} is written twice: first on line {keys[key][0]}",
                "keep one of them",
                code=DUPLICATE,
                path=(*self.path[:-1], key),
            )
        else:
            keys[key] = node.mark
            return key
        return None


def read_yaml(text: str, findings: Findings) -> Node | None:
    """The tree of one YAML document, or None; what is wrong is added to `findings`.

    A tree that lacks nothing but the second of equal keys is returned all the same: it is worth checking
    further, so that all is reported at once.
    """
    builder = _Builder(findings)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            handle = _HANDLERS.get(type(event))
            if handle:
                handle(builder, event)
    except _StopReading:
        return None
    except yaml.MarkedYAMLError as error:
        findings.add(*yaml_words.explain(error, text))
        return None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError):
        findings.add((0, 0), "is not valid YAML")
        return None
    root = _root(builder, text, findings)
    return root if all(problem.code == DUPLICATE for problem in findings.problems) else None


def _root(builder: _Builder, text: str, findings: Findings) -> Node | None:
    root = builder.root
    if root is None or (root.content is None and root.plain == ""):
        message = "holds nothing but comments" if text.strip() else "is empty"
        findings.add((0, 0), message, "write the keys that the reference lists, or remove the file")
        return None
    if not isinstance(root.content, dict | list):
        findings.add(root.mark, "holds one bare value", "write it as key: value lines")
        return None
    return root


def _mark(event: events.Event) -> Mark:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


_HANDLERS: dict[type, Callable[[_Builder, Any], None]] = {
    events.DocumentStartEvent: _Builder.document,
    events.AliasEvent: _Builder.alias,
    events.ScalarEvent: _Builder.scalar,
    events.MappingStartEvent: _Builder.mapping,
    events.SequenceStartEvent: _Builder.sequence,
    events.MappingEndEvent: _Builder.close,
    events.SequenceEndEvent: _Builder.close,
}
