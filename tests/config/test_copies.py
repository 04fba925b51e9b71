"""Copies of the process that do a share of the work."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from reconciler.config import copies
from reconciler.config.copies import Copy, how_many


def test_the_work_is_done_in_another_process() -> None:
    there, here = Copy(os.getpid).result(), os.getpid()
    assert there != here


def test_an_answer_larger_than_a_pipe_comes_whole() -> None:
    assert len(Copy(lambda: b"x" * 3_000_000).result()) == 3_000_000


ENDS = {
    "exits": lambda: os._exit(3),
    "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "fails": lambda: 1 / 0,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_copy_that_comes_to_nothing_leaves_the_work_to_us(end: Callable[[], object]) -> None:
    ours = os.getpid()

    def work() -> str:
        if os.getpid() != ours:
            end()
        return "done"

    assert Copy(work).result() == "done"


def test_no_copy_is_made_beside_threads() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert how_many(10_000, 10) == 1
    finally:
        over.set()
        thread.join()


def test_a_little_work_is_not_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_may_fork", lambda: True)
    monkeypatch.setattr(copies, "_processors", lambda: 64)
    assert [how_many(work, 500) for work in (0, 499, 1000, 100_000)] == [1, 1, 2, 8]
