"""The simulated night, against what can be counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.country import enrolments
from benchmarks.fleet import LAST_MEASURED, Weather, visits
from benchmarks.night import Machines, Visit, simulate

COMPUTED = Visit(0.0, 2.0, 1.0)
CASES = {
    "one district takes the sum of its parts": ([Visit(0.4, 2.0, 1.0)], Machines(1), 3.4),
    "one that waits for long takes no longer for it": ([Visit(10.0, 2.0, 1.0)], Machines(1), 13.0),
    "a worker computes one at a time": ([COMPUTED] * 4, Machines(1), 9.0),
    "two workers compute two": ([COMPUTED] * 4, Machines(2), 5.0),
    "waiting is done side by side": ([Visit(10.0, 0.0, 0.0)] * 50, Machines(1, concurrency=2), 22.0),
    "a database has so many processors": ([Visit(0.0, 0.0, 1.0)] * 8, Machines(8, database=2), 4.0),
    "on one machine all share": ([Visit(0.0, 1.0, 1.0, 1.0)] * 4, Machines(2, shared=1), 12.0),
    "nobody is due": ([], Machines(4), 0.0),
}


@pytest.mark.parametrize(("districts", "machines", "seconds"), CASES.values(), ids=CASES)
def test_a_night_takes(districts: list[Visit], machines: Machines, seconds: float) -> None:
    assert simulate(districts, machines).window == pytest.approx(seconds)


@settings(max_examples=60)
@given(
    st.lists(st.builds(Visit, st.floats(0, 30), st.floats(0, 5), st.floats(0, 5)), max_size=40),
    st.integers(1, 5),
)
def test_no_night_is_shorter_than_its_work_or_longer_than_one_after_the_other(
    districts: list[Visit], workers: int
) -> None:
    night = simulate(districts, Machines(workers, database=2))
    alone = [v.waits + v.computes + v.stores for v in districts]
    assert night.window <= sum(alone) + 1e-6
    assert night.window >= max(alone, default=0) - 1e-6
    assert night.window >= night.computing / workers - 1e-6
    assert night.storing == pytest.approx(sum(v.stores for v in districts))


def test_a_fleet_is_drawn_from_the_directory_and_the_same_for_the_same_seed() -> None:
    sizes = enrolments(13_318)
    assert 45_000_000 < sum(sizes) < 50_000_000
    one, again, other = (list(visits(sizes, LAST_MEASURED, Weather(), seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    late = sum(visit.waits == Weather().gives_up_after for visit in one)
    assert late / len(one) == pytest.approx(Weather().failing, rel=0.3)
