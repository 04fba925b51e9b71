"""Other processes that use the same database: real ones, so that they can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

_PREAMBLE = """
import sys
from reconciler.store import Store
from tests.store import samples

store = Store(sys.argv[1])

def say_and_wait(word):
    print(word, flush=True)
    sys.stdin.readline()
"""


@contextmanager
def process(url: str, body: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs `body` with `store` opened on `url`; killed when the block ends."""
    started = subprocess.Popen(
        [sys.executable, "-c", _PREAMBLE + body, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def heard(started: subprocess.Popen[str]) -> str:
    """The next line that the process says."""
    assert started.stdout is not None
    return started.stdout.readline().strip()


def go_on(started: subprocess.Popen[str]) -> None:
    assert started.stdin is not None
    started.stdin.write("\n")
    started.stdin.flush()
