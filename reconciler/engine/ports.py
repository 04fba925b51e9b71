"""What the engine needs of the outside world: two seams, each a Protocol with one real adapter.

`ConnectionStore` is implemented by reconciler.store.Store, `FileSource` by reconciler.sftp; the command
line joins them. Everything that crosses is a value of the packages below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from reconciler.errors import ReconcilerError
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.run import RunInfo
from reconciler.roster.delta import EntityDelta, Reject, RemoteFile, SisSchool, Snapshot


class Lease(Protocol):
    """The right to work on one district, for a while. Only the store looks inside."""

    @property
    def district(self) -> str: ...


class ConnectionStore(Protocol):
    """The database, as the engine uses it. Every write checks its lease; LockError: the lease is lost."""

    def observe(self) -> dict[str, Observed]: ...
    def observe_one(self, district: str) -> Observed | None: ...

    def acquire(self, district: str, *, wait_seconds: float) -> Lease: ...
    def renew(self, lease: Lease) -> None: ...
    def release(self, lease: Lease) -> None: ...

    def save(self, lease: Lease, connection: Connection, phase: Phase) -> None: ...
    def retire(self, lease: Lease, at: datetime) -> None: ...
    def deactivate(self, lease: Lease, at: datetime) -> dict[str, int]: ...
    def advance(self, lease: Lease, phase: Phase) -> None: ...
    def keep_host_key(self, lease: Lease, host_key: str) -> None: ...
    def learn_schools(self, lease: Lease, schools: Sequence[SisSchool]) -> None: ...
    def sis_schools(self, district: str) -> list[SisSchool]: ...
    def snapshot(self, district: str) -> Snapshot: ...
    def stored_rows(self, district: str, entity: str) -> Iterator[tuple[Any, ...]]: ...
    def stored_columns(
        self, district: str, entity: str, columns: Sequence[str]
    ) -> Iterator[tuple[Any, ...]]: ...
    def stored_values(
        self, district: str, entity: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]
    ) -> Iterator[tuple[Any, ...]]: ...
    def write_sync(
        self,
        lease: Lease,
        deltas: Sequence[EntityDelta],
        *,
        rejects: Sequence[Reject] | None,
        schools: Sequence[SisSchool] | None,
        snapshot: Snapshot,
        run: str,
        at: datetime,
    ) -> None: ...
    def keep_rejects(self, lease: Lease, rejects: Sequence[Reject]) -> None: ...
    def finish(
        self, lease: Lease, *, outcome: str, problem: Mapping[str, str] | None, unfinished: bool | None,
        synced: bool, run: str, at: datetime,
    ) -> None: ...  # fmt: skip

    def begin_run(self, info: RunInfo) -> str: ...
    def record(
        self, run: str, district: str, *, action: str, outcome: str, steps: Sequence[Mapping[str, Any]],
        changes: Sequence[Mapping[str, Any]], rows: Mapping[str, Mapping[str, int]],
        error: Mapping[str, str] | None, at: datetime,
    ) -> None: ...  # fmt: skip
    def end_run(self, run: str, *, outcome: str, summary: Mapping[str, int], at: datetime) -> None: ...


class FileSession(Protocol):
    """A session on a district's server: connected, its key checked, logged in."""

    @property
    def host_key(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    def list_files(self, path: str, pattern: str) -> list[RemoteFile]: ...
    def no_files(self, path: str, pattern: str) -> ReconcilerError: ...
    def download(self, path: str, file: RemoteFile, to: Path) -> str: ...
    def close(self) -> None: ...


class FileSource(Protocol):
    """Opens sessions; the one real adapter is reconciler.sftp, with secrets resolved for the district."""

    def open(self, connection: Connection, host_key_seen: str) -> FileSession: ...
