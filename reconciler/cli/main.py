"""The group of commands, its global options, and the end of every run: a message and an exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reconciler import __version__
from reconciler.cli.app import App
from reconciler.cli.exits import DONE
from reconciler.cli.terminal.logs import set_up_logging
from reconciler.cli.terminal.streams import guarded_streams
from reconciler.cli.terminal.usage import READ_BY_ALL, format_asked_for
from reconciler.settings import Settings

_COMMANDS = {
    "validate": ("reconciler.cli.validate", "Check the files alone: no network, no database, no secrets."),
    "explain": ("reconciler.cli.explain", "Show a district's settings, each with the place it comes from."),
    "new": ("reconciler.cli.new", "Write the file of a new district, with what its server tells."),
    "fmt": ("reconciler.cli.fmt", "Bring the files into canonical form: key order, quotes, spacing."),
    "plan": ("reconciler.cli.plan", "Show what reconcile would do."),
    "reconcile": ("reconciler.cli.reconcile", "Carry out what the files say."),
    "sync": ("reconciler.cli.sync", "Sync started connections again."),
    "approve": ("reconciler.cli.approve", "Write an approval of what a limit holds, for a pull request."),
    "test": ("reconciler.cli.test", "Test Connection: connect, check the key, log in, list the files."),
    "schools": ("reconciler.cli.schools", "List a district's schools: mapped, ignored or unmapped."),
    "map": ("reconciler.cli.map", "Run a mapper over local files."),
    "status": ("reconciler.cli.status", "Show every connection, its phase, rows and last problem."),
    "history": ("reconciler.cli.history", "Show what happened, newest first."),
    "export": ("reconciler.cli.export", "Print the active rows of an entity."),
    "rejects": ("reconciler.cli.rejects", "List the rows of the last sync that were not taken."),
    "purge": ("reconciler.cli.purge", "Erase what has been kept for long enough."),
    "seal": ("reconciler.cli.seal", "Seal a secret for one district's login, to stand in its file."),
    "import": (
        "reconciler.cli.import_",
        "Write district files for connections of the database that have none.",
    ),
    "db": ("reconciler.cli.db", "The database's tables, and the roles that may use them."),
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
    if database_url:
        _warn_of_password(database_url)


def _warn_of_password(database_url: str) -> None:
    from reconciler.config.database_url import holds_password  # noqa: PLC0415 – most calls give no URL

    if holds_password(database_url):
        click.echo(READ_BY_ALL, err=True)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code. Nothing leaves a traceback."""
    app = App()
    with guarded_streams():
        try:
            result: Any = group.main(list(arguments), prog_name="reconciler", standalone_mode=False, obj=app)
            sys.stdout.flush()
            return result if isinstance(result, int) else DONE
        except BrokenPipeError:
            return DONE
        except (Exception, KeyboardInterrupt) as error:
            from reconciler.cli.terminal.endings import ending_of, say  # noqa: PLC0415 – most calls end well

            ending = ending_of(error)
            say(ending, format_asked_for(arguments))
            return ending.exit_code
        finally:
            app.close()
