"""The plan: desired against observed, as a value that can be shown, compared and carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.planning.change import Action, Change, FieldChange, Stamp, Step
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.diff import diff
from reconciler.planning.steps import ordered, phase_after, phase_before, steps_for, steps_from, target_phase


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change that is due, sorted by district, and how many districts are as they should be."""

    changes: tuple[Change, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        return not self.changes

    def summary(self) -> dict[str, int]:
        """How many districts each action concerns."""
        totals = {str(action): 0 for action in Action}
        for change in self.changes:
            totals[str(change.action)] += 1
        return {**totals, "unchanged": self.unchanged}

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the plan says."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {"summary": self.summary(), "districts": [c.to_json() for c in self.changes]}


def build_plan(
    desired: Mapping[str, Connection],
    observed: Mapping[str, Observed],
    *,
    now: datetime,
    retire_after: timedelta,
    refused: Collection[str] = (),
    only: Collection[str] | None = None,
    retry: Collection[str] = (),
    approved: Collection[str] = (),
    deleted: Mapping[str, Stamp] | None = None,
) -> Plan:
    """What has to happen for `observed` to become `desired`.

    `refused` are districts whose files are there and wrong: they are neither changed nor retired. `only`
    limits the plan to these districts. `retry` names districts whose held sync is to be tried again,
    `approved` those of which git now approves what is held. `deleted` says of connections that are not there
    when somebody deleted them by hand.
    """
    names = sorted((desired.keys() | observed.keys()) - set(refused))
    if only is not None:
        kept = frozenset(only)
        names = [n for n in names if n in kept]
    released = {n for n, o in observed.items() if n in approved and not o.unfinished}
    again = released | {n for n, o in observed.items() if o.held and n in retry}
    observed = {n: replace(o, unfinished=True) if n in again else o for n, o in observed.items()}
    found = [_change(n, desired.get(n), observed.get(n), now, retire_after) for n in names]
    changes = tuple(due for c in found if c and (due := _approved(c) if c.district in released else c))
    changes = tuple(_said_deleted(c, deleted or {}) for c in changes)
    alive = sum(1 for n in names if n in desired)
    return Plan(changes, alive - sum(1 for c in changes if c.district in desired))


def _said_deleted(change: Change, deleted: Mapping[str, Stamp]) -> Change:
    if change.action is not Action.CREATE or change.district not in deleted:
        return change
    stamp = deleted[change.district]
    return replace(change, reason=f"its row was deleted from the database {stamp.at_text}{stamp.by_text}")


def _approved(change: Change) -> Change | None:
    """Of a district whose hold is approved: nothing is due to that alone where no sync would follow."""
    if change.reason != "unfinished":
        return change
    return replace(change, reason="approved") if Step.SYNC in change.steps else None


def _change(
    district: str,
    desired: Connection | None,
    observed: Observed | None,
    now: datetime,
    retire_after: timedelta,
) -> Change | None:
    if desired is None:
        return _retirement(district, observed, now, retire_after) if observed else None
    if observed is None or observed.retired_at is not None:
        return _whole(district, desired, observed, now)
    return _update(district, desired, observed, now)


def _whole(district: str, desired: Connection, observed: Observed | None, now: datetime) -> Change:
    """A connection that is not there yet, or whose file is back: every step."""
    action, reason = (Action.START, "its file is back") if observed else (Action.CREATE, "")
    fields = _fields(observed, desired)
    steps = ordered(steps_from(Phase.SAVED), desired.district, now)
    return Change(district, action, steps, Phase.SAVED, fields, reason)


def _update(district: str, desired: Connection, observed: Observed, now: datetime) -> Change | None:
    applied, edit = observed.connection, observed.edit
    if edit and edit.distrusted:
        observed = replace(observed, unfinished=True, phase=Phase.SAVED)
    fields = _fields(observed, desired)
    unfinished = observed.unfinished or not observed.phase.reaches(target_phase(applied.district, now))
    if not fields and not unfinished and not edit:
        return None
    steps = steps_for(fields)
    if applied.district.sync.state != desired.district.sync.state:
        steps.add(Step.STOP if desired.district.sync.state == "stopped" else Step.SYNC)
    if unfinished:
        steps.add(Step.SYNC)
    begins = phase_before(steps | ({Step.SYNC} if Step.STOP in steps else set()), observed.phase)
    if unfinished:
        steps |= steps_from(begins)
    kept = ordered(steps, desired.district, now)
    if not phase_after(kept, observed.phase).reaches(target_phase(desired.district, now)):
        kept = ordered(steps | steps_from(observed.phase), desired.district, now)
    reason = str(edit.stamp) if edit else "" if fields else "unfinished"
    return Change(district, _action(desired, fields), kept, begins, fields, reason)


def _fields(observed: Observed | None, desired: Connection) -> tuple[FieldChange, ...]:
    """What differs; of a connection that was altered by hand, from what stands there now."""
    if observed and observed.edit:
        return observed.edit.fields(observed.connection, desired)
    return diff(observed.connection if observed else None, desired)


def _action(after: Connection, fields: tuple[FieldChange, ...]) -> Action:
    """Starting and stopping have names of their own where nothing else changes with them."""
    if [f.path for f in fields] != ["sync.state"] or fields[0].drift:
        return Action.UPDATE
    return Action.STOP if after.district.sync.state == "stopped" else Action.START


def _retirement(district: str, observed: Observed, now: datetime, retire_after: timedelta) -> Change | None:
    """The file is gone: the connection stops at once, its rows become inactive when the time has passed."""
    if observed.deactivated:
        return None
    due = (observed.retired_at or now) + retire_after <= now
    if observed.retired_at is None:
        steps: tuple[Step, ...] = (Step.STOP, Step.DEACTIVATE) if due else (Step.STOP,)
        return Change(district, Action.RETIRE, steps, observed.phase, reason="its file is gone")
    if not due:
        return None
    return Change(district, Action.RETIRE, (Step.DEACTIVATE,), observed.phase, reason="retired long enough")
