"""Erases what has been kept for long enough: removed rows, rejects, and history. Nothing else does.

Agreements with districts, and most states' laws on vendors of schools, ask that student records be kept no
longer than they are needed. A row that files still have is never touched, however old.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, delete, exists, select, text
from sqlalchemy import Connection as Transaction

from reconciler.store.tables import CONNECTION, REJECT, RELATIONSHIP, ROSTER, RUN, RUN_RESULT

_POINTED_AT = {"students": RELATIONSHIP.c.student, "contacts": RELATIONSHIP.c.contact}


def purge_rows(transaction: Transaction, district: str, removed_before: datetime) -> dict[str, int]:
    """Erase the district's rows that were removed before then; how many of each entity.

    A student or contact goes when no relationship points at it any more.
    """
    erased = {}
    for entity, table in sorted(ROSTER.items(), key=lambda item: item[1] is not RELATIONSHIP):
        old = and_(table.c.district == district, table.c.active == False, table.c.removed_at < removed_before)  # noqa: E712
        erased[entity] = transaction.execute(delete(table).where(old, _alone(entity, table))).rowcount
    return {entity: erased[entity] for entity in ROSTER}


def _alone(entity: str, table: Table) -> ColumnElement[bool]:
    pointing = _POINTED_AT.get(entity)
    if pointing is None:
        return table.c.district == table.c.district
    return ~exists().where(RELATIONSHIP.c.district == table.c.district, pointing == table.c.id)


def purge_rejects(transaction: Transaction, district: str, synced_before: datetime) -> int:
    """Erase the rejects of a district whose last sync ended before then; how many."""
    last = select(CONNECTION.c.district).where(
        CONNECTION.c.district == district, CONNECTION.c.last_sync_at < synced_before
    )
    return transaction.execute(delete(REJECT).where(REJECT.c.district.in_(last))).rowcount


def purge_history(transaction: Transaction, started_before: datetime) -> int:
    """Erase the runs that began before then, with their results; how many runs.

    The last reconciled commit stays: a run of an older one is refused by it. On PostgreSQL a function does it
    that the owner lends to others (revision 0005), to whom it erases nothing of the last 30 days.
    """
    if transaction.dialect.name == "postgresql":
        call = text("SELECT reconciler_purge_history(:before)")
        return int(transaction.execute(call, {"before": started_before}).scalar_one())
    latest = (
        select(RUN.c.id)
        .where(RUN.c.command == "reconcile", RUN.c.commit != "")
        .order_by(RUN.c.started_at.desc(), RUN.c.id.desc())
        .limit(1)
    ).scalar_subquery()
    keep = transaction.execute(select(latest)).scalar() or ""
    old = select(RUN.c.id).where(RUN.c.started_at < started_before, RUN.c.id != keep)
    with _history_open(transaction):
        transaction.execute(delete(RUN_RESULT).where(RUN_RESULT.c.run.in_(old)))
        return transaction.execute(
            delete(RUN).where(RUN.c.started_at < started_before, RUN.c.id != keep)
        ).rowcount


@contextmanager
def _history_open(transaction: Transaction) -> Iterator[None]:
    """SQLite's history without the triggers that refuse to erase it, inside this one transaction."""
    names = [f"{table}_delete" for table in ("run_result", "run")]
    triggers = [transaction.execute(_TRIGGER, {"name": name}).scalar_one() for name in names]
    for name in names:
        transaction.execute(text(f"DROP TRIGGER {name}"))
    yield
    for trigger in triggers:
        transaction.exec_driver_sql(trigger)


_TRIGGER = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
