"""Whoever reads while a district is synced sees its roster before or after, never between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.laboratory import Figure, engine_of
from tests.faults.nursery import Nursery

SIZES = {"05": 400, "06": 300}
"""Each grade's roster has a size of its own: any mixture of two is known by it."""
LOOK = text("""
    SELECT min(s.grade), max(s.grade), count(*), count(c.id), count(r.student) FROM student s
    LEFT JOIN relationship r ON r.district = s.district AND r.student = s.id AND r.active
    LEFT JOIN contact c ON c.district = r.district AND c.id = r.contact AND c.active
    WHERE s.district = 'oak' AND s.active""")


@pytest.mark.timeout(3600)
def test_a_reader_never_sees_half_a_sync(world: World, nursery: Nursery, rounds: int, figure: Figure) -> None:
    world.district("oak", schools=["0042"])
    _deliver(world, "05")
    assert nursery.run("reconcile").code == 0
    syncs = max(rounds // 2, 1)
    with _reading(world.database_url) as seen:
        for turn in range(syncs):
            _deliver(world, ("06", "05")[turn % 2])
            done = nursery.run("sync", "--allow-removals", "oak")
            assert done.code == 0, done.out + done.err
    assert set(seen) <= {(grade, grade, size, size, size) for grade, size in SIZES.items()}
    figure(f"{len(seen)} looks during {syncs} syncs, 0 of them at a mixture")


def _deliver(world: World, grade: str) -> None:
    size = SIZES[grade]
    world.put("oak", {"students.csv": students_csv(size, grade=grade), "contacts.csv": contacts_csv(size)})


@contextmanager
def _reading(database_url: str) -> Iterator[list[tuple[object, ...]]]:
    """What a reader sees who does nothing else, for as long as it lasts."""
    engine, over = engine_of(database_url), threading.Event()
    seen: list[tuple[object, ...]] = []

    def read() -> None:
        while not over.wait(0.001):
            with engine.connect() as connection:
                seen.append(tuple(connection.execute(LOOK).one()))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        engine.dispose()
