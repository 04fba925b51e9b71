"""What a comparison comes to, for a reviewer: by school, by column, and as one digest. Counts only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from reconciler.mapping.entities import ENTITIES, RIGHTS, STORED, Entity
from reconciler.mapping.sql import name
from reconciler.planning.limits import AT_MOST
from reconciler.roster.database import slices
from reconciler.roster.delta import RowCounts
from reconciler.roster.judging.contact_changes import StoredValues, load_values

WHOLESALE_PERCENT = 20
"""A column that differs in more than this share of the rows that stay, and in more than AT_MOST of them."""

_SEPARATOR = "chr(31)"
"""Between the cells of a row: no id holds it."""


@dataclass(frozen=True, slots=True)
class SchoolEffect:
    """What becomes of the students of one SIS school. One who moves is counted where the file has them."""

    sis_id: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A stored column whose values differ in many of the rows that stay."""

    entity: str
    column: str
    rows: int
    """Rows in which it differs."""
    of: int
    """Rows of the entity that stay."""
    emptied: int = 0
    """Those of the rows in which it said something, and says nothing now."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Effect:
    """What the rows would come to."""

    schools: tuple[SchoolEffect, ...] = ()
    """By SIS id: those of the students that were taken or are removed."""
    columns: tuple[ColumnChange, ...] = ()
    """The most changed first."""


def effect(
    db: duckdb.DuckDBPyConnection, counts: Mapping[str, RowCounts], stored: StoredValues, scratch: Path
) -> Effect:
    """The effect of a resolved roster. Once only."""
    columns = [c for e in STORED for c in _columns(db, ENTITIES[e], counts[e], stored, scratch)]
    columns.sort(key=lambda c: -c.rows / c.of)
    return Effect(_schools(db, stored, scratch), tuple(columns))


def delta_digest(db: duckdb.DuckDBPyConnection, counts: Mapping[str, RowCounts]) -> str:
    """SHA-256 over every row that would be written or removed, and over the counts of all others.

    Equal for equal files, mapper and stored rows; it is compared, and tells nobody what is in a row.
    """
    digest = hashlib.sha256()
    for entity in STORED:
        spec = ENTITIES[entity]
        digest.update(json.dumps([entity, counts[entity].to_json()], sort_keys=True).encode())
        keys = ", ".join(name(k) for k in spec.key)
        fresh = (
            f"SELECT *, concat_ws({_SEPARATOR}, fate, {keys}, row_hash) AS line FROM new_{entity} "
            f"JOIN fresh_{entity} USING ({keys}) WHERE fate <> 'unchanged'"
        )
        gone = f"SELECT *, concat_ws({_SEPARATOR}, {keys}) AS line FROM gone_{entity}"
        for table, query in ((f"fresh_{entity}", fresh), (f"gone_{entity}", gone)):
            for part in slices(db, table, keys):
                digest.update(_digest_of(db, f"SELECT md5(line) AS line FROM ({query}) WHERE {part}"))
    return digest.hexdigest()


def change_digest(db: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 over every row that would be added, changed or removed, as it was and as it would be.

    Nothing else is in it: what stays, and rows that are not taken, may differ. It is of few rows that can be
    guessed, so it leaves the program under a key only.
    """
    digest = hashlib.sha256()
    for entity in STORED:
        spec = ENTITIES[entity]
        digest.update(f"{entity};".encode())
        keys = ", ".join(name(k) for k in spec.key)
        fresh = (
            f"SELECT *, concat_ws({_SEPARATOR}, fate, {keys}, n.row_hash, coalesce(o.row_hash, '')) AS line "
            f"FROM new_{entity} n JOIN fresh_{entity} USING ({keys}) LEFT JOIN old_{entity} o USING ({keys}) "
            f"WHERE fate <> 'unchanged'"
        )
        gone = (
            f"SELECT *, concat_ws({_SEPARATOR}, {keys}, row_hash) AS line "
            f"FROM gone_{entity} JOIN old_{entity} USING ({keys})"
        )
        for table, query in ((f"fresh_{entity}", fresh), (f"gone_{entity}", gone)):
            for part in slices(db, table, keys):
                digest.update(_digest_of(db, f"SELECT sha256(line) AS line FROM ({query}) WHERE {part}"))
    return digest.hexdigest()


