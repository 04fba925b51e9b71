"""A sign of life on PostgreSQL: a dead runner of another machine gives way at once, a living one does not."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from reconciler.errors import LockError
from reconciler.store import HeldLease, Store, holder, leases, sign
from reconciler.store.database import Database
from reconciler.store.holder import Holder, this_process
from reconciler.store.scope import NOBODY, scope_of
from tests.databases import Postgres
from tests.faults.laboratory import until
from tests.roles import Roles, roles
from tests.store.processes import go_on, heard, process
from tests.store.wire import wire

__all__ = ["roles"]

OAK = "oak"
ELSEWHERE = """
import socket
from reconciler.store import holder
holder._machine = lambda: "another boot pid:[1]"
socket.gethostname = lambda: "elsewhere"
"""
PATIENCE = sign.LOOKS_APART_SECONDS + 0.7
"""Long enough for two looks and more: who is not overtaken meanwhile is not because of them."""
SIGNS = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = {sign._CLASS}"


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' server may have just started: that is not what keeps a holder from being overtaken here."""
    monkeypatch.setattr(sign, "_SETTLED_SECONDS", 0)


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database(migrated=True) as made:
        yield made


@pytest.fixture
def here(url: str) -> Iterator[Store]:
    with Store(url) as store:
        yield store


@pytest.fixture
def elsewhere(url: str) -> Iterator[Store]:
    """Holds oak as a process does that may be on another machine."""
    with Store(url) as store:
        hold_elsewhere(store)
        yield store


def hold_elsewhere(store: Store) -> HeldLease:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, "_machine", lambda: "another boot pid:[1]")
        patch.setattr(socket, "gethostname", lambda: "elsewhere")
        return store.acquire(OAK, wait_seconds=0)


def is_refused(store: Store, seconds: float = PATIENCE) -> bool:
    """Whether the holder of oak keeps it, though somebody wants it for a while."""
    try:
        store.acquire(OAK, wait_seconds=seconds)
    except LockError as refused:
        return "elsewhere works on this district" in refused.message
    return False


def signs(url: str) -> list[int]:
    """The sessions that hold one."""
    with psycopg.connect(url) as connection:
        return [pid for (pid,) in connection.execute(f"{SIGNS} AND database = {_oid(connection)}")]


def _oid(connection: psycopg.Connection) -> int:
    found = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert found
    return int(found[0])


def test_a_killed_holder_of_another_machine_gives_way_long_before_its_lease_ends(
    url: str, here: Store
) -> None:
    hold = f"store.acquire('{OAK}', wait_seconds=0); say_and_wait('held')"
    with process(url, ELSEWHERE + hold) as killed:
        assert heard(killed) == "held"
        killed.kill()
        killed.wait()
        assert is_refused(here, 0), "it was taken for dead at the first look"
        began = time.monotonic()
        assert here.acquire(OAK, wait_seconds=20).epoch == 2
        assert time.monotonic() - began < 10 < leases.TTL_SECONDS


@pytest.mark.usefixtures("elsewhere")
def test_a_living_holder_that_neither_renews_nor_writes_keeps_its_district(here: Store) -> None:
    assert is_refused(here, 4)


