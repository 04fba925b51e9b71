"""Retention: what is no longer needed is erased, district by district, and counted as proof."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.config.policy import Retention
from reconciler.engine.ports import ConnectionStore
from reconciler.errors import LockError
from reconciler.planning.run import RunInfo

KINDS = ("students", "contacts", "relationships", "staff", "rejects")


@dataclass(slots=True)
class Purged:
    """What was erased, or in a rehearsal would be."""

    districts: dict[str, dict[str, int]] = field(default_factory=dict)
    """For each district that lost something: rows by entity, and `rejects`."""
    runs: int = 0
    """Runs of history."""
    skipped: dict[str, LockError] = field(default_factory=dict)
    """Districts that another run worked on: nothing of theirs was erased."""
    overwritten: bool = False
    """Nothing of what was erased is in the database's files. False where that is for its vacuum to do."""

    def totals(self) -> dict[str, int]:
        """Over all districts, by kind."""
        found = self.districts.values()
        return {kind: sum(counts[kind] for counts in found) for kind in KINDS} | {"runs": self.runs}


def purge(
    store: ConnectionStore,
    retention: Retention,
    info: RunInfo,
    *,
    now: datetime,
    only: Collection[str] | None = None,
    dry_run: bool = False,
) -> Purged:
    """Erase what is older than `retention` says, under each district's lease. Raises StoreError.

    With `only`, history stays: it belongs to no district alone. A rehearsal takes everything back.
    """
    purged = Purged()
    run = None if dry_run else store.begin_run(info)
    limits = {
        "removed_before": now - timedelta(days=retention.removed_rows_days),
        "rejects_before": now - timedelta(days=retention.rejects_days),
    }
    for district in sorted(store.observe() if only is None else set(only)):
        _purge_one(store, district, limits, purged, dry_run=dry_run)
    if only is None:
        history = now - timedelta(days=retention.history_days)
        purged.runs = store.purge_history(history, dry_run=dry_run)
    if run:
        outcome = "failed" if purged.skipped else "succeeded"
        store.end_run(run, outcome=outcome, summary=purged.totals(), at=now)
        purged.overwritten = store.forget(rewrite=any(purged.totals().values()))
    return purged


def _purge_one(
    store: ConnectionStore, district: str, limits: dict[str, datetime], purged: Purged, *, dry_run: bool
) -> None:
    try:
        lease = store.acquire(district, wait_seconds=0)
    except LockError as error:
        purged.skipped[district] = error
        return
    try:
        counts = store.purge_district(lease, **limits, dry_run=dry_run)
    finally:
        store.release(lease)
    if any(counts.values()):
        purged.districts[district] = counts
