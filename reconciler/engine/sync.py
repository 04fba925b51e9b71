"""The sync of one district: its files become its rows, in one transaction, or nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.engine.context import Context
from reconciler.engine.holds import refuse_over_limits
from reconciler.engine.ports import Lease
from reconciler.engine.schools import absent_notes, unlisted_notes
from reconciler.engine.visit import Visit
from reconciler.errors import RosterError
from reconciler.mapping.entities import STORED
from reconciler.planning.connection import Connection
from reconciler.roster.delta import RowCounts, SisSchool, Snapshot
from reconciler.roster.roster import Roster


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync found. `unchanged`: the files are those of the stored rows, and none was read."""

    rows: Mapping[str, RowCounts]
    notes: tuple[str, ...] = ()
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What a sync would write, before its limits are looked at: nothing of it is written yet."""

    snapshot: Snapshot | None = None
    """What would be kept of these files; None where they are listed as those of the stored rows."""
    roster: Roster | None = None
    """The files, compared with the stored rows; None where these are known to be the same."""
    counts: Mapping[str, RowCounts] = field(default_factory=dict)


def sync_district(
    context: Context, lease: Lease, connection: Connection, visit: Visit, run: str,
    schools_before: Sequence[SisSchool], found: Findings | None = None,
) -> SyncResult:  # fmt: skip
    """Bring the stored rows of one district to what its files say.

    `found` is what was found already, on the same visit. Raises SftpError, MapperError and RosterError where
    the files cannot be taken, HoldError where a limit holds them, LockError where another run took over; in
    all cases nothing was written.
    """
    found = found or look(context, connection, visit, schools_before)
    notes = sync_notes(connection, visit, found)
    notes += refuse(context, connection, visit, found)
    _write(context, lease, found, run)
    return SyncResult(found.counts, tuple(notes), unchanged=found.roster is None)


def look(
    context: Context, connection: Connection, visit: Visit, schools_before: Sequence[SisSchool]
) -> Findings:
    """Read the district's files and compare them with the stored rows. Raises as `sync_district`."""
    visit.refuse_unsettled(context.now())
    visit.refuse_moving()
    if _same_listing(visit):
        return Findings()
    visit.contents()
    if _same_bytes(visit) or _says_nothing(visit):
        return Findings(_snapshot(visit, None))
    roster = visit.roster()
    _refuse_unreadable(context, visit, roster)
    district = connection.district
    counts = roster.resolve(
        {s.sis_id: s.school for s in district.schools},
        stored=lambda entity: context.store.stored_csv(district.id, entity),
        known_schools=schools_before,
        known_files=() if visit.waived else visit.previous.columns,
    )
    return Findings(_snapshot(visit, roster), roster, counts)


def refuse(context: Context, connection: Connection, visit: Visit, found: Findings) -> list[str]:
    """Raise RosterError or HoldError where what was found must not be written.

    A preview and a sync both come through here. Returns what is worth a note although it holds nothing.
    """
    roster, counts = found.roster, found.counts
    if roster is None or found.snapshot is None:
        return []
    if not visit.waived:
        _refuse_empty(roster, counts)
        _refuse_emptied(visit, roster)
        _refuse_cut(visit.previous, roster, counts)
    _refuse_rejects(context, visit, roster, counts)
    if visit.waived:
        return []
    return refuse_over_limits(context, connection, visit, roster, found.snapshot, counts)


def sync_notes(connection: Connection, visit: Visit, found: Findings) -> list[str]:
    """What a person should know of files that were read, whether they are taken or not."""
    if found.roster is None:
        return []
    return [*visit.contents().notices, *_notes(connection, found.roster, found.counts)]


def _same_listing(visit: Visit) -> bool:
    """Nothing to download: the same files by name, size and time, none so young that it may yet change."""
    previous = visit.previous
    return (
        previous.settled
        and previous.spec_digest == visit.spec_digest
        and list(previous.files) == visit.files()
    )


def _same_bytes(visit: Visit) -> bool:
    """The files of the stored rows, uploaded again. Where another package came between, it is to be told."""
    previous = visit.previous
    same = previous.spec_digest == visit.spec_digest and dict(previous.sha256) == visit.sha256
    return same and not previous.pending


def _says_nothing(visit: Visit) -> bool:
    """A package whose manifest says of every file that it is absent: no update."""
    package = visit.package()
    silent = package is not None and package.manifest.says_nothing
    return silent and visit.previous.spec_digest == visit.spec_digest


def _write(context: Context, lease: Lease, found: Findings, run: str) -> None:
    """One transaction: rows, rejects, schools and the snapshot that they come from."""
    roster = found.roster
    if found.snapshot is None:
        return
    context.store.write_sync(
        lease,
        [d for d in roster.deltas() if not d.is_empty] if roster else [],
        rejects=roster.rejects() if roster else None,
        schools=roster.schools() if roster else None,
        kept=roster.kept_files() if roster else None,
        snapshot=found.snapshot,
        run=run,
        at=context.now(),
    )


