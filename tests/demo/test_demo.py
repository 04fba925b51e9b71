"""The demo ends well within its time, leaves nothing behind, and says nothing that is secret."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.demo.stage import stage
from reconciler.demo.walk import DemoError, Screen, Walk

SECONDS = 120
"""Twice what the demo may take on the slowest machine that it is meant for; alone it takes about 15."""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own, so that what is left behind is seen."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that the demo makes up, to look for."""
    made: list[str] = []

    def make() -> str:
        made.append(f"canary-password-{len(made)}")
        return made[-1]

    monkeypatch.setattr("reconciler.demo.accounts.secrets.token_urlsafe", make)
    return made


@pytest.mark.timeout(SECONDS)
def test_the_demo_walks_to_its_end(
    temporary: Path, passwords: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    code = run(["demo"])

    said = "".join(capfd.readouterr())
    assert code == 0, said
    typed = [line for line in said.splitlines() if line.startswith("$ reconciler ")]
    wanted = ("validate", "plan", "reconcile", "status", "schools", "rejects", "sync", "history", "export")
    assert [w for w in wanted if not any(line.split()[2] == w for line in typed)] == []
    assert len(passwords) == 3
    assert [p for p in passwords if p in said] == []
    assert list(temporary.iterdir()) == []


def test_a_command_that_ends_otherwise_ends_the_demo() -> None:
    shown: list[str] = []
    with stage() as there:
        (there.repository / "districts/broken.yaml").write_text("district: [\n")
        with pytest.raises(DemoError, match="exited with 1, not with 0"):
            Walk(there, Screen(shown.append)).run("validate")
    assert "$ reconciler validate" in shown


def test_a_command_that_does_not_show_what_was_promised_ends_the_demo() -> None:
    shown: list[str] = []
    with stage() as there, pytest.raises(DemoError, match="did not say 'seventeen'"):
        Walk(there, Screen(shown.append)).run("validate", shows=["seventeen"])


def test_an_interrupt_leaves_nothing_behind(temporary: Path) -> None:
    there = stage()
    folder = there.__enter__().repository.parent
    assert folder.parent == temporary

    swallowed = there.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

    assert not swallowed
    assert list(temporary.iterdir()) == []


def test_without_asyncssh_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    assert run(["demo"]) == 64
    assert "pip install 'reconciler[demo]'" in capsys.readouterr().err
