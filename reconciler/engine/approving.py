"""Approvals of held rows: which rows a hold is of, and whether git approves of exactly these.

An approval waives the limits that it names, by the rows that it names, and no other guard: files that are
unreadable, empty or cut, and the limit on rejected rows, hold and fail as ever.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from reconciler.config.approval import Approval, BrokenLimit
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:  # runs with nothing to do come through here too
    from reconciler.planning.connection import Observed
    from reconciler.planning.contact_safety import ContactBreach
    from reconciler.planning.limits import Breach


class Approvals:
    """What git approves: this one approves nothing."""

    def find(self, district: str, digest: str) -> Approval | None:
        """The approval of this digest. Raises ConfigError for a file that is not valid."""
        return None

    def origin(self, approval: Approval) -> tuple[str, str]:
        """The commit that the file comes from, and its author; empty where it is not committed."""
        return "", ""


@dataclass(frozen=True, slots=True)
class Release:
    """An approval that let a delta through."""

    file: str
    digest: str
    commit: str
    author: str

    def __str__(self) -> str:
        said = f"{self.commit[:12]} by {self.author}" if self.commit else "not committed"
        return f"released by {self.file} ({said})"

    def to_json(self) -> dict[str, str | None]:
        return {
            "file": self.file, "digest": self.digest,
            "commit": self.commit or None, "author": self.author or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is held, and whether it is let through."""

    digest: str
    """Empty where the database has no key for it: then nothing can be approved."""
    release: Release | None = None
    refused: str = ""
    """Why an approval that is there lets nothing through."""


def judge(
    approvals: Approvals, now: datetime, district: str, key: str, rows: str, limits: Sequence[BrokenLimit]
) -> Verdict:
    """Whether an approval is there of these very rows, breaking these very limits.

    `rows` is the digest of the rows; `key` makes of it one that tells nobody which rows they are.
    """
    if not key:
        return Verdict("")
    digest = _keyed(key, district, rows, limits)
    try:
        approval = approvals.find(district, digest)
    except ReconcilerError as error:
        return Verdict(digest, refused=error.message)
    if approval is None:
        return Verdict(digest)
    refused = _refusal(approval, _today(now), limits)
    if refused:
        return Verdict(digest, refused=f"{approval.file} {refused}")
    return Verdict(digest, Release(approval.file, digest, *approvals.origin(approval)))


def approved(approvals: Approvals, now: datetime, held: Mapping[str, str]) -> frozenset[str]:
    """Of these districts, each with the digest that it is held for, those whose approval is there."""
    return frozenset(name for name, digest in held.items() if _is_approved(approvals, now, name, digest))


def held_digests(observed: Mapping[str, Observed]) -> dict[str, str]:
    """The digest that each held district is held for."""
    return {name: one.hold_digest for name, one in observed.items() if one.hold_digest}


def broken_limits(found: Sequence[Breach], unsafe: Sequence[ContactBreach]) -> list[BrokenLimit]:
    """What would be broken, sorted, in counts."""
    limits = [BrokenLimit(b.limit, b.entity, b.rows, b.active) for b in found]
    return sorted([*limits, *(BrokenLimit(u.code, u.of, u.rows, u.active) for u in unsafe)])


def _is_approved(approvals: Approvals, now: datetime, district: str, digest: str) -> bool:
    try:
        approval = approvals.find(district, digest)
    except ReconcilerError:
        return False
    return approval is not None and approval.holds_on(_today(now))


def _refusal(approval: Approval, today: date, limits: Sequence[BrokenLimit]) -> str:
    """Why a valid approval lets nothing through; empty where it does."""
    if not approval.holds_on(today):
        return f"has expired on {approval.expires.isoformat()}"
    if approval.limits != tuple(sorted(limits)):
        return "names other limits, or other numbers of rows, than are found"
    return ""


def _keyed(key: str, district: str, rows: str, limits: Sequence[BrokenLimit]) -> str:
    said = json.dumps([district, rows, [limit.to_json() for limit in sorted(limits)]], sort_keys=True)
    return hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()
