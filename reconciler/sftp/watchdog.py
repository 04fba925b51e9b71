"""Wall-clock limits that nothing a server does can stretch, but by sending what was asked for.

paramiko's own timeouts restart with each byte, and some of its waits have none. So a thread cuts the
connection itself, which frees every blocked call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def nothing() -> float:
    """What a stage earns in which nothing is measured."""
    return 0.0


class Watchdog:
    """Calls `cut` when a stage outlives its seconds; `fired` stays true, since the connection is gone."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self.fired = False

    @contextmanager
    def within(self, seconds: float, earned: Callable[[], float] = nothing) -> Iterator[None]:
        """A stage that has to end within `seconds`, and those earned meanwhile; leaves no thread behind.

        `earned` is called in another thread, and grows: a download is paid for each byte of its file.
        """
        over = threading.Event()
        until = time.monotonic() + seconds
        watch = threading.Thread(
            target=self._watch, args=(over, until, earned), name="sftp-watchdog", daemon=True
        )
        watch.start()
        try:
            yield
        finally:
            over.set()
            watch.join()

    def _watch(self, over: threading.Event, until: float, earned: Callable[[], float]) -> None:
        while (left := until + earned() - time.monotonic()) > 0:
            if over.wait(left):
                return
        if not over.is_set():
            self.fired = True
            self._cut()
