"""A fleet that has not changed is recognized, and whatever has is planned as if all had been read."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config import districts, reading
from tests.acceptance.world import World, students_csv


@pytest.fixture
def fleet(world: World) -> World:
    """Three districts that were reconciled: one syncs, one is stopped, one has no school mapped yet."""
    world.district("oak", schools=["0042"])
    world.district("elm", schools=["0042"], sync={"state": "stopped"})
    world.district("yew")
    for name in ("oak", "elm", "yew"):
        world.put(name, {"students.csv": students_csv(4)})
    assert world.run("reconcile").code == 0
    return world


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a district file was read again")

    for module, name in ((reading, "parse_district_file"), (reading, "read_district_file"),
                         (districts, "parse_district_file")):  # fmt: skip
        monkeypatch.setattr(module, name, refuse)


def edit(world: World, district: str, old: str, new: str) -> None:
    path = world.root / "districts" / f"{district}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_unchanged_fleet_is_planned_reconciled_and_synced_without_reading_a_file(
    fleet: World, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("no_reading")
    assert fleet.json("plan")["summary"]["unchanged"] == 3
    assert fleet.json("reconcile")["summary"] == {"succeeded": 0, "failed": 0, "blocked": 0, "unchanged": 3}
    assert fleet.run("sync").code == 0


def test_a_changed_file_is_planned_and_carried_out(fleet: World) -> None:
    edit(fleet, "oak", '"0042"', '"0043"')
    (planned,) = fleet.json("plan")["districts"]
    assert planned["district"] == "oak"
    assert fleet.run("reconcile").code == 0
    assert fleet.json("plan")["districts"] == []


def test_a_stopped_district_that_is_started_again_is_planned(fleet: World) -> None:
    edit(fleet, "elm", "stopped", "started")
    (planned,) = fleet.json("plan")["districts"]
    assert (planned["district"], planned["action"]) == ("elm", "start")


def test_a_file_that_is_gone_and_comes_back_unchanged_is_planned_both_times(fleet: World) -> None:
    path = fleet.root / "districts" / "oak.yaml"
    kept = path.read_bytes()
    path.unlink()
    assert fleet.json("plan")["summary"]["retire"] == 1
    assert fleet.run("reconcile").code == 0
    path.write_bytes(kept)
    assert fleet.json("plan")["summary"]["start"] == 1
    assert fleet.run("reconcile").code == 0
    assert fleet.json("plan")["summary"]["unchanged"] == 3


def test_a_neighbour_that_takes_the_account_of_an_unchanged_district_stops_both(fleet: World) -> None:
    account = fleet.status("oak")["account"]
    fleet.district("ash", schools=["0042"], account=account)
    refused = {one["district"]: one["error"]["code"] for one in fleet.json("plan")["refused"]}
    assert refused == {"ash": "config.duplicate", "oak": "config.duplicate"}


def test_a_mapper_of_the_repository_that_hides_the_built_in_one_is_planned(fleet: World) -> None:
    mappers = fleet.root / "mappers"
    mappers.mkdir()
    (mappers / "other.json").write_text('{"name": "other", "extends": "generic"}')
    assert fleet.json("plan")["summary"]["unchanged"] == 3
    (mappers / "generic.json").write_text(
        '{"name": "generic", "extends": "generic", "files": {"students": {"pattern": "students*.csv"}}}'
    )
    assert fleet.json("plan")["summary"]["unchanged"] == 0


def test_a_comment_changes_nothing_and_is_recognized_after_the_next_reconcile(
    fleet: World, request: pytest.FixtureRequest
) -> None:
    path = fleet.root / "districts" / "oak.yaml"
    path.write_text(path.read_text() + "\n# A word about oak.\n")
    assert fleet.json("plan")["summary"]["unchanged"] == 3
    before = len(fleet.json("history"))
    assert fleet.json("reconcile")["summary"]["unchanged"] == 3
    assert len(fleet.json("history")) == before
    request.getfixturevalue("no_reading")
    assert fleet.json("plan")["summary"]["unchanged"] == 3


def test_only_one_district_is_planned_at_a_glance_too(fleet: World) -> None:
    assert fleet.json("plan", "--only", "oak")["summary"]["unchanged"] == 1


class TestValidate:
    """`validate` remembers in the user's cache folder."""

    @pytest.fixture
    def remembering(self, fleet: World, tmp_path: Path) -> World:
        fleet.environment |= {"RECONCILER_NO_CACHE": "", "XDG_CACHE_HOME": str(tmp_path / "cache")}
        assert fleet.run("validate").code == 0
        return fleet

    @pytest.mark.usefixtures("remembering")
    def test_reads_nothing_the_second_time(self, fleet: World, request: pytest.FixtureRequest) -> None:
        request.getfixturevalue("no_reading")
        assert fleet.json("validate") == {"ok": True, "files": 3, "problems": []}

    def test_tells_what_is_wrong_each_time(self, remembering: World) -> None:
        edit(remembering, "oak", '"0042"', "42")
        first = remembering.run("validate")
        assert first.code == 1
        assert remembering.run("validate") == first == remembering.run("validate", "--no-cache")
        edit(remembering, "oak", "42,", '"0042",')
        assert remembering.run("validate").code == 0

    def test_remembers_nothing_where_it_is_told_not_to(self, fleet: World, tmp_path: Path) -> None:
        fleet.environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        fleet.run("validate")
        fleet.environment |= {"RECONCILER_NO_CACHE": ""}
        fleet.run("validate", "--no-cache")
        assert not (tmp_path / "cache").exists()

    def test_does_not_believe_a_cache_that_a_pull_request_brings(self, fleet: World) -> None:
        fleet.environment |= {
            "RECONCILER_NO_CACHE": "", "XDG_CACHE_HOME": str(fleet.root / ".cache"),
        }  # fmt: skip
        fleet.run("validate")
        assert not (fleet.root / ".cache").exists()
