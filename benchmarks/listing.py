"""A sync whose files are those of the stored rows: one listing, and how much beyond the connection it costs.

`reconciler sync` runs within this process (a start of Python would be most of it), against OpenSSH's sshd in
processes of its own. In turns with it: connecting, logging in, listing and closing, with our own package.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measured import Measured, seconds
from benchmarks.one_server import fleet_of
from tests.servers import sshd_path

ROUNDS = 15
GOAL_MS = 50


def measure(students: int, folder: Path) -> Iterator[Measured]:
    """Of a small district: the files' size must not matter, since none is read."""
    if sshd_path() is None:
        print("listing: OpenSSH's sshd is not installed", file=sys.stderr)
        return
    with fleet_of(min(students, 1_000), folder) as fleet:
        fleet.reconciler("reconcile")
        taken = [_round(fleet.list_files, lambda: fleet.reconciler("sync")) for _ in range(ROUNDS + 1)][1:]
    bare, bare_cpu, whole, whole_cpu = (
        1000 * statistics.median(column) for column in zip(*taken, strict=True)
    )
    beyond = 1000 * statistics.median(each[2] - each[0] for each in taken)
    yield Measured(
        "unchanged files: a sync beyond connect, log in, list and close", beyond, None, GOAL_MS, unit="ms",
        note=f"{whole:.0f} ms, connection {bare:.0f} ms; processor {whole_cpu:.0f} and {bare_cpu:.0f} ms",
    )  # fmt: skip


def _round(*works: Callable[[], None]) -> tuple[float, ...]:
    """Of each work in turn the seconds of wall clock, and of this process's processors."""
    spent: list[float] = []
    for work in works:
        worked = time.process_time()
        spent += [seconds(work), time.process_time() - worked]
    return tuple(spent)
