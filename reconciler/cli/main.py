"""The group of commands, its global options, and the end of every run: a message and an exit code."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reconciler import __version__
from reconciler.cli.app import App
from reconciler.cli.exits import FAILED, INTERRUPTED, USAGE, exit_code_of
from reconciler.cli.logs import set_up_logging
from reconciler.errors import ReconcilerError
from reconciler.settings import Settings

_COMMANDS = {
    "validate": ("reconciler.cli.validate", "Check the files alone: no network, no database, no secrets."),
    "plan": ("reconciler.cli.plan", "Show what reconcile would do."),
    "reconcile": ("reconciler.cli.reconcile", "Carry out what the files say."),
    "sync": ("reconciler.cli.sync", "Sync started connections again."),
    "test": ("reconciler.cli.test", "Test Connection: connect, check the key, log in, list the files."),
    "schools": ("reconciler.cli.schools", "List a district's schools: mapped, ignored or unmapped."),
    "map": ("reconciler.cli.map", "Run a mapper over local files."),
    "status": ("reconciler.cli.status", "Show every connection, its phase, rows and last problem."),
    "history": ("reconciler.cli.history", "Show what happened, newest first."),
    "export": ("reconciler.cli.export", "Print the active rows of an entity."),
    "rejects": ("reconciler.cli.rejects", "List the rows of the last sync that were not taken."),
    "demo": ("reconciler.cli.demo", "A throwaway fleet, taken through the whole of it."),
}
"""Name to module and one line of help. A module is imported only when its command runs."""


class _Commands(click.Group):
    """The commands, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 something failed, 2 changes pending (plan --detailed-exitcode), "
    "3 a safety limit holds a district, 64 wrong usage, 130 interrupted.",
)
@click.option(
    "-C", "root", type=click.Path(path_type=Path), metavar="DIR", help="The configuration repository."
)
@click.option("--database-url", metavar="URL", help="sqlite:///PATH or postgresql://…")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What is logged to standard error.",
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.version_option(__version__, prog_name="reconciler")
@click.pass_context
def group(
    context: click.Context, root: Path | None, database_url: str | None, log_level: str, log_format: str
) -> None:
    """Config-as-code for K-12 roster integrations: districts in git become synced rosters."""
    set_up_logging(log_level, log_format)
    settings = Settings.from_env()
    context.obj.configure(settings, root, database_url)
    if settings.no_color:
        context.color = False


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code. Nothing but a bug of ours leaves a traceback."""
    app = App()
    try:
        result: Any = group.main(list(arguments), prog_name="reconciler", standalone_mode=False, obj=app)
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        _say(app, "usage", error.format_message(), _usage_hint(error))
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: what was finished stays finished, nothing is half done", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        _say(app, "usage", error.format_message(), "")
        return FAILED
    except ReconcilerError as error:
        _say(app, error.code, error.message, error.hint, getattr(error, "problems", ()))
        return exit_code_of(error)
    except BrokenPipeError:
        return 0
    finally:
        app.close()


def _usage_hint(error: click.UsageError) -> str:
    return f"see `{error.ctx.command_path} --help`" if error.ctx else "see `reconciler --help`"


def _say(app: App, code: str, message: str, hint: str, problems: Sequence[Any] = ()) -> None:
    """An error that ended the command: JSON on standard output where that was asked for, else text."""
    if app.format == "json":
        listed = [p.to_json() for p in problems]
        error = {"code": code, "message": message, "hint": hint}
        click.echo(json.dumps({"ok": False, "error": error, "problems": listed}, indent=2))
    if app.format == "markdown":
        from reconciler.render.plan_markdown import failure_markdown  # noqa: PLC0415 – few errors need it

        click.echo(failure_markdown(code, message, hint, problems))
    # Here no command is running that would know of NO_COLOR, and perhaps none ever was.
    colour = False if Settings.from_env().no_color else None
    head = click.style("error", fg="red", bold=True)
    click.echo(f"{head} [{code}] {message}", err=True, color=colour)
    for problem in problems:
        click.echo(f"  {problem.file}:{problem.line}:{problem.column} {problem.message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
