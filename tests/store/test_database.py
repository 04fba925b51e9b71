"""Opening a database: which URLs work, how safely, and what is said when it cannot be used."""

from __future__ import annotations

import sqlite3
import stat
import traceback
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, text

from reconciler.errors import StoreError
from reconciler.store import Store
from reconciler.store.database import TRIES, Database
from tests.databases import Postgres

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "location"),
    [
        pytest.param("sqlite:////var/lib/state.db", "sqlite:////var/lib/state.db", id="sqlite"),
        pytest.param("postgres://u:pw@h/d", "postgresql://u:***@h/d", id="postgres is postgresql"),
        pytest.param("postgresql://u:pw@h:5433/d", "postgresql://u:***@h:5433/d", id="postgresql"),
        pytest.param("postgresql+psycopg://u@h/d", "postgresql://u@h/d", id="with the driver's name"),
        pytest.param(
            "postgresql://u@h/d?password=pw&sslmode=require",
            "postgresql://u@h/d?sslmode=require",
            id="in the query",
        ),
    ],
)
def test_the_location_is_the_url_without_a_password(url: str, location: str) -> None:
    assert Store(url).location == location


@pytest.mark.parametrize(
    "url",
    [
        "",
        "state.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "mysql://h/d",
        "postgresql://h:x/d",
    ],
)
def test_a_url_of_another_kind_is_refused_with_the_kinds_that_work(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Store(url)
    assert "postgresql://" in refused.value.hint


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("postgresql://u:{}@127.0.0.1:1/d", id="in the authority"),
        pytest.param("postgresql://u@127.0.0.1:1/d?password={}", id="in the query"),
        pytest.param("postgresql://u:{}@127.0.0.1:1/d?sslmode=wrong", id="with an option that libpq refuses"),
    ],
)
def test_a_server_that_is_not_there_is_unreachable_and_no_password_is_told(template: str) -> None:
    with pytest.raises(StoreError) as failed, Store(template.format(SECRET)) as store:
        store.migrate()
    assert failed.value.code == "database.unreachable"
    assert failed.value.retryable
    assert "127.0.0.1" in failed.value.message
    assert SECRET not in "".join(traceback.format_exception(failed.value)) + failed.value.hint


def test_a_url_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(StoreError) as failed:
        Store(f"postgresql://u:{SECRET}@h:port/d")
    assert SECRET not in "".join(traceback.format_exception(failed.value))


def test_an_sqlite_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "state.db"
    with Store(f"sqlite:///{path}") as store:
        store.migrate()
        files = [path.parent, *path.parent.iterdir()]
        assert {file.name: stat.S_IMODE(file.stat().st_mode) & 0o077 for file in files} == {
            file.name: 0 for file in files
        }


def test_an_sqlite_file_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as failed, Store(f"sqlite:///{tmp_path}/file/state.db") as store:
        store.migrate()
    assert failed.value.code == "database.unreachable"


def test_a_file_that_is_no_database_is_a_failure_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("district: riverbend-isd\n" * 50)
    with pytest.raises(StoreError, match=r"state\.db refused: file is not a database") as failed:
        Store(f"sqlite:///{path}").migrate()
    assert failed.value.code == "database.failed"


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 30000)],
)
def test_sqlite_is_set_to_lose_nothing(sqlite_template: Path, pragma: str, value: object) -> None:
    database = Database(f"sqlite:///{sqlite_template}")
    with database.read() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value
    database.close()


@pytest.mark.parametrize(
    "setting", ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"]
)
def test_no_postgresql_session_waits_for_ever(postgres: Postgres, setting: str) -> None:
    database = Database(postgres.admin_url)
    with database.read() as connection:
        assert connection.execute(text(f"SHOW {setting}")).scalar() not in {"0", None}
    database.close()


def test_a_reader_may_not_write(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(StoreError, match="refused") as refused, database.read() as connection:
        connection.execute(text("DELETE FROM reject"))
    assert refused.value.code == "database.failed"
    assert database.write(lambda c: c.execute(text("DELETE FROM reject")).rowcount) == 0
    database.close()


def _busy() -> Exception:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


PASSING = [
    pytest.param(_busy(), id="SQLite: busy"),
    pytest.param(psycopg.errors.DeadlockDetected(), id="PostgreSQL: deadlock"),
    pytest.param(psycopg.errors.SerializationFailure(), id="PostgreSQL: serialization failure"),
]


@pytest.mark.parametrize("error", PASSING)
def test_a_transaction_that_another_one_ended_is_tried_again(database_url: str, error: Exception) -> None:
    database, calls = Database(database_url), []

    def work(connection: object) -> str:
        calls.append(connection)
        if len(calls) < TRIES:
            raise error
        return "done"

    assert database.write(work) == "done"
    assert len(calls) == TRIES
    database.close()


@pytest.mark.parametrize("error", PASSING)
def test_one_that_never_gets_through_is_worth_trying_later(database_url: str, error: Exception) -> None:
    database, calls = Database(database_url), []

    def work(connection: object) -> None:
        calls.append(connection)
        raise error

    with pytest.raises(StoreError) as failed:
        database.write(work)
    assert (failed.value.retryable, len(calls)) == (True, TRIES)
    database.close()


def test_any_other_failure_is_not_tried_again(database_url: str) -> None:
    database, calls = Database(database_url), []

    def work(connection: object) -> None:
        calls.append(connection)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        database.write(work)
    assert len(calls) == 1
    database.close()


def test_a_session_that_the_server_ends_is_unreachable_and_the_next_one_works(postgres: Postgres) -> None:
    with postgres.database(migrated=True) as url:
        database = Database(url)

        def work(connection: Connection) -> None:
            (pid,) = connection.execute(text("SELECT pg_backend_pid()")).one()
            postgres.execute(f"SELECT pg_terminate_backend({pid})")
            connection.execute(text("SELECT 1"))

        with pytest.raises(StoreError) as failed:
            database.write(work)
        assert (failed.value.code, failed.value.retryable) == ("database.unreachable", True)
        assert database.write(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
        database.close()
