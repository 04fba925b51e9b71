"""An approval of held rows, as a value: which rows, which limits, until when."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

FOLDER = "approvals"
ENDING = ".yaml"
DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")


@dataclass(frozen=True, slots=True, order=True)
class BrokenLimit:
    """A limit, and how many rows of how many would break it. Names and counts only."""

    limit: str
    of: str
    rows: int
    active: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Approval:
    """One file, valid in itself."""

    district: str
    digest: str
    file: str
    """Relative to the configuration's root."""
    limits: tuple[BrokenLimit, ...]
    """Sorted."""
    reason: str
    expires: date

    def holds_on(self, day: date) -> bool:
        """Whether it has not expired; its last day counts."""
        return day <= self.expires


def file_of(district: str, digest: str) -> str:
    """Where an approval lies, relative to the root; empty where these cannot be an id and a digest."""
    if not (_ID.fullmatch(district) and DIGEST.fullmatch(digest)):
        return ""
    return f"{FOLDER}/{district}/{digest}{ENDING}"
