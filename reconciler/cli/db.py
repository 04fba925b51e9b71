"""`reconciler db`: what the owner of the database does for those who use it."""

from __future__ import annotations

import json

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.errors import UsageError


@click.group("db")
def command() -> None:
    """The database's tables, and the roles that may use them."""


@command.command("grant")
@click.option("--role", metavar="NAME", help="Who runs the program: may do what it does, and nothing else.")
@click.option("--reader", metavar="NAME", help="Who only looks: status, history, plan, export, rejects.")
def grant(role: str | None, reader: str | None) -> int:
    """Print the SQL that gives a PostgreSQL role what it needs. Nothing is executed.

    \b
    Example: reconciler db grant --role reconciler_app | psql -v ON_ERROR_STOP=1 -f - "$OWNER_URL"
    """
    from reconciler.store.grants import grants  # noqa: PLC0415 – `--help` needs none of it

    if not role and not reader:
        raise UsageError("nothing to grant", hint="name a role with --role or --reader")
    wanted = [grants(role)] if role else []
    wanted += [grants(reader, reader=True)] if reader else []
    click.echo("\n".join(wanted), nl=False)
    return DONE


@command.command("migrate")
@format_option("text", "json")
@pass_app
def migrate(app: App, form: str) -> int:
    """Create the tables, or bring them up to date. Every command does so where its role may.

    \b
    Example: reconciler --database-url "$OWNER_URL" db migrate
    """
    from reconciler.store.revisions import REVISIONS  # noqa: PLC0415 – as above

    where, version = app.store.location, REVISIONS[-1]
    if form == "json":
        click.echo(json.dumps({"database": where, "version": version}, indent=2))
    else:
        click.echo(f"The tables of {where} are of version {version}.")
    return DONE
