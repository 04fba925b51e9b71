"""Killed at any instant, the next run ends where an undisturbed one does; nothing is to clear by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.laboratory import instants, stored

STUDENTS = 2000


@pytest.fixture
def oak(world: World) -> World:
    """Two districts, with enough rows that a sync can be killed in the midst of one."""
    for name in ("oak", "elm"):
        world.district(name, schools=["0042"])
        world.put(name, {"students.csv": students_csv(STUDENTS), "contacts.csv": contacts_csv(STUDENTS)})
    return world


@pytest.mark.timeout(3600)
def test_killed_at_a_random_instant_the_next_run_ends_where_an_undisturbed_one_does(
    oak: World, new_database: Callable[[], None], rounds: int, tmp_path: Path
) -> None:
    new_database()
    began = time.monotonic()
    _run(oak)
    span = time.monotonic() - began
    undisturbed = stored(oak.database_url)
    assert len(undisturbed["student"]) == 2 * STUDENTS
    for instant in instants(rounds, span, seed=len(oak.database_url)):
        new_database()
        process = oak.start("reconcile")
        time.sleep(instant)
        process.kill()
        process.communicate()

        _run(oak)

        assert stored(oak.database_url) == undisturbed, f"killed after {instant:.3f} of {span:.3f} seconds"
        assert oak.run("plan", "--detailed-exitcode").code == 0
        assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.timeout(3600)
def test_killed_in_a_later_sync_the_next_one_ends_where_an_undisturbed_one_does(
    oak: World, new_database: Callable[[], None], rounds: int
) -> None:
    fewer = {"students.csv": students_csv(STUDENTS - 50), "contacts.csv": contacts_csv(STUDENTS - 50)}
    more = {"students.csv": students_csv(STUDENTS, grade="06"), "contacts.csv": contacts_csv(STUDENTS)}
    oak.put("oak", fewer)
    _run(oak)
    oak.put("oak", more)
    began = time.monotonic()
    _run(oak, "sync", "--allow-removals", "oak")
    span = time.monotonic() - began
    undisturbed = stored(oak.database_url)
    for instant in instants(rounds // 2 or 1, span, seed=len(oak.database_url)):
        new_database()
        oak.put("oak", fewer)
        _run(oak)
        oak.put("oak", more)
        process = oak.start("sync", "--allow-removals", "oak")
        time.sleep(instant)
        process.kill()
        process.communicate()

        _run(oak, "sync", "--allow-removals", "oak")

        rows = ("student", "contact", "relationship", "staff", "reject", "sis_school")
        now = stored(oak.database_url)
        assert {n: now[n] for n in rows} == {n: undisturbed[n] for n in rows}


def _run(world: World, *arguments: str) -> None:
    process = world.start(*(arguments or ("reconcile",)))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
