"""What a role needs on PostgreSQL, and no more: the SQL that gives it, for the owner of the tables to run.

Nothing is executed here. The role owns nothing; what it may reach of whose rows is row-level security's part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.errors import UsageError

_ROWS = ("student", "contact", "relationship", "staff")
APPLICATION: Mapping[str, str] = {
    "alembic_version": "SELECT",
    "connection": "SELECT, INSERT, UPDATE",
    "hand_edit": "SELECT, DELETE",
    "lease": "SELECT, INSERT, UPDATE",
    **dict.fromkeys(_ROWS, "SELECT, INSERT, UPDATE, DELETE"),
    "sis_school": "SELECT, INSERT, DELETE",
    "reject": "SELECT, INSERT, DELETE",
    "source_file": "SELECT, INSERT, DELETE",
    "run": "SELECT, INSERT, UPDATE (ended_at, outcome, summary)",
    "run_result": "SELECT, INSERT",
}
"""Table to privileges of whoever runs the program: nothing of history is changed or erased by them, and what
somebody altered by hand is noted by triggers alone."""

READER: Mapping[str, str] = dict.fromkeys(
    ("alembic_version", "connection", "hand_edit", *_ROWS, "sis_school", "reject", "run", "run_result"),
    "SELECT",
)
"""Those of whoever only looks: status, history, export, rejects, and plans without a preview."""

_POLICIES = "reconciler_district(), reconciler_reads_fleet()"
_LONGEST = 63
"""Bytes; PostgreSQL cuts a longer name."""

_PREPARE = """DO $$
DECLARE
  grantee name := {literal};
  place regnamespace := current_schema()::regnamespace;
  powers text;
BEGIN
  IF to_regrole(quote_ident(grantee)) IS NULL THEN
    RAISE EXCEPTION 'there is no role %', grantee
      USING HINT = format('CREATE ROLE %I LOGIN, and give it a password', grantee);
  END IF;
  SELECT string_agg(rolname, ', ' ORDER BY rolname) INTO powers FROM pg_roles
    WHERE pg_has_role(grantee, oid, 'MEMBER') AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication
      OR oid IN (SELECT relowner FROM pg_class WHERE relnamespace = place)
      OR oid IN (SELECT nspowner FROM pg_namespace WHERE pg_namespace.oid = place)
      OR oid IN (SELECT datdba FROM pg_database WHERE datname = current_database())
      OR rolname LIKE 'pg\\_%\\_all\\_data' OR rolname LIKE 'pg\\_%\\_server\\_%');
  IF powers IS NOT NULL THEN
    RAISE EXCEPTION 'role % can do more than its grants say, through: %', grantee, powers
      USING HINT = 'it is to own nothing here, and to be no SUPERUSER, BYPASSRLS or CREATEROLE';
  END IF;
  EXECUTE format('REVOKE CREATE ON SCHEMA %s FROM PUBLIC', place);
  EXECUTE format('REVOKE ALL ON SCHEMA %s FROM %I', place, grantee);
  EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', place, grantee);
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %s FROM %I', place, grantee);
  EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %s FROM %I', place, grantee);
  EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA %s FROM %I', place, grantee);
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), grantee);
  EXECUTE format('GRANT {on_database} ON DATABASE %I TO %I', current_database(), grantee);
END $$;"""


def grants(role: str, *, reader: bool = False) -> str:
    """The SQL that gives `role` what the program needs, or with `reader` what looking needs.

    It takes away first whatever else the role was granted on the tables, so that it can be run again after
    each upgrade. Raises UsageError for a name that PostgreSQL does not take.
    """
    _check_name(role)
    return "\n".join(_statements(role, reader)) + "\n"


def _statements(role: str, reader: bool) -> Iterator[str]:
    quoted = '"' + role.replace('"', '""') + '"'
    yield f"-- {'Reads only' if reader else 'The application'}: {quoted}. Run by the owner of the tables."
    yield "BEGIN;"
    on_database = "CONNECT" if reader else "CONNECT, TEMPORARY"
    yield _PREPARE.format(literal=_literal(role), on_database=on_database)
    for table, privileges in (READER if reader else APPLICATION).items():
        yield f"GRANT {privileges} ON {table} TO {quoted};"
    if not reader:
        yield f"GRANT USAGE ON SEQUENCE run_result_id_seq TO {quoted};"
    purge = "" if reader else ", reconciler_purge_history(timestamptz)"
    yield f"GRANT EXECUTE ON FUNCTION {_POLICIES}{purge} TO {quoted};"
    yield "COMMIT;"


def _literal(text: str) -> str:
    """A string constant, whatever `standard_conforming_strings` says."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def _check_name(role: str) -> None:
    if not role or not role.isprintable() or "$" in role or len(role.encode()) > _LONGEST:
        raise UsageError(
            f"{role[:_LONGEST]!r} cannot be the name of a role here",
            hint=f"up to {_LONGEST} bytes of printable characters, without a dollar sign",
        )
