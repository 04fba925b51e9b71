"""A file to be written: values with the comments that stand at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reconciler.authoring.quoting import IDS, as_block, quoted, written


@dataclass(slots=True)
class Piece:
    """One value, as it is to be written."""

    kind: Literal["scalar", "mapping", "sequence"]
    text: str = ""
    """A scalar, written out for a line of its own."""
    within: str = ""
    """The same between braces or brackets."""
    block: list[str] | None = None
    """A scalar of several lines, with its sign as the first."""
    flow: bool = False
    """Wanted in braces or brackets, on one line."""
    entries: list[Entry] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)
    """Comments below the last entry; an empty line is an empty text."""


@dataclass(slots=True)
class Entry:
    """A member of a mapping, or an item of a list, whose key is empty."""

    key: str
    value: Piece
    above: list[str] = field(default_factory=list)
    """Comments above it; an empty line is an empty text."""
    beside: str = ""
    beside_column: int = 0
    """Where the comment on the same line stood, so that comments one below the other stay so."""


def text_piece(text: str, name: str, *, is_day: bool = False) -> Piece:
    """A text under the key `name`."""
    if is_day:
        return Piece("scalar", text, text)
    if name in IDS:
        return Piece("scalar", quoted(text), quoted(text))
    return Piece("scalar", written(text, flow=False), written(text, flow=True), as_block(text))


def raw_piece(text: str) -> Piece:
    """A number, a truth value or nothing, as it stands."""
    return Piece("scalar", text, text or "null")
