"""OneRoster's packages, through the program: bulk is all, a delta is a change of it, absent says nothing."""

from __future__ import annotations

import csv
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reconciler.mapping.library import builtin
from tests.acceptance.world import World, csv_text, result_of
from tests.roster.packages import Rows, manifest, table

ORGS: Rows = {"S1": ("Lincoln", "school"), "S2": ("Grant", "school")}
USERS: Rows = {
    **{f"k{n}": ("S1", "student", f"Kid{n}", "Okafor", "", f"p{n}") for n in range(1, 7)},
    **{f"p{n}": ("S1", "parent", f"Parent{n}", "Okafor", f"202-555-010{n}", "") for n in range(1, 7)},
    "t1": ("S1", "teacher", "Ida", "Brown", "", ""),
}
BIRTHS: Rows = {f"k{n}": (f"2015-0{n}-03", "female") for n in range(1, 7)}
DELETED = "tobedeleted"


def send(world: World, files: Mapping[str, str] | None = None, **modes: str) -> None:
    """Replace the district's folder by a package; a file that no mode is said of is absent."""
    for path in world.export_of("oak").iterdir():
        path.unlink()
    listed = {"orgs": "absent", "users": "absent", "demographics": "absent", **modes}
    contents = {f"{name}.csv": content for name, content in (files or {}).items()}
    world.put("oak", {"manifest.csv": manifest(listed), **contents})


BULK = {"orgs": "bulk", "users": "bulk", "demographics": "bulk"}
WHOLE = {
    "orgs": table("orgs", ORGS),
    "users": table("users", USERS),
    "demographics": table("demographics", BIRTHS),
}


def whole(**changed: Rows) -> dict[str, str]:
    """The files of a bulk package, some of them with other rows."""
    return {**WHOLE, **{file: table(file, rows) for file, rows in changed.items()}}


@pytest.fixture
def oak(world: World) -> World:
    """A district whose bulk package is synced."""
    world.district("oak", "oneroster-1.1", schools=["S1", "S2"])
    send(world, WHOLE, **BULK)
    assert world.run("reconcile").code == 0
    assert len(world.export("relationships")) == 6
    return world


def sync(world: World, *options: str) -> dict[str, Any]:
    return result_of(world.run("sync", "oak", *options, "--format", "json").json, "oak")


def synced(world: World, *options: str) -> dict[str, Any]:
    result = sync(world, *options)
    assert result["error"] is None, result["error"]
    return result


def refused(world: World, code: str = "csv.manifest") -> str:
    """The message of a sync that is refused, and leaves every row as it was."""
    before = world.everything()
    error = sync(world)["error"]
    assert error["code"] == code
    assert world.everything() == before
    return f"{error['message']}. {error['hint']}"


def ids(world: World, entity: str = "students") -> set[str]:
    return {row["id"] for row in world.export(entity)}


def student(world: World, key: str) -> dict[str, str]:
    (found,) = [row for row in world.export("students") if row["id"] == key]
    return found


# -- the three modes --------------------------------------------------------------------------------------


def test_a_bulk_file_is_the_whole_truth_and_who_comes_back_returns(oak: World) -> None:
    send(oak, whole(users={k: v for k, v in USERS.items() if k != "k1"}), **BULK)
    synced(oak)
    assert ids(oak) == {"k2", "k3", "k4", "k5", "k6"}
    send(oak, WHOLE, **BULK)
    synced(oak)
    assert "k1" in ids(oak)


def test_a_delta_changes_adds_and_deletes_and_leaves_the_others(oak: World) -> None:
    others = {k: student(oak, k) for k in ("k3", "k4", "k5", "k6")}
    changes = {
        "k1": ("S2", "student", "Kid1", "Brown", "", "p1"),
        "k2": ("", "student", "", "", "", ""),
        "k9": ("S2", "student", "Kid9", "Okafor", "", "p2"),
    }
    send(oak, {"users": table("users", changes, {"k1": "active", "k2": "ToBeDeleted "})}, users="Delta")
    result = synced(oak)
    assert ids(oak) == {"k1", "k3", "k4", "k5", "k6", "k9"}
    assert (student(oak, "k1")["last_name"], student(oak, "k1")["school"]) == ("Brown", "school-s2")
    assert {k: student(oak, k) for k in others} == others
    counts = result["rows"]["students"]
    assert (counts["read"], counts["added"], counts["changed"], counts["removed"]) == (6, 1, 1, 1)
    (note,) = [n for n in result["notes"] if "delta" in n]
    assert note == "users.csv is a delta: 2 rows written over the 13 that were known, 1 deleted"


