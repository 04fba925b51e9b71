"""What differs in one connection, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reconciler.planning.connection import Phase


class Action(StrEnum):
    """What is done to a connection as a whole."""

    CREATE = "create"
    UPDATE = "update"
    START = "start"
    STOP = "stop"
    RETIRE = "retire"

    @property
    def symbol(self) -> str:
        return {"create": "+", "update": "~", "start": "▶", "stop": "■", "retire": "-"}[self.value]


class Step(StrEnum):
    """One step of carrying a change out, in the order in which steps are taken."""

    TEST = "test"
    INITIALIZE = "initialize"
    MAP_SCHOOLS = "map_schools"
    SYNC = "sync"
    STOP = "stop"
    DEACTIVATE = "deactivate"
    """The rows of a connection retired long enough ago become inactive."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When somebody altered a connection by hand, and as whom; `by` is empty where nobody knows."""

    at: datetime
    by: str = ""

    def __str__(self) -> str:
        return f"edited in the database {self.at_text}{self.by_text}"

    @property
    def by_text(self) -> str:
        return f" by {self.by}" if self.by else ""

    @property
    def at_text(self) -> str:
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def to_json(self) -> dict[str, Any]:
        return {"drift": True, "edited_at": self.at_text, "edited_by": self.by or None}


@dataclass(frozen=True, slots=True, order=True)
class FieldChange:
    """One field of the connection that differs; `before` or `after` is None where it was or is not set."""

    path: str
    before: Any = None
    after: Any = None
    drift: Stamp | None = field(default=None, compare=False)
    """Of a field that differs because somebody altered it in the database."""

    def to_json(self) -> dict[str, Any]:
        said = {"path": self.path, "before": self.before, "after": self.after}
        return said | (self.drift.to_json() if self.drift else {})


@dataclass(frozen=True, slots=True)
class Change:
    """A district that is not as its file says, and the steps that make it so."""

    district: str
    action: Action
    steps: tuple[Step, ...]
    begins: Phase
    """The phase that the connection is in once the change is saved and before its first step."""
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    """Why, where no field says it: `unfinished`, `file is gone`, … Shown, never decided on."""

    def to_json(self) -> dict[str, Any]:
        return {
            "district": self.district,
            "action": str(self.action),
            "steps": [str(s) for s in self.steps],
            "changes": [f.to_json() for f in self.fields],
            "reason": self.reason,
        }
