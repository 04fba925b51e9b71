"""A file's kept rows in DuckDB: brought back, and written out again.

A table with kept rows has one numbering, `line`, for rows of all packages: a changed row stays where it was
and a new one comes last, as in the bulk file that the district would have sent; `take: first` goes by it.
`<table>_origin(line, src, own)` says which of them stand in today's files, and where. Rows that a delta
deleted lie in `<table>_deleted`: a child's list of parents may go on naming one of them.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.columns import loose
from reconciler.mapping.sql import literal
from reconciler.roster.database import number, plain_csv
from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.reading.reader import BrokenRow, ParsedFile
from reconciler.roster.reading.tables import LoadedFile, load_broken_words


def bring_back(
    db: duckdb.DuckDBPyConnection, loaded: LoadedFile, kept: KeptFile, wanted: Collection[str], scratch: Path
) -> LoadedFile:
    """The kept rows as the table of a file that is absent today; `loaded` is that file without them.

    Raises RosterError csv.manifest where a column is wanted that was not kept.
    """
    sql_name = loaded.table.sql_name
    refuse_unkept(kept, wanted, loaded.spec.pattern)
    load_kept(db, kept, sql_name, scratch)
    db.execute(f"CREATE TABLE {sql_name}_deleted AS SELECT * FROM {sql_name} WHERE deleted")
    db.execute(f"DELETE FROM {sql_name} WHERE deleted")
    db.execute(f"CREATE TABLE {sql_name}_origin (line BIGINT, src INTEGER, own BIGINT)")
    parsed = unread_file(loaded, kept, kept.unread)
    words = load_broken_words(db, f"{sql_name}_words", parsed, scratch)
    table = replace(loaded.table, columns=kept.header, absent=False, broken_words=words)
    return replace(
        loaded, table=table, parsed=tuple(parsed), origin=f"{sql_name}_origin", deleted=f"{sql_name}_deleted"
    )


def keep(
    db: duckdb.DuckDBPyConnection,
    loaded: LoadedFile,
    wanted: Collection[str],
    known: Collection[str],
    scratch: Path,
) -> KeptFile | None:
    """The rows of a loaded file, to be kept for the next package; None where rows have no key.

    `known` are ids that are stored: of a line that could not be read only those are kept, and the cells
    that stand in columns that are read.
    """
    table = loaded.table
    if table.absent or not loaded.spec.key or table.find(loaded.spec.key) is None:
        return None
    read = {loose(w) for w in wanted}
    columns = tuple((c, loose(c) in read) for c in table.columns)
    places = [i for i, (_, kept) in enumerate(columns) if kept]
    path = scratch / f"{table.sql_name}-kept.csv.gz"
    cells = "".join(f", coalesce(c{i}, '') AS c{i}" for i in places)
    every = f"SELECT src, line, '' AS deleted{cells} FROM {table.sql_name}"
    if loaded.deleted:
        every += f" UNION ALL SELECT src, line, '1'{cells} FROM {loaded.deleted}"
    named = "".join(f", c{i}" for i in places)
    db.execute(
        f"COPY (SELECT row_number() OVER (ORDER BY src, line), deleted{named} FROM ({every}) "
        f"ORDER BY src, line) TO {literal(str(path))} "
        f"(FORMAT csv, HEADER false, FORCE_QUOTE *, COMPRESSION gzip)"
    )
    rows = number(db, f"SELECT count(*) FROM {table.sql_name}")
    unread = [b for p in loaded.lasting for b in p.broken]
    return KeptFile(
        loaded.spec.name,
        columns,
        rows,
        _digest(path),
        path.read_bytes,
        tuple(_spare(u, places, len(columns), known) for u in unread),
    )


def load_kept(db: duckdb.DuckDBPyConnection, kept: KeptFile, sql_name: str, scratch: Path) -> None:
    """The table `sql_name` with the kept rows, and whether each is `deleted`."""
    path = scratch / f"{sql_name}-before.csv.gz"
    path.write_bytes(kept.content())
    columns = "".join(f", c{i} VARCHAR" for i in kept.places)
    db.execute(f"CREATE TABLE {sql_name} (src INTEGER, line BIGINT, deleted BOOLEAN{columns})")
    types = {"line": "BIGINT", "deleted": "VARCHAR", **{f"p{i}": "VARCHAR" for i in kept.places}}
    cells = "".join(f", nullif(p{i}, '')" for i in kept.places)
    with gzip.open(path) as file:
        is_empty = not file.read(1)
    if not is_empty:
        query = f"SELECT 0, line, deleted <> ''{cells} FROM {plain_csv(path, types)}"
        db.execute(f"INSERT INTO {sql_name} {query}")
    path.unlink()
    loaded = number(db, f"SELECT count(*) FROM {sql_name} WHERE NOT deleted")
    if loaded != kept.rows:
        raise RosterError(
            f"of the {kept.rows} rows that were kept of {kept.file}, {loaded} were loaded",
            code="csv.accounting",
            hint="this is a fault of reconciler; nothing was written. A bulk export goes on without them",
        )


def refuse_unkept(kept: KeptFile, wanted: Collection[str], display: str) -> None:
    read = {loose(w) for w in wanted}
    lacking = sorted(c for c, is_kept in kept.columns if loose(c) in read and not is_kept)
    if lacking:
        raise RosterError(
            f"the mapper now reads the column {lacking[0]!r} of {display}, which was not kept of the rows "
            f"of earlier packages",
            code="csv.manifest",
            hint=f"ask the district for a bulk export of {display}; nothing was changed",
        )


def unread_file(loaded: LoadedFile, kept: KeptFile, lines: Sequence[BrokenRow]) -> list[ParsedFile]:
    """The lines of an earlier file that are still unread, as a file of their own."""
    if not lines:
        return []
    display = earlier(loaded.table.display or loaded.spec.pattern)
    columns = kept.header
    return [
        ParsedFile(
            display, "utf-8", ",", columns, kept.places, rows=kept.rows, broken=list(lines), header=columns
        )
    ]


def earlier(display: str) -> str:
    """How rows of an earlier package are named: their lines are in no file of today."""
    return f"{display} of an earlier package"


def _spare(line: BrokenRow, places: Collection[int], width: int, known: Collection[str]) -> BrokenRow:
    """A line with those cells only that stand in a kept column, or end with a stored id."""
    whole = len(line.cells) >= width
    cells = tuple(
        cell if (whole and i in places) or _names_somebody(cell, known) else ""
        for i, cell in enumerate(line.cells)
    )
    return replace(line, cells=cells)


def _names_somebody(cell: str, known: Collection[str]) -> bool:
    return any(cell[i:] in known for i in range(min(len(cell), 200)))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
