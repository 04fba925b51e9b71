"""What the database has of every connection, at a glance: one SELECT, by the driver alone.

SQLAlchemy takes longer to load than thirteen thousand such rows. Whatever is unusual here, a database that is
not there, or of another version, or that refuses, is no answer: the store then says what is wrong with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from reconciler.planning.change import Stamp
from reconciler.planning.connection import Observed, Phase
from reconciler.planning.mark import Mark
from reconciler.store.revisions import REVISIONS

T = TypeVar("T")

_CONNECT_SECONDS = 10
_BUSY_SECONDS = 30
_BY_NAME = 500
"""So many connections are asked for by name; of more all are fetched, and the others left."""


@dataclass(frozen=True, slots=True)
class Marks:
    """All connections by district, and the commit that was reconciled last (empty: none)."""

    url: str = field(repr=False)  # it may hold a password
    connections: dict[str, Mark]
    last_commit: str
    deleted: dict[str, Stamp] = field(default_factory=dict)
    """Connections that somebody deleted by hand: when, and as whom."""

    def observe(self, districts: Collection[str]) -> dict[str, Observed] | None:
        """These connections as the store observes them, as they are now; None where only it can tell."""
        found = _asked(self.url, lambda select: None if select(_EDITED) else _with_spec(select, districts))
        if found is None:
            return None
        return {mark.district: seen for mark in found if (seen := mark.observed())}


class Select(Protocol):
    """The rows of a query, whose parameters are written `?`."""

    def __call__(self, query: str, parameters: Sequence[str] = ()) -> list[Any]: ...


_OF_ALL_DISTRICTS = "SELECT set_config('reconciler.scope', 'fleet', true)"
"""What `reconciler.store.scope` says of a fleet."""
_VERSION = "SELECT version_num FROM alembic_version"
_COLUMNS = """district, fingerprint, account, mapper, mapper_digest, phase, unfinished, retired_at,
    deactivated, outcome = 'blocked', host_key_seen, hold_digest"""
_SELECT = f"SELECT {_COLUMNS}, CASE WHEN phase <> '{Phase.SYNCING}' THEN spec END FROM connection"
_SELECT_ALL = f"SELECT {_COLUMNS}, spec FROM connection"
_EDITED = "SELECT 1 FROM hand_edit WHERE kind <> 'delete' LIMIT 1"
"""Of what was altered by hand only the store can tell. Such a connection has no fingerprint."""
_DELETED = "SELECT district, at, role FROM hand_edit WHERE kind = 'delete'"
_LAST_COMMIT = """
    SELECT "commit" FROM run WHERE command = 'reconcile' AND "commit" <> ''
    ORDER BY started_at DESC, id DESC LIMIT 1"""


def read_marks(url: str) -> Marks | None:
    """The marks of the database at `url`; None where only the store can tell. Never raises for a database."""

    def ask(select: Select) -> Marks:
        last = select(_LAST_COMMIT)
        marks = {mark.district: mark for mark in _marks(select(_SELECT))}
        gone = {district: Stamp(_instant(at), role or "") for district, at, role in select(_DELETED)}
        return Marks(url, marks, last[0][0] if last else "", gone)

    return _asked(url, ask)


def _with_spec(select: Select, districts: Collection[str]) -> list[Mark]:
    if len(districts) > _BY_NAME:
        return [mark for mark in _marks(select(_SELECT_ALL)) if mark.district in districts]
    places = ", ".join("?" * len(districts))
    return list(_marks(select(f"{_SELECT_ALL} WHERE district IN ({places})", sorted(districts))))


def _asked(url: str, ask: Callable[[Select], T]) -> T | None:
    """The answer of a database that has our tables, all of one moment; None where it has none."""

    def known(select: Select) -> T | None:
        return ask(select) if select(_VERSION) == [(REVISIONS[-1],)] else None

    scheme, _, path = url.partition("://")
    if scheme == "sqlite" and path.startswith("/") and "?" not in path:
        return _of_sqlite(path[1:], known)
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return _of_postgresql(f"postgresql://{path}", known)
    return None


def _of_sqlite(path: str, ask: Callable[[Select], T | None]) -> T | None:
    if not Path(path).is_file():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as driver:
            driver.execute("PRAGMA query_only=1")
            driver.execute("BEGIN")
            return ask(lambda query, parameters=(): driver.execute(query, parameters).fetchall())
    except sqlite3.Error:
        return None


def _of_postgresql(url: str, ask: Callable[[Select], T | None]) -> T | None:
    import psycopg  # noqa: PLC0415 – as slow to load as the rest of a plan, and not needed on SQLite

    options: dict[str, Any] = {} if "connect_timeout" in url else {"connect_timeout": _CONNECT_SECONDS}
    try:
        with psycopg.connect(url, **options) as driver:
            driver.read_only = True
            driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            driver.execute(_OF_ALL_DISTRICTS)

            def select(query: str, parameters: Sequence[str] = ()) -> list[Any]:
                # The text is made of this module's own, and has no percent sign.
                return driver.execute(query.replace("?", "%s").encode(), parameters).fetchall()

            return ask(select)
    except (psycopg.Error, UnicodeError, ValueError):
        return None


def _marks(rows: Iterable[Any]) -> Iterator[Mark]:
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
        held, host_key_seen, hold_digest, spec = rest
        yield Mark(
            district, fingerprint, account, mapper, digest, phase, bool(unfinished),
            _instant(retired) if retired else None, bool(deactivated), bool(held), host_key_seen or "", spec,
            hold_digest,
        )  # fmt: skip


def _instant(stored: Any) -> datetime:
    """ISO 8601 text on SQLite, an instant on PostgreSQL."""
    return (datetime.fromisoformat(stored) if isinstance(stored, str) else stored).astimezone(UTC)
