"""With nothing changed, a second run opens no connection to any server and writes no row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.world import World, students_csv
from tests.faults.nursery import Nursery

LISTEN = """
import os
from sqlalchemy import Engine, event

def note(connection, cursor, statement, *_):
    with open(os.environ["STATEMENTS"], "a") as file:
        file.write(statement.split()[0].upper() + "\\n")

event.listen(Engine, "before_cursor_execute", note)
"""


@pytest.mark.timeout(3600)
def test_a_second_reconcile_opens_no_connection_and_writes_nothing(
    world: World, nursery: Nursery, rounds: int, tmp_path: Path
) -> None:
    for number in range(200 if rounds >= 100 else 3):
        world.put(f"district-{number}", {"students.csv": students_csv(5)})
        world.district(f"district-{number}", schools=["0042"])
    assert nursery.run("reconcile").code == 0
    world.seen.clear()
    statements = tmp_path / "statements"

    done = nursery.run("reconcile", "--format", "json", change=LISTEN, STATEMENTS=str(statements))

    assert (done.code, json.loads(done.out)["results"]) == (0, [])
    assert world.seen == []
    written = set(statements.read_text().split()) if statements.exists() else set()
    assert written.isdisjoint({"INSERT", "UPDATE", "DELETE", "COPY", "BEGIN IMMEDIATE"})
