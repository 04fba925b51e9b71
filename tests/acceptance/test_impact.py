"""`plan --impact MAPPER` says before the merge what a shared mapper's change does, and it comes so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance.test_history import commit, git
from tests.acceptance.world import World, csv_text, result_of

STUDENTS = 12
PLAIN = ("ash", "fir")
"""Districts whose files have no column `State ID`."""


def mapper(**fields: Any) -> str:
    students = {"id": "Number", "school": "School", "first_name": "First", "last_name": "Last", **fields}
    return json.dumps({
        "name": "acme",
        "files": {"students": {"pattern": "students.csv"}},
        "entities": {"students": {"from": "students", "fields": students}},
    })  # fmt: skip


def put(world: World, name: str, *, state_id: bool = False) -> None:
    header = ["Number", "School", "First", "Last", "Room", *(["State ID"] if state_id else [])]
    rows = [(f"{n}", "0042", f"First{n}", f"Last{n}", "A1", *([f"S{n}"] if state_id else []))
            for n in range(STUDENTS)]  # fmt: skip
    world.district(name, "acme", ["0042"])
    world.put(name, {"students.csv": csv_text(header, rows)})


@pytest.fixture
def fleet(world: World) -> World:
    """Three districts synced with the mapper acme, one of them with a column more; one of another mapper."""
    git(world, "init", "--quiet")
    (world.root / "mappers").mkdir()
    (world.root / "mappers/acme.json").write_text(mapper())
    for name in PLAIN:
        put(world, name)
    put(world, "oak", state_id=True)
    world.district("elm", schools=["1"])
    commit(world, "Onboard")
    world.run("reconcile")
    world.district("new", "acme", ["1"])
    commit(world, "Onboard another one")
    return world


def change(world: World, **fields: Any) -> None:
    (world.root / "mappers/acme.json").write_text(mapper(**fields))
    commit(world, "Change the mapper")


def verdicts(world: World, *more: str) -> dict[str, str]:
    found = world.json("plan", "--impact", "mappers/acme.json", *more)
    return {d["district"]: d["verdict"] for d in found["districts"]}


ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_the_one_district_that_is_rekeyed_is_found_and_those_that_fail_are(fleet: World) -> None:
    change(fleet, id={"column": ["State ID", "Number"]})
    assert verdicts(fleet) == {"oak": "re-keys", "new": "unknown"} | dict.fromkeys(PLAIN, "no effect")
    impact = fleet.json("plan", "--impact", "acme")
    assert impact["districts"][0]["district"] == "oak"
    assert f"{STUDENTS} of {STUDENTS} active students would be removed" in impact["districts"][0]["holds"][0]
    before = fleet.export("students")

    report = fleet.run("reconcile", "--format", "json", "--only", "oak", "--only", "ash").json
    assert result_of(report, "oak")["error"]["code"] == "sync.removals"
    assert result_of(report, "ash")["outcome"] == "succeeded"
    assert fleet.export("students") == before
    assert verdicts(fleet)["oak"] == "re-keys", "what is held is on record, and its rows are as they were"

    change(fleet, id="State ID")
    assert verdicts(fleet) == {"oak": "re-keys", "new": "unknown"} | dict.fromkeys(PLAIN, "fails")
    report = fleet.run("reconcile", "--format", "json", "--only", "ash").json
    assert result_of(report, "ash")["error"]["code"] == "mapper.column"


@ONE_DATABASE
def test_what_changes_rows_is_told_until_it_is_applied(fleet: World) -> None:
    change(fleet, homeroom="Room", middle_name={"column": "State ID", "optional": True})
    found = fleet.json("plan", "--impact", "acme", "--only", "ash")
    messages = [e["message"] for e in found["districts"][0]["effects"]]
    assert messages == [
        "students.homeroom: not read → 'Room'",
    ]
    assert verdicts(fleet)["oak"] == "changes rows"

    fleet.run("reconcile", *(f"--allow-removals={name}" for name in ("oak", *PLAIN)))
    assert verdicts(fleet) == {"new": "unknown"} | dict.fromkeys((*PLAIN, "oak"), "no effect")


@ONE_DATABASE
def test_a_mapper_that_another_extends_concerns_its_districts_too(fleet: World) -> None:
    path = fleet.root / "mappers/acme-north.json"
    extension = {"name": "acme-north", "extends": "acme", "files": {"students": {"delimiter": ","}}}
    path.write_text(json.dumps(extension))
    fleet.district("ash", "acme-north", ["0042"])
    commit(fleet, "Another mapper for ash")
    fleet.run("reconcile", "--only", "ash")
    change(fleet, id="State ID")
    assert verdicts(fleet)["ash"] == "fails"


@ONE_DATABASE
def test_a_mapper_with_mistakes_or_none_fails_everywhere(fleet: World) -> None:
    (fleet.root / "mappers/acme.json").write_text('{"name": "acme"}')
    assert set(verdicts(fleet).values()) == {"fails"}

    (fleet.root / "mappers/acme.json").unlink()
    assert verdicts(fleet) == dict.fromkeys(("oak", *PLAIN), "fails")


@ONE_DATABASE
def test_a_mapper_that_was_never_committed_cannot_be_compared(fleet: World) -> None:
    (fleet.root / "mappers/acme.json").write_text(mapper(homeroom="Room"))
    fleet.run("reconcile", "--only", "oak", "--allow-removals", "oak")
    (fleet.root / "mappers/acme.json").write_text(mapper(middle_name="Room"))
    assert verdicts(fleet)["oak"] == "unknown"
    assert verdicts(fleet)["ash"] == "changes rows"


@ONE_DATABASE
def test_a_file_elsewhere_is_tried_in_the_place_of_the_mapper(fleet: World, tmp_path: Any) -> None:
    (tmp_path / "try").mkdir()
    draft = tmp_path / "try" / "acme.json"
    draft.write_text(mapper(id="State ID"))
    found = fleet.json("plan", "--impact", str(draft))
    assert found["summary"] == {
        "fails": 2, "re-keys": 1, "changes rows": 0, "unknown": 1, "no effect": 0
    }  # fmt: skip


@ONE_DATABASE
def test_exit_codes_messages_and_what_is_in_no_report(fleet: World) -> None:
    assert fleet.run("plan", "--impact", "acme", "--detailed-exitcode", "--only", "oak").code == 0
    change(fleet, id="State ID")
    assert fleet.run("plan", "--impact", "acme").code == 0
    assert fleet.run("plan", "--impact", "acme", "--detailed-exitcode").code == 2
    for name in ("acmee", "", "mappers", "mappers/other.json", "/etc/passwd"):
        wrong = fleet.run("plan", "--impact", name, "--format", "json")
        assert (wrong.code, wrong.json["error"]["code"]) == (64, "usage.mapper")
        assert wrong.json["error"]["hint"]
    for form in ("text", "json", "markdown"):
        said = fleet.run("plan", "--impact", "acme", "--format", form).out
        assert "oak" in said
        assert "First1" not in said
        assert "Last1" not in said
