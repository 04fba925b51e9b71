"""What a process must not say or leave when something goes wrong in it: memory, tracebacks, libraries' words.

A core dump holds every row and secret that was in memory; a traceback ends with an exception's text, and the
texts of libraries quote what they choked on.
"""

from __future__ import annotations

import logging
import resource
import sys
import threading
import warnings
from typing import TextIO

log = logging.getLogger("reconciler.libraries")


def keep_silent() -> None:
    """Once for a process, before it reads anything."""
    _dump_no_memory()
    sys.excepthook = lambda _, error, __: _told("the program ended", error)
    threading.excepthook = lambda ending: _told(f"the thread {_name(ending.thread)} ended", ending.exc_value)
    sys.unraisablehook = lambda ending: log.info("%s in a clean-up", type(ending.exc_value).__name__)
    warnings.showwarning = _warned


def _dump_no_memory() -> None:
    # One byte, and not none: the kernel ignores a limit of 0 where dumps are piped to a program (core(5)),
    # and takes 1 as "no dump" in either case.
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 0 if hard == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def _name(thread: threading.Thread | None) -> str:
    return thread.name if thread else "of no name"


def _told(what: str, error: BaseException | None) -> None:
    """Say that something ended, in our words: where and by which kind of exception."""
    from reconciler.cli.terminal.endings import ending_of  # noqa: PLC0415 – nearly never

    if error is not None:
        log.error("%s: %s", what, ending_of(error).message)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    log.info("%s at %s:%d", category.__name__, filename, lineno)


class Libraries(logging.Handler):
    """Hears what libraries log from warning on, and says who, where and of which exception: not their words.

    What matters to a person they raise, and is told as an error.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the record on at level info."""
        error = record.exc_info[0] if record.exc_info else None
        what = record.levelname.lower()
        log.info(
            "%s: %s in %s%s", record.name, what, record.funcName, f" ({error.__name__})" if error else ""
        )


def hear_libraries() -> None:
    """Put them under our own level and form. Without a handler, Python itself would print what they say."""
    root = logging.getLogger()
    if not any(isinstance(handler, Libraries) for handler in root.handlers):
        root.addHandler(Libraries())
