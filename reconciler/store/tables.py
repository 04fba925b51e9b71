"""The tables. District comes first in every key, so that they can be spread over machines by it.

The classes say what is stored; nothing validates on writing (SQLModel's table classes never do), so
every rule that protects rows is a constraint of the database as well. Text that is no key is NULL when
empty. Secrets are never stored: a spec holds references to them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from reconciler.mapping.entities import ENTITIES, RIGHTS
from reconciler.planning.connection import Phase
from reconciler.store.columns import Flag, Key, UtcTime

PHASES = tuple(phase.value for phase in Phase)
OUTCOMES = ("succeeded", "failed", "blocked", "unchanged", "interrupted")
RIGHT_VALUES = ("yes", "no", "unknown")

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class StoreTable(SQLModel, registry=registry(metadata=METADATA)):
    """Root of the store's tables, with a metadata of their own."""


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A constraint that `column` holds one of `values`, or nothing where it may be NULL."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def no_blank_id() -> CheckConstraint:
    """A constraint that `id` says something: rows without an id would all be one person."""
    return CheckConstraint("id <> ''", name="id")


def _key() -> Any:
    return Field(primary_key=True, sa_type=Key)


def _text() -> Any:
    return Field(default=None, sa_type=Text)


def _flag() -> Any:
    return Field(sa_type=Flag)


def _time() -> Any:
    return Field(default=None, sa_type=UtcTime)


def _number() -> Any:
    return Field(default=None, sa_type=Integer)


# Rows of one district lie together on disk: without rowid, the table is its primary key's tree.
_CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}
_STRICT = {"sqlite_strict": True}
_ONE_MORE = literal_column("writes + 1", Integer)


class ConnectionTable(StoreTable, table=True):
    """What was last applied for a district, how far it came, and how its last run ended."""

    __tablename__ = "connection"
    __table_args__: ClassVar[Any] = (one_of("phase", PHASES), one_of("outcome", OUTCOMES), _STRICT)

    district: str = _key()
    account: str = _text()
    name: str = _text()
    spec: str = _text()
    """District.to_json, canonical."""
    mapper: str = _text()
    mapper_digest: str = _text()
    phase: str = _text()
    unfinished: bool = _flag()
    retired_at: datetime | None = _time()
    deactivated: bool = _flag()
    host_key_seen: str | None = _text()
    fingerprint: str | None = _text()
    """Of the file as it was applied, and of all else that decides how it reads; NULL: not known."""
    secret_slot: str | None = _text()
    """Which of two secrets the server took last, while one is rotated; NULL: the only one."""
    snapshot: str | None = _text()
    outcome: str | None = _text()
    problem: str | None = _text()
    """{code, message, hint}: counts and names only, never a child's data."""
    last_sync_at: datetime | None = _time()
    last_sync_outcome: str | None = _text()
    last_sync_commit: str | None = _text()
    delta_key: str | None = _text()
    """Random: the key of the digests of its held deltas. Another one whenever rows are written."""
    hold: str | None = _text()
    """{code, message, cause, digest, limits, …} of the delta that is held; NULL where none is."""
    hold_digest: str | None = _text()
    writes: int = Field(
        sa_type=Integer, sa_column_kwargs={"server_default": "0", "default": 1, "onupdate": _ONE_MORE}
    )
    """How often this program has written the row, counted without any statement saying so. A change that does
    not count is somebody's own, and a trigger notes it."""


class HandEditTable(StoreTable, table=True):
    """A connection that somebody altered by hand, until `reconcile` has put it right. Triggers write here."""

    __tablename__ = "hand_edit"
    __table_args__: ClassVar[Any] = (_STRICT,)

    district: str = _key()
    at: datetime = _time()
    """Of the last edit."""
    role: str | None = _text()
    """Who was logged in to the database; NULL where it does not know."""
    kind: str = _text()
    """`update`, `insert` or `delete`."""
    was: str = _text()
    """{column: [what stood there before the first edit]}"""


class SisSchoolTable(StoreTable, table=True):
    """A school as the district's files name it."""

    __tablename__ = "sis_school"
    __table_args__: ClassVar[Any] = (_CLUSTERED,)

    district: str = _key()
    id: str = _key()
    name: str | None = _text()
    type: str | None = _text()
    nces_id: str | None = _text()
    students: int = _number()


class StudentTable(StoreTable, table=True):
    """A student; `school` is the platform's id, `sis_school` the district's."""

    __tablename__ = "student"
    __table_args__: ClassVar[Any] = (no_blank_id(), _CLUSTERED)

    district: str = _key()
    id: str = _key()
    school: str = _text()
    sis_school: str = _text()
    first_name: str = _text()
    middle_name: str | None = _text()
    last_name: str = _text()
    preferred_name: str | None = _text()
    grade: str | None = _text()
    birth_date: str | None = _text()
    gender: str | None = _text()
    email: str | None = _text()
    homeroom: str | None = _text()
    student_number: str | None = _text()
    status: str | None = _text()
    photo: str | None = _text()
    row_hash: str = _text()
    active: bool = _flag()
    added_at: datetime = _time()
    changed_at: datetime = _time()
    removed_at: datetime | None = _time()


