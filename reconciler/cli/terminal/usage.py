"""How the program was called: what can be known, or must be refused, before a command has been found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import click

from reconciler.errors import UsageError

READ_BY_ALL = (
    "warning: everyone on this machine can read the password in --database-url; "
    "give the URL in RECONCILER_DATABASE_URL"
)
_SECRET_OPTION = re.compile(
    r"-+((sftp|ssh|host|user|my)-)?(pass(word|wd|phrase)?|pwd|secret|(private|secret|ssh|api|identity)-?key"
    r"|key|token|credentials?|identity)",
    re.IGNORECASE,
)


def format_asked_for(arguments: Sequence[str]) -> str:
    """The value of the last `--format`; `text` where there is none.

    Read before anything else, so that even a call that makes no sense is answered in the form asked for.
    """
    found = "text"
    for argument, following in pairwise((*arguments, "")):
        name, equals, value = argument.partition("=")
        if name == "--format":
            found = value if equals else following
    return found


def in_our_words(error: click.UsageError) -> UsageError:
    """The library's complaint, without anything that may be a secret put where none belongs."""
    if isinstance(error, click.NoSuchOption) and _SECRET_OPTION.fullmatch(error.option_name):
        return UsageError(
            f"there is no option {error.option_name}: a secret is never given on the command line, "
            "where everyone on this machine can read it",
            code="usage.secret",
            hint="name in the district's file where it is found, as password: {env: …}; "
            "change the secret if this was a real one",
        )
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return UsageError("no command is named", hint=f"`{error.ctx.command_path} --help` lists them")
    see = f"see `{error.ctx.command_path} --help`" if error.ctx else "see `reconciler --help`"
    if isinstance(error, click.exceptions.NoSuchCommand) and error.ctx:
        from reconciler.mapping.near import nearest  # noqa: PLC0415 – only of a name that is not there

        meant = nearest(error.command_name, _commands(error.ctx))
        return UsageError(error.message, hint=meant or see)
    message = error.format_message()
    if message.startswith("Got unexpected extra argument"):
        # The library repeats them, a password typed after an ID too.
        message = "there are more arguments than the command takes"
    return UsageError(message, hint=see)


def _commands(context: click.Context) -> list[str]:
    group = context.command
    return group.list_commands(context) if isinstance(group, click.Group) else []
