"""No statement reaches another district's rows, whatever it forgot to say: PostgreSQL itself sees to it.

Every table of the catalogue is tried, so that one that is added without a policy turns these red. The
application tries, which owns nothing, and the owner of the tables, who is held to the policies as well.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import make_url, text, update

from reconciler.errors import StoreError
from reconciler.store import Store
from reconciler.store.database import Database
from reconciler.store.scope import FLEET, scope_of
from reconciler.store.tables import METADATA, ROSTER, STUDENT
from tests.roles import Roles, postgresql_program, psql, roles
from tests.store import samples

__all__ = ["roles"]

MINE, THEIRS = "aspen", "birch"
TABLES = sorted(name for name, table in METADATA.tables.items() if "district" in table.c)
OF_NO_DISTRICT = {"alembic_version", "run"}
"""Versions and runs: they hold no district's rows."""
WHO = ("app", "owner")
REFUSED = psycopg.errors.InsufficientPrivilege
Row = dict[str, Any]


@pytest.fixture(scope="module")
def database(roles: Roles) -> Iterator[str]:
    """A database in which two districts have the same ids, and a row in every table."""
    with roles.database() as name:
        with Store(roles.url("app", name)) as store:
            for district in (MINE, THEIRS):
                lease = samples.saved(store, district)
                samples.write(store, lease, samples.family())
                store.record(
                    store.begin_run(samples.RUN), district, action="sync", outcome="succeeded", steps=[],
                    changes=[], rows={}, error=None, at=samples.NOON,
                )  # fmt: skip
        for district in (MINE, THEIRS):
            with _transaction(roles.url("app", name), district) as cursor:
                cursor.execute(
                    "INSERT INTO source_file VALUES (%s, 'students', '[]', 1, 'ab', '')", (district,)
                )
                cursor.execute("UPDATE connection SET name = 'by hand' WHERE district = %s", (district,))
        yield name
        for role in WHO:
            _session(roles.url(role, name)).close()
        _session(roles.server.url_of(name)).close()
        _session.cache_clear()


@pytest.fixture(params=WHO)
def url(request: pytest.FixtureRequest, roles: Roles, database: str) -> str:
    return roles.url(request.param, database)


@pytest.fixture
def all_rows(roles: Roles, database: str) -> Callable[[str], list[Row]]:
    """The rows of a table as a superuser sees them, whom no policy holds."""

    def of(table: str) -> list[Row]:
        query = sql.SQL("SELECT * FROM {} ORDER BY district, 2, 3").format(sql.Identifier(table))
        return _session(roles.server.url_of(database)).execute(query).fetchall()

    return of


@contextmanager
def _transaction(url: str, district: str = "", scope: str = "") -> Iterator[psycopg.Cursor[Row]]:
    """A cursor in a transaction that names a district, or whatever the settings are; committed at its end."""
    connection = _session(url)
    settings = "SELECT set_config('reconciler.district', %s, true), set_config('reconciler.scope', %s, true)"
    with connection.transaction(), connection.cursor() as cursor:
        yield cursor.execute(settings, (district, scope))


@cache
def _session(url: str) -> psycopg.Connection[Row]:
    """One for each role: so many logins would take longer than what they are for."""
    return psycopg.connect(url, row_factory=dict_row, autocommit=True)


def _statement(pattern: str, table: str, row: Row | None = None) -> sql.Composed:
    """`pattern` with the table, and where a row is given its columns, values, and a way to assign them."""
    cells = {k: v for k, v in (row or {}).items() if not (table == "run_result" and k == "id")}
    names = [sql.Identifier(name) for name in cells]
    return sql.SQL(pattern).format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(names),
        values=sql.SQL(", ").join(sql.Literal(value) for value in cells.values()),
        key=sql.SQL(", ").join(sql.Identifier(c.name) for c in METADATA.tables[table].primary_key),
        theirs=sql.Literal(THEIRS),
    )


# --- the catalogue ---------------------------------------------------------------------------------


