"""Whole processes on the same files: ours, dlt's merge, sqlite-utils' upsert; a first load, and the next one.

Ours reads, checks, maps, makes relationships, compares and writes, into SQLite; the peers take the columns as
they are. Of unchanged files a peer reads all again; ours lists them over SFTP, the connection included, and
is also measured where it has to read them. The peers live in .venv-bench, which `make bench` sets up from
requirements-bench.txt. The seconds of the processor stand in the note: other work disturbs those less.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.district import write_district
from benchmarks.measured import Measured
from benchmarks.one_server import fleet_of

_HERE = Path(__file__).parent
PYTHON = _HERE.parent / ".venv-bench" / "bin" / "python"
LIMIT_SECONDS = 600
"""A peer that takes longer is stopped, and counts as this long."""
GOAL = 1 / 5


def measure(students: int, folder: Path) -> Iterator[Measured]:
    """Ours to each peer's: at most a fifth of its seconds."""
    if not PYTHON.exists():
        print("peers: .venv-bench is missing; `make bench` sets it up", file=sys.stderr)
        return
    tiny = folder / "tiny"
    write_district(tiny, 32)
    with fleet_of(students, folder) as fleet:
        files = (tiny, folder / "exports")
        first, again = _loads(_ours, files, folder / "ours")
        fleet.reconciler("reconcile")
        _run(fleet.process("sync"))
        unchanged = _run(fleet.process("sync"))
    for name, command in _PEERS.items():
        theirs = _loads(command, files, folder / name.replace(" ", "-"))
        yield _compared(f"ours to {name}: first", first, theirs[0], GOAL)
        yield _compared(f"ours to {name}: unchanged", unchanged, theirs[1], GOAL)
        yield _compared(f"ours to {name}: unchanged, read again", again, theirs[1], None)


def _ours(files: Path, state: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.one_sync", f"sqlite:///{state}/ours.db", str(files)]


def _dlt_rows(files: Path, state: Path) -> list[str]:
    return [str(PYTHON), str(_HERE / "peer_dlt.py"), "rows", str(files), str(state)]


def _dlt_arrow(files: Path, state: Path) -> list[str]:
    return [str(PYTHON), str(_HERE / "peer_dlt.py"), "arrow", str(files), str(state)]


def _sqlite_utils(files: Path, state: Path) -> list[str]:
    return [str(PYTHON), str(_HERE / "peer_sqlite_utils.py"), str(files), str(state)]


_Command = Callable[[Path, Path], list[str]]
_PEERS: dict[str, _Command] = {
    "dlt merge into DuckDB, rows": _dlt_rows,
    "dlt merge into DuckDB, Arrow": _dlt_arrow,
    "sqlite-utils upsert": _sqlite_utils,
}


@dataclass(frozen=True, slots=True)
class _Ran:
    """One process: its wall clock, its processor's seconds, and the last line that it printed."""

    seconds: float
    cpu: float
    said: str


def _loads(command: _Command, files: tuple[Path, Path], state: Path) -> tuple[_Ran, _Ran]:
    """The first load and the next one, after a tiny one elsewhere: every library is compiled by then."""
    tiny, data = files
    for folder in (state / "tiny", state / "data"):
        folder.mkdir(parents=True)
    _run(command(tiny, state / "tiny"))
    return _run(command(data, state / "data")), _run(command(data, state / "data"))


def _compared(what: str, ours: _Ran, theirs: _Ran, goal: float | None) -> Measured:
    note = f"{theirs.said}; processor {ours.cpu:.1f} to {theirs.cpu:.1f} s"
    return Measured(what, ours.seconds, theirs.seconds, goal, note=note)


def _run(command: Sequence[str]) -> _Ran:
    started, worked = time.perf_counter(), cpu_of_children()
    try:
        done = subprocess.run(
            command,
            cwd=_HERE.parent,
            env=_environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=LIMIT_SECONDS,
        )
        said = done.stdout.strip().splitlines()[-1]
    except subprocess.TimeoutExpired:
        said = f"stopped after {LIMIT_SECONDS} s"
    return _Ran(time.perf_counter() - started, cpu_of_children() - worked, said)


def _environment() -> dict[str, str]:
    """Ours, but that compiled modules are kept: installers leave some environments without them."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
