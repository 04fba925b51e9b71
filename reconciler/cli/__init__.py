"""The command line: options, one call, render, exit code. The composition root.

`main` is the only place where errors become text and an exit code.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The entry point of the command `reconciler`."""
    from reconciler.cli.main import run  # noqa: PLC0415 – imported late: nothing else needs click

    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
