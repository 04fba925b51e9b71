"""Wall-clock limits that nothing a server does can stretch.

paramiko's own timeouts restart with each byte, and some of its waits have none. So a timer cuts the
connection itself, which frees every blocked call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watchdog:
    """Calls `cut` when a stage outlives its seconds; `fired` stays true, since the connection is gone."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self.fired = False

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """A stage that has to end within `seconds`; leaves no thread behind."""
        timer = threading.Timer(max(seconds, 0), self._fire)
        timer.name = "sftp-watchdog"
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _fire(self) -> None:
        self.fired = True
        self._cut()
