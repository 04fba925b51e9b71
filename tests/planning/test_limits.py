"""Over ten percent and over ten rows: then a removal is held."""

from __future__ import annotations

import pytest

from reconciler.planning.limits import breaches
from reconciler.roster.delta import RowCounts

CASES = [
    pytest.param(100, 10, 0, [], id="ten of a hundred"),
    pytest.param(100, 11, 0, ["max_removal_percent"], id="eleven of a hundred"),
    pytest.param(20, 10, 0, [], id="half of a small district"),
    pytest.param(11, 11, 0, ["max_removal_percent"], id="all of eleven"),
    pytest.param(1000, 100, 0, [], id="exactly ten percent"),
    pytest.param(1000, 101, 0, ["max_removal_percent"], id="just over ten percent"),
    pytest.param(100, 0, 75, [], id="exactly 75 percent changed"),
    pytest.param(100, 0, 76, ["max_change_percent"], id="76 percent changed"),
    pytest.param(10, 0, 10, [], id="all of ten changed"),
    pytest.param(100, 50, 80, ["max_removal_percent", "max_change_percent"], id="both"),
    pytest.param(0, 0, 0, [], id="nobody was there"),
]


@pytest.mark.parametrize("entity", ["students", "contacts", "relationships"])
@pytest.mark.parametrize(("active", "removed", "changed", "limits"), CASES)
def test_a_limit_needs_its_share_and_more_than_ten_rows(
    entity: str, active: int, removed: int, changed: int, limits: list[str]
) -> None:
    counts = {e: RowCounts() for e in ("students", "contacts", "relationships")}
    counts[entity] = RowCounts(removed=removed, changed=changed)
    found = breaches(counts, {entity: active}, max_removal_percent=10, max_change_percent=75)
    assert [b.limit for b in found] == limits
    assert all(b.entity == entity for b in found)


def test_a_breach_says_how_many_of_how_many() -> None:
    counts = {e: RowCounts(removed=30) for e in ("students", "contacts", "relationships")}
    first = breaches(counts, dict.fromkeys(counts, 120), max_removal_percent=10, max_change_percent=75)[0]
    assert str(first) == ("30 of 120 active students would be removed (25.0 %; max_removal_percent is 10)")
