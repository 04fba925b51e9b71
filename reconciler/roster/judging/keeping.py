"""Which stored rows stay although the files do not show them: invalid is not missing.

A row that was rejected, or a line that could not be read, may be any stored row that it names. Those are
kept. Where nothing says whose row it was, nobody of that entity is removed in this sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from reconciler.mapping.entities import STORED
from reconciler.mapping.sql import literal_list
from reconciler.roster.database import load_rows, number
from reconciler.roster.judging.broken import BrokenWord


def create_keeping_tables(
    db: duckdb.DuckDBPyConnection, broken: Iterable[BrokenWord], silent: Sequence[str], scratch: Path
) -> None:
    """`words` from the lines that could not be read, and `blocked(entity, reason)`.

    `silent` names the entities of which a file says nothing today.
    """
    types = {
        "entity": "VARCHAR", "row": "BIGINT", "word": "VARCHAR", "at_key": "BOOLEAN", "readable": "BOOLEAN",
    }  # fmt: skip
    load_rows(db, "words", types, ((b.entity, b.row, b.word, b.at_key, b.readable) for b in broken), scratch)
    db.execute("CREATE TABLE blocked (entity VARCHAR, reason VARCHAR)")
    for entity in silent:
        _block(db, entity, "a file that it is read from is not there")


def keep_by_key(db: duckdb.DuckDBPyConnection, entity: str) -> None:
    """kept_<entity>(id): stored active students (or staff) whose row was rejected or could not be read."""
    if not _in_doubt(db, entity):
        db.execute(f"CREATE TABLE kept_{entity} (id VARCHAR)")
        return
    db.execute(
        f"CREATE TABLE kept_{entity} AS SELECT o.id FROM old_{entity} o WHERE o.active "
        f"AND o.id NOT IN (SELECT id FROM new_{entity}) AND ("
        f"o.id IN (SELECT id FROM judged_{entity} WHERE verdict = 'rejected' AND id IS NOT NULL) "
        f"OR o.id IN (SELECT word FROM words WHERE entity = '{entity}'))"
    )
    _block_where_unreadable(db, entity, "id IS NULL", f"SELECT id FROM old_{entity}")
    _keep_all_if_blocked(db, entity, (entity,))
    _let_go(db, entity)


def student_states(db: duckdb.DuckDBPyConnection) -> None:
    """student_state(id, state): `ok` (here, or kept), `skipped`, or `left`; without one: never heard of.

    Who was stored and is not taken now has left, and so has whoever the mapper's `where` leaves out.
    """
    db.execute(
        "CREATE TABLE student_state AS "
        "SELECT id, 'ok' AS state FROM new_students UNION ALL SELECT id, 'ok' FROM kept_students"
    )
    for state, source in (
        ("skipped", "SELECT DISTINCT id FROM judged_students WHERE verdict = 'skipped' AND id IS NOT NULL"),
        ("left", "SELECT id FROM old_students UNION SELECT id FROM seen_students"),
    ):
        db.execute(
            f"INSERT INTO student_state SELECT id, '{state}' FROM ({source}) "
            f"ANTI JOIN student_state USING (id)"
        )


def keep_contacts(db: duckdb.DuckDBPyConnection) -> None:
    """kept_contacts(id), and contact_state(id, state) for what relationships point at."""
    if _in_doubt(db, "students", "contacts"):
        _keep_contacts_in_doubt(db)
    else:
        db.execute("CREATE TABLE kept_students_of_contacts (id VARCHAR)")
        db.execute("CREATE TABLE kept_contacts (id VARCHAR)")
    db.execute(
        "CREATE TABLE contact_state AS SELECT id, 'ok' AS state FROM new_contacts "
        "UNION ALL SELECT id, 'ok' FROM kept_contacts"
    )
    db.execute(
        "INSERT INTO contact_state SELECT id, 'skipped' FROM (SELECT id FROM judged_contacts "
        "WHERE verdict = 'skipped' AND id IS NOT NULL UNION "
        "SELECT id FROM seen_contacts ANTI JOIN judged_contacts USING (id)) "
        "ANTI JOIN contact_state USING (id)"
    )


def _keep_contacts_in_doubt(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        "CREATE TABLE kept_students_of_contacts AS "
        "SELECT DISTINCT id FROM old_students WHERE active AND (id IN "
        "(SELECT word FROM words WHERE entity IN ('students', 'contacts', 'relationships')) OR id IN "
        "(SELECT id FROM judged_students WHERE verdict = 'rejected') OR id IN "
        "(SELECT student FROM judged_contacts WHERE verdict = 'rejected'))"
    )
    db.execute(
        "CREATE TABLE kept_contacts AS SELECT o.id FROM old_contacts o WHERE o.active "
        "AND o.id NOT IN (SELECT id FROM new_contacts) AND ("
        "o.id IN (SELECT id FROM judged_contacts WHERE verdict = 'rejected' AND id IS NOT NULL) "
        "OR o.id IN (SELECT word FROM words WHERE entity IN ('contacts', 'relationships')) "
        "OR o.id IN (SELECT contact FROM old_relationships WHERE active "
        "AND student IN (SELECT id FROM kept_students_of_contacts)))"
    )
    _block_where_unreadable(
        db,
        "contacts",
        "student IS NULL AND NOT _own_id AND id NOT IN (SELECT id FROM old_contacts)",
        "SELECT id FROM old_contacts UNION ALL SELECT id FROM old_students",
    )
    _keep_all_if_blocked(db, "contacts", ("contacts", "relationships"))
    _let_go(db, "contacts")


def keep_relationships(db: duckdb.DuckDBPyConnection) -> None:
    """kept_relationships(student, contact); contacts that they need are kept with them."""
    if not _in_doubt(db, "students", "contacts", "relationships"):
        db.execute("CREATE TABLE kept_relationships (student VARCHAR, contact VARCHAR)")
        return
    db.execute(
        "CREATE TABLE kept_relationships AS SELECT o.student, o.contact FROM old_relationships o "
        "WHERE o.active AND o.student IN (SELECT id FROM student_state WHERE state = 'ok') "
        "AND (o.student, o.contact) NOT IN (SELECT (student, contact) FROM new_relationships) AND ("
        "o.student IN (SELECT id FROM kept_students_of_contacts) "
        "OR o.contact IN (SELECT word FROM words WHERE entity IN ('contacts', 'relationships')) "
        "OR o.contact IN (SELECT id FROM judged_contacts WHERE verdict = 'rejected' AND id IS NOT NULL) "
        "OR (o.student, o.contact) IN (SELECT (student, contact) FROM judged_relationships "
        "WHERE verdict = 'rejected' AND student IS NOT NULL AND contact IS NOT NULL) "
        "OR o.student IN (SELECT student FROM judged_relationships "
        "WHERE verdict = 'rejected' AND contact IS NULL))"
    )
    _block_where_unreadable(db, "relationships", "student IS NULL", "SELECT id FROM old_students")
    db.execute(
        "INSERT INTO kept_relationships SELECT o.student, o.contact FROM old_relationships o WHERE o.active "
        "AND o.student IN (SELECT id FROM student_state WHERE state = 'ok') "
        "AND (o.student, o.contact) NOT IN (SELECT (student, contact) FROM new_relationships) "
        "AND (o.student, o.contact) NOT IN (SELECT (student, contact) FROM kept_relationships) "
        "AND EXISTS (SELECT 1 FROM blocked WHERE entity IN ('contacts', 'relationships'))"
    )
    db.execute(
        "INSERT INTO kept_contacts SELECT DISTINCT contact FROM kept_relationships "
        "WHERE contact NOT IN (SELECT id FROM new_contacts) AND contact NOT IN (SELECT id FROM kept_contacts)"
    )
    db.execute("DELETE FROM kept_contacts WHERE id NOT IN (SELECT id FROM old_contacts WHERE active)")
    _let_go(db, "contacts")


def blocked(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The entities of which nobody is removed in this sync, and why."""
    rows = db.execute("SELECT entity, min(reason) FROM blocked GROUP BY entity ORDER BY entity").fetchall()
    return {entity: reason for entity, reason in rows if entity in STORED and _has_active(db, entity)}


