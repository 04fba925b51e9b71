"""What was removed long enough ago is erased, and nothing else is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from reconciler.errors import LockError, StoreError
from reconciler.planning.run import RunInfo
from reconciler.store import HeldLease, Store
from reconciler.store.database import Database
from tests.store import samples
from tests.store.samples import LATER, NOON, delta, rows_of, saved, write

AFTER = LATER + timedelta(seconds=1)
NOTHING = {"students": 0, "contacts": 0, "relationships": 0, "staff": 0, "rejects": 0}


@pytest.fixture
def lease(store: Store) -> HeldLease:
    """A district whose second student left a day after the first sync."""
    held = saved(store)
    write(store, held, samples.family())
    left = [delta("relationships", removals=[("S2", "C1")]), delta("students", removals=[("S2",)])]
    write(store, held, left, at=LATER)
    return held


def test_a_row_removed_before_the_limit_is_erased_and_counted(store: Store, lease: HeldLease) -> None:
    erased = store.purge_district(lease, removed_before=AFTER, rejects_before=NOON, dry_run=False)
    assert erased == NOTHING | {"students": 1, "relationships": 1}
    assert rows_of(store, "students") == [("S1", "h1", True)]
    assert rows_of(store, "relationships") == [("S1", "C1", "h1", True)]
    assert rows_of(store, "contacts") == [("C1", "h1", True)]


def test_a_row_removed_after_the_limit_stays(store: Store, lease: HeldLease) -> None:
    assert store.purge_district(lease, removed_before=LATER, rejects_before=NOON, dry_run=False) == NOTHING
    assert len(rows_of(store, "students")) == 2


def test_an_active_row_stays_however_old_it_is(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    distant = NOON + timedelta(days=36_500)
    assert store.purge_district(lease, removed_before=distant, rejects_before=NOON, dry_run=False) == NOTHING


def test_a_student_to_whom_a_newer_removal_points_stays_until_that_is_erased(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    write(store, lease, [delta("students", removals=[("S2",)])], at=NOON + timedelta(hours=1))
    write(store, lease, [delta("relationships", removals=[("S2", "C1")])], at=LATER)
    before = {"rejects_before": NOON, "dry_run": False}
    assert store.purge_district(lease, removed_before=LATER, **before) == NOTHING
    assert store.purge_district(lease, removed_before=AFTER, **before)["students"] == 1


def test_another_districts_rows_stay(store: Store, lease: HeldLease) -> None:
    other = saved(store, "hill-valley")
    write(store, other, samples.family())
    write(store, other, [delta("relationships", removals=[("S2", "C1")])], at=LATER)
    store.purge_district(lease, removed_before=AFTER, rejects_before=AFTER, dry_run=False)
    assert len(rows_of(store, "relationships", "hill-valley")) == 2
    assert store.rejects("hill-valley") == list(samples.REJECTS)


def test_rejects_go_once_the_last_sync_is_long_enough_ago(store: Store, lease: HeldLease) -> None:
    kept = store.purge_district(lease, removed_before=NOON, rejects_before=LATER, dry_run=False)
    assert (kept["rejects"], store.rejects(lease.district)) == (0, list(samples.REJECTS))
    gone = store.purge_district(lease, removed_before=NOON, rejects_before=AFTER, dry_run=False)
    assert (gone["rejects"], store.rejects(lease.district)) == (len(samples.REJECTS), [])


def test_a_rehearsal_counts_and_erases_nothing(store: Store, lease: HeldLease) -> None:
    rehearsed = store.purge_district(lease, removed_before=AFTER, rejects_before=AFTER, dry_run=True)
    assert rehearsed == NOTHING | {"students": 1, "relationships": 1, "rejects": 2}
    assert len(rows_of(store, "students")) == 2
    assert store.purge_history(NOON + timedelta(days=1), dry_run=True) >= 1
    assert len(store.history()) == 2


def test_a_lost_lease_erases_nothing(store: Store, lease: HeldLease) -> None:
    store.release(lease)
    store.acquire(lease.district, wait_seconds=0)
    with pytest.raises(LockError):
        store.purge_district(lease, removed_before=AFTER, rejects_before=AFTER, dry_run=False)
    assert len(rows_of(store, "students")) == 2


def test_old_history_goes_and_the_last_commit_stays(store: Store) -> None:
    old = store.begin_run(RunInfo("sync", NOON - timedelta(days=20)))
    store.record(old, "riverbend-isd", action="sync", outcome="succeeded", steps=[], changes=[], rows={},
                 error=None, at=NOON)  # fmt: skip
    store.end_run(old, outcome="succeeded", summary={}, at=NOON)
    store.begin_run(RunInfo("reconcile", NOON - timedelta(days=10), commit="4f2c9e1"))
    store.begin_run(RunInfo("sync", NOON))
    assert store.purge_history(NOON, dry_run=False) == 1
    assert [view.command for view in store.history()] == ["sync", "reconcile"]
    assert store.last_commit() == "4f2c9e1"


def test_history_is_append_only_again_after_a_purge(store: Store, database_url: str) -> None:
    run = store.begin_run(samples.RUN)
    store.record(run, "riverbend-isd", action="sync", outcome="succeeded", steps=[], changes=[], rows={},
                 error=None, at=NOON)  # fmt: skip
    store.purge_history(NOON, dry_run=False)
    database = Database(database_url)
    for statement in ("DELETE FROM run_result", "DELETE FROM run", "UPDATE run SET author = 'x'"):
        with pytest.raises(StoreError):
            database.write(lambda transaction, s=statement: transaction.execute(text(s)))
    database.close()


def test_what_is_erased_from_sqlite_is_not_left_in_its_file(store: Store, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        return  # what PostgreSQL leaves until its vacuum is the database's own
    lease = saved(store)
    canary = "Xylander-canary-of-the-erased"
    write(store, lease, [delta("students", [samples.row("students", "S9", last_name=canary)])])
    write(store, lease, [delta("students", removals=[("S9",)])], at=LATER)
    store.purge_district(lease, removed_before=AFTER, rejects_before=NOON, dry_run=False)
    store.close()
    path = Path(make_url(database_url).database or "")
    found = [p.name for p in path.parent.glob(path.name + "*") if canary.encode() in p.read_bytes()]
    assert found == []
