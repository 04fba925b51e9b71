"""The data plane: a district's files into SQLite and PostgreSQL, against writing the mapped rows alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.databases import Fresh, postgresql, sqlite
from benchmarks.district import write_district
from benchmarks.floors import Floor
from benchmarks.measured import Measured, seconds
from benchmarks.one_sync import sync_files
from reconciler.store import Store


def measure(students: int, folder: Path) -> Iterator[Measured]:
    """First sync, the same files again, and one percent of the rows changed, in both databases."""
    data, changed = folder / "data", folder / "changed"
    write_district(data, students)
    write_district(changed, students, changed_percent=1)
    rounds = 3 if students <= 200_000 else 1
    with Floor(data) as floor, postgresql(folder / "pg") as fresh:
        yield from _measure("PostgreSQL", fresh, floor.copy, (data, changed), rounds)
        yield from _measure(
            "SQLite", sqlite(folder), lambda url: floor.executemany(Path(url.removeprefix("sqlite:///"))),
            (data, changed), rounds,
        )  # fmt: skip


def _measure(
    kind: str, fresh: Fresh, floor: Callable[[str], float], folders: tuple[Path, Path], rounds: int
) -> Iterator[Measured]:
    taken = [_round(fresh, floor, folders) for _ in range(rounds)]
    low, first, again, changed = (statistics.median(column) for column in zip(*taken, strict=True))
    what = "COPY" if kind == "PostgreSQL" else "executemany"
    yield Measured(f"{kind}: first sync, to {what} of the mapped rows", first, low, 2.0)
    yield Measured(f"{kind}: the same files read again, to the first sync", again, first)
    yield Measured(f"{kind}: 1 % of the rows changed, to the first sync", changed, first, 0.35)


def _round(
    fresh: Fresh, floor: Callable[[str], float], folders: tuple[Path, Path]
) -> tuple[float, float, float, float]:
    data, changed = folders
    low = floor(_migrated(fresh()))
    with Store(fresh()) as store:
        store.migrate()
        return (
            low,
            seconds(lambda: sync_files(store, data)),
            seconds(lambda: sync_files(store, data)),
            seconds(lambda: sync_files(store, changed)),
        )


def _migrated(url: str) -> str:
    with Store(url) as store:
        store.migrate()
    return url
