"""The data plane: a district's files into SQLite and PostgreSQL, against writing the mapped rows alone."""

from __future__ import annotations

import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from benchmarks.district import SCHOOLS, write_district
from reconciler.config.district import District
from reconciler.mapping.entities import STORED
from reconciler.mapping.library import builtin
from reconciler.planning.connection import Connection, Phase
from reconciler.planning.run import RunInfo
from reconciler.roster.delta import RemoteFile, Snapshot
from reconciler.roster.roster import Roster
from reconciler.roster.tables import choose_files
from reconciler.store import Store

_TABLES = {"students": "student", "contacts": "contact", "relationships": "relationship", "staff": "staff"}
_AT = "2026-11-23T00:00:00.000000Z"
_MAPPING = {f"{n:04d}": f"school-{n:04d}" for n in range(SCHOOLS)}
_SPEC: dict[str, Any] = {
    "district": "bench", "name": "Bench", "account": "1", "mapper": "generic",
    "sftp": {"host": "localhost", "username": "u", "password": {"env": "SFTP_BENCH_PASSWORD"}},
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One line of the table: seconds, and the ratio to the floor where there is one."""

    what: str
    seconds: float
    floor: float | None = None
    rows: int = 0

    @property
    def ratio(self) -> float | None:
        return self.seconds / self.floor if self.floor else None


def measure(url: str, students: int, folder: Path) -> Iterator[Measured]:
    """First sync, the same again, and with one percent changed; the floor writes the mapped rows alone."""
    kind = "PostgreSQL" if url.startswith("postgres") else "SQLite"
    with Store(url) as store:
        store.migrate()
        write_district(folder, students)
        first, rows = _timed(lambda: _sync(store, folder))
        floor = _floor(url, folder)
        yield Measured(f"{kind}: first sync of {students:,} students", first, floor, rows)
        again, _ = _timed(lambda: _sync(store, folder))
        yield Measured(f"{kind}: the same files read again", again, first, rows)
        write_district(folder, students, changed_percent=1)
        changed, _ = _timed(lambda: _sync(store, folder))
        yield Measured(f"{kind}: 1 % of the students changed", changed, first, rows)


def peak_memory_mb() -> float:
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _roster(folder: Path, scratch: Path) -> Roster:
    mapper = builtin("generic").mapper
    if mapper is None:
        raise RuntimeError("the built-in mapper is broken")
    available = [RemoteFile(p.name, p.stat().st_size, p.stat().st_mtime) for p in folder.glob("*.csv")]
    chosen = choose_files(mapper, available)
    return Roster(mapper, {k: [(f.name, folder / f.name) for f in v] for k, v in chosen.items()}, scratch)


def _sync(store: Store, folder: Path) -> int:
    """What a sync does between its download and its last word; returns the rows read."""
    now = datetime.now(UTC)
    run = store.begin_run(RunInfo("bench", now))
    lease = store.acquire("bench", wait_seconds=0)
    if store.observe_one("bench") is None:
        store.save(lease, Connection(District.from_json(_SPEC), "0" * 64), Phase.MAPPED)
    with tempfile.TemporaryDirectory() as scratch, _roster(folder, Path(scratch)) as roster:
        counts = roster.resolve(_MAPPING, stored=lambda entity: store.stored_csv("bench", entity))
        store.write_sync(
            lease, [d for d in roster.deltas() if not d.is_empty], rejects=roster.rejects(),
            schools=roster.schools(), snapshot=Snapshot(), run=run, at=now,
        )  # fmt: skip
    store.release(lease)
    return sum(c.read for c in counts.values())


def _floor(url: str, folder: Path) -> float:
    """Seconds to write the mapped rows into the same tables, emptied, in one transaction."""
    with tempfile.TemporaryDirectory() as scratch, _roster(folder, Path(scratch)) as roster:
        roster.resolve(_MAPPING)
        deltas = [(d.entity, d.columns, list(d.upserts())) for d in roster.deltas()]
    write = _floor_postgres if url.startswith("postgres") else _floor_sqlite
    return write(url, deltas)


def _floor_sqlite(url: str, deltas: list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]) -> float:
    source = make_url(url).database or ""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "floor.db"
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
            for (sql,) in old.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            ):
                new.execute(sql)
            new.execute("PRAGMA foreign_keys = ON")
            started = time.perf_counter()
            for entity, columns, rows in deltas:
                names, values = _statement(columns)
                sql = f"INSERT INTO {_TABLES[entity]} ({names}) VALUES ({values})"
                new.executemany(sql, (("bench", 1, _AT, _AT, *row) for row in rows))
            new.commit()
            return time.perf_counter() - started


def _floor_postgres(url: str, deltas: list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]) -> float:
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        for entity in reversed(STORED):
            connection.execute(f"CREATE TABLE floor_{entity} (LIKE {_TABLES[entity]} INCLUDING ALL)")  # type: ignore[call-overload]
        started = time.perf_counter()
        for entity, columns, rows in deltas:
            names, _ = _statement(columns)
            with connection.cursor().copy(f"COPY floor_{entity} ({names}) FROM STDIN") as copy:  # type: ignore[arg-type]
                for row in rows:
                    copy.write_row(("bench", True, _AT, _AT, *row))
        seconds = time.perf_counter() - started
        connection.rollback()
    return seconds


def _statement(columns: tuple[str, ...]) -> tuple[str, str]:
    names = ["district", "active", "added_at", "changed_at", *columns]
    return ", ".join(names), ", ".join("?" for _ in names)
