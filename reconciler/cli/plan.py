"""`reconciler plan`: what reconcile would do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.exits import DONE, FAILED, INTERRUPTED, PENDING
from reconciler.engine.run import plan_fleet
from reconciler.errors import ReconcilerError
from reconciler.planning.plan import Plan
from reconciler.render.plan import plan_text
from reconciler.render.preview import preview_lines_text

if TYPE_CHECKING:
    from reconciler.cli.preview import Looked


@click.command("plan")
@click.option("--only", multiple=True, metavar="ID", help="Plan this district alone; may be repeated.")
@format_option("text", "json")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="Write the plan to a file; `reconcile FILE` carries out exactly that.",
)  # fmt: skip
@click.option(
    "--preview", is_flag=True, help="Connect, download and map as well, and show what becomes of the rows."
)
@click.option(
    "--trust-hosts", is_flag=True, help="Let a preview log in to hosts that are new or changed: look first."
)
@workers_option
@allow_removals_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where changes are pending.")
@pass_app
def command(
    app: App, *, only: tuple[str, ...], form: str, out: Path | None, preview: bool, trust_hosts: bool,
    workers: int, allow_removals: tuple[str, ...], detailed_exitcode: bool,
) -> int:  # fmt: skip
    """Show what reconcile would do. Reads the files and the database, and writes nothing.

    \b
    Example: reconciler plan --only riverbend-isd
             reconciler plan --preview --out plan.json
    """
    app.check_known([*only, *allow_removals])
    desired, refused = app.desired()
    plan = plan_fleet(app.context(allow_removals), desired, refused=refused, only=only or None)
    if only:
        refused = {d: e for d, e in refused.items() if d in only}
    looked: Looked | None = None
    if preview or out:
        from reconciler.cli.preview import Asked, look  # noqa: PLC0415 – most plans ask no server

        asked = Asked(preview, out, trust_hosts, workers, allow_removals, only or None)
        looked = look(app, plan, desired, refused, asked)
        if looked.exit_code == INTERRUPTED:
            return INTERRUPTED
    _show(form, plan, refused, looked)
    if refused:
        return FAILED
    if looked and looked.exit_code:
        return looked.exit_code
    return PENDING if detailed_exitcode and not plan.is_empty else DONE


def _show(form: str, plan: Plan, refused: Mapping[str, ReconcilerError], looked: Looked | None) -> None:
    previews, saved = (looked.previews, looked.saved) if looked else ({}, {})
    beside = looked.beside(plan) if looked else {}
    if form == "json":
        errors = [{"district": d, "error": e.to_json()} for d, e in sorted(refused.items())]
        document: dict[str, Any] = {**plan.to_json(), "refused": errors, "digest": plan.digest}
        for district in document["districts"]:
            if district["district"] in previews:
                district["preview"] = previews[district["district"]].to_json()
        if beside:
            document["next_syncs"] = [{"district": d, "preview": p.to_json()} for d, p in beside.items()]
        click.echo(json.dumps(document | ({"plan_file": saved} if saved else {}), indent=2))
        return
    for district, preview in beside.items():
        click.echo(
            "\n".join([f"= {district}  nothing to reconcile; its next sync:", *preview_lines_text(preview)])
        )
    click.echo(plan_text(plan, refused, previews))
    if saved:
        click.echo(f"Saved as {saved['path']}, digest {saved['digest'][:12]}.")
