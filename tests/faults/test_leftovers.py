"""What a run has of people beside the database is private while it works, and gone afterwards.

T12 of the threats: a lost runner, a stolen disk, a core dump on a shared machine.
"""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.store import Store
from tests import canaries
from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.laboratory import ended, instants, script, until

STUDENTS = 300
TOKEN = "CANARYborough"
HOLD = """
import time
from reconciler.roster import roster
resolve = roster.Roster.resolve
def hold(self, *given):
    found = resolve(self, *given)
    time.sleep(600)
    return found
roster.Roster.resolve = hold
"""
"""Lets a sync stop where every row is in memory and on its way to the database."""


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The folder is the same whatever the database is."""


@pytest.fixture
def oak(world: World) -> World:
    """A district whose every name is a canary, with enough rows to be caught at work."""
    world.district("oak", schools=["0042"])
    world.put(
        "oak",
        {
            "students.csv": students_csv(STUDENTS).replace("Last", TOKEN),
            "contacts.csv": contacts_csv(STUDENTS).replace("Last", TOKEN),
        },
    )
    return world


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def ran(world: World, *arguments: str) -> int:
    """The exit code of a process of its own."""
    with ended(world.start(*arguments)) as process:
        process.communicate()
    return process.returncode


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def holding_canaries(folder: Path) -> list[Path]:
    """As `grep -r` finds them, in any of the forms of a text."""
    sought = [form.encode() for form in canaries.forms(TOKEN)]
    return [p for p in files(folder) if any(form in p.read_bytes().lower() for form in sought)]


@pytest.mark.timeout(3600)
def test_killed_at_any_instant_the_next_start_leaves_no_file_of_it(
    oak: World, scratch: Path, rounds: int
) -> None:
    found = 0
    for instant in instants(max(rounds // 4, 2), 2.0, seed=12):
        with ended(oak.start("sync" if found else "reconcile")) as process:
            time.sleep(instant)
            process.kill()
            process.communicate()
        found += len(holding_canaries(scratch))
        assert ran(oak, "plan") == 0
        assert [p for p in scratch.iterdir() if any(p.iterdir())] == []


@pytest.fixture
def at_work(oak: World, tmp_path: Path, scratch: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, with all rows in memory and its working folder filled."""
    with ended(script(oak, tmp_path, HOLD, "reconcile")) as process:
        until(lambda: holding_canaries(scratch), "files with rows in them")
        yield process


def test_while_it_works_only_its_owner_may_look_in(at_work: subprocess.Popen[str], scratch: Path) -> None:
    (folder,) = scratch.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_a_start_with_nothing_to_do_removes_what_a_killed_run_left(
    oak: World, scratch: Path, tmp_path: Path
) -> None:
    assert ran(oak, "reconcile") == 0
    oak.put("oak", {"students.csv": students_csv(STUDENTS).replace("Last", f"{TOKEN}son")})
    with ended(script(oak, tmp_path, HOLD, "sync")) as process:
        until(lambda: holding_canaries(scratch), "files with rows in them")
        process.kill()
        process.communicate()
    assert holding_canaries(scratch) != []
    assert ran(oak, "reconcile") == 0
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGQUIT], ids=lambda s: s.name)
def test_a_crash_leaves_no_image_of_the_memory(at_work: subprocess.Popen[str], how: signal.Signals) -> None:
    limits = Path(f"/proc/{at_work.pid}/limits").read_text(encoding="ascii")
    (cores,) = [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")]
    assert cores == ["1", "1"], "a limit of 0 does not hold where dumps are piped to a program: core(5)"
    at_work.send_signal(how)
    _, status = os.waitpid(at_work.pid, 0)
    at_work.returncode = -how
    assert os.WIFSIGNALED(status)
    assert not os.WCOREDUMP(status)


@pytest.fixture(autouse=True)
def cores_allowed() -> Iterator[None]:
    """Whoever starts the program would have its memory written to a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def test_the_database_files_of_sqlite_are_their_owners_alone_and_its_log_goes(
    oak: World, tmp_path: Path
) -> None:
    oak.database_url = f"sqlite:///{tmp_path / 'new' / 'state.db'}"
    oak.environment["RECONCILER_DATABASE_URL"] = oak.database_url
    before = os.umask(0o022)
    try:
        with Store(oak.database_url) as store:
            store.migrate()
            seen = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "new").iterdir()}
    finally:
        os.umask(before)
    assert seen == dict.fromkeys(("state.db", "state.db-shm", "state.db-wal"), 0o600)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert oak.run("reconcile").code == 0
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["state.db"]
