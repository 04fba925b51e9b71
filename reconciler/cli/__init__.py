"""The command line: options, one call, render, exit code. The composition root.

`main` is the only place where errors become text and an exit code.
"""

from __future__ import annotations

import gc
import os
import sys
import threading

_INTERRUPTED = 130


def main() -> None:
    """The entry point of the command `reconciler`."""
    try:
        # Imported late: nothing else needs click, and an interrupt may come as early as here.
        from reconciler.cli.main import run  # noqa: PLC0415
        from reconciler.cli.terminal.silence import keep_silent  # noqa: PLC0415
        from reconciler.cli.terminal.streams import prepare_streams  # noqa: PLC0415

        prepare_streams()
        keep_silent()
        # A command makes many values and keeps them to its end: few searches for garbage, and none of the
        # whole at the end.
        gc.set_threshold(100_000, 20, 20)
        code = run(sys.argv[1:])
        if "duckdb" not in sys.modules:  # it takes what is not collected at the end for a leak, and says so
            gc.freeze()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    if code == _INTERRUPTED and threading.active_count() > 1:
        # A second interrupt does not wait for the districts at work: their databases roll back.
        os._exit(code)
    sys.exit(code)
