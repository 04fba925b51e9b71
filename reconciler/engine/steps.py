"""The steps of one district, carried out in order: each one a function of the work at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.engine.context import Context
from reconciler.engine.ports import Lease
from reconciler.engine.schools import absent_notes, unlisted_notes, unmapped_notes
from reconciler.engine.sync import Findings, sync_district
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
    found: Findings | None = None
    """What the sync would write, where that was looked at before the first step."""
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
    roster = work.visit.roster()
    schools = roster.schools()
    work.context.store.learn_schools(work.lease, schools)
    work.notes.extend(unmapped_notes(work.connection.district, schools))
    work.notes.extend(unlisted_notes(roster.unlisted_schools(), schools))
    work.context.store.advance(work.lease, Phase.INITIALIZED)


def map_schools(work: Work) -> None:
    """School Mapping: hold the mapping against the schools that were learned."""
    learned = work.context.store.sis_schools(work.lease.district)
    work.notes.extend(absent_notes(work.connection.district, learned))
    work.context.store.advance(work.lease, Phase.MAPPED)


def sync(work: Work) -> None:
    """Start Syncing."""
    work.sync_began = True
    result = sync_district(
        work.context, work.lease, work.connection, work.visit, work.run, work.schools_before, work.found
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
