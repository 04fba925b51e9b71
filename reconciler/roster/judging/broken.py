"""The lines that could not be read as cells: which entity they are counted for, and whom they may name.

A line is counted once, among the rejected rows of one entity. It may be a row of every entity that reads its
file: what it keeps from being removed is decided for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.mapping.columns import Table, split_alias
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.model import Mapper, Source
from reconciler.roster.delta import Reject
from reconciler.roster.reading.reader import BrokenRow, ParsedFile
from reconciler.roster.reading.tables import LoadedFile

BROKEN_ROW_OWNERS = ("students", "contacts", "relationships", "staff", "schools")
"""A line that could not be read is counted once: for the first of these that reads its file."""
_KEY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "contacts": ("id", "student"),
    "relationships": ("student",),
}
"""The fields that say whose row it is; `id` for the entities that are not named."""


@dataclass(frozen=True, slots=True)
class BrokenWord:
    """One word of a broken line, for each entity whose row the line may be."""

    entity: str
    row: int
    """A number of its own for each line."""
    word: str
    at_key: bool
    """It stands where the row's key may stand: a stored key there says whose row it is."""
    readable: bool
    """The line says whose row it is, whether that key is stored or not."""


class BrokenLines:
    """All broken lines of a district's files."""

    def __init__(self, mapper: Mapper, files: Sequence[LoadedFile]):
        self._files = files
        self._sources = [(e, s) for e, m in mapper.entities.items() for s in m.sources]

    def counts(self) -> dict[str, int]:
        """Entity to the number of lines that are counted among its rejected rows."""
        totals: dict[str, int] = {}
        for loaded in self._files:
            owner = self._owner(loaded.spec.name)
            broken = sum(len(p.broken) for p in loaded.parsed)
            if owner and broken:
                totals[owner] = totals.get(owner, 0) + broken
        return totals

    def rejects(self, limit: int) -> list[Reject]:
        """One for each line, in the order of file and line, at most `limit`."""
        found: list[Reject] = []
        for loaded in self._files:
            owner = self._owner(loaded.spec.name)
            for parsed in loaded.parsed if owner else ():
                found += [
                    Reject(owner, parsed.display, b.line, "", b.code, b.reason) for b in parsed.broken[:limit]
                ]
        return found[:limit]

    def shares(self) -> list[tuple[str, int, int]]:
        """(file, broken lines, rows) for each file with broken lines."""
        parsed = (p for loaded in self._files for p in loaded.parsed if p.broken)
        return [(p.display, len(p.broken), p.rows + len(p.broken)) for p in parsed]

    def words(self) -> Iterator[BrokenWord]:
        """Every word of every broken line, for each entity that could lose a row by it."""
        number = 0
        for loaded in self._files:
            for parsed in loaded.lasting:
                keys = {e: self._key_positions(e, loaded.spec.name, parsed) for e in ENTITIES}
                for broken in parsed.broken:
                    number += 1
                    for entity, positions in keys.items():
                        if positions is not None:
                            yield from _words(entity, number, broken, positions, len(parsed.columns))

    def _owner(self, file: str) -> str:
        readers = {e for e, s in self._sources if file == s.file or any(j.file == file for j in s.joins)}
        return next((e for e in BROKEN_ROW_OWNERS if e in readers), "")

    def _key_positions(self, entity: str, file: str, parsed: ParsedFile) -> set[int] | None:
        """Where the entity's key stands in this file; None where no row of it can be lost with a line."""
        table = Table(file, "", parsed.columns, parsed.display)
        columns: set[str] | None = None
        for source in (s for e, s in self._sources if e == entity):
            found = _key_columns(source, entity, file)
            if found is not None:
                columns = (columns or set()) | found
        if columns is None:
            return None
        return {p for p in map(table.find, columns) if p is not None}


def _key_columns(source: Source, entity: str, file: str) -> set[str] | None:
    """The columns of `file` with the entity's key; None where the source's rows do not depend on the file."""
    wanted = _KEY_FIELDS.get(entity, ("id",))
    keys = {c for f in source.fields if f.name in wanted for c in f.columns}
    found: set[str] | None = None
    if source.file == file:
        found = set(keys)
    for join in source.joins:
        tested = any(split_alias(name, (join.alias,))[0] for c in source.where for name in c.columns)
        if join.file == file and tested:
            found = (found or set()) | {right for left, right in join.on if left in keys}
    return found


def _words(
    entity: str, number: int, broken: BrokenRow, positions: set[int], width: int
) -> Iterator[BrokenWord]:
    cells = broken.cells
    longer = max(len(cells) - width, 0)
    # With cells for more than two rows, nothing is where it belongs.
    if longer >= width > 1:
        positions = set()
    keys = {cells[i] for p in positions for i in range(p, p + longer + 1) if i < len(cells)} - {""}
    readable = any(_is_readable(broken, p, width) for p in positions)
    words = set(cells) - {""}
    if longer:
        words |= {tail for p in positions for tail in _tails(cells[p + longer])}
    for word in sorted(words) or [""]:
        yield BrokenWord(entity, number, word, word in keys, readable)


def _tails(cell: str) -> set[str]:
    """What a cell ends with: of two rows that ran into each other, the second one's key is among it."""
    return {cell[i:] for i in range(1, min(len(cell), 200))}


def _is_readable(broken: BrokenRow, position: int, width: int) -> bool:
    """Whether the cell at this position is a whole key for certain.

    Not where the row is short (it may be its beginning that is lost), nor where it is long and another cell
    may have been cut in two before the key, nor where a NUL stands for who knows what.
    """
    cells = broken.cells
    if len(cells) < width or (len(cells) > width and position > 0) or broken.code == "row.nul":
        return False
    return position < len(cells) - 1 and bool(cells[position]) and '"' not in cells[position]
