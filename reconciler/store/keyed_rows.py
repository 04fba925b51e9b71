"""Looks up stored rows by their keys: a few of many, so that asking costs as little as what is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from reconciler.errors import StoreError
from reconciler.store.database import Database
from reconciler.store.scope import scope_of
from reconciler.store.tables import ROSTER, key_columns

_KEYS_AT_ONCE = 400
"""Keys of one query: SQLite takes no more than 999 parameters where it is old."""


def stored_values(
    database: Database, district: str, entity: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Tuples of `columns`, then `active`, of the rows with these keys; a key that is not stored has none.

    Raises StoreError database.failed for an entity or a column that is not stored.
    """
    table = ROSTER.get(entity)
    if table is None or not set(columns) <= set(table.c.keys()):
        raise StoreError(
            f"'{entity}' has no stored columns {', '.join(columns)}",
            code="database.failed",
            hint="this is a defect of the program: report it",
        )
    with database.read(scope_of(district)) as connection:
        driver: Any = connection.connection.driver_connection
        mark = "%s" if database.dialect == "postgresql" else "?"
        with closing(driver.cursor()) as cursor:
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[start : start + _KEYS_AT_ONCE]
                cursor.execute(
                    _query(table.name, entity, columns, len(some), mark),
                    (*(cell for key in some for cell in key), district),
                )
                yield from cursor.fetchall()


def _query(table: str, entity: str, columns: Sequence[str], keys: int, mark: str) -> str:
    """Both databases call the columns of VALUES column1, column2, …, and look each key up by the index."""
    key = key_columns(entity)
    row = f"({', '.join([mark] * len(key))})"
    same = " AND ".join(f"r.{column} = k.column{i}" for i, column in enumerate(key, start=1))
    chosen = ", ".join(f"r.{column}" for column in (*columns, "active"))
    values = ", ".join([row] * keys)
    return f"SELECT {chosen} FROM (VALUES {values}) AS k JOIN {table} r ON r.district = {mark} AND {same}"
