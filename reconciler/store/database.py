"""One database, SQLite or PostgreSQL: how it is opened, and the two ways in, to read and to write.

What passes is tried again: see docs/safety.md, "When the database goes away".
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from reconciler.errors import StoreError
from reconciler.store.errors import is_dropped, is_transient, translated
from reconciler.store.fate import Fate, fate_of, number_of
from reconciler.store.forget import forget
from reconciler.store.outage import Outage, backoff_seconds
from reconciler.store.scope import NOBODY, Scope, name
from reconciler.store.sign import Sign

T = TypeVar("T")

TRIES = 4
"""How often a transaction is tried that a deadlock, a conflict, a busy file or a lost connection ended."""

_BUSY_SECONDS = 30
_CONNECT_SECONDS = 10
_POSTGRESQL_SETTINGS = {
    "lock_timeout": "30s",
    "statement_timeout": "15min",
    "idle_in_transaction_session_timeout": "10min",
    "timezone": "UTC",
}


class Database:
    """Opens on first use; safe to share between threads. Driver errors come out as StoreError."""

    def __init__(self, url: str):
        self._url = _parse(url)
        self.location = _masked(self._url)
        """The URL without any password, for messages."""
        self.role = f"the role {self._url.username}" if self._url.username else "this role"
        """Who is asking, for messages."""
        self.dialect = self._url.get_backend_name()
        self._password = str(self._url.password or self._url.query.get("password") or "")
        self._engine: Engine | None = None
        self._outage = Outage(self._url)
        self._sign = Sign(self._url) if self.dialect == "postgresql" else None

    def translated(self) -> Any:
        """Context in which the driver's exceptions become StoreError."""
        return translated(self.location, self._password)

    @contextmanager
    def read(self, scope: Scope = NOBODY) -> Iterator[Connection]:
        """A connection that sees one state of the database until it is closed, and writes nothing.

        On PostgreSQL it sees the rows of `scope` alone, and none where no scope is given.
        """
        with self.translated(), self._reading(scope) as connection:
            yield connection

    def ask(self, look: Callable[[Connection], T], scope: Scope = NOBODY) -> T:
        """What `look` finds in one state of the database, as `read`. It may be called up to `TRIES` times."""

        def once() -> T:
            with self._reading(scope) as connection:
                return look(connection)

        with self.translated():
            return _several_times(once)

    def write(self, work: Callable[[Connection], T], scope: Scope = NOBODY) -> T:
        """`work` in one transaction: all of it or nothing, and once. It may be called up to `TRIES` times.

        On PostgreSQL it reaches the rows of `scope` alone, and none where no scope is given.
        """
        with self.translated():
            return _several_times(lambda: self._write_once(work, scope))

    def rehearse(self, work: Callable[[Connection], T], scope: Scope = NOBODY) -> T:
        """What `work` gives, with all that it did taken back."""
        with self.translated(), self._connect() as connection:
            connection.execution_options(reconciler_writes=True)
            with connection.begin() as transaction:
                name(connection, scope)
                result = work(connection)
                transaction.rollback()
            return result

    def forget(self, *, rewrite: bool) -> bool:
        """Leave nothing of erased rows in SQLite's files. PostgreSQL's are its own vacuum's: then, nothing.

        `rewrite` writes the file anew: parts of it may hold what stood in them before. False where another
        process reads, or there is no room: then the next call does it.
        """
        if self.dialect != "sqlite":
            return False
        with self.translated(), self._connect() as connection:
            return forget(connection.connection, rewrite=rewrite)

    def sign(self) -> str:
        """The key of this process's sign of life; empty where it has none, as on SQLite."""
        return self._sign.key() if self._sign else ""

    def close(self) -> None:
        if self._sign is not None:
            self._sign.close()
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def _reading(self, scope: Scope) -> Iterator[Connection]:
        with self._connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                name(connection, scope)
                yield connection

    def _write_once(self, work: Callable[[Connection], T], scope: Scope) -> T:
        number: int | None = None
        try:
            with self._connect() as connection:
                connection.execution_options(reconciler_writes=True)
                with connection.begin():
                    name(connection, scope)
                    result = work(connection)
                    number = number_of(connection)
        except Exception as error:
            # Lost before its COMMIT was sent, it is rolled back; in the midst of it, only the server knows.
            if number is None or not is_dropped(error) or not self._is_committed(number):
                raise
        return result

    def _is_committed(self, number: int) -> bool:
        """Whether a transaction was, whose COMMIT was not answered. Raises StoreError where nobody knows."""
        for attempt in range(1, TRIES + 1):
            try:
                with self._connect() as connection:
                    fate = fate_of(connection, number)
            except StoreError:
                break  # away for longer than it is waited for
            except Exception as error:
                if not is_dropped(error):
                    break  # another server answers now, which never heard of it
                fate = Fate.OPEN
            if fate is not Fate.OPEN:
                return fate is Fate.COMMITTED
            time.sleep(backoff_seconds(attempt))
        raise StoreError(
            f"the connection to {self.location} was lost while a step was being committed",
            hint="whether it was written could not be found out; run again, which goes on from what is there",
            retryable=True,
        )

    def _connect(self) -> Connection:
        """A connection, waited for as far as `Outage` goes. Raises StoreError where none is to be had."""
        if self._engine is None:
            self._engine = _engine(self._url, self.dialect)
        for attempt in count(1):
            with self.translated():
                try:
                    connection = self._engine.connect()
                except Exception as error:
                    if not is_dropped(error) or not self._outage.wait(attempt):
                        raise
                else:
                    self._outage.ended()
                    return connection
        raise AssertionError("count never ends")


