"""SQL that judges the rows of one entity: taken, skipped, rejected or duplicate, and why.

A judged row has the entity's fields, where it came from (`_part`, `_file`, `_src`, `_line`), `verdict`
(`ok`, `skipped`, `rejected`, `duplicate`), and for a rejected one `code` and `col`.
"""

from __future__ import annotations

import duckdb

from reconciler.mapping.compile import LIST_SEPARATOR
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.ids import SCIENTIFIC, UNREADABLE
from reconciler.mapping.people import first_and_last, made_contact_id, single_spaced
from reconciler.mapping.sql import literal, name
from reconciler.roster.database import number, slices

_FAULTY = "list_filter(_problems, lambda p: NOT suffix(p, ':type') AND NOT suffix(p, ':day'))"
"""The problems of a row, each `field:kind`, for which it is rejected; for the others a value is left out."""
_FAULTS = f"(_problems IS NOT NULL AND len({_FAULTY}) > 0)"
_FAULT_CODES = {
    SCIENTIFIC: "row.scientific",
    UNREADABLE: "row.id",
    "unreadable": "row.joined",
    "required": "row.required",
}
_FAULT_CODE = (
    f"CASE string_split({_FAULTY}[1], ':')[-1] "
    f"{' '.join(f'WHEN {literal(kind)} THEN {literal(code)}' for kind, code in _FAULT_CODES.items())} END"
)
_FAULT_COLUMN = f"split_part({_FAULTY}[1], ':', 1)"


def judge_by_school(db: duckdb.DuckDBPyConnection, entity: str) -> None:
    """Students and staff: a row at an unmapped or ignored school is skipped, whatever else ails it."""
    fields = ", ".join(f"r.{name(f)}" for f in ENTITIES[entity].fields if f != "school")
    db.execute(
        f"CREATE TABLE judged_{entity} AS SELECT _part, _file, _src, _line, _problems, {fields}, "
        f"r.school AS sis_school, m.school AS school, "
        f"CASE WHEN r.school IS NOT NULL AND m.sis_id IS NULL THEN 'skipped' "
        f"WHEN {_FAULTS} THEN 'rejected' ELSE 'ok' END AS verdict, "
        f"{_FAULT_CODE} AS code, {_FAULT_COLUMN} AS col "
        f"FROM ({_with_one_school(db, entity)}) r LEFT JOIN mapping m ON m.sis_id = r.school"
    )


def _with_one_school(db: duckdb.DuckDBPyConnection, entity: str) -> str:
    """The entity's rows; where a row lists several schools, with the first mapped one, else the first."""
    several = f"contains(school, {LIST_SEPARATOR})"
    if not number(db, f"SELECT count(*) FROM raw_{entity} WHERE {several}"):
        return f"SELECT * FROM raw_{entity}"
    items = f"string_split(school, {LIST_SEPARATOR})"
    db.execute(
        f"CREATE TABLE chosen_{entity} AS SELECT k.row, coalesce("
        f"arg_min(k.item, k.pos) FILTER (m.sis_id IS NOT NULL), arg_min(k.item, k.pos)) AS item "
        f"FROM (SELECT rowid AS row, unnest({items}) AS item, generate_subscripts({items}, 1) AS pos "
        f"FROM raw_{entity} WHERE {several}) k LEFT JOIN mapping m ON m.sis_id = k.item GROUP BY k.row"
    )
    return (
        f"SELECT r.* REPLACE (coalesce(c.item, r.school) AS school) FROM raw_{entity} r "
        f"LEFT JOIN chosen_{entity} c ON c.row = r.rowid"
    )


def judge_schools(db: duckdb.DuckDBPyConnection) -> None:
    """Schools are learned whether mapped or not."""
    db.execute(
        f"CREATE TABLE judged_schools AS SELECT *, "
        f"CASE WHEN {_FAULTS} THEN 'rejected' ELSE 'ok' END AS verdict, "
        f"{_FAULT_CODE} AS code, {_FAULT_COLUMN} AS col FROM raw_schools"
    )


def judge_contacts(db: duckdb.DuckDBPyConnection) -> None:
    """Contacts: names split, ids made, and each row held against the state of its student."""
    others = ", ".join(
        f"c.{name(f)}" for f in ENTITIES["contacts"].fields if f not in ("id", "first_name", "last_name")
    )
    nameless = "first_name IS NULL AND last_name IS NULL"
    db.execute(
        f"CREATE TABLE judged_contacts AS SELECT _part, _file, _src, _line, _problems, "
        f"c.id IS NOT NULL AS _own_id, "
        f"coalesce(c.id, {made_contact_id('c')}) AS id, first_name, last_name, {others}, "
        f"CASE WHEN c.student IS NOT NULL AND s.state IN ('skipped', 'left') THEN 'skipped' "
        f"WHEN c.student IS NULL AND l.all_skipped THEN 'skipped' "
        f"WHEN {_FAULTS} OR {nameless} OR c.id IS NULL AND c.student IS NULL THEN 'rejected' "
        f"WHEN c.student IS NOT NULL AND s.state IS NULL THEN 'rejected' ELSE 'ok' END AS verdict, "
        f"CASE WHEN {_FAULTS} THEN {_FAULT_CODE} "
        f"WHEN {nameless} OR c.student IS NULL THEN 'row.required' ELSE 'row.reference' END AS code, "
        f"CASE WHEN {_FAULTS} THEN {_FAULT_COLUMN} WHEN {nameless} THEN 'name' ELSE 'student' END AS col "
        f"FROM ({_named_contacts()}) c LEFT JOIN student_state s ON s.id = c.student "
        f"LEFT JOIN ({_links()}) l ON c.student IS NULL AND l.contact = c.id"
    )


