"""What carrying a change out would do to a district's rows. Connects, reads and compares; writes nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reconciler.engine.approving import Release
from reconciler.engine.connection_test import iso
from reconciler.engine.context import Context
from reconciler.engine.district import StopRequestedError, internal_error
from reconciler.engine.holds import stored_values
from reconciler.engine.looking import CONNECTING, Looked, look_at
from reconciler.engine.pool import run_jobs
from reconciler.engine.report import Outcome
from reconciler.engine.run import resting_result
from reconciler.engine.schools import SchoolState, absent_notes, school_states, unlisted_notes
from reconciler.engine.seen import Seen
from reconciler.engine.sync import refuse, sync_notes
from reconciler.engine.visit import Visit
from reconciler.errors import HoldError, LockError, ReconcilerError
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.planning.change import Action, Change, Step
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.plan import Plan
from reconciler.roster.delta import Reject, RowCounts, SisSchool
from reconciler.roster.effect import ColumnChange, Effect, SchoolEffect
from reconciler.roster.workspace import workspace


@dataclass(frozen=True, slots=True)
class SchoolPreview:
    """One SIS school: what becomes of it, and of its students."""

    state: SchoolState
    rows: SchoolEffect

    def to_json(self) -> dict[str, Any]:
        rows = asdict(self.rows)
        del rows["sis_id"]
        return {**self.state.to_json(), "rows": rows}


@dataclass(frozen=True, slots=True)
class RejectCount:
    """Rows, or values of rows, of one file that would not be taken, for one reason."""

    entity: str
    file: str
    column: str
    code: str
    severity: str
    rows: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What one district's change would come to. Counts and names of files, columns and schools only."""

    district: str
    seen: Seen | None = None
    """What a plan file binds; None where the look did not come to its end."""
    host_key: str = ""
    """The fingerprint that the server showed."""
    syncs: bool = False
    """Rows would be written; without a mapped school, or while stopped, they are not."""
    unchanged: bool = False
    """The files are those of the stored rows, and none was compared."""
    rows: Mapping[str, RowCounts] = field(default_factory=dict)
    schools: tuple[SchoolPreview, ...] = ()
    columns: tuple[ColumnChange, ...] = ()
    """Columns whose values changed wholesale."""
    rejects: tuple[RejectCount, ...] = ()
    """The most frequent first."""
    notes: tuple[str, ...] = ()
    error: ReconcilerError | None = None
    """What would hold the district, or make it fail; or why there is no preview."""
    release: Release | None = None
    """The approval in git that lets its rows through, where one is needed."""

    @property
    def outcome(self) -> Outcome:
        """How carrying it out would end."""
        if isinstance(self.error, HoldError):
            return Outcome.BLOCKED
        return Outcome.FAILED if self.error else Outcome.SUCCEEDED

    @property
    def unmapped(self) -> list[SchoolState]:
        """The schools of the files that are neither mapped nor ignored."""
        return [s.state for s in self.schools if s.state.state == "unmapped"]

    def to_json(self) -> dict[str, Any]:
        rows = {e: self.rows.get(e, RowCounts()).to_json() for e in ENTITIES}
        held = isinstance(self.error, HoldError)
        return {
            "outcome": str(self.outcome),
            "host_key": self.host_key or None,
            "files": [
                {"name": f.name, "size": f.size, "modified": iso(f.modified), "sha256": f.sha256 or None}
                for f in (self.seen.files if self.seen else ())
            ],
            "syncs": self.syncs,
            "unchanged": self.unchanged,
            "rows": rows,
            "schools": [s.to_json() for s in self.schools],
            "unmapped": {"schools": len(self.unmapped), "students": sum(s.students for s in self.unmapped)},
            "columns": [c.to_json() for c in self.columns],
            "rejects": [asdict(r) for r in self.rejects],
            "holds": [self.error.to_json()] if self.error and held else [],
            "approval": self.release.to_json() if self.release else None,
            "notes": list(self.notes),
            "error": self.error.to_json() if self.error else None,
        }


def preview_changes(
    context: Context,
    changes: Iterable[Change],
    desired: Mapping[str, Connection],
    observed: Mapping[str, Observed],
    *,
    workers: int = 4,
    progress: Callable[[Preview], None] = lambda _: None,
) -> tuple[dict[str, Preview], bool]:
    """A preview of each change that asks a server or removes rows, and whether it was interrupted.

    `observed` is what the changes were planned from. One district's trouble is its own.
    """
    stopping = threading.Event()

    def job(change: Change) -> Callable[[], Preview]:
        before = observed.get(change.district)
        wanted = desired.get(change.district) or (before.connection if before else None)
        return lambda: preview_one(context, change, wanted, before, stopping)

    due = [c for c in changes if previewed(c.steps)]
    results, interrupted = run_jobs([job(c) for c in due], workers, progress, stopping)
    return {p.district: p for p in results}, interrupted


def previewed(steps: Collection[Step]) -> bool:
    """Whether there is something to preview of a change with these steps."""
    return not (CONNECTING | {Step.DEACTIVATE}).isdisjoint(steps)


