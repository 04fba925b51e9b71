"""Colour is for terminals, and for those who want it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What the program writes, both streams, to something that is a terminal."""
    ours, theirs = os.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/dev/null/home", "TERM": "xterm", **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # so ends a terminal
            break
        if not part:
            break
        said += part
    os.close(ours)
    done.wait(60)
    return said.decode()


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    (tmp_path / "districts").mkdir()
    sftp = "{host: h, username: u, password: {env: SFTP_OAK_PASSWORD}}"
    text = f"{{district: oak, name: Oak, account: '1', mapper: generic, sftp: {sftp}}}"
    (tmp_path / "districts/oak.yaml").write_text(text)
    (tmp_path / "districts/bad.yaml").write_text("district: bad")
    return tmp_path


CALLS = {"a plan": ["plan"], "an error": ["plan", "--only", "nobody"], "no command": ["frobnicate"]}


@pytest.mark.parametrize("arguments", CALLS.values(), ids=CALLS)
def test_a_terminal_gets_colour_unless_no_color_is_set(fleet: Path, arguments: list[str]) -> None:
    assert "\033[3" in on_a_terminal("-C", str(fleet), *arguments)
    assert "\033[3" not in on_a_terminal("-C", str(fleet), *arguments, NO_COLOR="1")
