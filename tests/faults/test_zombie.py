"""A runner that was paused and overtaken writes nothing when it wakes up."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.laboratory import ended, is_stopped, script, stored, until

TTL_SECONDS = 1.0
PAUSE = f"""
import os, signal, time
from reconciler.store import leases, store
leases.TTL_SECONDS = {TTL_SECONDS:g}
moment = os.environ["PAUSE_AT"]
real = getattr(store.Store, moment)
def paused(self, *arguments, **named):
    setattr(store.Store, moment, real)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(0.1)  # the other threads are stopped first, this one a moment later
    return real(self, *arguments, **named)
setattr(store.Store, moment, paused)
"""
MOMENTS = ("save", "advance", "learn_schools", "write_sync", "finish")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_runner_that_was_overtaken_writes_nothing(
    world: World, new_database: Callable[[], None], rounds: int, tmp_path: Path, moment: str
) -> None:
    world.district("oak", schools=["0042"])
    for _ in range(rounds // 2 or 1):
        new_database()
        world.put("oak", {"students.csv": students_csv(60), "contacts.csv": contacts_csv(60)})
        with ended(script(world, tmp_path, PAUSE, "reconcile", PAUSE_AT=moment)) as paused:
            until(lambda: is_stopped(paused), "the first runner to be paused")
            world.put("oak", {"students.csv": students_csv(70), "contacts.csv": contacts_csv(70)})
            time.sleep(TTL_SECONDS + 0.2)
            other = world.start("reconcile")
            out, err = other.communicate(timeout=120)
            assert other.returncode == 0, out + err
            after = stored(world.database_url)
            assert len(after["student"]) == 70

            paused.send_signal(signal.SIGCONT)
            out, err = paused.communicate(timeout=120)

        assert (paused.returncode, "lock.lost" in out) == (1, True), out + err
        assert "Traceback" not in err
        assert stored(world.database_url) == after
