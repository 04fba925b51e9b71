"""`reconciler sync`: a recurring sync of started connections."""

from __future__ import annotations

import json

import click

from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.exits import exit_code_of_report
from reconciler.cli.terminal.progress import progress
from reconciler.engine.run import sync
from reconciler.render.report import report_text


@click.command("sync")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@workers_option
@allow_removals_option
@format_option("text", "json")
@pass_app
def command(app: App, ids: tuple[str, ...], workers: int, allow_removals: tuple[str, ...], form: str) -> int:
    """Sync started connections again: all of them, or those named.

    What was applied last is synced; a file that was edited since waits for `reconcile`.
    """
    app.check_known([*ids, *allow_removals])
    desired, _ = app.desired()
    with progress(len(ids) or len(desired)) as advance:
        report = sync(
            app.context(allow_removals), desired, app.run_info("sync"),
            only=ids or None, workers=workers, progress=advance,
        )  # fmt: skip
    click.echo(json.dumps(report.to_json(), indent=2) if form == "json" else report_text(report))
    return exit_code_of_report(report)
