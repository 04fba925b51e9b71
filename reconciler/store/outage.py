"""How long a database that is away is waited for: one process's patience, shared by its threads.

Waiting is for what passes by itself. A database that has answered this process once is waited for whatever
keeps it away: a restart, a fail-over, too many sessions. One that never has is waited for only while the
server itself says that it is starting or stopping: a wrong name or password is told at once.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from sqlalchemy import URL

PATIENCE_SECONDS = 30.0
"""How long one outage is waited for, from its first failure on. A crashed server recovers in seconds."""

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 2.0
_PING_SECONDS = 3


class Outage:
    """Whether the database is away now, and since when. Safe to share: a lost update costs one more try."""

    def __init__(self, url: URL):
        self._url = url
        self._has_answered = False
        self._said_starting = False
        self._since: float | None = None

    def ended(self) -> None:
        """The database has answered."""
        self._has_answered, self._said_starting, self._since = True, False, None

    def wait(self, attempt: int) -> bool:
        """Sleep until the next attempt to connect; False, at once, where there is to be none.

        `attempt` counts the failed ones from 1. The first thread to fail begins the outage; all of them end
        with it, so that a fleet of districts does not wait for each.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since >= PATIENCE_SECONDS or not self._is_passing():
            return False
        time.sleep(backoff_seconds(attempt))
        return True

    def _is_passing(self) -> bool:
        if self._has_answered:
            return True
        # That it has just come up may be heard once, between the failure and this question.
        before, self._said_starting = self._said_starting, says_starting(self._url)
        return before or self._said_starting


def backoff_seconds(attempt: int) -> float:
    """Twice as long after each attempt, up to a limit, and none of two runners' waits alike."""
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** (attempt - 1))
    return longest * (0.5 + secrets.randbelow(500) / 1000)


def says_starting(url: URL) -> bool:
    """Whether a PostgreSQL server is there and takes no connections yet, or no longer.

    libpq keeps the state of a refused connection to itself, and its text is in the server's language: its
    ping is the one answer that can be relied on.
    """
    from psycopg import conninfo, pq  # noqa: PLC0415 – SQLite's users never load it

    options: dict[str, Any] = {
        "connect_timeout": _PING_SECONDS,  # libpq holds Python's other threads up for as long
        "host": url.host, "port": url.port, "dbname": url.database, "user": url.username, **url.query
    }  # fmt: skip
    try:
        known = conninfo.make_conninfo("", **{k: v for k, v in options.items() if v and k != "password"})
        return pq.PGconn.ping(known.encode()) == pq.Ping.REJECT
    except Exception:  # an option that libpq refuses: the failed attempt says it better
        return False
