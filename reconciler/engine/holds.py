"""The limits that hold a sync: found before anything is written, with why they were broken."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.engine.ports import ConnectionStore
from reconciler.engine.visit import Visit
from reconciler.errors import HoldError
from reconciler.planning.connection import Connection
from reconciler.planning.limits import GUARDED, Breach, breaches
from reconciler.roster.causes import Cause, Surroundings
from reconciler.roster.delta import RowCounts, Snapshot
from reconciler.roster.roster import Roster

SAME_FILES = Cause(
    "own-configuration",
    "the files are those of the last sync, so it is the district's own file, or its mapper",
)


def refuse_over_limits(
    store: ConnectionStore, connection: Connection, visit: Visit, roster: Roster, now: Snapshot,
    counts: Mapping[str, RowCounts],
) -> None:  # fmt: skip
    """Raise HoldError sync.removals or sync.changes where a sync would remove or change too much.

    `now` is what would be kept of these files.
    """
    sync = connection.district.sync
    found = breaches(
        {e: counts[e] for e in GUARDED},
        roster.active(),
        max_removal_percent=sync.max_removal_percent,
        max_change_percent=sync.max_change_percent,
    )
    if not found:
        return
    cause = _cause(store, connection, visit, roster, now, found[0])
    raise HoldError(
        "; ".join(map(str, found)) + f". Likely cause: {cause}",
        code="sync.removals" if found[0].is_removal else "sync.changes",
        hint=let_through(connection),
        cause=cause.code,
    )


def let_through(connection: Connection) -> str:
    """What a person may do about a hold."""
    return (
        f"nothing was written; if this is right, let it through once with "
        f"--allow-removals {connection.district.id}"
    )


def _cause(
    store: ConnectionStore, connection: Connection, visit: Visit, roster: Roster, now: Snapshot,
    breach: Breach,
) -> Cause:  # fmt: skip
    """Why the first limit was broken; looked for in the stored values, which only now are asked for."""
    if dict(visit.previous.sha256) == visit.sha256:
        return SAME_FILES
    return roster.likely_cause(
        breach.entity,
        removed=breach.is_removal,
        stored=lambda entity, columns: store.stored_columns(connection.district.id, entity, columns),
        around=Surroundings(visit.previous, now, roster.schools()),
    )
