"""A runner's sign of life on PostgreSQL: an advisory lock, which the server drops with its session.

A lease names its holder's sign, so that a runner anywhere can see that the holder is gone, and need not wait
for the lease's end. The sign is looked for, never taken. It keeps nobody from a lease that has ended, and
nothing that is written depends on it: that is the lease's epoch's part.
"""

from __future__ import annotations

import logging
import os
import secrets
import selectors
import socket
import threading
import time
from contextlib import suppress
from itertools import count
from typing import Any

from sqlalchemy import URL, Connection

from reconciler.store.outage import backoff_seconds

LOOKS_APART_SECONDS = 1.0
"""How long a sign has to be gone until its holder is dead: one whose session was ended is soon up again."""

_SETTLED_SECONDS = 5
"""A server that started less long ago knows nothing of signs: their holders are on the way back to it."""
_LONGEST_PAUSE_SECONDS = 0.5
"""Between two attempts to put a sign up again: less than lies between two looks."""
_TRY_AGAIN_SECONDS = 30.0
"""How long nobody tries again who could not put up a sign: each lease would wait for it."""
_END_SECONDS = 0.5
"""How long the program's end waits for the thread, where it is just connecting."""
_CLASS = 0x5265636F
"""Sets our advisory locks apart from those of others in the same database."""
_OPTIONS = {
    "connect_timeout": 10,
    "fallback_application_name": "reconciler: sign of life",
    # A wire that is dead is noticed here while the server still counts as there.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_SERVER_KEEPALIVES = """SELECT set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)"""

log = logging.getLogger(__name__)


class Sign:
    """This process's sign: put up when first asked for, kept up by a thread until `close`. Raises nothing.

    Safe to share between threads. A forked child has a sign of its own.
    """

    _watch: _Watch | None
    _not_before: float

    def __init__(self, url: URL):
        self._url = url
        self._inherited: _Watch | None = None
        self._begin()

    def key(self) -> str:
        """What others find it by, while it is up; empty where there is none: then the lease's end counts."""
        if self._process != os.getpid():
            self._inherited = self._watch  # the parent's session: not to be closed from here
            self._begin()
        with self._lock:
            if self._watch is None and time.monotonic() >= self._not_before:
                self._watch = self._put_up()
            return str(self._key) if self._watch and self._watch.is_up else ""

    def close(self) -> None:
        """Take it down, and end its thread."""
        if self._process == os.getpid():
            with self._lock:
                watch, self._watch = self._watch, None
            if watch:
                watch.end()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._key = 1 + secrets.randbelow(2**31 - 1)
        self._watch, self._not_before = None, 0.0

    def _put_up(self) -> _Watch | None:
        try:
            return _Watch(self._url, self._key)
        except Exception as error:  # whatever it is, the run goes on without
            log.debug("no sign of life: %s", type(error).__name__)
            self._not_before = time.monotonic() + _TRY_AGAIN_SECONDS
            return None


def is_gone(connection: Connection, key: str) -> bool:
    """Whether no session holds the sign, as far as this server has been up long enough to know."""
    settled = f"pg_postmaster_start_time() < clock_timestamp() - interval '{_SETTLED_SECONDS} seconds'"
    query = f"SELECT NOT {_there(int(key))} AND {settled} AND NOT pg_is_in_recovery()"
    return bool(connection.exec_driver_sql(query).scalar())


def _there(key: int) -> str:
    """SQL that is true where the sign is up. Every role may read what it reads, whatever rows it may see."""
    return f"""EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted
        AND classid = {_CLASS} AND objid = {key} AND objsubid = 2
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))"""


class _NoSignError(Exception):
    """The server, or what stands before it, gives us no session of our own."""


class _Watch:
    """A session that holds the sign, and the thread that replaces it when the server ends it."""

    def __init__(self, url: URL, key: int):
        """Raises whatever keeps the sign from being put up now."""
        self._url, self._key = url, key
        connection = _session(url, key)
        self.is_up = True
        self._ended = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(
            target=self._keep, args=(connection,), name="sign-of-life", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._wake.close()
        self._thread.join(_END_SECONDS)

    def _keep(self, connection: Any) -> None:
        with self._woken:
            while connection is not None:
                with suppress(Exception):
                    self._wait_for_its_end(connection)
                self.is_up = False
                with suppress(Exception):
                    connection.close()
                connection = self._another()
                self.is_up = connection is not None

    def _wait_for_its_end(self, connection: Any) -> None:
        """Sleep until the session is lost, or no longer wanted. Raises the driver's errors for one lost."""
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._ended.is_set():
                selector.select()
                connection.pgconn.consume_input()
                connection.pgconn.is_busy()  # has what came read: a notice, say

    def _another(self) -> Any:
        """A session in place of one that was lost, however long it takes; None once it is not wanted."""
        for attempt in count(1):
            if self._ended.is_set():
                return None
            with suppress(Exception):
                return _session(self._url, self._key)
            self._ended.wait(min(backoff_seconds(attempt), _LONGEST_PAUSE_SECONDS))
        raise AssertionError("count never ends")


def _session(url: URL, key: int) -> Any:
    """A session that holds the sign. Raises _NoSignError or the driver's errors."""
    import psycopg  # noqa: PLC0415 – SQLite's users never load it

    _, options = url.get_dialect()().create_connect_args(url)
    connection = psycopg.connect(**{**_OPTIONS, **options}, autocommit=True, prepare_threshold=None)
    try:
        _hold(connection, key)
    except BaseException:
        connection.close()
        raise
    return connection


def _hold(connection: Any, key: int) -> None:
    """Take the lock, shared: an older session of ours may have it, which the server has not missed yet."""
    here = connection.execute("SELECT pg_backend_pid(), pg_is_in_recovery()").fetchone()
    if here != (connection.info.backend_pid, False):
        raise _NoSignError  # a pooler's session, which others use and it may end; or a standby's
    with suppress(Exception):  # a wire that is dead is noticed there as well, where the server's system can
        connection.execute(_SERVER_KEEPALIVES)
    connection.execute(f"SELECT pg_try_advisory_lock_shared({_CLASS}, {key})")
    if connection.execute(f"SELECT {_there(key)}").fetchone() != (True,):
        raise _NoSignError
