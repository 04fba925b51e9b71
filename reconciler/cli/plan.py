"""`reconciler plan`: what reconcile would do."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.app import App, allow_removals_option, format_option, pass_app, workers_option
from reconciler.cli.exits import DONE, FAILED, INTERRUPTED, PENDING
from reconciler.cli.plans.planned import Planned, planned_against, planned_here, show
from reconciler.errors import UsageError


@click.command("plan")
@click.option("--only", multiple=True, metavar="ID", help="Plan this district alone; may be repeated.")
@click.option("--since", metavar="REV", help="Plan what differs from where the branch left REV.")
@click.option("--against", metavar="REV", help="Compare with the files of this commit; no database is asked.")
@click.option("--impact", metavar="MAPPER", help="Show what a mapper's change does to those who use it.")
@click.option(
    "--preview", is_flag=True, help="Connect, download and map as well, and show what becomes of the rows."
)
@click.option(
    "--trust-hosts", is_flag=True, help="Let a preview log in to hosts that are new or changed: look first."
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="Write the plan to a file; `reconcile FILE` carries out exactly that.",
)  # fmt: skip
@workers_option
@allow_removals_option
@format_option("text", "json", "markdown")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where changes are pending.")
@pass_app
def command(
    app: App, *, only: tuple[str, ...], since: str | None, against: str | None, impact: str | None,
    preview: bool, trust_hosts: bool, out: Path | None, workers: int, allow_removals: tuple[str, ...],
    form: str, detailed_exitcode: bool,
) -> int:  # fmt: skip
    """Show what reconcile would do. Reads the files and the database, and writes nothing.

    \b
    Example: reconciler plan --only riverbend-isd
             reconciler plan --since origin/main --format markdown
             reconciler plan --against origin/main
             reconciler plan --impact mappers/acme.json
             reconciler plan --preview --out plan.json
    """
    _refuse_mixed(against=against, since=since, impact=impact, preview=preview, out=out)
    if against is not None:
        return _end(app, planned_against(app, against, only), form, detailed=detailed_exitcode)
    app.check_known([*only, *allow_removals])
    if impact is not None:
        from reconciler.cli.impact import show_impact  # noqa: PLC0415 – few calls are about a mapper

        return show_impact(app, impact, only, since, form, detailed_exitcode)
    planned = planned_here(app, only, since, allow_removals)
    if preview or out:
        from reconciler.cli.plans.preview import Asked, look  # noqa: PLC0415 – most plans ask no server

        looked = look(app, planned, Asked(preview, out, trust_hosts, workers, allow_removals))
        if looked.exit_code == INTERRUPTED:
            return INTERRUPTED
        planned = planned.looked_at(looked)
    return _end(app, planned, form, detailed=detailed_exitcode)


def _refuse_mixed(**said: object) -> None:
    """Raise UsageError where two options ask for different things."""
    named = [f"--{name}" for name, value in said.items() if value]
    for one in ("--against", "--impact"):
        others = [name for name in named if name != one and (one, name) != ("--impact", "--since")]
        if one in named and others:
            raise UsageError(f"{one} and {others[0]} cannot be said together", hint="leave one of them out")


def _end(app: App, planned: Planned, form: str, *, detailed: bool) -> int:
    """Show it, and say by the exit code what weighs most: a failure, a hold, changes that are pending."""
    show(app, planned, form)
    if planned.refused:
        return FAILED
    if planned.looked and planned.looked.exit_code:
        return planned.looked.exit_code
    return PENDING if detailed and not planned.plan.is_empty else DONE
