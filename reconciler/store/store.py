"""The store as the rest of the program sees it: one object, one method for each thing done or asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import Connection as Transaction

from reconciler.planning.change import Stamp
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.run import RunInfo
from reconciler.roster.delta import EntityDelta, Reject, SisSchool, Snapshot
from reconciler.roster.packages.kept import KeptFile
from reconciler.store import connections, hand_edits, history, kept_files, leases, purge, runs, status
from reconciler.store.database import Database
from reconciler.store.export import export, export_columns
from reconciler.store.keyed_rows import stored_values
from reconciler.store.leases import HeldLease, Lease, held
from reconciler.store.migration import migrate
from reconciler.store.roster_merge import merge
from reconciler.store.scope import FLEET, NOBODY, Scope, scope_of
from reconciler.store.snapshots import snapshot_to_text
from reconciler.store.stored_rows import stored_columns, stored_csv
from reconciler.store.tables import ROSTER
from reconciler.store.views import ConnectionView, RunView

T = TypeVar("T")


class Store:
    """The database behind a URL, opened on first use; safe to share between threads.

    What is done to a district takes its lease, is one transaction, and proves the lease inside it.
    Raises StoreError for what the database does, LockError for a lease that is held or lost.
    """

    def __init__(self, url: str):
        self._database = Database(url)

    @property
    def location(self) -> str:
        """The database's URL without its password."""
        return self._database.location

    def migrate(self) -> None:
        """Create the tables or bring them up to date; a single SELECT where there is nothing to do.

        Raises StoreError database.version if a newer program made the database.
        """
        migrate(self._database)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- leases ------------------------------------------------------------------------------------

    def acquire(self, district: str, *, wait_seconds: float) -> HeldLease:
        """Raises LockError lock.held if its holder does not give way within `wait_seconds`."""
        return leases.acquire(self._database, district, wait_seconds)

    def renew(self, lease: Lease) -> None:
        """Raises LockError lock.lost if another run has taken the district over."""
        self._under(lease, lambda _: None)

    def release(self, lease: Lease) -> None:
        leases.release(self._database, held(lease))

    # --- a connection's course ---------------------------------------------------------------------

    def observe(self, districts: Collection[str] | None = None) -> dict[str, Observed]:
        """Every connection by district, retired ones too, sorted; or those of these districts."""
        return self._read(lambda t: connections.observe(t, districts), FLEET)

    def observe_one(self, district: str) -> Observed | None:
        found = self._read(lambda t: connections.observe(t, (district,)), scope_of(district))
        return found.get(district)

    def deleted(self, districts: Collection[str] | None = None) -> dict[str, Stamp]:
        """When, and as whom, connections were deleted by hand; of these districts, or of all."""
        return self._read(lambda t: hand_edits.deleted(t, districts), FLEET)

    def unreachable(self) -> frozenset[str]:
        """The districts whose last run came to grief at their server."""
        return self._read(status.unreachable, FLEET)

    def recognize(self, found: Mapping[str, Connection]) -> None:
        """Note the fingerprints of files that say what is on record, whatever bytes said it before."""
        self._database.write(lambda t: connections.recognize(t, found.values()), FLEET)

    def save(self, lease: Lease, connection: Connection, phase: Phase) -> None:
        """Put the spec on record as unfinished, back from retirement if it was retired."""
        if lease.district != connection.district.id:
            raise ValueError("a lease serves its own district only")
        self._under(lease, lambda t: connections.save(t, connection, phase))

    def advance(self, lease: Lease, phase: Phase) -> None:
        self._under(lease, lambda t: connections.change(t, lease.district, phase=phase.value))

    def keep_host_key(self, lease: Lease, host_key: str) -> None:
        self._under(lease, lambda t: connections.change(t, lease.district, host_key_seen=host_key or None))

    def keep_secret_slot(self, lease: Lease, slot: str) -> None:
        """Put on record which of two secrets the server took."""
        self._under(lease, lambda t: connections.change(t, lease.district, secret_slot=slot or None))

    def learn_schools(self, lease: Lease, schools: Sequence[SisSchool]) -> None:
        """Replace what is known of the district's schools."""
        self._under(lease, lambda t: connections.replace_schools(t, lease.district, schools))

    def keep_rejects(self, lease: Lease, rejects: Sequence[Reject]) -> None:
        """Replace the district's rejects, of a sync that wrote nothing else."""
        self._under(lease, lambda t: connections.replace_rejects(t, lease.district, rejects))

    def retire(self, lease: Lease, at: datetime) -> None:
        """Its file is gone: put it on record, and leave every row as it is."""
        self._under(lease, lambda t: connections.change(t, lease.district, retired_at=at, unfinished=False))

    def deactivate(self, lease: Lease, at: datetime) -> dict[str, int]:
        """Make all of the district's rows inactive; how many of each entity that were."""
        return self._under(lease, lambda t: connections.deactivate(t, lease.district, at))

    def finish(
        self,
        lease: Lease,
        *,
        outcome: str,
        problem: Mapping[str, Any] | None,
        unfinished: bool | None,
        synced: bool,
        run: str,
        at: datetime,
    ) -> None:
        """Put the end of a run on record; `synced` says that it was (also) a sync's end.

        With `unfinished` None, what is on record about that stays.
        """
        self._under(
            lease,
            lambda t: connections.finish(
                t,
                lease.district,
                outcome=outcome,
                problem=problem,
                unfinished=unfinished,
                synced=synced,
                run=run,
                at=at,
            ),
        )

    def hold(self, district: str) -> dict[str, Any] | None:
        """What holds the district's sync, as its report said it; None where nothing with a digest does."""
        return self._read(lambda t: connections.hold(t, district), scope_of(district))

    def delta_key(self, district: str) -> str:
        """The key of digests of the district's held rows; empty where it has no connection."""
        return self._read(lambda t: connections.delta_key(t, district), scope_of(district))

    # --- rows --------------------------------------------------------------------------------------

    def snapshot(self, district: str) -> Snapshot:
        """Which files the stored rows came from; an empty snapshot where that is not known."""
        return self._read(lambda t: connections.snapshot(t, district), scope_of(district))

    def stored_csv(self, district: str, entity: str) -> Iterator[bytes]:
        """Key, hash and whether active, of every row of an entity, as pieces of CSV. See `stored_rows`."""
        return stored_csv(self._database, district, entity)

    def kept_files(self, district: str) -> dict[str, KeptFile]:
        """The source rows that OneRoster's deltas change, by the file's name in the mapper."""

        def content(file: str) -> bytes:
            return self._read(lambda t: kept_files.content(t, district, file), scope_of(district))

        return self._read(lambda t: kept_files.kept_files(t, district, content), scope_of(district))

    def keep_pending(self, lease: Lease, pending: Mapping[str, tuple[str, ...]]) -> None:
        """Put on record which files of the district's packages were seen and not applied."""
        self._under(lease, lambda t: connections.keep_pending(t, lease.district, pending))

    def stored_columns(self, district: str, entity: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """`columns` and `active` of every row, inactive ones too, ordered by key, streamed."""
        return stored_columns(self._database, district, entity, columns)

    def stored_values(
        self, district: str, entity: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]
    ) -> Iterator[tuple[Any, ...]]:
        """`columns` and `active` of the rows with these keys, in no order."""
        return stored_values(self._database, district, entity, columns, keys)

    def write_sync(
        self,
        lease: Lease,
        deltas: Sequence[EntityDelta],
        *,
        rejects: Sequence[Reject] | None,
        schools: Sequence[SisSchool] | None,
        kept: Sequence[KeptFile] | None = None,
        snapshot: Snapshot,
        run: str,
        at: datetime,
    ) -> None:
        """Everything that a sync changes, in one transaction. Applying it again changes no row.

        `rejects`, `schools` and `kept` replace what is on record; None leaves it.
        """
        order = list(ROSTER)

        def write(transaction: Transaction) -> None:
            for delta in sorted(deltas, key=lambda d: order.index(d.entity) if d.entity in ROSTER else -1):
                merge(transaction, lease.district, delta, at)
            if rejects is not None:
                connections.replace_rejects(transaction, lease.district, rejects)
            if schools is not None:
                connections.replace_schools(transaction, lease.district, schools)
            if kept is not None:
                kept_files.replace(transaction, lease.district, kept)
            values = connections.last_sync(transaction, "succeeded", run, at)
            values |= {"snapshot": snapshot_to_text(snapshot), "phase": Phase.SYNCING.value}
            values |= {"hold": None, "hold_digest": None}
            if deltas:  # what was approved of other rows than these is void from here on
                values["delta_key"] = connections.new_key()
            connections.change(transaction, lease.district, **values)
            # A long transaction has used the lease up; what follows it needs a fresh one.
            leases.renew(transaction, held(lease))

        self._under(lease, write)

    # --- history -----------------------------------------------------------------------------------

    def begin_run(self, info: RunInfo) -> str:
        return self._database.write(lambda t: runs.begin_run(t, info))

    def record(
        self,
        run: str,
        district: str,
        *,
        action: str,
        outcome: str,
        steps: Sequence[Mapping[str, Any]],
        changes: Sequence[Mapping[str, Any]],
        rows: Mapping[str, Mapping[str, int]],
        error: Mapping[str, Any] | None,
        at: datetime,
    ) -> None:
        """Append what the run did to the district."""
        result = runs.Result(district, action, outcome, steps, changes, rows, error, at)
        self._database.write(lambda t: runs.record(t, run, result), scope_of(district))

    def end_run(self, run: str, *, outcome: str, summary: Mapping[str, int], at: datetime) -> None:
        self._database.write(lambda t: runs.end_run(t, run, outcome=outcome, summary=summary, at=at))

    def last_commit(self) -> str:
        """The commit that was reconciled last; empty where none was."""
        return self._read(runs.last_commit, NOBODY)

    def reconciles_since(self, start: datetime) -> dict[str, str]:
        """The runs of reconcile since then that have a commit: id to commit."""
        return self._read(lambda t: runs.reconciles_since(t, start), NOBODY)

    # --- forgetting --------------------------------------------------------------------------------

    def purge_district(
        self, lease: Lease, *, removed_before: datetime, rejects_before: datetime, dry_run: bool
    ) -> dict[str, int]:
        """Erase what was removed, and rejected, before then; how many rows of each kind."""

        def work(transaction: Transaction) -> dict[str, int]:
            erased = purge.purge_rows(transaction, lease.district, removed_before)
            return erased | {"rejects": purge.purge_rejects(transaction, lease.district, rejects_before)}

        if dry_run:
            return self._database.rehearse(work, scope_of(lease.district))
        return self._under(lease, work)

    def purge_history(self, started_before: datetime, *, dry_run: bool) -> int:
        """Erase the runs that began before then; how many. Notes of deleted connections go as well."""
        way = self._database.rehearse if dry_run else self._database.write
        if not dry_run:
            self._purge_deleted(started_before)
        return way(lambda t: purge.purge_history(t, started_before))

    def _purge_deleted(self, deleted_before: datetime) -> None:
        """Each in the name of its own district. A connection that is there and was edited stays noted."""
        for district, stamp in self.deleted().items():
            if stamp.at < deleted_before:
                erase = partial(hand_edits.forget_deleted, district=district, before=deleted_before)
                self._database.write(erase, scope_of(district))

    def forget(self, *, rewrite: bool) -> bool:
        """Overwrite what was erased; see Database.forget."""
        return self._database.forget(rewrite=rewrite)

    @property
    def forgets_by_itself(self) -> bool:
        """Whether it is not the database's vacuum that overwrites what was erased."""
        return self._database.dialect == "sqlite"

    # --- looking -----------------------------------------------------------------------------------

    def connections(self, district: str | None = None) -> list[ConnectionView]:
        """Every connection as `status` shows it, or the one of `district` if there is one."""
        return self._read(lambda t: status.connections(t, district), scope_of(district))

    def history(self, district: str | None = None, limit: int = 20) -> list[RunView]:
        """The last runs, newest first; with `district`, its results in the runs that touched it."""
        return self._read(lambda t: history.history(t, district, limit), scope_of(district))

    def export(
        self, entity: str, district: str | None = None, school: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """The active rows by district and key, streamed. Raises UsageError for an unknown entity."""
        return export(self._database, entity, district, school)

    def export_columns(self, entity: str) -> tuple[str, ...]:
        """The columns of an exported row, also where there is none. Raises UsageError as `export` does."""
        return export_columns(entity)

    def rejects(self, district: str) -> list[Reject]:
        return self._read(lambda t: connections.rejects(t, district), scope_of(district))

    def sis_schools(self, district: str) -> list[SisSchool]:
        return self._read(lambda t: connections.sis_schools(t, district), scope_of(district))

    # --- the two ways in ---------------------------------------------------------------------------

    def _read(self, look: Callable[[Transaction], T], scope: Scope) -> T:
        return self._database.ask(look, scope)

    def _under(self, lease: Lease, work: Callable[[Transaction], T]) -> T:
        def proved(transaction: Transaction) -> T:
            leases.renew(transaction, held(lease))
            return work(transaction)

        return self._database.write(proved, scope_of(lease.district))
