"""SQL that judges the rows of one entity: taken, skipped, rejected or duplicate, and why.

A judged row has the entity's fields, where it came from (`_part`, `_file`, `_src`, `_line`), `verdict`
(`ok`, `skipped`, `rejected`, `duplicate`), and for a rejected one `code` and `col`.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from reconciler.mapping.entities import ENTITIES, RIGHTS, Entity
from reconciler.mapping.people import first_and_last, made_contact_id
from reconciler.mapping.sql import literal, name

_REQUIRED = "list_filter(_problems, lambda p: suffix(p, ':required'))"


def judge_by_school(db: duckdb.DuckDBPyConnection, entity: str) -> None:
    """Students and staff: a row at an unmapped or ignored school is skipped, whatever else ails it."""
    fields = ", ".join(f"r.{name(f)}" for f in ENTITIES[entity].fields if f != "school")
    db.execute(
        f"CREATE TABLE judged_{entity} AS SELECT _part, _file, _src, _line, _problems, {fields}, "
        f"r.school AS sis_school, m.school AS school, "
        f"CASE WHEN r.school IS NOT NULL AND m.sis_id IS NULL THEN 'skipped' "
        f"WHEN len({_REQUIRED}) > 0 THEN 'rejected' ELSE 'ok' END AS verdict, "
        f"'row.required' AS code, split_part({_REQUIRED}[1], ':', 1) AS col "
        f"FROM raw_{entity} r LEFT JOIN mapping m ON m.sis_id = r.school"
    )


def judge_schools(db: duckdb.DuckDBPyConnection) -> None:
    """Schools are learned whether mapped or not."""
    db.execute(
        f"CREATE TABLE judged_schools AS SELECT *, "
        f"CASE WHEN len({_REQUIRED}) > 0 THEN 'rejected' ELSE 'ok' END AS verdict, "
        f"'row.required' AS code, split_part({_REQUIRED}[1], ':', 1) AS col FROM raw_schools"
    )


def judge_contacts(db: duckdb.DuckDBPyConnection) -> None:
    """Contacts: names split, ids made, and each row held against the state of its student."""
    db.execute(f"CREATE TABLE named_contacts AS {_named_contacts()}")
    others = ", ".join(
        f"c.{name(f)}" for f in ENTITIES["contacts"].fields if f not in ("id", "first_name", "last_name")
    )
    db.execute(
        f"CREATE TABLE judged_contacts AS SELECT _part, _file, _src, _line, _problems, "
        f"coalesce(c.id, {made_contact_id('c')}) AS id, first_name, last_name, {others}, "
        f"CASE WHEN c.student IS NOT NULL AND s.state IN ('skipped', 'left') THEN 'skipped' "
        f"WHEN c.student IS NULL AND l.all_skipped THEN 'skipped' "
        f"WHEN len({_REQUIRED}) > 0 OR first_name IS NULL AND last_name IS NULL THEN 'rejected' "
        f"WHEN c.id IS NULL AND c.student IS NULL THEN 'rejected' "
        f"WHEN c.student IS NOT NULL AND s.state IS NULL THEN 'rejected' ELSE 'ok' END AS verdict, "
        f"CASE WHEN len({_REQUIRED}) > 0 OR first_name IS NULL AND last_name IS NULL "
        f"OR c.student IS NULL THEN 'row.required' ELSE 'row.reference' END AS code, "
        f"CASE WHEN len({_REQUIRED}) > 0 THEN split_part({_REQUIRED}[1], ':', 1) "
        f"WHEN first_name IS NULL AND last_name IS NULL THEN 'name' ELSE 'student' END AS col "
        f"FROM named_contacts c LEFT JOIN student_state s ON s.id = c.student "
        f"LEFT JOIN ({_links()}) l ON c.student IS NULL AND l.contact = c.id"
    )


def judge_relationships(db: duckdb.DuckDBPyConnection) -> None:
    """Relationships, those that contacts bring with them included, held against both of their ends."""
    fields = ENTITIES["relationships"].fields
    own = ", ".join(name(f) for f in fields if f != "contact")
    db.execute(
        f"CREATE TABLE all_relationships AS "
        f"SELECT _part, _file, _src, _line, []::VARCHAR[] AS _problems, {own}, id AS contact, "
        f"verdict AS given, col AS given_col FROM judged_contacts WHERE student IS NOT NULL "
        f"UNION ALL BY NAME SELECT * EXCLUDE (_part), 1000 + _part AS _part FROM raw_relationships"
    )
    db.execute(
        f"CREATE TABLE judged_relationships AS SELECT r.* EXCLUDE (given, given_col), "
        f"CASE WHEN given IN ('skipped', 'rejected') THEN given "
        f"WHEN s.state IN ('skipped', 'left') OR c.state = 'skipped' THEN 'skipped' "
        f"WHEN len({_REQUIRED}) > 0 OR s.state IS NULL OR c.state IS NULL THEN 'rejected' "
        f"ELSE 'ok' END AS verdict, "
        f"CASE WHEN len({_REQUIRED}) > 0 THEN 'row.required' ELSE 'row.reference' END AS code, "
        f"CASE WHEN given = 'rejected' THEN given_col "
        f"WHEN len({_REQUIRED}) > 0 THEN split_part({_REQUIRED}[1], ':', 1) "
        f"WHEN s.state IS NULL THEN 'student' ELSE 'contact' END AS col "
        f"FROM all_relationships r LEFT JOIN student_state s ON s.id = r.student "
        f"LEFT JOIN contact_state c ON c.id = r.contact"
    )


def fold(db: duckdb.DuckDBPyConnection, entity: str, *, prefer_first: bool) -> None:
    """Rows with one key become one row of new_<entity> where they agree; where not, all are rejected.

    An empty cell agrees with everything, and so does a right that is `unknown`.
    """
    spec = ENTITIES[entity]
    key = ", ".join(name(k) for k in spec.key)
    if prefer_first:
        db.execute(
            f"UPDATE judged_{entity} j SET verdict = 'duplicate' FROM "
            f"(SELECT {key}, min(_part) AS first FROM judged_{entity} WHERE verdict = 'ok' GROUP BY {key}) f "
            f"WHERE j.verdict = 'ok' AND j._part > f.first AND {_equal_keys(spec, 'j', 'f')}"
        )
    values = [c for c in spec.columns if c not in spec.key]
    folded = ", ".join(f"{_known(f'max({_said(c)})', c)} AS {name(c)}" for c in values)
    differs = " ".join(f"WHEN max({_said(c)}) <> min({_said(c)}) THEN {literal(c)}" for c in values)
    db.execute(
        f"CREATE TABLE folded_{entity} AS SELECT {key}, {folded}, count(*) AS _rows, "
        f"CASE {differs} END AS _differs FROM judged_{entity} WHERE verdict = 'ok' GROUP BY {key}"
    )
    db.execute(
        f"UPDATE judged_{entity} j SET verdict = 'rejected', code = 'row.conflict', col = f._differs "
        f"FROM folded_{entity} f WHERE f._differs IS NOT NULL AND j.verdict = 'ok' "
        f"AND {_equal_keys(spec, 'j', 'f')}"
    )
    columns = ", ".join(name(c) for c in spec.columns)
    db.execute(
        f"CREATE TABLE new_{entity} AS SELECT {columns}, {_row_hash(spec.columns)} AS row_hash, _rows "
        f"FROM folded_{entity} WHERE _differs IS NULL"
    )
    db.execute(f"DROP TABLE folded_{entity}")


def _equal_keys(spec: Entity, left: str, right: str) -> str:
    return " AND ".join(f"{left}.{name(k)} = {right}.{name(k)}" for k in spec.key)


def _said(column: str) -> str:
    return f"nullif({name(column)}, 'unknown')" if column in RIGHTS else name(column)


def _known(value: str, column: str) -> str:
    return f"coalesce({value}, 'unknown')" if column in RIGHTS else value


def _row_hash(columns: Sequence[str]) -> str:
    """An md5 over every column, the same for the same values in every version of every engine."""
    cells = ", ".join(f"coalesce({name(c)}, chr(30))" for c in columns)
    return f"md5(concat_ws(chr(31), {cells}))"


def _named_contacts() -> str:
    """Contact rows with first and last name filled from `name` where a file gives one column."""
    others = ", ".join(name(f) for f in ENTITIES["contacts"].fields if f not in ("first_name", "last_name"))
    given = "first_name IS NULL AND last_name IS NULL AND name IS NOT NULL"
    first, last = first_and_last("name")
    return (
        f"SELECT _part, _file, _src, _line, _problems, {others}, "
        f"nullif(CASE WHEN {given} THEN {first} ELSE first_name END, '') AS first_name, "
        f"nullif(CASE WHEN {given} THEN {last} ELSE last_name END, '') AS last_name FROM raw_contacts"
    )


def _links() -> str:
    """For each contact that relationships name: whether all of its students are skipped."""
    return (
        "SELECT r.contact, bool_and(coalesce(s.state IN ('skipped', 'left'), false)) AS all_skipped "
        "FROM raw_relationships r LEFT JOIN student_state s ON s.id = r.student GROUP BY r.contact"
    )
