"""A run over many districts: the loop that the whole product is about.

load desired → read observed → build plan → carry out, each district in one thread of a pool → report
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from reconciler.engine.context import Context
from reconciler.engine.district import carry_out, sync_one
from reconciler.engine.report import Outcome, Report, Result
from reconciler.errors import ReconcilerError, UsageError
from reconciler.planning.change import Change
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.run import RunInfo
from reconciler.planning.steps import paused_until

Progress = Callable[[Result], None]


def plan_fleet(
    context: Context,
    desired: Mapping[str, Connection],
    *,
    refused: Collection[str] = (),
    only: Collection[str] | None = None,
) -> Plan:
    """The plan of the fleet as it stands. Raises StoreError."""
    return build_plan(
        desired,
        context.store.observe(),
        now=context.now(),
        retire_after=timedelta(days=context.policy.retire_after_days),
        refused=refused,
        only=only,
        retry=context.allow_removals,
    )


def reconcile(
    context: Context,
    plan: Plan,
    desired: Mapping[str, Connection],
    info: RunInfo,
    *,
    refused: Mapping[str, ReconcilerError] | None = None,
    workers: int = 4,
    progress: Progress = lambda _: None,
) -> Report:
    """Carry a plan out. Districts whose files are refused are reported as failed, and left alone."""
    failed = [Result(d, "update", Outcome.FAILED, error=e) for d, e in sorted((refused or {}).items())]
    if plan.is_empty:
        return Report(failed, plan.unchanged)
    run = context.store.begin_run(info)
    stopping = threading.Event()

    def job(change: Change) -> Callable[[], Result]:
        connection = desired.get(change.district)

        def replan(observed: Observed | None) -> Change | None:
            again = build_plan(
                {change.district: connection} if connection else {},
                {change.district: observed} if observed else {},
                now=context.now(),
                retire_after=timedelta(days=context.policy.retire_after_days),
                retry=context.allow_removals,
            )
            return again.changes[0] if again.changes else None

        return lambda: carry_out(context, change, connection, replan, run, stopping)

    results, interrupted = _pool([job(c) for c in plan.changes], workers, progress, stopping)
    report = Report([*failed, *results], plan.unchanged, interrupted)
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

    Works on what was applied last, never on a file that waits to be reconciled. Raises UsageError for a
    named district that cannot be synced.
    """
    observed = context.store.observe()
    chosen = _syncable(observed, desired, only)
    run = context.store.begin_run(info)
    stopping = threading.Event()
    resting: list[Result] = []
    jobs: list[Callable[[], Result]] = []
    for name in chosen:
        one = observed[name]
        until = paused_until(one.connection.district.sync, context.now())
        if until and only is None:
            note = f"paused until {until.isoformat()}"
            resting.append(Result(name, "sync", Outcome.UNCHANGED, notes=(note,)))
            continue
        jobs.append(lambda one=one: sync_one(context, one.connection, one, run, stopping))  # type: ignore[misc]
    results, interrupted = _pool(jobs, workers, progress, stopping)
    report = Report(sorted([*resting, *results], key=lambda r: r.district), 0, interrupted)
    _end(context, run, report)
    return report


def _syncable(
    observed: Mapping[str, Observed], desired: Mapping[str, Connection], only: Collection[str] | None
) -> list[str]:
    """Connections whose rows are kept in step with their files: started, mapped, and not retired."""

    def ready(one: Observed) -> bool:
        district = one.connection.district
        started = one.retired_at is None and district.sync.state == "started"
        return started and bool(district.schools) and one.phase in ("mapped", "syncing")

    if only is None:
        return sorted(name for name, one in observed.items() if ready(one))
    for name in only:
        if name not in observed:
            what = "is not reconciled yet" if name in desired else "is no district of this fleet"
            raise UsageError(
                f"{name} {what}", code="usage.district", hint="`reconciler plan` shows what waits to be done"
            )
        if not ready(observed[name]):
            raise UsageError(
                f"{name} is not syncing: its phase is {observed[name].phase}",
                code="usage.district",
                hint=f"`reconciler status {name}` shows why; `reconciler reconcile` carries its file out",
            )
    return sorted(set(only))


def _pool(
    jobs: Sequence[Callable[[], Result]], workers: int, progress: Progress, stopping: threading.Event
) -> tuple[list[Result], bool]:
    """Run the jobs, `workers` at a time; results in the order of the jobs.

    A first interrupt lets the districts at work end their step and starts no other; a second one ends the
    process, which is as safe, and ruder: the databases roll back.
    """
    pool = ThreadPoolExecutor(max(1, min(workers, len(jobs) or 1)), thread_name_prefix="district")
    futures = [pool.submit(job) for job in jobs]
    pending: set[Future[Result]] = set(futures)
    interrupted = False
    while pending:
        try:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                if not future.cancelled():
                    progress(future.result())
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            stopping.set()
            pending = {f for f in pending if not f.cancel()}
    pool.shutdown()
    return [f.result() for f in futures if not f.cancelled()], interrupted


def _end(context: Context, run: str, report: Report) -> None:
    context.store.end_run(
        run,
        outcome="interrupted" if report.interrupted else str(report.outcome),
        summary=report.summary(),
        at=context.now(),
    )
