"""What a sync found and what it wants written: values that the roster hands to engine, store and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Where an entity's rows went. `read` is their sum; `removed` rows were stored and are no longer read."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0
    """Rows at unmapped or ignored schools, or of students who are there."""
    duplicate: int = 0
    removed: int = 0

    @property
    def read(self) -> int:
        return self.added + self.changed + self.unchanged + self.rejected + self.skipped + self.duplicate

    def to_json(self) -> dict[str, int]:
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"read": self.read}


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken, or a value that was not (`severity` warning: its row was taken without it).

    Names and counts only: `key` is the row's id where it could be read, and no other cell is kept.
    """

    entity: str
    file: str
    row: int
    """The line of the file on which the row starts; the header is line 1. 0: the file as a whole."""
    column: str
    code: str
    reason: str
    severity: str = "error"
    key: str = ""


@dataclass(frozen=True, slots=True)
class EntityDelta:
    """The rows of one entity that have to change in the store.

    `upserts` and `removals` may be called more than once (a transaction may be tried again); each call
    starts from the beginning. An upserted row is active afterwards, whether it was stored or not.
    """

    entity: str
    columns: tuple[str, ...]
    """Columns of an upserted tuple: those of the entity, then `row_hash`."""
    upserts: Callable[[], Iterator[tuple[Any, ...]]]
    removals: Callable[[], Iterator[tuple[str, ...]]]
    """Keys that become inactive."""
    counts: RowCounts = field(default_factory=RowCounts)
    upserts_csv: Callable[[Sequence[str]], Iterator[bytes]] | None = None
    """The same rows as pieces of CSV, each behind the given constants: UTF-8, text quoted, NULL empty and
    unquoted. No text in them is empty. None where there are only tuples."""

    @property
    def is_empty(self) -> bool:
        return not (self.counts.added or self.counts.changed or self.counts.removed)


@dataclass(frozen=True, slots=True)
class SisSchool:
    """A school as the district's files name it, with the students found there."""

    sis_id: str
    name: str = ""
    type: str = ""
    nces_id: str = ""
    students: int = 0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that matched the pattern. `modified` is seconds since 1970 in UTC, as the server says it."""

    name: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which files the stored rows came from: the reason why a later sync may read nothing."""

    files: tuple[RemoteFile, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    """File name to the digest of its bytes."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """File name in the mapper to the columns it had: one that vanishes later is an error."""
    newline: Mapping[str, bool] = field(default_factory=dict)
    """File name to whether it ended with a line break: one that stops doing so may have been cut."""
    trailers: tuple[str, ...] = ()
    """Names of files whose last line said that they end: one that no longer says so may have been cut."""
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """File name in the mapper to its encoding and delimiter, in words."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """File name in the mapper to the rows that were read of it."""
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Entity to digests of some of its keys, in the order of the file: where missing rows had stood."""
    spec_digest: str = ""
    """Digest over everything but the files that decides the rows: mapper, school mapping, pattern, path."""
    unpacked: tuple[RemoteFile, ...] = ()
    """The files that came out of archives among `files`."""
    settled: bool = False
    """False where a file was so young that a later change could carry the same size and time."""
    pending: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Files that were seen and never written, by name in the mapper: their digests, oldest first."""
