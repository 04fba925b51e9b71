"""`reconciler reconcile`: carry out what the files say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.ancestry import newest_only
from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.exits import exit_code_of_report
from reconciler.cli.progress import progress
from reconciler.engine.run import plan_fleet, reconcile
from reconciler.render.report import report_text


@click.command("reconcile")
@click.argument("plan_file", required=False, type=click.Path(path_type=Path))
@click.option("--only", multiple=True, metavar="ID", help="This district alone; may be repeated.")
@workers_option
@allow_removals_option
@click.option("--rollback", is_flag=True, help="Reconcile a commit that lacks the last one reconciled.")
@format_option("text", "json")
@pass_app
def command(
    app: App,
    plan_file: Path | None,
    only: tuple[str, ...],
    workers: int,
    allow_removals: tuple[str, ...],
    rollback: bool,
    form: str,
) -> int:
    """Carry out what the files say: test, initialize, map schools and sync what is new or changed.

    With PLAN_FILE, which `plan --out` has written, exactly that plan; where its files or the database have
    moved since, nothing is done.

    \b
    Example: reconciler reconcile --only riverbend-isd
             reconciler reconcile plan.json
    """
    run = None
    if plan_file:
        from reconciler.cli.saved import SavedRun  # noqa: PLC0415 – most runs have no such file

        run = SavedRun(plan_file, only, allow_removals)
    app.check_known([*only, *allow_removals])
    desired, refused = app.desired()
    info = app.run_info("reconcile")
    guard = (lambda: None) if rollback else newest_only(app.root, app.settings, info, app.store)
    context = app.context(allow_removals)
    if run:
        plan = run.plan(app, desired, refused, allow_removals)
        context = replace(context, planned=run.planned(plan))
        info = replace(info, plan_digest=run.saved.digest)
    else:
        plan = plan_fleet(context, desired, refused=refused, only=only or None)
    wanted = run.only if run else only
    if wanted:
        refused = {d: e for d, e in refused.items() if d in wanted}
    with progress(len(plan.changes)) as advance:
        report = reconcile(
            context, plan, desired, info,
            refused=refused, saved=run.saved if run else None, workers=workers, progress=advance,
            guard=guard,
        )  # fmt: skip
    click.echo(json.dumps(report.to_json(), indent=2) if form == "json" else report_text(report))
    return exit_code_of_report(report)
