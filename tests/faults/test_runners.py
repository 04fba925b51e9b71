"""Several runners at once: each district is worked on by one of them, once, and none is left out."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.acceptance.world import World, students_csv
from tests.faults.laboratory import Figure, stored
from tests.faults.nursery import Nursery
from tests.faults.states import States


def _size(rounds: int, database_url: str) -> tuple[int, int, int]:
    """Runners, districts and rounds: a few in `make test`, those of docs/reliability.md in `make faults`."""
    if rounds < 100:
        return 3, 12, 2
    return (8, 500, max(rounds // 10, 1)) if database_url.startswith("postgresql") else (4, 50, 5)


@pytest.mark.timeout(6 * 3600)
def test_runners_at_once_do_each_district_once(
    world: World, nursery: Nursery, states: States, rounds: int, figure: Figure
) -> None:
    runners, districts, times = _size(rounds, world.database_url)
    names, empty, began = (
        [f"district-{number}" for number in range(districts)],
        states.keep(),
        time.monotonic(),
    )
    for turn in range(times):
        _desire(world, names, turn)
        children = [nursery.start("reconcile", "--workers", "2", "--format", "json") for _ in range(runners)]
        ended = [child.wait() for child in children]
        assert [done.code for done in ended] == [0] * runners, [done.out + done.err for done in ended]

        results = [result for done in ended for result in done.json.get("results", [])]
        done = Counter(r["district"] for r in results if r["outcome"] == "succeeded")
        assert done == Counter(names)
        assert {r["outcome"] for r in results} <= {"succeeded", "unchanged"}
        assert world.run("plan", "--detailed-exitcode").code == 0
    took = time.monotonic() - began
    together = stored(world.database_url)
    states.restore(empty)
    assert world.run("reconcile").code == 0
    assert stored(world.database_url) == together
    figure(
        f"{runners} runners, {districts} districts, {times} rounds in {took:.0f} s: "
        f"each applied once in each round, the roster as one runner leaves it"
    )


def _desire(world: World, names: list[str], turn: int) -> None:
    """Each turn maps the school elsewhere and has one student more."""
    for name in names:
        world.put(name, {"students.csv": students_csv(5 + turn)})
        world.district(name, schools={"0042": f"school-{turn}"})
