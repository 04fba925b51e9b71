"""What a sync would do to contacts and their rights, counted: what contact safety is decided on.

Most of it is seen in what was compared. Stored rights are asked for only of the relationships that change or
go, and stored names and phones only of the few contacts that they are needed of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from reconciler.mapping.entities import RIGHTS
from reconciler.mapping.people import comparable
from reconciler.mapping.sql import literal, name
from reconciler.planning.contact_safety import ContactChanges
from reconciler.roster.database import load_rows, number, slices

StoredValues = Callable[[str, Sequence[str], Sequence[tuple[str, ...]] | None], Iterable[tuple[Any, ...]]]
"""Entity, columns and keys to those stored rows: the columns, then `active`. None: all rows."""

_MOST_KEYS = 50_000
"""Of more rows than this all are asked for, in one stream."""

_PUNCTUATION = " ()-.+/"
"""Of phones. It is taken away sign by sign, which costs a tenth of a pattern: every contact is looked at."""
_NO_PHONE = (
    "NOT regexp_full_match(phone, '[0-9]{7,}') OR regexp_full_match(phone, '0+|1+|2+|3+|4+|5+|6+|7+|8+|9+')"
)


def contact_changes(
    db: duckdb.DuckDBPyConnection, stored: StoredValues, max_students_per_phone: int, scratch: Path
) -> ContactChanges:
    """The changes that a resolved roster would make. Once only."""
    _load_rights(db, stored, scratch)
    _load_names(db, stored, scratch)
    shared, most = _shared_phones(db, stored, max_students_per_phone, scratch)
    without_contact, without_emergency = _without_contact(db)
    return ContactChanges(
        relationships=number(db, "SELECT count(*) FROM old_relationships WHERE active"),
        students=number(db, "SELECT count(*) FROM old_students WHERE active"),
        emptied=_emptied(db),
        alerts_lifted=_alerts_lifted(db),
        loosened=_loosened(db),
        moved=_moved(db),
        without_contact=without_contact,
        without_emergency=without_emergency,
        shared_phones=shared,
        most_students=most,
    )


def load_values(
    db: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], entity: str, keys: str,
    stored: StoredValues, scratch: Path,
) -> None:  # fmt: skip
    """A table of stored columns, at least of the rows whose keys are in the table `keys`."""
    wanted = number(db, f"SELECT count(*) FROM {keys}")
    some = db.execute(f"SELECT * FROM {keys}").fetchall() if wanted <= _MOST_KEYS else None
    rows = stored(entity, columns, some) if wanted else ()
    load_rows(db, table, dict.fromkeys(columns, "VARCHAR"), (row[:-1] for row in rows), scratch)


def _load_rights(db: duckdb.DuckDBPyConnection, stored: StoredValues, scratch: Path) -> None:
    """was_rights: the stored rights of relationships that change, or that go while their student stays."""
    db.execute(
        "CREATE TABLE touched AS SELECT student, contact FROM fresh_relationships WHERE fate = 'changed' "
        "UNION ALL SELECT r.student, r.contact FROM gone_relationships r "
        "ANTI JOIN gone_students s ON s.id = r.student"
    )
    load_values(
        db, "stored_rights", ("student", "contact", *RIGHTS), "relationships", "touched", stored, scratch
    )
    db.execute(
        "CREATE VIEW was_rights AS SELECT * FROM stored_rights SEMI JOIN touched USING (student, contact)"
    )
    db.execute(f"CREATE TABLE rights AS SELECT student, contact, {_before_and_now()} FROM was_rights w "
               f"JOIN new_relationships n USING (student, contact)")  # fmt: skip
    db.execute(
        "CREATE TABLE dropped AS SELECT w.* FROM was_rights w ANTI JOIN new_relationships n "
        "USING (student, contact)"
    )
    # What is gained matters beside what was dropped only, and on most days that is little or nothing.
    beside = "student IN (SELECT student FROM dropped) OR contact IN (SELECT contact FROM dropped)"
    if not number(db, "SELECT count(*) FROM dropped"):
        beside = "false"
    db.execute(
        f"CREATE TABLE gained AS SELECT n.* FROM new_relationships n JOIN fresh_relationships f "
        f"USING (student, contact) WHERE f.fate = 'added' AND ({beside})"
    )


def _before_and_now() -> str:
    return ", ".join(f"w.{name(r)} AS {name('w_' + r)}, n.{name(r)} AS {name('n_' + r)}" for r in RIGHTS)


def _emptied(db: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Rights that were said where relationships stay, and that no relationship says now."""
    found = []
    for right in RIGHTS:
        lost = f"SELECT count(*) FROM rights WHERE w_{right} <> 'unknown' AND n_{right} = 'unknown'"
        said = f"SELECT count(*) FROM new_relationships WHERE {right} <> 'unknown'"
        if number(db, lost) and not number(db, said):
            found.append(right)
    return tuple(found)


