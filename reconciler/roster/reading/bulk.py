"""Loads one physical file as a table: a regular file directly, every other one through the careful reader."""

from __future__ import annotations

from pathlib import Path

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.columns import SPACES
from reconciler.mapping.sql import literal
from reconciler.roster.database import number, plain_csv
from reconciler.roster.reading.reader import ParsedFile, read_rows
from reconciler.roster.reading.regular import Regular, regularity


def load_part(
    db: duckdb.DuckDBPyConnection, table: str, path: Path, parsed: ParsedFile, scratch: Path
) -> None:
    """Make the table: `line`, and c0, c1, … for the wanted columns; an empty cell is NULL.

    `parsed` has the header; the counts, and the rows that could not be read, are filled in. Both ways give
    the same table for a file that the direct one takes.
    """
    regular = regularity(path, parsed.encoding, parsed.delimiter) if parsed.is_plain else None
    if regular is None or not _load_directly(db, table, path, parsed, regular):
        _load_carefully(db, table, path, parsed, scratch)


def _load_directly(
    db: duckdb.DuckDBPyConnection, table: str, path: Path, parsed: ParsedFile, regular: Regular
) -> bool:
    """Whether the file could be loaded as it is: as many rows as lines, all as wide as the header."""
    trimmed = "trim({})" if regular.only_plain_spaces else f"trim({{}}, {literal(SPACES)})"
    cells = "".join(f", nullif({trimmed.format(f'c{i}')}, '') AS c{i}" for i in parsed.kept)
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(parsed.columns)))
    source = (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, skip = 1, "
        f"delim = {literal(parsed.delimiter)}, quote = '\"', escape = '\"', "
        f"new_line = {literal(regular.newline.encode('unicode_escape').decode())}, columns = {{{columns}}})"
    )
    # The line is the row's place in the table, so rows must come in the file's order.
    db.execute("SET preserve_insertion_order = true")
    try:
        db.execute(f"CREATE TABLE {table}_rows AS SELECT true AS here{cells} FROM {source}")
    except duckdb.InvalidInputException:
        return False
    finally:
        db.execute("SET preserve_insertion_order = false")
    blank = " AND ".join(f"c{i} IS NULL" for i in parsed.kept) or "true"
    rows = number(db, f"SELECT count(*) FROM {table}_rows")
    if rows != regular.lines - 1 or number(db, f"SELECT count(*) FROM {table}_rows WHERE {blank}"):
        db.execute(f"DROP TABLE {table}_rows")
        return False
    db.execute(f"CREATE VIEW {table} AS SELECT rowid + 2 AS line, * EXCLUDE (here) FROM {table}_rows")
    parsed.rows, parsed.ends_with_newline = rows, regular.ends_with_newline
    return True


def _load_carefully(
    db: duckdb.DuckDBPyConnection, table: str, path: Path, parsed: ParsedFile, scratch: Path
) -> None:
    plain = scratch / f"{table}.csv"
    read_rows(path, plain, parsed)
    types = {"line": "BIGINT", **{f"c{i}": "VARCHAR" for i in parsed.kept}}
    columns = ", ".join(f"{c} {t}" for c, t in types.items())
    cells = "".join(f", nullif(c{i}, '')" for i in parsed.kept)
    db.execute(f"CREATE TABLE {table} ({columns})")
    if parsed.rows:
        db.execute(f"INSERT INTO {table} SELECT line{cells} FROM {plain_csv(plain, types)}")
    plain.unlink()
    loaded = number(db, f"SELECT count(*) FROM {table}")
    if loaded != parsed.rows:
        raise RosterError(
            f"{parsed.display}: {parsed.rows} rows were read and {loaded} loaded",
            code="csv.accounting",
            hint="this is a fault of reconciler; nothing was written",
        )
