"""One district of a run, from its lease to its result. Its trouble stays its own."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.engine.context import Context
from reconciler.engine.looking import held_to
from reconciler.engine.ports import Lease
from reconciler.engine.report import Outcome, Result, StepResult
from reconciler.engine.steps import STEPS, Work
from reconciler.engine.sync import Findings
from reconciler.engine.visit import Visit
from reconciler.errors import HoldError, LockError, ReconcilerError
from reconciler.planning.change import Action, Change, Step
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.hand_edit import HandEdit
from reconciler.planning.steps import target_phase
from reconciler.roster.workspace import workspace

log = logging.getLogger("reconciler.engine")

HEARTBEAT_SECONDS = 10.0


class InternalError(ReconcilerError):
    """A fault of our own; its text is not shown, for it may hold data."""

    code = "internal"


class StopRequestedError(ReconcilerError):
    """The run was asked to end; the district was left at the end of a step."""

    code = "interrupted"


def carry_out(
    context: Context,
    change: Change,
    desired: Connection | None,
    replan: Callable[[Observed | None], Change | None],
    run: str,
    stopping: threading.Event,
) -> Result:
    """Carry one change out and record how it ended. Never raises but for KeyboardInterrupt.

    Under the lease the district is planned again: another run may have done it since, and then nothing is
    left to do.
    """

    def work(lease: Lease) -> Result:
        observed = context.store.observe_one(change.district)
        due = replan(observed)
        connection = desired or (observed.connection if observed else None)
        if due is None or connection is None:
            return Result(change.district, change.action, Outcome.UNCHANGED)
        return _recorded(context, run, due, _steps(context, lease, due, connection, observed, run, stopping))

    return _leased(context, change, str(change.action), run, work)


def sync_one(
    context: Context, connection: Connection, observed: Observed, run: str, stopping: threading.Event
) -> Result:
    """A recurring sync of a started connection: like `carry_out`, with nothing to save before it."""
    change = Change(connection.district.id, Action.UPDATE, (Step.SYNC,), observed.phase, reason="sync")

    def work(lease: Lease) -> Result:
        now = context.store.observe_one(change.district)
        if now and now.edit:
            return _recorded(context, run, change, _edited(context, lease, now.edit, run))
        result = _steps(context, lease, change, connection, observed, run, stopping, recurring=True)
        return _recorded(context, run, change, result)

    return _leased(context, change, "sync", run, work)


def _edited(context: Context, lease: Lease, edit: HandEdit, run: str) -> Result:
    """No sync works on a connection that is not as the program has put it on record."""
    error = HoldError(
        f"the connection was {edit.stamp}; nothing was read",
        code="sync.edited",
        hint=f"`reconciler plan --only {lease.district}` shows what was altered, `reconcile` puts it right",
    )
    context.store.finish(
        lease, outcome=str(Outcome.BLOCKED), problem=error.to_json(), unfinished=None, synced=False, run=run,
        at=context.now(),
    )  # fmt: skip
    return Result(lease.district, "sync", Outcome.BLOCKED, error=error)


def _leased(
    context: Context, change: Change, action: str, run: str, work: Callable[[Lease], Result]
) -> Result:
    """Do the work under the district's lease; whatever goes wrong on the way is the district's result."""
    lease: Lease | None = None
    try:
        lease = context.store.acquire(change.district, wait_seconds=context.lock_wait_seconds)
        with _heartbeat(context, lease):
            return work(lease)
    except ReconcilerError as known:
        error = known
    except Exception as fault:  # a full disk, or a fault of ours, must not stop the fleet
        error = internal_error(fault)
    finally:
        if lease:
            _release(context, lease)
    return _recorded(context, run, change, Result(change.district, action, Outcome.FAILED, error=error))


def _steps(
    context: Context, lease: Lease, change: Change, connection: Connection, observed: Observed | None,
    run: str, stopping: threading.Event, *, recurring: bool = False,
) -> Result:  # fmt: skip
    """Save, take each step until one fails, and settle what is left of it."""
    taken: list[StepResult] = []
    error: ReconcilerError | None = None
    with workspace(context.scratch) as folder:
        work = _work(context, lease, connection, observed, folder, run)
        try:
            if change.district in context.planned:
                work.found = _held_to_plan(work, change)
            if not recurring:
                _save(context, lease, change, connection)
            work.visit.write_under(lease)
            for step in change.steps:
                error = _take(step, work, taken, stopping) if error is None else error
            if error is None and not recurring and change.action is not Action.RETIRE:
                context.store.advance(lease, _reached(change, connection, context))
        finally:
            work.visit.close()
    outcome = _outcome(error, work, recurring=recurring)
    skipped = tuple(StepResult(s, Outcome.SKIPPED) for s in change.steps[len(taken) :])
    _finish(work, change, outcome, error, recurring=recurring)
    action = "sync" if recurring else str(change.action)
    return Result(
        change.district,
        action,
        outcome,
        (*taken, *skipped),
        work.rows,
        error,
        tuple(dict.fromkeys((*work.visit.notes, *work.notes))),
    )


def _reached(change: Change, connection: Connection, context: Context) -> Phase:
    """Where a connection is when every step is taken: a pause sends nobody back who was syncing before."""
    target = target_phase(connection.district, context.now())
    return change.begins if change.begins.reaches(target) else target


def _work(
    context: Context, lease: Lease, connection: Connection, observed: Observed | None, folder: Path, run: str
) -> Work:
    visit = Visit.of(context, connection, observed, folder)
    schools = context.store.sis_schools(connection.district.id)
    return Work(context, lease, connection, observed, visit, run, schools)


def _held_to_plan(work: Work, change: Change) -> Findings | None:
    """What its sync would write, where files and rows are those of the saved plan. Raises PlanError."""
    planned = work.context.planned[change.district]
    return held_to(work.context, work.connection, work.visit, change.steps, work.schools_before, planned)


def _save(context: Context, lease: Lease, change: Change, connection: Connection) -> None:
    if change.action is not Action.RETIRE:
        context.store.save(lease, connection, change.begins)
    elif Step.STOP in change.steps:
        context.store.retire(lease, context.now())


def _take(
    step: Step, work: Work, taken: list[StepResult], stopping: threading.Event
) -> ReconcilerError | None:
    """Take one step; returns the error that ended it."""
    if stopping.is_set():
        return StopRequestedError("the run was interrupted", hint="run it again: it goes on from here")
    started = time.monotonic()
    error: ReconcilerError | None = None
    try:
        STEPS[step](work)
    except ReconcilerError as known:
        error = known
    except Exception as fault:  # a fault of ours must not stop the fleet
        error = internal_error(fault)
    outcome = _step_outcome(error)
    release = work.visit.release if step is Step.SYNC and error is None else None
    taken.append(StepResult(step, outcome, time.monotonic() - started, release))
    log.info("%s %s %s", work.lease.district, step, outcome)
    return error


def internal_error(fault: Exception) -> InternalError:
    """A fault as an error that says where, and nothing of what: messages of libraries may quote rows."""
    if isinstance(fault, OSError) and fault.strerror:
        return InternalError(
            f"this machine refused: {fault.strerror}",
            code="local.refused",
            hint="check the space and the rights of the folder for temporary files; nothing was written",
        )
    frames = traceback.extract_tb(fault.__traceback__)
    place = next((f for f in reversed(frames) if "reconciler" in f.filename), frames[-1])
    where = f"{Path(place.filename).name}:{place.lineno}"
    log.debug("internal: %s at %s", type(fault).__name__, [(f.filename, f.lineno) for f in frames])
    return InternalError(
        f"a fault in reconciler ({type(fault).__name__} at {where})",
        hint="nothing of this step was written; please report it with the version and this line",
    )


def _step_outcome(error: ReconcilerError | None) -> Outcome:
    if error is None:
        return Outcome.SUCCEEDED
    return Outcome.BLOCKED if isinstance(error, HoldError) else Outcome.FAILED


def _outcome(error: ReconcilerError | None, work: Work, *, recurring: bool) -> Outcome:
    if error is None and recurring and work.synced and not work.rows:
        return Outcome.UNCHANGED
    return _step_outcome(error)


def _finish(
    work: Work, change: Change, outcome: Outcome, error: ReconcilerError | None, *, recurring: bool
) -> None:
    """Write down how it ended; a run that lost its lease has no say any more."""
    if isinstance(error, LockError):
        return
    work.context.store.finish(
        work.lease,
        outcome=str(outcome),
        problem=error.to_json() if error else None,
        unfinished=None if recurring else error is not None and change.action is not Action.RETIRE,
        synced=work.sync_began,
        run=work.run,
        at=work.context.now(),
    )


def _recorded(context: Context, run: str, change: Change, result: Result) -> Result:
    """Append the result to history. An error in doing so is the result's, where it has none of its own."""
    try:
        context.store.record(
            run,
            result.district,
            action=str(result.action),
            outcome=str(result.outcome),
            steps=[s.to_json() for s in result.steps],
            changes=[f.to_json() for f in change.fields],
            rows={e: c.to_json() for e, c in result.rows.items()},
            error=result.error.to_json() if result.error else None,
            at=context.now(),
        )
    except ReconcilerError as error:
        if result.error is None:
            return Result(
                result.district, result.action, Outcome.FAILED, result.steps, result.rows, error, result.notes
            )
    return result


def _release(context: Context, lease: Lease) -> None:
    try:
        context.store.release(lease)
    except ReconcilerError as error:
        log.warning(
            "%s: the lease could not be given back (%s); it expires by itself", lease.district, error.code
        )


@contextmanager
def _heartbeat(context: Context, lease: Lease) -> Iterator[None]:
    """Keep the lease alive while a step takes long. A lost lease shows at the next write."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            try:
                context.store.renew(lease)
            except LockError:
                return
            except ReconcilerError as error:
                log.warning("%s: the lease could not be renewed (%s)", lease.district, error.code)

    thread = threading.Thread(target=beat, name=f"lease-{lease.district}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
