"""Writes an entity's delta into its table: upserts by key, then rows that become inactive.

The bulk goes through the driver's own cursor: `executemany` on SQLite, COPY into a temporary table and
one merge on PostgreSQL. Rows are streamed; none is kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction

from reconciler.errors import StoreError
from reconciler.mapping.entities import ENTITIES, RIGHTS, Entity
from reconciler.roster.delta import EntityDelta
from reconciler.store.columns import driver_time
from reconciler.store.tables import ROSTER

_MAX_CELL = 8 << 20
"""Characters; no cell of a roster file is longer."""


def merge(transaction: Transaction, district: str, delta: EntityDelta, at: datetime) -> None:
    """Apply `delta` to the district's rows; twice is the same as once, but for `changed_at`.

    Raises StoreError database.failed if the delta does not carry the entity's columns.
    """
    entity = _entity_of(delta)
    dialect = transaction.dialect.name
    driver: Any = transaction.connection.driver_connection
    head = (district, driver_time(at, dialect))
    if dialect == "postgresql":
        _merge_postgresql(driver, entity, delta, head)
    else:
        _merge_sqlite(driver, entity, delta, head)


def _entity_of(delta: EntityDelta) -> Entity:
    entity = ENTITIES.get(delta.entity)
    if entity is None or entity.name not in ROSTER:
        raise _unfit(f"there are no rows of '{delta.entity}' to merge")
    if sorted(delta.columns) != sorted((*entity.columns, "row_hash")):
        raise _unfit(f"the delta of {entity.name} does not carry exactly its columns and row_hash")
    return entity


def _unfit(message: str) -> StoreError:
    return StoreError(message, code="database.failed", hint="this is a defect of the program: report it")


# --- SQL that both databases share -----------------------------------------------------------------


def _stored(entity: Entity, column: str, source: str) -> str:
    """How a column's value is kept: keys as they are, rights never empty, other empty text as NULL."""
    if column in (*entity.key, "row_hash"):
        return source
    kept = f"NULLIF({source}, '')"
    return f"COALESCE({kept}, 'unknown')" if column in RIGHTS else kept


def _on_conflict(entity: Entity, columns: Iterable[str]) -> str:
    """An update that keeps `added_at`: a row that returns was added when it first came."""
    changed = [c for c in (*columns, "active", "changed_at", "removed_at") if c not in entity.key]
    assignments = ", ".join(f"{column} = excluded.{column}" for column in changed)
    return f"ON CONFLICT (district, {', '.join(entity.key)}) DO UPDATE SET {assignments}"


def _target(entity: Entity, columns: Iterable[str]) -> str:
    names = ("district", *columns, "active", "added_at", "changed_at", "removed_at")
    return f"{ROSTER[entity.name].name} ({', '.join(names)})"


# --- SQLite ----------------------------------------------------------------------------------------


def _merge_sqlite(driver: Any, entity: Entity, delta: EntityDelta, head: tuple[str, str]) -> None:
    """The district and the time stand in the statement, so that rows go to the driver as they come."""
    district, at = map(_literal, head)
    values = ", ".join(_stored(entity, c, f"?{i}") for i, c in enumerate(delta.columns, start=1))
    upsert = (
        f"INSERT INTO {_target(entity, delta.columns)} VALUES ({district}, {values}, 1, {at}, {at}, NULL) "
        f"{_on_conflict(entity, delta.columns)}"
    )
    keys = " AND ".join(f"{column} = ?{i}" for i, column in enumerate(entity.key, start=1))
    remove = (
        f"UPDATE {ROSTER[entity.name].name} SET active = 0, removed_at = {at} "
        f"WHERE district = {district} AND {keys} AND active = 1"
    )
    driver.executemany(upsert, _rows(delta))
    driver.executemany(remove, delta.removals())


def _rows(delta: EntityDelta) -> Iterator[Any]:
    """The upserted rows; from CSV where there is one, for the statement makes NULL of empty text."""
    if delta.upserts_csv is None:
        return delta.upserts()
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    lines = (line for piece in delta.upserts_csv(()) for line in io.StringIO(piece.decode(), newline="\n"))
    return csv.reader(lines, strict=True)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- PostgreSQL ------------------------------------------------------------------------------------


