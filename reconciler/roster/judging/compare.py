"""New rows against stored rows: what is added, changed, unchanged and removed, and the accounting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.mapping.sql import name
from reconciler.roster.database import load_csv, load_rows, number, slices, stream, stream_csv
from reconciler.roster.delta import EntityDelta, RowCounts, SisSchool

_READ = {
    "relationships": "SELECT (SELECT count(*) FROM raw_relationships) + "
    "(SELECT count(*) FROM raw_contacts WHERE student IS NOT NULL)"
}
"""How many rows were read of an entity of which there are more than a file's own."""

StoredRows = Callable[[str], Iterable[bytes]]
"""Entity name to the stored rows, as pieces of CSV: key, row_hash, active (`t` or `f`), all quoted."""


def spool_stored(stored: StoredRows, scratch: Path) -> dict[str, Path]:
    """The stored rows of each entity that a sync merges, in a file; needs nothing of the database here."""
    paths = {entity: scratch / f"stored-{entity}.csv" for entity in STORED}
    for entity, path in paths.items():
        with path.open("wb") as file:
            file.writelines(stored(entity))
    return paths


def load_stored(db: duckdb.DuckDBPyConnection, spooled: Mapping[str, Path]) -> None:
    """old_<entity>(key…, row_hash, active) from the spooled files, which are removed."""
    for entity, path in spooled.items():
        types = {**dict.fromkeys((*ENTITIES[entity].key, "row_hash"), "VARCHAR"), "active": "BOOLEAN"}
        load_csv(db, f"old_{entity}", types, path)


def compare(db: duckdb.DuckDBPyConnection) -> None:
    """fresh_<entity>(key…, fate) for every new row; gone_<entity>(key…) for what has to become inactive."""
    for entity in STORED:
        key = ENTITIES[entity].key
        same = " AND ".join(f"o.{name(k)} = n.{name(k)}" for k in key)
        keys = ", ".join(f"n.{name(k)}" for k in key)
        db.execute(
            f"CREATE TABLE fresh_{entity} AS SELECT {keys}, CASE WHEN o.row_hash IS NULL OR NOT o.active "
            f"THEN 'added' WHEN o.row_hash <> n.row_hash THEN 'changed' ELSE 'unchanged' END AS fate "
            f"FROM new_{entity} n LEFT JOIN old_{entity} o ON {same}"
        )
    for entity in ("students", "contacts", "staff"):
        db.execute(
            f"CREATE TABLE gone_{entity} AS SELECT id FROM old_{entity} "
            f"ANTI JOIN new_{entity} USING (id) ANTI JOIN kept_{entity} USING (id) WHERE active"
        )
    db.execute(
        "CREATE TABLE gone_relationships AS SELECT o.student, o.contact FROM old_relationships o "
        "WHERE o.active AND NOT EXISTS (SELECT 1 FROM new_relationships n "
        "WHERE n.student = o.student AND n.contact = o.contact) AND ("
        "o.student IN (SELECT id FROM gone_students) OR o.contact IN (SELECT id FROM gone_contacts) "
        "OR NOT EXISTS (SELECT 1 FROM kept_relationships k "
        "WHERE k.student = o.student AND k.contact = o.contact))"
    )


def compare_schools(db: duckdb.DuckDBPyConnection, known: Iterable[SisSchool], scratch: Path) -> None:
    """fresh_schools(id, fate): the schools of the files against those learned before."""
    types = dict.fromkeys(("id", "name", "type", "nces_id"), "VARCHAR")
    load_rows(db, "old_schools", types, ((s.sis_id, s.name, s.type, s.nces_id) for s in known), scratch)
    said = " AND ".join(f"coalesce(n.{c}, '') = o.{c}" for c in ("name", "type", "nces_id"))
    db.execute(
        f"CREATE TABLE fresh_schools AS SELECT n.id, CASE WHEN o.id IS NULL THEN 'added' "
        f"WHEN {said} THEN 'unchanged' ELSE 'changed' END AS fate "
        f"FROM new_schools n LEFT JOIN old_schools o ON o.id = n.id"
    )


def rows_read(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many rows of each entity were read, counted before any of them is judged."""
    return {e: number(db, _READ.get(e, f"SELECT count(*) FROM raw_{e}")) for e in ENTITIES}


def counts(db: duckdb.DuckDBPyConnection, entity: str, read: int, broken: int) -> RowCounts:
    """Where every row of an entity went; `broken` rows could not be read and are among the rejected.

    Raises RosterError csv.accounting when the sum is not the number of rows read: then nothing is written.
    """
    verdicts = dict(db.execute(f"SELECT verdict, count(*) FROM judged_{entity} GROUP BY verdict").fetchall())
    fates = dict(db.execute(f"SELECT fate, count(*) FROM fresh_{entity} GROUP BY fate").fetchall())
    folded = verdicts.get("ok", 0) - sum(fates.values())
    result = RowCounts(
        added=fates.get("added", 0),
        changed=fates.get("changed", 0),
        unchanged=fates.get("unchanged", 0),
        rejected=verdicts.get("rejected", 0) + broken,
        skipped=verdicts.get("skipped", 0),
        duplicate=verdicts.get("duplicate", 0) + folded,
        removed=number(db, f"SELECT count(*) FROM gone_{entity}") if entity in STORED else 0,
    )
    read += broken
    if result.read != read or folded < 0:
        raise RosterError(
            f"{entity}: {read} rows were read, but {result.read} are accounted for",
            code="csv.accounting",
            hint="this is a fault of reconciler; nothing was written",
        )
    return result


def delta(db: duckdb.DuckDBPyConnection, entity: str, row_counts: RowCounts, scratch: Path) -> EntityDelta:
    """The rows to write, read from the comparison whenever they are asked for."""
    spec = ENTITIES[entity]
    columns = (*spec.columns, "row_hash")
    same = " AND ".join(f"f.{name(k)} = n.{name(k)}" for k in spec.key)
    chosen = ", ".join(f"n.{name(c)}" for c in columns)
    # Both sides are cut to the part, or the one that is looked up in would be held as a whole.
    of_new, of_fresh = (
        slices(db, f"new_{entity}", ", ".join(f"{t}.{name(k)}" for k in spec.key)) for t in "nf"
    )
    # A store takes rows sooner in the order of their keys; of many, sorting costs more memory than there is.
    order = " ORDER BY " + ", ".join(f"n.{name(k)}" for k in spec.key) if len(of_new) == 1 else ""
    upserts = [
        f"SELECT {chosen} FROM new_{entity} n JOIN fresh_{entity} f ON {same} "
        f"WHERE f.fate <> 'unchanged' AND {one} AND {other}{order}"
        for one, other in zip(of_new, of_fresh, strict=True)
    ]
    keys = ", ".join(name(k) for k in spec.key)
    removals = [f"SELECT {keys} FROM gone_{entity} ORDER BY {keys}"]
    return EntityDelta(
        entity,
        columns,
        lambda: stream(db, upserts, scratch),
        lambda: stream(db, removals, scratch),
        row_counts,
        lambda constants: stream_csv(db, upserts, constants, scratch),
    )