def test_a_deleted_parent_goes_with_the_relationships_and_comes_back_with_them(oak: World) -> None:
    parent = {"p1": USERS["p1"]}
    send(oak, {"users": table("users", parent, {"p1": DELETED})}, users="delta")
    synced(oak)
    assert "p1" not in ids(oak, "contacts")
    assert "p1" not in {r["contact"] for r in oak.export("relationships")}
    send(oak, {"users": table("users", parent, {"p1": "active"})}, users="delta")
    synced(oak)
    assert "p1" in ids(oak, "contacts")
    assert ("k1", "p1") in {(r["student"], r["contact"]) for r in oak.export("relationships")}


def test_demographics_may_come_without_the_users_that_they_are_of(oak: World) -> None:
    send(oak, {"demographics": table("demographics", {"k3": ("2014-12-31", "male")})}, demographics="delta")
    synced(oak)
    assert (student(oak, "k3")["birth_date"], student(oak, "k3")["gender"]) == ("2014-12-31", "male")
    assert student(oak, "k4")["birth_date"] == "2015-04-03"
    assert student(oak, "k3")["first_name"] == "Kid3"


def test_a_manifest_alone_is_no_update(oak: World) -> None:
    before = oak.everything()
    send(oak)
    assert synced(oak)["outcome"] == "unchanged"
    assert oak.everything() == before
    # and the next delta finds what it changes
    send(oak, {"users": table("users", {"k1": USERS["k1"]}, {"k1": DELETED})}, users="delta")
    synced(oak)
    assert len(ids(oak)) == 5


def test_a_file_that_the_manifest_calls_absent_is_not_read(oak: World) -> None:
    users = table("users", {"k1": USERS["k1"]})
    send(oak, {"orgs": WHOLE["orgs"], "users": users}, orgs="bulk", users="absent")
    result = synced(oak)
    assert len(ids(oak)) == 6
    assert "users.csv was not read: manifest.csv says that it is absent" in result["notes"]


def test_a_delta_with_a_header_alone_changes_nothing(oak: World) -> None:
    before = oak.everything()
    send(oak, {"users": table("users", {}), "demographics": table("demographics", {})},
         users="delta", demographics="delta")  # fmt: skip
    synced(oak)
    assert oak.everything() == before


def test_the_same_delta_twice_is_the_same_as_once(oak: World) -> None:
    delta = table("users", {"k1": ("S2", "student", "K", "O", "", "p1"), "k2": USERS["k2"]}, {"k2": DELETED})
    send(oak, {"users": delta}, users="delta")
    synced(oak)
    once = oak.everything()
    assert synced(oak)["outcome"] == "unchanged"
    send(oak, {"users": delta, "orgs": table("orgs", {})}, users="delta", orgs="delta")
    synced(oak)
    assert oak.everything() == once


def test_an_unchanged_listing_reads_nothing_after_a_delta(oak: World) -> None:
    send(oak, {"users": table("users", {"k1": USERS["k1"]})}, users="delta")
    synced(oak)
    oak.seen.clear()
    assert synced(oak)["outcome"] == "unchanged"
    assert {what for what, _ in oak.seen} & {"open", "read"} == set()


def test_files_without_a_manifest_are_bulk_and_a_delta_may_follow_them(oak: World) -> None:
    send(oak, {**whole(users={k: v for k, v in USERS.items() if k != "k1"})})
    (oak.export_of("oak") / "manifest.csv").unlink()
    synced(oak)
    assert len(ids(oak)) == 5
    send(oak, {"users": table("users", {"k2": USERS["k2"]}, {"k2": DELETED})}, users="delta")
    synced(oak)
    assert len(ids(oak)) == 4