def _alerts_lifted(db: duckdb.DuckDBPyConnection) -> int:
    """Alerts that go; one that comes back for the student with another contact's id is not gone."""
    lifted = number(
        db, "SELECT count(*) FROM rights WHERE w_custody_alert = 'yes' AND n_custody_alert <> 'yes'"
    )
    per_student = "SELECT student, count(*) AS n FROM {0} WHERE custody_alert = 'yes' GROUP BY student"
    dropped, gained = per_student.format("dropped"), per_student.format("gained")
    return lifted + number(
        db,
        f"SELECT coalesce(sum(greatest(d.n - coalesce(g.n, 0), 0)), 0) "
        f"FROM ({dropped}) d LEFT JOIN ({gained}) g USING (student)",
    )


def _loosened(db: duckdb.DuckDBPyConnection) -> int:
    """Relationships that allow more; among them people who were barred and return under another id."""
    kept = number(
        db,
        "SELECT count(*) FROM rights WHERE n_may_pick_up = 'yes' AND w_may_pick_up <> 'yes' "
        "OR w_may_pick_up = 'no' AND n_may_pick_up = 'unknown' "
        "OR n_emergency = 'yes' AND w_emergency <> 'yes'",
    )
    if not number(db, "SELECT count(*) FROM barred"):
        return kept
    person = f"{comparable('first_name')} || chr(31) || {comparable('last_name')}"
    returned = number(
        db,
        f"SELECT count(*) FROM (SELECT d.student, {person} AS person FROM barred d JOIN was_names w "
        f"ON w.id = d.contact) SEMI JOIN (SELECT g.student, {person} AS person FROM gained g "
        f"JOIN new_contacts c ON c.id = g.contact WHERE g.may_pick_up = 'yes') USING (student, person)",
    )
    return kept + returned


def _load_names(db: duckdb.DuckDBPyConnection, stored: StoredValues, scratch: Path) -> None:
    """barred: dropped relationships that forbade, of students who gain one that allows; was_names of them."""
    db.execute(
        "CREATE VIEW barred AS SELECT * FROM dropped WHERE may_pick_up = 'no' "
        "AND student IN (SELECT student FROM gained WHERE may_pick_up = 'yes')"
    )
    db.execute("CREATE TABLE barred_contacts AS SELECT DISTINCT contact FROM barred")
    columns = ("id", "first_name", "last_name")
    load_values(db, "was_names", columns, "contacts", "barred_contacts", stored, scratch)


def _moved(db: duckdb.DuckDBPyConnection) -> int:
    """Contacts that were stored, lose a student who stays, and gain one with whom that one shares nobody."""
    shared = (
        "SELECT 1 FROM new_relationships x JOIN new_relationships y ON x.contact = y.contact "
        "WHERE x.student = d.student AND y.student = g.student AND x.contact <> d.contact"
    )
    return number(
        db,
        f"SELECT count(DISTINCT d.contact) FROM dropped d JOIN gained g ON g.contact = d.contact "
        f"JOIN fresh_contacts f ON f.id = d.contact AND f.fate <> 'added' WHERE NOT EXISTS ({shared})",
    )


