"""Streams a district's rows as they are stored, to be compared with what its files say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from reconciler.errors import StoreError
from reconciler.store.database import Database
from reconciler.store.tables import ROSTER, key_columns

_FETCHED_AT_ONCE = 10_000


def stored_columns(
    database: Database, district: str, entity: str, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Tuples of `columns`, then `active` (a bool or 0 and 1), ordered by key; NULL comes as None.

    The stream is one state of the database, however long it is read. Close it, or read it to its end.
    Raises StoreError database.failed for an entity or a column that is not stored.
    """
    table = ROSTER.get(entity)
    if table is None or not set(columns) <= set(table.c.keys()):
        raise StoreError(
            f"'{entity}' has no stored columns {', '.join(columns)}",
            code="database.failed",
            hint="this is a defect of the program: report it",
        )
    names, order = ", ".join((*columns, "active")), ", ".join(key_columns(entity))
    query = f"SELECT {names} FROM {table.name} WHERE district = $1 ORDER BY {order}"
    return _stream(database, query, district)


def _stream(database: Database, query: str, district: str) -> Iterator[tuple[Any, ...]]:
    with database.read() as connection:
        driver: Any = connection.connection.driver_connection
        if database.dialect == "postgresql":
            cursor = driver.cursor(name="stored_rows")
            cursor.itersize = _FETCHED_AT_ONCE
        else:
            cursor = driver.cursor()
        with closing(cursor):
            cursor.execute(
                query.replace("$1", "%s" if database.dialect == "postgresql" else "?"), (district,)
            )
            yield from cursor
