"""The local pool: one job for each district, a few of them at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


def run_jobs(
    jobs: Sequence[Callable[[], T]], workers: int, progress: Callable[[T], None], stopping: threading.Event
) -> tuple[list[T], bool]:
    """Run the jobs, `workers` at a time; results in the order of the jobs, and whether it was interrupted.

    A first interrupt lets the districts at work end their step and starts no other; a second one ends the
    process, which is as safe, and ruder: the databases roll back.
    """
    pool = ThreadPoolExecutor(max(1, min(workers, len(jobs) or 1)), thread_name_prefix="district")
    futures = [pool.submit(job) for job in jobs]
    pending: set[Future[T]] = set(futures)
    interrupted = False
    while pending:
        try:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                if not future.cancelled():
                    progress(future.result())
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            stopping.set()
            log.warning("interrupted: districts at work end their step; interrupt again to stop at once")
            pending = {f for f in pending if not f.cancel()}
    pool.shutdown()
    return [f.result() for f in futures if not f.cancelled()], interrupted
