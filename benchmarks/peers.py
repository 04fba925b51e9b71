"""Whole processes on the same files: ours, dlt's merge, sqlite-utils' upsert; a first load, and the next one.

Ours reads, checks, maps, makes relationships, compares and writes, into SQLite; the peers take the columns as
they are. Of unchanged files a peer reads all again; ours lists them over SFTP, the connection included, and
is also measured where it has to read them. The peers live in .venv-bench, which `make bench` sets up from
requirements-bench.txt. The seconds of the processor stand in the note: other work disturbs those less.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import fleet_of
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
    with fleet_of(students, folder) as fleet:
        data = folder / "exports"
        command = [sys.executable, "-m", "benchmarks.one_sync", f"sqlite:///{folder}/ours.db", str(data)]
        first, again = _run(command), _run(command)
        fleet.reconciler("reconcile")
        ours = first, _run(fleet.process("sync")), again
    for name, script in _peers().items():
        state = folder / name.replace(" ", "-")
        state.mkdir()
        theirs = [_run([str(PYTHON), *script, str(data), str(state)]) for _ in range(2)]
        yield _compared(f"ours to {name}: first", ours[0], theirs[0], GOAL)
        yield _compared(f"ours to {name}: unchanged", ours[1], theirs[1], GOAL)
        yield _compared(f"ours to {name}: unchanged, read again", ours[2], theirs[1], None)


def _peers() -> dict[str, list[str]]:
    """Each peer's script with its arguments."""
    here = str(Path(__file__).parent)
    return {
        "dlt merge into DuckDB, rows": [f"{here}/peer_dlt.py", "rows"],
        "dlt merge into DuckDB, Arrow": [f"{here}/peer_dlt.py", "arrow"],
        "sqlite-utils upsert": [f"{here}/peer_sqlite_utils.py"],
    }


@dataclass(frozen=True, slots=True)
class _Ran:
    """One process: its wall clock, its processor's seconds, and the last line that it printed."""

    seconds: float
    cpu: float
    said: str


def _compared(what: str, ours: _Ran, theirs: _Ran, goal: float | None) -> Measured:
    note = f"{theirs.said}; processor {ours.cpu:.1f} to {theirs.cpu:.1f} s"
    return Measured(what, ours.seconds, theirs.seconds, goal, note=note)


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
