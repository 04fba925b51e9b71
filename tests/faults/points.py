"""Every point of a run at which something has just been done, or is about to be: places to be killed at.

In the process that is to die, `arm` counts them as they come by: what the engine's steps do, each file, each
statement of a transaction that writes, each COMMIT, before it and after. `CRASH_AT=n` kills the process at
the n-th of them; `CRASH_LIST=file` writes their names down instead. With one worker their order is always
the same.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_reached = 0
_doing = threading.local()


def point(name: str) -> None:
    """Here something may end."""
    global _reached  # noqa: PLW0603 – one process, one count
    _reached += 1
    listing = os.environ.get("CRASH_LIST")
    if listing:
        with Path(listing).open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    if _reached == int(os.environ.get("CRASH_AT", "0")):
        os.kill(os.getpid(), signal.SIGKILL)


def arm() -> None:
    """Patch this process; it is one of its own, and ends as this one."""
    from reconciler.engine import district, run, steps, visit  # noqa: PLC0415 – of the process that dies
    from reconciler.store import roster_merge, store  # noqa: PLC0415
    from reconciler.store.store import Store  # noqa: PLC0415

    for step, function in list(steps.STEPS.items()):
        steps.STEPS[step] = _between(f"step {step}", function)
    district.workspace = _folder(district.workspace)  # type: ignore[attr-defined]
    run.run_jobs = _between("districts", run.run_jobs)  # type: ignore[attr-defined]
    for owner, names in (
        (visit.Visit, ("listing", "download", "contents", "roster", "close")),
        (roster_merge, ("_merge_sqlite", "_copy_first", "_copy_in", "_upsert", "_remove")),
    ):
        for name in names:
            setattr(owner, name, _between(name.strip("_"), getattr(owner, name)))
    roster_merge._rows = _amid("merge_sqlite", roster_merge._rows)
    store.merge = _between("merge", store.merge)  # type: ignore[attr-defined]
    for name in _WRITES:
        setattr(Store, name, _named(name, getattr(Store, name)))
    _statements()


_WRITES = (
    "migrate", "acquire", "renew", "release", "recognize", "save", "advance", "keep_host_key",
    "keep_secret_slot", "learn_schools", "keep_rejects", "retire", "deactivate", "finish", "keep_pending",
    "write_sync", "begin_run", "record", "end_run", "purge_district", "purge_history",
)  # fmt: skip


def _between(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **named: Any) -> Any:
        point(f"{name}: begins")
        result = function(*arguments, **named)
        point(f"{name}: done")
        return result

    return wrapped


def _amid(name: str, rows: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def wrapped(*arguments: Any) -> Iterator[Any]:
        for number, row in enumerate(rows(*arguments)):
            if number == 3:
                point(f"{name}: amid its rows")
            yield row

    return wrapped


def _folder(make: Callable[..., Any]) -> Callable[..., Any]:
    @contextmanager
    def wrapped(*arguments: Any) -> Iterator[Path]:
        with make(*arguments) as folder:
            point("folder: made")
            yield folder
        point("folder: gone")

    return wrapped


def _named(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **named: Any) -> Any:
        before, _doing.what = getattr(_doing, "what", ""), name
        try:
            result = method(*arguments, **named)
        finally:
            _doing.what = before
        point(f"{name}: committed")
        return result

    return wrapped


def _statements() -> None:
    from sqlalchemy import Engine, event  # noqa: PLC0415

    def writes(connection: Any) -> bool:
        return bool(connection.get_execution_options().get("reconciler_writes"))

    def said(statement: str) -> str:
        return f"{getattr(_doing, 'what', '')}: {' '.join(statement.split()[:3])}"

    @event.listens_for(Engine, "before_cursor_execute")
    def before(connection: Any, _c: Any, statement: str, *_: Any) -> None:
        if writes(connection) and not statement.startswith("PRAGMA"):
            point(f"{said(statement)}: begins")

    @event.listens_for(Engine, "after_cursor_execute")
    def after(connection: Any, _c: Any, statement: str, *_: Any) -> None:
        if writes(connection) and not statement.startswith("PRAGMA"):
            point(f"{said(statement)}: done")

    @event.listens_for(Engine, "commit")
    def commit(connection: Any) -> None:
        if writes(connection):
            point(f"{getattr(_doing, 'what', '')}: COMMIT: begins")
