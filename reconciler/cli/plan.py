"""`reconciler plan`: what reconcile would do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED, PENDING
from reconciler.engine.run import plan_fleet
from reconciler.errors import ReconcilerError
from reconciler.planning.plan import Plan
from reconciler.render.plan import plan_text

if TYPE_CHECKING:
    from reconciler.planning.touched import Since


@click.command("plan")
@click.option("--only", multiple=True, metavar="ID", help="Plan this district alone; may be repeated.")
@click.option("--since", "revision", metavar="REV", help="Plan what differs from where the branch left REV.")
@click.option("--impact", metavar="MAPPER", help="Show what a mapper's change does to those who use it.")
@format_option("text", "json", "markdown")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where changes are pending.")
@pass_app
def command(
    app: App,
    only: tuple[str, ...],
    revision: str | None,
    impact: str | None,
    form: str,
    detailed_exitcode: bool,
) -> int:
    """Show what reconcile would do. Reads the files and the database, and writes nothing.

    \b
    Example: reconciler plan --only riverbend-isd
             reconciler plan --since origin/main --format markdown
             reconciler plan --impact mappers/acme.json
    """
    app.check_known(only)
    if impact is not None:
        from reconciler.cli.impact import show_impact  # noqa: PLC0415 – few calls are about a mapper

        return show_impact(app, impact, only, revision, form, detailed_exitcode)
    desired, refused = app.desired()
    since, names = _limited(app, only, revision)
    plan = plan_fleet(app.context(), desired, refused=refused, only=names)
    if names is not None:
        refused = {d: e for d, e in refused.items() if d in names}
    if form == "json":
        click.echo(json.dumps(_json(plan, refused, since), indent=2))
    elif form == "markdown":
        click.echo(_markdown(app, plan, refused, since, only))
    else:
        click.echo(plan_text(plan, refused, since=since))
    if refused:
        return FAILED
    return PENDING if detailed_exitcode and not plan.is_empty else DONE


def _limited(
    app: App, only: tuple[str, ...], revision: str | None
) -> tuple[Since | None, frozenset[str] | None]:
    """What `--since` and `--only` leave to be planned; no names: everything."""
    named = frozenset(only) or None
    if revision is None:
        return None, named
    from reconciler.cli.since import limited  # noqa: PLC0415 – only here git is asked

    since, names = limited(app, revision)
    if since.everything:
        return since, named
    return since, names & named if named else names


def _json(plan: Plan, refused: Mapping[str, ReconcilerError], since: Since | None) -> dict[str, Any]:
    errors = [{"district": d, "error": e.to_json()} for d, e in sorted(refused.items())]
    said = {**plan.to_json(), "refused": errors, "digest": plan.digest}
    return {**said, "since": since.to_json()} if since else said


def _markdown(
    app: App, plan: Plan, refused: Mapping[str, ReconcilerError], since: Since | None, only: tuple[str, ...]
) -> str:
    from reconciler.cli.commit import read_commit  # noqa: PLC0415 – only a document names its commit
    from reconciler.render.plan_markdown import Notice, plan_markdown  # noqa: PLC0415

    commit, _ = read_commit(app.root, app.settings)
    words = ["reconciler", "plan", *(["--since", since.revision] if since else [])]
    words += [word for name in only for word in ("--only", name)]
    return plan_markdown(plan, refused, Notice(commit, shlex.join(words), since))
