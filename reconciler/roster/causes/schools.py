"""Causes in a school: it is not in the files, or is there under an id that is not mapped."""

from __future__ import annotations

from reconciler.planning.school_ids import same_school_id
from reconciler.roster.causes.cause import Cause
from reconciler.roster.causes.evidence import Evidence

_SHOWN = 3


def not_mapped(evidence: Evidence) -> Cause | None:
    """The removed students are in the files, at schools that are not mapped (any more)."""
    if evidence.entity != "students":
        return None
    moves = evidence.rows(
        "SELECT l.sis_school, s.sis_school, count(DISTINCT l.id) AS n FROM lost l JOIN judged_students s "
        "USING (id) WHERE s.verdict = 'skipped' GROUP BY 1, 2 ORDER BY n DESC, 1, 2"
    )
    if not evidence.is_most(sum(n for _, _, n in moves)):
        return None
    renumbered = [(old, new, n) for old, new, n in moves if same_school_id(old or "", new)]
    if evidence.is_most(sum(n for _, _, n in renumbered)):
        listed = ", ".join(f"{old} is {new} now ({n} students)" for old, new, n in renumbered[:_SHOWN])
        return Cause("school-renumbered", f"a school's id: {listed}, and that is not mapped")
    totals: dict[str, int] = {}
    for _, new, n in moves:
        totals[new] = totals.get(new, 0) + n
    listed = ", ".join(f"{new} ({n} students)" for new, n in list(totals.items())[:_SHOWN])
    return Cause("school-unmapped", f"the removed students are at schools that are not mapped: {listed}")


def absent(evidence: Evidence) -> Cause | None:
    """Schools that had students have none in the files, and the other schools lost hardly anybody."""
    if evidence.entity != "students":
        return None
    there = {s.sis_id for s in evidence.around.schools if s.students}
    before = evidence.rows("SELECT sis_school, count(*) FROM was_students GROUP BY 1 ORDER BY 1")
    lost = dict(evidence.rows("SELECT sis_school, count(*) FROM lost GROUP BY 1"))
    gone = [(school, n) for school, n in before if school not in there and lost.get(school)]
    others = sum(n for school, n in before if school in there)
    explained = sum(lost[school] for school, _ in gone)
    if not others or not evidence.is_most(explained) or evidence.total - explained > max(3, 0.03 * others):
        return None
    listed = ", ".join(f"{school} ({n} students before)" for school, n in gone[:_SHOWN])
    return Cause("school-absent", f"the files have no student of school {listed}")
