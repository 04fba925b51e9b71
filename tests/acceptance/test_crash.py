"""Killed at any step, and run twice at once: the next run ends where an undisturbed one does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.world import World, contacts_csv, result_of, students_csv

STUDENTS = 3000
MOMENTS = (
    "acquire",
    "save",
    "advance",
    "learn_schools",
    "write_sync",
    "merge",
    "commit",
    "finish",
    "release",
)

CRASH = """
import os, signal, sys
from reconciler.cli import main
from reconciler.store import roster_merge, store
from reconciler.store.database import Database

def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

moment = os.environ["CRASH_AT"]
if moment == "merge":
    real = roster_merge.merge
    def merge(transaction, district, delta, at):
        real(transaction, district, delta, at)
        if delta.entity == "contacts":
            die()
    store.merge = merge
elif moment == "commit":
    real_write = store.Store.write_sync
    def write_sync(self, *args, **kwargs):
        real_write(self, *args, **kwargs)
        die()
    store.Store.write_sync = write_sync
else:
    setattr(store.Store, moment, die)
main()
"""


@pytest.fixture
def oak(world: World) -> World:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(STUDENTS), "contacts.csv": contacts_csv(STUDENTS)})
    return world


def crash(world: World, script: Path, moment: str) -> int:
    """Run `reconcile` in a process that kills itself at the moment."""
    import sys  # noqa: PLC0415

    script.write_text(CRASH)
    done = subprocess.run(
        [sys.executable, str(script), "-C", str(world.root), "reconcile"],
        env={**os.environ, **world.environment, "CRASH_AT": moment},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.returncode


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_step_the_next_run_ends_with_the_same_rows(
    oak: World, tmp_path: Path, moment: str
) -> None:
    assert crash(oak, tmp_path / "crash.py", moment) == -signal.SIGKILL
    half = oak.export("students")
    assert len(half) in (0, STUDENTS)

    assert oak.run("reconcile").code == 0

    assert len(oak.export("students")) == STUDENTS
    assert len(oak.export("relationships")) == STUDENTS
    assert oak.json("plan")["districts"] == []
    assert oak.status("oak")["sync_status"] == "Started"


def test_killed_at_a_random_instant_the_next_run_ends_with_the_same_rows(oak: World) -> None:
    process = oak.start("reconcile")
    time.sleep(0.15)
    deadline = time.monotonic() + 60
    while not oak.seen and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert oak.run("reconcile").code == 0
    assert len(oak.export("students")) == STUDENTS
    assert oak.run("plan", "--detailed-exitcode").code == 0


def test_two_runs_at_once_do_the_work_once(oak: World) -> None:
    processes = [oak.start("reconcile", "--format", "json") for _ in range(2)]
    ended = [(p.communicate(timeout=120), p.returncode) for p in processes]
    assert [code for _, code in ended] == [0, 0], ended
    assert len(oak.export("students")) == STUDENTS
    created = [r for run in oak.json("history") for r in run["results"] if r["action"] == "create"]
    assert len(created) == 1


def test_temporary_files_of_a_killed_run_are_gone_after_the_next(oak: World, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    oak.environment["TMPDIR"] = str(scratch)
    crash(oak, tmp_path / "crash.py", "learn_schools")
    assert list(scratch.glob("reconciler-*"))
    oak.start("reconcile").communicate(timeout=120)
    assert not list(scratch.glob("reconciler-*"))


def test_an_interrupted_run_exits_with_130_and_can_be_run_again(oak: World) -> None:
    for number in range(6):
        oak.district(f"elm-{number}", schools=["0042"])
        oak.put(f"elm-{number}", {"students.csv": students_csv(2000)})
    process = oak.start("reconcile", "--workers", "1", "--format", "json")
    deadline = time.monotonic() + 60
    while not oak.seen and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert oak.run("reconcile").code == 0
    assert len(oak.export("students")) == STUDENTS + 6 * 2000


def test_applying_twice_equals_applying_once(oak: World) -> None:
    first = oak.json("reconcile")
    before = oak.everything()
    oak.environment["RECONCILER_DATABASE_URL"] = oak.database_url
    again = oak.json("reconcile")
    assert result_of(first, "oak")["rows"]["students"]["added"] == STUDENTS
    assert again["results"] == []
    assert oak.everything() == before
