"""What a sync does between its download and its last word; as a process of its own, for memory and peers.

`python -m benchmarks.one_sync URL FOLDER` prints {"seconds", "memory_mb", "children_mb", "rows"}.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.district import SCHOOLS
from reconciler.config.district import District
from reconciler.config.policy import ContactSafety
from reconciler.mapping.library import builtin
from reconciler.planning.connection import Connection, Phase
from reconciler.planning.run import RunInfo
from reconciler.roster.delta import RemoteFile, Snapshot
from reconciler.roster.judging.contact_changes import StoredValues
from reconciler.roster.reading.tables import choose_files
from reconciler.roster.roster import Roster
from reconciler.store import Store

DISTRICT = "bench"
MAPPING = {f"{n:04d}": f"school-{n:04d}" for n in range(SCHOOLS)}
_SPEC: dict[str, Any] = {
    "district": DISTRICT, "name": "Bench", "account": "1", "mapper": "generic",
    "sftp": {"host": "localhost", "username": "u", "password": {"env": "SFTP_BENCH_PASSWORD"}},
}  # fmt: skip


def roster_of(folder: Path, scratch: Path) -> Roster:
    """The files of a folder, read by the built-in mapper `generic`."""
    mapper = builtin("generic").mapper
    if mapper is None:
        raise RuntimeError("the built-in mapper is broken")
    available = [RemoteFile(p.name, p.stat().st_size, p.stat().st_mtime) for p in folder.glob("*.csv")]
    chosen = choose_files(mapper, available)
    return Roster(mapper, {k: [(f.name, folder / f.name) for f in v] for k, v in chosen.items()}, scratch)


def _stored_values(store: Store) -> StoredValues:
    def stored(
        entity: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]] | None
    ) -> Iterable[tuple[Any, ...]]:
        if keys is None:
            return store.stored_columns(DISTRICT, entity, columns)
        return store.stored_values(DISTRICT, entity, columns, keys)

    return stored


def sync_files(store: Store, folder: Path) -> int:
    """Reads, maps, compares and writes; returns the rows read."""
    now = datetime.now(UTC)
    run = store.begin_run(RunInfo("bench", now))
    lease = store.acquire(DISTRICT, wait_seconds=0)
    if store.observe_one(DISTRICT) is None:
        store.save(lease, Connection(District.from_json(_SPEC), "0" * 64), Phase.MAPPED)
    with tempfile.TemporaryDirectory() as scratch, roster_of(folder, Path(scratch)) as roster:
        counts = roster.resolve(MAPPING, stored=lambda entity: store.stored_csv(DISTRICT, entity))
        roster.shape()
        roster.contact_changes(_stored_values(store), ContactSafety().max_students_per_phone)
        store.write_sync(
            lease, [d for d in roster.deltas() if not d.is_empty], rejects=roster.rejects(),
            schools=roster.schools(), snapshot=Snapshot(), run=run, at=now,
        )  # fmt: skip
    store.release(lease)
    return sum(c.read for c in counts.values())


def main() -> None:
    url, folder = sys.argv[1], Path(sys.argv[2])
    started = time.perf_counter()
    with Store(url) as store:
        store.migrate()
        rows = sync_files(store, folder)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    taken = time.perf_counter() - started
    print(json.dumps({"seconds": taken, "memory_mb": peak_mb(), "children_mb": children, "rows": rows}))


def peak_mb() -> float:
    """The most memory that this process held at once.

    Where there is /proc, from there: ru_maxrss of a new process begins with what its parent held.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
