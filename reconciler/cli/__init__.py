"""The command line: options, one call, render, exit code. The composition root.

`main` is the only place where errors become text and an exit code.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """The entry point of the command `reconciler`."""
    from reconciler.cli.main import run  # noqa: PLC0415 – imported late: nothing else needs click

    # A command makes many values and keeps them to its end: few searches for garbage, and none of the whole
    # at the end.
    gc.set_threshold(100_000, 20, 20)
    code = run(sys.argv[1:])
    gc.freeze()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
