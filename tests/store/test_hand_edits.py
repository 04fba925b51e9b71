"""Whoever edits a connection in PostgreSQL, a trigger notes it; nobody's note reaches another district."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from subprocess import CalledProcessError

import psycopg
import pytest

from reconciler.planning.connection import Phase
from reconciler.store import Store
from tests.roles import Roles, psql, roles
from tests.store import samples

__all__ = ["roles"]

OAK, ELM = "oak", "elm"
LONG_AGO = datetime.now(UTC) - timedelta(days=365)
MINE = "SET reconciler.district = 'oak';\n"


@dataclass(frozen=True)
class There:
    """A database of the owner's, with two connections that the application has saved."""

    roles: Roles
    name: str

    def by_hand(self, role: str, statements: str) -> None:
        """What somebody types into psql."""
        psql(self._url(role), statements)

    def notes(self) -> dict[str, tuple[str, str, str]]:
        """District to kind of edit, role and what stood there, as a superuser sees them."""
        with psycopg.connect(self._url("superuser")) as connection:
            rows = connection.execute("SELECT district, kind, role, was FROM hand_edit").fetchall()
        return {district: (kind, role, was) for district, kind, role, was in rows}

    def name_of(self, role: str) -> str:
        with psycopg.connect(self._url(role)) as connection:
            return str(connection.info.user)

    @contextmanager
    def store(self, role: str = "app") -> Iterator[Store]:
        with Store(self.roles.url(role, self.name)) as store:
            yield store

    def _url(self, role: str) -> str:
        return self.roles.server.url_of(self.name) if role == "superuser" else self.roles.url(role, self.name)


@pytest.fixture
def there(roles: Roles) -> Iterator[There]:
    with roles.database() as name:
        made = There(roles, name)
        with made.store() as store:
            for district in (OAK, ELM):
                store.release(samples.saved(store, district))
        assert made.notes() == {}
        yield made


EDIT = "UPDATE connection SET name = 'Oak!' WHERE district = 'oak'"
WHO = {
    "the application": ("app", MINE + EDIT),
    "the owner": ("owner", MINE + EDIT),
    "a superuser who names the district": ("superuser", MINE + EDIT),
    "a superuser who names nobody": ("superuser", EDIT),
    "a superuser who names another district": ("superuser", "SET reconciler.district = 'elm';\n" + EDIT),
    "a superuser with the fleet in sight": ("superuser", "SET reconciler.scope = 'fleet';\n" + EDIT),
}  # fmt: skip


@pytest.mark.parametrize(("role", "statements"), WHO.values(), ids=WHO)
def test_an_edit_is_noted_with_the_role_of(there: There, role: str, statements: str) -> None:
    there.by_hand(role, statements)
    assert there.notes() == {OAK: ("update", there.name_of(role), '{"name": ["Riverbend ISD"]}')}
    with there.store() as store:
        altered = {name: seen.edit for name, seen in store.observe().items() if seen.edit}
        assert list(altered) == [OAK]
        assert altered[OAK].by == there.name_of(role)


@pytest.mark.parametrize("role", ["app", "owner"])
def test_who_names_nobody_and_is_held_to_policies_edits_nothing(there: There, role: str) -> None:
    with pytest.raises(CalledProcessError) as refused:
        there.by_hand(role, EDIT)
    assert "names no district" in refused.value.stderr
    there.by_hand(role, "SET reconciler.scope = 'fleet';\n" + EDIT)
    with there.store() as store:
        assert there.notes() == {}
        assert [view.name for view in store.connections()] == ["Riverbend ISD"] * 2


def test_what_a_transaction_is_about_is_the_same_after_an_edit(there: There) -> None:
    """In one transaction, as `SET LOCAL` says it: the trigger names other districts, and puts it back."""
    several = """BEGIN; SET LOCAL reconciler.district = 'oak';
        UPDATE connection SET name = name || '!';
        DO $$ BEGIN ASSERT current_setting('reconciler.district') = 'oak'; END $$; COMMIT;"""
    there.by_hand("superuser", several)
    assert {district: kind for district, (kind, *_) in there.notes().items()} == {
        OAK: "update",
        ELM: "update",
    }


