"""`purge`: what is no longer needed is erased, with a count as proof."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from reconciler.store import Store
from tests.acceptance.world import World, students_csv


@pytest.fixture
def oak(world: World) -> World:
    """A district that has lost 5 of 100 students, with one row that was rejected."""
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(100)})
    assert world.run("reconcile").code == 0
    world.put("oak", {"students.csv": students_csv(95) + "99999,0042,,Nameless,05,2012-01-01\n"})
    assert world.run("sync").code == 0
    return world


def age(world: World, days: int) -> None:
    """As if all that happened had happened so many days earlier."""
    engine = sa.create_engine(world.database_url.replace("postgresql://", "postgresql+psycopg://"))
    columns = (("student", "removed_at"), ("connection", "last_sync_at"))
    with engine.begin() as connection:
        for table, column in columns:
            earlier = (
                f"{column} - interval '{days} days'"
                if engine.dialect.name == "postgresql"
                else f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{days} days')"
            )
            connection.execute(sa.text(f"UPDATE {table} SET {column} = {earlier} WHERE {column} IS NOT NULL"))
    engine.dispose()


def test_nothing_is_erased_before_its_time(oak: World) -> None:
    done = oak.run("purge")
    assert (done.code, done.out) == (0, "Erased: nothing is old enough.\n")


def test_what_is_old_enough_is_erased_counted_and_put_on_record(oak: World) -> None:
    age(oak, 400)
    rehearsed = oak.json("purge", "--dry-run")
    assert rehearsed["dry_run"] is True
    erased = oak.json("purge")["erased"]
    assert erased == rehearsed["erased"]
    assert (erased["students"], erased["rejects"], erased["runs"]) == (5, 1, 0)
    assert oak.json("purge")["erased"]["students"] == 0
    assert len(oak.export("students")) == 95
    recorded = [run for run in oak.json("history") if run["command"] == "purge"]
    assert recorded[-1]["summary"] == erased


def test_a_student_who_was_erased_may_come_back(oak: World) -> None:
    age(oak, 400)
    oak.run("purge")
    oak.put("oak", {"students.csv": students_csv(100)})
    (result,) = oak.json("sync")["results"]
    assert result["rows"]["students"]["added"] == 5


def test_the_limits_are_those_of_the_policy(oak: World) -> None:
    age(oak, 40)
    assert oak.json("purge", "--dry-run")["erased"]["students"] == 0
    oak.policy(retention={"removed_rows_days": 30})
    report = oak.json("purge")
    assert (report["erased"]["students"], report["limits"]["removed_rows_days"]) == (5, 30)


def test_a_district_that_is_worked_on_is_left_alone_and_named(oak: World) -> None:
    age(oak, 400)
    with Store(oak.database_url) as store:
        lease = store.acquire("oak", wait_seconds=0)
        done = oak.run("purge", "--format", "json")
        store.release(lease)
    assert done.code == 1
    (skipped,) = done.json["skipped"]
    assert (skipped["district"], skipped["error"]["code"]) == ("oak", "lock.held")


def test_only_names_districts_and_leaves_history(oak: World) -> None:
    assert oak.run("purge", "--only", "elm").code == 64
    assert oak.json("purge", "--only", "oak")["erased"]["runs"] == 0