def _digest_of(db: duckdb.DuckDBPyConnection, query: str) -> bytes:
    """A digest of lines, whatever their order."""
    row = db.execute(
        f"SELECT count(*), coalesce(sha256(string_agg(line, '' ORDER BY line)), '') FROM ({query})"
    ).fetchone()
    return f"{row[0]} {row[1]};".encode() if row else b";"


def _schools(db: duckdb.DuckDBPyConnection, stored: StoredValues, scratch: Path) -> tuple[SchoolEffect, ...]:
    found: dict[str, dict[str, int]] = {}
    taken = db.execute(
        "SELECT coalesce(n.sis_school, ''), f.fate, count(*) FROM new_students n "
        "JOIN fresh_students f USING (id) GROUP BY ALL"
    ).fetchall()
    for school, fate, rows in (*taken, *_removed(db, stored, scratch)):
        found.setdefault(school, {})[fate] = rows
    return tuple(SchoolEffect(school, **fates) for school, fates in sorted(found.items()))


def _removed(
    db: duckdb.DuckDBPyConnection, stored: StoredValues, scratch: Path
) -> list[tuple[str, str, int]]:
    """The removed students by the school that is stored with them."""
    load_values(db, "left_students", ("id", "sis_school"), "students", "gone_students", stored, scratch)
    return db.execute(
        "SELECT sis_school, 'removed', count(*) FROM left_students SEMI JOIN gone_students USING (id) "
        "GROUP BY sis_school"
    ).fetchall()


def _columns(
    db: duckdb.DuckDBPyConnection, entity: Entity, counts: RowCounts, stored: StoredValues, scratch: Path
) -> list[ColumnChange]:
    """The columns that changed wholesale; stored values are asked for only where so many rows changed."""
    stay = counts.changed + counts.unchanged
    if not _is_wholesale(counts.changed, stay):
        return []
    keys = ", ".join(name(k) for k in entity.key)
    db.execute(f"CREATE TABLE altered_{entity.name} AS SELECT {keys} FROM fresh_{entity.name} "
               f"WHERE fate = 'changed'")  # fmt: skip
    was, altered = f"altering_{entity.name}", f"altered_{entity.name}"
    load_values(db, was, entity.columns, entity.name, altered, stored, scratch)
    asked = [c for c in entity.columns if c not in entity.key]
    sums = ", ".join(f"{_differs(c)}, {_emptied(c)}" for c in asked)
    row = db.execute(
        f"SELECT {sums} FROM (SELECT * FROM {was} SEMI JOIN {altered} USING ({keys})) w "
        f"JOIN new_{entity.name} n USING ({keys})"
    ).fetchone()
    pairs = zip(asked, row[0::2], row[1::2], strict=True) if row else ()
    return [
        ColumnChange(entity.name, c, n, stay, emptied) for c, n, emptied in pairs if _is_wholesale(n, stay)
    ]


def _is_wholesale(rows: int, stay: int) -> bool:
    return rows > AT_MOST and 100 * rows > WHOLESALE_PERCENT * stay


def _differs(column: str) -> str:
    return f"count(*) FILTER (coalesce(w.{name(column)}, '') <> coalesce(n.{name(column)}, ''))"


def _emptied(column: str) -> str:
    says = "NOT IN ('', 'unknown')" if column in RIGHTS else "<> ''"
    silent = "IN ('', 'unknown')" if column in RIGHTS else "= ''"
    was, now = (f"coalesce({t}.{name(column)}, '')" for t in "wn")
    return f"count(*) FILTER ({was} {says} AND {now} {silent})"