def next_syncs(
    context: Context, names: Collection[str], plan: Plan, observed: Mapping[str, Observed]
) -> list[Change]:
    """The recurring sync of each of these districts that the plan leaves as it is, but of those at rest."""
    planned = {c.district for c in plan.changes}
    alike = ((n, observed[n]) for n in sorted(names) if n in observed and n not in planned)
    return [
        Change(name, Action.UPDATE, (Step.SYNC,), one.phase, reason="sync")
        for name, one in alike
        if resting_result(one, context) is None
    ]


def preview_one(
    context: Context, change: Change, connection: Connection | None, observed: Observed | None,
    stopping: threading.Event,
) -> Preview:  # fmt: skip
    """The preview of one change. Never raises but for KeyboardInterrupt."""
    try:
        if stopping.is_set() or connection is None:
            raise StopRequestedError("the preview was interrupted", hint="run it again")
        if Step.DEACTIVATE in change.steps:
            return _of_deactivation(context, change.district)
        with workspace(context.scratch) as folder:
            return _of_visit(context, change, connection, observed, folder)
    except ReconcilerError as known:
        return Preview(change.district, error=known)
    except Exception as fault:  # a fault of ours must not end the preview of the fleet
        return Preview(change.district, error=internal_error(fault))


def _of_visit(
    context: Context, change: Change, connection: Connection, observed: Observed | None, folder: Path
) -> Preview:
    visit = Visit.of(context, connection, observed, folder)
    before = context.store.sis_schools(change.district)
    try:
        host_key = visit.session().fingerprint
        looked = look_at(context, connection, visit, change.steps, before)
        made = _made(context, change, connection, visit, looked)
        _refuse_moved(context, visit, observed)
    finally:
        visit.close()
    return Preview(change.district, looked.seen, host_key, **made)


def _made(
    context: Context, change: Change, connection: Connection, visit: Visit, looked: Looked
) -> dict[str, Any]:
    """The parts of the preview that come of the files."""
    found = looked.found
    compared = found.roster if found else None
    effect = compared.effect(stored_values(context, connection)) if compared else Effect()
    notes = _notes(change, connection, looked)
    error: ReconcilerError | None = None
    if found:
        notes += sync_notes(connection, visit, found)
        try:
            notes += refuse(context, connection, visit, found)
        except ReconcilerError as known:
            error = known
    return {
        "syncs": found is not None,
        "unchanged": found is not None and found.roster is None,
        "rows": found.counts if found else {},
        "schools": _schools(connection, looked.schools, effect),
        "columns": effect.columns,
        "rejects": _rejects(compared.rejects()) if compared else (),
        "notes": tuple(dict.fromkeys(notes)),
        "error": error,
        "release": visit.release,
    }


def _notes(change: Change, connection: Connection, looked: Looked) -> list[str]:
    """What initialization and school mapping would note. Unmapped schools are shown by themselves."""
    notes: list[str] = []
    if looked.roster and Step.INITIALIZE in change.steps:
        notes += unlisted_notes(looked.roster.unlisted_schools(), looked.schools)
    if Step.MAP_SCHOOLS in change.steps:
        notes += absent_notes(connection.district, looked.schools)
    return notes


def _schools(
    connection: Connection, learned: Sequence[SisSchool], effect: Effect
) -> tuple[SchoolPreview, ...]:
    """Every school of the files, the mapping and the stored students, by id; none while none is known."""
    if not learned:
        return ()
    rows = {s.sis_id: s for s in effect.schools}
    states = {s.sis_id: s for s in school_states(connection.district, learned)}
    gone = {i: SchoolState(i, "", 0, "absent") for i in rows.keys() - states.keys()}
    return tuple(
        SchoolPreview(state, rows.get(sis_id, SchoolEffect(sis_id)))
        for sis_id, state in sorted({**states, **gone}.items())
    )


def _rejects(rejects: Iterable[Reject]) -> tuple[RejectCount, ...]:
    counted = Counter((r.entity, r.file, r.column, r.code, r.severity) for r in rejects)
    return tuple(RejectCount(*kind, rows=n) for kind, n in counted.most_common())


def _refuse_moved(context: Context, visit: Visit, observed: Observed | None) -> None:
    """Raise LockError where another run has written meanwhile: what was compared is of two states then."""
    again = context.store.observe_one(visit.district)
    known = not (again and again.deactivated)
    if again != observed or (known and context.store.snapshot(visit.district) != visit.previous):
        raise LockError(
            f"another run changed {visit.district} while it was previewed",
            hint="run the plan again once it has ended",
            retryable=True,
        )


def _of_deactivation(context: Context, district: str) -> Preview:
    """The active rows of a retired connection, all of which become inactive; no server is asked."""
    counts = {
        entity: RowCounts(removed=sum(bool(row[-1]) for row in _keys(context, district, entity)))
        for entity in STORED
    }
    schools = Counter(
        str(school) for school, active in context.store.stored_columns(district, "students", ("sis_school",))
        if active
    )  # fmt: skip
    listed = tuple(
        SchoolPreview(SchoolState(i, "", 0, "absent"), SchoolEffect(i, removed=n))
        for i, n in sorted(schools.items())
    )
    return Preview(district, rows=counts, schools=listed, syncs=True)


def _keys(context: Context, district: str, entity: str) -> Iterable[tuple[Any, ...]]:
    return context.store.stored_columns(district, entity, ENTITIES[entity].key[:1])
