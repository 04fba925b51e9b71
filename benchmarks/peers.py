"""Whole processes on the same files: ours, dlt's merge, sqlite-utils' upsert; a load and the same again.

Ours reads, checks, maps, makes relationships, compares and writes, into SQLite; the peers take the columns as
they are. The peers live in .venv-bench, which `make bench` sets up from requirements-bench.txt. The seconds
of the processor stand in the note: other work on the machine disturbs those less.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.district import write_district
from benchmarks.measured import Measured

_ROOT = Path(__file__).parents[1]
PYTHON = _ROOT / ".venv-bench" / "bin" / "python"
LIMIT_SECONDS = 600
"""A peer that takes longer is stopped, and counts as this long."""
GOAL = 1 / 5


def measure(students: int, folder: Path) -> Iterator[Measured]:
    """Ours to each peer's: at most a fifth of its seconds."""
    if not PYTHON.exists():
        print("peers: .venv-bench is missing; `make bench` sets it up", file=sys.stderr)
        return
    data = folder / "data"
    write_district(data, students)
    here = str(Path(__file__).parent)
    ours = _twice([sys.executable, "-m", "benchmarks.one_sync", f"sqlite:///{folder}/ours.db", str(data)])
    peers: dict[str, tuple[list[str], float | None]] = {
        "dlt merge into DuckDB, rows": ([f"{here}/peer_dlt.py", "rows"], GOAL),
        "dlt merge into DuckDB, Arrow tables": ([f"{here}/peer_dlt.py", "arrow"], None),
        "sqlite-utils upsert": ([f"{here}/peer_sqlite_utils.py"], GOAL),
    }
    for name, (command, goal) in peers.items():
        state = folder / name.replace(" ", "-")
        state.mkdir()
        theirs = _twice([str(PYTHON), *command, str(data), str(state)])
        for which, mine, other in zip(("first", "unchanged"), ours, theirs, strict=True):
            yield Measured(
                f"ours to {name}: {which}", mine.seconds, other.seconds, goal,
                note=f"{other.said}; processor {mine.cpu:.1f} to {other.cpu:.1f} s",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Ran:
    """One process: its wall clock, its processor's seconds, and the last line that it printed."""

    seconds: float
    cpu: float
    said: str


def _twice(command: Sequence[str]) -> tuple[_Ran, _Ran]:
    return _run(command), _run(command)


def _run(command: Sequence[str]) -> _Ran:
    started, worked = time.perf_counter(), _cpu_of_children()
    try:
        done = subprocess.run(
            command, cwd=_ROOT, capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS
        )
        said = done.stdout.strip().splitlines()[-1]
    except subprocess.TimeoutExpired:
        said = f"stopped after {LIMIT_SECONDS} s"
    return _Ran(time.perf_counter() - started, _cpu_of_children() - worked, said)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
