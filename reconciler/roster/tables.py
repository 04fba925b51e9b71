"""A folder of roster files as all-text tables: which file is which, and loading it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.compile import Table
from reconciler.mapping.model import FileSpec, Mapper
from reconciler.mapping.parse import placeholders
from reconciler.mapping.sql import literal, name
from reconciler.roster.delta import RemoteFile
from reconciler.roster.reader import ParsedFile, read_csv

_CELL_LIMIT = 32 << 20
_SPACES = " \t\r\n\v\f\u00a0\u2007\u202f\ufeff"


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file of the mapper, loaded: its table, and the physical files that it was read from."""

    spec: FileSpec
    table: Table
    parsed: tuple[ParsedFile, ...] = ()
    notices: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.parsed)


def choose_files(mapper: Mapper, available: Sequence[RemoteFile]) -> dict[str, list[RemoteFile]]:
    """Which of the available files each file of the mapper is read from; absent optional ones have none.

    Raises RosterError sftp.no-files where a file that is not optional is not there, and csv.ambiguous where
    several match and the mapper does not say what to do then.
    """
    return {name: _choose(spec, available) for name, spec in mapper.files.items()}


def _choose(spec: FileSpec, available: Sequence[RemoteFile]) -> list[RemoteFile]:
    matches = [f for f in available if fnmatchcase(f.name.casefold(), spec.pattern.casefold())]
    if not matches and not spec.optional:
        there = ", ".join(f.name for f in available[:8]) or "nothing"
        raise RosterError(
            f"no file matches {spec.pattern}, which the mapper needs; there is {there}",
            code="sftp.no-files",
            hint="ask the district whether the export ran, or correct the mapper; nobody was removed",
        )
    if len(matches) > 1 and not spec.several:
        raise RosterError(
            f"{len(matches)} files match {spec.pattern}: {', '.join(f.name for f in matches[:5])}",
            code="csv.ambiguous",
            hint='say in the mapper: "several": "newest" (a dated series) or "all" (one file in parts)',
        )
    if spec.several == "newest":
        return sorted(matches, key=lambda f: (f.modified, f.name))[-1:]
    return matches


def wanted_columns(mapper: Mapper, file: str) -> set[str]:
    """The columns that the mapper reads of one of its files, as it spells them."""
    wanted: set[str] = set()
    for entity in mapper.entities.values():
        for source in entity.sources:
            if source.file == file:
                for f in source.fields:
                    wanted.update(f.columns)
                    wanted.update(placeholders(f.template or ""))
                wanted.update(c.column for c in source.where)
                wanted.update(left for j in source.joins for left, _ in j.on)
            for join in source.joins:
                if join.file == file:
                    prefix = join.alias + "."
                    named = (c for f in source.fields for c in f.columns if c.startswith(prefix))
                    wanted.update(c.removeprefix(prefix) for c in named)
                    wanted.update(right for _, right in join.on)
                    wanted.update(c.column for c in join.where)
    return wanted


def load_file(
    connection: duckdb.DuckDBPyConnection,
    spec: FileSpec,
    sql_name: str,
    files: Iterable[tuple[str, Path]],
    wanted: set[str],
    scratch: Path,
) -> LoadedFile:
    """Read one file of the mapper into the table `sql_name`.

    `files` are pairs of the name on the server and the local path. Cells are trimmed, brought to Unicode's
    composed form, and NULL where nothing is left.
    """
    parsed: list[ParsedFile] = []
    columns: list[str] = []
    for number, (display, path) in enumerate(files):
        plain = scratch / f"{sql_name}-{number}.csv"
        one = read_csv(
            path, plain, display=display, encoding=spec.encoding, delimiter=spec.delimiter, wanted=wanted
        )
        if not columns:
            columns = list(one.columns)
            _create(connection, sql_name, len(columns))
        _insert(connection, sql_name, number, plain, _positions(columns, one), one)
        plain.unlink()
        parsed.append(one)
    if not parsed:
        return LoadedFile(spec, Table(spec.name, sql_name, (), spec.pattern, absent=True))
    display = parsed[0].display if len(parsed) == 1 else spec.pattern
    return LoadedFile(
        spec, Table(spec.name, sql_name, tuple(columns), display), tuple(parsed), _notices(parsed)
    )


def _create(connection: duckdb.DuckDBPyConnection, sql_name: str, width: int) -> None:
    cells = ", ".join(f"c{i} VARCHAR" for i in range(width))
    connection.execute(f"CREATE TABLE {sql_name} (src INTEGER, line BIGINT, {cells})")


def _positions(columns: Sequence[str], one: ParsedFile) -> list[int | None]:
    """For each column of the table, its place in this file: the parts of a series may differ in order."""
    if tuple(columns) == one.columns:
        return list(range(len(columns)))
    places: Mapping[str, int] = {c.casefold(): i for i, c in enumerate(one.columns)}
    missing = [c for c in columns if c and c.casefold() not in places]
    if missing:
        raise RosterError(
            f"{one.display} has no column {missing[0]!r}, which the other files of its series have",
            code="csv.header",
            hint="files that are read as one need the same columns; nothing was taken",
        )
    return [places.get(c.casefold()) for c in columns]


def _insert(
    connection: duckdb.DuckDBPyConnection,
    sql_name: str,
    number: int,
    plain: Path,
    positions: Sequence[int | None],
    one: ParsedFile,
) -> None:
    spaces = literal(_SPACES)
    cells = ", ".join(
        "NULL" if p is None else f"nullif(trim(nfc_normalize(p{p}), {spaces}), '')" for p in positions
    )
    types = ", ".join(["'line': 'BIGINT'", *(f"'p{i}': 'VARCHAR'" for i in range(len(one.columns)))])
    query = (
        f"INSERT INTO {sql_name} SELECT {number}, line, {cells} FROM read_csv({literal(str(plain))}, "
        f"auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', parallel = false, "
        f"max_line_size = {_CELL_LIMIT}, buffer_size = {2 * _CELL_LIMIT}, columns = {{{types}}})"
    )
    loaded = connection.execute(query).fetchone() if one.rows else (0,)
    if loaded is None or loaded[0] != one.rows:
        raise RosterError(
            f"{one.display}: {one.rows} rows were read and {loaded and loaded[0]} loaded",
            code="csv.accounting",
            hint="this is a fault of reconciler; nothing was written",
        )


def _notices(parsed: Sequence[ParsedFile]) -> tuple[str, ...]:
    notices = []
    names = {"\t": "tab", ";": "semicolon", "|": "pipe"}
    for one in parsed:
        if one.encoding not in ("utf-8", "utf-8-sig"):
            notices.append(f"{one.display} is read as {one.encoding}")
        if one.delimiter != ",":
            notices.append(f"{one.display} is delimited by {names.get(one.delimiter, one.delimiter)}")
    return tuple(notices)


def load_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    types: Mapping[str, str],
    rows: Iterable[Sequence[object]],
    scratch: Path,
) -> None:
    """Create a table with columns of these SQL types and fill it, in bulk, from Python rows without None."""
    columns = ", ".join(f"{name(c)} {t}" for c, t in types.items())
    connection.execute(f"CREATE TABLE {table} ({columns})")
    path = scratch / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    if path.stat().st_size:
        listed = ", ".join(f"{literal(c)}: {literal(t)}" for c, t in types.items())
        connection.execute(
            f"INSERT INTO {table} SELECT * FROM read_csv({literal(str(path))}, auto_detect = false, "
            f"header = false, delim = ',', quote = '\"', escape = '\"', parallel = false, nullstr = '\\N', "
            f"columns = {{{listed}}})"
        )
    path.unlink()
