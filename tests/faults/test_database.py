"""The database goes away, or its disk is full: nothing is half written, and the next run gets it right."""

from __future__ import annotations

import json
import os
import random
import resource
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.conftest import require
from tests.databases import Postgres
from tests.faults.cluster import cluster
from tests.faults.disks import small_disk
from tests.faults.laboratory import Figure, stored
from tests.faults.nursery import Nursery
from tests.faults.states import States

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


@pytest.mark.timeout(7200)
@only("postgresql")
def test_backends_that_are_terminated_lose_nothing(
    oak: World, nursery: Nursery, states: States, rounds: int, postgres: Postgres, figure: Figure
) -> None:
    """Until so many sessions were ended, each at a random instant of a sync."""
    start, undisturbed, _ = _undisturbed(oak, nursery, states)
    ended, alone, runs, chosen = 0, 0, 0, random.Random(5)
    while ended < rounds:
        states.restore(start)
        process = nursery.start("reconcile")
        while not process.is_over:
            time.sleep(chosen.uniform(0.1, 1.0))
            ended += _terminate(postgres, oak.database_url)
        done = process.wait()
        assert "Traceback" not in done.out + done.err
        assert done.code in (0, 1), done.err
        alone += done.code == 0
        runs += 1
        assert nursery.run("reconcile").code == 0
        assert stored(oak.database_url) == undisturbed
    figure(
        f"{ended} sessions ended in {runs} runs, {alone} of which came through without another; 0 rows lost"
    )


@pytest.mark.timeout(7200)
@only("postgresql")
def test_a_server_that_is_restarted_in_the_midst_loses_nothing(
    oak: World, nursery: Nursery, rounds: int, tmp_path: Path, figure: Figure
) -> None:
    """`pg_ctl restart -m immediate`: every session ends, and the server recovers from its log."""
    require(
        not os.environ.get("RECONCILER_TEST_DATABASE_URL"), "the tests have no PostgreSQL server of their own"
    )
    with cluster() as server, server.database(migrated=True) as first:
        oak.database_url = oak.environment["RECONCILER_DATABASE_URL"] = first
        states = States(oak, tmp_path, server)
        start, undisturbed, span = _undisturbed(oak, nursery, states)
        restarts, alone, chosen = max(rounds // 4, 1), 0, random.Random(7)
        for _ in range(restarts):
            states.restore(start)
            process = nursery.start("reconcile")
            time.sleep(chosen.uniform(0.1, span))
            server.restart()
            done = process.wait()
            assert "Traceback" not in done.out + done.err
            assert done.code in (0, 1), done.err
            alone += done.code == 0
            assert nursery.run("reconcile").code == 0
            assert stored(oak.database_url) == undisturbed
        states.close()
    figure(f"{restarts} restarts; {alone} runs came through without another; 0 rows lost")


@pytest.mark.timeout(3600)
@only("sqlite")
def test_a_disk_that_is_full_at_any_point_of_a_sync_leaves_all_of_it_or_nothing(
    oak: World, nursery: Nursery, rounds: int, tmp_path: Path, figure: Figure
) -> None:
    with small_disk(tmp_path / "disk", 32 << 20) as disk:
        database = disk.path / "state.db"
        oak.database_url = oak.environment["RECONCILER_DATABASE_URL"] = f"sqlite:///{database}"
        assert nursery.run("reconcile", "--only", "oak").code == 0
        before, start = stored(oak.database_url), database.read_bytes()
        assert nursery.run("reconcile").code == 0
        undisturbed, refused, sizes = stored(oak.database_url), 0, min(rounds, 40)
        for size in range(sizes):
            for path in disk.path.iterdir():
                path.unlink()
            database.write_bytes(start)
            disk.leave(size * (3 << 20) // sizes)
            done = nursery.run("reconcile", "--format", "json")
            assert "Traceback" not in done.out + done.err
            disk.empty()
            rows = stored(oak.database_url)
            if done.code:
                assert "database.failed" in done.out
                assert "room on the database's disk" in done.out
                assert rows["student"] in (before["student"], undisturbed["student"])
                refused += 1
            assert nursery.run("reconcile").code == 0
            assert stored(oak.database_url) == undisturbed
    assert refused
    figure(f"{sizes} amounts of room, {refused} of them too little: all of the sync or nothing, each time")


@pytest.mark.timeout(3600)
def test_a_disk_that_is_full_in_mid_download_is_said_and_nothing_is_written(
    oak: World, nursery: Nursery, tmp_path: Path
) -> None:
    before = stored(oak.database_url)["student"]
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        disk.leave(32 << 10)
        done = nursery.run("reconcile", "--format", "json", TMPDIR=str(disk.path))
        codes = {result["error"]["code"] for result in done.json["results"]}
        assert (done.code, codes) == (1, {"sftp.local-file"})
        assert "Traceback" not in done.err
        assert stored(oak.database_url)["student"] == before
        disk.empty()
        assert nursery.run("reconcile", TMPDIR=str(disk.path)).code == 0
        assert list(disk.path.iterdir()) == []
    assert len(stored(oak.database_url)["student"]) == 2 * STUDENTS


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


GONE = """
import os, psycopg
from reconciler.store import outage, store
outage.PATIENCE_SECONDS = 0.5
real = store.Store.write_sync
def gone(self, *arguments, **named):
    with psycopg.connect(os.environ["ADMIN"], autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {os.environ['GONE']} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                      (os.environ["GONE"],))
    return real(self, *arguments, **named)
store.Store.write_sync = gone
"""


@only("postgresql")
def test_a_database_that_stays_away_is_told_in_the_report_of_what_was_done(
    oak: World, nursery: Nursery, postgres: Postgres
) -> None:
    name = str(make_url(oak.database_url).database)
    called = ("reconcile", "--workers", "1", "--format", "json")
    done = nursery.run(*called, change=GONE, ADMIN=postgres.admin_url, GONE=name)
    codes = {result["district"]: result["error"]["code"] for result in done.json["results"]}
    assert (done.code, codes) == (1, dict.fromkeys(("oak", "elm"), "database.unreachable"))
    assert "not in its history" in done.err
    assert "Traceback" not in done.err
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert nursery.run("reconcile").code == 0
    assert len(stored(oak.database_url)["student"]) == 2 * STUDENTS


@only("postgresql")
def test_a_database_that_is_away_is_said_at_once_and_in_words(oak: World) -> None:
    oak.environment["RECONCILER_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/none"
    done = oak.run("reconcile", "--format", "json")
    assert (done.code, done.json["error"]["code"]) == (1, "database.unreachable")
    assert "Traceback" not in done.err
    assert oak.seen == []


def _undisturbed(world: World, nursery: Nursery, states: States) -> tuple[str, dict[str, Any], float]:
    """A state to begin at, what a run makes of it, and how many seconds that takes."""
    start = states.keep()
    states.restore(start)
    began = time.monotonic()
    assert nursery.run("reconcile").code == 0
    return start, stored(world.database_url), time.monotonic() - began


def _terminate(postgres: Postgres, database_url: str) -> int:
    """End the sessions of one database; how many there were."""
    name = make_url(database_url).database
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", (name,)
        ).fetchone()
    return int(ended[0]) if ended else 0
