"""The local pool: one job for each district, a few of them at a time."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from reconciler.engine.desks import Desks

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_AWAY = 128
"""Districts that may wait for their servers beside those that are worked on: each has a few threads."""

_TICK_SECONDS = 0.1


class _NotBegunError(Exception):
    """The run was interrupted before it was this job's turn."""


def run_jobs(
    jobs: Sequence[Callable[[], T]], workers: int, progress: Callable[[T], None], stopping: threading.Event
) -> tuple[list[T], bool]:
    """Run the jobs, `workers` at a time; results in the order of the jobs, and whether it was interrupted.

    A job that waits for a server lends its place meanwhile. A first interrupt lets the districts at work end
    their step and starts no other; a second one ends the process, which is as safe, and ruder: the databases
    roll back.
    """
    desks = Desks(max(1, workers))
    threads = max(1, min(workers + MOST_AWAY, len(jobs)))
    pool = ThreadPoolExecutor(threads, thread_name_prefix="district")
    done: queue.SimpleQueue[Future[T]] = queue.SimpleQueue()
    futures = [pool.submit(_at_a_desk, desks, job) for job in jobs]
    for future in futures:
        future.add_done_callback(done.put)
    left, interrupted = len(futures), False
    while left:
        try:
            result = _next(done, desks)
            if result is not None:
                left -= 1
                _tell(result, progress)
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            stopping.set()
            desks.close()
            log.warning("interrupted: districts at work end their step; interrupt again to stop at once")
            pool.shutdown(wait=False, cancel_futures=True)
    pool.shutdown()
    return [f.result() for f in futures if _has_begun(f)], interrupted


def _at_a_desk(desks: Desks, job: Callable[[], T]) -> T:
    with desks.taken() as seated:
        if not seated:
            raise _NotBegunError
        return job()


def _next(done: queue.SimpleQueue[Future[T]], desks: Desks) -> Future[T] | None:
    """The next job that is done; None where there is none yet."""
    desks.lend()
    try:
        return done.get(timeout=_TICK_SECONDS)
    except queue.Empty:
        return None


def _tell(future: Future[T], progress: Callable[[T], None]) -> None:
    if _has_begun(future):
        progress(future.result())


def _has_begun(future: Future[T]) -> bool:
    return not future.cancelled() and not isinstance(future.exception(), _NotBegunError)
