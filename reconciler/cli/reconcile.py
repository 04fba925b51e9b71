"""`reconciler reconcile`: carry out what the files say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.exits import exit_code_of_report
from reconciler.cli.git.ancestry import newest_only, refuse_older
from reconciler.cli.git.commit import head
from reconciler.engine.planned import plan_fleet, recognize, report_of_nothing
from reconciler.render.report import report_text

if TYPE_CHECKING:
    from reconciler.engine.context import Context
    from reconciler.engine.report import Report
    from reconciler.errors import ReconcilerError
    from reconciler.planning.connection import Connection
    from reconciler.planning.plan import Plan
    from reconciler.planning.saved_plan import SavedPlan


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
    saved = None
    if plan_file:
        from reconciler.cli.plans.saved import SavedRun  # noqa: PLC0415 – most runs have no such file

        saved = SavedRun(plan_file, only, allow_removals)
    commit = head(app.root, app.settings)  # before any file is read: a checkout can move meanwhile
    app.check_known([*only, *allow_removals])
    desired, refused = app.desired()
    if not rollback:
        refuse_older(app.root, app.settings, commit, app.last_commit())
    context = app.context(allow_removals)
    if saved:
        plan = saved.plan(app, desired, refused, allow_removals)
        context = replace(context, planned=saved.planned(plan))
    else:
        plan = plan_fleet(context, desired, refused=refused, only=only or None, glance=app.glance)
    wanted = saved.only if saved else only
    if wanted:
        refused = {d: e for d, e in refused.items() if d in wanted}
    recognize(context, desired, plan, app.glance)
    if plan.is_empty:
        report = report_of_nothing(plan, refused)
    else:
        work = _Work(context, plan, desired, refused, commit, saved.saved if saved else None)
        report = _carry_out(app, work, workers, rollback=rollback)
    click.echo(json.dumps(report.to_json(), indent=2) if form == "json" else report_text(report))
    return exit_code_of_report(report)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be carried out, and what it is held to."""

    context: Context
    plan: Plan
    desired: Mapping[str, Connection]
    refused: Mapping[str, ReconcilerError]
    commit: str
    """Whose files were read; empty where there is none."""
    saved: SavedPlan | None


def _carry_out(app: App, work: _Work, workers: int, *, rollback: bool) -> Report:
    from reconciler.cli.terminal.progress import progress  # noqa: PLC0415 – most runs find nothing to do
    from reconciler.engine.run import reconcile  # noqa: PLC0415

    info = app.run_info("reconcile")
    if info.commit.removesuffix("-dirty") != work.commit:
        info = replace(info, commit=work.commit, author="")
    if work.saved:
        info = replace(info, plan_digest=work.saved.digest)
    guard = (lambda: None) if rollback else newest_only(app.root, app.settings, info, app.store)
    with progress(len(work.plan.changes)) as advance:
        return reconcile(
            work.context, work.plan, work.desired, info,
            refused=work.refused, saved=work.saved, workers=workers, progress=advance, guard=guard,
        )  # fmt: skip
