"""What of a district's files is not as the published format has it, and was read nevertheless.

Only a mapper that says which standard its files follow has such notices: in any other export the names that
a mapper lists are as good as each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from reconciler.mapping.columns import loose, wanted_columns
from reconciler.mapping.model import Mapper
from reconciler.roster.database import number
from reconciler.roster.reading.tables import LoadedFile

_GLOB = frozenset("*?[")
_SHOWN = 3


def drift_notices(
    db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile]
) -> tuple[str, ...]:
    """A sentence for each difference, in the order of the mapper's files."""
    said: list[str] = []
    for file in files if mapper.standard else ():
        if not file.table.absent and not file.origin:
            wanted = sorted(wanted_columns(mapper, file.spec.name))
            said += [*_file_names(file), *_stand_ins(file, wanted), *_case(file, wanted)]
            said += _filled(db, mapper.standard, file)
    return tuple(said)


def _stand_ins(file: LoadedFile, wanted: Sequence[str]) -> Iterator[str]:
    """Columns that are read for others."""
    for column, written in _as_written(file, wanted):
        if loose(written) != loose(column):
            yield f"{file.table.display}: {written!r} is read for {column}"


def _as_written(file: LoadedFile, wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The mapper's columns that the file has, each with its name in the file's own header."""
    for column in wanted:
        place = file.table.find(column)
        if place is not None:
            yield column, file.header[place]


def _file_names(file: LoadedFile) -> Iterator[str]:
    pattern = file.spec.pattern
    if not _GLOB & set(pattern):
        yield from (f"{one.display} is read for {pattern}" for one in file.parsed if one.display != pattern)


def _case(file: LoadedFile, wanted: Sequence[str]) -> Iterator[str]:
    pairs = _as_written(file, wanted)
    other = [f"{w!r} for {c}" for c, w in pairs if w != c and loose(w) == loose(c)]
    if other:
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        yield f"{file.table.display} writes names in another case: {', '.join(other[:_SHOWN])}{more}"


def _filled(db: duckdb.DuckDBPyConnection, standard: str, file: LoadedFile) -> Iterator[str]:
    kept = {place for one in file.parsed[:1] for place in one.kept}
    for column in file.spec.blank:
        place = file.table.find(column)
        if place not in kept:
            continue
        filled = number(db, f"SELECT count(c{place}) FROM {file.table.sql_name}")
        if filled:
            yield (
                f"{file.table.display}: {column} is filled in {filled} of {file.rows} rows, "
                f"which {standard} leaves empty"
            )
