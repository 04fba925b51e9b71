"""What a run did: one result for each district, and the steps that led to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.engine.approving import Release
from reconciler.errors import ReconcilerError
from reconciler.mapping.entities import ENTITIES
from reconciler.roster.delta import RowCounts


class Outcome(StrEnum):
    """How a district, or one of its steps, ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Nothing failed, but a safety limit holds it."""
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    """A step that was not reached."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: its name, how it ended, and how long it took."""

    name: str
    outcome: Outcome
    seconds: float = 0.0
    release: Release | None = None
    """The approval in git that it needed."""

    def to_json(self) -> dict[str, Any]:
        said = {"name": self.name, "outcome": str(self.outcome), "seconds": round(self.seconds, 3)}
        return said | ({"approval": self.release.to_json()} if self.release else {})


@dataclass(frozen=True, slots=True)
class Result:
    """One district's part of a run."""

    district: str
    action: str
    outcome: Outcome
    steps: tuple[StepResult, ...] = ()
    rows: Mapping[str, RowCounts] = field(default_factory=dict)
    error: ReconcilerError | None = None
    notes: tuple[str, ...] = ()
    """What a person should know although nothing failed."""

    def to_json(self) -> dict[str, Any]:
        rows = self.rows or dict.fromkeys(ENTITIES, RowCounts())
        return {
            "district": self.district,
            "action": self.action,
            "outcome": str(self.outcome),
            "steps": [s.to_json() for s in self.steps],
            "rows": {entity: counts.to_json() for entity, counts in rows.items()},
            "error": self.error.to_json() if self.error else None,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. `unchanged` counts the districts that the plan left alone as well."""

    results: Sequence[Result]
    untouched: int = 0
    interrupted: bool = False

    def summary(self) -> dict[str, int]:
        totals = dict.fromkeys(("succeeded", "failed", "blocked", "unchanged"), 0)
        for result in self.results:
            totals[str(result.outcome)] += 1
        totals["unchanged"] += self.untouched
        return totals

    @property
    def outcome(self) -> Outcome:
        """The whole run's: the worst of its districts'."""
        found = {r.outcome for r in self.results}
        worst = (Outcome.FAILED, Outcome.BLOCKED, Outcome.SUCCEEDED)
        return next((o for o in worst if o in found), Outcome.UNCHANGED)

    def to_json(self) -> dict[str, Any]:
        return {"summary": self.summary(), "results": [r.to_json() for r in self.results]}
