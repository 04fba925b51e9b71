"""Connections know their file's fingerprint and which secret they log in with; runs know their plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# What of a run may not change while it has not ended, its plan now among it.
_FIXED = ("id", "command", '"commit"', "author", "actor", "started_at", "plan_digest")
_SQLITE_CHANGED = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _FIXED)
_POSTGRESQL_CHANGED = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in _FIXED)

_SQLITE = (
    "DROP TRIGGER run_update",
    "CREATE TRIGGER run_update BEFORE UPDATE ON run "
    f"WHEN OLD.ended_at IS NOT NULL OR {_SQLITE_CHANGED} "
    "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END",
)
_POSTGRESQL = (
    "DROP TRIGGER run_update ON run",
    "CREATE TRIGGER run_update BEFORE UPDATE ON run FOR EACH ROW "
    f"WHEN (OLD.ended_at IS NOT NULL OR {_POSTGRESQL_CHANGED}) EXECUTE FUNCTION reconciler_refuse_change()",
)


def upgrade() -> None:
    op.add_column("connection", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.add_column("connection", sa.Column("secret_slot", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("plan_digest", sa.Text(), nullable=True))
    postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _POSTGRESQL if postgresql else _SQLITE:
        op.execute(statement)
