"""Copies of this process, each of which does a share of the work and sends back what it found."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
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

    def give_up(self) -> None:
        """End the copy, whose answer nobody asks for any more. In the place of `result`."""
        os.close(self._answer)
        os.kill(self._id, signal.SIGKILL)
        os.waitpid(self._id, 0)


class Draw:
    """The numbers from 0, which this process and its copies draw: each once, by whoever is free."""

    MOST = 256

    def __init__(self, count: int):
        """`count`: at most MOST. Made before the copies are."""
        self._numbers, filled = os.pipe()
        os.write(filled, bytes(range(count)))
        os.close(filled)

    def __iter__(self) -> Iterator[int]:
        while number := os.read(self._numbers, 1):
            yield number[0]

    def close(self) -> None:
        """Draw no more in this process. May be said again."""
        if self._numbers >= 0:
            os.close(self._numbers)
            self._numbers = -1
