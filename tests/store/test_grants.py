"""What the application's role and the reader's may do is what the checked-in lists say, and nothing else.

`UPDATE_GOLDEN=1 pytest tests/store/test_grants.py` writes the lists anew: look at the diff.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from reconciler.errors import StoreError, UsageError
from reconciler.store import Store
from reconciler.store.grants import grants
from tests.databases import Postgres
from tests.roles import Roles, grant, psql, roles
from tests.store import samples

__all__ = ["roles"]

GOLDEN = Path(__file__).parent / "golden"
# What a role may do, asked of the catalogue: through a grant of its own, of PUBLIC, or of another role.
_ASKED = """
    SELECT 'attribute ' || key FROM pg_roles, json_each_text(to_json(pg_roles))
      WHERE rolname = %(role)s AND key ~ '^rol(super|inherit|create|can|repl|bypass)' AND value = 'true'
  UNION ALL SELECT 'member of ' || r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
      WHERE m.member = to_regrole(%(role)s)
  UNION ALL SELECT 'owns ' || classid::regclass || ' ' || objid FROM pg_shdepend
      WHERE deptype = 'o' AND refobjid = to_regrole(%(role)s)
  UNION ALL SELECT 'database: ' || p FROM unnest('{CONNECT,CREATE,TEMPORARY}'::text[]) p
      WHERE has_database_privilege(%(role)s, current_database(), p)
  UNION ALL SELECT 'schema ' || nspname || ': ' || p FROM pg_namespace, unnest('{USAGE,CREATE}'::text[]) p
      WHERE nspname !~ '^(pg_|information_schema)' AND has_schema_privilege(%(role)s, oid, p)
  UNION ALL SELECT 'table ' || oid::regclass || ': ' || p FROM pg_class,
      unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[] || %(newer)s::text[]) p
      WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace::regnamespace::text !~ '^(pg_|information_)'
        AND has_table_privilege(%(role)s, oid, p)
  UNION ALL SELECT 'columns ' || string_agg(attname, ', ' ORDER BY attnum) || ' of ' || c.oid::regclass
        || ': ' || p
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped,
      unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p
      WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace::regnamespace::text !~ '^(pg_|information_)'
        AND has_column_privilege(%(role)s, c.oid, attnum, p) AND NOT has_table_privilege(%(role)s, c.oid, p)
      GROUP BY c.oid, p
  UNION ALL SELECT 'sequence ' || oid::regclass || ': ' || p FROM pg_class,
      unnest('{USAGE,SELECT,UPDATE}'::text[]) p
      WHERE relkind = 'S' AND has_sequence_privilege(%(role)s, oid, p)
  UNION ALL SELECT 'function ' || oid::regprocedure || CASE WHEN prosecdef THEN ' as its owner' ELSE '' END
      FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^(pg_|information_)'
        AND has_function_privilege(%(role)s, oid, 'EXECUTE')
  UNION ALL SELECT 'server function ' || oid::regprocedure FROM pg_proc
      WHERE proname ~ '^(pg_read_(binary_)?file|pg_ls_dir|lo_import|lo_export)$'
        AND has_function_privilege(%(role)s, oid, 'EXECUTE')
  ORDER BY 1
"""
_POLICIES = """
    SELECT 'table ' || relname || ': '
        || CASE WHEN relrowsecurity AND relforcerowsecurity THEN 'forced' ELSE 'none' END
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'table ' || tablename || ': ' || lower(permissive) || ' ' || policyname || ' for ' || cmd
        || ' to ' || array_to_string(roles, ', ') || coalesce(' using ' || qual, '')
        || coalesce(' check ' || with_check, '')
      FROM pg_policies ORDER BY 1
