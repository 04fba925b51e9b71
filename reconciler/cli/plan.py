"""`reconciler plan`: what reconcile would do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.exits import DONE, FAILED, HELD, INTERRUPTED, PENDING
from reconciler.engine.report import Outcome
from reconciler.engine.run import plan_fleet
from reconciler.errors import ReconcilerError
from reconciler.planning.plan import Plan
from reconciler.render.plan import plan_text

if TYPE_CHECKING:
    from reconciler.engine.preview import Preview


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
    observed = app.store.observe()
    plan = plan_fleet(
        app.context(allow_removals), desired, refused=refused, only=only or None, observed=observed
    )
    if only:
        refused = {d: e for d, e in refused.items() if d in only}
    previews: Mapping[str, Preview] = {}
    if preview:
        from reconciler.cli.preview import preview as look  # noqa: PLC0415 – most plans ask no server

        previews, interrupted = look(
            app, plan, desired, observed,
            allow_removals=allow_removals, trust_hosts=trust_hosts, workers=workers,
        )  # fmt: skip
        if interrupted:
            return INTERRUPTED
    saved: dict[str, str] = {}
    if out:
        from reconciler.cli.saved import write_plan  # noqa: PLC0415 – as above

        saved = write_plan(
            app, out, plan, desired, observed, refused,
            only=only, previews=previews if preview else None, allow_removals=allow_removals,
        )  # fmt: skip
    _show(form, plan, refused, previews, saved)
    return _exit_code(plan, refused, previews, detailed=detailed_exitcode)


def _show(
    form: str, plan: Plan, refused: Mapping[str, ReconcilerError], previews: Mapping[str, Preview],
    saved: Mapping[str, str],
) -> None:  # fmt: skip
    if form == "json":
        errors = [{"district": d, "error": e.to_json()} for d, e in sorted(refused.items())]
        document: dict[str, Any] = {**plan.to_json(), "refused": errors, "digest": plan.digest}
        for district in document["districts"]:
            if district["district"] in previews:
                district["preview"] = previews[district["district"]].to_json()
        click.echo(json.dumps(document | ({"plan_file": saved} if saved else {}), indent=2))
        return
    click.echo(plan_text(plan, refused, previews))
    if saved:
        click.echo(f"Saved as {saved['path']}, digest {saved['digest'][:12]}.")


def _exit_code(
    plan: Plan, refused: Mapping[str, ReconcilerError], previews: Mapping[str, Preview], *, detailed: bool
) -> int:
    """A failure weighs more than a hold, and that more than changes that are pending."""
    outcomes = {p.outcome for p in previews.values()}
    if refused or Outcome.FAILED in outcomes:
        return FAILED
    if Outcome.BLOCKED in outcomes:
        return HELD
    return PENDING if detailed and not plan.is_empty else DONE
