"""The rows that were taken, under the names of the fields that a mapper fills: what `map` prints."""

from __future__ import annotations

from reconciler.mapping.entities import ENTITIES, RELATIONSHIPS, RIGHTS
from reconciler.mapping.sql import name


def taken_rows(entity: str) -> str:
    """The query for an entity's taken rows, with every field of it, ordered by key."""
    fields = ENTITIES[entity].fields
    if entity == "contacts":
        source, order = _contacts(), "id, student"
    else:
        school = " REPLACE (sis_school AS school)" if entity in ("students", "staff") else ""
        source = f"SELECT *{school} FROM new_{entity}"
        order = ", ".join(name(k) for k in ENTITIES[entity].key)
    return f"SELECT {', '.join(map(name, fields))} FROM ({source}) ORDER BY {order}"


def _contacts() -> str:
    """A row for each contact and student that it came with; one without a student for the others."""
    rights = [f for f in RELATIONSHIPS.columns if f not in RELATIONSHIPS.key]
    linked = ", ".join(
        f"coalesce(r.{name(f)}, 'unknown') AS {name(f)}" if f in RIGHTS else f"r.{name(f)}" for f in rights
    )
    return (
        f"SELECT n.*, g.name, r.student, {linked} FROM new_contacts n "
        f"JOIN (SELECT id, student, max(name) AS name FROM judged_contacts "
        f"WHERE verdict IN ('ok', 'duplicate') GROUP BY id, student) g ON g.id = n.id "
        f"LEFT JOIN new_relationships r ON r.contact = g.id AND r.student = g.student"
    )
