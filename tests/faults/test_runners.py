"""Several runners at once: each district is worked on by one of them, once, and none is left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.acceptance.world import World, students_csv
from tests.faults.laboratory import stored


def _size(rounds: int) -> tuple[int, int, int]:
    """Runners, districts and rounds: a few in `make test`, those of docs/reliability.md in `make faults`."""
    return (8, 500, max(rounds // 10, 1)) if rounds >= 100 else (3, 12, 2)


@pytest.mark.timeout(3600)
def test_runners_at_once_do_each_district_once(
    world: World, new_database: Callable[[], None], rounds: int
) -> None:
    runners, districts, times = _size(rounds)
    names = [f"district-{number}" for number in range(districts)]
    new_database()
    for turn in range(times):
        for name in names:
            world.put(name, {"students.csv": students_csv(5 + turn)}) if turn == 0 else None
            world.district(name, schools={"0042": f"school-{turn}"})
        started = [world.start("reconcile", "--workers", "2", "--format", "json") for _ in range(runners)]
        ended = [(*process.communicate(timeout=900), process.returncode) for process in started]
        assert [code for _, _, code in ended] == [0] * runners, [err for _, err, _ in ended]

        done = Counter(
            result["district"]
            for out, _, _ in ended
            for result in json.loads(out)["results"]
            if result["outcome"] == "succeeded"
        )
        assert done == Counter(names)
        assert {row[2] for row in stored(world.database_url)["student"]} == {f"school-{turn}"}
        assert world.run("plan", "--detailed-exitcode").code == 0
