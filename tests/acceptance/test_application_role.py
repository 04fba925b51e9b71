"""The whole of it as a role that owns nothing: what it does is what the owner and SQLite would have done."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.world import World, contacts_csv, csv_text, students_csv
from tests.roles import Roles, postgresql_program, psql, roles

__all__ = ["roles"]

WorldOf = Callable[[str], World]


@pytest.fixture
def owned(roles: Roles) -> Iterator[str]:
    """The name of a database whose tables belong to the owner."""
    with roles.database() as name:
        yield name


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is seen where nobody is held to anything."""
    folder = tmp_path_factory.mktemp("course")
    with World(folder, f"sqlite:///{folder}/state.db", pytest.MonkeyPatch()) as world:
        return course(world)


@pytest.fixture
def world_of(roles: Roles, owned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorldOf]:
    """One fleet, and whoever works on it."""
    with World(tmp_path, roles.url("app", owned), monkeypatch) as world:

        def work_as(role: str) -> World:
            world.database_url = world.environment["RECONCILER_DATABASE_URL"] = roles.url(role, owned)
            return world

        yield work_as


def course(world: World) -> dict[str, Any]:
    """Two districts with the same ids, from their first plan to the end of one of them; what was seen."""
    seen: dict[str, Any] = {}
    for name in ("elm", "oak"):
        world.district(name, schools=["0042"])
        world.put(name, {"students.csv": students_csv(40), "contacts.csv": contacts_csv(40)})
    seen["validate"] = world.run("validate").code
    seen["plan"] = world.run("plan", "--detailed-exitcode").code
    seen["test"] = world.run("test", "oak").code
    seen["reconcile"] = world.json("reconcile")["summary"]
    seen["planned again"] = world.run("plan", "--detailed-exitcode").code
    seen["first"] = world.everything()

    world.put("oak", {"students.csv": students_csv(35) + "99999,0042,,Nameless,05,2012-01-01\n"})
    seen["unchanged"] = world.run("sync", "elm").code
    seen["sync"] = world.json("sync", "oak")["results"][0]["rows"]
    seen["rejects"] = [reject["code"] for reject in world.json("rejects", "oak")]
    seen["schools"] = world.json("schools", "oak")
    seen["second"] = world.everything()

    world.district("oak", schools=["0042"], sync={"schedule": "0 3 * * *"})
    seen["update"] = world.json("reconcile")["summary"]
    world.put("elm", {"students.csv": students_csv(10)})
    seen["held"] = world.json("sync", "elm")["summary"]
    age(world)
    seen["would purge"] = world.json("purge", "--dry-run")["erased"]
    seen["purge"] = world.json("purge")["erased"]
    seen["purged again"] = world.json("purge")["erased"]["students"]

    (world.root / "districts" / "elm.yaml").unlink()
    world.policy(retire_after_days=0)
    seen["stop"] = world.json("reconcile")["summary"]
    seen["retire"] = world.json("reconcile")["summary"]
    seen["third"] = world.everything()
    seen["status"] = [(c["district"], c["sync_status"], c["rows"]) for c in world.json("status")]
    seen["import"] = world.run("import").code
    seen["history"] = [
        (run["command"], run["outcome"], sorted(result["district"] for result in run["results"]))
        for run in world.json("history", "--limit", "50")
    ]
    return seen


def age(world: World) -> None:
    """As if all that happened had happened 400 days earlier."""
    aged = ("student", "contact", "relationship")
    columns = [*((table, "removed_at") for table in aged), ("connection", "last_sync_at")]
    if world.database_url.startswith("sqlite"):
        with closing(sqlite3.connect(world.database_url.removeprefix("sqlite:///"))) as connection:
            for table, column in columns:
                earlier = f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-400 days')"
                connection.execute(f"UPDATE {table} SET {column} = {earlier} WHERE {column} IS NOT NULL")
            connection.commit()
        return
    with psycopg.connect(world.database_url, autocommit=True) as session:
        for district in ("elm", "oak"):
            session.execute("SELECT set_config('reconciler.district', %s, false)", (district,))
            for table, column in columns:
                session.execute(f"UPDATE {table} SET {column} = {column} - interval '400 days'".encode())


@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_fleets_course_is_what_it_is_on_sqlite(
    role: str, world_of: WorldOf, on_sqlite: dict[str, Any]
) -> None:
    seen = course(world_of(role))
    assert seen == on_sqlite
    assert (seen["validate"], seen["plan"], seen["planned again"], seen["import"]) == (0, 2, 0, 0)
    assert (seen["reconcile"]["succeeded"], seen["held"]["blocked"]) == (2, 1)
    assert (seen["purge"]["students"], seen["purged again"], seen["purge"]["rejects"]) == (5, 0, 1)
    assert {row["district"] for row in seen["third"]["students"]} == {"oak"}


