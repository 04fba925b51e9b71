"""Values to store: a district, its students, contacts and relationships, all invented."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.config.district import District, SchoolMapping, SecretRef, Sftp, Sync
from reconciler.mapping.entities import ENTITIES
from reconciler.planning.connection import Connection, Phase
from reconciler.planning.run import RunInfo
from reconciler.roster.delta import EntityDelta, Reject, RemoteFile, RowCounts, SisSchool, Snapshot
from reconciler.store import HeldLease, Store
from reconciler.store.tables import key_columns

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
RUN = RunInfo("reconcile", NOON, commit="4f2c9e1", author="Rosa", actor="ci", plan_digest="8d969eef")
SNAPSHOT = Snapshot(
    files=(RemoteFile("students.csv", 1234, 1795435200.5),),
    sha256={"students.csv": "ab" * 32},
    columns={"students": ("Student Number", "Größe")},
    newline={"students.csv": True},
    formats={"students": ("utf-8", "comma-delimited")},
    rows={"students": 2},
    order={"students": ("0badcafe", "deadbeef")},
    spec_digest="cd" * 32,
    settled=True,
)
SCHOOLS = (SisSchool("0042", "Lincoln", "elementary", "0630", 2), SisSchool("0043"), SisSchool("9999", "Old"))
REJECTS = (
    Reject("students", "students.csv", 17, "DOB", "row.date", "not a date", key="S9"),
    Reject("contacts", "parents.csv", 0, "", "row.phone", "no number", severity="warning"),
)


def connection(district: str = "riverbend-isd", **changes: Any) -> Connection:
    """A connection with one mapped and one ignored school; `changes` are fields of its District."""
    base = District(
        id=district,
        name="Riverbend ISD",
        account="104592",
        sftp=Sftp(
            "sftp.riverbend.example", "roster", password=SecretRef("env", "SFTP_RIVERBEND_ISD_PASSWORD")
        ),
        mapper="oneroster-1.1",
        schools=(SchoolMapping("0042", "lincoln-elementary", "Lincoln Elementary"),),
        ignored_schools=("9999",),
        sync=Sync(schedule="0 2 * * *"),
    )
    return Connection(replace(base, **changes), "ef" * 32)


def row(entity: str, *key: str, row_hash: str = "h1", **cells: str | None) -> tuple[str | None, ...]:
    """A row in the order of the entity's columns; the cells that must be filled are, the rest is empty."""
    required = {
        "school": "lincoln-elementary",
        "sis_school": "0042",
        "first_name": "Ada",
        "last_name": "Byron",
    }
    values = dict(zip(ENTITIES[entity].key, key, strict=True)) | cells
    empty = required if entity in {"students", "staff"} else {}
    return (*(values.get(c, empty.get(c, "")) for c in ENTITIES[entity].columns), row_hash)


def delta(
    entity: str, upserts: Iterable[tuple[Any, ...]] = (), removals: Sequence[tuple[str, ...]] = ()
) -> EntityDelta:
    rows = list(upserts)
    return EntityDelta(
        entity,
        columns=(*ENTITIES[entity].columns, "row_hash"),
        upserts=lambda: iter(rows),
        removals=lambda: iter(removals),
        counts=RowCounts(added=len(rows), removed=len(removals)),
    )


def family() -> list[EntityDelta]:
    """Two siblings, a parent who may pick up, and a teacher; not in the order of writing."""
    return [
        delta(
            "relationships",
            [
                row("relationships", "S1", "C1", relationship="mother", may_pick_up="yes"),
                row("relationships", "S2", "C1", relationship="mother", may_pick_up="yes"),
            ],
        ),
        delta("staff", [row("staff", "T1", role="teacher")]),
        delta("contacts", [row("contacts", "C1", first_name="Anne", last_name="Byron", phone="+15550100")]),
        delta("students", [row("students", "S1", grade="01"), row("students", "S2", grade="KG")]),
    ]


def saved(store: Store, district: str = "riverbend-isd", **changes: Any) -> HeldLease:
    """A lease on a district whose connection is on record."""
    lease = store.acquire(district, wait_seconds=0)
    store.save(lease, connection(district, **changes), Phase.SAVED)
    return lease


def write(store: Store, lease: HeldLease, deltas: Sequence[EntityDelta], at: datetime = NOON) -> None:
    """A sync of `deltas`, of a run that is on record."""
    store.write_sync(
        lease,
        deltas,
        rejects=REJECTS,
        schools=SCHOOLS,
        snapshot=SNAPSHOT,
        run=store.begin_run(RUN),
        at=at,
    )


def rows_of(store: Store, entity: str, district: str = "riverbend-isd") -> list[tuple[Any, ...]]:
    """Key, hash and whether active, of every stored row."""
    columns = (*key_columns(entity), "row_hash")
    return [(*stored[:-1], bool(stored[-1])) for stored in store.stored_columns(district, entity, columns)]
