"""What ends or complains behind the program's back is told without its words: they quote rows."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEFORE = """
import logging, sys, threading, warnings
from reconciler.cli.terminal.logs import set_up_logging
from reconciler.cli.terminal.silence import keep_silent
keep_silent()
set_up_logging("debug", "text")
class Lost:
    def __del__(self):
        raise ValueError("canary")
def fail():
    raise ValueError("canary")
"""
ENDS = {
    "a thread": ("t = threading.Thread(target=fail); t.start(); t.join()", "ValueError"),
    "the program": ("fail()", "ValueError"),
    "a clean-up": ("Lost()", "ValueError in a clean-up"),
    "a warning": ("warnings.warn('canary', RuntimeWarning)", "RuntimeWarning at"),
    "a library's log": ("logging.getLogger('psycopg').warning('ignored: %s', 'canary')", "psycopg: warning"),
    "a library's traceback": (
        "try:\n    fail()\nexcept ValueError:\n    logging.getLogger('sqlalchemy.pool').exception('canary')",
        "sqlalchemy.pool: error in <module> (ValueError)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", [(), ("-X", "dev")], ids=["as usual", "-X dev"])
@pytest.mark.parametrize(("what", "said"), [pytest.param(*v, id=k) for k, v in ENDS.items()])
def test_its_kind_and_place_are_told_and_not_its_text(what: str, said: str, mode: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, *mode, "-c", BEFORE + what], capture_output=True, text=True, check=False
    )
    assert said in done.stderr
    assert "canary" not in done.stderr
    assert "Traceback" not in done.stderr
