"""A runner that was paused and overtaken writes nothing when it wakes up."""

from __future__ import annotations

import signal
import time
from itertools import cycle, islice

import pytest

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.laboratory import Figure, stored, until
from tests.faults.nursery import Nursery
from tests.faults.states import States

TTL_SECONDS = 1
PAUSE = f"""
import os, signal, threading, time
from reconciler.store import leases, store
leases.TTL_SECONDS = {TTL_SECONDS:g}
moment = os.environ["PAUSE_AT"]
real, renew, renewing = getattr(store.Store, moment), store.Store.renew, threading.Lock()
def renewed(self, lease):
    with renewing:
        renew(self, lease)
def paused(self, *arguments, **named):
    setattr(store.Store, moment, real)
    with renewing:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.1)  # the other threads are stopped first, this one a moment later
    return real(self, *arguments, **named)
store.Store.renew = renewed
setattr(store.Store, moment, paused)
"""
"""Pauses between transactions; of one that is paused amid a write, docs/safety.md tells."""
MOMENTS = ("write_sync", "save", "advance", "learn_schools", "finish")


@pytest.mark.timeout(7200)
def test_a_runner_that_was_overtaken_writes_nothing(
    world: World, nursery: Nursery, states: States, rounds: int, figure: Figure
) -> None:
    """Half as many rounds as the crashes have, at each of the moments in turn."""
    world.district("oak", schools=["0042"])
    start, turns = states.keep(), max(rounds // 2, 1)
    for moment in islice(cycle(MOMENTS), turns):
        states.restore(start)
        world.put("oak", {"students.csv": students_csv(60), "contacts.csv": contacts_csv(60)})
        paused = nursery.start("reconcile", change=PAUSE, PAUSE_AT=moment)
        until(lambda: paused.is_stopped or paused.is_over, "a pause", 300)  # noqa: B023
        assert not paused.is_over, paused.wait()
        world.put("oak", {"students.csv": students_csv(70), "contacts.csv": contacts_csv(70)})
        time.sleep(TTL_SECONDS + 0.2)
        assert world.run("reconcile").code == 0
        after = stored(world.database_url)
        assert len(after["student"]) == 70

        paused.signal(signal.SIGCONT)
        done = paused.wait()

        assert (done.code, "lock.lost" in done.out) == (1, True), moment + done.out + done.err
        assert "Traceback" not in done.err
        assert stored(world.database_url) == after, moment
    figure(f"{turns} runners paused and overtaken, {turns} ended with lock.lost, 0 rows written by them")
