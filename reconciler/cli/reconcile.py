"""`reconciler reconcile`: carry out what the files say."""

from __future__ import annotations

import json

import click

from reconciler.cli.ancestry import newest_only
from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.exits import exit_code_of_report
from reconciler.cli.progress import progress
from reconciler.engine.run import plan_fleet, reconcile
from reconciler.render.report import report_text


@click.command("reconcile")
@click.option("--only", multiple=True, metavar="ID", help="This district alone; may be repeated.")
@workers_option
@allow_removals_option
@click.option("--rollback", is_flag=True, help="Reconcile a commit that lacks the last one reconciled.")
@format_option("text", "json")
@pass_app
def command(
    app: App,
    only: tuple[str, ...],
    workers: int,
    allow_removals: tuple[str, ...],
    rollback: bool,
    form: str,
) -> int:
    """Carry out what the files say: test, initialize, map schools and sync what is new or changed.

    \b
    Example: reconciler reconcile --only riverbend-isd
    """
    app.check_known([*only, *allow_removals])
    desired, refused = app.desired()
    info = app.run_info("reconcile")
    guard = (lambda: None) if rollback else newest_only(app.root, app.settings, info, app.store)
    context = app.context(allow_removals)
    plan = plan_fleet(context, desired, refused=refused, only=only or None)
    if only:
        refused = {d: e for d, e in refused.items() if d in only}
    with progress(len(plan.changes)) as advance:
        report = reconcile(
            context, plan, desired, info,
            refused=refused, workers=workers, progress=advance, guard=guard,
        )  # fmt: skip
    click.echo(json.dumps(report.to_json(), indent=2) if form == "json" else report_text(report))
    return exit_code_of_report(report)
