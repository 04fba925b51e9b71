"""A folder of roster files as all-text tables: which file is which, and loading it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.columns import Table, loose
from reconciler.mapping.model import FileSpec, Mapper
from reconciler.roster.database import load_rows, plain_csv
from reconciler.roster.delta import RemoteFile
from reconciler.roster.reader import ParsedFile, read_csv

MANIFEST = "manifest"
"""The mapper's name for OneRoster's manifest.csv."""


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file of the mapper, loaded: its table, and the physical files that it was read from."""

    spec: FileSpec
    table: Table
    parsed: tuple[ParsedFile, ...] = ()
    notices: tuple[str, ...] = field(default=())
    origin: str = ""
    """Where rows of earlier packages are among its rows: the SQL table that says which of them stand in
    today's files, `line` to `src` and `own`. Empty: all do, as they are numbered."""
    deleted: str = ""
    """The SQL table, with the same columns, of the rows that deltas deleted: known, and no longer there."""

    changes: int = 0
    """How many of `parsed`, the first ones, carry changes only: whoever their unread lines name is known."""

    @property
    def lasting(self) -> tuple[ParsedFile, ...]:
        """The files of which a line that could not be read may be the only row of somebody."""
        return self.parsed[self.changes :]

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.parsed)


def choose_files(mapper: Mapper, available: Sequence[RemoteFile]) -> dict[str, list[RemoteFile]]:
    """Which of the available files each file of the mapper is read from; absent optional ones have none.

    Raises RosterError sftp.no-files where a file that is not optional is not there, and csv.ambiguous where
    several match and the mapper does not say what to do then. With a manifest among the files, it is the
    manifest that says which of them have to be there.
    """
    chosen = {name: _choose(spec, available) for name, spec in mapper.files.items()}
    for name, found in chosen.items():
        if not found and not mapper.files[name].optional and not chosen.get(MANIFEST):
            raise no_file(mapper.files[name], ", ".join(f.name for f in available[:8]) or "nothing")
    return chosen


def no_file(spec: FileSpec, there: str) -> RosterError:
    """The error for a file that the mapper needs and that is not there."""
    return RosterError(
        f"no file matches {spec.pattern}, which the mapper needs; there is {there}",
        code="sftp.no-files",
        hint="ask the district whether the export ran, or correct the mapper; nobody was removed",
    )


def _choose(spec: FileSpec, available: Sequence[RemoteFile]) -> list[RemoteFile]:
    matches = [f for f in available if fnmatchcase(f.name.casefold(), spec.pattern.casefold())]
    if len(matches) > 1 and not spec.several:
        raise RosterError(
            f"{len(matches)} files match {spec.pattern}: {', '.join(f.name for f in matches[:5])}",
            code="csv.ambiguous",
            hint='say in the mapper: "several": "newest" (a dated series) or "all" (one file in parts)',
        )
    if spec.several == "newest":
        return sorted(matches, key=lambda f: (f.modified, f.name))[-1:]
    return sorted(matches, key=lambda f: f.name)


def load_file(
    connection: duckdb.DuckDBPyConnection,
    spec: FileSpec,
    sql_name: str,
    files: Iterable[tuple[str, Path]],
    wanted: set[str],
    scratch: Path,
) -> LoadedFile:
    """Read one file of the mapper into the table `sql_name`.

    `files` are pairs of the name on the server and the local path. An empty cell is NULL.
    """
    parsed: list[ParsedFile] = []
    for number, (display, path) in enumerate(files):
        plain = scratch / f"{sql_name}-{number}.csv"
        one = read_csv(
            path, plain, display=display, encoding=spec.encoding, delimiter=spec.delimiter, wanted=wanted
        )
        _refuse_twice(one, wanted)
        parsed.append(one)
        first = parsed[0]
        if one is first:
            _create(connection, sql_name, first.kept)
        _insert(connection, sql_name, number, plain, _places(first, one), one)
        plain.unlink()
    if not parsed:
        return LoadedFile(spec, Table(spec.name, sql_name, (), spec.pattern, absent=True))
    display = parsed[0].display if len(parsed) == 1 else spec.pattern
    words = load_broken_words(connection, f"{sql_name}_words", parsed, scratch)
    table = Table(spec.name, sql_name, parsed[0].columns, display, broken_words=words)
    return LoadedFile(spec, table, tuple(parsed), _notices(parsed))


def _refuse_twice(one: ParsedFile, wanted: set[str]) -> None:
    """Raise RosterError csv.header where a column that is read stands twice in this file."""
    table = Table("", "", one.columns, one.display)
    for column in sorted(wanted):
        table.find(column)


def load_broken_words(
    connection: duckdb.DuckDBPyConnection, sql_name: str, parsed: Sequence[ParsedFile], scratch: Path
) -> str:
    """The words of the lines that could not be read, as a table; the empty name where there are none."""
    words = {(cell,) for one in parsed for broken in one.broken for cell in broken.cells if cell}
    if not words:
        return ""
    load_rows(connection, sql_name, {"word": "VARCHAR"}, sorted(words), scratch)
    return sql_name


def _create(connection: duckdb.DuckDBPyConnection, sql_name: str, kept: Sequence[int]) -> None:
    cells = "".join(f", c{i} VARCHAR" for i in kept)
    connection.execute(f"CREATE TABLE {sql_name} (src INTEGER, line BIGINT{cells})")


def _places(first: ParsedFile, one: ParsedFile) -> list[int]:
    """For each kept column of the first file, its place in this one: the parts may differ in order."""
    names = {loose(one.columns[i]): i for i in one.kept}
    wanted = {loose(first.columns[i]): first.columns[i] for i in first.kept}
    differing = sorted(names.keys() ^ wanted.keys())
    if differing:
        raise RosterError(
            f"{one.display} and {first.display} are read as one, and only one of them has the column "
            f"{differing[0]!r}",
            code="csv.header",
            hint="files that are read as one need the same columns; nothing was taken",
        )
    exactly = {one.columns[i]: i for i in one.kept}
    return [exactly.get(first.columns[i], names[loose(first.columns[i])]) for i in first.kept]


def _insert(
    connection: duckdb.DuckDBPyConnection,
    sql_name: str,
    number: int,
    plain: Path,
    places: Sequence[int],
    one: ParsedFile,
) -> None:
    cells = "".join(f", nullif(p{place}, '')" for place in places)
    types = {"line": "BIGINT", **{f"p{place}": "VARCHAR" for place in one.kept}}
    query = f"INSERT INTO {sql_name} SELECT {number}, line{cells} FROM {plain_csv(plain, types)}"
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
