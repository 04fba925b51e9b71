"""On PostgreSQL a transaction reaches the rows of the district that it names, and no others.

`reconciler.district` names it, `reconciler.scope` = 'fleet' lets every district be read; both are set for one
transaction, by `reconciler.store.scope`. Neither a missing WHERE nor a wrong value can then touch another
district's rows. The owner is held to it as well; superusers and roles with BYPASSRLS are not.

A later revision that changes rows has to take FORCE off its table first, and to put it back.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"

_ROSTER = ("student", "contact", "relationship", "staff")
_OF_A_DISTRICT = ("connection", "lease", "sis_school", "reject", "source_file", *_ROSTER)

# The functions stand in scalar subqueries: called once for a statement, not for each row.
_OWN = "district = (SELECT reconciler_district())"
_READ = f"{_OWN} OR (SELECT reconciler_reads_fleet())"

# Rows that are hidden look like rows that are not there, so a transaction that names nobody is refused.
_FUNCTIONS = (
    """
    CREATE FUNCTION reconciler_reads_fleet() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
    $$ SELECT coalesce(current_setting('reconciler.scope', true), '') IN ('fleet', 'history') $$
    """,
    """
    CREATE FUNCTION reconciler_district() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      named text := current_setting('reconciler.district', true);
      scope text := coalesce(current_setting('reconciler.scope', true), '');
    BEGIN
      IF named <> '' THEN RETURN named; END IF;
      IF scope IN ('fleet', 'history') THEN RETURN NULL; END IF;
      RAISE insufficient_privilege USING MESSAGE = 'this transaction names no district',
        HINT = 'SET reconciler.district to one, or reconciler.scope to ''fleet'' to read all';
    END $$
    """,
)

# Rows that are active are never erased, in one's own district either.
_ERASED = "CREATE POLICY removed_only ON {table} AS RESTRICTIVE FOR DELETE USING (NOT active)"
_HISTORY = (
    f"CREATE POLICY district_read ON run_result FOR SELECT USING ({_READ})",
    f"CREATE POLICY district_append ON run_result FOR INSERT WITH CHECK ({_OWN})",
    "CREATE POLICY history_erase ON run_result FOR DELETE "
    "USING (current_setting('reconciler.scope', true) = 'history')",
)

# Triggers refuse to erase history, and only the owner may put them aside. So the owner lends a way to do it,
# which takes whole runs, keeps the last reconciled commit, and for anybody else leaves what is recent.
_PURGE = """
    CREATE FUNCTION reconciler_purge_history(started_before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    DECLARE
      was text := current_setting('reconciler.scope', true);
      owner oid := (SELECT relowner FROM pg_catalog.pg_class WHERE oid = 'run'::regclass);
      keep text;
      erased bigint;
    BEGIN
      IF started_before > now() - interval '30 days' AND NOT pg_has_role(session_user, owner, 'USAGE') THEN
        RAISE insufficient_privilege USING MESSAGE = 'only the owner may erase history of the last 30 days';
      END IF;
      ALTER TABLE run_result DISABLE TRIGGER USER;
      ALTER TABLE run DISABLE TRIGGER USER;
      PERFORM set_config('reconciler.scope', 'history', true);
      SELECT id INTO keep FROM run WHERE command = 'reconcile' AND "commit" <> ''
        ORDER BY started_at DESC, id DESC LIMIT 1;
      DELETE FROM run_result WHERE run IN
        (SELECT id FROM run WHERE started_at < started_before AND id IS DISTINCT FROM keep);
      DELETE FROM run WHERE started_at < started_before AND id IS DISTINCT FROM keep;
      GET DIAGNOSTICS erased = ROW_COUNT;
      PERFORM set_config('reconciler.scope', coalesce(was, ''), true);
      ALTER TABLE run_result ENABLE TRIGGER USER;
      ALTER TABLE run ENABLE TRIGGER USER;
      RETURN erased;
    END $$
"""
_CALLED = ("reconciler_district()", "reconciler_reads_fleet()", "reconciler_purge_history(timestamptz)")

# A superuser who migrates lends the owner's rights, not his own.
_LEND = """
    DO $$ BEGIN
      IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('ALTER FUNCTION reconciler_purge_history(timestamptz) OWNER TO %I',
          (SELECT tableowner FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'run'));
      END IF;
    END $$
"""


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    for function in _FUNCTIONS:
        op.execute(function)
    for table in _OF_A_DISTRICT:
        op.execute(f"CREATE POLICY district_rows ON {table} USING ({_OWN})")
        op.execute(
            f"CREATE POLICY fleet_read ON {table} FOR SELECT USING ((SELECT reconciler_reads_fleet()))"
        )
    for statement in (*(_ERASED.format(table=table) for table in _ROSTER), *_HISTORY):
        op.execute(statement)
    for table in (*_OF_A_DISTRICT, "run_result"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    schema = op.get_bind().execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    op.execute(_PURGE.format(schema=schema))
    op.execute(_LEND)
    for function in ("reconciler_refuse_change()", *_CALLED):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
