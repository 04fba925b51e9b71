"""The country's districts in one repository: what it costs to check and to plan them, as whole processes.

Ours and the floors are taken in turns, the peers once. The peers live in .venv-bench, which `make bench` sets
up from requirements-bench.txt.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.country import path, write_country
from benchmarks.country_store import write_database
from benchmarks.measured import Measured
from benchmarks.peers import LIMIT_SECONDS, cpu_of_children
from benchmarks.resident import peak_of_tree

DISTRICTS = 13_000
ROUNDS = 7
COLD_ROUNDS = 3
CHANGED = 100
MEMORY_MB = 300
HELP_SECONDS = 0.25
_HERE = Path(__file__).parent
_PEERS = _HERE.parent / ".venv-bench" / "bin"


def measure(_students: int, folder: Path) -> Iterator[Measured]:
    """Of 13,000 districts, however many students: none is read."""
    return measure_country(folder, DISTRICTS, ROUNDS, with_peers=True)


def measure_country(folder: Path, districts: int, rounds: int, *, with_peers: bool) -> Iterator[Measured]:
    country = _Country(folder, districts)
    found = country.in_turns(rounds)
    yield from _against_floors(found)
    cold, memory = country.cold()
    yield Measured(
        "peak memory of `validate`, cold, all processes together", memory, None, MEMORY_MB, unit="MB"
    )
    memory = peak_of_tree(country.reconciler("reconcile"), country.environment)
    yield Measured("peak memory of `reconcile`, unchanged", memory, None, MEMORY_MB, unit="MB")
    yield Measured("`--help`", found["help"].seconds, None, HELP_SECONDS)
    if with_peers and not _PEERS.exists():
        print("config: .venv-bench is missing; `make bench` sets it up", file=sys.stderr)
    elif with_peers:
        yield from _against_peers(country, cold, found["reconcile"].seconds)


def _against_floors(found: Mapping[str, _Ran]) -> Iterator[Measured]:
    """The start of the interpreter is taken off both sides where the goal grants it besides."""
    start, reading, asking = found["start"], found["floor"], found["floor with SELECT"]
    yield Measured("start of the interpreter", start.seconds)
    yield _compared("`validate`, one file changed, to the floor", found["one changed"], reading, 1.5)
    yield _compared("`validate`, nothing changed, to the floor", found["validate"], reading, None)
    asking = asking.less(start)
    yield _compared(
        "`reconcile`, nothing changed, to floor and SELECT", found["reconcile"].less(start), asking, 4
    )
    yield _compared("`plan`, nothing changed, to floor and SELECT", found["plan"].less(start), asking, None)
    changed = f"`plan`, {CHANGED} files changed, to nothing changed"
    yield _compared(changed, found["plan of changes"], found["plan"], 2)


def _compared(what: str, ours: _Ran, floor: _Ran, goal: float | None) -> Measured:
    """The processor's seconds stand in the note: other work on the machine disturbs those less."""
    note = f"processor {ours.cpu:.2f} to {floor.cpu:.2f} s"
    return Measured(what, ours.seconds, floor.seconds, goal, note=note)


def _against_peers(country: _Country, cold: float, unchanged: float) -> Iterator[Measured]:
    """How many times as long a peer takes."""
    theirs = _peer([str(_PEERS / "check-jsonschema"), "--schemafile", str(_schema()), *country.files()], {})
    yield Measured(
        "check-jsonschema, to `validate`, cold",
        theirs,
        cold,
        7,
        more_is_better=True,
        note="same files, schema",
    )
    zones = country.folder / "octodns"
    subprocess.run([_PEERS / "python", _HERE / "peer_octodns.py", zones, str(country.districts)], check=True)
    command = [str(_PEERS / "octodns-sync"), "--config-file", str(zones / "octodns.yaml"), "--doit"]
    theirs = _peer(command, {"PYTHONPATH": str(_HERE)})
    yield Measured(
        "octodns-sync, to `reconcile`, nothing changed", theirs, unchanged, 50, more_is_better=True,
        note="as many zones of three records",
    )  # fmt: skip


def _schema() -> Path:
    return _HERE.parent / "schemas" / "district.schema.json"