def _in_doubt(db: duckdb.DuckDBPyConnection, *entities: str) -> bool:
    """Whether any row was rejected or could not be read, or a file is silent: else nobody is to be kept."""
    doubts = ["words", "blocked", *(f"judged_{e} WHERE verdict = 'rejected'" for e in entities)]
    query = " UNION ALL ".join(f"SELECT 1 FROM {doubt}" for doubt in doubts)
    return db.execute(f"SELECT 1 FROM ({query}) LIMIT 1").fetchone() is not None


def _has_active(db: duckdb.DuckDBPyConnection, entity: str) -> bool:
    return db.execute(f"SELECT 1 FROM old_{entity} WHERE active LIMIT 1").fetchone() is not None


def _keep_all_if_blocked(db: duckdb.DuckDBPyConnection, entity: str, by: tuple[str, ...]) -> None:
    db.execute(
        f"INSERT INTO kept_{entity} SELECT o.id FROM old_{entity} o WHERE o.active "
        f"AND o.id NOT IN (SELECT id FROM new_{entity}) AND o.id NOT IN (SELECT id FROM kept_{entity}) "
        f"AND EXISTS (SELECT 1 FROM blocked WHERE entity IN {literal_list(by)})"
    )


def _let_go(db: duckdb.DuckDBPyConnection, entity: str) -> None:
    """Whom a delta deleted by name, nobody keeps: it says so, where a missing row only does not say."""
    db.execute(f"DELETE FROM kept_{entity} WHERE id IN (SELECT id FROM deleted_{entity})")


def _block_where_unreadable(db: duckdb.DuckDBPyConnection, entity: str, nobody: str, known_keys: str) -> None:
    """Block removals where a rejected row (`nobody` holds) or a broken line does not say whose it is."""
    nameless = number(db, f"SELECT count(*) FROM judged_{entity} WHERE verdict = 'rejected' AND ({nobody})")
    lost = number(
        db,
        f"SELECT count(*) FROM (SELECT row, bool_or(readable OR at_key AND word IN ({known_keys})) AS named "
        f"FROM words WHERE entity = '{entity}' GROUP BY row) WHERE NOT named",
    )
    if nameless:
        _block(db, entity, f"{nameless} rejected rows do not say whose they are")
    if lost:
        _block(db, entity, f"{lost} rows that could not be read do not say whose they are")


def _block(db: duckdb.DuckDBPyConnection, entity: str, reason: str) -> None:
    db.execute("INSERT INTO blocked VALUES (?, ?)", [entity, reason])
