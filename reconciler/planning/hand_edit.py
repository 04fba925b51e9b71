"""A connection that somebody altered in the database, past the program."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.planning.change import FieldChange, Stamp
from reconciler.planning.connection import Connection
from reconciler.planning.diff import diff

STATE = frozenset(
    {"phase", "unfinished", "deactivated", "snapshot", "hold", "hold_digest", "delta_key", "host_key_seen"}
    | {"secret_slot"}
)  # fmt: skip
"""Columns that say how far a connection came: where one was altered, nothing on record is believed."""
SAID_BY_SPEC = frozenset({"account", "name", "mapper"})
"""Columns that repeat what the spec says."""


@dataclass(frozen=True, slots=True)
class HandEdit:
    """What was altered, when, and by whom as far as the database knows."""

    at: datetime
    """Of the last edit."""
    by: str = ""
    """The role that was logged in; empty where the database does not know it."""
    kind: str = "update"
    """`update` or `insert`."""
    connection: Connection | None = None
    """What the row says now; None where that cannot be read."""
    columns: tuple[FieldChange, ...] = ()
    """Columns beside the spec that hold something else than the program wrote: now, and before."""

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.at, self.by)

    @property
    def distrusted(self) -> bool:
        """Whether every step is to be taken again."""
        altered = any(column.path in STATE for column in self.columns)
        return self.kind == "insert" or self.connection is None or altered

    def fields(self, recorded: Connection, desired: Connection) -> tuple[FieldChange, ...]:
        """What differs from the file: by hand, with when and by whom; and by the file itself."""
        now = self.connection or recorded
        by_hand = {f.path for f in diff(recorded, now)}
        fields = [
            replace(f, drift=self.stamp) if self.kind == "insert" or f.path in by_hand else f
            for f in diff(now, desired)
        ]
        return tuple(sorted([*fields, *self._of_columns({f.path for f in fields})], key=lambda f: f.path))

    def _of_columns(self, known: Collection[str]) -> Iterable[FieldChange]:
        return (replace(c, drift=self.stamp) for c in self.columns if c.path not in known)
