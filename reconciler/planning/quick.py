"""The plan of a fleet that mostly stands as it was: what is known to be the same is not looked at again.

The answer is that of `build_plan`, and a test holds the two to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.config.district import District
from reconciler.planning.change import Stamp
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.mark import Mark
from reconciler.planning.plan import Plan, build_plan

Observe = Callable[[Collection[str]], Mapping[str, Observed]]
"""Connections by district, of the districts asked for that the database has."""


class Desired(Mapping[str, Connection]):
    """What git wants, by district and sorted; a connection is made when it is asked for."""

    __slots__ = ("_districts", "_signs")

    def __init__(self, districts: Mapping[str, District], signs: Mapping[str, tuple[str, str]]):
        """`signs`: of each district its fingerprint, as `Mark` has it, and its mapper's digest."""
        self._districts, self._signs = districts, signs

    def __getitem__(self, name: str) -> Connection:
        fingerprint, digest = self._signs[name]
        return Connection(self._districts[name], digest, fingerprint)

    def __iter__(self) -> Iterator[str]:
        return iter(self._signs)

    def __len__(self) -> int:
        return len(self._signs)

    def __contains__(self, name: object) -> bool:
        return name in self._signs

    def sign(self, name: str) -> tuple[str, str]:
        """Its fingerprint, empty where it is not to be relied on, and its mapper's digest."""
        return self._signs[name]


@dataclass(slots=True)
class _Sorted:
    """The districts by how closely they have to be looked at."""

    settled: int = 0
    same: dict[str, Observed] = field(default_factory=dict)
    """What was applied is what is wanted; whether something is due depends on the day and the phase."""
    others: set[str] = field(default_factory=set)


def quick_plan(
    desired: Desired,
    marks: Mapping[str, Mark],
    observe: Observe,
    *,
    now: datetime,
    retire_after: timedelta,
    refused: Collection[str] = (),
    only: Collection[str] | None = None,
    retry: Collection[str] = (),
    approved: Collection[str] = (),
    deleted: Mapping[str, Stamp] | None = None,
) -> Plan:
    """As `build_plan` of all that `marks` are of; `observe` is asked for the districts that differ."""
    names = (desired.keys() | marks.keys()) - set(refused)
    found = _sorted(names if only is None else names & set(only), desired, marks, {*retry, *approved})
    if not found.same and not found.others:
        return Plan((), found.settled)
    wanted = {n: replace(o.connection, fingerprint=desired.sign(n)[0]) for n, o in found.same.items()}
    wanted |= {n: desired[n] for n in found.others if n in desired}
    observed = {**found.same, **(observe(found.others) if found.others else {})}
    plan = build_plan(
        wanted, observed, now=now, retire_after=retire_after, retry=retry, approved=approved, deleted=deleted
    )
    return Plan(plan.changes, plan.unchanged + found.settled)


def _sorted(
    names: Collection[str], desired: Desired, marks: Mapping[str, Mark], retry: Collection[str]
) -> _Sorted:
    found = _Sorted()
    for name in names:
        mark = marks.get(name)
        if mark is None or name in retry:
            found.others.add(name)
        elif name not in desired:
            if not mark.deactivated:
                found.others.add(name)
        elif not mark.is_of(*desired.sign(name)):
            found.others.add(name)
        elif mark.is_settled:
            found.settled += 1
        elif (observed := mark.observed()) is not None:
            found.same[name] = observed
        else:
            found.others.add(name)
    return found
