"""A run: one call of `reconcile` or `sync`, and who made it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who runs what, for history."""

    command: str
    started_at: datetime
    commit: str = ""
    author: str = ""
    actor: str = ""
    plan_digest: str = ""
    """Of the plan that is carried out; empty where none is, as in a recurring sync."""
