"""Killed at any instant, the next run ends where an undisturbed one does; nothing is to clear by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text, update

from reconciler.store import Store
from reconciler.store.tables import CONNECTION, ROSTER
from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.laboratory import Figure, engine_of, instants, stored
from tests.faults.nursery import Nursery
from tests.faults.states import States

STUDENTS = 600
ARMED = "from tests.faults import points; points.arm()"


def files(count: int, grade: str = "05") -> dict[str, str | bytes]:
    """A district's files; one row of them is rejected."""
    students = students_csv(count, grade=grade) + "99999,0042,,Nameless,05,2012-01-01\n"
    return {"students.csv": students, "contacts.csv": contacts_csv(count)}


@dataclass(frozen=True)
class Scenario:
    """A command that is killed, after what was done before it."""

    before: Callable[[World], None]
    command: tuple[str, ...]


def _new(world: World) -> None:
    world.policy(host_keys="first-use")
    world.district("oak", schools=["0042"], sftp={"host_key": None})
    world.put("oak", files(STUDENTS))


def _there(world: World) -> None:
    _new(world)
    assert world.run("reconcile").code == 0


def _changed(world: World) -> None:
    _there(world)
    world.put("oak", files(STUDENTS - 100, grade="06"))


def _approved(world: World) -> None:
    _changed(world)
    assert world.run("sync").code == 3
    assert world.run("approve", "oak").code == 0


