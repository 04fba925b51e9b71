"""`reconciler plan`: what reconcile would do."""

from __future__ import annotations

import json

import click

from reconciler.cli.against import Against, plan_against
from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED, PENDING
from reconciler.engine.run import plan_fleet
from reconciler.render.plan import plan_text


@click.command("plan")
@click.option("--only", multiple=True, metavar="ID", help="Plan this district alone; may be repeated.")
@format_option("text", "json")
@click.option("--against", metavar="REV", help="Compare with the files of this commit; no database is asked.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where changes are pending.")
@pass_app
def command(app: App, only: tuple[str, ...], against: str | None, form: str, detailed_exitcode: bool) -> int:
    """Show what reconcile would do. Reads the files and the database, and writes nothing.

    \b
    Example: reconciler plan --only riverbend-isd
             reconciler plan --against origin/main
    """
    desired, refused = app.desired()
    base: Against | None = None
    if against is None:
        app.check_known(only)
        plan = plan_fleet(app.context(), desired, refused=refused, only=only or None)
    else:
        plan, base = plan_against(app, against, desired, refused, only or None)
    if only:
        refused = {d: e for d, e in refused.items() if d in only}
    if form == "json":
        errors = [{"district": d, "error": e.to_json()} for d, e in sorted(refused.items())]
        about = {"against": base.to_json()} if base else {}
        click.echo(
            json.dumps({**plan.to_json(), "refused": errors, "digest": plan.digest, **about}, indent=2)
        )
    else:
        click.echo(plan_text(plan, refused))
        if base:
            click.echo(f"Compared with the files of {base.commit[:12]}; no database was asked.")
    if refused:
        return FAILED
    return PENDING if detailed_exitcode and not plan.is_empty else DONE