def _several_times(once: Callable[[], T]) -> T:
    """The result of a transaction, which is begun anew when it was rolled back for a reason that passes."""
    for attempt in range(1, TRIES):
        try:
            return once()
        except Exception as error:
            if not is_transient(error) and not is_dropped(error):
                raise
            time.sleep(backoff_seconds(attempt))
    return once()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The cause would quote the URL, password and all.
        raise _unusable("the database URL cannot be read") from None
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    if parsed.drivername != "sqlite":
        raise _unusable(f"databases of the kind '{parsed.drivername}' are not supported")
    if parsed.host or parsed.query or parsed.database in {None, "", ":memory:"}:
        raise _unusable("an SQLite database needs a path to a file, and nothing else")
    return parsed


def _unusable(message: str) -> StoreError:
    hint = "write sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    return StoreError(message, code="database.unreachable", hint=hint)


def _masked(url: URL) -> str:
    shown = url.difference_update_query([name for name in url.query if "password" in name.lower()])
    return shown.render_as_string(hide_password=True).replace("+psycopg", "")


def _engine(url: URL, dialect: str) -> Engine:
    # Parameters are rows of children: they never belong into an exception's text.
    common: dict[str, Any] = {"hide_parameters": True, "pool_size": 4, "max_overflow": -1}
    if dialect == "sqlite":
        return _sqlite_engine(url, common)
    # No prepared statements: a pooler between us may hand the next transaction to another session.
    arguments: dict[str, Any] = {"prepare_threshold": None}
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = _CONNECT_SECONDS
    engine = create_engine(url, pool_pre_ping=True, connect_args=arguments, **common)
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _sqlite_engine(url: URL, common: dict[str, Any]) -> Engine:
    path = Path(url.database or "")
    engine = create_engine(
        url,
        # isolation_level None: the driver starts no transaction behind our back, `_begin_sqlite` does.
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        **common,
    )
    event.listen(engine, "do_connect", lambda *_: _prepare_file(path))
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_file(path: Path) -> None:
    """Make the file and its folder for the owner alone; SQLite gives its side files the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as cause:
        raise StoreError(
            f"cannot make the database file {path}: {cause.strerror}",
            hint="choose a path whose folder exists and may be written",
        ) from cause


def _prepare_sqlite(driver: Any, _: Any) -> None:
    # The first to come makes the file a WAL one, for good; another that meets it doing so goes on without.
    with suppress(sqlite3.OperationalError):
        driver.execute("PRAGMA journal_mode=WAL")
    driver.execute("PRAGMA synchronous=FULL")
    driver.execute("PRAGMA foreign_keys=ON")
    driver.execute("PRAGMA secure_delete=ON")  # what is deleted or changed is zeroed, not only forgotten


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns to writing fails at once when another writes, busy timeout or not.
    writes = connection.get_execution_options().get("reconciler_writes")
    connection.exec_driver_sql(f"PRAGMA query_only={0 if writes else 1}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(driver: Any, _: Any) -> None:
    with driver.cursor() as cursor:
        settings = ", ".join(f"set_config('{k}', '{v}', false)" for k, v in _POSTGRESQL_SETTINGS.items())
        cursor.execute(f"SELECT {settings}")
    driver.commit()
