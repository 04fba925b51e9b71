"""The nightly window of the national fleet, simulated. `python -m benchmarks.fleet [--help]`.

13,318 districts, their sizes drawn from the school directory of the NCES (benchmarks/country.py); what a
district and a student cost is measured on this machine (`--measure`, which also holds the simulation against
a real run of 500 districts), or else what was measured last.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.country import enrolments
from benchmarks.night import Machines, Night, Visit, simulate

DISTRICTS = 13_318
"""Regular districts of the United States, as the NCES counts them."""
BYTES_EACH = 330
"""Of one student with two contacts, in the files that benchmarks/district.py writes."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a processor: for a district, and for each of its students."""

    district: float
    student: float

    def of(self, students: int) -> float:
        return self.district + self.student * students


@dataclass(frozen=True, slots=True)
class Costs:
    """What a sync costs, by who computes."""

    worker: Cost
    database: Cost
    server: Cost
    """OpenSSH's sshd: the district's own machine, in a real night."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a night finds at a district."""

    first: Costs
    """A sync of a district that has no rows yet."""
    changed: Costs
    """One in a hundred rows is another."""
    unchanged: Costs
    """No file has changed: they are listed and left alone."""


LAST_MEASURED = Kind(
    first=Costs(Cost(0.479, 4.24e-5), Cost(0.035, 3.24e-5), Cost(0.007, 0.0)),
    changed=Costs(Cost(0.453, 3.86e-5), Cost(0.025, 2.05e-6), Cost(0.006, 6.4e-7)),
    unchanged=Costs(Cost(0.051, 0.0), Cost(0.008, 0.0), Cost(0.004, 1.3e-7)),
)
"""24 November 2026, two processors that did much else at the time: upper bounds."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What the world does in a night."""

    latency: float = 0.06
    """Seconds of a round trip to a district's server."""
    round_trips: int = 24
    """Of a session that looks at two files and downloads them: key exchange, login, SFTP. Counted."""
    bytes_a_second: float = 4e6
    changed: float = 0.9
    """The share of districts whose files are others than the night before."""
    failing: float = 0.02
    """The share of servers that do not answer: each is waited for three times."""
    gives_up_after: float = 36.0
    """Seconds of waiting for one that does not answer: three tries of 10 seconds and two pauses."""


def visits(
    sizes: Sequence[int], kind: Kind, weather: Weather, seed: int = 1, *, first: bool = False
) -> Iterator[Visit]:
    """The districts' visits, in an order that has nothing to do with their sizes, as that of their names."""
    chance = random.Random(seed)
    shuffled = list(sizes)
    chance.shuffle(shuffled)
    for students in shuffled:
        lot = chance.random()
        if lot < weather.failing:
            yield Visit(
                weather.gives_up_after, kind.unchanged.worker.district, kind.unchanged.database.district
            )
        elif first or chance.random() < weather.changed:
            yield _visit(students, kind.first if first else kind.changed, weather, students * BYTES_EACH)
        else:
            yield _visit(students, kind.unchanged, weather, 0)


def _visit(students: int, costs: Costs, weather: Weather, transferred: int) -> Visit:
    waits = weather.latency * weather.round_trips + transferred / weather.bytes_a_second
    return Visit(waits, costs.worker.of(students), costs.database.of(students))


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.fleet", description=__doc__)
    parser.add_argument("--districts", type=int, default=DISTRICTS)
    parser.add_argument("--workers", default="1,4,16", help="processes, separated by commas")
    parser.add_argument("--concurrency", type=int, default=4, help="districts that a worker works on at once")
    parser.add_argument("--database-processors", type=int, default=4)
    parser.add_argument("--latency-ms", type=float, default=60)
    parser.add_argument("--megabytes-a-second", type=float, default=4)
    parser.add_argument("--changed", type=float, default=0.9, help="share of districts with new files")
    parser.add_argument("--failing", type=float, default=0.02, help="share of servers that do not answer")
    parser.add_argument(
        "--measure", action="store_true", help="measure what things cost here, with a real run"
    )
    arguments = parser.parse_args()
    kind = LAST_MEASURED
    if arguments.measure:
        from benchmarks.fleet_real import checked_costs

        with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
            kind = checked_costs(Path(folder))
    weather = Weather(
        arguments.latency_ms / 1000, bytes_a_second=arguments.megabytes_a_second * 1e6,
        changed=arguments.changed, failing=arguments.failing,
    )  # fmt: skip
    sizes = enrolments(arguments.districts)
    print(f"{len(sizes):,} districts, {sum(sizes):,} students; {json.dumps(_described(arguments))}")
    print(f"{'workers':>8} {'a night':>10} {'the first load':>16} {'workers busy':>14} {'database busy':>14}")
    for workers in map(int, arguments.workers.split(",")):
        machines = Machines(workers, arguments.concurrency, arguments.database_processors)
        night = simulate(visits(sizes, kind, weather), machines)
        load = simulate(visits(sizes, kind, weather, first=True), machines)
        print(_line(night, load, machines))


def _described(arguments: argparse.Namespace) -> dict[str, float]:
    names = ("latency_ms", "megabytes_a_second", "changed", "failing", "concurrency", "database_processors")
    return {name: getattr(arguments, name) for name in names}


def _line(night: Night, load: Night, machines: Machines) -> str:
    busy = night.computing / (night.window * machines.workers)
    storing = night.storing / (night.window * machines.database)
    windows = f"{machines.workers:>8} {_hours(night.window):>10} {_hours(load.window):>16}"
    return f"{windows} {busy:>14.0%} {storing:>14.0%}"


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


if __name__ == "__main__":
    main()
