"""What the database has of every connection, at a glance: one SELECT, by the driver alone.

SQLAlchemy takes longer to load than thirteen thousand such rows. Whatever is unusual here, a database that is
not there, or of another version, or that refuses, is no answer: the store then says what is wrong with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.planning.connection import Phase
from reconciler.planning.mark import Mark
from reconciler.store.revisions import REVISIONS

_CONNECT_SECONDS = 10
_BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Marks:
    """All connections by district, and the commit that was reconciled last (empty: none)."""

    connections: dict[str, Mark]
    last_commit: str


_VERSION = "SELECT version_num FROM alembic_version"
_SELECT = f"""
    SELECT district, fingerprint, account, mapper, mapper_digest, phase, unfinished, retired_at, deactivated,
           outcome = 'blocked', host_key_seen, CASE WHEN phase <> '{Phase.SYNCING}' THEN spec END
    FROM connection"""  # the phase is a constant of ours
_LAST_COMMIT = """
    SELECT "commit" FROM run WHERE command = 'reconcile' AND "commit" <> ''
    ORDER BY started_at DESC, id DESC LIMIT 1"""


def read_marks(url: str) -> Marks | None:
    """The marks of the database at `url`; None where only the store can tell. Never raises for a database."""
    scheme, _, path = url.partition("://")
    if scheme == "sqlite" and path.startswith("/") and "?" not in path:
        return _from_sqlite(path[1:])
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return _from_postgresql(f"postgresql://{path}")
    return None


def _from_sqlite(path: str) -> Marks | None:
    if not Path(path).is_file():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as driver:
            driver.execute("PRAGMA query_only=1")
            driver.execute("BEGIN")
            return _marks(lambda query: driver.execute(query).fetchall())
    except sqlite3.Error:
        return None


def _from_postgresql(url: str) -> Marks | None:
    import psycopg  # noqa: PLC0415 – most commands that come here are on SQLite, or are slow anyway

    options: dict[str, Any] = {} if "connect_timeout" in url else {"connect_timeout": _CONNECT_SECONDS}
    try:
        with psycopg.connect(url, **options) as driver:
            driver.read_only = True
            driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return _marks(lambda query: driver.execute(query).fetchall())
    except (psycopg.Error, UnicodeError, ValueError):
        return None


def _marks(select: Any) -> Marks | None:
    """`select`: rows of a query. None for tables of another version."""
    if select(_VERSION) != [(REVISIONS[-1],)]:
        return None
    last = select(_LAST_COMMIT)
    return Marks(dict(_by_district(select(_SELECT))), last[0][0] if last else "")


def _by_district(rows: Iterable[Any]) -> Iterable[tuple[str, Mark]]:
    for (
        district,
        fingerprint,
        account,
        mapper,
        digest,
        phase,
        unfinished,
        retired,
        deactivated,
        *rest,
    ) in rows:
        held, host_key_seen, spec = rest
        yield district, Mark(
            district, fingerprint, account, mapper, digest, phase, bool(unfinished),
            _instant(retired) if retired else None, bool(deactivated), bool(held), host_key_seen or "", spec,
        )  # fmt: skip


def _instant(stored: Any) -> datetime:
    """ISO 8601 text on SQLite, an instant on PostgreSQL."""
    return (datetime.fromisoformat(stored) if isinstance(stored, str) else stored).astimezone(UTC)