def test_a_holder_that_renews_is_not_dead_whatever_became_of_its_sign(
    url: str, here: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LOOKS_APART_SECONDS", 2)
    with Store(url) as store, ThreadPoolExecutor(1) as pool:
        lease = hold_elsewhere(store)
        assert store._database._sign
        store._database._sign.close()
        until(lambda: not signs(url), "the session's end")
        waiting = pool.submit(is_refused, here, 3.5)
        while not waiting.done():
            store.renew(lease)
            time.sleep(0.7)
        assert waiting.result()


@pytest.mark.usefixtures("elsewhere")
def test_a_sign_whose_session_the_server_ends_is_put_up_again(
    url: str, here: Store, postgres: Postgres
) -> None:
    for _ in range(3):
        (ended,) = signs(url)
        postgres.execute(f"SELECT pg_terminate_backend({ended})")
        until(lambda: signs(url) not in ([], [ended]), "the sign")  # noqa: B023
    assert is_refused(here)


def test_where_no_sign_can_be_had_the_end_of_the_lease_counts(
    url: str, here: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "TTL_SECONDS", 3)
    with Store(url) as store:
        with monkeypatch.context() as patch:
            patch.setattr(sign, "_session", _full)
            hold_elsewhere(store)
        assert is_refused(here)
        assert here.acquire(OAK, wait_seconds=20).epoch == 2


def _full(*_: object) -> None:
    raise psycopg.OperationalError("sorry, too many clients already")


def test_behind_a_pooler_there_is_no_sign_for_its_sessions_are_not_ours(url: str, tmp_path: Path) -> None:
    """A pooler tells its clients a process of its own making, and may end the server's sessions."""
    with wire(url, tmp_path / "w") as pooler, Store(pooler.url) as store:
        pooler.pooled = True
        store.acquire(OAK, wait_seconds=0)
        assert signs(url) == []
        assert _holder_of(url).sign == ""


def test_a_run_that_could_put_up_no_sign_does_not_try_for_each_lease(
    here: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(*_: object) -> None:
        tried.append(1)
        _full()

    monkeypatch.setattr(sign, "_session", refuse)
    for district in ("oak", "elm", "ash"):
        here.acquire(district, wait_seconds=0)
    assert len(tried) == 1


def test_nothing_of_it_is_left_when_the_store_is_closed(url: str) -> None:
    with Store(url) as store:  # what is loaded at the first use stays open for good
        store.acquire("elm", wait_seconds=0)
    threads, files = threading.active_count(), _open_files()
    with Store(url) as store:
        for district in ("oak", "ash"):
            store.release(store.acquire(district, wait_seconds=0))
        assert len(signs(url)) == 1
    assert (threading.active_count(), _open_files()) == (threads, files)
    until(lambda: not signs(url), "the session's end")


def test_a_forked_child_takes_nothing_from_its_parent_which_ends_with_nothing_closed(
    url: str, here: Store
) -> None:
    forking = f"""
import os
store.acquire('{OAK}', wait_seconds=0)
if os.fork() == 0:
    before = store._database._sign._key
    mine = store._database.sign()
    store._database._sign.close()
    sys.exit(0 if mine and mine != str(before) else 1)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
say_and_wait('held')
"""
    with process(url, ELSEWHERE + forking) as parent:
        assert heard(parent) == "held"
        until(lambda: len(signs(url)) == 1, "the end of the child's session")
        assert is_refused(here)
        go_on(parent)
        assert parent.wait(timeout=30) == 0


def test_the_application_s_role_sees_the_signs_of_others(roles: Roles) -> None:
    with roles.database() as name, Store(roles.url("app", name)) as store:
        with Store(roles.url("owner", name)) as owner:
            hold_elsewhere(owner)
            assert is_refused(store)
        assert store.acquire(OAK, wait_seconds=20).epoch == 2


def test_a_sign_in_another_database_of_the_server_is_another_s(
    url: str, elsewhere: Store, postgres: Postgres
) -> None:
    key, database = _holder_of(url).sign, Database(url)
    with psycopg.connect(postgres.admin_url, autocommit=True) as other:
        other.execute(f"SELECT pg_advisory_lock_shared({sign._CLASS}, {key})")
        assert not database.ask(lambda connection: sign.is_gone(connection, key), NOBODY)
        elsewhere.close()
        until(lambda: database.ask(lambda connection: sign.is_gone(connection, key), NOBODY), "its end", 20)
    database.close()


def test_a_server_that_has_just_started_knows_nothing_of_signs(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign, "_SETTLED_SECONDS", 10**8)
    database = Database(url)
    assert not database.ask(lambda connection: sign.is_gone(connection, "1"), NOBODY)
    database.close()


OLD = '{"host": "elsewhere", "machine": "boot pid:[1]", "pid": 7, "started": "42"}'


def test_a_holder_from_before_signs_is_read_as_one_without() -> None:
    assert Holder.from_text(OLD) == Holder("elsewhere", 7, "boot pid:[1]", "42", "")


def test_a_program_from_before_signs_reads_a_new_holder_as_another_machine_s() -> None:
    me = this_process()
    new = Holder(me.host, me.pid, me.machine, me.started, "123")
    said = json.loads(new.to_text())
    assert sorted(said) == sorted(json.loads(OLD))
    assert said["machine"] != me.machine
    assert Holder.from_text(new.to_text()) == new


@pytest.mark.parametrize("nonsense", ["", "x", "1; DROP TABLE lease", "-1"])
def test_what_is_no_sign_is_none(nonsense: str) -> None:
    said = Holder("elsewhere", 7, f"boot sign {nonsense}", "42").to_text()
    assert Holder.from_text(said).sign == ""


def _holder_of(url: str) -> Holder:
    database = Database(url)
    find = text("SELECT holder FROM lease WHERE district = 'oak'")
    found = database.ask(lambda connection: connection.execute(find).scalar_one(), scope_of(OAK))
    database.close()
    return Holder.from_text(found)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 – what the system says, and no more


def test_sqlite_has_no_signs() -> None:
    assert Database("sqlite:////nowhere/state.db").sign() == ""
