"""`reconciler plan`: what reconcile would do."""

from __future__ import annotations

import json

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED, PENDING
from reconciler.engine.planned import plan_fleet
from reconciler.render.plan import plan_text


@click.command("plan")
@click.option("--only", multiple=True, metavar="ID", help="Plan this district alone; may be repeated.")
@format_option("text", "json")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where changes are pending.")
@pass_app
def command(app: App, only: tuple[str, ...], form: str, detailed_exitcode: bool) -> int:
    """Show what reconcile would do. Reads the files and the database, and writes nothing.

    \b
    Example: reconciler plan --only riverbend-isd
    """
    app.check_known(only)
    desired, refused = app.desired()
    plan = plan_fleet(app.context(), desired, refused=refused, only=only or None, glance=app.glance)
    if only:
        refused = {d: e for d, e in refused.items() if d in only}
    if form == "json":
        errors = [{"district": d, "error": e.to_json()} for d, e in sorted(refused.items())]
        click.echo(json.dumps({**plan.to_json(), "refused": errors, "digest": plan.digest}, indent=2))
    else:
        click.echo(plan_text(plan, refused))
    if refused:
        return FAILED
    return PENDING if detailed_exitcode and not plan.is_empty else DONE