def _merge_postgresql(driver: Any, entity: Entity, delta: EntityDelta, head: tuple[str, datetime]) -> None:
    with driver.cursor() as cursor:
        if delta.upserts_csv and not _has_rows(cursor, entity, head[0]):
            _copy_first(cursor, entity, delta, head)
        else:
            _upsert(cursor, entity, delta, head)
        _remove(cursor, entity, delta, head)


def _has_rows(cursor: Any, entity: Entity, district: str) -> bool:
    query = f"SELECT 1 FROM {ROSTER[entity.name].name} WHERE district = %s LIMIT 1"
    return cursor.execute(query, (district,)).fetchone() is not None


def _copy_first(cursor: Any, entity: Entity, delta: EntityDelta, head: tuple[str, datetime]) -> None:
    """A district's first rows meet no others: they go into the table without looking for any."""
    if delta.upserts_csv is None:
        raise _unfit(f"the first rows of {entity.name} come without CSV")
    columns = ", ".join(("district", "active", "added_at", "changed_at", *delta.columns))
    table, at = ROSTER[entity.name].name, head[1].isoformat()
    # PostgreSQL takes no COPY into a table whose policies this role is held to.
    (guarded,) = cursor.execute("SELECT row_security_active(%s::regclass)", (table,)).fetchone()
    into = f"pg_temp.first_{entity.name}" if guarded else table
    if guarded:
        cursor.execute(f"CREATE TEMPORARY TABLE first_{entity.name} (LIKE {table}) ON COMMIT DROP")
    with cursor.copy(f"COPY {into} ({columns}) FROM STDIN (FORMAT csv)") as copy:
        for chunk in delta.upserts_csv((head[0], "true", at, at)):
            copy.write(chunk)
    if guarded:
        cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {into}")


def _upsert(cursor: Any, entity: Entity, delta: EntityDelta, head: tuple[str, datetime]) -> None:
    incoming = f"incoming_{entity.name}"
    values = ", ".join(_stored(entity, column, column) for column in delta.columns)
    upsert = (
        f"INSERT INTO {_target(entity, delta.columns)} "
        f"SELECT %(district)s, {values}, true, %(at)s, %(at)s, NULL FROM pg_temp.{incoming} "
        f"{_on_conflict(entity, delta.columns)}"
    )
    if _copy_in(cursor, incoming, entity, delta.columns, delta.upserts()):
        cursor.execute(upsert, {"district": head[0], "at": head[1]})


def _remove(cursor: Any, entity: Entity, delta: EntityDelta, head: tuple[str, datetime]) -> None:
    table, outgoing = ROSTER[entity.name].name, f"outgoing_{entity.name}"
    keys = " AND ".join(f"{table}.{column} = {outgoing}.{column}" for column in entity.key)
    remove = (
        f"UPDATE {table} SET active = false, removed_at = %(at)s FROM pg_temp.{outgoing} "
        f"WHERE {table}.district = %(district)s AND {keys} AND {table}.active"
    )
    if _copy_in(cursor, outgoing, entity, entity.key, delta.removals()):
        cursor.execute(remove, {"district": head[0], "at": head[1]})


def _copy_in(
    cursor: Any, name: str, entity: Entity, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]
) -> int:
    """Make the temporary table `name`, gone with the transaction, of `rows`; how many there were."""
    collated = dict.fromkeys(entity.key, ' COLLATE "C"')
    declared = ", ".join(f"{column} text{collated.get(column, '')}" for column in columns)
    cursor.execute(f"CREATE TEMPORARY TABLE {name} ({declared}) ON COMMIT DROP")
    with cursor.copy(f"COPY pg_temp.{name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    copied = int(cursor.rowcount)
    if copied:
        # Without statistics the planner guesses, and may join row by row.
        cursor.execute(f"ANALYZE pg_temp.{name}")
    return copied
