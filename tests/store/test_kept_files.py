"""Source rows that are kept for deltas: written with the sync that they belong to, and gone with its rows."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from reconciler.errors import LockError
from reconciler.planning.connection import Phase
from reconciler.roster.delta import Snapshot
from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.reading.reader import BrokenRow
from reconciler.store import HeldLease, Store
from tests.store import samples

DISTRICT = "riverbend-isd"


def kept(file: str = "users", content: bytes = b"\x00rows\xff", **more: object) -> KeptFile:
    columns = (("sourcedId", True), ("Größe", False))
    return KeptFile(file, columns, 2, hashlib.sha256(content).hexdigest(), lambda: content, **more)  # type: ignore[arg-type]


def write(store: Store, lease: HeldLease, files: list[KeptFile] | None) -> None:
    run = store.begin_run(samples.RUN)
    store.write_sync(
        lease, [], rejects=None, schools=None, kept=files, snapshot=samples.SNAPSHOT, run=run, at=samples.NOON
    )


@pytest.fixture
def lease(store: Store) -> HeldLease:
    return samples.saved(store)


def test_what_is_kept_comes_back_as_it_was(store: Store, lease: HeldLease) -> None:
    unread = (BrokenRow(7, "row.ragged", "the row has 1 cells", ("k1", "")),)
    files = [kept(unread=unread), kept("orgs", b"")]
    write(store, lease, files)
    found = store.kept_files(DISTRICT)
    assert sorted(found.values(), key=lambda f: f.file) == sorted(files, key=lambda f: f.file)
    assert [found[f.file].content() for f in files] == [b"\x00rows\xff", b""]


def test_what_is_kept_is_replaced_as_a_whole_or_left(store: Store, lease: HeldLease) -> None:
    write(store, lease, [kept(), kept("orgs")])
    write(store, lease, None)
    assert set(store.kept_files(DISTRICT)) == {"users", "orgs"}
    write(store, lease, [kept(content=b"other")])
    assert {f: k.content() for f, k in store.kept_files(DISTRICT).items()} == {"users": b"other"}


def test_a_file_that_is_there_as_it_is_is_not_written_again(store: Store, lease: HeldLease) -> None:
    write(store, lease, [kept()])
    statements: list[str] = []

    def listen(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        write(store, lease, [kept()])
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert [s for s in statements if "source_file" in s and not s.startswith("SELECT")] == []


def test_it_goes_when_the_rows_become_inactive(store: Store, lease: HeldLease) -> None:
    write(store, lease, [kept()])
    store.deactivate(lease, samples.NOON)
    assert store.kept_files(DISTRICT) == {}


def test_nothing_is_kept_without_the_lease(store: Store, lease: HeldLease) -> None:
    store.release(lease)
    other = store.acquire(DISTRICT, wait_seconds=0)
    with pytest.raises(LockError):
        write(store, lease, [kept()])
    with pytest.raises(LockError):
        store.keep_pending(lease, {"users": ("d1",)})
    assert (store.kept_files(DISTRICT), store.snapshot(DISTRICT)) == ({}, Snapshot())
    store.release(other)


def test_what_waits_to_be_applied_is_on_record_beside_what_was(store: Store, lease: HeldLease) -> None:
    store.keep_pending(lease, {"users": ("d1",)})
    assert store.snapshot(DISTRICT) == Snapshot(pending={"users": ("d1",)})
    write(store, lease, None)
    store.keep_pending(lease, {"users": ("d1", "d2")})
    after = store.snapshot(DISTRICT)
    assert (after.files, after.pending) == (samples.SNAPSHOT.files, {"users": ("d1", "d2")})
    assert store.observe()[DISTRICT].phase is Phase.SYNCING
