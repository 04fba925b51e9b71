"""The tables are made once, by whoever comes first, and never by a program that is too old for them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from reconciler.errors import StoreError
from reconciler.planning.connection import Phase
from reconciler.store import Store, migration
from reconciler.store.columns import Key
from reconciler.store.database import Database
from reconciler.store.migration import REVISIONS, SCRIPTS, alembic_config
from reconciler.store.tables import METADATA
from tests.databases import Postgres
from tests.store import samples
from tests.store.processes import go_on, heard, process


def test_a_missing_database_is_made_on_first_use(empty_database_url: str) -> None:
    with Store(empty_database_url) as store:
        store.migrate()
        assert store.observe() == {}


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.migrate()
    store.migrate()
    assert store.observe() == {}


def test_the_migrations_lead_to_the_tables_that_the_program_uses(database_url: str) -> None:
    database = Database(database_url)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    database.close()


def test_every_key_is_ordered_bytewise_whatever_the_locale_of_the_server(postgres: Postgres) -> None:
    keys = {
        (t.name, c.name) for t in METADATA.tables.values() for c in t.primary_key if isinstance(c.type, Key)
    }
    query = text("SELECT table_name, column_name FROM information_schema.columns WHERE collation_name = 'C'")
    with postgres.database(migrated=True) as url:
        database = Database(url)
        with database.read() as connection:
            assert keys <= {tuple(row) for row in connection.execute(query)}
        database.close()


def test_the_program_knows_exactly_the_revisions_that_are_in_its_folder(database_url: str) -> None:
    database = Database(database_url)
    with database.read() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
        assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))
    database.close()
    assert (SCRIPTS / "env.py").is_file()


def test_a_database_of_a_newer_program_is_refused(store: Store, database_url: str) -> None:
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError) as refused:
        store.migrate()
    assert refused.value.code == "database.version"
    assert "newer reconciler" in refused.value.hint


def test_an_older_database_is_upgraded_and_keeps_its_rows(store: Store, database_url: str) -> None:
    samples.saved(store)
    run = store.begin_run(samples.RUN)
    _execute(database_url, *_BACK_TO_0001["sqlite" if database_url.startswith("sqlite") else "postgresql"])

    store.migrate()

    assert list(store.observe()) == ["riverbend-isd"]
    with pytest.raises(StoreError):  # what 0002 brought
        _execute(database_url, "DELETE FROM run")
    assert store.kept_files("riverbend-isd") == {}  # what 0003 brought
    assert [view.id for view in store.history()] == [run]
    with pytest.raises(StoreError):  # what 0004 brought
        _execute(database_url, "UPDATE run SET plan_digest = 'another'")
    keys = _all(database_url, "SELECT delta_key, writes FROM connection")  # what 0006 brought
    assert [(len(key), writes) for key, writes in keys] == [(64, 1)]


def test_two_processes_that_migrate_at_once_both_succeed(empty_database_url: str) -> None:
    body = "say_and_wait('ready'); store.migrate(); store.observe(); print('done', flush=True)"
    with process(empty_database_url, body) as one, process(empty_database_url, body) as other:
        assert [heard(one), heard(other)] == ["ready", "ready"]
        go_on(one)
        go_on(other)
        assert [heard(one), heard(other)] == ["done", "done"]


def test_a_migrated_database_is_opened_without_loading_alembic(database_url: str) -> None:
    script = "import sys; from reconciler.store import Store; Store(sys.argv[1]).migrate()\n"
    script += "assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", script, database_url], check=True)


_WITHOUT_0004 = (
    "ALTER TABLE connection DROP COLUMN fingerprint",
    "ALTER TABLE connection DROP COLUMN secret_slot",
    "ALTER TABLE run DROP COLUMN plan_digest",
)
_WITHOUT_0006 = (
    *(f"ALTER TABLE connection DROP COLUMN {c}" for c in ("delta_key", "hold", "hold_digest", "writes")),
    "DROP TABLE hand_edit",
)
_BACK_TO_0001 = {
    "sqlite": (
        *(f"DROP TRIGGER connection_{what}" for what in ("edited", "renamed", "inserted", "deleted")),
        *_WITHOUT_0006,
        *(
            f"DROP TRIGGER {t}"
            for t in ("run_result_update", "run_result_delete", "run_delete", "run_update")
        ),
        *_WITHOUT_0004,
        "DROP TABLE source_file",
        "UPDATE alembic_version SET version_num = '0001'",
    ),
    "postgresql": (
        "DROP FUNCTION reconciler_note_edit CASCADE",
        *_WITHOUT_0006,
        "DROP FUNCTION reconciler_refuse_change, reconciler_district, reconciler_reads_fleet CASCADE",
        "DROP FUNCTION reconciler_purge_history",
        "DROP POLICY history_erase ON run_result",
        *(f"DROP POLICY removed_only ON {t}" for t in ("student", "contact", "relationship", "staff")),
        *_WITHOUT_0004,
        "DROP TABLE source_file",
        "UPDATE alembic_version SET version_num = '0001'",
    ),
}


def _execute(url: str, *statements: str) -> None:
    database = Database(url)
    try:
        database.write(lambda connection: [connection.execute(text(s)) for s in statements])
    finally:
        database.close()


def _all(url: str, query: str) -> list[tuple[object, ...]]:
    database = Database(url)
    try:
        with database.read() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        database.close()


def test_a_run_whose_database_was_migrated_by_a_newer_program_writes_nothing_more(
    store: Store, database_url: str
) -> None:
    lease = samples.saved(store)
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError) as refused:
        store.advance(lease, Phase.SYNCING)
    assert refused.value.code == "database.version"
    _execute(database_url, f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'")
    assert store.observe()[lease.district].phase is Phase.SAVED


def test_an_older_program_that_waited_for_a_newer_ones_migration_is_refused(database_url: str) -> None:
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    database = Database(database_url)
    with pytest.raises(StoreError) as refused:
        database.write(migration._upgrade)
    assert refused.value.code == "database.version"
    database.close()