def test_a_reader_sees_everything_and_changes_nothing(world_of: WorldOf) -> None:
    world = world_of("app")
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(5)})
    assert world.run("reconcile").code == 0
    before = world.everything(), world.json("status"), len(world.json("history"))
    world_of("reader")
    assert (world.everything(), world.json("status"), len(world.json("history"))) == before
    assert world.run("plan", "--detailed-exitcode").code == 0
    assert world.json("rejects", "oak") == []
    refused = world.run("sync", "--format", "json")
    assert refused.code == 1
    assert refused.json["error"]["code"] == "database.failed"
    assert "permission denied for table run" in refused.json["error"]["message"]
    world_of("app")
    assert (world.everything(), world.json("status"), len(world.json("history"))) == before


@pytest.mark.parametrize("role", ["app", "owner"])
def test_what_is_held_is_approved_and_what_was_edited_is_put_right(
    role: str, world_of: WorldOf, roles: Roles, owned: str
) -> None:
    """Both are shown to a reader as well."""
    world = world_of(role)
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(40)})
    assert world.run("reconcile").code == 0
    world.put("oak", {"students.csv": students_csv(20)})
    assert world.run("sync").code == 3
    assert world.run("approve", "oak", "--reason", "A school closed").code == 0
    world_of("reader")
    assert [d["reason"] for d in world.json("plan")["districts"]] == ["approved"]
    world_of(role)
    assert world.run("reconcile").code == 0
    assert len(world.export("students")) == 20

    psql(roles.server.url_of(owned), "UPDATE connection SET phase = 'saved', account = 'another'")
    drift = [("account", True), ("phase", True)]
    assert [(c["path"], c["drift"]) for c in _planned(world_of("reader"))["changes"]] == drift
    world_of(role)
    assert world.json("sync")["results"][0]["error"]["code"] == "sync.edited"
    assert world.run("reconcile").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 0

    psql(roles.server.url_of(owned), "DELETE FROM connection")
    assert _planned(world_of("reader"))["reason"].startswith("its row was deleted from the database 20")
    assert world_of(role).run("reconcile").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 0


def _planned(world: World) -> dict[str, Any]:
    (district,) = world.json("plan")["districts"]
    return dict(district)


NO_ROWS = ("alembic_version", "connection", "hand_edit", "lease", "run", "run_result", "sis_school", "reject")
"""Tables that say how things stand. Rejects name a row by its id, and nothing else of it."""


def test_no_table_about_how_things_stand_holds_a_childs_data(
    world_of: WorldOf, roles: Roles, owned: str
) -> None:
    world = world_of("app")
    world.district("oak", schools=["0042"])
    header = ("id", "school", "first_name", "last_name", "grade", "birth_date", "email", "homeroom")

    def rows(start: int, count: int, cells: str) -> list[tuple[str, ...]]:
        return [
            (f"S{n}", "0042", *(f"canary-{cells}-{column}-{n}" for column in header[2:]))
            for n in range(start, start + count)
        ]

    contacts = [(f"S{n}", f"canary-name-{n} Late", "Mother", f"canary-phone-{n}", "canary-right")
                for n in range(1, 40)]  # fmt: skip
    contact_header = ("student", "name", "relationship", "phone", "may_pick_up")
    world.put("oak", {"students.csv": csv_text(header, rows(1, 40, "kept")),
                      "contacts.csv": csv_text(contact_header, contacts)})  # fmt: skip
    world.run("reconcile")
    spoiled = [*rows(1, 38, "kept"), ("S41", "0042", "", "canary-without-a-name", "", "", "", ""),
               ("S1", "0042", "canary-another", "canary-person", "", "", "", "")]  # fmt: skip
    world.put("oak", {"students.csv": csv_text(header, spoiled)})
    world.run("sync")
    world.put("oak", {"students.csv": csv_text(header, rows(1, 5, "fewer"))})
    assert world.run("sync").code == 3  # held, and its likely cause on record
    world.put("oak", {"students.csv": csv_text(header, rows(1, 40, "x"))[:-9]})
    world.run("sync")

    dumped = _dumped(roles, owned, *NO_ROWS)
    assert "sync.removals" in dumped
    assert "canary" not in dumped
    assert "canary-kept-first_name-1\t" in _dumped(roles, owned, "student")
    assert world.server.accounts["oak"].password not in _dumped(roles, owned)


def _dumped(roles: Roles, database: str, *tables: str) -> str:
    command = [postgresql_program("pg_dump"), *(f"--table={table}" for table in tables)]
    command += ["--dbname", roles.server.url_of(database)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
