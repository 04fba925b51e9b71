"""The program in a process of its own, which measures itself: time, memory, threads and descriptors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.world import World

_BODY = """
import contextlib, io, json, os, sys, threading, time

from reconciler.cli import source
from reconciler.cli.main import run
from reconciler.engine import retries
from reconciler.sftp import Limits

source.LIMITS = Limits(**json.loads(os.environ["LIMITS"]))
retries.TIMING = retries.Timing(retries.Backoff(**json.loads(os.environ["BACKOFF"])))
root, warm, *commands = json.loads(sys.argv[1])

def reported(arguments):
    out, began = io.StringIO(), time.monotonic()
    with contextlib.redirect_stdout(out):
        code = run(["-C", root, *arguments, "--format", "json"])
    return code, time.monotonic() - began, json.loads(out.getvalue())

def memory(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))

def held():
    return sorted(t.name for t in threading.enumerate()), len(os.listdir("/proc/self/fd"))

reported(warm)
for command in commands:
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    idle, before = memory("VmRSS"), held()
    code, seconds, report = reported(command)
    print(json.dumps({
        "code": code, "seconds": seconds, "report": report, "kib": memory("VmHWM") - idle,
        "before": before, "after": held(),
    }), flush=True)
"""


@dataclass(frozen=True)
class Measured:
    """One command that ended."""

    code: int
    seconds: float
    report: Any
    kib: int
    """Of memory, at most, above what the process had when the command began."""
    before: tuple[list[str], int]
    """The names of its threads, and how many descriptors were open."""
    after: tuple[list[str], int]

    def result(self, district: str) -> dict[str, Any]:
        (found,) = [r for r in self.report["results"] if r["district"] == district]
        return dict(found)


def measured(
    world: World, folder: Path, warm: Sequence[str], commands: Sequence[Sequence[str]], *,
    limits: dict[str, float], backoff: dict[str, float], seconds: float = 600,
) -> list[Measured]:  # fmt: skip
    """Run the commands one after the other in one process, after a warm one that loads every library."""
    path = folder / "measured_run.py"
    path.write_text(_BODY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path), json.dumps([str(world.root), warm, *commands])],
        env={
            **os.environ, **world.environment,
            "LIMITS": json.dumps(limits), "BACKOFF": json.dumps(backoff),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr, done.stderr[-4000:]
    return [Measured(**json.loads(line)) for line in done.stdout.splitlines()]
