"""A look at one district, which a preview shows, and which a saved plan is held to. Writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from reconciler.engine.context import Context
from reconciler.engine.seen import Seen, SeenFile
from reconciler.engine.sync import Findings, look
from reconciler.engine.visit import Visit
from reconciler.errors import PlanError
from reconciler.planning.change import Step
from reconciler.planning.connection import Connection
from reconciler.roster.delta import SisSchool, Snapshot
from reconciler.roster.roster import Roster

CONNECTING = frozenset({Step.TEST, Step.INITIALIZE, Step.SYNC})
"""Steps that ask the district's server."""
NO_ROWS = "none"
"""In the place of a digest: the files are those of the stored rows, and no row changes."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A look at one district, while its visit lasts."""

    seen: Seen
    schools: Sequence[SisSchool]
    found: Findings | None
    """What a sync would write; None where no sync is due."""
    roster: Roster | None
    """The files, where they were read."""


def look_at(
    context: Context, connection: Connection, visit: Visit, steps: Collection[Step],
    schools_before: Sequence[SisSchool],
) -> Looked:  # fmt: skip
    """Look as these steps would, and write nothing. Raises as the steps do."""
    visit.listing()
    roster = visit.roster() if Step.INITIALIZE in steps else None
    found = look(context, connection, visit, schools_before) if Step.SYNC in steps else None
    roster = found.roster if found and found.roster else roster
    delta = ""
    if found:
        delta = found.roster.delta_digest() if found.roster else NO_ROWS
    schools = roster.schools() if roster else schools_before
    return Looked(Seen(_files(visit), delta, _origin(visit.previous)), schools, found, roster)


def held_to(context: Context, connection: Connection, visit: Visit, steps: Collection[Step],
            schools_before: Sequence[SisSchool], planned: Seen | None) -> Findings | None:  # fmt: skip
    """What a sync would write, where it is what was planned. Raises PlanError plan.stale where not.

    Asked before anything is written. `planned` None: the plan could not say.
    """
    district = connection.district.id
    if planned is None:
        raise stale(f"the preview of {district} did not come to its end when it was planned")
    if planned.stored != _origin(visit.previous):
        raise stale(f"the database moved: another sync of {district} has written rows since the plan")
    _refuse_other_files(planned.files, _files(visit))
    looked = look_at(context, connection, visit, steps, schools_before)
    _refuse_other_files(planned.files, looked.seen.files)
    if planned.delta != looked.seen.delta:
        raise stale(
            f"other rows of {district} would change than were planned, although its files are the same"
        )
    return looked.found


def stale(message: str) -> PlanError:
    """Why one district's part of a plan is not carried out."""
    return PlanError(
        message,
        hint="nothing of this district was written; plan again with `plan --preview --out FILE`",
    )


def _refuse_other_files(planned: Sequence[SeenFile], there: Sequence[SeenFile]) -> None:
    before, now = ({f.name: f for f in files} for files in (planned, there))
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            raise stale(f"{name} is no longer on the server")
        if name not in before:
            raise stale(f"{name} is on the server and was not there when it was planned")
        changed = _difference(before[name], now[name])
        if changed:
            raise stale(f"{name} on the server is not the file of the plan: {changed}")


def _difference(before: SeenFile, now: SeenFile) -> str:
    if before.size != now.size:
        return f"it has {now.size} bytes instead of {before.size}"
    if before.sha256 and now.sha256 and before.sha256 != now.sha256:
        return "its content changed"
    if before.modified != now.modified:
        return "it is newer" if now.modified > before.modified else "it is older"
    return ""


def _files(visit: Visit) -> tuple[SeenFile, ...]:
    """The files to read, with the digests of those that were downloaded, or known from the last sync."""
    known = visit.sha256
    if not known and list(visit.previous.files) == visit.files():
        known = dict(visit.previous.sha256)
    return tuple(SeenFile(f.name, f.size, f.modified, known.get(f.name, "")) for f in visit.files())


def _origin(snapshot: Snapshot) -> str:
    """A digest of where the stored rows came from; empty where that is not known."""
    if snapshot == Snapshot():
        return ""
    decisive = [sorted(snapshot.sha256.items()), snapshot.spec_digest, sorted(snapshot.pending.items())]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()
