"""Causes in which the rows are gone on purpose: left out by the mapper's conditions, or truly gone."""

from __future__ import annotations

from reconciler.roster.causes.cause import Cause
from reconciler.roster.causes.evidence import Evidence


def filtered(evidence: Evidence) -> Cause | None:
    """The removed rows are in the files, and the mapper's `where` leaves them out."""
    if evidence.entity not in ("students", "contacts"):
        return None
    seen = evidence.count(
        f"SELECT count(*) FROM lost WHERE id IN (SELECT id FROM seen_{evidence.entity}) "
        f"AND id NOT IN (SELECT id FROM judged_{evidence.entity} WHERE id IS NOT NULL)"
    )
    if not evidence.is_most(seen):
        return None
    columns = sorted({c.column for s in evidence.sources for c in s.where})
    return Cause(
        "filtered",
        f"the mapper's conditions: {evidence.of_total(seen)} are in the files, and left out by "
        f"{', '.join(columns)}",
    )


def departed(evidence: Evidence) -> Cause:
    """Nothing else differs: the rows are truly gone."""
    schools = evidence.count("SELECT count(DISTINCT sis_school) FROM was_students")
    touched = evidence.count("SELECT count(DISTINCT sis_school) FROM lost_students")
    if evidence.entity == "students":
        said = [f"truly gone: rows of {touched} of {schools} schools are missing"]
    else:
        key = "contact" if evidence.entity == "contacts" else "student"
        column = "id" if evidence.entity == "contacts" else "student"
        left = evidence.count(
            f"SELECT count(*) FROM lost WHERE {column} IN (SELECT o.{key} FROM old_relationships o "
            f"WHERE o.active AND o.student IN (SELECT id FROM gone_students))"
        )
        said = [f"truly gone: {evidence.of_total(left)} are those of students who left"]
    same = evidence.count(f"SELECT count(*) FROM fresh_{evidence.entity} WHERE fate = 'unchanged'")
    others = evidence.count(f"SELECT count(*) FROM was_{evidence.entity}") - evidence.total
    said += [f"{same} of {others} others are as they were", *_rows(evidence)]
    return Cause("departures", ", ".join(said))


def _rows(evidence: Evidence) -> list[str]:
    """How many rows the entity's files had and have, where that is known."""
    before, now = evidence.around.before.rows, evidence.around.now.rows
    names = {s.file for s in evidence.sources}
    return [
        f"{evidence.display(file)} has {now[file]} rows, {before[file]} before"
        for file in sorted(names & before.keys() & now.keys())
        if now[file] < before[file]
    ]
