"""A night of syncs, simulated: districts wait for their servers, and for processors, in the order of events.

A worker is one process: it computes one thing at a time, and works on a few districts at once, as
`reconciler.engine.desks` has it: who has waited for a server for a while lends the place. The database is a
resource of so many places; so are the processors of one machine, where all share it.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.engine.desks import PATIENCE_SECONDS
from reconciler.engine.pool import MOST_AWAY


@dataclass(frozen=True, slots=True)
class Visit:
    """What one district takes, in seconds."""

    waits: float
    """For its server: round trips, bytes on the way, time-outs and pauses."""
    computes: float
    """In the worker."""
    stores: float
    """In the database."""
    serves: float = 0.0
    """In the district's server, where that is on the same machine."""


@dataclass(frozen=True, slots=True)
class Machines:
    """What a fleet runs on."""

    workers: int
    concurrency: int = 4
    database: int = 4
    """Processors of the database's machine."""
    shared: int | None = None
    """Processors of the one machine that workers, database and servers share; None: each has its own."""


@dataclass(slots=True)
class Night:
    """How it went."""

    window: float = 0.0
    """Seconds from its start to the end of the last district."""
    computing: float = 0.0
    """Seconds of the workers' processors."""
    storing: float = 0.0
    """Seconds of the database's."""


def simulate(visits: Iterable[Visit], machines: Machines) -> Night:
    """The night in which these districts are visited, in this order, all due at its start."""
    return _Simulation(visits, machines).run()


@dataclass(slots=True)
class _Places:
    """A resource of so many places."""

    free: int
    queue: deque[Callable[[], None]] = field(default_factory=deque)

    def take(self, then: Callable[[], None], *, first: bool = False) -> None:
        if self.free:
            self.free -= 1
            then()
        elif first:
            self.queue.appendleft(then)
        else:
            self.queue.append(then)

    def give(self) -> None:
        if self.queue:
            self.queue.popleft()()
        else:
            self.free += 1


class _Worker:
    """One process: the desks at which its threads sit, and its processor."""

    def __init__(self, concurrency: int) -> None:
        self.desks = _Places(concurrency)
        self.processor = _Places(1)


class _Simulation:
    def __init__(self, visits: Iterable[Visit], machines: Machines) -> None:
        self._todo = iter(visits)
        self._concurrency = machines.concurrency
        self._workers = [_Worker(machines.concurrency) for _ in range(machines.workers)]
        self._database = _Places(machines.database)
        self._machine = _Places(machines.shared) if machines.shared else None
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._now = 0.0
        self._night = Night()

    def run(self) -> Night:
        for worker in self._workers * (self._concurrency + MOST_AWAY):
            worker.desks.take(lambda w=worker: self._next(w))  # type: ignore[misc]
        while self._events:
            self._now, _, then = heapq.heappop(self._events)
            then()
        self._night.window = self._now
        return self._night

    def _next(self, worker: _Worker) -> None:
        """Somebody sits down at a desk: the next district that no worker has begun."""
        visit = next(self._todo, None)
        if visit is None:
            worker.desks.give()
            return
        self._follow(self._course(worker, visit))

    def _course(self, worker: _Worker, visit: Visit) -> Iterator[_Step]:
        """What becomes of one district, step by step."""
        self._night.computing += visit.computes
        self._night.storing += visit.stores
        patient = min(visit.waits, PATIENCE_SECONDS)
        yield _Wait(patient)
        if visit.waits > patient:
            worker.desks.give()
            yield _Wait(visit.waits - patient)
            yield _Take(worker.desks, first=True)
        yield from self._work([], visit.serves)
        yield from self._work([worker.processor], visit.computes)
        yield from self._work([self._database], visit.stores)
        worker.desks.take(lambda: self._next(worker))
        worker.desks.give()

    def _work(self, places: Sequence[_Places], seconds: float) -> Iterator[_Step]:
        if not seconds:
            return
        needed = [*places, *([self._machine] if self._machine else [])]
        for place in needed:
            yield _Take(place)
        yield _Wait(seconds)
        for place in reversed(needed):
            place.give()

    def _follow(self, course: Iterator[_Step]) -> None:
        step = next(course, None)
        if isinstance(step, _Wait):
            event = (self._now + step.seconds, next(self._numbers), lambda: self._follow(course))
            heapq.heappush(self._events, event)
        elif isinstance(step, _Take):
            step.place.take(lambda: self._follow(course), first=step.first)


@dataclass(frozen=True, slots=True)
class _Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class _Take:
    place: _Places
    first: bool = False
    """Before those who wait already."""


_Step = _Wait | _Take
