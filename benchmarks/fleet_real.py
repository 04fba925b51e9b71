"""Many districts on OpenSSH's sshd, brought into PostgreSQL by the program: what it takes, by who computes.

`python -m benchmarks.fleet_real --districts 1000 --students 600000` prints a first load, a night in which one
in a hundred rows is another, and one in which nothing is. Server, database and program share this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.country import enrolments
from benchmarks.databases import postgresql
from benchmarks.district import SCHOOLS, write_district
from benchmarks.fleet import Cost, Costs, Kind
from benchmarks.night import Machines, Visit, simulate
from tests.servers import Sshd

_KEY = "SFTP_BENCH_KEY"
_TICKS = os.sysconf("SC_CLK_TCK")
_FEW, _SMALL, _LARGE = 40, 50, 2_000
"""Districts from which costs are taken, and their students: two sizes make a straight line."""
CHECKED = 500
"""Districts of the real run that the simulation is held against, with a sixth of their students."""
WORKERS = 4


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run took: seconds of the clock, of processors, and the program's memory at its peak."""

    seconds: float
    worker: float
    database: float
    server: float
    megabytes: float

    def __str__(self) -> str:
        busy = self.worker + self.database + self.server
        return (
            f"{self.seconds:.1f} s, processors {busy:.1f} s (program {self.worker:.1f}, "
            f"PostgreSQL {self.database:.1f}, sshd {self.server:.1f}), {self.megabytes:.0f} MB"
        )


class RealFleet:
    """A repository, its server with all exports, and a database."""

    def __init__(self, folder: Path, sizes: Sequence[int], server: Sshd, url: str, postmaster: int) -> None:
        self._root, self._sizes, self._server = folder / "fleet", sizes, server
        self._exports, self._url, self._postmaster = folder / "exports", url, postmaster
        self.export(changed_percent=0, at=1_700_000_000)
        _write_repository(self._root, server, len(sizes))

    def export(self, *, changed_percent: float, at: int) -> None:
        """The districts' files, written at this time, in seconds since 1970."""
        for number, students in enumerate(self._sizes):
            folder = self._exports / _name(number)
            write_district(folder, students, changed_percent=changed_percent)
            for path in folder.iterdir():
                os.utime(path, (at, at))

    def run(self, *arguments: str) -> Taken:
        """The program in a process of its own. Raises RuntimeError where it fails."""
        before, began = self._beside(), time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "-C", str(self._root), *arguments],
            env={**os.environ, _KEY: self._server.private_key, "RECONCILER_DATABASE_URL": self._url},
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds, after = time.perf_counter() - began, self._beside()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"reconciler {' '.join(arguments)} ended with {process.returncode}")
        return Taken(
            seconds, usage.ru_utime + usage.ru_stime, after[0] - before[0], after[1] - before[1],
            usage.ru_maxrss / 1024,
        )  # fmt: skip

    def _beside(self) -> tuple[float, float]:
        """Seconds that the database and the servers have computed so far."""
        table = _processes()
        return _of_tree(self._postmaster, table), sum(
            _of_tree(it.pid, table) for it in self._server._children
        )


