"""What ended a command, as an error in words and an exit code. Nothing leaves a traceback."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reconciler.cli.exits import FAILED, INTERRUPTED, USAGE, exit_code_of
from reconciler.cli.terminal.usage import in_our_words
from reconciler.errors import ReconcilerError
from reconciler.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """An error that ended a command, and the exit code that says so."""

    exit_code: int
    code: str
    message: str
    hint: str = ""
    problems: Sequence[Any] = ()
    """Findings in files, each told with its place."""


def ending_of(error: BaseException) -> Ending:
    """The ending that an exception means; a fault of ours too is told in words, without what it quotes."""
    if isinstance(error, click.UsageError):
        said = in_our_words(error)
        return Ending(USAGE, said.code, said.message, said.hint)
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        message = "interrupted: what was finished stays finished, nothing is half done"
        return Ending(INTERRUPTED, "interrupted", message)
    if isinstance(error, click.ClickException):
        return Ending(FAILED, "usage", error.format_message())
    if isinstance(error, ReconcilerError):
        problems = getattr(error, "problems", ())
        return Ending(exit_code_of(error), error.code, error.message, error.hint, problems)
    if isinstance(error, OSError) and error.strerror:
        return _refused(error)
    return _fault(error)


def _refused(error: OSError) -> Ending:
    where = f" ({error.filename})" if isinstance(error.filename, str) else ""
    return Ending(
        FAILED,
        "local.refused",
        f"this machine refused: {(error.strerror or '').lower()}{where}",
        "check the space and the rights there",
    )


def _fault(error: BaseException) -> Ending:
    """A fault of ours: where it is, and not its text, for messages of libraries may quote rows."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "reconciler" in f.filename] or list(frames)
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    log.debug("internal: %s at %s", type(error).__name__, [(f.filename, f.lineno) for f in frames])
    return Ending(
        FAILED,
        "internal",
        f"a fault in reconciler ({type(error).__name__}{where})",
        "please report it with the version and this line; --log-level debug says more",
    )


def say(ending: Ending, form: str) -> None:
    """The error: as JSON on standard output where that was asked for, and as text on standard error."""
    if form == "json":
        listed = [p.to_json() for p in ending.problems]
        error = {"code": ending.code, "message": ending.message, "hint": ending.hint}
        click.echo(json.dumps({"ok": False, "error": error, "problems": listed}, indent=2))
    if form == "markdown":
        from reconciler.render.plan_markdown import failure_markdown  # noqa: PLC0415 – few errors need it

        click.echo(failure_markdown(ending.code, ending.message, ending.hint, ending.problems))
    if ending.exit_code == INTERRUPTED:
        click.echo(ending.message, err=True)
        return
    # Here no command is running that would know of NO_COLOR, and perhaps none ever was.
    colour = False if Settings.from_env().no_color else None
    head = click.style("error", fg="red", bold=True)
    click.echo(f"{head} [{ending.code}] {ending.message}", err=True, color=colour)
    for problem in ending.problems:
        click.echo(f"  {problem}", err=True)
    if ending.hint:
        click.echo(f"  {ending.hint}", err=True)
