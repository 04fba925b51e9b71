"""Copies of this process, each of which does a share of the work and sends back what it found."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 8


def how_many(work: int, worth: int) -> int:
    """Into how many processes so much work is best divided, where `worth` of it is worth a process."""
    return max(1, min(work // worth, _MOST, _processors())) if _may_fork() else 1


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _may_fork() -> bool:
    """A copy of a process with threads may wait for ever for a lock that one of them held."""
    return sys.platform == "linux" and threading.active_count() == 1


class Copy(Generic[T]):
    """Does `work` in a copy of this process, made at once; `result` waits for it.

    Whatever keeps the copy from its end, too little memory say, only costs time: the work is done here then.
    """

    def __init__(self, work: Callable[[], T]):
        self._work = work
        self._answer, out = os.pipe()
        self._id = os.fork()
        if self._id == 0:
            self._be_the_copy(out)
        os.close(out)

    def _be_the_copy(self, out: int) -> None:
        """Never returns, and leaves by a way on which nothing that the original has open is ended."""
        code = 1
        try:
            with open(out, "wb") as stream:
                pickle.dump(self._work(), stream, pickle.HIGHEST_PROTOCOL)
            code = 0
        finally:
            os._exit(code)

    def result(self) -> T:
        """What the work found. Asked for once."""
        try:
            with open(self._answer, "rb") as stream:  # noqa: PTH123 – it is a handle
                answer = stream.read()
        finally:
            _, status = os.waitpid(self._id, 0)
        if status != 0:
            return self._work()
        found: T = pickle.loads(answer)  # noqa: S301 – from our own copy, through a pipe of our own
        return found