def test_every_table_with_a_districts_rows_forces_row_security(roles: Roles, database: str) -> None:
    query = """SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, EXISTS (SELECT FROM pg_attribute
        WHERE attrelid = c.oid AND attname = 'district') FROM pg_class c
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace = 'public'::regnamespace"""
    with psycopg.connect(roles.server.url_of(database)) as connection:
        found = {name: (guarded, owned) for name, guarded, owned in connection.execute(query)}
    assert found.keys() == {*TABLES, *OF_NO_DISTRICT}
    assert {name for name, (_, owned) in found.items() if owned} == set(TABLES)
    assert {name for name, (guarded, _) in found.items() if guarded} == set(TABLES)


def test_both_districts_have_rows_in_every_table(all_rows: Callable[[str], list[Row]]) -> None:
    for table in TABLES:
        assert {row["district"] for row in all_rows(table)} == {MINE, THEIRS}, table


def test_the_same_student_id_in_two_districts_is_two_rows(all_rows: Callable[[str], list[Row]]) -> None:
    assert [(row["district"], row["id"]) for row in all_rows("student")] == [
        (district, student) for district in (MINE, THEIRS) for student in ("S1", "S2")
    ]


# --- reading ---------------------------------------------------------------------------------------

READ = {
    "select all": "SELECT * FROM {table}",
    "select theirs": "SELECT * FROM {table} WHERE district = {theirs}",
    "lock theirs": "SELECT * FROM {table} WHERE district = {theirs} FOR SHARE",
    "update returning": "UPDATE {table} SET district = district WHERE district = {theirs} RETURNING *",
    "delete returning": "DELETE FROM {table} WHERE district = {theirs} RETURNING *",
    "a function that leaks": "SELECT * FROM {table} t WHERE to_json(t.*)::text LIKE '%birch%'",
}


@pytest.mark.parametrize("pattern", READ.values(), ids=READ)
@pytest.mark.parametrize("table", TABLES)
def test_no_statement_shows_a_row_of_another_district(url: str, table: str, pattern: str) -> None:
    found: list[Row] = []
    try:
        with _transaction(url, MINE) as cursor:
            found = cursor.execute(_statement(pattern, table)).fetchall()
    except (REFUSED, psycopg.errors.RaiseException):
        pass  # a privilege that the role does not have, or a history that only grows
    assert {row["district"] for row in found} <= {MINE}


@pytest.mark.parametrize("table", TABLES)
def test_copy_gives_out_the_rows_of_ones_own_district(url: str, table: str) -> None:
    with _transaction(url, MINE) as cursor, cursor.copy(_statement("COPY {table} TO STDOUT", table)) as copy:
        given = b"".join(map(bytes, copy)).decode()
    assert MINE in given
    assert THEIRS not in given


@pytest.mark.parametrize("table", TABLES)
def test_a_transaction_that_names_nobody_is_refused(url: str, table: str) -> None:
    with pytest.raises(REFUSED, match="names no district"), _transaction(url) as cursor:
        cursor.execute(_statement("SELECT count(*) FROM {table}", table))


@pytest.mark.parametrize("table", TABLES)
def test_the_fleet_can_be_read_by_who_says_so(url: str, table: str) -> None:
    with _transaction(url, scope="fleet") as cursor:
        found = cursor.execute(_statement("SELECT district FROM {table}", table)).fetchall()
    assert {row["district"] for row in found} == {MINE, THEIRS}


def test_a_function_that_tells_what_it_is_given_is_given_nothing_of_another_district(url: str) -> None:
    """One that claims to cost nothing would be asked first, were the policy not a barrier."""
    with _transaction(url, MINE) as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.spy(of text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS "
            "$$ BEGIN IF of <> 'aspen' THEN RAISE EXCEPTION 'saw %', of; END IF; RETURN true; END $$"
        )
        found = cursor.execute("SELECT district FROM student WHERE pg_temp.spy(district)").fetchall()
        cursor.execute("DROP FUNCTION pg_temp.spy")
    assert {row["district"] for row in found} == {MINE}