def judge_relationships(db: duckdb.DuckDBPyConnection) -> None:
    """Relationships, those that contacts bring with them included, held against both of their ends."""
    fields = ENTITIES["relationships"].fields
    own = ", ".join(name(f) for f in fields if f != "contact")
    db.execute(
        f"CREATE VIEW all_relationships AS "
        f"SELECT _part, _file, _src, _line, NULL::VARCHAR[] AS _problems, {own}, id AS contact, "
        f"verdict AS given, col AS given_col, NOT _own_id AS _made FROM judged_contacts "
        f"WHERE student IS NOT NULL "
        f"UNION ALL BY NAME SELECT * EXCLUDE (_part), 1000 + _part AS _part FROM raw_relationships"
    )
    for end in ("student", "contact"):
        _note_odd(db, end)
    db.execute(
        f"CREATE TABLE judged_relationships AS SELECT * EXCLUDE (given_col, of_student, of_contact), "
        f"CASE WHEN given IN ('skipped', 'rejected') THEN given "
        f"WHEN of_student IN ('skipped', 'left') OR of_contact = 'skipped' THEN 'skipped' "
        f"WHEN {_FAULTS} OR of_student IS NULL OR of_contact IS NULL THEN 'rejected' "
        f"ELSE 'ok' END AS verdict, "
        f"CASE WHEN {_FAULTS} THEN {_FAULT_CODE} ELSE 'row.reference' END AS code, "
        f"CASE WHEN given = 'rejected' THEN given_col WHEN {_FAULTS} THEN {_FAULT_COLUMN} "
        f"WHEN of_student IS NULL THEN 'student' ELSE 'contact' END AS col "
        f"FROM (SELECT r.*, {_state_of('student')}, {_state_of('contact')} FROM all_relationships r "
        f"LEFT JOIN odd_student ON odd_student.id = r.student "
        f"LEFT JOIN odd_contact ON odd_contact.id = r.contact)"
    )


def _note_odd(db: duckdb.DuckDBPyConnection, end: str) -> None:
    """odd_<end>(id, state): those few of a relationship's ends that are not simply there.

    One at a time, for the states of all students and those of all contacts do not fit into memory together.
    """
    db.execute(
        f"CREATE TABLE odd_{end} AS SELECT DISTINCT r.{end} AS id, s.state FROM all_relationships r "
        f"LEFT JOIN {end}_state s ON s.id = r.{end} WHERE s.state IS DISTINCT FROM 'ok'"
    )


def _state_of(end: str) -> str:
    """`of_<end>`: the state of one end of a relationship; NULL where nobody is known by that id."""
    odd = f"odd_{end}"
    return f"CASE WHEN r.{end} IS NOT NULL AND {odd}.id IS NULL THEN 'ok' ELSE {odd}.state END AS of_{end}"


def agree_on_first_slot(db: duckdb.DuckDBPyConnection) -> None:
    """A person without an id who is named twice for one child (mother, and first to call) is one contact.

    The relationship and the priority are those of the first slot; rights that contradict each other still do.
    """
    order = (
        "coalesce(try_cast(priority AS INTEGER), 1000000), _part, coalesce(relationship, ''), "
        "coalesce(priority, '')"
    )
    db.execute("CREATE TABLE named_twice (student VARCHAR, contact VARCHAR)")
    made = "verdict = 'ok' AND _made"
    for part in slices(db, "judged_relationships", "student"):
        db.execute(
            f"INSERT INTO named_twice SELECT student, contact FROM judged_relationships "
            f"WHERE {made} AND {part} GROUP BY student, contact HAVING count(*) > 1"
        )
    if not number(db, "SELECT count(*) FROM named_twice"):
        return
    db.execute(
        f"UPDATE judged_relationships j SET relationship = f.relationship, priority = f.priority FROM ("
        f"SELECT student, contact, arg_min(relationship, n) AS relationship, "
        f"arg_min(priority, n) AS priority "
        f"FROM (SELECT *, row_number() OVER (PARTITION BY student, contact ORDER BY {order}) AS n "
        f"FROM judged_relationships SEMI JOIN named_twice USING (student, contact) "
        f"WHERE verdict = 'ok' AND _made) GROUP BY student, contact) f "
        f"WHERE j.verdict = 'ok' AND j._made AND j.student = f.student AND j.contact = f.contact"
    )


def _named_contacts() -> str:
    """Contact rows with first and last name filled from `name` where a file gives one column.

    A second phone that is the first one again says nothing: which numbers a file has differs row by row.
    """
    others = ", ".join(
        "nullif(phone_2, phone) AS phone_2" if f == "phone_2" else name(f)
        for f in ENTITIES["contacts"].fields
        if f not in ("first_name", "last_name")
    )
    given = "first_name IS NULL AND last_name IS NULL AND name IS NOT NULL"
    first, last = first_and_last("_whole")
    return (
        f"SELECT _part, _file, _src, _line, _problems, {others}, "
        f"nullif(CASE WHEN {given} THEN {first} ELSE first_name END, '') AS first_name, "
        f"nullif(CASE WHEN {given} THEN {last} ELSE last_name END, '') AS last_name "
        f"FROM (SELECT *, {single_spaced('name')} AS _whole FROM raw_contacts)"
    )


def _links() -> str:
    """For each contact that relationships name: whether all of its students are skipped."""
    return (
        "SELECT r.contact, bool_and(coalesce(s.state IN ('skipped', 'left'), false)) AS all_skipped "
        "FROM raw_relationships r LEFT JOIN student_state s ON s.id = r.student GROUP BY r.contact"
    )
