"""What the database says at a glance is what it says when it is asked in full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.planning.connection import Phase
from reconciler.planning.mark import Mark
from reconciler.store import Store, marks
from reconciler.store.marks import Marks, read_marks
from tests.store import samples

FINGERPRINT = "ab" * 32 + "." + "cd" * 16


def finish(store: Store, district: str, phase: Phase, **more: object) -> None:
    lease = store.acquire(district, wait_seconds=0)
    connection = replace(samples.connection(district), fingerprint=FINGERPRINT)
    store.save(lease, connection, phase)
    ended = {"outcome": "succeeded", "problem": None, "unfinished": False, "synced": False, **more}
    store.finish(lease, run="", at=samples.NOON, **ended)  # type: ignore[arg-type]
    store.release(lease)


def marks_of(url: str) -> Marks:
    found = read_marks(url)
    assert found is not None
    return found


def test_a_connection_is_marked_as_it_is_observed(store: Store, database_url: str) -> None:
    finish(store, "oak", Phase.MAPPED, outcome="blocked")
    lease = store.acquire("oak", wait_seconds=0)
    store.keep_host_key(lease, "ssh-ed25519 AAAA")
    store.retire(lease, samples.LATER)
    found = marks_of(database_url).connections
    assert {name: mark.observed() for name, mark in found.items()} == store.observe()
    assert found["oak"].held
    assert found["oak"].fingerprint == FINGERPRINT


def test_a_connection_that_syncs_is_marked_without_what_its_file_says(
    store: Store, database_url: str
) -> None:
    finish(store, "oak", Phase.SYNCING)
    mark = marks_of(database_url).connections["oak"]
    assert mark == Mark(
        "oak", FINGERPRINT, "104592", "oneroster-1.1", "ef" * 32, "syncing", False, None, False, False, "",
        None,
    )  # fmt: skip
    assert mark.is_settled
    assert mark.observed() is None


@pytest.mark.parametrize("by_name", [0, 500], ids=["all are fetched", "asked for by name"])
def test_some_are_observed_as_the_store_observes_them(
    store: Store, database_url: str, by_name: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "_BY_NAME", by_name)
    for name, phase in (("elm", Phase.SYNCING), ("oak", Phase.MAPPED), ("yew", Phase.SYNCING)):
        finish(store, name, phase)
    asked = {"elm", "oak", "it's none"}
    assert marks_of(database_url).observe(asked) == store.observe(asked)
    assert list(store.observe(asked)) == ["elm", "oak"]


def test_the_last_commit_is_that_of_the_last_reconcile(store: Store, database_url: str) -> None:
    assert marks_of(database_url).last_commit == ""
    store.begin_run(samples.RUN)
    store.begin_run(replace(samples.RUN, command="sync", commit="of a sync", started_at=samples.LATER))
    assert marks_of(database_url).last_commit == samples.RUN.commit == store.last_commit()


def test_saving_again_without_a_fingerprint_forgets_it(store: Store, database_url: str) -> None:
    finish(store, "oak", Phase.SYNCING)
    lease = store.acquire("oak", wait_seconds=0)
    store.save(lease, samples.connection("oak"), Phase.SYNCING)
    assert marks_of(database_url).connections["oak"].fingerprint is None


class TestRecognizing:
    """A file that says what is on record, in other bytes."""

    def test_keeps_its_fingerprint(self, store: Store, database_url: str) -> None:
        finish(store, "oak", Phase.SYNCING)
        store.recognize({"oak": replace(samples.connection("oak"), fingerprint="new.one")})
        assert marks_of(database_url).connections["oak"].fingerprint == "new.one"

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(samples.connection("oak", name="Another"), id="another file"),
            pytest.param(replace(samples.connection("oak"), mapper_digest="00" * 32), id="another mapper"),
            pytest.param(samples.connection("elm"), id="another district"),
        ],
    )
    def test_needs_it_to_say_what_is_on_record(self, store: Store, database_url: str, other: object) -> None:
        finish(store, "oak", Phase.SYNCING)
        store.recognize({other.district.id: replace(other, fingerprint="new.one")})  # type: ignore
        assert marks_of(database_url).connections["oak"].fingerprint == FINGERPRINT


def newer(path: Path) -> None:
    with sqlite3.connect(path) as driver:
        driver.execute("UPDATE alembic_version SET version_num = '9999'")


NOTHING: dict[str, Callable[[Path], object]] = {
    "is not there": lambda path: path.unlink(),
    "is empty": lambda path: path.write_bytes(b""),
    "is no database": lambda path: path.write_bytes(b"\x00" * 4096),
    "is a folder": lambda path: (path.unlink(), path.mkdir()),
    "is of a newer program": newer,
}


@pytest.mark.parametrize("spoil", NOTHING.values(), ids=NOTHING)
def test_a_database_says_nothing_that(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    path = tmp_path / "state.db"
    with Store(f"sqlite:///{path}") as store:
        store.migrate()
    spoil(path)
    there = path.exists()
    assert read_marks(f"sqlite:///{path}") is None
    assert path.exists() is there


@pytest.mark.parametrize(
    "url",
    ["mysql://somewhere/else", "sqlite://", "nonsense", "postgresql://nobody@127.0.0.1:1/none", "postgresql://[::1"],
)  # fmt: skip
def test_a_url_that_leads_nowhere_says_nothing(url: str) -> None:
    assert read_marks(url) is None
