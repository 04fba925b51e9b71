"""The database goes away, or its disk is full: nothing is half written, and the next run gets it right."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.conftest import require
from tests.databases import Postgres
from tests.faults.laboratory import stored

STUDENTS = 1500


@pytest.fixture
def oak(world: World) -> World:
    for name in ("oak", "elm"):
        world.district(name, schools=["0042"])
        world.put(name, {"students.csv": students_csv(STUDENTS), "contacts.csv": contacts_csv(STUDENTS)})
    return world


def only(kind: str) -> pytest.MarkDecorator:
    """One kind of database: the fault is of its own."""
    return pytest.mark.parametrize("database_url", [kind], indirect=True)


@pytest.mark.timeout(3600)
@only("postgresql")
def test_backends_that_are_terminated_lose_nothing(
    oak: World, new_database: Callable[[], None], rounds: int, postgres: Postgres
) -> None:
    undisturbed = _undisturbed(oak, new_database)
    for turn in range(rounds):
        new_database()
        with _terminated(postgres, oak.database_url, random.Random(turn)):
            process = oak.start("reconcile")
            out, err = process.communicate(timeout=300)
        assert "Traceback" not in out + err
        assert process.returncode in (0, 1)
        assert oak.run("reconcile").code == 0
        assert stored(oak.database_url) == undisturbed


@pytest.mark.timeout(3600)
@only("postgresql")
def test_a_server_that_crashes_and_recovers_loses_nothing(
    oak: World, new_database: Callable[[], None], rounds: int, postgres: Postgres
) -> None:
    """A backend that is killed takes the whole server down: it ends all others, and recovers from its log."""
    require(
        not os.environ.get("RECONCILER_TEST_DATABASE_URL"),
        "the PostgreSQL server is not the tests' own, and is not crashed",
    )
    undisturbed = _undisturbed(oak, new_database)
    for turn in range(rounds // 4 or 1):
        new_database()
        process = oak.start("reconcile")
        time.sleep(random.Random(turn).uniform(0.4, 2.0))
        _crash(postgres)
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in out + err
        assert process.returncode in (0, 1)
        _answers(postgres)
        assert oak.run("reconcile").code == 0
        assert stored(oak.database_url) == undisturbed


@only("sqlite")
def test_a_full_disk_is_said_and_nothing_of_the_sync_is_written(oak: World) -> None:
    """The largest file that the process may write stands for the disk: SQLite hears of both alike."""
    assert oak.run("reconcile", "--only", "oak").code == 0
    before = stored(oak.database_url)["student"]
    limit = 400_000
    process = oak.start("reconcile", "--only", "elm", "--format", "json")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    out, err = process.communicate(timeout=300)
    assert (process.returncode, "Traceback" in out + err) == (1, False), out + err
    (result,) = json.loads(out)["results"]
    assert result["error"]["code"] == "database.failed"
    assert "room on the database's disk" in result["error"]["hint"]
    assert stored(oak.database_url)["student"] == before
    assert oak.run("reconcile").code == 0
    assert len(stored(oak.database_url)["student"]) == 2 * STUDENTS


@only("postgresql")
def test_a_database_that_is_away_is_said_at_once_and_in_words(oak: World) -> None:
    oak.environment["RECONCILER_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/none"
    done = oak.run("reconcile", "--format", "json")
    assert (done.code, done.json["error"]["code"]) == (1, "database.unreachable")
    assert "Traceback" not in done.err
    assert oak.seen == []


def _undisturbed(world: World, new_database: Callable[[], None]) -> dict[str, list[tuple[object, ...]]]:
    new_database()
    assert world.run("reconcile").code == 0
    return stored(world.database_url)


@contextmanager
def _terminated(postgres: Postgres, database_url: str, chosen: random.Random) -> Iterator[None]:
    """While it lasts, the backends of one database are terminated at random instants."""
    name, over = database_url.rpartition("/")[2].partition("?")[0], threading.Event()

    def terminate() -> None:
        while not over.wait(chosen.uniform(0.3, 1.2)):
            postgres.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _crash(postgres: Postgres) -> None:
    with suppress(psycopg.Error), psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        connection.execute("SELECT 1")


def _answers(postgres: Postgres) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return postgres.execute("SELECT 1")
        except psycopg.Error:
            assert time.monotonic() < deadline, "the server does not come back"
            time.sleep(0.1)
