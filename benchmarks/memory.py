"""Peak memory of a first sync, of one size and of half of it: bounded, and flat beyond.

Each is a process of its own. PostgreSQL is another, and not counted; nor are children, of which a sync has
none (their peak stands in the note).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.databases import Fresh, postgresql
from benchmarks.district import write_district
from benchmarks.measured import Measured

LIMIT_MB = 600
FLAT = 1.15
"""The whole may take this much more than the half: twice the rows, and the memory of one."""


def measure(students: int, folder: Path) -> Iterator[Measured]:
    """Into PostgreSQL, where five million contact rows belong."""
    with postgresql(folder / "pg") as fresh:
        half = _sync(students // 2, folder / "half", fresh)
        yield _peak(students // 2, half)
        whole = _sync(students, folder / "whole", fresh)
        yield _peak(students, whole)
    yield Measured(
        "peak memory, to that of half the rows", whole["memory_mb"], half["memory_mb"], FLAT, unit="MB"
    )


def _peak(students: int, found: dict[str, Any]) -> Measured:
    note = f"{found['seconds']:.0f} s; children {found['children_mb']:.0f} MB"
    return Measured(
        f"peak memory, {2 * students:,} contact rows",
        found["memory_mb"],
        None,
        LIMIT_MB,
        unit="MB",
        note=note,
    )


def _sync(students: int, folder: Path, fresh: Fresh) -> dict[str, Any]:
    write_district(folder, students)
    command = [sys.executable, "-m", "benchmarks.one_sync", fresh(), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for path in folder.iterdir():
        path.unlink()
    if done.returncode:
        raise RuntimeError(f"a sync of {students:,} students failed: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
