"""From raw_<entity> to verdicts: every row judged, what must stay kept, all of it compared.

The order matters: whether a contact counts depends on its student, and a relationship on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from reconciler.mapping.compile import LIST_SEPARATOR
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.model import Mapper
from reconciler.roster.database import load_rows
from reconciler.roster.delta import RowCounts, SisSchool
from reconciler.roster.judging import compare, keeping, rows
from reconciler.roster.judging.broken import BrokenLines
from reconciler.roster.judging.folding import fold
from reconciler.roster.reading.tables import LoadedFile


@dataclass(frozen=True, slots=True)
class Before:
    """What is known from earlier syncs."""

    stored: compare.StoredRows
    schools: Iterable[SisSchool]
    files: frozenset[str]
    """The mapper's files that were there."""


def resolve(
    db: duckdb.DuckDBPyConnection,
    mapper: Mapper,
    files: Sequence[LoadedFile],
    mapping: Mapping[str, str] | None,
    before: Before,
    scratch: Path,
) -> dict[str, RowCounts]:
    """Judge and compare everything; the counts of each entity. See `Roster.resolve`."""
    broken, read = BrokenLines(mapper, files), compare.rows_read(db)
    prefer = {e for e, m in mapper.entities.items() if m.prefer == "first"}
    _load_mapping(db, mapping, scratch)
    # The stored rows come while the files' rows are judged: one waits for the store, the other computes.
    with ThreadPoolExecutor(1, "stored-rows") as waiting:
        spooled = waiting.submit(compare.spool_stored, before.stored, scratch)
        _judge_by_themselves(db, prefer)
        compare.load_stored(db, spooled.result())
    keeping.create_keeping_tables(db, broken.words(), silent_entities(mapper, files, before.files), scratch)
    _judge_by_each_other(db, prefer)
    compare.compare(db)
    compare.compare_schools(db, before.schools, scratch)
    lost = broken.counts()
    return {e: compare.counts(db, e, read[e], lost.get(e, 0)) for e in ENTITIES}


def _judge_by_themselves(db: duckdb.DuckDBPyConnection, prefer: set[str]) -> None:
    """Schools, students and staff, each of which points at nobody."""
    rows.judge_schools(db)
    fold(db, "schools", prefer_first="schools" in prefer)
    for entity in ("students", "staff"):
        rows.judge_by_school(db, entity)
        fold(db, entity, prefer_first=entity in prefer)


def _judge_by_each_other(db: duckdb.DuckDBPyConnection, prefer: set[str]) -> None:
    """Who of the stored stays, then contacts by the state of their students, and relationships by both."""
    for entity in ("students", "staff"):
        keeping.keep_by_key(db, entity)
    keeping.student_states(db)
    rows.judge_contacts(db)
    fold(db, "contacts", prefer_first="contacts" in prefer)
    keeping.keep_contacts(db)
    rows.judge_relationships(db)
    rows.agree_on_first_slot(db)
    fold(db, "relationships", prefer_first="relationships" in prefer)
    keeping.keep_relationships(db)
    # They are judged, and counted before; of a large district they are half of what is held.
    for table in ("raw_contacts", "raw_relationships"):
        db.execute(f"DROP TABLE {table}")


def _load_mapping(db: duckdb.DuckDBPyConnection, mapping: Mapping[str, str] | None, scratch: Path) -> None:
    """mapping(sis_id, school): as given, or each school of the files to itself."""
    types = {"sis_id": "VARCHAR", "school": "VARCHAR"}
    load_rows(db, "mapping", types, (mapping or {}).items(), scratch)
    if mapping is None:
        db.execute(
            f"INSERT INTO mapping SELECT DISTINCT item, item FROM (SELECT "
            f"unnest(string_split(school, {LIST_SEPARATOR})) AS item FROM (SELECT school FROM raw_students "
            f"UNION SELECT school FROM raw_staff) WHERE school IS NOT NULL)"
        )


def silent_entities(mapper: Mapper, files: Sequence[LoadedFile], known: frozenset[str]) -> list[str]:
    """Entities with a file that was there before and is not there today."""
    gone = {f.spec.name for f in files if f.table.absent} & known
    silent = {e for e, m in mapper.entities.items() if any(s.file in gone for s in m.sources)}
    return sorted(silent | ({"relationships"} if "contacts" in silent else set()))