def test_without_a_bulk_package_before_it_a_delta_is_refused(world: World) -> None:
    world.district("oak", "oneroster-1.1", schools=["S1", "S2"])
    send(world, WHOLE, **{**BULK, "users": "delta"})
    error = result_of(world.run("reconcile", "--format", "json").json, "oak")["error"]
    assert (error["code"], "bulk export first" in error["hint"]) == ("csv.manifest", True)
    send(world, WHOLE, **BULK)
    assert world.run("reconcile").code == 0
    assert len(ids(world)) == 6


def test_a_bulk_file_with_a_header_alone_is_refused_also_after_a_delta_like_it(oak: World) -> None:
    send(oak, {"demographics": table("demographics", {})}, demographics="delta")
    synced(oak)
    send(oak, whole(demographics={}), **BULK)
    refused(oak, "csv.empty")


def test_a_delta_that_lost_its_last_line_break_was_cut(oak: World) -> None:
    send(oak, {"users": table("users", {"k1": USERS["k1"], "p1": USERS["p1"]}).rstrip("\n")}, users="delta")
    refused(oak, "csv.truncated")


# -- deltas that were lost --------------------------------------------------------------------------------

MANY: Rows = {f"k{n:02d}": ("S1", "student", f"Kid{n}", "Okafor", "", "") for n in range(40)}
FIRST = table("users", {k: MANY[k] for k in list(MANY)[:12]}, dict.fromkeys(MANY, DELETED))
"""A delta that a limit holds: it deletes 12 of 40."""
SECOND = table("users", {"k39": ("S2", "student", "Kid39", "Moved", "", "")})


@pytest.fixture
def held(world: World) -> World:
    """A district of 40 students, and a delta that is held."""
    world.district("oak", "oneroster-1.1", schools=["S1", "S2"])
    send(world, {"orgs": table("orgs", ORGS), "users": table("users", MANY)}, orgs="bulk", users="bulk")
    assert world.run("reconcile").code == 0
    send(world, {"users": FIRST}, users="delta")
    refused(world, "sync.removals")
    return world


def test_a_delta_that_was_held_goes_through_once_a_person_says_so(held: World) -> None:
    refused(held, "sync.removals")
    synced(held, "--allow-removals", "oak")
    assert len(ids(held)) == 28
    send(held, {"users": SECOND}, users="delta")
    synced(held)
    assert student(held, "k39")["last_name"] == "Moved"


@pytest.mark.parametrize("replaced", ["by the next delta", "by no update"])
def test_a_delta_that_was_held_and_replaced_is_told_as_lost(held: World, replaced: str) -> None:
    if replaced == "by the next delta":
        send(held, {"users": SECOND}, users="delta")
    else:
        send(held)
    assert "was never applied, and has been replaced" in refused(held)
    # A bulk file makes up for it.
    send(held, {"users": table("users", {**MANY, "k00": ("S2", *MANY["k00"][1:])})}, users="bulk")
    synced(held)
    send(held, {"users": SECOND}, users="delta")
    synced(held)
    assert student(held, "k39")["last_name"] == "Moved"


def test_lost_deltas_are_made_up_for_in_their_order(held: World) -> None:
    send(held, {"users": SECOND}, users="delta")
    refused(held)
    send(held, {"users": FIRST}, users="delta")
    synced(held, "--allow-removals", "oak")
    send(held, {"users": SECOND}, users="delta")
    synced(held)
    assert (len(ids(held)), student(held, "k39")["last_name"]) == (28, "Moved")


def test_a_person_may_go_on_without_a_lost_delta(held: World) -> None:
    send(held, {"users": SECOND}, users="delta")
    synced(held, "--allow-removals", "oak")
    assert (len(ids(held)), student(held, "k39")["last_name"]) == (40, "Moved")
    send(held)
    synced(held)


def test_a_bulk_file_that_was_never_applied_is_lost_like_a_delta(world: World) -> None:
    world.district("oak", "oneroster-1.1", schools=["S1", "S2"])
    send(world, {"orgs": table("orgs", ORGS), "users": table("users", MANY)}, orgs="bulk", users="bulk")
    assert world.run("reconcile").code == 0
    few = {k: MANY[k] for k in list(MANY)[12:]}
    send(world, {"users": table("users", few)}, users="bulk")
    refused(world, "sync.removals")
    send(world, {"users": SECOND}, users="delta")
    assert "was never applied" in refused(world)


