"""Leases: the right to work on one district, for a while.

Whoever takes a lease raises its epoch. Each write transaction first renews the lease by district and
epoch, inside that transaction: a runner that was paused and overtaken writes nothing. Time is the
database's, so hosts may disagree about theirs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, or_, select, text, update

from reconciler.errors import LockError, StoreError
from reconciler.store.columns import DatabaseTime
from reconciler.store.database import Database
from reconciler.store.errors import LOCK_NOT_AVAILABLE, sqlstate
from reconciler.store.holder import Holder, this_process
from reconciler.store.scope import scope_of
from reconciler.store.sign import LOOKS_APART_SECONDS, is_gone
from reconciler.store.tables import LEASE
from reconciler.store.version import is_our_version, refuse_other_version

TTL_SECONDS = 30
"""How long a lease outlives its last renewal, where nobody can see that its holder is dead."""

_POLL_SECONDS = 0.2
_ENSURE_ROW = text("INSERT INTO lease (district, epoch) VALUES (:district, 0) ON CONFLICT DO NOTHING")


class Lease(Protocol):
    """A lease as others see it."""

    @property
    def district(self) -> str: ...


@dataclass(frozen=True, slots=True)
class HeldLease:
    """The right to work on `district`, as long as nobody has raised the epoch."""

    district: str
    epoch: int


def held(lease: Lease) -> HeldLease:
    """`lease` as the store made it. Raises TypeError for one that something else made."""
    if not isinstance(lease, HeldLease):
        raise TypeError("a lease comes from Store.acquire")
    return lease


@dataclass(frozen=True, slots=True)
class _Seen:
    """A lease as it was found."""

    epoch: int
    holder: Holder | None
    acquired_at: datetime | None
    expires_at: datetime | None
    expired: bool
    signless: bool = False
    """Its holder is no process of this machine, and its sign of life is not there."""

    @property
    def is_free(self) -> bool:
        return self.holder is None or self.expired or self.holder.is_dead()


class _Vigil:
    """Looks at one lease again and again, for as long as its holder shows no sign of life."""

    def __init__(self) -> None:
        self._of: _Seen | None = None
        self._since = 0.0

    def is_over(self, seen: _Seen) -> bool:
        """Whether the holder is dead: no sign at two looks so far apart, and nothing renewed between them."""
        now = time.monotonic()
        if not seen.signless or seen != self._of:
            self._of, self._since = seen if seen.signless else None, now
        return self._of is not None and now - self._since >= LOOKS_APART_SECONDS


def acquire(database: Database, district: str, wait_seconds: float) -> HeldLease:
    """Take the district's lease, waiting up to `wait_seconds` for its holder.

    Raises LockError lock.held, which names the holder.
    """
    deadline = time.monotonic() + wait_seconds
    vigil = _Vigil()
    while True:
        seen = _look(database, district)
        if (vigil.is_over(seen) or seen.is_free) and _take(database, district, seen):
            return HeldLease(district, seen.epoch + 1)
        left = deadline - time.monotonic()
        if left <= 0:
            raise _held(district, seen)
        time.sleep(min(_POLL_SECONDS, left))


def renew(connection: Connection, lease: HeldLease) -> None:
    """Prove the lease and prolong it: the first statement of each write transaction.

    The row stays locked until the transaction ends. Raises LockError lock.lost, and StoreError
    database.version where a newer program has brought the tables to its own version meanwhile.
    """
    renewed = connection.execute(
        update(LEASE)
        .where(LEASE.c.district == lease.district, LEASE.c.epoch == lease.epoch, LEASE.c.holder.is_not(None))
        .where(is_our_version())
        .values(expires_at=DatabaseTime(TTL_SECONDS))
    )
    if renewed.rowcount != 1:
        refuse_other_version(connection)
        raise LockError(
            f"{lease.district}: another run has taken this district over; nothing more is written here",
            code="lock.lost",
            hint="see what the other run did with `reconciler history`, then run again",
            retryable=True,
        )


def release(database: Database, lease: HeldLease) -> None:
    """Give the lease back; one that was lost already stays with its new holder."""
    mine = (LEASE.c.district == lease.district, LEASE.c.epoch == lease.epoch)
    database.write(
        lambda c: c.execute(
            update(LEASE).where(*mine).values(holder=None, acquired_at=None, expires_at=None)
        ),
        scope_of(lease.district),
    )


def _look(database: Database, district: str) -> _Seen:
    expired = (LEASE.c.expires_at <= DatabaseTime()).label("expired")
    query = select(LEASE.c.epoch, LEASE.c.holder, LEASE.c.acquired_at, LEASE.c.expires_at, expired)
    find = query.where(LEASE.c.district == district)

    def look(connection: Connection) -> _Seen:
        row = connection.execute(find).one_or_none()
        if row is None:
            return _Seen(0, None, None, None, False)
        holder = Holder.from_text(row.holder) if row.holder else None
        signless = not row.expired and _is_signless(connection, holder)
        return _Seen(row.epoch, holder, row.acquired_at, row.expires_at, bool(row.expired), signless)

    return database.ask(look, scope_of(district))


def _is_signless(connection: Connection, holder: Holder | None) -> bool:
    """Whether its sign of life is gone; False where it had none, or its process can be looked up here."""
    if connection.dialect.name != "postgresql" or holder is None or not holder.sign or holder.is_here():
        return False
    return is_gone(connection, holder.sign)


def _take(database: Database, district: str, seen: _Seen) -> bool:
    """Raise the epoch if the lease is still as it was seen; False if somebody was faster."""
    me = replace(this_process(), sign=database.sign())
    try:
        return database.write(
            lambda connection: _compare_and_take(connection, district, seen, me), scope_of(district)
        )
    except StoreError as error:
        if error.__cause__ is not None and sqlstate(error.__cause__) == LOCK_NOT_AVAILABLE:
            return False  # its holder is inside a write transaction, so it lives
        raise


def _compare_and_take(connection: Connection, district: str, seen: _Seen, me: Holder) -> bool:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
    connection.execute(_ENSURE_ROW, {"district": district})
    unchanged = [LEASE.c.district == district, LEASE.c.epoch == seen.epoch]
    if seen.holder and not seen.holder.is_dead():
        # Its holder may have woken up and renewed it, or put up its sign, since we looked.
        over = LEASE.c.expires_at <= DatabaseTime()
        if _is_signless(connection, seen.holder):
            over = or_(over, LEASE.c.expires_at == seen.expires_at)
        unchanged.append(or_(LEASE.c.holder.is_(None), over))
    taken = connection.execute(
        update(LEASE)
        .where(*unchanged)
        .values(
            epoch=seen.epoch + 1,
            holder=me.to_text(),
            acquired_at=DatabaseTime(),
            expires_at=DatabaseTime(TTL_SECONDS),
        )
    )
    return taken.rowcount == 1


def _held(district: str, seen: _Seen) -> LockError:
    since = f" since {seen.acquired_at:%Y-%m-%d %H:%M:%S} UTC" if seen.acquired_at else ""
    return LockError(
        f"{district}: {seen.holder or 'another run'} works on this district{since}",
        hint=f"wait for it to end; a run that died gives way by itself within {TTL_SECONDS} seconds",
        retryable=True,
    )
