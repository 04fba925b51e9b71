"""In which turn districts are visited, where a server was the trouble the last time."""

from __future__ import annotations

import pytest

from tests.acceptance.world import World, students_csv
from tests.faults.laboratory import newest_run

SCHOOLS = {"0042": "lincoln"}


@pytest.fixture
def fleet(world: World) -> World:
    """Three synced districts. The server of the first one is gone; the files of all are to be looked at."""
    for name in ("ash", "elm", "oak"):
        world.put(name, {"students.csv": students_csv(3)})
        world.district(name, schools=SCHOOLS)
    assert world.run("reconcile").code == 0
    (world.export_of("ash") / "students.csv").unlink()
    assert world.run("sync").code == 1
    return world


def _in_their_turn(world: World) -> list[str]:
    return [district for district, _ in newest_run(world.database_url)]


def test_a_district_whose_server_was_the_trouble_is_synced_last(fleet: World) -> None:
    done = fleet.run("sync", "--workers", "1", "--format", "json")
    assert _in_their_turn(fleet) == ["elm", "oak", "ash"]
    assert [result["district"] for result in done.json["results"]] == ["ash", "elm", "oak"]


def test_it_is_reconciled_last_too(fleet: World) -> None:
    for name in ("ash", "elm", "oak"):
        fleet.district(name, schools={**SCHOOLS, "0043": "adams"})
    done = fleet.run("reconcile", "--workers", "1", "--format", "json")
    assert _in_their_turn(fleet) == ["elm", "oak", "ash"]
    assert [result["district"] for result in done.json["results"]] == ["ash", "elm", "oak"]


def test_once_its_server_is_well_it_has_its_old_turn(fleet: World) -> None:
    fleet.put("ash", {"students.csv": students_csv(3)})
    assert fleet.run("sync", "--workers", "1").code == 0
    assert fleet.run("sync", "--workers", "1").code == 0
    assert _in_their_turn(fleet) == ["ash", "elm", "oak"]
