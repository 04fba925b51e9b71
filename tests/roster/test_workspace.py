"""The folder in which children's data lies during a run: private, and gone afterwards, also after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.roster.database import load_rows, open_database
from reconciler.roster.workspace import sweep, workspace

HOLD = """
import sys
from pathlib import Path
from reconciler.roster.workspace import workspace
with workspace(Path(sys.argv[1])) as folder:
    (folder / "students.csv").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def hold(base: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process that works in a folder under `base`, and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str], how: signal.Signals | None = None) -> None:
    if how:
        process.send_signal(how)
    process.communicate()


def test_only_its_owner_may_look_in_and_it_is_gone_afterwards(tmp_path: Path) -> None:
    with workspace(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "sub").mkdir()
        (folder / "sub" / "students.csv").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_it_is_gone_after_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), workspace(tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_at_the_next_start_and_what_is_in_use_stays(tmp_path: Path) -> None:
    killed, left = hold(tmp_path)
    end(killed, signal.SIGKILL)
    assert (left / "students.csv").exists()
    running, used = hold(tmp_path)
    try:
        with workspace(tmp_path) as own:
            assert not left.exists()
            assert (used / "students.csv").exists()
            assert own.is_dir()
    finally:
        end(running)
    assert list(tmp_path.iterdir()) == []


REMOVE = """
import os, sys
from pathlib import Path
from reconciler.roster.workspace import workspace
left, unlink = int(sys.argv[2]), os.unlink
def die_at(*args, **more):
    global left
    left -= 1
    if not left:
        os._exit(137)
    unlink(*args, **more)
with workspace(Path(sys.argv[1])) as folder:
    for number in range(6):
        (folder / f"{number}.csv").write_text("x")
    os.unlink = os.remove = die_at
"""


@pytest.mark.parametrize("removed", range(1, 8))
def test_killed_while_it_removes_its_folder_the_next_start_removes_the_rest(
    tmp_path: Path, removed: int
) -> None:
    died = subprocess.run([sys.executable, "-c", REMOVE, str(tmp_path), str(removed)], check=False)
    assert died.returncode == 137
    assert list(tmp_path.iterdir()) != []
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_file_in_it_is_its_owners_alone_and_a_report_written_later_is_not(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with workspace(tmp_path) as outer, workspace(tmp_path) as inner, open_database(inner) as db:
            load_rows(db, "t", {"a": "VARCHAR"}, [("x",)], inner)
            db.execute(f"COPY (SELECT * FROM t) TO '{inner / 'copied.csv'}'")
            (outer / "students.csv").write_text("x")
            modes = {p.name: p.stat().st_mode & 0o077 for f in (inner, outer) for p in f.iterdir()}
        assert modes.keys() == {".lock", "copied.csv", "students.csv"}
        assert set(modes.values()) == {0}
        (tmp_path / "report.json").write_text("{}")
        assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


def test_a_sweep_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "reconciler-notes").mkdir()
    (tmp_path / "reconciler-file").write_text("x")
    target = tmp_path / "target"
    target.mkdir()
    (target / ".lock").touch()
    (tmp_path / "reconciler-link").symlink_to(target)
    assert sweep(tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "reconciler-file",
        "reconciler-link",
        "reconciler-notes",
        "target",
    ]
