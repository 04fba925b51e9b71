"""`reconciler status`: every connection as the database has it."""

from __future__ import annotations

import json

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.render.status import status_text


@click.command("status")
@click.argument("id_", metavar="[ID]", required=False)
@format_option("text", "json")
@pass_app
def command(app: App, id_: str | None, form: str) -> int:
    """Show every connection: its phase, sync status, rows and last problem."""
    if id_:
        app.check_known([id_])
    views = app.store.connections(id_)
    if form == "json":
        click.echo(json.dumps([v.to_json() for v in views], indent=2))
    else:
        click.echo(status_text(views, detailed=id_ is not None))
    return DONE
