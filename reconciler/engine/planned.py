"""What is to be done, before anything is: the plan, and the report where there is nothing to do."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import timedelta

from reconciler.engine.approving import approved, held_digests
from reconciler.engine.context import Context
from reconciler.engine.ports import Glance
from reconciler.engine.report import Outcome, Report, Result
from reconciler.errors import ReconcilerError
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.quick import Desired, quick_plan

log = logging.getLogger("reconciler.engine")


def plan_fleet(
    context: Context,
    desired: Mapping[str, Connection],
    *,
    refused: Collection[str] = (),
    only: Collection[str] | None = None,
    glance: Glance | None = None,
) -> Plan:
    """The plan of the fleet as it stands. Raises StoreError.

    With a `glance` at what is on record, districts that are seen to be as they should be are not looked at.
    """
    now, retire_after = context.now(), timedelta(days=context.policy.retire_after_days)
    if glance is None or not isinstance(desired, Desired):
        seen = context.store.observe()
        return build_plan(
            desired, seen, now=now, retire_after=retire_after, refused=refused, only=only,
            retry=context.allow_removals, approved=approved(context.approvals, now, held_digests(seen)),
            deleted=context.store.deleted(),
        )  # fmt: skip

    def observe(names: Collection[str]) -> Mapping[str, Observed]:
        found = glance.observe(names)
        return context.store.observe(names) if found is None else found

    held = {name: mark.hold_digest for name, mark in glance.connections.items() if mark.hold_digest}
    return quick_plan(
        desired, glance.connections, observe, now=now, retire_after=retire_after, refused=refused, only=only,
        retry=context.allow_removals, approved=approved(context.approvals, now, held),
        deleted=glance.deleted,
    )  # fmt: skip


def report_of_nothing(plan: Plan, refused: Mapping[str, ReconcilerError] | None = None) -> Report:
    """The report of a plan without a change: what is refused, and how many districts stay as they are."""
    return Report(failures(refused), plan.unchanged)


def failures(refused: Mapping[str, ReconcilerError] | None) -> list[Result]:
    """Districts whose files are refused, each as a result."""
    return [Result(d, "update", Outcome.FAILED, error=e) for d, e in sorted((refused or {}).items())]


def recognize(context: Context, desired: Mapping[str, Connection], plan: Plan, glance: Glance | None) -> None:
    """Put the fingerprints on record of files that say what was applied, in other bytes or to a new program.

    They are known at a glance from then on. Nothing depends on it: a database that refuses is left alone.
    """
    if glance is None or not isinstance(desired, Desired):
        return
    marks = glance.connections
    changed = {change.district for change in plan.changes}
    anew = {
        name: desired[name]
        for name in desired
        if name in marks
        and name not in changed
        and desired.sign(name)[0] not in ("", marks[name].fingerprint)
    }
    if not anew:
        return
    try:
        context.store.recognize(anew)
    except ReconcilerError as error:
        log.info("%d fingerprints could not be kept (%s)", len(anew), error.code)
