"""What every fault has in common: a world to break, what was stored in it, and how often to try.

`make faults` tries each fault as often as docs/reliability.md says, `make test` a few times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, DateTime, Engine, create_engine, select

from reconciler.store.columns import UtcTime
from reconciler.store.tables import METADATA, RUN, RUN_RESULT
from tests.acceptance.world import World

_ABOUT_RUNS = {"run", "run_result", "lease", "alembic_version"}
"""Tables that say how often something was tried; every other one must end the same however often it was."""
_ABOUT_TIME = (DateTime, UtcTime)
_ABOUT_LAST_RUN = {"outcome", "last_sync_outcome"}
"""Columns that say how the last run ended: a second one finds nothing to do, and says so."""
_ABOUT_WRITING = {"writes", "delta_key"}
"""Columns that count a connection's writes, and a random key that each of them may draw anew."""


Figure = Callable[[str], None]
"""Says what was measured; `make faults` prints it at its end."""


def engine_of(database_url: str) -> Engine:
    """A way into the database beside the program's own."""
    return create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))


def stored(database_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without times and without what tells of runs."""
    engine = engine_of(database_url)
    found: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for name, table in METADATA.tables.items():
            if name not in _ABOUT_RUNS:
                columns = [c for c in table.columns if not _is_about_runs(c)]
                found[name] = sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)
    engine.dispose()
    return found


def _is_about_runs(column: Column[Any]) -> bool:
    return isinstance(column.type, _ABOUT_TIME) or column.name in _ABOUT_LAST_RUN | _ABOUT_WRITING


def newest_run(database_url: str) -> list[tuple[str, float]]:
    """The districts of the newest run as they were done: how many seconds after its start."""
    engine = engine_of(database_url)
    newest = select(RUN).order_by(RUN.c.started_at.desc()).limit(1)
    results = select(RUN_RESULT.c.district, RUN_RESULT.c.at).order_by(RUN_RESULT.c.id)
    with engine.connect() as connection:
        run = connection.execute(newest).one()
        found = connection.execute(results.where(RUN_RESULT.c.run == run.id)).all()
    engine.dispose()
    return [(row.district, (row.at - run.started_at).total_seconds()) for row in found]


def instants(rounds: int, span: float, seed: int) -> Iterator[float]:
    """So many instants of a run that takes `span` seconds, always the same for one seed."""
    chosen = random.Random(seed)
    return (chosen.uniform(0.02, span) for _ in range(rounds))


def script(
    world: World, folder: Path, body: str, *arguments: str, **environment: str
) -> subprocess.Popen[str]:
    """The program in a process of its own, after a few lines that change it."""
    path = folder / "changed.py"
    path.write_text(f"{body}\nfrom reconciler.cli import main\nmain()\n", encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(path), "-C", str(world.root), *arguments],
        env={**os.environ, **world.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for a condition. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} seconds for {what}"
        time.sleep(0.01)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone afterwards, stopped or not."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
