"""Causes in which the same people come under other ids, or other people come instead."""

from __future__ import annotations

from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.people import comparable
from reconciler.mapping.sql import name
from reconciler.roster.causes.cause import Cause
from reconciler.roster.causes.evidence import Evidence

_NAMED = f"concat_ws(chr(31), {comparable('first_name')}, {comparable('last_name')})"
_PERSON = {
    "students": f"concat_ws(chr(31), {comparable('first_name')}, {comparable('last_name')}, birth_date)",
    "contacts": f"concat_ws(chr(31), {comparable('first_name')}, {comparable('last_name')}, "
    f"coalesce({comparable('phone')}, {comparable('email')}))",
}
"""What tells a person from another when the id does not: name with birth date, or with a way to call."""
_PAIRED_BY = {"students": "name and birth date", "contacts": "name and phone or e-mail"}


def leading_zeros(evidence: Evidence) -> Cause | None:
    """The removed ids are there, but for zeros before them: a spreadsheet took them for numbers."""
    bare = ", ".join(f"ltrim({name(k)}, '0')" for k in ENTITIES[evidence.entity].key)
    found = evidence.count(f"SELECT count(*) FROM lost WHERE ({bare}) IN (SELECT ({bare}) FROM came)")
    if not evidence.is_most(found):
        return None
    length = " + ".join(f"length({name(k)})" for k in ENTITIES[evidence.entity].key)
    shorter = evidence.count(f"SELECT sum({length}) FROM lost") > evidence.count(
        f"SELECT sum({length}) FROM came"
    )
    how = "without them" if shorter else "with others"
    return Cause("leading-zeros", f"leading zeros: {found} of {evidence.total} removed ids are there {how}")


def rekeyed(evidence: Evidence) -> Cause | None:
    """Removed and added rows pair up as the same people: the SIS gave them new ids."""
    if evidence.entity not in _PERSON:
        return None
    found = _paired(evidence, _PERSON[evidence.entity])
    if not evidence.is_most(found):
        return None
    came = evidence.count("SELECT count(*) FROM came")
    return Cause(
        "ids-rekeyed",
        f"ids were changed: {came} new ids came as {evidence.total} went, and {found} of the removed "
        f"{evidence.entity} are there under a new id, by {_PAIRED_BY[evidence.entity]}",
    )


def other_numbers(evidence: Evidence) -> Cause | None:
    """The same names with another phone or e-mail, of which the ids of contacts without one are made."""
    found = _paired(evidence, _NAMED) if evidence.entity == "contacts" else 0
    if not evidence.is_most(found):
        return None
    return Cause(
        "numbers-changed",
        f"other phones or e-mails: {evidence.of_total(found)} are there by name, and are called otherwise",
    )


def _paired(evidence: Evidence, person: str) -> int:
    """How many removed rows have an added one of their own that is equal in this."""
    return evidence.count(
        f"SELECT sum(least(a.n, b.n)) FROM "
        f"(SELECT {person} AS person, count(*) AS n FROM lost GROUP BY 1) a JOIN "
        f"(SELECT {person} AS person, count(*) AS n FROM came GROUP BY 1) b USING (person)"
    )


def other_people(evidence: Evidence) -> Cause | None:
    """About as many came as went, and they are others: another district's files, or another year's."""
    came = evidence.count("SELECT count(*) FROM came")
    active = evidence.count(f"SELECT count(*) FROM was_{evidence.entity}")
    if not evidence.is_most(came) or 2 * evidence.total < active:
        return None
    return Cause(
        "other-people",
        f"other people: {came} new {evidence.entity} came as {evidence.total} of {active} went, and few of "
        f"them are the same by name; the files may be another district's",
    )
