"""A plan that is carried out later: bound to the files, the database and the policy that it was made of.

It names what is to be done and widens nothing: what a district is to become is always read from its file
again. Whoever can write the file can leave districts out of it, and no more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from reconciler.config.policy import Policy
from reconciler.errors import PlanError
from reconciler.planning.change import Change
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.plan import Plan

FORMAT = "reconciler-plan"
VERSION = 1
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SavedChange:
    """One district's part of a saved plan."""

    change: Mapping[str, Any]
    """The change as the plan shows it."""
    spec: str
    """Digest of the district as its file says it, defaults filled in; empty where the file is gone."""
    mapper: str
    observed: str
    """Digest of the connection as the database has it; empty where there is none."""
    seen: Mapping[str, Any] | None = None
    """What a preview saw of files and rows; None where none was made, or it failed."""

    def to_json(self) -> dict[str, Any]:
        bound = {"spec": self.spec, "mapper": self.mapper, "observed": self.observed, "seen": self.seen}
        return {**self.change, "bound": bound}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SavedChange:
        """Raises KeyError or TypeError for another shape."""
        change, bound = dict(value), dict(value["bound"])
        del change["bound"]
        if bound["seen"] is not None:
            bound["seen"] = dict(bound["seen"])
        return cls(change, str(bound["spec"]), str(bound["mapper"]), str(bound["observed"]), bound["seen"])


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan with all that it was made of."""

    changes: Mapping[str, SavedChange]
    """By district, sorted."""
    policy: str
    """Digest of the fleet's policy."""
    scope: tuple[str, ...] | None = None
    """The districts that were planned; None: the whole fleet."""
    previewed: bool = False
    allow_removals: tuple[str, ...] = ()
    """Districts that were planned with their limits waived; to be said again when it is carried out."""
    refused: tuple[str, ...] = ()
    """Districts whose files could not be used when it was planned."""
    about: Mapping[str, str] = field(default_factory=dict)
    """When, by which version and at which commit: for people, and bound by the digest as well."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything in it."""
        return _digest(self._content())

    def to_json(self) -> dict[str, Any]:
        return {**self._content(), "digest": self.digest}

    def _content(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "about": dict(self.about),
            "policy": self.policy,
            "scope": list(self.scope) if self.scope is not None else None,
            "previewed": self.previewed,
            "allow_removals": list(self.allow_removals),
            "refused": list(self.refused),
            "districts": [c.to_json() for c in self.changes.values()],
        }


def save_plan(
    plan: Plan,
    desired: Mapping[str, Connection],
    observed: Mapping[str, Observed],
    policy: Policy,
    *,
    seen: Mapping[str, Mapping[str, Any] | None] | None = None,
    scope: Collection[str] | None = None,
    allow_removals: Collection[str] = (),
    refused: Collection[str] = (),
    about: Mapping[str, str] | None = None,
) -> SavedPlan:
    """Bind a plan to what it was made of. `seen` has what previews saw; None: there was no preview."""
    changes = {
        c.district: _bound(c, desired.get(c.district), observed.get(c.district), (seen or {}).get(c.district))
        for c in plan.changes
    }
    return SavedPlan(
        changes,
        _digest(asdict(policy)),
        tuple(sorted(scope)) if scope is not None else None,
        seen is not None,
        tuple(sorted(set(allow_removals))),
        tuple(sorted(refused)),
        about or {},
    )


