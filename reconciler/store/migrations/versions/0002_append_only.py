"""History is append-only: a result is never changed, a run only once, when it ends."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

# A run that has not ended may get its end, and nothing else of it may change.
_FIXED = ("id", "command", '"commit"', "author", "actor", "started_at")
_SQLITE_CHANGED = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _FIXED)
_POSTGRESQL_CHANGED = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in _FIXED)

_REFUSE_SQLITE = "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
_SQLITE = (
    f"CREATE TRIGGER run_result_update BEFORE UPDATE ON run_result {_REFUSE_SQLITE}",
    f"CREATE TRIGGER run_result_delete BEFORE DELETE ON run_result {_REFUSE_SQLITE}",
    f"CREATE TRIGGER run_delete BEFORE DELETE ON run {_REFUSE_SQLITE}",
    "CREATE TRIGGER run_update BEFORE UPDATE ON run "
    f"WHEN OLD.ended_at IS NOT NULL OR {_SQLITE_CHANGED} {_REFUSE_SQLITE}",
)

_REFUSE_POSTGRESQL = "EXECUTE FUNCTION reconciler_refuse_change()"
_POSTGRESQL = (
    "CREATE FUNCTION reconciler_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$",
    "CREATE TRIGGER run_result_change BEFORE UPDATE OR DELETE ON run_result "
    f"FOR EACH ROW {_REFUSE_POSTGRESQL}",
    f"CREATE TRIGGER run_delete BEFORE DELETE ON run FOR EACH ROW {_REFUSE_POSTGRESQL}",
    "CREATE TRIGGER run_update BEFORE UPDATE ON run FOR EACH ROW "
    f"WHEN (OLD.ended_at IS NOT NULL OR {_POSTGRESQL_CHANGED}) {_REFUSE_POSTGRESQL}",
    f"CREATE TRIGGER run_result_truncate BEFORE TRUNCATE ON run_result {_REFUSE_POSTGRESQL}",
    f"CREATE TRIGGER run_truncate BEFORE TRUNCATE ON run {_REFUSE_POSTGRESQL}",
)


def upgrade() -> None:
    postgresql = op.get_context().dialect.name == "postgresql"
    for statement in _POSTGRESQL if postgresql else _SQLITE:
        op.execute(statement)
