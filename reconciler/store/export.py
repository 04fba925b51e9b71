"""The active rows, as `export` prints them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, exists, select
from sqlalchemy import Connection as Transaction

from reconciler.errors import UsageError
from reconciler.store import connections
from reconciler.store.database import Database
from reconciler.store.scope import scope_of
from reconciler.store.tables import (
    CONTACT,
    RELATIONSHIP,
    ROSTER,
    SIS_SCHOOL,
    STUDENT,
    key_columns,
)

COLUMNS: dict[str, tuple[str, ...]] = {
    "schools": ("district", "id", "name", "type", "nces_id", "students", "school"),
    "students": (
        "district", "id", "school", "sis_school", "first_name", "middle_name", "last_name", "preferred_name",
        "grade", "birth_date", "gender", "email", "homeroom", "student_number", "status",
    ),
    "contacts": (
        "district", "id", "first_name", "last_name", "phone", "phone_2", "email", "address", "notes",
    ),
    "relationships": (
        "district", "student", "contact", "relationship", "priority", "may_pick_up", "emergency",
        "custody_alert",
    ),
    "staff": ("district", "id", "school", "sis_school", "first_name", "last_name", "email", "phone", "role"),
}  # fmt: skip
"""What is exported of an entity, in this order."""


def export(
    database: Database, entity: str, district: str | None, school: str | None
) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries of `COLUMNS[entity]`, ordered by district and key; None where a cell is empty.

    `school` is the platform's id; a contact or relationship is at the schools of its students. The rows
    are one state of the database. Raises UsageError for an unknown entity.
    """
    export_columns(entity)
    return (
        _schools(database, district, school)
        if entity == "schools"
        else _rows(database, entity, district, school)
    )


def export_columns(entity: str) -> tuple[str, ...]:
    """The columns of an exported row. Raises UsageError for an unknown entity."""
    if entity not in COLUMNS:
        raise UsageError(f"there is no entity '{entity}'", hint=f"one of: {', '.join(COLUMNS)}")
    return COLUMNS[entity]


def _rows(
    database: Database, entity: str, district: str | None, school: str | None
) -> Iterator[dict[str, Any]]:
    names = COLUMNS[entity]
    with database.read(scope_of(district)) as transaction:
        result = transaction.execution_options(yield_per=5000).execute(_query(entity, district, school))
        for row in result:
            yield dict(zip(names, row, strict=True))


def _query(entity: str, district: str | None, school: str | None) -> Select[Any]:
    table = ROSTER[entity]
    query = select(*(table.c[name] for name in COLUMNS[entity])).where(table.c.active == True)  # noqa: E712
    if district is not None:
        query = query.where(table.c.district == district)
    if school is not None:
        query = query.where(_at_school(table, school))
    return query.order_by(table.c.district, *(table.c[name] for name in key_columns(entity)))


def _at_school(table: Table, school: str) -> ColumnElement[bool]:
    """Whether a row belongs to the platform's `school`, itself or through a student who is there."""
    if table is RELATIONSHIP:
        return exists().where(_student_of(RELATIONSHIP, school))
    if table is CONTACT:
        related = and_(
            RELATIONSHIP.c.district == CONTACT.c.district,
            RELATIONSHIP.c.contact == CONTACT.c.id,
            RELATIONSHIP.c.active == True,  # noqa: E712
        )
        return exists().where(related, _student_of(RELATIONSHIP, school))
    return table.c.school == school


def _student_of(relationship: Table, school: str) -> ColumnElement[bool]:
    return and_(
        STUDENT.c.district == relationship.c.district,
        STUDENT.c.id == relationship.c.student,
        STUDENT.c.school == school,
        STUDENT.c.active == True,  # noqa: E712
    )


def _schools(database: Database, district: str | None, school: str | None) -> Iterator[dict[str, Any]]:
    query = select(SIS_SCHOOL).order_by(SIS_SCHOOL.c.district, SIS_SCHOOL.c.id)
    if district is not None:
        query = query.where(SIS_SCHOOL.c.district == district)
    with database.read(scope_of(district)) as transaction:
        mapped = _mapped(transaction, district)
        for row in transaction.execute(query):
            found = mapped.get((row.district, row.id))
            if school is None or found == school:
                values = {**row._mapping, "school": found}
                yield {name: values[name] for name in COLUMNS["schools"]}


def _mapped(transaction: Transaction, district: str | None) -> dict[tuple[str, str], str]:
    """(district, SIS school) to the platform's school, as it was applied, whatever stands there by hand."""
    seen = connections.observe(transaction, None if district is None else (district,))
    return {
        (name, school.sis_id): school.school
        for name, one in seen.items()
        for school in one.connection.district.schools
    }