def test_an_edit_that_is_refused_leaves_no_note(there: There) -> None:
    for statement in (
        "UPDATE connection SET district = 'elm' WHERE district = 'oak'",
        "UPDATE connection SET district = 'ash' WHERE district = 'oak'",
        'INSERT INTO connection SELECT * FROM json_populate_record(NULL::connection, \'{"district": "elm", '
        '"account": "", "name": "", "spec": "{}", "mapper": "", "mapper_digest": "", "phase": "saved", '
        '"unfinished": true, "deactivated": false, "writes": 0}\') ON CONFLICT DO NOTHING',
    ):
        with pytest.raises(CalledProcessError, match="returned non-zero") as refused:
            there.by_hand("app", MINE + statement)
        assert "row-level security" in refused.value.stderr
    assert there.notes() == {}


def test_a_connection_that_was_renamed_is_gone_and_another_is_there(there: There) -> None:
    there.by_hand("superuser", "UPDATE connection SET district = 'ash' WHERE district = 'oak'")
    notes = there.notes()
    assert {district: kind for district, (kind, *_) in notes.items()} == {OAK: "delete", "ash": "update"}
    assert notes["ash"][2] == '{"district": ["oak"]}'


def test_a_row_that_the_owner_deleted_is_told_to_the_application(there: There) -> None:
    there.by_hand("owner", MINE + "DELETE FROM connection")
    with there.store() as store:
        assert {d: stamp.by for d, stamp in store.deleted().items()} == {OAK: there.name_of("owner")}


@pytest.mark.parametrize("role", ["app", "owner"])
def test_saving_a_connection_forgets_its_own_note_and_no_other(there: There, role: str) -> None:
    there.by_hand("superuser", "UPDATE connection SET name = 'by hand'")
    with there.store(role) as store:
        lease = store.acquire(OAK, wait_seconds=0)
        store.save(lease, samples.connection(OAK), Phase.SAVED)
        assert list(there.notes()) == [ELM]
        store.advance(lease, Phase.TESTED)
        store.keep_host_key(lease, "ssh-ed25519 AAAA")
        store.learn_schools(lease, samples.SCHOOLS)
        samples.write(store, lease, samples.family())
    assert list(there.notes()) == [ELM]


@pytest.mark.parametrize("role", ["reader", "app"])
def test_nobody_but_the_trigger_writes_a_note(there: There, role: str) -> None:
    there.by_hand("superuser", EDIT)
    for statement in (
        "INSERT INTO hand_edit VALUES ('oak', now(), 'rosa', 'update', '{}')",
        "UPDATE hand_edit SET role = 'somebody else'",
    ):
        with pytest.raises(CalledProcessError) as refused:
            there.by_hand(role, MINE + statement)
        assert "permission denied for table hand_edit" in refused.value.stderr


@pytest.mark.parametrize("role", ["app", "owner"])
def test_purging_history_forgets_what_was_deleted_long_ago_and_no_edit_that_stands(
    there: There, role: str
) -> None:
    there.by_hand(
        "superuser", "DELETE FROM connection WHERE district = 'oak'; UPDATE connection SET name = 'x'"
    )
    there.by_hand("superuser", "UPDATE hand_edit SET at = at - interval '400 days'")
    with there.store(role) as store:
        assert store.purge_history(LONG_AGO, dry_run=True) == 0
        store.purge_history(LONG_AGO - timedelta(days=40), dry_run=False)
        assert set(there.notes()) == {OAK, ELM}
        store.purge_history(LONG_AGO, dry_run=False)
    assert set(there.notes()) == {ELM}
