"""Progress on standard error: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.engine.report import Result

if TYPE_CHECKING:
    from reconciler.engine.preview import Preview

Advance = Callable[["Result | Preview"], None]
"""Called with each district that is done."""


@contextmanager
def progress(total: int) -> Iterator[Advance]:
    """A callback for each finished district; draws only where a person looks."""
    if total < 2 or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 – slow to import, and seldom needed
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[trouble]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("districts", total=total, trouble="")
        troubled = 0

        def advance(result: Result | Preview) -> None:
            nonlocal troubled
            troubled += result.error is not None
            bar.update(task, advance=1, trouble=f"{troubled} with trouble" if troubled else "")

        yield advance
