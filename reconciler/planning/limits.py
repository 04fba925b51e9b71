"""How much one sync may take away or alter. The same function serves every run that could write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

GUARDED = ("students", "contacts", "relationships")
"""The entities whose removal is guarded."""
AT_MOST = 10
"""So many rows may always go or change: a percentage says little about a small district."""


class Counts(Protocol):
    """What the limits need to know of an entity's rows."""

    @property
    def changed(self) -> int: ...
    @property
    def removed(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a sync would break."""

    entity: str
    limit: str
    """`max_removal_percent` or `max_change_percent`."""
    rows: int
    active: int
    percent: float
    allowed: float

    @property
    def is_removal(self) -> bool:
        return self.limit == "max_removal_percent"

    def __str__(self) -> str:
        verb = "removed" if self.is_removal else "changed"
        return (
            f"{self.rows} of {self.active} active {self.entity} would be {verb} "
            f"({self.percent:.1f} %; {self.limit} is {self.allowed:g})"
        )


def breaches(
    counts: Mapping[str, Counts],
    active: Mapping[str, int],
    *,
    max_removal_percent: float,
    max_change_percent: float,
) -> list[Breach]:
    """The limits that these counts break, of `active` rows before the sync; removals come first."""
    found = []
    for limit, allowed in (
        ("max_removal_percent", max_removal_percent),
        ("max_change_percent", max_change_percent),
    ):
        for entity in GUARDED:
            rows = counts[entity].removed if "removal" in limit else counts[entity].changed
            before = active.get(entity, 0)
            percent = 100 * rows / before if before else 0.0
            if rows > AT_MOST and percent > allowed:
                found.append(Breach(entity, limit, rows, before, percent, allowed))
    return found