def _edited(world: World) -> None:
    _there(world)
    engine = engine_of(world.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE connection SET name = 'x', phase = 'saved', host_key_seen = 'x'"))
    engine.dispose()


def _stopped(world: World) -> None:
    _there(world)
    world.district("oak", schools=["0042"], sftp={"host_key": None}, sync={"state": "stopped"})


def _retired(world: World) -> None:
    _there(world)
    (world.root / "districts" / "oak.yaml").unlink()
    assert world.run("reconcile").code == 0
    world.policy(host_keys="first-use", retire_after_days=0)


def _removed(world: World) -> None:
    _changed(world)
    assert world.run("sync", "--allow-removals", "oak").code == 0
    world.policy(retention={"removed_rows_days": 1, "rejects_days": 1, "history_days": 1})
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    engine = engine_of(world.database_url)
    with engine.begin() as connection:
        for table in ROSTER.values():
            connection.execute(update(table).where(~table.c.active).values(removed_at=long_ago))
        connection.execute(update(CONNECTION).values(last_sync_at=long_ago))
    engine.dispose()


SCENARIOS = {
    "a first reconcile": Scenario(_new, ("reconcile", "--workers", "1")),
    "a sync that changes and removes": Scenario(
        _changed, ("sync", "--workers", "1", "--allow-removals", "oak")
    ),
    "what git approves": Scenario(_approved, ("reconcile", "--workers", "1")),
    "an edit put right": Scenario(_edited, ("reconcile", "--workers", "1")),
    "a stop": Scenario(_stopped, ("reconcile", "--workers", "1")),
    "a retirement that is over": Scenario(_retired, ("reconcile", "--workers", "1")),
    "a purge": Scenario(_removed, ("purge",)),
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_any_step_statement_or_commit_the_next_run_ends_where_an_undisturbed_one_does(
    name: str, world: World, nursery: Nursery, states: States, rounds: int, tmp_path: Path, figure: Figure
) -> None:
    scenario = SCENARIOS[name]
    scenario.before(world)
    start = states.keep()
    points = _points(scenario, nursery, states, start, tmp_path / "points")
    undisturbed = stored(world.database_url)
    for n in _chosen(len(points), rounds):
        where = f"killed at {n} of {len(points)}: {points[n - 1]}"
        states.restore(start)
        assert nursery.run(*scenario.command, change=ARMED, CRASH_AT=str(n)).code == -9, where

        again = nursery.run(*scenario.command)

        assert again.code == 0, where + again.out + again.err
        assert stored(world.database_url) == undisturbed, where
        assert _free(world.database_url), where
        assert list((tmp_path / "scratch").iterdir()) == [], where
        assert world.run("plan", "--detailed-exitcode").code == 0, where
    figure(f"{len(_chosen(len(points), rounds))} of {len(points)} points, each once")


def _points(scenario: Scenario, nursery: Nursery, states: States, start: str, listing: Path) -> list[str]:
    """Run it undisturbed, and write down by which points it comes."""
    states.restore(start)
    done = nursery.run(*scenario.command, change=ARMED, CRASH_LIST=str(listing))
    assert done.code == 0, done.out + done.err
    points = listing.read_text().splitlines()
    assert len(points) > 20
    return points


def _chosen(points: int, rounds: int) -> list[int]:
    """Every point in `make faults`; as many as there are rounds, evenly spread, in anything shorter."""
    step = 1 if rounds >= 100 else max(2 * points // (rounds + 1), 1)
    return list(range(step, points + 1, step))


def _free(database_url: str) -> bool:
    """Whether the next runner would have each district at once: a lease of the dead holds nobody up."""
    with Store(database_url) as store:
        for district in store.observe():
            store.release(store.acquire(district, wait_seconds=0))
    return True


def _held_leases(database_url: str) -> int:
    engine = engine_of(database_url)
    with engine.connect() as connection:
        held = connection.execute(text("SELECT count(*) FROM lease WHERE holder IS NOT NULL")).scalar_one()
    engine.dispose()
    return int(held)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["a first reconcile", "a sync that changes and removes"])
def test_killed_at_a_random_instant_the_next_run_ends_where_an_undisturbed_one_does(
    name: str, world: World, nursery: Nursery, states: States, rounds: int, tmp_path: Path, figure: Figure
) -> None:
    """Half of the rounds each: together, so many instants on each database."""
    scenario = SCENARIOS[name]
    scenario.before(world)
    start = states.keep()
    states.restore(start)
    began = time.monotonic()
    assert nursery.run(*scenario.command).code == 0
    span = time.monotonic() - began
    undisturbed = stored(world.database_url)
    wanted, in_time, tried = rounds // 2 or 1, 0, 0
    for instant in instants(4 * wanted, span, seed=len(name)):
        if in_time == wanted:
            break
        tried += 1
        where = f"killed after {instant:.3f} of {span:.3f} seconds"
        states.restore(start)
        process = nursery.start(*scenario.command)
        time.sleep(instant)
        in_time += process.kill().code == -9

        again = nursery.run(*scenario.command)

        assert again.code == 0, where + again.out + again.err
        assert stored(world.database_url) == undisturbed, where
        assert _free(world.database_url), where
        assert list((tmp_path / "scratch").iterdir()) == [], where
        assert world.run("plan", "--detailed-exitcode").code == 0, where
    figure(f"killed at {in_time} random instants (of {tried} tried) of a run of {span:.2f} s")


@pytest.mark.timeout(3600)
def test_a_killed_runner_makes_nobody_wait(
    world: World, nursery: Nursery, states: States, rounds: int, figure: Figure
) -> None:
    """On one machine the next runner sees that the holder is dead, and does not wait for its lease to end."""
    _new(world)
    start = states.keep()
    waits = []
    for _ in range(rounds // 4 or 1):
        states.restore(start)
        died = nursery.run("reconcile", change=ARMED + _DIE_IN_SYNC)
        assert died.code == -9
        assert _held_leases(world.database_url) == 1
        began = time.monotonic()
        assert nursery.run("reconcile").code == 0
        waits.append(time.monotonic() - began)
    figure(f"{len(waits)} holders killed; the next runner done after {max(waits):.2f} s at the longest")
    assert max(waits) < 25, "the lease of 30 seconds was waited for"


ELSEWHERE = """
import socket
from reconciler.store import holder
holder._machine = lambda: "another boot pid:[1]"
socket.gethostname = lambda: "elsewhere"
"""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_runner_killed_on_another_machine_makes_nobody_wait_for_its_lease(
    world: World, nursery: Nursery, states: States, rounds: int, figure: Figure
) -> None:
    """Nobody here can look its process up: its sign of life is gone."""
    _new(world)
    start = states.keep()
    waits = []
    for _ in range(rounds // 4 or 1):
        states.restore(start)
        died = nursery.run("reconcile", change=ELSEWHERE + ARMED + _DIE_IN_SYNC)
        assert died.code == -9
        assert _held_leases(world.database_url) == 1
        with Store(world.database_url) as store:
            began = time.monotonic()
            store.release(store.acquire("oak", wait_seconds=25))
            waits.append(time.monotonic() - began)
        assert nursery.run("reconcile").code == 0
    figure(f"{len(waits)} holders killed; the next runner in after {max(waits):.2f} s at the longest")
    assert max(waits) < 10, "the lease of 30 seconds was waited for"


_DIE_IN_SYNC = """
import os, signal
from reconciler.engine import steps
from reconciler.planning.change import Step
steps.STEPS[Step.SYNC] = lambda work: os.kill(os.getpid(), signal.SIGKILL)
"""
