"""What a shared mapper's change does to the districts that use it: a verdict for each, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.config.district import Sync
from reconciler.errors import ReconcilerError
from reconciler.mapping.effect import Effect, Kind, effects
from reconciler.mapping.files_known import KnownFiles
from reconciler.mapping.model import Mapper
from reconciler.planning.limits import GUARDED, breaches


class Verdict(StrEnum):
    """What a reviewer has to expect of one district; the worst first."""

    FAILS = "fails"
    REKEYS = "re-keys"
    CHANGES = "changes rows"
    UNKNOWN = "unknown"
    NONE = "no effect"


_VERDICTS = {
    Kind.FAILS: Verdict.FAILS, Kind.REKEYS: Verdict.REKEYS, Kind.REMOVES: Verdict.CHANGES,
    Kind.LEAVES: Verdict.CHANGES, Kind.ALTERS: Verdict.CHANGES, Kind.UNSURE: Verdict.UNKNOWN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DistrictImpact:
    """One district under the mapper as it is to be."""

    district: str
    verdict: Verdict
    effects: tuple[Effect, ...] = ()
    holds: tuple[str, ...] = ()
    """Limits that the next sync would break if the change concerned every row."""
    reason: str = ""
    """Why nothing, or not all, can be told."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Active rows by entity."""
    applied: str = ""
    """The commit in which the mapper was found as it was applied last; empty: none was needed, or found."""

    def to_json(self) -> dict[str, Any]:
        return {
            "district": self.district,
            "verdict": str(self.verdict),
            "effects": [_effect(e, self.rows) for e in self.effects],
            "holds": list(self.holds),
            "reason": self.reason,
            "rows": dict(self.rows),
            "applied": self.applied or None,
        }


def _effect(effect: Effect, rows: Mapping[str, int]) -> dict[str, Any]:
    return {
        "kind": str(effect.kind), "entity": effect.entity or None, "field": effect.field or None,
        "message": effect.message, "code": effect.code or None, "hint": effect.hint,
        "rows": rows.get(effect.entity) if effect.entity else None,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Impact:
    """A mapper's change and everybody whom it concerns."""

    mapper: str
    districts: tuple[DistrictImpact, ...]
    """The worst first, then by name."""

    def summary(self) -> dict[str, int]:
        counted = Counter(d.verdict for d in self.districts)
        return {str(verdict): counted[verdict] for verdict in Verdict}

    def to_json(self) -> dict[str, Any]:
        return {
            "mapper": self.mapper,
            "summary": self.summary(),
            "districts": [d.to_json() for d in self.districts],
        }


def impact_of(mapper: str, districts: Iterable[DistrictImpact]) -> Impact:
    """All of it, in the order in which it is read."""
    order = list(Verdict)
    return Impact(mapper, tuple(sorted(districts, key=lambda d: (order.index(d.verdict), d.district))))


@dataclass(frozen=True, slots=True)
class Applied:
    """What the database, and git, know of a district."""

    digest: str
    """Of the mapper that the stored rows were made with; empty: it is not known."""
    known: KnownFiles
    rows: Mapping[str, int] = field(default_factory=dict)
    mapper: Mapper | None = None
    """That mapper; None where nobody has it any more."""
    commit: str = ""


def district_impact(
    district: str, new: Mapper | ReconcilerError, sync: Sync, applied: Applied | None
) -> DistrictImpact:
    """The verdict on one district. `applied` None: it was never reconciled."""
    if isinstance(new, ReconcilerError):
        failed = Effect(Kind.FAILS, new.message, code=new.code, hint=new.hint)
        return DistrictImpact(district, Verdict.FAILS, (failed,), rows=applied.rows if applied else {})
    if applied is None or not applied.known.columns:
        rows = applied.rows if applied else {}
        return DistrictImpact(district, Verdict.UNKNOWN, reason="never synced", rows=rows)
    if applied.digest == new.digest:
        return DistrictImpact(district, Verdict.NONE, reason="its rows were made with it", rows=applied.rows)
    found = effects(applied.mapper, new, applied.known)
    lost = applied.mapper is None
    reason = "the mapper that its rows were made with is not in git's history" if lost else ""
    verdicts = [_VERDICTS[e.kind] for e in found] + ([Verdict.UNKNOWN] if lost else [])
    verdict = min(verdicts, key=list(Verdict).index, default=Verdict.NONE)
    holds = _holds(found, applied.rows, sync)
    return DistrictImpact(district, verdict, tuple(found), holds, reason, applied.rows, applied.commit)


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the limits look at: rows with another key are removed, and come anew."""

    removed: int = 0
    changed: int = 0


def _holds(found: Sequence[Effect], rows: Mapping[str, int], sync: Sync) -> tuple[str, ...]:
    rekeyed = {e.entity for e in found if e.kind in (Kind.REKEYS, Kind.REMOVES)}
    if rekeyed & {"students", "contacts"}:
        rekeyed.add("relationships")  # their key is made of both
    altered = {e.entity for e in found if e.kind is Kind.ALTERS} - rekeyed
    counts = {
        entity: _Counts(
            removed=rows.get(entity, 0) if entity in rekeyed else 0,
            changed=rows.get(entity, 0) if entity in altered else 0,
        )
        for entity in GUARDED
    }
    found_breaches = breaches(
        counts, rows,
        max_removal_percent=sync.max_removal_percent, max_change_percent=sync.max_change_percent,
    )  # fmt: skip
    return tuple(map(str, found_breaches))
