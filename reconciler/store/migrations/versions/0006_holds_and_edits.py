"""Holds are known by a digest; and what somebody alters of a connection by hand is noted by the database.

The program counts each of its own writes in `connection.writes`. A change that does not is somebody's: a
trigger notes when, who (PostgreSQL knows the role) and what stood there, and takes the fingerprint away, so
that the connection is looked at. The notes are held to row-level security as every district's rows are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reconciler.store.columns import Key, UtcTime

revision = "0006"
down_revision = "0005"

_COLUMNS = (
    "district", "account", "name", "spec", "mapper", "mapper_digest", "phase", "unfinished", "deactivated",
    "host_key_seen", "secret_slot", "snapshot", "delta_key", "hold", "hold_digest",
)  # fmt: skip
"""What decides. Not watched is what runs only report (`outcome`, `problem`, `last_sync_…`), and since when a
connection is retired: whoever moves these days means it."""

# SQLite: each column that differs with what it held, in a list of one, so that NULL can be told from nothing.
_WAS = (
    "(SELECT json_group_object(c, json_array(o)) FROM ("
    + " UNION ALL ".join(f"SELECT '{c}' AS c, OLD.{c} AS o, NEW.{c} AS n" for c in _COLUMNS)
    + ") WHERE o IS NOT n)"
)
# Taking a fingerprint away is no edit: the connection is looked at. Giving one may hide an edit.
_SQLITE_DIFFERS = " OR ".join(
    [f"NEW.{c} IS NOT OLD.{c}" for c in _COLUMNS]
    + ["(NEW.fingerprint IS NOT NULL AND NEW.fingerprint IS NOT OLD.fingerprint)"]
)
_POSTGRESQL_DIFFERS = _SQLITE_DIFFERS.replace(" IS NOT OLD", " IS DISTINCT FROM OLD")
_NOTHING = "'{}'"
_NOW = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"


def _noted(district: str, kind: str, was: str) -> str:
    """Note an edit; of several, the last one's time and what stood there before the first."""
    return (
        f"INSERT INTO hand_edit (district, at, kind, was) VALUES ({district}, {_NOW}, '{kind}', {was}) "
        "ON CONFLICT (district) DO UPDATE SET at = excluded.at, kind = excluded.kind, "
        "was = json_patch(excluded.was, was);"
    )


_SQLITE = (
    "CREATE TRIGGER connection_edited AFTER UPDATE ON connection "
    f"WHEN NEW.writes IS OLD.writes AND ({_SQLITE_DIFFERS}) BEGIN {_noted('NEW.district', 'update', _WAS)} "
    "UPDATE connection SET fingerprint = NULL, writes = writes + 1 WHERE district = NEW.district; END",
    "CREATE TRIGGER connection_renamed AFTER UPDATE OF district ON connection "
    f"WHEN NEW.district <> OLD.district BEGIN {_noted('OLD.district', 'delete', _NOTHING)} END",
    "CREATE TRIGGER connection_inserted AFTER INSERT ON connection WHEN NEW.writes = 0 BEGIN "
    f"{_noted('NEW.district', 'insert', _NOTHING)} "
    "UPDATE connection SET fingerprint = NULL, writes = 1 WHERE district = NEW.district; END",
    f"CREATE TRIGGER connection_deleted AFTER DELETE ON connection BEGIN "
    f"{_noted('OLD.district', 'delete', _NOTHING)} END",
)