def _peer(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Seconds of a peer's process, at most the limit. Raises RuntimeError where it finds something wrong."""
    started = time.perf_counter()
    with suppress(subprocess.TimeoutExpired):
        _run_peer(command, environment)
    return time.perf_counter() - started


def _run_peer(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        timeout=LIMIT_SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name}: {(done.stdout + done.stderr).strip()[-300:]}")


@dataclass(frozen=True, slots=True)
class _Ran:
    """One process: its wall clock, and what it and its own processes took of the processor."""

    seconds: float
    cpu: float

    def less(self, other: _Ran) -> _Ran:
        return _Ran(self.seconds - other.seconds, self.cpu - other.cpu)


def _median(ran: Sequence[_Ran]) -> _Ran:
    return _Ran(statistics.median(r.seconds for r in ran), statistics.median(r.cpu for r in ran))


@dataclass(slots=True)
class _Country:
    """The repository, two databases of it and an own cache folder, all in `folder`."""

    folder: Path
    districts: int
    environment: dict[str, str] = field(init=False)
    _edits: int = 0

    def __post_init__(self) -> None:
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        # Installers leave some environments without compiled modules; after the first start they are there.
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        write_country(self.root, self.districts)
        write_database(self.root, self.folder / "state.db")

    @property
    def root(self) -> Path:
        return self.folder / "country"

    @property
    def _many(self) -> int:
        return min(CHANGED, self.districts // 2)

    def files(self) -> list[str]:
        return [str(path(self.root, number)) for number in range(self.districts)]

    def reconciler(self, *arguments: str) -> list[str]:
        database = f"sqlite:///{self.folder / 'state.db'}"
        program = Path(sys.executable).with_name("reconciler")
        return [str(program), "-C", str(self.root), "--database-url", database, *arguments]

    def in_turns(self, rounds: int) -> dict[str, _Ran]:
        """Medians of each kind of process, after one round that does not count."""
        found: dict[str, list[_Ran]] = {}
        for number in range(rounds + 1):
            for name, (prepare, command) in self._kinds().items():
                prepare()
                ran = self._run(command)
                if number:
                    found.setdefault(name, []).append(ran)
        return {name: _median(ran) for name, ran in found.items()}

    def _kinds(self) -> dict[str, tuple[Callable[[], None], list[str]]]:
        floor = [sys.executable, str(_HERE / "config_floor.py"), str(self.root / "districts")]
        return {
            "start": (_nothing, [sys.executable, "-c", "pass"]),
            "help": (_nothing, self.reconciler("--help")),
            "floor": (_nothing, floor),
            "floor with SELECT": (_nothing, [*floor, str(self.folder / "state.db")]),
            "validate": (_nothing, self.reconciler("validate")),
            "one changed": (lambda: self._edit(1), self.reconciler("validate")),
            "reconcile": (lambda: self._edit(0), self.reconciler("reconcile")),
            "plan": (_nothing, self.reconciler("plan")),
            "plan of changes": (lambda: self._edit(self._many), self.reconciler("plan")),
            "validate again": (lambda: self._edit(0), self.reconciler("validate")),
        }

    def _edit(self, files: int) -> None:
        """Put all files back as they were applied, then change what so many of them say."""
        self._edits += 1
        many = self._many
        for number in range(many):
            # From the middle on, and evenly: small districts and large ones.
            file = path(self.root, (self.districts // 2 + number * (self.districts // many)) % self.districts)
            text = file.read_text()
            wanted = _with_username(text, f"roster{self._edits}" if number < files else "roster")
            if wanted != text:
                file.write_text(wanted)

    def cold(self) -> tuple[float, float]:
        """Seconds (the median of three) and peak MB of `validate` with nothing remembered."""
        command = self.reconciler("validate", "--no-cache")
        seconds = statistics.median(self._run(command).seconds for _ in range(COLD_ROUNDS))
        return seconds, peak_of_tree(command, self.environment)

    def _run(self, command: Sequence[str]) -> _Ran:
        started, worked = time.perf_counter(), cpu_of_children()
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {(done.stdout + done.stderr).strip()[-300:]}")
        return _Ran(time.perf_counter() - started, cpu_of_children() - worked)


def _with_username(text: str, username: str) -> str:
    head, key, tail = text.partition("  username: ")
    return head + key + username + tail[tail.index("\n") :]


def _nothing() -> None:
    """Nothing has to be prepared."""