def _processes() -> dict[int, tuple[int, float]]:
    """Every process: its parent, and the seconds that it and the children it waited for have computed."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(path.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / _TICKS)
    return found


def _of_tree(pid: int, table: dict[int, tuple[int, float]]) -> float:
    own = table.get(pid, (0, 0.0))[1]
    return own + sum(_of_tree(child, table) for child, (parent, _) in table.items() if parent == pid)


@contextmanager
def real_fleet(folder: Path, sizes: Sequence[int]) -> Iterator[RealFleet]:
    """A fleet of districts with so many students each."""
    (folder / "exports").mkdir(parents=True)
    with Sshd(folder, folder / "exports") as server, postgresql(folder / "pg") as fresh:
        postmaster = int((folder / "pg" / "postmaster.pid").read_text().split()[0])
        yield RealFleet(folder, sizes, server, fresh(), postmaster)


def three_runs(fleet: RealFleet) -> dict[str, Taken]:
    """A first load, a night with one row in a hundred changed, and one with nothing changed."""
    workers = ("--workers", str(WORKERS))
    found = {"first": fleet.run("reconcile", *workers)}
    fleet.export(changed_percent=1, at=1_700_003_600)
    return found | {name: fleet.run("sync", *workers) for name in ("changed", "unchanged")}


def checked_costs(folder: Path) -> Kind:
    """What a district and a student cost here, and how near a simulation with that comes to a real run."""
    kind = measured_costs(folder)
    sizes = [max(size // 6, 1) for size in enrolments(CHECKED)]
    with real_fleet(folder / "checked", sizes) as fleet:
        taken = three_runs(fleet)
    machine = Machines(1, WORKERS, database=2, shared=os.cpu_count())
    for name, real in taken.items():
        costs: Costs = getattr(kind, name)
        simulated = simulate([_here(costs, size) for size in sizes], machine).window
        print(
            f"{CHECKED} districts, {sum(sizes):,} students, {name}: {real}; simulated {simulated:.1f} s, "
            f"{simulated / real.seconds:.2f} of it"
        )
    return kind


def _here(costs: Costs, students: int) -> Visit:
    """On one machine, nothing is waited for but its processors."""
    parts = (costs.worker, costs.database, costs.server)
    computes, stores, serves = (cost.of(students) for cost in parts)
    return Visit(0.0, computes, stores, serves)


def measured_costs(folder: Path) -> Kind:
    """From two fleets of a few districts, of one size each. Starting the program is no district's cost."""
    found: dict[int, dict[str, Taken]] = {}
    for students in (_SMALL, _LARGE):
        with real_fleet(folder / f"of-{students}", [students] * _FEW) as fleet:
            found[students] = three_runs(fleet)
            start = fleet.run("plan").worker
    costs = {name: _line(found[_SMALL][name], found[_LARGE][name], start) for name in found[_SMALL]}
    print(json.dumps({name: str(cost) for name, cost in costs.items()}, indent=2))
    return Kind(**costs)


def _line(small: Taken, large: Taken, start: float) -> Costs:
    """Costs by district and student that go through both."""

    def cost(less: float, more: float) -> Cost:
        student = max((more - less) / _FEW / (_LARGE - _SMALL), 0.0)
        return Cost(max(less / _FEW - student * _SMALL, 0.0), student)

    return Costs(
        cost(small.worker - start, large.worker - start),
        cost(small.database, large.database),
        cost(small.server, large.server),
    )


def _name(number: int) -> str:
    return f"bench-{number:05d}"


def _write_repository(root: Path, server: Sshd, districts: int) -> None:
    (root / "districts").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(json.dumps({"policy": {"shared_secrets": {_KEY: [server.host]}}}))
    for number in range(districts):
        name = _name(number)
        district: dict[str, Any] = {
            "district": name, "name": name, "account": str(number), "mapper": "generic",
            "sftp": {
                "host": server.host, "port": server.port, "username": server.username,
                "private_key": {"env": _KEY}, "host_key": server.host_key, "remote_path": name,
            },
            "schools": [{"sis_id": f"{n:04d}", "school": f"{name}-{n:04d}"} for n in range(SCHOOLS)],
        }  # fmt: skip
        (root / "districts" / f"{name}.yaml").write_text(json.dumps(district))


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.fleet_real", description=__doc__)
    parser.add_argument("--districts", type=int, default=1_000)
    parser.add_argument("--students", type=int, default=600_000, help="of all districts together")
    arguments = parser.parse_args()
    shape = enrolments(arguments.districts)
    sizes = [max(round(size * arguments.students / sum(shape)), 1) for size in shape]
    with (
        tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder,
        real_fleet(Path(folder), sizes) as fleet,
    ):
        for name, taken in three_runs(fleet).items():
            print(f"{len(sizes):,} districts, {sum(sizes):,} students, {name}: {taken}", flush=True)


if __name__ == "__main__":
    main()
