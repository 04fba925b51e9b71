"""A folder of roster files as all-text tables: which file is which, and loading it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.columns import Table, loose, tellable
from reconciler.mapping.model import FileSpec, Mapper
from reconciler.mapping.near import near_names
from reconciler.roster.database import load_rows
from reconciler.roster.delta import RemoteFile
from reconciler.roster.reading.bulk import load_part
from reconciler.roster.reading.reader import ParsedFile, read_header
from reconciler.roster.reading.series import matching_files, newest, newest_by_name

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
    def header(self) -> tuple[str, ...]:
        """The columns of the table as today's file names them."""
        return self.parsed[0].header if self.parsed and not self.origin else self.table.columns

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
            raise no_file(mapper.files[name], [f.name for f in available])
    return chosen


def _choose(spec: FileSpec, available: Sequence[RemoteFile]) -> list[RemoteFile]:
    matches = matching_files(spec, available)
    if len(matches) <= 1 or spec.several == "all":
        return sorted(matches, key=lambda f: f.name)
    if not spec.several and newest_by_name([f.name for f in matches], dates_only=True) is None:
        raise RosterError(
            f"{len(matches)} files match {spec.pattern}: {', '.join(f.name for f in matches[:5])}",
            code="csv.ambiguous",
            hint='say in the mapper: "several": "newest" (a dated series) or "all" (one file in parts)',
        )
    return [newest(matches, spec.pattern).file]


def no_file(spec: FileSpec, there: Sequence[str]) -> RosterError:
    """The error for a file that the mapper needs and that is not there."""
    near = near_names(spec.pattern, there, 1)
    meant = f"is it {near[0]!r}? " if near else ""
    listed = ", ".join(there[:8]) or "nothing"
    return RosterError(
        f"no file matches {spec.pattern}, which the mapper needs; there is {listed}",
        code="sftp.no-files",
        hint=f"{meant}ask the district whether the export ran, or correct the mapper; nobody was removed",
    )


def load_file(
    connection: duckdb.DuckDBPyConnection,
    spec: FileSpec,
    sql_name: str,
    files: Iterable[tuple[str, Path]],
    wanted: set[str],
    scratch: Path,
) -> LoadedFile:
    """Read one file of the mapper; it becomes the view `sql_name` over a table for each physical file.

    `files` are pairs of the name on the server and the local path. An empty cell is NULL.
    """
    parsed: list[ParsedFile] = []
    for number, (display, path) in enumerate(files):
        one = read_header(
            path,
            display=display,
            encoding=spec.encoding,
            delimiter=spec.delimiter,
            wanted=wanted,
            columns=spec.columns,
        )
        _refuse_twice(one, wanted)
        load_part(connection, f"{sql_name}_{number}", path, one, scratch)
        parsed.append(one)
    if not parsed:
        return LoadedFile(spec, Table(spec.name, sql_name, (), spec.pattern, absent=True))
    parts = (_part(sql_name, number, parsed[0], one) for number, one in enumerate(parsed))
    connection.execute(f"CREATE VIEW {sql_name} AS {' UNION ALL '.join(parts)}")
    display = parsed[0].display if len(parsed) == 1 else spec.pattern
    words = load_broken_words(connection, f"{sql_name}_words", parsed, scratch)
    table = Table(spec.name, sql_name, parsed[0].columns, display, broken_words=words)
    return LoadedFile(spec, table, tuple(parsed), _notices(spec, parsed))


def _part(sql_name: str, number: int, first: ParsedFile, one: ParsedFile) -> str:
    """The rows of one physical file under the names of the first one's columns."""
    cells = "".join(
        f", c{there} AS c{here}" for here, there in zip(first.kept, _places(first, one), strict=True)
    )
    return f"SELECT {number}::INTEGER AS src, line{cells} FROM {sql_name}_{number}"


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


def _places(first: ParsedFile, one: ParsedFile) -> list[int]:
    """For each kept column of the first file, its place in this one: the parts may differ in order."""
    names = {loose(one.columns[i]): i for i in one.kept}
    wanted = {loose(first.columns[i]): first.columns[i] for i in first.kept}
    differing = sorted(names.keys() ^ wanted.keys())
    if differing:
        which = f" {differing[0]!r}" if tellable(differing) else "; one begins with a row, it seems"
        raise RosterError(
            f"{one.display} and {first.display} are read as one, and only one of them has the column{which}",
            code="csv.header",
            hint="files that are read as one need the same columns; nothing was taken",
        )
    exactly = {one.columns[i]: i for i in one.kept}
    return [exactly.get(first.columns[i], names[loose(first.columns[i])]) for i in first.kept]


def _notices(spec: FileSpec, parsed: Sequence[ParsedFile]) -> tuple[str, ...]:
    """What was detected where the mapper does not say it."""
    notices = []
    names = {"\t": "tab", ";": "semicolon", "|": "pipe"}
    for one in parsed:
        if not spec.encoding and one.encoding not in ("utf-8", "utf-8-sig"):
            notices.append(f"{one.display} is read as {one.encoding}")
        if not spec.delimiter and one.delimiter != ",":
            notices.append(f"{one.display} is delimited by {names.get(one.delimiter, one.delimiter)}")
    return tuple(notices)
