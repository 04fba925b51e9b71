"""Where each value of a YAML text stands, to the character: for programs that change a file in place.

Made of the same events as `yaml_reader`, so that nobody edits another document than the one that is read. The
text must have been read without a problem before: anchors, tags and second documents are not expected here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml
from yaml import events

from reconciler.documents.yaml_reader import LOADER

Kind = Literal["scalar", "mapping", "sequence"]


@dataclass(slots=True)
class Laid:
    """One value. `start` and `end` are offsets into the text; `column` counts from 0."""

    kind: Kind
    start: int
    end: int
    column: int
    flow: bool = False
    """Written in braces or brackets."""
    text: str = ""
    """A scalar's text, escapes resolved."""
    style: str = ""
    """A scalar's quote, or the sign of a block (`|`, `>`); empty: it stands without quotes."""
    entries: list[LaidEntry] = field(default_factory=list)

    def scalars(self) -> Iterator[Laid]:
        """All keys and scalars below this value that have a text, in the order in which they stand."""
        if self.kind == "scalar" and self.end > self.start:
            yield self
        for entry in self.entries:
            if entry.key:
                yield entry.key
            yield from entry.value.scalars()


@dataclass(slots=True)
class LaidEntry:
    """A member of a mapping, or an item of a list, which has no key."""

    key: Laid | None
    value: Laid


def lay_out(text: str) -> Laid:
    """The tree of one document. Raises ValueError for a text that has none."""
    stream = iter(yaml.parse(text, Loader=LOADER))
    for event in stream:
        if isinstance(event, events.NodeEvent):
            return _laid(event, stream, text)
    raise ValueError("an empty document has no layout")


def _laid(event: events.Event, stream: Iterator[events.Event], text: str) -> Laid:
    start, column = _offset(event.start_mark), event.start_mark.column if event.start_mark else 0
    if isinstance(event, events.MappingStartEvent | events.SequenceStartEvent):
        kind: Kind = "mapping" if isinstance(event, events.MappingStartEvent) else "sequence"
        found = Laid(kind, start, start, column, bool(event.flow_style))
        found.end = _fill(found, stream, text)
        return found
    assert isinstance(event, events.ScalarEvent)
    style = event.style or ""
    end = _offset(event.end_mark)
    if style in ("|", ">"):
        # The reader counts the empty lines after a block as its own.
        end = start + len(text[start:end].rstrip())
    return Laid("scalar", start, end, column, text=event.value, style=style)


def _fill(found: Laid, stream: Iterator[events.Event], text: str) -> int:
    """Read the entries of a mapping or list up to its end, whose offset is returned."""
    for event in stream:
        if isinstance(event, events.CollectionEndEvent):
            return _offset(event.end_mark)
        key = _laid(event, stream, text) if found.kind == "mapping" else None
        found.entries.append(LaidEntry(key, _laid(next(stream) if key else event, stream, text)))
    raise ValueError("the document ends within a collection")


def _offset(mark: Any) -> int:
    return int(mark.index) if mark else 0