def test_statistics_tell_nothing_of_a_guarded_table(roles: Roles, database: str, url: str) -> None:
    statistics = (
        "SELECT count(*) AS columns FROM pg_stats WHERE schemaname = 'public' AND tablename = ANY (%s)"
    )
    everything = _session(roles.server.url_of(database))
    everything.execute("ANALYZE")
    known = everything.execute(statistics, (TABLES,)).fetchone()
    assert known is not None
    assert known["columns"] > 0
    with _transaction(url, MINE) as cursor:
        assert cursor.execute(statistics, (TABLES,)).fetchone() == {"columns": 0}


# --- writing ---------------------------------------------------------------------------------------

WRITE = {
    "update theirs": "UPDATE {table} SET district = district WHERE district = {theirs}",
    "take theirs": "UPDATE {table} SET district = 'aspen' WHERE district = {theirs}",
    "give mine away": "UPDATE {table} SET district = {theirs}",
    "delete theirs": "DELETE FROM {table} WHERE district = {theirs}",
    "delete by a join": "DELETE FROM {table} t USING run r WHERE t.district = {theirs}",
    "merge theirs": "MERGE INTO {table} t USING run r ON t.district = {theirs} WHEN MATCHED THEN DELETE",
    "insert theirs": "INSERT INTO {table} ({columns}) VALUES ({values})",
    "insert or nothing": "INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING",
    "upsert theirs": "INSERT INTO {table} ({columns}) VALUES ({values}) "
    "ON CONFLICT ({key}) DO UPDATE SET district = excluded.district",
    "insert a new one of theirs": "INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, "
    """'{{"district": "birch", "id": 99, "student": "S1", "contact": "C1"}}')""",
}


@pytest.mark.parametrize("scope", ["", "fleet"], ids=["in one's own district", "with the fleet in sight"])
@pytest.mark.parametrize("pattern", WRITE.values(), ids=WRITE)
@pytest.mark.parametrize("table", TABLES)
def test_no_statement_changes_a_row_of_another_district(
    url: str, table: str, pattern: str, scope: str, all_rows: Callable[[str], list[Row]]
) -> None:
    before = all_rows(table)
    row = next(row for row in before if row["district"] == THEIRS)
    changed = 0
    try:
        with _transaction(url, MINE, scope) as cursor:
            changed = cursor.execute(_statement(pattern, table, row)).rowcount
    except (REFUSED, psycopg.errors.RaiseException):
        pass
    assert changed == 0
    assert all_rows(table) == before


@pytest.mark.parametrize("table", TABLES)
def test_copy_takes_no_rows_in(url: str, table: str) -> None:
    statement = _statement("COPY {table} FROM STDIN", table)
    with pytest.raises(psycopg.Error), _transaction(url, MINE) as cursor, cursor.copy(statement) as copy:
        copy.write(b"birch\n")


@pytest.mark.parametrize("table", [*TABLES, *sorted(OF_NO_DISTRICT)])
def test_the_application_empties_no_table(roles: Roles, database: str, table: str) -> None:
    with pytest.raises(REFUSED), _transaction(roles.url("app", database), MINE) as cursor:
        cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(table)))


@pytest.mark.parametrize("table", TABLES)
def test_who_only_reads_the_fleet_changes_nothing(
    url: str, table: str, all_rows: Callable[[str], list[Row]]
) -> None:
    before = all_rows(table)
    for pattern in ("UPDATE {table} SET district = district", "DELETE FROM {table}"):
        try:
            with _transaction(url, scope="fleet") as cursor:
                assert cursor.execute(_statement(pattern, table)).rowcount == 0
        except (REFUSED, psycopg.errors.RaiseException):
            pass
    assert all_rows(table) == before


@pytest.mark.parametrize("table", sorted(t.name for t in ROSTER.values()))
def test_an_active_row_is_not_erased_in_ones_own_district_either(
    url: str, table: str, all_rows: Callable[[str], list[Row]]
) -> None:
    before = all_rows(table)
    with _transaction(url, MINE) as cursor:
        assert cursor.execute(_statement("DELETE FROM {table}", table)).rowcount == 0
    assert all_rows(table) == before


# --- what an error tells ---------------------------------------------------------------------------

