"""How the program is called, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import run


def call(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, with nothing in its environment but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": "/dev/null/home", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    (tmp_path / "districts").mkdir()
    return tmp_path


WRONG = {
    "no such command": ["frobnicate"],
    "no such option": ["plan", "--frobnicate"],
    "no such format": ["plan", "--format", "xml"],
    "a missing argument": ["test"],
    "no such district": ["plan", "--only", "nobody"],
    "no such entity": ["export", "unicorns"],
    "a number that is none": ["reconcile", "--workers", "many"],
    "no such path": ["validate", "districts/nothing.yaml"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_ends_with_64_and_one_clear_line(
    fleet: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(fleet), *arguments]) == 64
    err = capsys.readouterr().err
    assert err.startswith("error")
    assert "Traceback" not in err


@pytest.mark.parametrize("place", ["", "/dev/null/gone"], ids=["a folder without districts", "no folder"])
def test_a_wrong_root_ends_with_64(tmp_path: Path, place: str) -> None:
    done = call("-C", place or str(tmp_path), "plan")
    assert done.returncode == 64
    assert "districts" in done.stderr or "not a folder" in done.stderr


def test_the_root_is_the_nearest_parent_with_districts(fleet: Path) -> None:
    deep = fleet / "districts" / "tx" / "north"
    deep.mkdir(parents=True)
    assert call("validate", cwd=deep).returncode == 0


def test_the_root_may_come_from_the_environment(fleet: Path, tmp_path: Path) -> None:
    assert call("validate", cwd=Path("/"), RECONCILER_ROOT=str(fleet)).returncode == 0


def test_the_default_database_is_under_the_root_and_ignored_by_git(fleet: Path) -> None:
    assert call("-C", str(fleet), "status").returncode == 0
    assert (fleet / ".reconciler" / "state.db").is_file()
    assert (fleet / ".reconciler" / ".gitignore").read_text() == "*\n"


def test_an_error_is_json_where_json_was_asked_for(fleet: Path) -> None:
    done = call("-C", str(fleet), "plan", "--only", "nobody", "--format", "json")
    assert done.returncode == 64
    assert json.loads(done.stdout)["error"]["code"] == "usage.district"


UNREACHABLE = {
    "no server": "postgresql://someone:s3cret-pw@127.0.0.1:1/none",
    "no such driver": "oracle://someone:s3cret-pw@host/db",
    "no URL": "s3cret-pw",
    "a folder that is not there": "sqlite:////dev/null/state.db",
}


@pytest.mark.parametrize("url", UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_database_that_is_away_is_a_message_without_its_password(fleet: Path, url: str) -> None:
    done = call("-C", str(fleet), "--database-url", url, "status", "--format", "json")
    assert done.returncode in (1, 64)
    assert "Traceback" not in done.stderr
    assert "s3cret-pw" not in done.stdout + done.stderr
    assert json.loads(done.stdout)["error"]["code"].startswith(("database.", "usage"))


def test_output_that_is_cut_off_is_no_error(fleet: Path) -> None:
    command = f"{sys.executable} -m reconciler -C {fleet} plan --format json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("validate", "plan", "reconcile", "sync", "test", "schools", "map", "status", "history",
                 "export", "rejects", "demo", "64", "130"):  # fmt: skip
        assert word in text


def test_no_colour_reaches_what_is_no_terminal(fleet: Path) -> None:
    assert "\033" not in call("-C", str(fleet), "plan").stdout
