"""The steps of one district, carried out in order: each one a function of the work at hand."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.engine.context import Context
from reconciler.engine.ports import Lease
from reconciler.engine.sync import sync_district
from reconciler.engine.visit import Visit
from reconciler.planning.change import Step
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.roster.delta import RowCounts, SisSchool


@dataclass(slots=True)
class Work:
    """One district being worked on, and what its steps have found so far."""

    context: Context
    lease: Lease
    connection: Connection
    observed: Observed | None
    visit: Visit
    run: str
    schools_before: Sequence[SisSchool] = ()
    """What was known of the district's schools before this run."""
    rows: Mapping[str, RowCounts] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sync_began: bool = False
    synced: bool = False
    """The sync ran to its end, and the stored rows are those of the files."""


def test(work: Work) -> None:
    """Test Connection: connect, check the host key, log in, list the matching files."""
    session = work.visit.session()
    work.visit.listing()
    first_use = work.context.policy.host_keys == "first-use" and not work.connection.district.sftp.host_key
    if first_use and not work.visit.host_key_seen:
        work.context.store.keep_host_key(work.lease, session.host_key)
        work.notes.append(f"first use: the host key {session.fingerprint} is recorded and held to")
    work.context.store.advance(work.lease, Phase.TESTED)


def initialize(work: Work) -> None:
    """Start Initialization: read the files and learn the schools that they name."""
    schools = work.visit.roster().schools()
    work.context.store.learn_schools(work.lease, schools)
    work.notes.extend(unmapped_notes(work.connection, schools))
    work.context.store.advance(work.lease, Phase.INITIALIZED)


def map_schools(work: Work) -> None:
    """School Mapping: hold the mapping against the schools that were learned."""
    learned = work.context.store.sis_schools(work.lease.district)
    work.notes.extend(absent_notes(work.connection, learned))
    work.context.store.advance(work.lease, Phase.MAPPED)


def sync(work: Work) -> None:
    """Start Syncing."""
    work.sync_began = True
    result = sync_district(
        work.context, work.lease, work.connection, work.visit, work.run, work.schools_before
    )
    work.rows = result.rows
    work.notes.extend(result.notes)
    work.synced = True
    work.context.store.advance(work.lease, Phase.SYNCING)


def stop(work: Work) -> None:
    """Stop syncing. Rows stay as they are."""
    phase = work.observed.phase if work.observed else Phase.SAVED
    if phase is Phase.SYNCING:
        work.context.store.advance(work.lease, Phase.MAPPED)


def deactivate(work: Work) -> None:
    """The rows of a connection whose file has been gone for long enough become inactive."""
    removed = work.context.store.deactivate(work.lease, work.context.now())
    work.rows = {entity: RowCounts(removed=count) for entity, count in removed.items()}


STEPS: dict[Step, Callable[[Work], None]] = {
    Step.TEST: test,
    Step.INITIALIZE: initialize,
    Step.MAP_SCHOOLS: map_schools,
    Step.SYNC: sync,
    Step.STOP: stop,
    Step.DEACTIVATE: deactivate,
}


def unmapped_notes(connection: Connection, schools: list[SisSchool]) -> list[str]:
    """How many schools wait to be mapped, with the students that are left out until then."""
    district = connection.district
    known = {s.sis_id for s in district.schools} | set(district.ignored_schools)
    waiting = [s for s in schools if s.sis_id not in known]
    if not waiting:
        return []
    students = sum(s.students for s in waiting)
    return [
        f"{len(waiting)} {'school waits' if len(waiting) == 1 else 'schools wait'} to be mapped "
        f"({students} students): `reconciler schools {district.id}` lists them"
    ]


def absent_notes(connection: Connection, schools: list[SisSchool]) -> list[str]:
    """Mapped schools that the files do not name, with the id that was probably meant."""
    there = {s.sis_id: s for s in schools}
    notes = []
    for school in connection.district.schools:
        if school.sis_id not in there:
            meant = near_miss(school.sis_id, there)
            hint = f"; did you mean {meant!r}?" if meant else ""
            notes.append(f"the mapped school {school.sis_id!r} is not in the files{hint}")
    return notes


def near_miss(sis_id: str, there: Mapping[str, SisSchool]) -> str:
    """The id of a school that is there and differs only in leading zeros, case or a character."""

    def bare(text: str) -> str:
        return text.strip().lstrip("0").casefold()

    same = [i for i in there if bare(i) == bare(sis_id)]
    return next(iter(same or difflib.get_close_matches(sis_id, list(there), n=1, cutoff=0.85)), "")