RELATE = """INSERT INTO relationship
    VALUES (%s, %s, 'C1', NULL, NULL, 'no', 'no', 'no', 'h', true, now(), now())"""


@pytest.mark.parametrize("student", ["S1", "S9"], ids=["a student of theirs", "a student of nobody"])
def test_an_error_does_not_tell_who_is_in_another_district(url: str, student: str) -> None:
    """The same answer whether the row is there or not, through unique keys and through foreign keys."""
    with pytest.raises(REFUSED, match="row-level security"), _transaction(url, MINE) as cursor:
        cursor.execute(RELATE, (THEIRS, student))


def test_a_foreign_key_finds_rows_of_its_own_district_only(url: str) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation), _transaction(url, "cedar") as cursor:
        cursor.execute(RELATE, ("cedar", "S1"))


# --- the program -----------------------------------------------------------------------------------


def test_a_statement_that_forgot_its_district_touches_only_the_one_it_is_about(
    url: str, all_rows: Callable[[str], list[Row]]
) -> None:
    database, before = Database(url), all_rows("student")
    forgetful = update(STUDENT).values(grade=f"of {make_url(url).username}")
    assert database.write(lambda t: t.execute(forgetful).rowcount, scope_of(MINE)) == 2
    database.close()
    changed = {row["district"] for row in all_rows("student") if row not in before}
    assert changed == {MINE}


def test_a_pooled_connection_keeps_nothing_of_whom_it_served(url: str) -> None:
    database = Database(url)
    with database.read(FLEET) as transaction:
        assert transaction.execute(text("SELECT count(*) FROM student")).scalar() == 4
    with pytest.raises(StoreError, match="names no district"), database.read() as transaction:
        transaction.execute(text("SELECT count(*) FROM student"))
    with database.read(scope_of(MINE)) as transaction:
        assert transaction.execute(text("SELECT count(*) FROM student")).scalar() == 2
    database.close()


@pytest.mark.parametrize("role", WHO)
def test_fingerprints_are_noted_for_many_districts_each_in_its_own_name(roles: Roles, role: str) -> None:
    """But not of one that somebody altered by hand: it is to be looked at, until it has been put right."""
    with roles.database() as name, Store(roles.url(role, name)) as store:
        for district in (MINE, THEIRS, "elder"):
            store.release(samples.saved(store, district))
        psql(roles.server.url_of(name), "UPDATE connection SET name = 'x' WHERE district = 'elder'")
        known = {
            d: replace(observed.connection, fingerprint=f"of {d}") for d, observed in store.observe().items()
        }
        store.recognize({**known, "cedar": samples.connection("cedar")})
        query = "SELECT district, fingerprint FROM connection"
        with psycopg.connect(roles.server.url_of(name)) as connection:
            noted = dict(connection.execute(query).fetchall())
        assert noted == {MINE: f"of {MINE}", THEIRS: f"of {THEIRS}", "elder": None}
        assert {d for d, observed in store.observe().items() if observed.edit} == {"elder"}


# --- backups ---------------------------------------------------------------------------------------


def test_a_backup_by_the_owner_says_that_it_is_of_the_fleet(roles: Roles, database: str) -> None:
    """As docs/database.md has it: without, pg_dump refuses rather than to leave rows out."""
    command = [postgresql_program("pg_dump"), "--dbname", roles.url("owner", database)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "row-level security" in refused.stderr
    environment = {**os.environ, "PGOPTIONS": "-c reconciler.scope=fleet"}
    dump = subprocess.run(
        [*command, "--enable-row-security"], capture_output=True, text=True, check=True, env=environment
    ).stdout
    with roles.server.database(migrated=False) as url:
        name = make_url(url).database or ""
        roles.server.execute(f"ALTER DATABASE {name} OWNER TO {roles.names['owner']}")
        psql(roles.url("owner", name), dump)
        with Store(roles.url("owner", name)) as restored, Store(roles.url("owner", database)) as original:
            for entity in ROSTER:
                assert list(restored.export(entity)) == list(original.export(entity))
            assert list(restored.observe()) == [MINE, THEIRS]
