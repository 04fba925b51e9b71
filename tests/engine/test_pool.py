"""So many districts are worked on at once; who only waits for a server keeps nobody from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from reconciler.engine import desks, pool
from reconciler.engine.desks import waiting
from reconciler.engine.pool import run_jobs


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "PATIENCE_SECONDS", 0.05)


class Floor:
    """Counts who is at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0

    def work(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1


def run(jobs: list[Callable[[], int]], workers: int) -> list[int]:
    results, interrupted = run_jobs(jobs, workers, lambda _: None, threading.Event())
    assert not interrupted
    return results


def test_results_come_in_the_order_of_the_jobs_and_no_more_work_than_may() -> None:
    floor = Floor()

    def job(number: int) -> int:
        floor.work()
        return number

    assert run([lambda n=n: job(n) for n in range(40)], 3) == list(range(40))  # type: ignore[misc]
    assert floor.most <= 3


def test_servers_that_never_answer_keep_no_other_district_from_its_turn() -> None:
    others_done = threading.Event()

    def silent() -> int:
        with waiting():
            assert others_done.wait(20), "the others never had their turn"
        return 0

    def good(number: int) -> int:
        if number == 19:
            others_done.set()
        return number

    jobs = [silent] * 3 + [lambda n=n: good(n) for n in range(20)]  # type: ignore[misc]
    assert run(jobs, 2) == [0] * 3 + list(range(20))


def test_who_comes_back_from_waiting_is_counted_among_those_at_work() -> None:
    floor = Floor()

    def job() -> int:
        floor.work()
        with waiting():
            time.sleep(0.2)
        floor.work()
        return 1

    assert sum(run([job] * 30, 3)) == 30
    assert floor.most <= 3


def test_a_job_that_fails_gives_its_place_back() -> None:
    def fails() -> int:
        with waiting():
            time.sleep(0.1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([fails] * 3, 1)


def test_waiting_means_nothing_outside_of_a_pool_and_within_itself() -> None:
    with waiting(), waiting():
        pass

    def job() -> int:
        with waiting():
            with waiting():
                time.sleep(0.1)
            return 1

    assert sum(run([job] * 4, 1)) == 4


def test_an_interrupt_lets_those_at_work_end_and_starts_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping, begun = threading.Event(), []

    def job(number: int) -> int:
        begun.append(number)
        assert stopping.wait(60)
        return number

    real = pool._next

    def interrupted_once(*arguments: object) -> object:
        if len(begun) == 2 and not stopping.is_set():
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pool, "_next", interrupted_once)
    results, was = run_jobs([lambda n=n: job(n) for n in range(300)], 2, lambda _: None, stopping)  # type: ignore[misc]
    assert was
    assert sorted(results) == sorted(begun)
    assert len(begun) == 2
