"""A database that goes away and comes back: what was not committed is done again, what was is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from reconciler.errors import LockError, StoreError
from reconciler.planning.connection import Phase
from reconciler.store import Store, outage
from reconciler.store.database import TRIES, Database
from tests.databases import Postgres
from tests.store import samples
from tests.store.processes import heard, process
from tests.store.wire import Wire, wire


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    with postgres.database(migrated=True) as url:
        yield url


@pytest.fixture
def lossy(postgres_url: str, tmp_path: Path) -> Iterator[Wire]:
    with wire(postgres_url, tmp_path / "w") as made:
        yield made


def begin(store: Store) -> str:
    return store.begin_run(samples.RUN)


def terminate(connection: Connection, postgres: Postgres) -> None:
    """End this session from another one, as an administrator or a fail-over does."""
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    postgres.execute(f"SELECT pg_terminate_backend({pid})")


def test_a_transaction_whose_connection_is_lost_is_done_again_as_a_whole(
    postgres_url: str, postgres: Postgres
) -> None:
    database, calls = Database(postgres_url), 0

    def work(connection: Connection) -> None:
        nonlocal calls
        calls += 1
        connection.execute(text("INSERT INTO lease (district, epoch) VALUES ('oak', 1)"))
        if calls == 1:
            terminate(connection, postgres)
        connection.execute(text("INSERT INTO lease (district, epoch) VALUES ('elm', 1)"))

    database.write(work)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM lease")).scalar() == 2
    assert calls == 2
    database.close()


def test_a_connection_that_is_lost_every_time_is_said_after_a_few_tries(
    postgres_url: str, postgres: Postgres
) -> None:
    database, calls = Database(postgres_url), []

    def work(connection: Connection) -> None:
        calls.append(1)
        terminate(connection, postgres)
        connection.execute(text("SELECT 1"))

    with pytest.raises(StoreError) as failed:
        database.write(work)
    assert (failed.value.code, failed.value.retryable) == ("database.unreachable", True)
    assert len(calls) == TRIES
    database.close()


def test_a_question_whose_connection_is_lost_is_asked_again(postgres_url: str, postgres: Postgres) -> None:
    database, calls = Database(postgres_url), []

    def look(connection: Connection) -> int:
        calls.append(1)
        if len(calls) == 1:
            terminate(connection, postgres)
        found: int = connection.execute(text("SELECT 42")).scalar_one()
        return found

    assert (database.ask(look), len(calls)) == (42, 2)
    database.close()


def test_a_lease_that_was_lost_meanwhile_is_noticed_when_it_is_tried_again(
    postgres_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.store import connections  # noqa: PLC0415 – to be overtaken in its midst

    with Store(postgres_url) as store:
        lease = samples.saved(store)
        real = connections.change

        def overtaken(connection: Connection, district: str, **values: object) -> None:
            real(connection, district, **values)
            terminate(connection, postgres)
            postgres_execute(postgres_url, "UPDATE lease SET epoch = epoch + 1")

        monkeypatch.setattr(connections, "change", overtaken)
        with pytest.raises(LockError) as lost:
            store.advance(lease, Phase.SYNCING)
        assert lost.value.code == "lock.lost"
        observed = store.observe_one(lease.district)
        assert observed is not None
        assert observed.phase is Phase.SAVED


@pytest.mark.parametrize("what", ["commit", "answer"])
def test_a_lost_commit_is_repeated_and_a_lost_answer_is_not(lossy: Wire, what: str) -> None:
    """History may tell: a run that began twice would be there twice, and its first would never end."""
    with Store(lossy.url) as store:
        begin(store)
        lossy.lose = "commit" if what == "commit" else "answer"
        run = begin(store)
        assert lossy.lost == 1
        assert run in [view.id for view in store.history()]
        assert len(store.history()) == 2


@pytest.mark.parametrize("what", ["commit", "answer"])
def test_whoever_takes_a_lease_through_a_lost_commit_holds_it(lossy: Wire, what: str) -> None:
    with Store(lossy.url) as store:
        store.observe()
        lossy.lose = "commit" if what == "commit" else "answer"
        lease = store.acquire("riverbend-isd", wait_seconds=0)
        assert (lossy.lost, lease.epoch) == (1, 1)
        store.renew(lease)


def test_a_commit_of_which_nobody_knows_is_not_repeated(lossy: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fail-over, the server that answers may never have heard of the transaction."""
    monkeypatch.setattr("reconciler.store.database.number_of", lambda _: 2**40)
    with Store(lossy.url) as store:
        store.observe()
        lossy.lose = "answer"
        with pytest.raises(StoreError, match="while a step was being committed") as unknown:
            begin(store)
        assert unknown.value.code == "database.unreachable"
        assert len(store.history()) == 1


def test_a_server_that_is_starting_is_waited_for_whatever_its_language(lossy: Wire) -> None:
    """From another process: libpq's question stops all threads of its own, the wire's among them."""
    lossy.starting = 5  # each attempt is followed by a question whether it is starting
    with process(lossy.url, "print(len(store.observe()), flush=True)") as asking:
        assert heard(asking) == "0"
    assert (lossy.starting, lossy.refused) == (0, 5)


def test_a_server_that_never_comes_up_is_waited_for_no_longer_than_patience_goes(lossy: Wire) -> None:
    lossy.starting = 1000
    body = """
from reconciler.errors import StoreError
from reconciler.store import outage
outage.PATIENCE_SECONDS = 0.5
try:
    store.observe()
except StoreError as error:
    print(error.code, flush=True)
"""
    with process(lossy.url, body) as asking:
        assert heard(asking) == "database.unreachable"
    assert lossy.refused > 2


def test_a_database_that_never_answered_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(StoreError), Store("postgresql://u@127.0.0.1:1/d") as store:
        store.observe()
    assert waits == []


@pytest.mark.parametrize("attempt", [1, 2, 5, 50])
def test_waits_grow_up_to_a_limit_and_differ(attempt: int) -> None:
    waits = {outage.backoff_seconds(attempt) for _ in range(50)}
    assert 0.05 <= min(waits) < max(waits) <= 2
    assert len(waits) > 10


def postgres_execute(url: str, statement: str) -> None:
    database = Database(url)
    database.write(lambda connection: connection.execute(text(statement)))
    database.close()
