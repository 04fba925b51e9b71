"""A runner that is paused inside a write transaction holds its lease's row: nobody waits for it for ever."""

from __future__ import annotations

import signal
import time

import pytest

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.laboratory import Figure, stored, until
from tests.faults.nursery import Nursery

TTL_SECONDS = 1
SILENT_SECONDS = 3
PAUSE = f"""
import os, signal, time
from reconciler.store import connections, leases, scope
leases.TTL_SECONDS = {TTL_SECONDS}
scope.SILENT_SECONDS = {SILENT_SECONDS}
real = connections.last_sync
def paused(*arguments):
    connections.last_sync = real
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(0.1)  # the other threads are stopped first, this one a moment later
    return real(*arguments)
connections.last_sync = paused
"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_runner_paused_amid_a_write_is_rolled_back_by_the_server_and_overtaken(
    world: World, nursery: Nursery, figure: Figure
) -> None:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(60), "contacts.csv": contacts_csv(60)})
    paused = nursery.start("reconcile", change=PAUSE)
    until(lambda: paused.is_stopped or paused.is_over, "a pause", 300)
    assert not paused.is_over, paused.wait()
    began = time.monotonic()
    world.put("oak", {"students.csv": students_csv(70), "contacts.csv": contacts_csv(70)})
    assert world.run("reconcile").code == 0
    figure(f"the next runner done {time.monotonic() - began:.1f} s after the pause began")
    after = stored(world.database_url)
    assert len(after["student"]) == 70

    paused.signal(signal.SIGCONT)
    done = paused.wait()

    assert (done.code, "lock.lost" in done.out) == (1, True), done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert stored(world.database_url) == after
