"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from reconciler.store.columns import Flag, Key, UtcTime

revision = "0001"
down_revision = None

_CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}
_STRICT = {"sqlite_strict": True}
_OUTCOMES = ("succeeded", "failed", "blocked", "unchanged", "interrupted")
_PHASES = ("saved", "tested", "initialized", "mapped", "syncing")


def upgrade() -> None:
    _connections()
    _people()
    _relationships()
    _leases()
    _history()


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, Key(), nullable=False)


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _optional(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcTime(), nullable=nullable)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, Flag(), nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _row_state() -> list[sa.Column[Any]]:
    return [
        *_text("row_hash"),
        _flag("active"),
        _time("added_at"),
        _time("changed_at"),
        _time("removed_at", nullable=True),
    ]


def _connections() -> None:
    op.create_table(
        "connection",
        _key("district"),
        *_text("account", "name", "spec", "mapper", "mapper_digest", "phase"),
        _flag("unfinished"),
        _time("retired_at", nullable=True),
        _flag("deactivated"),
        *_optional("host_key_seen", "snapshot", "outcome", "problem"),
        _time("last_sync_at", nullable=True),
        *_optional("last_sync_outcome", "last_sync_commit"),
        _primary("connection", "district"),
        _one_of("connection", "phase", _PHASES),
        _one_of("connection", "outcome", _OUTCOMES),
        **_STRICT,
    )
    op.create_table(
        "sis_school",
        _key("district"),
        _key("id"),
        *_optional("name", "type", "nces_id"),
        _number("students"),
        _primary("sis_school", "district", "id"),
        **_CLUSTERED,
    )
    op.create_table(
        "reject",
        _key("district"),
        _number("position"),
        *_text("entity", "file"),
        _number("row"),
        *_text("column", "code", "reason", "severity", "key"),
        _primary("reject", "district", "position"),
        **_CLUSTERED,
    )


def _people() -> None:
    _person_table(
        "student",
        *_text("school", "sis_school", "first_name"),
        *_optional("middle_name"),
        *_text("last_name"),
        *_optional("preferred_name", "grade", "birth_date", "gender", "email", "homeroom", "student_number"),
        *_optional("status", "photo"),
    )
    _person_table(
        "contact",
        *_optional("first_name", "last_name", "phone", "phone_2", "email", "address", "notes"),
    )
    _person_table(
        "staff",
        *_optional("school", "sis_school"),
        *_text("first_name", "last_name"),
        *_optional("email", "phone", "role"),
    )


def _person_table(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        _key("district"),
        _key("id"),
        *columns,
        *_row_state(),
        _primary(name, "district", "id"),
        sa.CheckConstraint("id <> ''", name=op.f(f"ck_{name}_id")),
        **_CLUSTERED,
    )


def _relationships() -> None:
    rights = ("may_pick_up", "emergency", "custody_alert")
    op.create_table(
        "relationship",
        _key("district"),
        _key("student"),
        _key("contact"),
        *_optional("relationship", "priority"),
        *_text(*rights),
        *_row_state(),
        _primary("relationship", "district", "student", "contact"),
        _points_at("student"),
        _points_at("contact"),
        *(_one_of("relationship", right, ("yes", "no", "unknown")) for right in rights),
        **_CLUSTERED,
    )


def _points_at(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_relationship_{table}")
    return sa.ForeignKeyConstraint(["district", table], [f"{table}.district", f"{table}.id"], name=name)


def _leases() -> None:
    op.create_table(
        "lease",
        _key("district"),
        _number("epoch"),
        *_optional("holder"),
        _time("acquired_at", nullable=True),
        _time("expires_at", nullable=True),
        _primary("lease", "district"),
        **_STRICT,
    )


def _history() -> None:
    op.create_table(
        "run",
        _key("id"),
        *_text("command", "commit", "author", "actor"),
        _time("started_at"),
        _time("ended_at", nullable=True),
        *_optional("outcome", "summary"),
        _primary("run", "id"),
        _one_of("run", "outcome", _OUTCOMES),
        **_STRICT,
    )
    op.create_table(
        "run_result",
        sa.Column("id", sa.Integer(), nullable=False),
        _key("run"),
        _key("district"),
        *_text("action", "outcome", "steps", "changes", "rows"),
        *_optional("error"),
        _time("at"),
        _primary("run_result", "id"),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_run_result_run")),
        _one_of("run_result", "outcome", _OUTCOMES),
        **_STRICT,
    )
    for column in ("run", "district"):
        op.create_index(op.f(f"ix_run_result_{column}"), "run_result", [column])
