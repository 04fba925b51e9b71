"""`reconciler history`: what happened, newest first."""

from __future__ import annotations

import json

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.render.history import history_text


@click.command("history")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many runs.")
@format_option("text", "json")
@pass_app
def command(app: App, id_: str | None, limit: int, form: str) -> int:
    """Show what happened, newest first: each run, its commit and author, what it changed, how it ended."""
    if id_:
        app.check_known([id_])
    runs = app.store.history(id_, limit)
    if form == "json":
        click.echo(json.dumps([r.to_json() for r in runs], indent=2))
    else:
        click.echo(history_text(runs))
    return DONE