# The role that edits needs no right to the table of notes: the function has its owner's rights. Nor need it
# have named the district, as a superuser does not: the function names it, and then what was named before.
_FUNCTION = """
CREATE FUNCTION reconciler_note_edit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named text := current_setting('reconciler.district', true);
    was jsonb := '{}';
    noted text := format(
        'INSERT INTO %I.hand_edit AS h (district, at, role, kind, was) '
        'VALUES ($1, clock_timestamp(), $2, $3, $4) '
        'ON CONFLICT (district) DO UPDATE SET at = excluded.at, role = excluded.role, kind = excluded.kind, '
        'was = (excluded.was::jsonb || h.was::jsonb)::text', TG_TABLE_SCHEMA);
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND NEW.district <> OLD.district THEN
        PERFORM set_config('reconciler.district', OLD.district, true);
        EXECUTE noted USING OLD.district, session_user::text, 'delete', '{}';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT coalesce(jsonb_object_agg(o.key, jsonb_build_array(o.value)), '{}') INTO was
        FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(to_jsonb(NEW)) n USING (key)
        WHERE o.value IS DISTINCT FROM n.value AND o.key = ANY (WATCHED);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM set_config('reconciler.district', NEW.district, true);
        EXECUTE noted USING NEW.district, session_user::text, lower(TG_OP), was::text;
        NEW.fingerprint := NULL;
        NEW.writes := NEW.writes + 1;
    END IF;
    PERFORM set_config('reconciler.district', coalesce(named, ''), true);
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
""".replace("WATCHED", "ARRAY['" + "', '".join(_COLUMNS) + "']")
_POSTGRESQL = (
    _FUNCTION,
    "CREATE TRIGGER connection_edited BEFORE UPDATE ON connection FOR EACH ROW "
    f"WHEN (NEW.writes = OLD.writes AND ({_POSTGRESQL_DIFFERS})) EXECUTE FUNCTION reconciler_note_edit()",
    "CREATE TRIGGER connection_inserted BEFORE INSERT ON connection FOR EACH ROW "
    "WHEN (NEW.writes = 0) EXECUTE FUNCTION reconciler_note_edit()",
    "CREATE TRIGGER connection_deleted BEFORE DELETE ON connection FOR EACH ROW "
    "EXECUTE FUNCTION reconciler_note_edit()",
)

# As revision 0005 has them for every table with a district's rows.
_POLICIES = (
    "CREATE POLICY district_rows ON hand_edit USING (district = (SELECT reconciler_district()))",
    "CREATE POLICY fleet_read ON hand_edit FOR SELECT USING ((SELECT reconciler_reads_fleet()))",
    "ALTER TABLE hand_edit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "REVOKE ALL ON FUNCTION reconciler_note_edit() FROM PUBLIC",
)
# What a superuser makes who migrates is to be the owner's, as the tables are.
_GIVE = """
    DO $$ DECLARE
      theirs name := (SELECT tableowner FROM pg_tables
        WHERE schemaname = current_schema() AND tablename = 'connection');
    BEGIN
      IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('ALTER TABLE hand_edit OWNER TO %I', theirs);
        EXECUTE format('ALTER FUNCTION reconciler_note_edit() OWNER TO %I', theirs);
      END IF;
    END $$
"""

# The keys of connections that are there. Row-level security would keep every row from the owner as well.
_KEYS = {
    "sqlite": ("UPDATE connection SET writes = 1, delta_key = lower(hex(randomblob(32)))",),
    "postgresql": (
        "ALTER TABLE connection NO FORCE ROW LEVEL SECURITY",
        "UPDATE connection SET writes = 1, "
        "delta_key = replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')",
        "ALTER TABLE connection FORCE ROW LEVEL SECURITY",
    ),
}
_STATEMENTS = {
    "sqlite": (*_KEYS["sqlite"], *_SQLITE),
    "postgresql": (*_KEYS["postgresql"], *_POSTGRESQL, *_POLICIES, _GIVE),
}


def upgrade() -> None:
    dialect = op.get_context().dialect.name
    for name in ("delta_key", "hold", "hold_digest"):
        op.add_column("connection", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("connection", sa.Column("writes", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "hand_edit",
        sa.Column("district", Key(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("district", name=op.f("pk_hand_edit")),
        sqlite_strict=True,
    )
    for statement in _STATEMENTS[dialect]:
        op.execute(statement)
