"""What `purge` erased is not in the database's files any more: SQLite's bytes are searched, its log's too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, make_url, select, update

from reconciler.store import Store
from reconciler.store.tables import CONNECTION, ROSTER, SOURCE_FILE
from tests.acceptance.world import World, contacts_csv, students_csv

STAYS, LEAVES = "Stayborough", "Leaveborough"
STUDENTS = 400
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ONEROSTER = {
    "manifest.csv": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n"
    "file.orgs,bulk\nfile.users,bulk\n",
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
    "s1,,,Lincoln,school,1,\n",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,"
    "givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
    f"u1,,,true,s1,student,u1,,Ada,{LEAVES},,1,,,,,05,\n",
}
LEFT = 30


def files(*, before: bool) -> dict[str, str]:
    """A roster whose last 30 families bear a name of their own, before they leave and afterwards."""
    stay, leave = STUDENTS - LEFT, LEFT if before else 0
    students = students_csv(stay).replace("Last", STAYS)
    students += students_csv(leave, first=stay + 1).replace("Last", LEAVES).partition("\n")[2]
    contacts = contacts_csv(stay).replace("Last", STAYS)
    contacts += contacts_csv(leave, first=stay + 1).replace("Last", LEAVES).partition("\n")[2]
    return {"students.csv": students, "contacts.csv": contacts}


@pytest.fixture
def oak(world: World) -> World:
    """A district that 30 families left more than a year ago, each with a row that was rejected."""
    world.district("oak", schools=["0042"])
    world.put("oak", files(before=True))
    assert world.run("reconcile").code == 0
    leave_again(world)
    return world


def leave_again(world: World) -> None:
    """They are there once more, and leave."""
    for before in (True, False):
        world.put("oak", files(before=before))
        assert world.run("sync").code == 0
    with Store(world.database_url) as store:
        store._database.write(removed_long_ago)


def removed_long_ago(transaction: Connection) -> None:
    """As if whoever is removed had been removed long ago."""
    for table in ROSTER.values():
        transaction.execute(update(table).where(table.c.removed_at.is_not(None)).values(removed_at=LONG_AGO))


def held(world: World) -> bytes:
    """All bytes of SQLite's files; on PostgreSQL, every row that can be read."""
    url = make_url(world.database_url)
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        return b"".join(p.read_bytes() for p in sorted(path.parent.glob(f"{path.name}*")))
    with psycopg.connect(world.database_url.replace("postgresql+psycopg", "postgresql")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [connection.execute(f'SELECT t::text FROM "{name}" t').fetchall() for (name,) in tables]
    return repr(rows).encode()


def test_what_was_erased_is_nowhere_in_its_files(oak: World) -> None:
    assert LEAVES.encode() in held(oak)
    erased = oak.json("purge")["erased"]
    assert (erased["students"], erased["contacts"], erased["relationships"]) == (LEFT, LEFT, LEFT)
    assert LEAVES.encode() not in held(oak)
    assert STAYS.encode() in held(oak)
    assert len(oak.export("students")) == STUDENTS - LEFT


def test_a_rehearsal_erases_nothing(oak: World) -> None:
    assert oak.json("purge", "--dry-run")["erased"]["students"] == LEFT
    assert LEAVES.encode() in held(oak)


@pytest.fixture
def sqlite(oak: World) -> Path:
    """SQLite's file."""
    return Path(str(make_url(oak.database_url).database))


ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""These look into SQLite's files."""


@ON_SQLITE
def test_its_log_holds_nothing_either_while_somebody_else_has_the_database_open(
    oak: World, sqlite: Path
) -> None:
    log = sqlite.with_name(f"{sqlite.name}-wal")
    with closing(sqlite3.connect(sqlite)) as other:
        other.execute("SELECT count(*) FROM student").fetchone()
        leave_again(oak)
        assert LEAVES.encode() in log.read_bytes()
        oak.run("purge")
        assert LEAVES.encode() not in held(oak)


@ON_SQLITE
def test_a_reader_who_does_not_let_go_is_told_of(oak: World, sqlite: Path) -> None:
    with closing(sqlite3.connect(sqlite, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM student").fetchone()
        done = oak.run("purge")
        assert done.code == 0
        assert "another process" in done.err
    oak.run("purge")
    assert LEAVES.encode() not in held(oak)


@ON_SQLITE
def test_what_earlier_versions_left_in_gaps_goes_as_well(oak: World, sqlite: Path) -> None:
    with closing(sqlite3.connect(sqlite, isolation_level=None)) as plain:
        plain.execute("PRAGMA secure_delete=OFF")
        plain.execute("CREATE TABLE gap AS SELECT printf('Gapborough%d', id) AS name FROM student")
        plain.execute("DROP TABLE gap")
    assert b"Gapborough" in held(oak)
    oak.run("purge")
    assert b"Gapborough" not in held(oak)


def test_the_rows_kept_for_deltas_go_with_a_district_that_was_given_up(world: World) -> None:
    world.district("oak", mapper="oneroster-1.1", schools=["s1"])
    world.put("oak", ONEROSTER)
    world.policy(retire_after_days=1)
    assert world.run("reconcile").code == 0
    (world.root / "districts" / "oak.yaml").unlink()
    world.district("elm", schools=["0042"])
    world.put("elm", {"students.csv": students_csv(3)})
    assert world.run("reconcile").code == 0
    assert packed(world) != []
    with Store(world.database_url) as store:
        store._database.write(lambda t: t.execute(update(CONNECTION).values(retired_at=LONG_AGO)))
    assert world.run("reconcile").code == 0
    assert packed(world) == []


def packed(world: World) -> list[bytes]:
    """The source rows that are kept."""
    with Store(world.database_url) as store, store._database.read() as transaction:
        return [bytes(content) for (content,) in transaction.execute(select(SOURCE_FILE.c.content))]