CRASH = """
import os, signal
from reconciler.cli import main
from reconciler.store import kept_files, store

def die(*_args):
    os.kill(os.getpid(), signal.SIGKILL)

if os.environ["CRASH_AT"] == "seen":
    store.Store.kept_files = die
else:
    real = kept_files.replace
    kept_files.replace = lambda *args: (real(*args), die())
main()
"""


@pytest.mark.parametrize("moment", ["seen", "written"])
def test_a_run_that_is_killed_neither_loses_a_delta_nor_applies_half_of_it(
    oak: World, tmp_path: Path, moment: str
) -> None:
    before = oak.everything()
    send(oak, {"users": table("users", {"k1": USERS["k1"]}, {"k1": DELETED})}, users="delta")
    script = tmp_path / "crash.py"
    script.write_text(CRASH)
    killed = subprocess.run(
        [sys.executable, str(script), "-C", str(oak.root), "sync", "oak"],
        env={**os.environ, **oak.environment, "CRASH_AT": moment}, capture_output=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -9
    assert oak.everything() == before
    there = {p.name: p.read_text() for p in oak.export_of("oak").iterdir()}
    send(oak, {"users": table("users", {"k2": USERS["k2"]}, {"k2": DELETED})}, users="delta")
    assert "was never applied" in refused(oak)
    oak.put("oak", there)
    synced(oak)
    assert ids(oak) == {"k2", "k3", "k4", "k5", "k6"}


# -- a real district over five exports --------------------------------------------------------------------

STEPS = ("", "Step1-UpdateCourse", "Step2-AddCourse", "Step3-DeleteCourse", "Step4-AddClass")


def difference(before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]]) -> str:
    """The delta from one export of a file to the next."""
    old, new = ({row["sourcedId"]: dict(row) for row in rows} for rows in (before, after))
    rows = [row for key, row in new.items() if old.get(key) != row]
    rows += [{**row, "status": DELETED} for key, row in old.items() if key not in new]
    columns = [c for c in after[0] if c]
    return csv_text(columns, [[row[c] for c in columns] for row in rows])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def class_mapper(world: World) -> None:
    """OneRoster's built-in, with classes and courses as its staff: the exports differ in nothing else."""
    loaded = builtin("oneroster-1.1").mapper
    assert loaded
    document = json.loads(json.dumps(loaded.document)) | {"name": "classes"}
    title = {
        "id": "sourcedId",
        "school": {"const": "Sch_000001"},
        "first_name": "title",
        "last_name": "title",
    }
    document["files"] |= {f: {"pattern": f"{f}.csv", "key": "sourcedId"} for f in ("classes", "courses")}
    document["entities"]["staff"] = [{"from": f, "fields": title} for f in ("classes", "courses")]
    (world.root / "mappers").mkdir(exist_ok=True)
    (world.root / "mappers" / "classes.json").write_text(json.dumps(document))


def test_a_bulk_export_and_four_deltas_give_what_the_fifth_bulk_export_gives(
    world: World, shared_data: Path
) -> None:
    class_mapper(world)
    base = shared_data / "oneroster11-snapshots" / "CSVSample"
    files = ("orgs", "users", "classes", "courses")
    exports = [{f: rows_of(base / step / f"{f}.csv") for f in files} for step in STEPS]
    schools = ["Sch_000001", "Sch_000002"]
    world.district("oak", "classes", schools=schools)
    send(world, {f: (base / f"{f}.csv").read_text() for f in files}, **dict.fromkeys(files, "bulk"))
    assert world.run("reconcile").code == 0
    for before, after in itertools.pairwise(exports):
        deltas = {f: difference(before[f], after[f]) for f in files}
        send(world, deltas, **dict.fromkeys(files, "delta"))
        synced(world)
    by_deltas = {e: world.run("export", e).out for e in ("students", "contacts", "relationships", "staff")}
    last = {f: (base / STEPS[-1] / f"{f}.csv").read_text() for f in files}
    world.district("elm", "classes", schools=schools)
    world.put("elm", {f"{f}.csv": text for f, text in last.items()})
    assert world.run("reconcile").code == 0
    for entity, text in by_deltas.items():
        fresh = world.run("export", entity, "--district", "elm").out
        assert text.replace("oak,", "elm,") == fresh
    assert len(world.export("staff", "--district", "oak")) == 9
