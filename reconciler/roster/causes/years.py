"""Causes in the calendar: the new school year, and dates that are written another way."""

from __future__ import annotations

from reconciler.mapping.sql import literal
from reconciler.roster.causes.cause import Cause
from reconciler.roster.causes.evidence import MOST, Evidence

_BELOW_ONE = {"pk": -1, "prek": -1, "pre-k": -1, "tk": 0, "kg": 0, "k": 0, "kindergarten": 0}
_FEW = 10


def rollover(evidence: Evidence) -> Cause | None:
    """Who stays is one grade higher; the leavers were in the top grades of their schools."""
    before, now = _grade("w.grade"), _grade("n.grade")
    known, higher = evidence.row(
        f"SELECT count(*), count(*) FILTER ({now} = {before} + 1) FROM was_students w "
        f"JOIN new_students n USING (id) WHERE {before} IS NOT NULL AND {now} IS NOT NULL"
    )
    active = evidence.count("SELECT count(*) FROM was_students")
    if known < max(_FEW, 0.3 * active) or higher < MOST * known:
        return None
    return Cause(
        "year-rollover",
        f"a new school year: {higher} of {known} students who stay are one grade higher{_leavers(evidence)}",
    )


def _leavers(evidence: Evidence) -> str:
    """In which grade most of those were who left, as a further clause; empty where there is none."""
    left = evidence.rows(
        "SELECT grade, count(*) AS n FROM lost_students GROUP BY grade ORDER BY n DESC, grade"
    )
    total = sum(n for _, n in left)
    if not left or left[0][0] is None or 2 * left[0][1] < total:
        return ""
    return f"; {left[0][1]} of {total} who left were in grade {left[0][0]}"


def _grade(column: str) -> str:
    """A grade as a number, kindergarten being 0; NULL for what is none."""
    cases = " ".join(f"WHEN {literal(word)} THEN {value}" for word, value in _BELOW_ONE.items())
    number = f"try_cast(regexp_extract({column}, '^[0-9]{{1,2}}') AS INTEGER)"
    return f"CASE lower({column}) {cases} ELSE {number} END"


def dates_rewritten(evidence: Evidence) -> Cause | None:
    """A date has the same numbers in another order. A day over 12 is no month: such a date is empty now."""
    if evidence.entity != "students":
        return None
    numbers = "list_sort(list_transform(regexp_extract_all({0}, '[0-9]+'), lambda d: try_cast(d AS INTEGER)))"
    same = f"({numbers.format('w_birth_date')} = {numbers.format('n_birth_date')})"
    shape = "regexp_replace({0}, '[0-9]', '9', 'g')"
    rewritten, exchanged, lost = evidence.row(
        f"SELECT count(*) FILTER (w_birth_date <> n_birth_date AND {same}), "
        f"count(*) FILTER (w_birth_date <> n_birth_date AND {same} "
        f"AND {shape.format('w_birth_date')} = {shape.format('n_birth_date')}), "
        f"count(*) FILTER (w_birth_date IS NOT NULL AND n_birth_date IS NULL) FROM changed"
    )
    if 5 * rewritten < evidence.total or not evidence.is_most(rewritten + lost):
        return None
    how = "have day and month exchanged" if 2 * exchanged > rewritten else "are written in another way"
    unreadable = f", and of {lost} it can no longer be read" if lost else ""
    return Cause(
        "date-format",
        f"the format of {evidence.place('birth_date')}: {evidence.of_total(rewritten)} {how} in it"
        f"{unreadable}",
    )
