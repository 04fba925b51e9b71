"""Migrations: killed at any statement, from any older version, and never by a program that is too old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, MetaData, insert, select, text

from reconciler.store.database import Database
from reconciler.store.migration import REVISIONS, alembic_config
from tests.acceptance.world import World, contacts_csv, students_csv
from tests.databases import Postgres
from tests.faults.laboratory import Figure, engine_of
from tests.faults.nursery import Nursery
from tests.faults.states import States

Rows = dict[str, list[dict[str, Any]]]
BEFORE = ("", *REVISIONS[:-1])
"""Where an upgrade may begin; empty: a database without tables."""

KILLED = """
import os, signal
from sqlalchemy import Engine, event
reached = 0

def point():
    global reached
    reached += 1
    if "CRASH_LIST" in os.environ:
        with open(os.environ["CRASH_LIST"], "w") as file:
            file.write(str(reached))
    if reached == int(os.environ.get("CRASH_AT", "0")):
        os.kill(os.getpid(), signal.SIGKILL)

for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
    event.listen(Engine, name, lambda *_: point())
"""


@pytest.fixture
def filled(world: World) -> World:
    """A fleet of one district, synced."""
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(20), "contacts.csv": contacts_csv(20)})
    assert world.run("reconcile").code == 0
    return world


@contextmanager
def older(world: World, revision: str, folder: Path, postgres: Postgres | None) -> Iterator[Rows]:
    """Gives the world its database as an older program made it, with the rows of a sync; and these rows."""
    rows, newest = rows_of(world.database_url), world.database_url
    with ExitStack() as stack:
        if postgres is None:
            url = f"sqlite:///{folder / f'older-{revision}.db'}"
        else:
            url = stack.enter_context(postgres.database(migrated=False))
        made = _make(url, revision, rows)
        world.database_url = world.environment["RECONCILER_DATABASE_URL"] = url
        yield made
    world.database_url = newest


@pytest.fixture
def server(request: pytest.FixtureRequest, world: World) -> Postgres | None:
    """The server of the world's database, where it has one."""
    if world.database_url.startswith("sqlite"):
        return None
    found: Postgres = request.getfixturevalue("postgres")
    return found


@pytest.mark.timeout(3600)
def test_killed_at_any_statement_of_a_migration_the_next_start_finishes_it(
    filled: World, server: Postgres | None, nursery: Nursery, states: States, rounds: int, tmp_path: Path,
    figure: Figure,
) -> None:  # fmt: skip
    killed, listing = [], tmp_path / "reached"
    for revision in BEFORE if rounds >= 100 else BEFORE[-1:]:
        with older(filled, revision, tmp_path, server) as before:
            start = states.keep()
            points = _points(nursery, listing)
            step = 1 if rounds >= 100 else max(points // rounds, 1)
            for n in range(step, points + 1, step):
                states.restore(start)
                assert nursery.run("status", change=KILLED, CRASH_AT=str(n)).code == -9
                half_way = f"from {revision or 'nothing'}, killed at {n} of {points}"
                assert _version(filled.database_url) in (_version(start), REVISIONS[-1]), half_way

                assert nursery.run("status").code == 0, half_way

                assert _version(filled.database_url) == REVISIONS[-1], half_way
                _assert_kept(before, rows_of(filled.database_url))
                killed.append(n)
            assert nursery.run("reconcile").code == 0
            assert filled.run("plan", "--detailed-exitcode").code == 0
            assert len(filled.export("students")) == 20
    figure(f"killed at {len(killed)} statements and commits; no row lost, the newest version each time")


def _points(nursery: Nursery, listing: Path) -> int:
    """At how many points the upgrade of the world's database can be killed; it is upgraded."""
    assert nursery.run("status", "--format", "json", change=KILLED, CRASH_LIST=str(listing)).code == 0
    points = int(listing.read_text())
    assert points > 5
    return points


@pytest.mark.parametrize("revision", BEFORE, ids=lambda revision: f"from-{revision or 'nothing'}")
def test_two_programs_at_once_bring_an_older_database_up_to_date(
    filled: World, revision: str, server: Postgres | None, nursery: Nursery, tmp_path: Path
) -> None:
    with older(filled, revision, tmp_path, server) as before:
        children = [nursery.start("status", "--format", "json") for _ in range(2)]
        ended = [child.wait() for child in children]
        assert [done.code for done in ended] == [0, 0], [done.err for done in ended]
        assert _version(filled.database_url) == REVISIONS[-1]
        _assert_kept(before, rows_of(filled.database_url))


OPENS = {
    "plan": (), "plan --out": ("plan.json",), "plan --preview": (), "reconcile": (),
    "reconcile --only oak": (), "sync": (), "sync oak": (), "test oak": (), "schools oak": (),
    "status": (), "history": (), "export students": (), "rejects oak": (), "purge": (),
    "purge --dry-run": (), "import --out": ("files",),
}  # fmt: skip


def test_every_command_that_opens_a_newer_database_refuses_it_and_writes_nothing(
    filled: World, tmp_path: Path
) -> None:
    _execute(filled.database_url, "UPDATE alembic_version SET version_num = '9999'")
    before = rows_of(filled.database_url)
    filled.seen.clear()
    filled.district("oak", schools={"0042": "elsewhere"})
    for called, more in OPENS.items():
        done = filled.run(*called.split(), *(str(tmp_path / name) for name in more))

        assert (done.code, "database.version" in done.err) == (1, True), called + done.out + done.err
        assert "newer reconciler" in done.err, called
        assert "Traceback" not in done.err, called
        assert rows_of(filled.database_url) == before, called
        assert filled.seen == [], called


def rows_of(url: str) -> Rows:
    """Every row of every table, by its column."""
    engine, found = engine_of(url), MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: sorted((dict(row._mapping) for row in connection.execute(select(table))), key=repr)
            for name, table in found.tables.items()
        }
    engine.dispose()
    return rows


def _make(url: str, revision: str, rows: Rows) -> Rows:
    """Make the tables of a revision, and put as much of these rows into them as they take."""
    if not revision:
        if url.startswith("sqlite"):
            Path(url.removeprefix("sqlite:///")).touch()
        return {}
    database = Database(url)
    database.write(lambda connection: command.upgrade(alembic_config(connection), revision))
    database.close()
    engine, found = engine_of(url), MetaData()
    found.reflect(engine)
    with engine.begin() as connection:
        for table in found.sorted_tables:
            if table.name != "alembic_version":
                _fill(connection, engine, table, rows.get(table.name, []))
    engine.dispose()
    return {name: found for name, found in rows_of(url).items() if name != "alembic_version"}


def _fill(connection: Any, engine: Engine, table: Any, rows: list[dict[str, Any]]) -> None:
    values = [{name: row[name] for name in table.c.keys() if name in row} for row in rows]  # noqa: SIM118
    if values:
        connection.execute(insert(table), values)
    if engine.dialect.name == "postgresql" and table.name == "run_result":
        connection.execute(text("SELECT setval('run_result_id_seq', (SELECT max(id) FROM run_result))"))


def _assert_kept(before: Rows, after: Rows) -> None:
    """Each column that was there says what it said; one that is new says nothing yet."""
    for name, rows in before.items():
        columns = set(rows[0]) if rows else set()
        assert [{c: row[c] for c in row if c in columns} for row in after[name]] == rows, name


def _version(url: str) -> str | None:
    rows = rows_of(url).get("alembic_version", [])
    return rows[0]["version_num"] if rows else None


def _execute(url: str, statement: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