def _without_contact(db: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Students who stay without any contact, and with contacts but none to call; both were there before."""
    nobody = number(
        db,
        "SELECT count(DISTINCT student) FROM dropped ANTI JOIN kept_relationships USING (student) "
        "ANTI JOIN new_relationships USING (student)",
    )
    called = "SELECT student FROM new_relationships WHERE emergency = 'yes'"
    were_called = (
        "SELECT student FROM was_rights WHERE emergency = 'yes' UNION ALL "
        "SELECT student FROM was_rights ANTI JOIN new_relationships USING (student)"
    )
    not_called = number(
        db,
        f"SELECT count(DISTINCT student) FROM ({were_called}) ANTI JOIN kept_relationships USING (student) "
        f"ANTI JOIN ({called}) called USING (student)",
    )
    return nobody, not_called - nobody


def _shared_phones(
    db: duckdb.DuckDBPyConnection, stored: StoredValues, limit: int, scratch: Path
) -> tuple[int, int]:
    """How many phones come to be on more than `limit` students, and the most students of one."""
    db.execute(f"CREATE VIEW phones AS {_phones_of('new_contacts')}")
    touched = "true"
    if number(db, "SELECT count(*) FROM old_relationships WHERE active"):
        touched = (
            "phone IN (SELECT phone FROM phones WHERE id IN ("
            "SELECT id FROM fresh_contacts WHERE fate <> 'unchanged' "
            "UNION ALL SELECT contact FROM fresh_relationships WHERE fate = 'added'))"
        )
    _note_busy_phones(db, limit, touched)
    db.execute(
        f"CREATE TABLE crowded AS SELECT p.phone, count(DISTINCT r.student) AS students FROM phones p "
        f"SEMI JOIN busy USING (phone) JOIN new_relationships r ON r.contact = p.id "
        f"GROUP BY p.phone HAVING students > {int(limit)}"
    )
    db.execute(f"DELETE FROM crowded WHERE {_NO_PHONE}")
    if not number(db, "SELECT count(*) FROM crowded"):
        return 0, 0
    before = _crowded_before(db, stored, limit, scratch)
    row = db.execute(
        f"SELECT count(*), coalesce(max(students), 0) FROM crowded WHERE phone NOT IN ({before})"
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _note_busy_phones(db: duckdb.DuckDBPyConnection, limit: int, touched: str) -> None:
    """busy(phone): the phones of contacts who have more than `limit` relationships between them.

    Nearly no phone is; that is found in parts, for the phones of all contacts beside all relationships do not
    fit into memory.
    """
    db.execute("CREATE TABLE students_of (contact VARCHAR, n BIGINT)")
    for part in slices(db, "new_relationships", "contact"):
        db.execute(
            f"INSERT INTO students_of SELECT contact, count(*) FROM new_relationships WHERE {part} "
            f"GROUP BY contact"
        )
    db.execute("CREATE TABLE busy (phone VARCHAR)")
    for part in slices(db, "new_contacts", "phone"):
        db.execute(
            f"INSERT INTO busy SELECT phone FROM (SELECT id, phone FROM phones WHERE {part} AND {touched}) p "
            f"JOIN students_of s ON s.contact = p.id GROUP BY phone HAVING sum(s.n) > {int(limit)}"
        )
    db.execute("DROP TABLE students_of")


def _crowded_before(db: duckdb.DuckDBPyConnection, stored: StoredValues, limit: int, scratch: Path) -> str:
    """The query for the phones that were on too many students before: that was seen, and let through."""
    db.execute(
        "CREATE TABLE crowded_contacts AS SELECT DISTINCT p.id FROM phones p JOIN crowded USING (phone) "
        "JOIN fresh_contacts f ON f.id = p.id WHERE f.fate = 'changed'"
    )
    columns = ("id", "phone", "phone_2")
    load_values(db, "was_phones", columns, "contacts", "crowded_contacts", stored, scratch)
    return (
        f"SELECT phone FROM (SELECT p.* FROM phones p JOIN fresh_contacts f ON f.id = p.id "
        f"WHERE f.fate = 'unchanged' UNION ALL {_phones_of('was_phones')}) p "
        f"JOIN fresh_relationships r ON r.contact = p.id WHERE r.fate <> 'added' "
        f"GROUP BY phone HAVING count(DISTINCT r.student) > {int(limit)}"
    )


def _bare(phone: str) -> str:
    """A phone without punctuation and country code."""
    for sign in _PUNCTUATION:
        phone = f"replace({phone}, {literal(sign)}, '')"
    return f"right({phone}, 10)"


def _phones_of(contacts: str) -> str:
    both = (
        f"SELECT id, {_bare(c)} AS phone FROM {contacts} WHERE {c} IS NOT NULL" for c in ("phone", "phone_2")
    )
    return " UNION ALL ".join(both)
