"""What the command line makes only when it is asked for is made once."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

from reconciler.cli.app import Later


def test_there_is_one_whichever_thread_asks_first() -> None:
    made: list[object] = []

    def make() -> object:
        time.sleep(0.05)
        made.append(None)
        return SimpleNamespace(answer=42)

    later, answers = Later(make), []
    threads = [threading.Thread(target=lambda: answers.append(later.answer)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), answers) == (1, [42] * 8)