"""


def _checked(name: str, found: list[str]) -> None:
    path, said = GOLDEN / name, "".join(f"{line}\n" for line in found)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def database(roles: Roles) -> Iterator[str]:
    with roles.database() as name:
        grant(roles, name)
        yield name


@pytest.mark.parametrize("role", ["app", "reader"])
def test_a_role_may_do_what_its_list_says(roles: Roles, database: str, role: str) -> None:
    with psycopg.connect(roles.server.url_of(database)) as connection:
        # A newer PostgreSQL knows one privilege more; nobody is to have it.
        newer = ["MAINTAIN"] if connection.info.server_version >= 170000 else []
        lines = connection.execute(_ASKED, {"role": roles.names[role], "newer": newer}).fetchall()
    _checked(f"{role}.txt", [line for (line,) in lines])


def test_the_policies_are_those_of_the_list(roles: Roles, database: str) -> None:
    with psycopg.connect(roles.server.url_of(database)) as connection:
        _checked("policies.txt", [line for (line,) in connection.execute(_POLICIES)])


# --- what is refused -------------------------------------------------------------------------------

DEFINITIONS = {
    "make-a-table": "CREATE TABLE mine (id int)",
    "make-a-schema": "CREATE SCHEMA mine",
    "make-a-function": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "make-a-role": "CREATE ROLE mine SUPERUSER",
    "alter-a-table": "ALTER TABLE student ADD COLUMN mine text",
    "put-row-security-aside": "ALTER TABLE student DISABLE ROW LEVEL SECURITY",
    "put-row-security-off": "SET row_security = off; SELECT count(*) FROM student",
    "drop-a-policy": "DROP POLICY district_rows ON student",
    "drop-a-table": "DROP TABLE student CASCADE",
    "put-triggers-aside": "ALTER TABLE run DISABLE TRIGGER USER",
    "replicate": "SET session_replication_role = replica",
    "read-the-servers-files": "SELECT pg_read_file('/etc/passwd')",
    "copy-to-the-servers-files": "COPY student TO '/tmp/mine.csv'",
    "run-a-program": "COPY student TO PROGRAM 'true'",
    "become-the-owner": "SET ROLE {owner}",
    "say-another-version": "UPDATE alembic_version SET version_num = '9999'",
    "change-what-happened": "UPDATE run_result SET outcome = 'succeeded'",
    "erase-what-happened": "DELETE FROM run_result",
    "erase-a-run": "DELETE FROM run",
    "change-who-began-a-run": "UPDATE run SET author = 'nobody'",
    "erase-recent-history": "SELECT reconciler_purge_history(now() - interval '29 days')",
    "refuse-changes": "SELECT reconciler_refuse_change()",
    "erase-a-connection": "DELETE FROM connection",
    "erase-a-lease": "DELETE FROM lease",
    "note-a-hand-edit": "INSERT INTO hand_edit VALUES ('aspen', now(), 'rosa', 'update', '{{}}')",
    "change-who-edited": "UPDATE hand_edit SET role = 'somebody else'",
    "note-by-the-triggers-function": "SELECT reconciler_note_edit()",
}


@pytest.mark.parametrize("statement", DEFINITIONS.values(), ids=DEFINITIONS)
def test_the_application_may_not(roles: Roles, database: str, statement: str) -> None:
    with psycopg.connect(roles.url("app", database), options="-c reconciler.scope=fleet") as connection:
        statement = statement.format(owner=roles.names["owner"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    "name", ["connection", "hand_edit", "student", "run", "run_result", "reject", "lease"]
)
def test_a_reader_writes_nothing(roles: Roles, database: str, name: str) -> None:
    with psycopg.connect(roles.url("reader", database), options="-c reconciler.district=aspen") as connection:
        column = "id" if name.startswith("run") else "district"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"UPDATE {name} SET {column} = NULL".encode())


# --- the SQL that is printed -----------------------------------------------------------------------


def test_granting_again_takes_away_what_was_granted_beside(roles: Roles) -> None:
    app = roles.names["app"]
    with roles.database() as name:
        owner = roles.url("owner", name)
        psql(
            owner,
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {app}; GRANT CREATE ON SCHEMA public TO {app}",
        )
        grant(roles, name)
        with psycopg.connect(roles.server.url_of(name)) as connection:
            asked = {"role": app, "newer": []}
            lines = [line for (line,) in connection.execute(_ASKED, asked)]
    assert lines == (GOLDEN / "app.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "REPLICATION"])
def test_a_role_whom_row_security_would_not_hold_is_refused(roles: Roles, database: str, power: str) -> None:
    role = f"mighty_{os.urandom(4).hex()}"
    roles.server.execute(f"CREATE ROLE {role} {power}")
    try:
        with pytest.raises(subprocess.CalledProcessError) as refused:
            psql(roles.url("owner", database), grants(role))
    finally:
        roles.server.execute(f"DROP ROLE {role}")
    assert "more than its grants say" in refused.value.stderr


def test_the_owner_is_refused_and_so_is_a_member_of_the_owner(roles: Roles, database: str) -> None:
    owner, member = roles.names["owner"], f"member_{os.urandom(4).hex()}"
    roles.server.execute(f"CREATE ROLE {member} IN ROLE {owner}")
    try:
        for role in (owner, member):
            with pytest.raises(subprocess.CalledProcessError) as refused:
                psql(roles.url("owner", database), grants(role))
            assert f"through: {owner}" in refused.value.stderr
    finally:
        roles.server.execute(f"DROP ROLE {member}")


def test_a_role_that_is_not_there_is_said_to_be_so(roles: Roles, database: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        psql(roles.url("owner", database), grants("nobody-at-all"))
    assert "there is no role nobody-at-all" in refused.value.stderr
    assert 'CREATE ROLE "nobody-at-all" LOGIN' in refused.value.stderr


@pytest.mark.parametrize(
    "role", ["it's", 'a "quoted" one', "Größe; DROP TABLE student", "back\\slash", ":name"]
)
def test_a_name_is_quoted_whatever_is_in_it(roles: Roles, role: str) -> None:
    quoted = '"' + role.replace('"', '""') + '"'
    with roles.database() as name:
        roles.server.execute(f"CREATE ROLE {quoted}")
        try:
            psql(roles.url("owner", name), grants(role) + grants(role, reader=True))
            with psycopg.connect(roles.server.url_of(name)) as connection:
                may = connection.execute(
                    "SELECT has_table_privilege(%s, 'student', 'SELECT')", (role,)
                ).fetchone()
            assert may == (True,)
        finally:
            psql(roles.server.url_of(name), f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")


@pytest.mark.parametrize("role", ["", "a\nb", "a\0b", "$$", "x" * 64])
def test_a_name_that_cannot_be_one_is_wrong_usage(role: str) -> None:
    with pytest.raises(UsageError):
        grants(role)


# --- a database of another version -----------------------------------------------------------------


def test_the_application_does_not_upgrade_and_says_who_does(roles: Roles) -> None:
    with roles.database() as name:
        psql(roles.url("owner", name), "UPDATE alembic_version SET version_num = '0004'")
        with pytest.raises(StoreError) as refused, Store(roles.url("app", name)) as store:
            store.migrate()
    assert refused.value.code == "database.version"
    assert "is of version 0004" in refused.value.message
    assert roles.names["app"] in refused.value.message
    assert "`reconciler db migrate`" in refused.value.hint
    assert roles.password not in refused.value.message


def test_a_database_without_tables_is_not_filled_by_who_may_not(postgres: Postgres, roles: Roles) -> None:
    with postgres.database(migrated=False) as url:
        name = url.rpartition("/")[2].partition("?")[0]
        with pytest.raises(StoreError) as refused, Store(roles.url("app", name)) as store:
            store.migrate()
    assert (refused.value.code, "has no tables yet" in refused.value.message) == ("database.version", True)


def test_a_role_without_its_grants_is_told_what_it_lacks(roles: Roles) -> None:
    with roles.database() as name:
        psql(roles.url("owner", name), f"REVOKE ALL ON alembic_version FROM {roles.names['app']}")
        with pytest.raises(StoreError) as refused, Store(roles.url("app", name)) as store:
            store.migrate()
    assert refused.value.code == "database.role"
    assert "`reconciler db grant`" in refused.value.hint


def test_a_right_that_is_missing_is_named(roles: Roles) -> None:
    with roles.database() as name:
        psql(roles.url("owner", name), f"REVOKE INSERT ON student FROM {roles.names['app']}")
        with Store(roles.url("app", name)) as store:
            lease = samples.saved(store)
            with pytest.raises(StoreError, match="permission denied for table student") as refused:
                samples.write(store, lease, samples.family())
    assert "`reconciler db grant`" in refused.value.hint


def test_a_superuser_who_migrates_lends_the_owners_rights_and_not_his_own(roles: Roles) -> None:
    with roles.database() as name:
        undo = [
            "DROP FUNCTION reconciler_note_edit CASCADE",
            "DROP TABLE hand_edit",
            *(f"ALTER TABLE connection DROP {c}" for c in ("delta_key", "hold", "hold_digest", "writes")),
            "DROP FUNCTION reconciler_district, reconciler_reads_fleet CASCADE",
            "DROP FUNCTION reconciler_purge_history",
            "DROP POLICY history_erase ON run_result",
            *(f"DROP POLICY removed_only ON {t}" for t in ("student", "contact", "relationship", "staff")),
            "UPDATE alembic_version SET version_num = '0004'",
        ]
        psql(roles.url("owner", name), ";\n".join(undo))
        with Store(roles.server.url_of(name)) as store:
            store.migrate()
        with psycopg.connect(roles.server.url_of(name)) as connection:
            query = """SELECT proname::text, proowner::regrole::text FROM pg_proc WHERE prosecdef
                AND pronamespace = 'public'::regnamespace
                UNION ALL SELECT relname, relowner::regrole::text FROM pg_class WHERE relname = 'hand_edit'"""
            owned: dict[str, str] = dict(connection.execute(query).fetchall())
    things = ("reconciler_purge_history", "reconciler_note_edit", "hand_edit")
    assert owned == dict.fromkeys(things, roles.names["owner"])
