"""What `status`, `history` and `schools` look at: plain values, each able to write itself as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class SchoolCounts:
    """Schools of a connection: mapped and ignored as its spec says, unmapped of those that its files name."""

    mapped: int = 0
    unmapped: int = 0
    ignored: int = 0

    def to_json(self) -> dict[str, int]:
        return {"mapped": self.mapped, "unmapped": self.unmapped, "ignored": self.ignored}


@dataclass(frozen=True, slots=True)
class LastSync:
    """When a sync last ended for a connection, and how."""

    at: datetime
    outcome: str
    commit: str | None

    def to_json(self) -> dict[str, Any]:
        return {"at": iso(self.at), "outcome": self.outcome, "commit": self.commit}


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """One connection, as `status` shows it."""

    district: str
    name: str
    account: str
    mapper: str
    host: str
    schedule: str
    phase: str
    sync_status: str
    """Not started, Started, Stopped, Blocked or Failing."""
    unfinished: bool
    outcome: str | None
    """How its last run ended; None before the first has."""
    schools: SchoolCounts
    rows: Mapping[str, int]
    """Active rows by entity."""
    last_sync: LastSync | None = None
    problem: Mapping[str, Any] | None = None
    retired_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "district": self.district,
            "name": self.name,
            "account": self.account,
            "mapper": self.mapper,
            "host": self.host,
            "schedule": self.schedule,
            "phase": self.phase,
            "sync_status": self.sync_status,
            "unfinished": self.unfinished,
            "outcome": self.outcome,
            "schools": self.schools.to_json(),
            "rows": dict(self.rows),
            "last_sync": self.last_sync.to_json() if self.last_sync else None,
            "problem": dict(self.problem) if self.problem else None,
            "retired_at": iso(self.retired_at),
        }


@dataclass(frozen=True, slots=True)
class ResultView:
    """What one run did to one district."""

    district: str
    action: str
    outcome: str
    steps: tuple[Mapping[str, Any], ...]
    changes: tuple[Mapping[str, Any], ...]
    rows: Mapping[str, Mapping[str, int]]
    error: Mapping[str, Any] | None
    at: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "district": self.district,
            "action": self.action,
            "outcome": self.outcome,
            "steps": [dict(step) for step in self.steps],
            "changes": [dict(change) for change in self.changes],
            "rows": {entity: dict(counts) for entity, counts in self.rows.items()},
            "error": dict(self.error) if self.error else None,
            "at": iso(self.at),
        }


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. `ended_at` and `outcome` are None while it lasts, and of one that was killed."""

    id: str
    command: str
    commit: str
    author: str
    actor: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    summary: Mapping[str, int] = field(default_factory=dict)
    results: tuple[ResultView, ...] = ()
    plan_digest: str | None = None
    """Of the plan that was carried out; None where there was none."""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "command": self.command,
            "commit": self.commit,
            "author": self.author,
            "actor": self.actor,
            "started_at": iso(self.started_at),
            "ended_at": iso(self.ended_at),
            "outcome": self.outcome,
            "plan_digest": self.plan_digest,
            "summary": dict(self.summary),
            "results": [result.to_json() for result in self.results],
        }


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second, as `2026-11-23T12:00:00Z`."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
