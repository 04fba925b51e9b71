"""How many districts are worked on at once, when some of them only wait for a server.

Each job takes one of so many desks. Who has waited for a server for a while lends the desk to the next job,
and takes the first one that is free when the server has answered, before any job that has not begun. So
silent servers keep no other district from being synced, and no more of them than desks are being computed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 0.5
"""How long a server may take before the desk is lent: well above what a good one takes to answer."""

_here = threading.local()


class _Seat:
    """One job's place: at a desk, or waiting, and since when; `lent` when another has the desk meanwhile."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.lent = False


class Desks:
    """So many desks. Safe to use from several threads."""

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._for_returning = threading.Condition(self._lock)
        self._for_new = threading.Condition(self._lock)
        self._free = count
        self._returning = 0
        self._closed = False
        self._waiting: set[_Seat] = set()

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """A desk for one job, in this thread; False, and none, when no job is to begin any more."""
        with self._lock:
            self._for_new.wait_for(lambda: self._closed or (self._free > 0 and not self._returning))
            too_late = self._closed
            self._free -= not too_late
        if too_late:
            yield False
            return
        _here.desks, _here.seat = self, _Seat()
        try:
            yield True
        finally:
            del _here.desks, _here.seat
            with self._lock:
                self._give_back()

    def close(self) -> None:
        """Let no further job begin."""
        with self._lock:
            self._closed = True
            self._for_new.notify_all()

    def lend(self) -> None:
        """Free the desks of those who have waited for long enough; to be called from time to time."""
        with self._lock:
            now = self._clock()
            for seat in self._waiting:
                if not seat.lent and seat.since is not None and now - seat.since >= PATIENCE_SECONDS:
                    seat.lent = True
                    self._give_back()

    @contextmanager
    def away(self, seat: _Seat) -> Iterator[None]:
        """The job of this seat waits for a server."""
        with self._lock:
            seat.since = self._clock()
            self._waiting.add(seat)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(seat)
                if seat.lent:
                    self._return()
                seat.since, seat.lent = None, False

    def _return(self) -> None:
        self._returning += 1
        self._for_returning.wait_for(lambda: self._free > 0)
        self._returning -= 1
        self._free -= 1
        self._pass_on()

    def _give_back(self) -> None:
        self._free += 1
        self._pass_on()

    def _pass_on(self) -> None:
        """Wake one who may sit down: who returns comes first."""
        if self._free > 0:
            (self._for_returning if self._returning else self._for_new).notify()


@contextmanager
def waiting() -> Iterator[None]:
    """What is done within waits for somebody else; means nothing to a thread that has no desk to lend."""
    seat: _Seat | None = getattr(_here, "seat", None)
    if seat is None or seat.since is not None:
        yield
        return
    desks: Desks = _here.desks
    with desks.away(seat):
        yield
