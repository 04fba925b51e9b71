"""The in-memory database in which a roster is read, mapped and compared; it spills into the run's folder."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.sql import literal, name

MEMORY_LIMIT = "330MB"
SLICE = 500_000
"""Rows that are grouped at once: a grouping is held in memory as a whole."""
_CHUNK = 1 << 20
_MAX_LINE = 32 << 20
"""Bytes of a row as we write it: twice those of the longest one that is read, for each may be a quote."""


def open_database(scratch: Path) -> duckdb.DuckDBPyConnection:
    """A new, empty database. It loads no extension, and takes no more memory than MEMORY_LIMIT."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": 2,
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }
    return duckdb.connect(":memory:", config=config)


def load_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    types: Mapping[str, str],
    rows: Iterable[Sequence[object]],
    scratch: Path,
) -> None:
    """Create a table with columns of these SQL types and fill it, in bulk, from Python rows without None."""
    path = scratch / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    load_csv(connection, table, types, path)


def load_csv(connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], path: Path) -> None:
    """As `load_rows`, from a file, which is removed: CSV in UTF-8, LF, every cell quoted, none NULL."""
    columns = ", ".join(f"{name(c)} {t}" for c, t in types.items())
    connection.execute(f"CREATE TABLE {table} ({columns})")
    if path.stat().st_size:
        connection.execute(f"INSERT INTO {table} SELECT * FROM {plain_csv(path, types)}")
    path.unlink()


def plain_csv(path: Path, types: Mapping[str, str]) -> str:
    """The SQL that reads a CSV file of our own writing: no header, LF, every cell quoted, none of them NULL.

    The line break is said, for where it is guessed one inside a cell is taken for it.
    """
    listed = ", ".join(f"{literal(c)}: {literal(t)}" for c, t in types.items())
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = '\\n', allow_quoted_nulls = false, parallel = false, "
        f"max_line_size = {_MAX_LINE}, buffer_size = {2 * _MAX_LINE}, columns = {{{listed}}})"
    )


def stream(db: duckdb.DuckDBPyConnection, queries: Sequence[str], scratch: Path) -> Iterator[tuple[Any, ...]]:
    """The rows of queries whose columns are texts, none of them empty, and None where one is NULL."""
    for row in csv.reader(_lines(stream_csv(db, queries, (), scratch)), strict=True):
        yield tuple([cell or None for cell in row])


def stream_csv(
    db: duckdb.DuckDBPyConnection, queries: Sequence[str], constants: Sequence[str], scratch: Path
) -> Iterator[bytes]:
    """The rows of queries as pieces of CSV, behind the constants: text quoted, NULL empty and unquoted.

    They go by way of a file: a result that is handed over row by row is held in memory as a whole.
    """
    leading = "".join(f"{literal(c)} AS constant_{i}, " for i, c in enumerate(constants))
    path = scratch / f"result-{secrets.token_hex(8)}.csv"
    try:
        for query in queries:
            with told("while the result was written"):
                db.cursor().execute(
                    f"COPY (SELECT {leading}* FROM ({query})) TO {literal(str(path))} "
                    f"(FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '')"
                )
            with path.open("rb") as file:
                while lines := file.readlines(_CHUNK):
                    yield b"".join(lines)
    finally:
        path.unlink(missing_ok=True)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    for piece in pieces:
        yield from io.StringIO(piece.decode(), newline="\n")


def look_through(db: duckdb.DuckDBPyConnection, view: str, query: Callable[[str], str]) -> None:
    """Put a query over a view in the view's place; no row is copied. `query` gets the view's new name."""
    below = f"{view}_{secrets.token_hex(4)}"
    db.execute(f"ALTER VIEW {view} RENAME TO {below}")
    db.execute(f"CREATE VIEW {view} AS {query(below)}")


def slices(db: duckdb.DuckDBPyConnection, table: str, columns: str) -> list[str]:
    """Conditions that part a table's rows by these columns, into parts that can be grouped in memory."""
    parts = number(db, f"SELECT count(*) FROM {table}") // SLICE + 1
    return [f"hash({columns}) % {parts} = {part}" for part in range(parts)] if parts > 1 else ["true"]


def number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query answers."""
    row = db.execute(query).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn what the database raises into RosterError, `csv.memory` or `csv.failed`.

    Its own words are left out, and the cause with them: they quote cells.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise RosterError(
            f"there is not enough memory, or room for temporary files, {doing}",
            code="csv.memory",
            hint="free some, or point TMPDIR at a larger disk; nothing was written",
            retryable=True,
        ) from None
    except duckdb.Error as error:
        raise RosterError(
            f"{type(error).__name__} {doing}",
            code="csv.failed",
            hint="this is a fault of reconciler; nothing was written",
        ) from None
