"""The limits that hold a sync: found before anything is written, with why they were broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.config.approval import BrokenLimit
from reconciler.engine.approving import Verdict, broken_limits, judge
from reconciler.engine.context import Context
from reconciler.engine.ports import ConnectionStore
from reconciler.engine.visit import Visit
from reconciler.errors import HoldError, RosterError
from reconciler.planning.connection import Connection
from reconciler.planning.contact_safety import ContactBreach, contact_breaches, shared_phones
from reconciler.planning.limits import GUARDED, Breach, breaches
from reconciler.roster.causes import Cause, Surroundings
from reconciler.roster.delta import RowCounts, Snapshot
from reconciler.roster.judging.contact_changes import StoredValues
from reconciler.roster.roster import Roster

SAME_FILES = Cause(
    "own-configuration",
    "the files are those of the last sync, so it is the district's own file, or its mapper",
)


def refuse_over_limits(
    context: Context, connection: Connection, visit: Visit, roster: Roster, now: Snapshot,
    counts: Mapping[str, RowCounts],
) -> list[str]:  # fmt: skip
    """Raise HoldError sync.removals, sync.changes or sync.contacts where a sync would break a limit.

    `now` is what would be kept of these files. Returns what is worth a note although it holds nothing.
    """
    sync, limits = connection.district.sync, context.policy.contact_safety
    found = breaches(
        {e: counts[e] for e in GUARDED},
        roster.active(),
        max_removal_percent=sync.max_removal_percent,
        max_change_percent=sync.max_change_percent,
    )
    changes = roster.contact_changes(stored_values(context, connection), limits.max_students_per_phone)
    unsafe = contact_breaches(changes, limits)
    notes = list(map(str, shared_phones(changes, limits)))
    if not found and not unsafe:
        return notes
    broken = broken_limits(found, unsafe)
    verdict = _judge(context, connection, roster, broken)
    if verdict.release:
        visit.release = verdict.release
        return [str(verdict.release), *notes]
    held = _Held(connection, verdict, broken)
    if not found:
        raise _hold_for_contacts(held, unsafe)
    cause = _cause(context.store, connection, visit, roster, now, found[0])
    raise _hold_for_limits(held, found, cause, unsafe)


@dataclass(frozen=True, slots=True)
class _Held:
    """What a hold says beside its words."""

    connection: Connection
    verdict: Verdict
    broken: Sequence[BrokenLimit]

    @property
    def refused(self) -> str:
        """Why an approval that is there does not let it through, to follow the message."""
        return f". Not approved: {self.verdict.refused}" if self.verdict.refused else ""

    @property
    def facts(self) -> dict[str, Any]:
        return {"digest": self.verdict.digest, "limits": [limit.to_json() for limit in self.broken]}


def _judge(
    context: Context, connection: Connection, roster: Roster, broken: Sequence[BrokenLimit]
) -> Verdict:
    district = connection.district.id
    key = context.store.delta_key(district)
    return judge(context.approvals, context.now(), district, key, roster.change_digest(), broken)


def _hold_for_limits(
    held: _Held, found: Sequence[Breach], cause: Cause, unsafe: Sequence[ContactBreach]
) -> HoldError:
    """Whoever lets it through waives contact safety with it, and has to know of that as well."""
    also = f". Held for contact safety as well: {_listed(unsafe)}" if unsafe else ""
    return HoldError(
        f"{_listed(found)}. Likely cause: {cause}{also}{held.refused}",
        code="sync.removals" if found[0].is_removal else "sync.changes",
        hint=let_through(held.connection),
        cause=cause.code,
        **held.facts,
    )


def _hold_for_contacts(held: _Held, unsafe: Sequence[ContactBreach]) -> HoldError:
    return HoldError(
        f"contact safety: {_listed(unsafe)}{held.refused}",
        code="sync.contacts",
        hint=let_through(held.connection),
        cause=unsafe[0].code,
        **held.facts,
    )


def _listed(breaches: Sequence[Breach | ContactBreach]) -> str:
    return "; ".join(map(str, breaches))


def stored_values(context: Context, connection: Connection) -> StoredValues:
    """Looks up stored rows of one district, by their keys or all of them."""
    store, district = context.store, connection.district.id

    def stored(
        entity: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]] | None
    ) -> Iterable[tuple[Any, ...]]:
        if keys is None:
            return store.stored_columns(district, entity, columns)
        return store.stored_values(district, entity, columns, keys)

    return stored


def let_through(connection: Connection) -> str:
    """What a person may do about a hold."""
    district = connection.district.id
    return (
        f"nothing was written; if this is right, have exactly this approved in git (reconciler approve "
        f"{district}), or let it through once with --allow-removals {district}"
    )


def _cause(
    store: ConnectionStore, connection: Connection, visit: Visit, roster: Roster, now: Snapshot,
    breach: Breach,
) -> Cause:  # fmt: skip
    """Why the first limit was broken; looked for in the stored values, which only now are asked for."""
    if dict(visit.previous.sha256) == visit.sha256:
        return SAME_FILES
    try:
        return roster.likely_cause(
            breach.entity,
            removed=breach.is_removal,
            stored=lambda entity, columns: store.stored_columns(connection.district.id, entity, columns),
            around=Surroundings(_whole(visit.previous, roster), _whole(now, roster), roster.schools()),
        )
    except RosterError as error:  # the hold stands, whether its cause is found or not
        return Cause("unknown", f"unknown ({error.message})")


def _whole(snapshot: Snapshot, roster: Roster) -> Snapshot:
    """The snapshot with files as they are read, and without those of which only changes were sent."""
    files = (f for f in (*snapshot.files, *snapshot.unpacked) if f.name not in roster.delta_files)
    return replace(snapshot, files=tuple(files))