def _snapshot(visit: Visit, roster: Roster | None) -> Snapshot:
    """Which files these are; with no roster they have the bytes of the previous ones."""
    previous = visit.previous
    shape = roster.shape() if roster else previous
    return Snapshot(
        files=tuple(visit.files()),
        sha256=dict(visit.sha256),
        columns={**previous.columns, **roster.columns} if roster else previous.columns,
        newline=_newlines(visit, roster),
        trailers=roster.trailers() if roster else previous.trailers,
        formats={**previous.formats, **shape.formats},
        rows={**previous.rows, **shape.rows},
        order={**previous.order, **shape.order},
        spec_digest=visit.spec_digest,
        unpacked=visit.contents().unpacked if roster else previous.unpacked,
        pending=visit.pending_after(),
        settled=visit.settled,
    )


def _newlines(visit: Visit, roster: Roster | None) -> Mapping[str, bool]:
    """How each file ended. A package need not have all of its files: what is known of the others stays."""
    before = visit.previous.newline if roster is None or visit.package() else {}
    return {**before, **(roster.final_newlines() if roster else {})}


def _refuse_unreadable(context: Context, visit: Visit, roster: Roster) -> None:
    limit = context.policy.max_reject_percent
    for file, broken, rows in roster.broken_share():
        if 100 * broken > limit * rows:
            raise RosterError(
                f"{broken} of {rows} rows of {file} cannot be read ({100 * broken / rows:.1f} %; "
                f"policy.max_reject_percent is {limit:g})",
                code="csv.rows",
                hint=visit.keep_rejects(roster.broken_rejects()),
            )


def _refuse_empty(roster: Roster, counts: Mapping[str, RowCounts]) -> None:
    """A file that has a header and nothing else removes nobody; nor does one of which no row is read."""
    active = roster.active()
    for entity in STORED:
        empty = roster.empty_files(entity)
        if empty and (active[entity] or entity == "students"):
            raise RosterError(
                f"{empty[0]} has a header and no rows; {active[entity]} {entity} are stored",
                code="csv.empty",
                hint="ask the district whether its export failed; nobody was removed",
            )
    if active["students"] and not counts["students"].read:
        raise RosterError(
            f"under the mapper's conditions no row is a student; {active['students']} are stored",
            code="csv.empty",
            hint="compare the mapper's `where` with the values in the files; nobody was removed",
        )


def _refuse_emptied(visit: Visit, roster: Roster) -> None:
    """A file without rows that had some at the last sync would empty the fields that it fills."""
    before = {f.name: f.size for f in (*visit.previous.files, *visit.previous.unpacked)}
    now = {f.name: f.size for f in (*visit.files(), *visit.contents().unpacked)}
    for name in roster.empty_joined_files():
        if before.get(name, 0) > now.get(name, 0):
            raise RosterError(
                f"{name} has a header and no rows; it had some at the last sync and fills fields of others",
                code="csv.empty",
                hint="ask the district whether its export failed; no field was emptied",
            )


def _refuse_cut(previous: Snapshot, roster: Roster, counts: Mapping[str, RowCounts]) -> None:
    missing = any(c.removed for c in counts.values())
    for name, ends in roster.final_newlines().items():
        lost = ""
        if previous.newline.get(name) and not ends and (missing or name in roster.delta_files):
            lost = "a line break"
        if missing and name in previous.trailers and name not in roster.trailers():
            lost = "the line that says its end, and counts the rows that are there,"
        if lost:
            raise RosterError(
                f"{name} no longer ends with {lost} and {'rows are missing' if missing else 'is a delta'}: "
                f"its upload was cut",
                code="csv.truncated",
                hint="nothing was changed; ask the district to upload it again, or use --allow-removals",
            )


def _refuse_rejects(context: Context, visit: Visit, roster: Roster, counts: Mapping[str, RowCounts]) -> None:
    limit = context.policy.max_reject_percent
    for entity, c in counts.items():
        broken = roster.broken_of(entity)
        rejected, read = c.rejected - broken, c.read - broken
        if 100 * rejected > limit * read:
            raise RosterError(
                f"{rejected} of {read} {entity} rows are rejected ({100 * rejected / read:.1f} %; "
                f"policy.max_reject_percent is {limit:g})",
                code="csv.rows",
                hint=visit.keep_rejects(roster.rejects()),
            )


def _notes(connection: Connection, roster: Roster, counts: Mapping[str, RowCounts]) -> list[str]:
    notes = list(roster.notices)
    for entity, reason in roster.blocked().items():
        notes.append(f"no {entity} were removed: {reason}")
    if counts["students"].read and counts["students"].skipped == counts["students"].read:
        notes.append("every student is at an unmapped or ignored school")
    schools = roster.schools()
    notes += absent_notes(connection.district, schools)
    return notes + unlisted_notes(roster.unlisted_schools(), schools)
