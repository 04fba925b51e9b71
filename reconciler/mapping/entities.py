"""The five entities, their fields and keys: the one table that mapper, roster, store and export agree on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of roster row.

    `fields` are the names that a mapper may fill, in the order in which `map` prints them; `columns` is
    what the store keeps of them (a contact's link to its student is a relationship, for example), in the
    order of the store's table after `district`.
    """

    name: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[str, ...]


_RIGHTS = ("may_pick_up", "emergency", "custody_alert")

SCHOOLS = Entity(
    "schools",
    fields=("id", "name", "type", "nces_id"),
    required=("id",),
    key=("id",),
    columns=("id", "name", "type", "nces_id"),
)
STUDENTS = Entity(
    "students",
    fields=(
        "id", "school", "first_name", "last_name", "middle_name", "preferred_name", "grade", "birth_date",
        "gender", "email", "homeroom", "student_number", "status", "photo",
    ),
    required=("id", "school", "first_name", "last_name"),
    key=("id",),
    columns=(
        "id", "school", "sis_school", "first_name", "middle_name", "last_name", "preferred_name", "grade",
        "birth_date", "gender", "email", "homeroom", "student_number", "status", "photo",
    ),
)  # fmt: skip
CONTACTS = Entity(
    "contacts",
    fields=(
        "id", "student", "first_name", "last_name", "name", "relationship", "phone", "phone_2", "email",
        "address", "priority", *_RIGHTS, "notes",
    ),
    required=(),
    key=("id",),
    columns=("id", "first_name", "last_name", "phone", "phone_2", "email", "address", "notes"),
)  # fmt: skip
RELATIONSHIPS = Entity(
    "relationships",
    fields=("student", "contact", "relationship", "priority", *_RIGHTS),
    required=("student", "contact"),
    key=("student", "contact"),
    columns=("student", "contact", "relationship", "priority", *_RIGHTS),
)
STAFF = Entity(
    "staff",
    fields=("id", "school", "first_name", "last_name", "email", "phone", "role"),
    required=("id", "first_name", "last_name"),
    key=("id",),
    columns=("id", "school", "sis_school", "first_name", "last_name", "email", "phone", "role"),
)

ENTITIES: dict[str, Entity] = {e.name: e for e in (SCHOOLS, STUDENTS, CONTACTS, RELATIONSHIPS, STAFF)}
"""In the order in which rows must be written: what is pointed at comes first."""

STORED = ("students", "contacts", "relationships", "staff")
"""The entities that a sync merges; schools are learned at initialization."""

RIGHTS = _RIGHTS
"""Fields that are `yes`, `no` or `unknown`, and never `yes` unless the file says so."""
