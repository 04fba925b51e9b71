"""A connection that somebody altered in the database is shown as drift, field by field, and put right."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from reconciler.store.database import Database
from tests.acceptance.world import World, result_of, students_csv


@pytest.fixture
def oak(world: World) -> World:
    """A synced district beside another, so that only one of them is to be noticed."""
    for name in ("oak", "elm"):
        world.put(name, {"students.csv": students_csv(20)})
        world.district(name, schools=["0042"])
    assert world.run("reconcile").code == 0
    return world


@contextmanager
def database(world: World) -> Iterator[Database]:
    opened = Database(world.database_url)
    try:
        yield opened
    finally:
        opened.close()


def by_hand(world: World, statement: str, **values: Any) -> None:
    """What somebody types into a database client."""
    with database(world) as opened:
        opened.write(lambda t: t.execute(text(statement), values))


def spec_of(world: World) -> dict[str, Any]:
    def read(transaction: Connection) -> str:
        return str(transaction.execute(text("SELECT spec FROM connection WHERE district = 'oak'")).scalar())

    with database(world) as opened:
        return dict(json.loads(opened.write(read)))


def respell(world: World, **changes: Any) -> None:
    """Alter values of the stored spec, `sftp__host` being sftp.host."""
    spec = spec_of(world)
    for path, value in changes.items():
        *parents, last = path.split("__")
        at = spec
        for parent in parents:
            at = at[parent]
        at[last] = value
    by_hand(world, "UPDATE connection SET spec = :spec WHERE district = 'oak'", spec=json.dumps(spec))


def planned(world: World) -> dict[str, Any]:
    """The one district that is planned."""
    (found,) = world.json("plan")["districts"]
    assert found["district"] == "oak"
    return dict(found)


def drift_of(world: World) -> dict[str, tuple[Any, Any]]:
    """Path to what stands in the database and what it is to be, of all that was altered by hand."""
    changes = planned(world)["changes"]
    assert all(c["edited_at"].endswith("Z") for c in changes if c.get("drift"))
    return {c["path"]: (c["before"], c["after"]) for c in changes if c.get("drift")}


def put_right(world: World) -> None:
    """`reconcile` leaves nothing of it, and sees the next edit again."""
    assert world.run("reconcile").code == 0
    assert world.json("plan")["districts"] == []
    assert world.run("sync").code == 0


def test_every_altered_field_is_shown_with_when_and_who(oak: World) -> None:
    before = spec_of(oak)
    respell(oak, sftp__host="sftp.elsewhere.example", name="Oak!", sync__max_removal_percent=100)
    change = planned(oak)
    assert change["action"] == "update"
    assert drift_of(oak) == {
        "sftp.host": ("sftp.elsewhere.example", "127.0.0.1"),
        "name": ("Oak!", "Oak"),
        "sync.max_removal_percent": (100, 10),
    }
    role = change["changes"][0]["edited_by"]
    assert bool(role) is oak.database_url.startswith("postgresql")
    assert "edited in the database 20" in oak.run("plan").out
    assert "edited in the database 20" in oak.run("plan", "--format", "markdown").out
    put_right(oak)
    assert spec_of(oak) == before


def test_what_the_file_changes_as_well_is_no_drift(oak: World) -> None:
    respell(oak, name="Oak!")
    oak.district("oak", schools=["0042"], sync={"max_removal_percent": 20})
    changes = {c["path"]: c.get("drift", False) for c in planned(oak)["changes"]}
    assert changes == {"name": True, "sync.max_removal_percent": False}


@pytest.mark.parametrize(
    ("statement", "path"),
    [
        ("UPDATE connection SET account = 'another' WHERE district = 'oak'", "account"),
        ("UPDATE connection SET phase = 'tested' WHERE district = 'oak'", "phase"),
        ("UPDATE connection SET unfinished = (1 = 1) WHERE district = 'oak'", "unfinished"),
        ("UPDATE connection SET mapper_digest = 'feed' WHERE district = 'oak'", "mapper.content"),
        ("UPDATE connection SET snapshot = NULL WHERE district = 'oak'", "snapshot"),
        ("UPDATE connection SET host_key_seen = 'ssh-ed25519 AAAA' WHERE district = 'oak'", "host_key_seen"),
        ("UPDATE connection SET spec = 'no JSON' WHERE district = 'oak'", "spec"),
        ("UPDATE connection SET deactivated = (1 = 1) WHERE district = 'oak'", "deactivated"),
        ("UPDATE connection SET delta_key = 'known' WHERE district = 'oak'", "delta_key"),
    ],
    ids=lambda value: value if " " not in value else "",
)
def test_every_column_that_decides_is_watched(oak: World, statement: str, path: str) -> None:
    by_hand(oak, statement)
    assert path in drift_of(oak)
    assert oak.run("status").code == 0
    put_right(oak)


def test_an_export_of_schools_tells_what_was_applied(oak: World) -> None:
    before = oak.export("schools")
    respell(oak, schools=[])
    assert oak.export("schools") == before
    for spec in ('"another"', "no JSON"):
        by_hand(oak, "UPDATE connection SET spec = :spec WHERE district = 'oak'", spec=spec)
        assert oak.export("schools") == before


def test_an_edit_that_was_taken_back_is_still_looked_at_once(oak: World) -> None:
    spec = json.dumps(spec_of(oak), sort_keys=True, ensure_ascii=False)
    respell(oak, sftp__host="sftp.elsewhere.example")
    by_hand(oak, "UPDATE connection SET spec = :spec WHERE district = 'oak'", spec=spec)
    assert planned(oak)["changes"] == []
    assert planned(oak)["reason"].startswith("edited in the database")
    put_right(oak)


def test_a_statement_that_alters_nothing_is_no_edit(oak: World) -> None:
    by_hand(oak, "UPDATE connection SET name = name, phase = phase")
    assert oak.json("plan")["districts"] == []


def test_a_fingerprint_given_back_hides_no_edit(oak: World) -> None:
    """The glance at a fleet goes by it."""
    with database(oak) as opened:
        query = text("SELECT fingerprint FROM connection WHERE district = 'oak'")
        fingerprint = opened.write(lambda t: t.execute(query).scalar())
    respell(oak, name="Oak!")
    by_hand(oak, "UPDATE connection SET fingerprint = :f WHERE district = 'oak'", f=fingerprint)
    assert set(drift_of(oak)) == {"name"}


def test_what_runs_only_report_and_when_they_ran_is_no_edit(oak: World) -> None:
    by_hand(oak, "UPDATE connection SET outcome = 'failed', problem = NULL, last_sync_at = NULL")
    by_hand(oak, "UPDATE connection SET fingerprint = NULL")
    assert oak.json("plan")["districts"] == []
    assert oak.run("sync").code == 0


@pytest.mark.parametrize("problem", ["no JSON", "[]", '"sftp.connect"', "{}", "3"])
def test_a_report_that_nobody_can_read_stops_no_fleet(oak: World, problem: str) -> None:
    by_hand(oak, "UPDATE connection SET problem = :problem WHERE district = 'oak'", problem=problem)
    assert oak.status("oak")["problem"] is None
    assert oak.run("status").code == 0
    assert oak.run("sync").code == 0
    assert oak.run("approve", "oak").code == 64


def test_no_sync_works_on_an_altered_connection(oak: World) -> None:
    """It would take the rows of another server, or give them to another school."""
    respell(oak, schools=[{"sis_id": "0042", "school": "elsewhere", "name": ""}])
    done = oak.run("sync", "--format", "json")
    assert done.code == 3
    assert result_of(done.json, "oak")["error"]["code"] == "sync.edited"
    assert result_of(done.json, "elm")["outcome"] == "unchanged"
    assert oak.status("oak")["problem"]["code"] == "sync.edited"
    assert {row["school"] for row in oak.export("students", "--district", "oak")} == {"school-0042"}
    put_right(oak)


def test_the_key_that_was_seen_first_is_put_back(oak: World) -> None:
    """A server is not trusted anew because somebody altered where it is, or its key."""
    oak.policy(host_keys="first-use")
    oak.district("oak", schools=["0042"], sftp={"host_key": None})
    assert "first use" in oak.run("reconcile").out
    key = host_key_seen(oak)
    respell(oak, sftp__host="sftp.elsewhere.example")
    by_hand(oak, "UPDATE connection SET host_key_seen = 'ssh-ed25519 AAAA' WHERE district = 'oak'")
    assert "first use" not in oak.run("reconcile").out
    assert host_key_seen(oak) == key


def host_key_seen(world: World) -> str:
    query = text("SELECT host_key_seen FROM connection WHERE district = 'oak'")
    with database(world) as opened:
        return str(opened.write(lambda t: t.execute(query).scalar()))


def test_a_deleted_connection_is_created_again_and_its_rows_are_the_same(oak: World) -> None:
    before = oak.everything()
    by_hand(oak, "DELETE FROM connection WHERE district = 'oak'")
    change = planned(oak)
    assert change["action"] == "create"
    assert change["reason"].startswith("its row was deleted from the database 20")
    put_right(oak)
    assert oak.everything() == before


def test_an_inserted_connection_is_shown_and_redone(oak: World) -> None:
    columns = "account, name, spec, mapper, mapper_digest, phase, unfinished, deactivated, fingerprint"
    by_hand(oak, "DELETE FROM connection WHERE district = 'oak'")
    by_hand(
        oak,
        f"INSERT INTO connection (district, {columns}) SELECT 'oak', {columns} FROM connection "
        f"WHERE district = 'elm'",
    )
    change = planned(oak)
    assert change["steps"] == ["test", "initialize", "map_schools", "sync"]
    assert drift_of(oak)["sftp.username"] == ("elm", "oak")
    put_right(oak)


def test_only_what_was_asked_for_is_put_right(oak: World) -> None:
    respell(oak, name="Oak!")
    assert oak.run("reconcile", "--only", "elm").code == 0
    assert set(drift_of(oak)) == {"name"}


def test_history_has_the_drift_that_was_put_right(oak: World) -> None:
    respell(oak, name="Oak!")
    assert oak.run("reconcile").code == 0
    changes = [c for run in oak.json("history", "oak") for r in run["results"] for c in r["changes"]]
    assert [c["path"] for c in changes if c.get("drift")] == ["name"]


def test_the_role_that_edited_is_told_and_needs_no_right_to_the_notes(oak: World) -> None:
    """SQLite knows no roles."""
    if not oak.database_url.startswith("postgresql"):
        return
    role = f"office_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(oak.database_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN")
        try:
            owner.execute(f"GRANT SELECT, UPDATE ON connection TO {role}")
            policies = "reconciler_district(), reconciler_reads_fleet()"
            owner.execute(f"GRANT EXECUTE ON FUNCTION {policies} TO {role}")
            named = "-c reconciler.district=oak"
            with psycopg.connect(oak.database_url, user=role, options=named, autocommit=True) as clerk:
                clerk.execute("UPDATE connection SET name = 'Oak!' WHERE district = 'oak'")
            (field,) = planned(oak)["changes"]
            assert (field["path"], field["before"], field["edited_by"]) == ("name", "Oak!", role)
        finally:
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")
    put_right(oak)
