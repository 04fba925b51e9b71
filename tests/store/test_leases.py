"""One runner a district: a dead one gives way, a living one does not, an overtaken one writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text, update

from reconciler.errors import LockError
from reconciler.planning.connection import Phase
from reconciler.store import HeldLease, Store
from reconciler.store.columns import DatabaseTime
from reconciler.store.database import Database
from reconciler.store.holder import this_process
from reconciler.store.leases import Lease
from reconciler.store.tables import LEASE
from tests.store import samples
from tests.store.processes import heard, process

HOLD = "store.acquire('riverbend-isd', wait_seconds=0); say_and_wait('held')"


def test_a_held_district_is_refused_and_its_holder_named(store: Store) -> None:
    store.acquire("riverbend-isd", wait_seconds=0)
    with pytest.raises(LockError) as refused:
        store.acquire("riverbend-isd", wait_seconds=0)
    me = this_process()
    assert refused.value.code == "lock.held"
    assert f"process {me.pid} on {me.host} works on this district since 20" in refused.value.message


def test_another_process_that_lives_keeps_its_district(store: Store, database_url: str) -> None:
    with process(database_url, HOLD) as holder:
        assert heard(holder) == "held"
        with pytest.raises(LockError, match=f"process {holder.pid} on"):
            store.acquire("riverbend-isd", wait_seconds=0)


def test_a_killed_holder_gives_way_at_once(store: Store, database_url: str) -> None:
    with process(database_url, HOLD) as holder:
        assert heard(holder) == "held"
        holder.kill()
        holder.wait()
        assert store.acquire("riverbend-isd", wait_seconds=0).epoch == 2


def test_districts_are_held_apart(store: Store) -> None:
    leases = [store.acquire(district, wait_seconds=0) for district in ("a", "b")]
    assert [lease.district for lease in leases] == ["a", "b"]


def test_a_released_district_is_free_and_its_epoch_goes_on(store: Store) -> None:
    first = store.acquire("riverbend-isd", wait_seconds=0)
    store.release(first)
    second = store.acquire("riverbend-isd", wait_seconds=0)
    assert (first.epoch, second.epoch) == (1, 2)


def test_who_waits_gets_the_district_when_it_is_released(store: Store) -> None:
    lease = store.acquire("riverbend-isd", wait_seconds=0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.acquire, "riverbend-isd", wait_seconds=20)
        store.release(lease)
        assert waiting.result().epoch == 2


def test_of_many_who_ask_at_once_one_gets_it(store: Store) -> None:
    def ask(_: int) -> bool:
        try:
            store.acquire("riverbend-isd", wait_seconds=0)
        except LockError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1


@pytest.mark.parametrize(
    ("expired", "taken"),
    [pytest.param(False, False, id="within its time"), pytest.param(True, True, id="after it")],
)
def test_another_machine_loses_its_lease_only_by_time(
    store: Store, database_url: str, expired: bool, taken: bool
) -> None:
    store.acquire("riverbend-isd", wait_seconds=0)
    elsewhere = replace(this_process(), host="elsewhere", pid=1)
    _change_lease(database_url, holder=elsewhere.to_text(), expires_at=DatabaseTime(-1 if expired else 30))
    if taken:
        assert store.acquire("riverbend-isd", wait_seconds=0).epoch == 2
    else:
        with pytest.raises(LockError, match="process 1 on elsewhere"):
            store.acquire("riverbend-isd", wait_seconds=0)


def test_a_pid_that_another_process_has_by_now_is_a_dead_holder(store: Store, database_url: str) -> None:
    store.acquire("riverbend-isd", wait_seconds=0)
    _change_lease(database_url, holder=replace(this_process(), started="1").to_text())
    assert store.acquire("riverbend-isd", wait_seconds=0).epoch == 2


def test_a_renewed_lease_is_not_taken_for_its_age(store: Store, database_url: str) -> None:
    lease = store.acquire("riverbend-isd", wait_seconds=0)
    _change_lease(database_url, expires_at=DatabaseTime(-1))
    store.renew(lease)
    with pytest.raises(LockError):
        store.acquire("riverbend-isd", wait_seconds=0)


WRITES: dict[str, Callable[[Store, Lease], object]] = {
    "renew": lambda s, lease: s.renew(lease),
    "save": lambda s, lease: s.save(lease, samples.connection(name="Zombie"), Phase.TESTED),
    "advance": lambda s, lease: s.advance(lease, Phase.MAPPED),
    "keep_host_key": lambda s, lease: s.keep_host_key(lease, "ssh-ed25519 AAAA"),
    "learn_schools": lambda s, lease: s.learn_schools(lease, samples.SCHOOLS),
    "keep_rejects": lambda s, lease: s.keep_rejects(lease, samples.REJECTS),
    "retire": lambda s, lease: s.retire(lease, samples.LATER),
    "deactivate": lambda s, lease: s.deactivate(lease, samples.LATER),
    "write_sync": lambda s, lease: samples.write(s, lease, samples.family()),
    "finish": lambda s, lease: s.finish(
        lease, outcome="failed", problem=None, unfinished=False, synced=True, run="r", at=samples.LATER
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_an_overtaken_runner_writes_nothing(
    store: Store, database_url: str, write: Callable[[Store, Lease], object]
) -> None:
    zombie = samples.saved(store)
    _overtake(store, database_url)
    before = _everything(database_url)
    with pytest.raises(LockError) as lost:
        write(store, zombie)
    assert lost.value.code == "lock.lost"
    assert _everything(database_url) == before


def test_an_overtaken_runner_cannot_release_the_lease_of_its_successor(
    store: Store, database_url: str
) -> None:
    zombie = samples.saved(store)
    successor = _overtake(store, database_url)
    store.release(zombie)
    store.renew(successor)


def test_a_released_lease_writes_nothing(store: Store) -> None:
    lease = samples.saved(store)
    store.release(lease)
    with pytest.raises(LockError):
        store.advance(lease, Phase.MAPPED)


def test_a_lease_of_one_district_does_not_save_another(store: Store) -> None:
    lease = store.acquire("hill-valley", wait_seconds=0)
    with pytest.raises(ValueError, match="its own district"):
        store.save(lease, samples.connection("riverbend-isd"), Phase.SAVED)


def _overtake(store: Store, url: str) -> HeldLease:
    _change_lease(url, expires_at=DatabaseTime(-1))
    return store.acquire("riverbend-isd", wait_seconds=0)


def _change_lease(url: str, **values: object) -> None:
    database = Database(url)
    database.write(lambda c: c.execute(update(LEASE).values(values)))
    database.close()


def _everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    tables = ("connection", "sis_school", "reject", "student", "contact", "relationship", "staff", "lease")
    database = Database(url)
    with database.read() as connection:
        rows = {t: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {t}"))] for t in tables}
    database.close()
    return rows