def read_plan(value: Any) -> SavedPlan:
    """A saved plan from its JSON. Raises PlanError plan.file for anything else, or what was altered."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise unusable("is no plan of reconciler")
    if value.get("version") != VERSION:
        raise unusable("was written by another version of reconciler")
    try:
        saved = SavedPlan(
            changes={str(c["district"]): SavedChange.from_json(c) for c in value["districts"]},
            policy=str(value["policy"]),
            scope=None if value["scope"] is None else tuple(map(str, value["scope"])),
            previewed=value["previewed"] is True,
            allow_removals=tuple(map(str, value["allow_removals"])),
            refused=tuple(map(str, value["refused"])),
            about=dict(value["about"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise unusable("is not as reconciler writes it") from None
    if value.get("digest") != saved.digest:
        raise unusable("was altered: its digest is not that of its content")
    return saved


def unusable(what: str) -> PlanError:
    """The refusal of a file that is no plan, or no longer one."""
    return PlanError(
        f"the plan file {what}; nothing was done",
        code="plan.file",
        hint="write it anew with `reconciler plan --out FILE`",
    )


def refuse_moved(
    saved: SavedPlan,
    fresh: Plan,
    desired: Mapping[str, Connection],
    observed: Mapping[str, Observed],
    policy: Policy,
    refused: Mapping[str, str],
    only: Collection[str] | None = None,
) -> None:
    """Raise PlanError plan.stale where the plan as made now is not the saved one, with all that moved.

    `fresh` has been made for the same districts; `refused` has the code of each file that cannot be used.
    """
    moved = [] if saved.policy == _digest(asdict(policy)) else ["reconciler.yaml: its policy changed"]
    now = {c.district: c for c in fresh.changes}
    for name in sorted(saved.changes.keys() | now.keys()):
        if only is not None and name not in only:
            continue
        why = _moved(saved, name, now.get(name), desired.get(name), observed.get(name), refused.get(name))
        moved += [f"{name}: {why}"] if why else []
    if moved:
        more = f"; and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
        raise PlanError(
            f"the plan no longer holds, and nothing was done. {'; '.join(moved[:_SHOWN])}{more}",
            hint="look at what moved, and plan again with `reconciler plan --out FILE`; --only ID carries "
            "out the districts that have not moved",
        )


def refuse_moved_one(
    saved: SavedPlan, change: Change, connection: Connection | None, observed: Observed | None
) -> None:
    """The same for one district, asked again under its lease."""
    why = _moved(saved, change.district, change, connection, observed, None)
    if why:
        raise PlanError(
            f"the plan no longer holds for {change.district}: {why}",
            hint="nothing of this district was written; plan again with `reconciler plan --out FILE`",
        )


def _moved(
    saved: SavedPlan, name: str, change: Change | None, connection: Connection | None,
    observed: Observed | None, refused: str | None,
) -> str:  # fmt: skip
    """What of a district is not as it was planned; empty where nothing is."""
    was = saved.changes.get(name)
    if refused and name not in saved.refused:
        return f"its file cannot be used any more ({refused})"
    if was is None:
        return "its file could not be used when it was planned" if name in saved.refused else (
            "it is not in the plan, and would be changed now"
        )  # fmt: skip
    now = _Bound.of(connection, observed)
    file = "its file, or a default that it takes, changed" if connection else "its file is gone"
    differs = {
        file: was.spec != now.spec,
        "its mapper changed": was.mapper != now.mapper,
        "the database moved: another run has worked on it": was.observed != now.observed,
        "other steps are due now than were planned": change is None or change.to_json() != was.change,
    }
    return next((why for why, moved in differs.items() if moved), "")


@dataclass(frozen=True, slots=True)
class _Bound:
    """What a district's part of a plan was made of, as digests."""

    spec: str
    mapper: str
    observed: str

    @classmethod
    def of(cls, connection: Connection | None, observed: Observed | None) -> _Bound:
        spec = _digest(connection.district.to_json()) if connection else ""
        return cls(spec, connection.mapper_digest if connection else "", _observed(observed))


def _bound(
    change: Change, connection: Connection | None, observed: Observed | None, seen: Mapping[str, Any] | None
) -> SavedChange:
    bound = _Bound.of(connection, observed)
    return SavedChange(change.to_json(), bound.spec, bound.mapper, bound.observed, seen)


def _observed(observed: Observed | None) -> str:
    """What a plan follows from; whether a sync is held is left out, for it decides nothing by itself."""
    if observed is None:
        return ""
    return _digest(
        [
            observed.connection.district.to_json(), observed.connection.mapper_digest, str(observed.phase),
            observed.unfinished, observed.retired_at is not None, observed.deactivated,
            observed.host_key_seen, *([str(observed.edit)] if observed.edit else []),
        ]
    )  # fmt: skip


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
