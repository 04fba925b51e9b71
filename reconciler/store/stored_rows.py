"""Streams a district's rows as they are stored, to be compared with what its files say.

Values come as tuples. Keys and hashes, of which a sync needs all, come as CSV that the database itself
writes: a loop over every stored row would cost as much as reading the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from reconciler.errors import StoreError
from reconciler.store.database import Database
from reconciler.store.scope import scope_of
from reconciler.store.tables import ROSTER, key_columns

_FETCHED_AT_ONCE = 10_000


def stored_columns(
    database: Database, district: str, entity: str, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Tuples of `columns`, then `active` (a bool or 0 and 1), ordered by key; NULL comes as None.

    The stream is one state of the database, however long it is read. Close it, or read it to its end.
    Raises StoreError database.failed for an entity or a column that is not stored.
    """
    table = _table(entity, columns)
    names, order = ", ".join((*columns, "active")), ", ".join(key_columns(entity))
    query = f"SELECT {names} FROM {table} WHERE district = $1 ORDER BY {order}"
    return (row for batch in _batches(database, query, district) for row in batch)


def stored_csv(database: Database, district: str, entity: str) -> Iterator[bytes]:
    """Key columns, row_hash and active (`t` or `f`) of every row, in any order, as pieces of CSV in UTF-8.

    Text is quoted. The pieces are one state of the database. Close the stream, or read it to its end.
    """
    columns = (*key_columns(entity), "row_hash")
    table = _table(entity, columns)
    if database.dialect == "postgresql":
        query = f"SELECT {', '.join(columns)}, active FROM {table} WHERE district = %s"
        return _copy(database, query, district)
    cells = "".join(f"""'"' || replace({c}, '"', '""') || '",' || """ for c in columns)
    active = """iif(active, '"t"', '"f"')"""
    query = f"SELECT {cells}{active} FROM {table} WHERE district = $1"
    return (
        "".join(f"{line}\n" for (line,) in batch).encode() for batch in _batches(database, query, district)
    )


def _table(entity: str, columns: Sequence[str]) -> str:
    table = ROSTER.get(entity)
    if table is None or not set(columns) <= set(table.c.keys()):
        raise StoreError(
            f"'{entity}' has no stored columns {', '.join(columns)}",
            code="database.failed",
            hint="this is a defect of the program: report it",
        )
    return table.name


def _copy(database: Database, query: str, district: str) -> Iterator[bytes]:
    statement = f"COPY ({query}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)"
    with database.read(scope_of(district)) as connection:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(statement, (district,)) as copy:
            yield from map(bytes, copy)


def _batches(database: Database, query: str, district: str) -> Iterator[list[tuple[Any, ...]]]:
    with database.read(scope_of(district)) as connection:
        driver: Any = connection.connection.driver_connection
        if database.dialect == "postgresql":
            cursor, mark = driver.cursor(name="stored_rows"), "%s"
        else:
            cursor, mark = driver.cursor(), "?"
        with closing(cursor):
            cursor.execute(query.replace("$1", mark), (district,))
            while batch := cursor.fetchmany(_FETCHED_AT_ONCE):
                yield batch
