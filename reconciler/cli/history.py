"""`reconciler history`: what happened, newest first."""

from __future__ import annotations

import json

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.cli.git.log import read_commits
from reconciler.render.history import history_text


@click.command("history")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many runs.")
@format_option("text", "json")
@pass_app
def command(app: App, id_: str | None, limit: int, form: str) -> int:
    """Show what happened, newest first: each run, its commit and author, what it changed, how it ended.

    Where the repository is a git checkout, each commit's subject, date, pull request and the files that it
    changed stand beside the run.

    \b
    Example: reconciler history riverbend-isd --limit 5
    """
    if id_:
        app.check_known([id_])
    runs = app.store.history(id_, limit)
    root = app.root_if_any
    commits = read_commits(root, app.settings, {r.commit for r in runs}) if root else {}
    if form == "json":
        git = {commit: said.to_json() for commit, said in commits.items()}
        click.echo(json.dumps([{**r.to_json(), "git": git.get(r.commit)} for r in runs], indent=2))
    else:
        click.echo(history_text(runs, commits))
    return DONE
