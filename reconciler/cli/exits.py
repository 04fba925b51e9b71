"""The exit codes, and what leads to each. Scripts rely on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import HoldError, ReconcilerError, UsageError

if TYPE_CHECKING:
    from reconciler.engine.report import Report

DONE = 0
FAILED = 1
PENDING = 2
HELD = 3
USAGE = 64
INTERRUPTED = 130


def exit_code_of(error: ReconcilerError) -> int:
    """Of a command that an error ended."""
    if isinstance(error, UsageError):
        return USAGE
    return HELD if isinstance(error, HoldError) else FAILED


def exit_code_of_report(report: Report) -> int:
    """Of a run: a failure weighs more than a hold, for a hold needs only a decision."""
    if report.interrupted:
        return INTERRUPTED
    summary = report.summary()
    if summary["failed"]:
        return FAILED
    return HELD if summary["blocked"] else DONE
