"""`reconciler reconcile`: carry out what the files say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.commit import head, refuse_older
from reconciler.cli.exits import exit_code_of_report
from reconciler.engine.planned import plan_fleet, recognize, report_of_nothing
from reconciler.render.report import report_text

if TYPE_CHECKING:
    from reconciler.engine.context import Context
    from reconciler.engine.report import Report
    from reconciler.errors import ReconcilerError
    from reconciler.planning.connection import Connection
    from reconciler.planning.plan import Plan


@click.command("reconcile")
@click.option("--only", multiple=True, metavar="ID", help="This district alone; may be repeated.")
@workers_option
@allow_removals_option
@click.option("--rollback", is_flag=True, help="Reconcile a commit older than the last one reconciled.")
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
    if not rollback:
        refuse_older(app.root, head(app.root, app.settings), app.last_commit())
    context = app.context(allow_removals)
    plan = plan_fleet(context, desired, refused=refused, only=only or None, glance=app.glance)
    if only:
        refused = {d: e for d, e in refused.items() if d in only}
    recognize(context, desired, plan, app.glance)
    if plan.is_empty:
        report = report_of_nothing(plan, refused)
    else:
        report = _carry_out(app, context, plan, desired, refused, workers)
    click.echo(json.dumps(report.to_json(), indent=2) if form == "json" else report_text(report))
    return exit_code_of_report(report)


def _carry_out(
    app: App, context: Context, plan: Plan, desired: Mapping[str, Connection],
    refused: Mapping[str, ReconcilerError], workers: int,
) -> Report:  # fmt: skip
    from reconciler.cli.progress import progress  # noqa: PLC0415 – most runs find nothing to do
    from reconciler.engine.run import reconcile  # noqa: PLC0415

    info = app.run_info("reconcile")
    with progress(len(plan.changes)) as advance:
        return reconcile(context, plan, desired, info, refused=refused, workers=workers, progress=advance)
