"""A named cause."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows went or changed, as a stable code and as words with the evidence: counts and names only."""

    code: str
    evidence: str

    def __str__(self) -> str:
        return self.evidence
