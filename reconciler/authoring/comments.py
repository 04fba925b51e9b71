"""Finds the comments and empty lines of a text, and the entry that each of them belongs to.

A comment on a line of its own belongs to the entry below it, unless it is indented deeper than that: then it
is the last word of what stands above. A comment at the end of a line belongs to what begins on that line.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.authoring.piece import Entry, Piece
from reconciler.documents.layout import Laid, LaidEntry, lay_out

_MARK = re.compile(r"(?P<comment>#[^\n]*)|(?<=\n)(?P<blank>[ \t]*)(?=\n)")


@dataclass(slots=True)
class Anchor:
    """An entry, where it stands in the text, and the collection that it is an entry of."""

    entry: Entry
    laid: LaidEntry
    parent: Laid
    within: Piece
    start: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class _Mark:
    """A comment, or an empty line."""

    offset: int
    column: int
    text: str
    alone: bool


def attach(text: str, root: Laid, piece: Piece, anchors: Sequence[Anchor]) -> None:
    """Give every comment and empty line of the text to an entry or a collection of `piece`."""
    marks = list(_marks(text, root))
    comments = [(m.offset, m.offset + len(m.text)) for m in marks if m.text]
    for anchor in anchors:
        anchor.start, anchor.column = _place(text, anchor, comments)
    _Attaching(root, piece, anchors).run(marks)


def comments_of(text: str) -> list[str]:
    """The comments of a text, in order."""
    return [m.text for m in _marks(text, lay_out(text)) if m.text]


def _marks(text: str, root: Laid) -> Iterator[_Mark]:
    """In order. What looks like a comment inside a text is none."""
    position = 0
    for scalar in root.scalars():
        yield from _found(text, position, scalar.start)
        if scalar.style in ("|", ">"):
            yield from _found(text, scalar.start, f"{text}\n".index("\n", scalar.start))
        position = scalar.end
    yield from _found(text, position, len(text))


def _found(text: str, start: int, end: int) -> Iterator[_Mark]:
    for match in _MARK.finditer(text, start, end):
        line = text.rfind("\n", 0, match.start()) + 1
        alone = not text[line : match.start()].strip()
        comment = (match["comment"] or "").rstrip()
        yield _Mark(match.start(), match.start() - line, comment, alone)


def _place(text: str, anchor: Anchor, comments: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where an entry begins: at its key, or at the dash before an item."""
    begin = anchor.laid.key or anchor.laid.value
    if anchor.laid.key or anchor.parent.flow:
        return begin.start, begin.column
    start = begin.start
    while True:
        start = text.rfind("-", 0, start)
        inside = next((c for c in comments if c[0] <= start < c[1]), None)
        if inside is None:
            return start, anchor.parent.column
        start = inside[0]


class _Attaching:
    """The anchors in order, and what is open at each place."""

    def __init__(self, root: Laid, piece: Piece, anchors: Sequence[Anchor]):
        self._root, self._piece, self._anchors = root, piece, anchors
        self._starts = [a.start for a in anchors]
        self._owners = {id(a.laid.value): a for a in anchors}

    def run(self, marks: Sequence[_Mark]) -> None:
        waiting: list[_Mark] = []
        for mark in marks:
            if mark.alone:
                waiting.append(mark)
            else:
                self._beside(mark)
        for run in self._runs(waiting):
            self._above(run)

    def _runs(self, marks: Sequence[_Mark]) -> Iterator[list[_Mark]]:
        """Marks with no entry between them."""
        runs: dict[int, list[_Mark]] = {}
        for mark in marks:
            runs.setdefault(bisect_left(self._starts, mark.offset), []).append(mark)
        yield from runs.values()

    def _beside(self, mark: _Mark) -> None:
        anchor = self._last_before(mark.offset)
        while anchor and anchor.parent.flow and mark.offset >= anchor.parent.end:
            anchor = self._owners.get(id(anchor.parent))  # the document itself has none
        if anchor is None:
            self._piece.foot.append(mark.text)
        elif anchor.entry.beside:
            anchor.entry.above.append(mark.text)
        else:
            anchor.entry.beside, anchor.entry.beside_column = mark.text, mark.column

    def _above(self, run: list[_Mark]) -> None:
        """A run of comments and empty lines: some may end what is above it, the others begin what follows."""
        run = self._close_braces(run)
        if not run:
            return
        last, following = self._last_before(run[0].offset), self._first_after(run[0].offset)
        if last and self._is_before_value(last, run[0]):
            _add(last.entry.above, [m.text for m in run])
            return
        while run:
            column = next((m.column for m in run if m.text), None)
            foot = None if _is_inside(following, run[0]) else self._foot(last, following, column)
            if foot is None:
                _add(following.entry.above if following else self._piece.foot, [m.text for m in run])
                return
            cut = 1 + next(i for i, m in enumerate(run) if m.text)
            _add(foot, [m.text for m in run[:cut]])
            run = run[cut:]

    def _close_braces(self, run: list[_Mark]) -> list[_Mark]:
        """Give what stands before a closing brace or bracket to what it closes; returns the rest."""
        last, following = self._last_before(run[0].offset), self._first_after(run[0].offset)
        if last is None or not last.parent.flow or (following and following.parent is last.parent):
            return run
        inside = [m for m in run if m.offset < last.parent.end]
        _add(last.within.foot, [m.text for m in inside if m.text])
        return run[len(inside) :]

    def _is_before_value(self, anchor: Anchor, mark: _Mark) -> bool:
        """Whether the mark stands between a key and its value."""
        value = anchor.laid.value
        return mark.offset < value.start and not value.entries and value.end > value.start

    def _foot(self, last: Anchor | None, following: Anchor | None, column: int | None) -> list[str] | None:
        """The collection that a comment in this column closes; None where it belongs to what follows."""
        if column is None or last is None or (following and column <= following.column):
            return None
        anchor: Anchor | None = last
        while anchor:
            if not anchor.parent.flow and anchor.parent.column <= column:
                is_open = following is not None and following.parent is anchor.parent
                return None if is_open else anchor.within.foot
            anchor = self._owners.get(id(anchor.parent))
        return None

    def _last_before(self, offset: int) -> Anchor | None:
        place = bisect_right(self._starts, offset)
        return self._anchors[place - 1] if place else None

    def _first_after(self, offset: int) -> Anchor | None:
        place = bisect_left(self._starts, offset)
        return self._anchors[place] if place < len(self._anchors) else None


def _is_inside(following: Anchor | None, mark: _Mark) -> bool:
    """Whether the mark stands in the same braces or brackets as the entry that follows it."""
    return following is not None and following.parent.flow and mark.offset > following.parent.start


def _add(to: list[str], lines: Sequence[str]) -> None:
    """Append lines, of several empty ones the first."""
    for line in lines:
        if line or not to or to[-1]:
            to.append(line)
