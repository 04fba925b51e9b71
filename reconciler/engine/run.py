"""A run over many districts: the loop that the whole product is about.

load desired → read observed → build plan → carry out, each district in one thread of a pool → report
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from reconciler.engine.approving import approved, held_digests
from reconciler.engine.context import Context
from reconciler.engine.district import carry_out, sync_one
from reconciler.engine.planned import failures, plan_fleet, report_of_nothing
from reconciler.engine.pool import run_jobs
from reconciler.engine.report import Outcome, Report, Result
from reconciler.errors import ReconcilerError, StoreError, UsageError
from reconciler.planning.change import Change
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.run import RunInfo
from reconciler.planning.saved_plan import SavedPlan, refuse_moved_one
from reconciler.planning.steps import paused_until

__all__ = ["Progress", "plan_fleet", "reconcile", "sync"]

Progress = Callable[[Result], None]

log = logging.getLogger("reconciler.engine")


def reconcile(
    context: Context,
    plan: Plan,
    desired: Mapping[str, Connection],
    info: RunInfo,
    *,
    refused: Mapping[str, ReconcilerError] | None = None,
    saved: SavedPlan | None = None,
    workers: int = 4,
    progress: Progress = lambda _: None,
    guard: Callable[[], None] = lambda: None,
) -> Report:
    """Carry a plan out. Districts whose files are refused are reported as failed, and left alone.

    `guard` is asked under each district's lease; a ReconcilerError that it raises is the district's result.
    With `saved`, each district is held to it again under its lease: one that has moved since is refused.
    """
    if plan.is_empty:
        return report_of_nothing(plan, refused)
    last = context.store.unreachable()
    run = context.store.begin_run(replace(info, plan_digest=info.plan_digest or plan.digest))
    stopping = threading.Event()

    def job(change: Change) -> Callable[[], Result]:
        connection = desired.get(change.district)

        def replan(observed: Observed | None) -> Change | None:
            guard()
            seen, now = {change.district: observed} if observed else {}, context.now()
            again = build_plan(
                {change.district: connection} if connection else {},
                seen,
                now=now,
                retire_after=timedelta(days=context.policy.retire_after_days),
                retry=context.allow_removals,
                approved=approved(context.approvals, now, held_digests(seen)),
                deleted={} if observed else context.store.deleted((change.district,)),
            )
            if saved and again.changes:
                refuse_moved_one(saved, again.changes[0], connection, observed)
            return again.changes[0] if again.changes else None

        return lambda: carry_out(context, change, connection, replan, run, stopping)

    jobs = {change.district: job(change) for change in plan.changes}
    results, interrupted = run_jobs(_in_turn(jobs, last), workers, progress, stopping)
    report = Report([*failures(refused), *_by_district(results)], plan.unchanged, interrupted)
    _end(context, run, report)
    return report


def sync(
    context: Context,
    desired: Mapping[str, Connection],
    info: RunInfo,
    *,
    only: Collection[str] | None = None,
    workers: int = 4,
    progress: Progress = lambda _: None,
) -> Report:
    """A recurring sync of every started connection, or of those named.

    Works on what was applied last, never on a file that waits to be reconciled. A named district that is
    stopped, paused or not mapped yet is reported as it is, and left alone. Raises UsageError for a name
    that the database does not have.
    """
    observed = context.store.observe()
    for name in only or ():
        if name not in observed:
            what = "is not reconciled yet" if name in desired else "is no district of this fleet"
            raise UsageError(
                f"{name} {what}", code="usage.district", hint="`reconciler plan` shows what waits to be done"
            )
    last = context.store.unreachable()
    run = context.store.begin_run(info)
    stopping = threading.Event()
    resting: list[Result] = []
    jobs: dict[str, Callable[[], Result]] = {}
    for name in sorted(observed if only is None else set(only)):
        one = observed[name]
        at_rest = resting_result(one, context)
        if at_rest is None:
            jobs[name] = partial(sync_one, context, one.connection, one, run, stopping)
        elif only is not None or at_rest.notes[0].startswith("paused"):
            resting.append(at_rest)
    results, interrupted = run_jobs(_in_turn(jobs, last), workers, progress, stopping)
    report = Report(_by_district([*resting, *results]), 0, interrupted)
    _end(context, run, report)
    return report


def resting_result(one: Observed, context: Context) -> Result | None:
    """Why a connection is not synced now; None for one that is started and mapped, and in no pause."""
    district = one.connection.district
    until = paused_until(district.sync, context.now())
    if one.retired_at is not None or district.sync.state == "stopped":
        note = "stopped: its rows stay as they are"
    elif until:
        note = f"paused until {until.isoformat()}"
    elif not district.schools or not one.phase.reaches(Phase.MAPPED):
        note = f"not syncing yet: its phase is {one.phase}; `reconciler plan --only {district.id}` says more"
    else:
        return None
    return Result(district.id, "sync", Outcome.UNCHANGED, notes=(note,))


def _in_turn(jobs: Mapping[str, Callable[[], Result]], last: Collection[str]) -> list[Callable[[], Result]]:
    """The jobs by district, those at the end whose server was the trouble last time: nobody waits for it."""
    return [jobs[name] for name in sorted(jobs, key=lambda name: (name in last, name))]


def _by_district(results: Iterable[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.district)


def _end(context: Context, run: str, report: Report) -> None:
    """Record the end. Where the database has gone away, districts say so: their report is not to be lost."""
    try:
        context.store.end_run(
            run,
            outcome="interrupted" if report.interrupted else str(report.outcome),
            summary=report.summary(),
            at=context.now(),
        )
    except StoreError as error:
        if report.outcome is not Outcome.FAILED:
            raise
        log.warning("the end of this run is not in its history (%s)", error.code)
