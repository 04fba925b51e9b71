"""The verdict on a district under a mapper that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.config.district import Sync
from reconciler.errors import MapperError
from reconciler.mapping.files_known import KnownFiles
from reconciler.mapping.model import Mapper
from reconciler.mapping.parse import parse_mapper
from reconciler.planning.impact import Applied, DistrictImpact, Verdict, district_impact, impact_of

FIELDS: dict[str, Any] = {"id": "Number", "school": "School", "first_name": "First", "last_name": "Last"}
KNOWN = KnownFiles(
    ("students.csv",), {"students": ("Number", "State ID", "School", "First", "Last", "HR", "Status")}
)


def mapper(where: Any = None, **fields: Any) -> Mapper:
    kept = {name: value for name, value in {**FIELDS, **fields}.items() if value is not None}
    students = {"from": "students", "fields": kept, **({"where": where} if where else {})}
    return parse_mapper(
        {"files": {"students": {"pattern": "students.csv"}}, "entities": {"students": students}}
    )


OLD = mapper()


def verdict(
    new: Mapper | MapperError, *, old: Mapper | None = OLD, known: KnownFiles = KNOWN,
    rows: Mapping[str, int] | None = None, sync: Sync | None = None,
) -> DistrictImpact:  # fmt: skip
    counted = {"students": 1200, "contacts": 2300, "relationships": 2400} if rows is None else rows
    applied = Applied(OLD.digest, known, counted, old, "abc")
    return district_impact("oak", new, sync or Sync(), applied)


VERDICTS = {
    "the mapper as it was": (mapper(), Verdict.NONE),
    "what makes no difference": (mapper(id={"column": ["Number", "No"]}), Verdict.NONE),
    "a field more": (mapper(homeroom="HR"), Verdict.CHANGES),
    "other rows": (mapper(where={"column": "Status", "in": ["A"]}), Verdict.CHANGES),
    "another key": (mapper(id="State ID"), Verdict.REKEYS),
    "a column that is not there": (mapper(homeroom="Room"), Verdict.FAILS),
    "another key, and a column that is not there": (mapper(id="State ID", school="S"), Verdict.FAILS),
    "a mapper with mistakes": (MapperError("mappers/acme.json:1:1: is no mapper"), Verdict.FAILS),
}


@pytest.mark.parametrize(("new", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_the_gravest_effect_is_the_verdict(new: Mapper | MapperError, expected: Verdict) -> None:
    assert verdict(new).verdict is expected


def test_a_district_that_was_never_reconciled_is_unknown() -> None:
    found = district_impact("oak", mapper(id="State ID"), Sync(), None)
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, "never synced")


def test_a_district_that_was_never_synced_is_unknown() -> None:
    found = verdict(mapper(id="State ID"), known=KnownFiles())
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, "never synced")


def test_without_the_mapper_that_was_applied_nothing_is_called_harmless() -> None:
    found = verdict(mapper(id="State ID"), old=None)
    assert found.verdict is Verdict.UNKNOWN
    assert "git" in found.reason


def test_nor_is_what_fails_overlooked_then() -> None:
    assert verdict(mapper(homeroom="Room"), old=None).verdict is Verdict.FAILS


HOLDS = {
    "of a large district": ({"students": 1200, "relationships": 5}, Sync(), 1),
    "of a district with relationships": ({"students": 1200, "relationships": 2400}, Sync(), 2),
    "of a district so small that no limit counts": ({"students": 10, "relationships": 10}, Sync(), 0),
    "of a district without limits": ({"students": 1200}, Sync(max_removal_percent=100), 0),
}


@pytest.mark.parametrize(("rows", "sync", "holds"), HOLDS.values(), ids=HOLDS)
def test_the_limits_that_would_hold_it_are_named(rows: Mapping[str, int], sync: Sync, holds: int) -> None:
    found = verdict(mapper(id="State ID"), rows=rows, sync=sync)
    assert found.verdict is Verdict.REKEYS
    assert len(found.holds) == holds
    assert all("max_removal_percent" in hold for hold in found.holds)


def test_so_are_those_for_rows_that_change() -> None:
    (hold,) = verdict(mapper(homeroom="HR")).holds
    assert "1200 of 1200 active students would be changed" in hold


def test_the_worst_comes_first() -> None:
    districts = [DistrictImpact(f"{n}", v) for n, v in enumerate(reversed(Verdict))]
    districts.append(DistrictImpact("0a", Verdict.FAILS))
    impact = impact_of("acme", districts)
    assert [d.district for d in impact.districts] == ["0a", "4", "3", "2", "1", "0"]
    assert impact.summary() == {"fails": 2, "re-keys": 1, "changes rows": 1, "unknown": 1, "no effect": 1}
