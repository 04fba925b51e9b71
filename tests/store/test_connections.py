"""What was applied, how far it came and how it ended: written by one run, read back by the next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.config.district import SecretRef, Sftp
from reconciler.errors import StoreError
from reconciler.planning.connection import Observed, Phase
from reconciler.roster.delta import Snapshot
from reconciler.store import Store
from tests.store import samples

DISTRICT = "riverbend-isd"


def test_a_saved_connection_is_observed_as_it_was_desired_and_unfinished(store: Store) -> None:
    samples.saved(store)
    assert store.observe() == {DISTRICT: Observed(samples.connection(), Phase.SAVED, unfinished=True)}


def test_districts_are_observed_in_order(store: Store) -> None:
    for district in ("b-2", "a", "b", "a-10"):
        samples.saved(store, district)
    assert list(store.observe()) == ["a", "a-10", "b", "b-2"]


def test_a_district_that_was_never_saved_is_not_observed(store: Store) -> None:
    assert store.observe_one("nobody") is None


def test_saving_again_replaces_the_spec_and_keeps_what_was_learned(store: Store) -> None:
    lease = samples.saved(store)
    store.keep_host_key(lease, "ssh-ed25519 AAAA")
    samples.write(store, lease, samples.family())
    changed = samples.connection(name="Riverbend")
    store.save(lease, changed, Phase.MAPPED)
    assert store.observe_one(DISTRICT) == Observed(
        changed, Phase.MAPPED, unfinished=True, host_key_seen="ssh-ed25519 AAAA"
    )
    assert store.snapshot(DISTRICT) == samples.SNAPSHOT


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        pytest.param({"host": "sftp2.riverbend.example"}, "", id="another host"),
        pytest.param({"port": 2222}, "", id="another port"),
        pytest.param({"username": "other"}, "ssh-ed25519 AAAA", id="another user of the same server"),
    ],
)
def test_the_first_key_seen_belongs_to_a_host_and_port(
    store: Store, change: dict[str, object], kept: str
) -> None:
    lease = samples.saved(store)
    store.keep_host_key(lease, "ssh-ed25519 AAAA")
    sftp = replace(samples.connection().district.sftp, **change)  # type: ignore[arg-type]
    store.save(lease, samples.connection(sftp=sftp), Phase.SAVED)
    observed = store.observe_one(DISTRICT)
    assert observed is not None
    assert observed.host_key_seen == kept


ROTATING = Sftp("h", "u", password=SecretRef("env", "SFTP_RIVERBEND_ISD_A", next="SFTP_RIVERBEND_ISD_B"))


@pytest.mark.parametrize(
    ("sftp", "kept"),
    [
        pytest.param(ROTATING, "next", id="the same login"),
        pytest.param(replace(ROTATING, remote_path="/in"), "next", id="another folder"),
        pytest.param(replace(ROTATING, host="other"), "", id="another host"),
        pytest.param(replace(ROTATING, username="other"), "", id="another user"),
        pytest.param(
            replace(ROTATING, password=SecretRef("env", "SFTP_RIVERBEND_ISD_B")), "", id="rotated to its end"
        ),
    ],
)
def test_which_secret_the_server_takes_is_kept_as_long_as_login_and_secrets_are_the_same(
    store: Store, sftp: Sftp, kept: str
) -> None:
    lease = samples.saved(store, sftp=ROTATING)
    store.keep_secret_slot(lease, "next")
    store.save(lease, samples.connection(sftp=sftp), Phase.SAVED)
    observed = store.observe_one(DISTRICT)
    assert observed is not None
    assert observed.secret_slot == kept
    assert observed.connection.district.sftp == sftp


def test_every_kind_of_secret_reference_comes_back(store: Store) -> None:
    sftp = Sftp(
        "h",
        "u",
        private_key=SecretRef("file", "/run/secrets/k"),
        passphrase=SecretRef("age", "-----BEGIN\nü"),
    )
    samples.saved(store, sftp=sftp)
    observed = store.observe_one(DISTRICT)
    assert observed is not None
    assert observed.connection.district.sftp == sftp


def test_a_phase_advances(store: Store) -> None:
    lease = samples.saved(store)
    store.advance(lease, Phase.INITIALIZED)
    observed = store.observe_one(DISTRICT)
    assert observed is not None
    assert observed.phase is Phase.INITIALIZED


@pytest.mark.parametrize(
    ("unfinished", "observed_as"),
    [
        pytest.param(False, False, id="done"),
        pytest.param(True, True, id="more to do"),
        pytest.param(None, True, id="not for this run to say"),
    ],
)
def test_finishing_says_whether_there_is_more_to_do(
    store: Store, unfinished: bool | None, observed_as: bool
) -> None:
    lease = samples.saved(store)
    _finish(store, lease, unfinished=unfinished)
    observed = store.observe_one(DISTRICT)
    assert observed is not None
    assert observed.unfinished is observed_as


def test_finishing_a_district_that_was_never_saved_does_nothing(store: Store) -> None:
    _finish(store, store.acquire(DISTRICT, wait_seconds=0))
    assert store.observe() == {}


def test_a_district_that_was_never_saved_cannot_advance(store: Store) -> None:
    with pytest.raises(StoreError, match="no such connection") as failed:
        store.advance(store.acquire(DISTRICT, wait_seconds=0), Phase.MAPPED)
    assert failed.value.code == "database.failed"


def test_retiring_stops_the_connection_and_removes_no_row(store: Store) -> None:
    lease = samples.saved(store)
    samples.write(store, lease, samples.family())
    store.retire(lease, samples.LATER)
    observed = store.observe_one(DISTRICT)
    assert observed is not None
    assert (observed.retired_at, observed.unfinished, observed.deactivated) == (samples.LATER, False, False)
    assert samples.rows_of(store, "students") == [("S1", "h1", True), ("S2", "h1", True)]


def test_deactivating_makes_every_row_of_the_district_inactive_and_counts_them(store: Store) -> None:
    lease, other = samples.saved(store), samples.saved(store, "hill-valley")
    samples.write(store, lease, samples.family())
    samples.write(store, other, samples.family())
    counts = {"students": 2, "contacts": 1, "relationships": 2, "staff": 1}
    assert store.deactivate(lease, samples.LATER) == counts
    assert store.deactivate(lease, samples.LATER) == dict.fromkeys(counts, 0)
    assert samples.rows_of(store, "relationships") == [("S1", "C1", "h1", False), ("S2", "C1", "h1", False)]
    assert samples.rows_of(store, "students", "hill-valley") == [("S1", "h1", True), ("S2", "h1", True)]


def test_a_retired_connection_that_returns_is_as_if_its_file_had_stayed(store: Store) -> None:
    lease = samples.saved(store)
    samples.write(store, lease, samples.family())
    store.retire(lease, samples.LATER)
    store.save(lease, samples.connection(), Phase.SYNCING)
    assert store.observe_one(DISTRICT) == Observed(samples.connection(), Phase.SYNCING, unfinished=True)
    assert store.snapshot(DISTRICT) == samples.SNAPSHOT


def test_a_deactivated_connection_that_returns_has_forgotten_its_files(store: Store) -> None:
    lease = samples.saved(store)
    samples.write(store, lease, samples.family())
    store.retire(lease, samples.LATER)
    store.deactivate(lease, samples.LATER)
    store.save(lease, samples.connection(), Phase.MAPPED)
    assert store.observe_one(DISTRICT) == Observed(samples.connection(), Phase.MAPPED, unfinished=True)
    assert store.snapshot(DISTRICT) == Snapshot()


def test_the_schools_that_were_learned_replace_those_known_before(store: Store) -> None:
    lease = samples.saved(store)
    store.learn_schools(lease, samples.SCHOOLS)
    store.learn_schools(lease, samples.SCHOOLS[:2])
    assert store.sis_schools(DISTRICT) == list(samples.SCHOOLS[:2])


def test_rejects_come_back_in_the_order_in_which_they_were_found(store: Store) -> None:
    lease = samples.saved(store)
    store.keep_rejects(lease, samples.REJECTS[:1] * 12)
    store.keep_rejects(lease, samples.REJECTS)
    assert store.rejects(DISTRICT) == list(samples.REJECTS)


def _finish(store: Store, lease: object, *, unfinished: bool | None = False) -> None:
    store.finish(
        lease,  # type: ignore[arg-type]
        outcome="succeeded",
        problem=None,
        unfinished=unfinished,
        synced=False,
        run="r",
        at=samples.NOON,
    )
