"""The promises about rows: nobody is removed by an accident, and what is held says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.world import World, contacts_csv, result_of, students_csv


@pytest.fixture
def oak(world: World) -> World:
    """A district of 40 students with a parent each, synced."""
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(40), "contacts.csv": contacts_csv(40)})
    assert world.run("reconcile").code == 0
    assert len(world.export("relationships")) == 40
    return world


def cut(text: str) -> str:
    return text[: len(text) // 2]


SPOILED: dict[str, Callable[[World], None]] = {
    "cut in half": lambda w: w.put("oak", {"students.csv": cut(students_csv(40))}),
    "cut at the last row's last cell": lambda w: w.put("oak", {"students.csv": students_csv(33)[:-3]}),
    "empty": lambda w: w.put("oak", {"students.csv": ""}),
    "header only": lambda w: w.put("oak", {"students.csv": students_csv(0)}),
    "without its header": lambda w: w.put("oak", {"students.csv": students_csv(40).split("\n", 1)[1]}),
    "missing": lambda w: (w.export_of("oak") / "students.csv").unlink(),
    "contacts cut in half": lambda w: w.put("oak", {"contacts.csv": cut(contacts_csv(40))}),
    "contacts empty": lambda w: w.put("oak", {"contacts.csv": ""}),
    "contacts header only": lambda w: w.put("oak", {"contacts.csv": contacts_csv(0)}),
    "contacts missing": lambda w: (w.export_of("oak") / "contacts.csv").unlink(),
    "a column is gone": lambda w: w.put(
        "oak", {"contacts.csv": contacts_csv(40).replace("may_pick_up", "x", 1)}
    ),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_spoiled_file_removes_nobody(oak: World, spoil: Callable[[World], None]) -> None:
    before = oak.everything()
    spoil(oak)
    done = oak.run("sync")
    assert done.code in (0, 1)
    assert oak.everything() == before


@pytest.mark.parametrize(
    ("students", "removed", "held"),
    [(40, 10, False), (40, 11, True), (120, 12, False), (120, 13, True)],
    ids=["10 of 40", "11 of 40", "10 percent of 120", "more than 10 percent of 120"],
)
def test_removals_are_held_over_ten_percent_and_over_ten(
    world: World, students: int, removed: int, held: bool
) -> None:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(students)})
    world.run("reconcile")
    world.put("oak", {"students.csv": students_csv(students - removed, first=removed + 1)})

    done = world.run("sync", "--format", "json")

    result = result_of(done.json, "oak")
    assert done.code == (3 if held else 0)
    assert len(world.export("students")) == (students if held else students - removed)
    if held:
        assert (result["outcome"], result["error"]["code"]) == ("blocked", "sync.removals")
        assert f"{removed} of {students} active students" in result["error"]["message"]
        assert "Likely cause" in result["error"]["message"]
        assert world.status("oak")["sync_status"] == "Blocked"
        assert world.run("sync", "--allow-removals", "oak").code == 0
        assert len(world.export("students")) == students - removed
        assert world.status("oak")["sync_status"] == "Started"
    else:
        assert result["rows"]["students"]["removed"] == removed


def test_reconcile_lets_a_held_sync_through_too(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(20), "contacts.csv": contacts_csv(20)})
    assert oak.run("sync").code == 3
    assert oak.run("reconcile").code == 0
    assert len(oak.export("students")) == 40
    assert oak.run("reconcile", "--allow-removals", "oak").code == 0
    assert len(oak.export("students")) == 20
    assert oak.status("oak")["sync_status"] == "Started"


def test_a_waived_limit_holds_again_the_next_time(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(20), "contacts.csv": contacts_csv(20)})
    assert oak.run("sync", "--allow-removals", "oak").code == 0
    oak.put("oak", {"students.csv": students_csv(5), "contacts.csv": contacts_csv(5)})
    assert oak.run("sync").code == 3
    assert len(oak.export("students")) == 20


def test_changes_are_held_over_their_limit(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(40, grade="06")})
    done = oak.run("sync", "--format", "json")
    assert done.code == 3
    assert result_of(done.json, "oak")["error"]["code"] == "sync.changes"
    assert {r["grade"] for r in oak.export("students")} == {"05"}


def test_a_student_who_left_returns_with_the_contacts(oak: World) -> None:
    before = oak.everything()
    oak.put("oak", {"students.csv": students_csv(38), "contacts.csv": contacts_csv(38)})
    rows = result_of(oak.json("sync"), "oak")["rows"]
    assert (rows["students"]["removed"], rows["contacts"]["removed"], rows["relationships"]["removed"]) == (
        2,
        2,
        2,
    )
    oak.put("oak", {"students.csv": students_csv(40), "contacts.csv": contacts_csv(40)})
    rows = result_of(oak.json("sync"), "oak")["rows"]
    assert rows["students"]["added"] == 2
    assert oak.everything() == before


def test_an_invalid_row_is_not_a_missing_one(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(40).replace("Last7,", ",", 1)})
    done = oak.run("sync", "--format", "json")
    rows = result_of(done.json, "oak")["rows"]
    assert done.code == 0
    assert (rows["students"]["rejected"], rows["students"]["removed"], rows["relationships"]["removed"]) == (
        1,
        0,
        0,
    )
    assert len(oak.export("students")) == 40
    (reject,) = oak.json("rejects", "oak")
    assert (reject["file"], reject["row"], reject["column"], reject["code"]) == (
        "students.csv", 8, "last_name", "row.required",
    )  # fmt: skip


def test_a_sync_of_unchanged_files_downloads_nothing(oak: World) -> None:
    done = oak.run("sync", "--format", "json")
    assert done.code == 0
    assert done.json["summary"]["unchanged"] == 1
    assert result_of(done.json, "oak")["outcome"] == "unchanged"


def test_a_file_that_has_lost_the_line_with_its_end_removes_nobody(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(40) + "Total: 40\n"})
    assert oak.run("sync").code == 0
    oak.put("oak", {"students.csv": students_csv(38)})
    error = result_of(oak.json("sync"), "oak")["error"]
    assert error["code"] == "csv.truncated"
    assert "no longer ends with the line that says its end" in error["message"]
    oak.put("oak", {"students.csv": students_csv(38) + "Total: 38\n"})
    assert oak.run("sync").code == 0
    assert len(oak.export("students")) == 38


def test_removing_every_file_stops_every_connection_and_removes_no_row(oak: World) -> None:
    before = oak.everything()
    (oak.root / "districts" / "oak.yaml").unlink()
    assert oak.json("plan")["districts"][0]["action"] == "retire"
    assert oak.run("reconcile").code == 0
    assert oak.status("oak")["sync_status"] == "Stopped"
    assert oak.everything() == before
    assert oak.json("plan")["districts"] == []
    assert oak.run("sync").code == 0
    assert oak.everything() == before


def test_rows_of_a_retired_district_become_inactive_when_the_time_has_come_and_return_with_its_file(
    oak: World,
) -> None:
    before = oak.everything()
    document = (oak.root / "districts" / "oak.yaml").read_text()
    (oak.root / "districts" / "oak.yaml").unlink()
    oak.policy(retire_after_days=0)
    assert oak.run("reconcile").code == 0
    assert oak.everything() == {e: [] for e in before}
    assert oak.json("plan")["districts"] == []
    (oak.root / "districts" / "oak.yaml").write_text(document)
    assert oak.json("plan")["districts"][0]["action"] == "start"
    assert oak.run("reconcile").code == 0
    assert oak.everything() == before


def test_a_broken_file_of_a_district_is_not_a_removed_one(oak: World) -> None:
    (oak.root / "districts" / "oak.yaml").write_text("district: oak\nsftp: {host: }\n")
    done = oak.run("reconcile", "--format", "json")
    assert done.code == 1
    assert result_of(done.json, "oak")["error"]["code"].startswith("config.")
    assert oak.status("oak")["sync_status"] == "Started"
    assert len(oak.export("students")) == 40


def test_stopping_and_starting_is_one_key_in_the_file(oak: World) -> None:
    oak.district("oak", schools=["0042"], sync={"state": "stopped"})
    plan = oak.json("plan")["districts"][0]
    assert (plan["action"], plan["steps"]) == ("stop", ["stop"])
    assert oak.run("reconcile").code == 0
    assert oak.status("oak")["sync_status"] == "Stopped"
    assert oak.json("plan")["districts"] == []
    oak.district("oak", schools=["0042"])
    plan = oak.json("plan")["districts"][0]
    assert (plan["action"], plan["steps"]) == ("start", ["sync"])
    assert oak.run("reconcile").code == 0
    assert oak.status("oak")["sync_status"] == "Started"


def test_a_district_without_a_mapped_school_is_initialized_and_waits(world: World) -> None:
    world.district("oak")
    world.put("oak", {"students.csv": students_csv(4)})
    done = world.run("reconcile", "--format", "json")
    result = result_of(done.json, "oak")
    assert done.code == 0
    assert [s["name"] for s in result["steps"]] == ["test", "initialize"]
    assert "1 school waits to be mapped (4 students): `reconciler schools oak`" in result["notes"][0]
    status = world.status("oak")
    assert (status["phase"], status["sync_status"]) == ("initialized", "Not started")
    assert status["schools"] == {"mapped": 0, "unmapped": 1, "ignored": 0}
    assert world.json("plan")["districts"] == []
    (school,) = world.json("schools", "oak")["schools"]
    assert (school["sis_id"], school["state"], school["students"]) == ("0042", "unmapped", 4)

    world.district("oak", schools=["0042"])
    assert world.json("plan")["districts"][0]["steps"] == ["map_schools", "sync"]
    assert world.run("reconcile").code == 0
    assert len(world.export("students")) == 4


def test_leading_zeros_live_from_the_file_to_the_export(world: World) -> None:
    world.district("oak", schools={"0042": "0007"})
    world.put("oak", {"students.csv": students_csv(2)})
    assert world.run("reconcile").code == 0
    assert [(r["id"], r["sis_school"], r["school"]) for r in world.export("students")] == [
        ("00001", "0042", "0007"), ("00002", "0042", "0007"),
    ]  # fmt: skip


def test_an_unquoted_school_id_in_yaml_is_refused_with_the_hint_to_quote_it(world: World) -> None:
    path = world.district("oak", schools=["0042"])
    path.write_text(path.read_text().replace('"0042"', "0042"))
    problem = world.json("validate")["problems"][0]
    assert problem["code"] == "config.schema"
    assert '"0042"' in problem["message"] + problem["hint"]
    assert (problem["file"], problem["path"]) == ("districts/oak.yaml", "schools[0].sis_id")
    assert problem["line"] > 1


def test_unmapping_a_school_moves_its_students_out_under_the_limits(world: World) -> None:
    world.district("oak", schools=["0042", "0043"])
    both = students_csv(30) + students_csv(5, school="0043", first=31).split("\n", 1)[1]
    world.put("oak", {"students.csv": both})
    assert world.run("reconcile").code == 0
    world.district("oak", schools=["0042"], ignored_schools=["0043"])
    rows = result_of(world.json("reconcile"), "oak")["rows"]["students"]
    assert (rows["removed"], rows["skipped"], rows["unchanged"]) == (5, 5, 30)


def test_a_hold_that_the_mapping_causes_says_so(world: World) -> None:
    world.district("oak", schools=["0042", "0043"])
    both = students_csv(30) + students_csv(20, school="0043", first=31).split("\n", 1)[1]
    world.put("oak", {"students.csv": both})
    assert world.run("reconcile").code == 0
    world.district("oak", schools=["0042"])
    done = world.run("reconcile", "--format", "json")
    assert done.code == 3
    assert "the district's own file, or its mapper" in result_of(done.json, "oak")["error"]["message"]
    assert len(world.export("students")) == 50
    assert world.run("reconcile", "--allow-removals", "oak").code == 0
    assert len(world.export("students")) == 30


ORGS = "sourcedId,status,name,type\n0042,,Lincoln,school\n"
USERS = (
    "sourcedId,status,orgSourcedIds,role,givenName,familyName\n"
    "1,,0042,student,Ada,Ash\n"
    "2,,0042,student,Bo,Birch\n"
)
DEMOGRAPHICS = "sourcedId,birthDate,sex\n1,2012-05-06,female\n2,2013-06-07,male\n"


@pytest.mark.parametrize("spoiled", ["sourcedId,birthDate,sex\n", None], ids=["header only", "missing"])
def test_a_joined_file_without_rows_empties_no_field(world: World, spoiled: str | None) -> None:
    world.district("oak", "oneroster-1.1", schools=["0042"])
    world.put("oak", {"orgs.csv": ORGS, "users.csv": USERS, "demographics.csv": DEMOGRAPHICS})
    assert world.run("reconcile").code == 0
    before = world.everything()
    if spoiled is None:
        (world.export_of("oak") / "demographics.csv").unlink()
    else:
        world.put("oak", {"demographics.csv": spoiled})
    assert world.run("sync").code == 1
    assert world.everything() == before
    assert [r["birth_date"] for r in before["students"]] == ["2012-05-06", "2013-06-07"]


SEVERAL = (
    "sourcedId,status,orgSourcedIds,role,givenName,familyName\n"
    '1,,"district,7,0042",student,Ada,Ash\n'
    "2,,0042,student,Bo,Birch\n"
    '3,,"district,7",student,Cy,Cedar\n'
)


def test_a_student_of_several_schools_is_at_the_first_that_is_mapped(world: World) -> None:
    world.district("oak", "oneroster-1.1", schools=["0042"])
    orgs = ORGS + "7,,Tech Center,school\ndistrict,,Oak ISD,district\n"
    world.put("oak", {"orgs.csv": orgs, "users.csv": SEVERAL})
    rows = result_of(world.json("reconcile"), "oak")["rows"]["students"]
    assert (rows["read"], rows["added"], rows["skipped"], rows["rejected"]) == (3, 2, 1, 0)
    assert [(r["id"], r["sis_school"]) for r in world.export("students")] == [("1", "0042"), ("2", "0042")]
    listed = {s["sis_id"]: s["students"] for s in world.json("schools", "oak")["schools"]}
    assert listed == {"0042": 2, "7": 2}

    world.district("oak", "oneroster-1.1", schools=["0042", "7"])
    assert world.run("reconcile").code == 0
    assert [(r["id"], r["sis_school"]) for r in world.export("students")] == [
        ("1", "7"),
        ("2", "0042"),
        ("3", "7"),
    ]


PAUSED = {"pause": [{"from": "2020-01-01", "until": "2099-12-31"}]}


def test_a_pause_rests_every_sync_and_sends_nobody_back(oak: World) -> None:
    oak.district("oak", schools=["0042"], sync=PAUSED)
    assert oak.run("reconcile").code == 0
    assert (oak.status("oak")["phase"], oak.status("oak")["sync_status"]) == ("syncing", "Started")
    oak.put("oak", {"students.csv": students_csv(41)})
    for names in ([], ["oak"]):
        done = oak.run("sync", *names, "--format", "json")
        assert done.code == 0
        assert result_of(done.json, "oak")["notes"] == ["paused until 2099-12-31"]
    assert len(oak.export("students")) == 40
    oak.district("oak", schools=["0042"])
    assert oak.run("reconcile").code == 0
    assert oak.run("sync").code == 0
    assert len(oak.export("students")) == 41


def test_a_named_district_that_rests_does_not_keep_the_others_waiting(oak: World) -> None:
    oak.district("elm", schools=["0042"], sync={"state": "stopped"})
    oak.put("elm", {"students.csv": students_csv(2)})
    assert oak.run("reconcile").code == 0
    oak.put("oak", {"students.csv": students_csv(41)})
    done = oak.run("sync", "elm", "oak", "--format", "json")
    assert done.code == 0
    assert result_of(done.json, "elm")["notes"][0].startswith("stopped")
    assert result_of(done.json, "oak")["outcome"] == "succeeded"


@pytest.mark.parametrize(("mode", "left"), [("bulk", 1), ("delta", 2), ("absent", 2)])
def test_a_delta_is_not_taken_for_the_whole(world: World, mode: str, left: int) -> None:
    world.district("oak", "oneroster-1.1", schools=["0042"])
    world.put("oak", {"orgs.csv": ORGS, "users.csv": USERS})
    assert world.run("reconcile").code == 0
    manifest = f"propertyName,value\nmanifest.version,1.0\nfile.orgs,bulk\nfile.users,{mode}\n"
    world.put("oak", {"manifest.csv": manifest, "users.csv": "\n".join(USERS.splitlines()[:2]) + "\n"})
    assert world.run("sync").code == 0
    assert len(world.export("students")) == left