class ContactTable(StoreTable, table=True):
    """A grown-up whom one or more students are related to."""

    __tablename__ = "contact"
    __table_args__: ClassVar[Any] = (no_blank_id(), _CLUSTERED)

    district: str = _key()
    id: str = _key()
    first_name: str | None = _text()
    last_name: str | None = _text()
    phone: str | None = _text()
    phone_2: str | None = _text()
    email: str | None = _text()
    address: str | None = _text()
    notes: str | None = _text()
    row_hash: str = _text()
    active: bool = _flag()
    added_at: datetime = _time()
    changed_at: datetime = _time()
    removed_at: datetime | None = _time()


class RelationshipTable(StoreTable, table=True):
    """What a contact is to a student, and may do: `unknown` where the file does not say so."""

    __tablename__ = "relationship"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(["district", "student"], ["student.district", "student.id"]),
        ForeignKeyConstraint(["district", "contact"], ["contact.district", "contact.id"]),
        *(one_of(right, RIGHT_VALUES) for right in RIGHTS),
        _CLUSTERED,
    )

    district: str = _key()
    student: str = _key()
    contact: str = _key()
    relationship: str | None = _text()
    priority: str | None = _text()
    may_pick_up: str = _text()
    emergency: str = _text()
    custody_alert: str = _text()
    row_hash: str = _text()
    active: bool = _flag()
    added_at: datetime = _time()
    changed_at: datetime = _time()
    removed_at: datetime | None = _time()


class StaffTable(StoreTable, table=True):
    """Somebody who works for the district."""

    __tablename__ = "staff"
    __table_args__: ClassVar[Any] = (no_blank_id(), _CLUSTERED)

    district: str = _key()
    id: str = _key()
    school: str | None = _text()
    sis_school: str | None = _text()
    first_name: str = _text()
    last_name: str = _text()
    email: str | None = _text()
    phone: str | None = _text()
    role: str | None = _text()
    row_hash: str = _text()
    active: bool = _flag()
    added_at: datetime = _time()
    changed_at: datetime = _time()
    removed_at: datetime | None = _time()


class RejectTable(StoreTable, table=True):
    """A row of the last sync that was not taken; `position` keeps the order in which they were found."""

    __tablename__ = "reject"
    __table_args__: ClassVar[Any] = (_CLUSTERED,)

    district: str = _key()
    position: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    entity: str = _text()
    file: str = _text()
    row: int = _number()
    column: str = _text()
    code: str = _text()
    reason: str = _text()
    severity: str = _text()
    key: str = _text()


class SourceFileTable(StoreTable, table=True):
    """The source rows of one file, as the last package left them: what OneRoster's next delta changes.

    Only the columns that the mapper reads. `file` is the mapper's name for it.
    """

    __tablename__ = "source_file"
    __table_args__: ClassVar[Any] = (_STRICT,)

    district: str = _key()
    file: str = _key()
    columns: str = _text()
    """[[name, whether its cells are here], …] in the order of the header."""
    rows: int = _number()
    sha256: str = _text()
    """Of the content."""
    content: bytes = Field(sa_type=LargeBinary)
    """A gzip'd CSV."""
    unread: bytes | None = Field(default=None, sa_type=LargeBinary)
    """Gzip'd JSON: the lines that could not be read."""


class LeaseTable(StoreTable, table=True):
    """Who works on a district. The row stays after a release, so that `epoch` only ever grows."""

    __tablename__ = "lease"
    __table_args__: ClassVar[Any] = (_STRICT,)

    district: str = _key()
    epoch: int = _number()
    holder: str | None = _text()
    acquired_at: datetime | None = _time()
    expires_at: datetime | None = _time()


class RunTable(StoreTable, table=True):
    """One call of `reconcile` or `sync`. Written once at its start and once at its end."""

    __tablename__ = "run"
    __table_args__: ClassVar[Any] = (one_of("outcome", OUTCOMES), _STRICT)

    id: str = _key()
    command: str = _text()
    commit: str = _text()
    author: str = _text()
    actor: str = _text()
    started_at: datetime = _time()
    ended_at: datetime | None = _time()
    outcome: str | None = _text()
    summary: str | None = _text()
    plan_digest: str | None = _text()
    """Of the plan that was carried out; NULL where none was."""


class RunResultTable(StoreTable, table=True):
    """What one run did to one district. Never changed, never deleted."""

    __tablename__ = "run_result"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(["run"], ["run.id"]),
        one_of("outcome", OUTCOMES),
        _STRICT,
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    run: str = Field(sa_type=Key, index=True)
    district: str = Field(sa_type=Key, index=True)
    action: str = _text()
    outcome: str = _text()
    steps: str = _text()
    changes: str = _text()
    rows: str = _text()
    error: str | None = _text()
    at: datetime = _time()


CONNECTION, SIS_SCHOOL, REJECT, LEASE, RUN, RUN_RESULT = (
    METADATA.tables[name] for name in ("connection", "sis_school", "reject", "lease", "run", "run_result")
)
HAND_EDIT = METADATA.tables["hand_edit"]
SOURCE_FILE = METADATA.tables["source_file"]
STUDENT, CONTACT, RELATIONSHIP, STAFF = (
    METADATA.tables[name] for name in ("student", "contact", "relationship", "staff")
)

ROSTER: dict[str, Table] = {
    "students": STUDENT,
    "contacts": CONTACT,
    "relationships": RELATIONSHIP,
    "staff": STAFF,
}
"""Entity to table, in the order in which rows are written: what is pointed at comes first."""


def key_columns(entity: str) -> tuple[str, ...]:
    """The columns that identify a row of `entity` inside its district."""
    return ENTITIES[entity].key
