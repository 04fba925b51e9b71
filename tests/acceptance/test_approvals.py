"""A held change of rows is let through by a file in git, and by none but that of exactly these rows."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from reconciler.store import Store
from tests.acceptance.world import World, contacts_csv, result_of, students_csv

COUNT = 100
GONE = 41


@pytest.fixture
def oak(world: World) -> World:
    """A hundred students with a contact each, synced, in a git repository."""
    put(world, COUNT)
    world.district("oak", schools=["0042"])
    git(world, "init", "--quiet", "--initial-branch=main")
    commit(world, "Onboard oak")
    assert world.run("reconcile").code == 0
    return world


def put(world: World, count: int, first: int = 1, **more: Any) -> None:
    rows = students_csv(count, first=first, **more)
    world.put("oak", {"students.csv": rows, "contacts.csv": contacts_csv(count, first=first)})


def git(world: World, *arguments: str) -> str:
    who = ["-c", "user.name=Rosa Diaz", "-c", "user.email=rosa@example.org"]
    done = subprocess.run(
        ["git", *who, "-C", str(world.root), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(world: World, message: str) -> str:
    git(world, "add", "--all")
    git(world, "commit", "--quiet", "--message", message)
    return git(world, "rev-parse", "HEAD")


def held(world: World, command: str = "sync") -> dict[str, Any]:
    """The error of a sync that is held."""
    done = world.run(command, "--format", "json")
    assert done.code == 3, done.out + done.err
    return dict(result_of(done.json, "oak")["error"])


def approve(world: World, *options: str) -> dict[str, Any]:
    done = world.run("approve", "oak", "--format", "json", *options)
    assert done.code == 0, done.err
    return dict(done.json)


def students(world: World) -> int:
    return len(world.export("students"))


def test_an_approval_in_git_lets_exactly_what_was_held_through(oak: World) -> None:
    put(oak, COUNT - GONE)
    error = held(oak)
    written = approve(oak, "--reason", "Jefferson closed")
    assert written["file"] == f"approvals/oak/{error['digest']}.yaml"
    sha = commit(oak, "Approve the removals of oak")
    assert oak.run("validate").code == 0

    (planned,) = oak.json("plan")["districts"]
    assert (planned["action"], planned["reason"], planned["steps"]) == ("update", "approved", ["sync"])
    done = oak.run("reconcile", "--format", "json")
    assert done.code == 0, done.out
    result = result_of(done.json, "oak")
    assert result["notes"][0] == f"released by {written['file']} ({sha[:12]} by Rosa Diaz <rosa@example.org>)"
    assert students(oak) == COUNT - GONE
    steps = [s for run in oak.json("history", "oak") for r in run["results"] for s in r["steps"]]
    (step,) = [s for s in steps if "approval" in s]
    assert step["approval"] == {
        "file": written["file"], "digest": error["digest"], "commit": sha,
        "author": "Rosa Diaz <rosa@example.org>",
    }  # fmt: skip
    assert f"released by {written['file']}" in oak.run("history", "oak").out
    assert oak.json("plan")["districts"] == []
    assert oak.status("oak")["problem"] is None


Change = Callable[[World], None]

OTHER_ROWS: dict[str, Change] = {
    "one more is gone": lambda w: put(w, COUNT - GONE - 1),
    "one fewer is gone": lambda w: put(w, COUNT - GONE + 1),
    "as many others are gone": lambda w: put(w, COUNT - GONE, first=GONE + 1),
    "another student changes with them": lambda w: w.put(
        "oak", {"students.csv": students_csv(COUNT - GONE).replace(",First7,", ",Firstborn,")}
    ),
    "another student comes with them": lambda w: w.put(
        "oak", {"students.csv": students_csv(COUNT - GONE) + "90001,0042,New,Kid,05,2012-01-01\n"}
    ),
}


@pytest.mark.parametrize("change", OTHER_ROWS.values(), ids=OTHER_ROWS)
def test_an_approval_lets_nothing_else_through_where(oak: World, change: Change) -> None:
    put(oak, COUNT - GONE)
    first = held(oak)
    approve(oak)
    change(oak)
    for command in ("reconcile", "sync"):
        second = held(oak, command)
        assert second["digest"] != first["digest"]
        assert "Not approved" not in second["message"]
    assert students(oak) == COUNT


def test_the_same_students_gone_again_are_held_again(oak: World) -> None:
    put(oak, COUNT - GONE)
    held(oak)
    approve(oak)
    assert oak.run("sync").code == 0
    put(oak, COUNT)
    assert oak.run("sync").code == 0
    put(oak, COUNT - GONE)
    assert held(oak)["code"] == "sync.removals"
    assert students(oak) == COUNT


def the_file(world: World) -> Path:
    (path,) = (world.root / "approvals" / "oak").iterdir()
    return path


def edited(world: World, old: str, new: str) -> None:
    text = the_file(world).read_text()
    assert old in text
    the_file(world).write_text(text.replace(old, new))


def expire(world: World) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    the_file(world).write_text(
        re.sub(r"expires: [\d-]+", f"expires: {yesterday}", the_file(world).read_text())
    )


def rename(world: World, name: str) -> None:
    (world.root / name).parent.mkdir(exist_ok=True)
    the_file(world).rename(world.root / name)


VOID: dict[str, tuple[Change, str]] = {
    "has expired": (expire, "has expired on "),
    "says fewer rows than it lets through": (
        lambda w: edited(w, "rows: 41", "rows: 4"), "names other limits, or other numbers of rows",
    ),
    "names one limit less than it breaks": (
        lambda w: edited(w, "  - {limit: max_removal_percent, of: students, rows: 41, active: 100}\n", ""),
        "names other limits, or other numbers of rows",
    ),
    "is of another district inside": (
        lambda w: edited(w, "district: oak", "district: elm"), "another district",
    ),
    "is of another digest inside": (
        lambda w: edited(w, 'digest: "', 'digest: "' + "0" * 64 + '"  # '), "another digest",
    ),
    "has a key that nobody knows": (
        lambda w: edited(w, "reason:", "everything: true\nreason:"), "is not valid",
    ),
    "has no reason": (lambda w: edited(w, "reason: ", "reason: ''  # "), "is not valid"),
    "is no YAML": (lambda w: edited(w, "district:", "\tdistrict:"), "is not valid"),
    "lies in the folder of another district": (lambda w: rename(w, f"approvals/elm/{'0' * 64}.yaml"), ""),
    "has another ending": (lambda w: rename(w, "approvals/oak/approval.yml"), ""),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), VOID.values(), ids=VOID)
def test_an_approval_approves_nothing_that(oak: World, spoil: Change, said: str) -> None:
    put(oak, COUNT - GONE)
    held(oak)
    approve(oak)
    spoil(oak)
    error = held(oak)
    assert said in error["message"]
    assert f"of {COUNT} active students would be removed" in error["message"]
    assert students(oak) == COUNT


def test_a_hold_that_ended_by_itself_is_nothing_to_approve(oak: World) -> None:
    """The files of before are back, with the size and time that they had: nothing is read."""
    folder = oak.export_of("oak")
    before = {path: (path.read_bytes(), path.stat().st_mtime) for path in folder.iterdir()}
    put(oak, COUNT - GONE)
    held(oak)
    approve(oak)
    for path, (content, at) in before.items():
        path.write_bytes(content)
        os.utime(path, (at, at))
    assert oak.run("reconcile").code == 0
    assert oak.json("plan")["districts"] == []
    assert oak.run("approve", "oak").code == 64


@pytest.mark.parametrize("hold", ["no JSON", "{}", '{"digest": "' + "0" * 64 + '", "limits": []}'])
def test_what_is_approved_is_what_the_program_held_whatever_stands_there_by_hand(
    oak: World, hold: str
) -> None:
    put(oak, COUNT - GONE)
    digest = held(oak)["digest"]
    with Store(oak.database_url) as store:
        edit = text("UPDATE connection SET hold = :hold, delta_key = 'known'")
        store._database.write(lambda t: t.execute(edit, {"hold": hold}))
    assert approve(oak)["digest"] == digest
    assert oak.run("reconcile").code == 0
    assert students(oak) == COUNT - GONE


def test_a_folder_that_leads_out_of_the_repository_approves_nothing(oak: World, tmp_path: Path) -> None:
    put(oak, COUNT - GONE)
    held(oak)
    approve(oak)
    (oak.root / "approvals").rename(tmp_path / "outside")
    (oak.root / "approvals").symlink_to(tmp_path / "outside")
    assert "out of the repository" in held(oak)["message"]
    assert students(oak) == COUNT


def test_a_link_out_of_the_repository_approves_nothing(oak: World, tmp_path: Path) -> None:
    put(oak, COUNT - GONE)
    held(oak)
    file = oak.root / approve(oak)["file"]
    outside = tmp_path / "outside.yaml"
    file.rename(outside)
    file.symlink_to(outside)
    assert "symbolic link" in held(oak)["message"]
    assert students(oak) == COUNT


GUARDED: dict[str, tuple[Change, str]] = {
    "a file without rows": (lambda w: w.put("oak", {"students.csv": students_csv(0)}), "csv.empty"),
    "a file cut in the middle of a row": (
        lambda w: w.put("oak", {"students.csv": students_csv(COUNT - GONE)[:-9]}), "csv.truncated",
    ),
    "a file cut at the end of a line": (
        lambda w: w.put("oak", {"students.csv": students_csv(COUNT - GONE).rstrip("\n")}), "csv.truncated",
    ),
    "a file that is not there": (lambda w: (w.export_of("oak") / "students.csv").unlink(), "sftp.no-files"),
    "too many rejected rows": (
        lambda w: w.put("oak", {"students.csv": students_csv(COUNT - GONE) + ",0042,A,B,05,\n" * 20}),
        "csv.rows",
    ),
    "a column that was there": (
        lambda w: w.put("oak", {"students.csv": students_csv(COUNT - GONE).replace(",grade,", ",level,")}),
        "mapper.column",
    ),
}  # fmt: skip


def test_an_approval_waives_no_guard_but_the_limits_that_it_names(oak: World) -> None:
    put(oak, COUNT - GONE)
    held(oak)
    approve(oak)
    for what, (spoil, code) in GUARDED.items():
        put(oak, COUNT - GONE)
        spoil(oak)
        done = oak.run("sync", "--format", "json")
        assert done.code == 1, what
        assert result_of(done.json, "oak")["error"]["code"] == code, what
        assert students(oak) == COUNT, what
    put(oak, COUNT - GONE)
    assert oak.run("sync").code == 0  # the approval was there all the time


def test_contact_safety_is_approved_by_its_own_digest(oak: World) -> None:
    oak.put("oak", {"contacts.csv": contacts_csv(COUNT).replace(",\n", ",yes\n")})
    error = held(oak)
    assert error["code"] == "sync.contacts"
    assert error["limits"] == [{"limit": "rights-loosened", "of": "relationships", "rows": 50, "active": 100}]
    approve(oak, "--reason", "Confirmed by phone with the district")
    assert oak.run("sync").code == 0
    assert {r["may_pick_up"] for r in oak.export("relationships")} == {"yes"}


def test_a_digest_tells_nobody_which_rows_are_held(world: World) -> None:
    """The same students, held in two districts: each connection has a key of its own."""
    for name in ("oak", "elm"):
        world.put(name, {"students.csv": students_csv(COUNT)})
        world.district(name, schools=["0042"])
    assert world.run("reconcile").code == 0
    for name in ("oak", "elm"):
        world.put(name, {"students.csv": students_csv(COUNT - GONE)})
    elm, oak = (r["error"] for r in world.json("sync")["results"])
    assert elm["limits"] == oak["limits"]
    assert elm["digest"] != oak["digest"]
    assert world.status("oak")["problem"]["digest"] == oak["digest"]
    assert result_of(world.json("sync"), "oak")["error"]["digest"] == oak["digest"]


def test_a_preview_shows_the_digest_and_what_the_approval_will_do(oak: World) -> None:
    put(oak, COUNT - GONE)
    (before,) = oak.json("plan", "--only", "oak", "--preview")["next_syncs"]
    assert before["preview"]["outcome"] == "blocked"
    assert before["preview"]["approval"] is None
    assert before["preview"]["error"]["digest"] == held(oak)["digest"]
    file = approve(oak)["file"]
    (planned,) = oak.json("plan", "--only", "oak", "--preview")["districts"]
    assert planned["preview"]["outcome"] == "succeeded"
    assert planned["preview"]["approval"]["file"] == file
    assert f"released by {file} (not committed)" in planned["preview"]["notes"]
    assert students(oak) == COUNT


def test_nothing_but_its_own_approval_has_a_held_district_planned_again(oak: World) -> None:
    put(oak, COUNT - GONE)
    held(oak)
    assert oak.json("plan")["districts"] == []
    approve(oak)
    commit(oak, "Approve")
    assert [d["reason"] for d in oak.json("plan")["districts"]] == ["approved"]
    assert [d["district"] for d in oak.json("plan", "--since", "HEAD~1")["districts"]] == ["oak"]
    assert oak.json("plan", "--since", "HEAD")["districts"] == []


def test_what_is_not_held_cannot_be_approved(oak: World) -> None:
    refused = oak.run("approve", "oak", "--format", "json")
    assert refused.code == 64
    assert refused.json["error"]["code"] == "usage.approve"
    assert not (oak.root / "approvals").exists()


def test_approving_again_renews_the_file(oak: World) -> None:
    put(oak, COUNT - GONE)
    held(oak)
    first = approve(oak, "--days", "1")
    again = approve(oak, "--days", "30", "--reason", "It takes longer: 'quotes', #hash and {braces}")
    assert (first["new"], again["new"]) == (True, False)
    assert again["file"] == first["file"]
    assert oak.run("validate").code == 0
    assert oak.run("sync").code == 0
