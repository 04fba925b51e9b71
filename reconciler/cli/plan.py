"""`reconciler plan`: what reconcile would do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED, PENDING
from reconciler.engine.run import plan_fleet
from reconciler.errors import ReconcilerError, UsageError
from reconciler.planning.plan import Plan
from reconciler.render.plan import plan_text

if TYPE_CHECKING:
    from reconciler.cli.against import Against
    from reconciler.planning.touched import Since


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it is of."""

    plan: Plan
    refused: Mapping[str, ReconcilerError]
    only: tuple[str, ...] = ()
    since: Since | None = None
    """What the branch touches, where nothing else was planned."""
    against: Against | None = None
    """The commit whose files were taken for the database."""


@click.command("plan")
@click.option("--only", multiple=True, metavar="ID", help="Plan this district alone; may be repeated.")
@click.option("--since", "revision", metavar="REV", help="Plan what differs from where the branch left REV.")
@click.option("--against", metavar="REV", help="Compare with the files of this commit; no database is asked.")
@click.option("--impact", metavar="MAPPER", help="Show what a mapper's change does to those who use it.")
@format_option("text", "json", "markdown")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where changes are pending.")
@pass_app
def command(
    app: App,
    only: tuple[str, ...],
    revision: str | None,
    against: str | None,
    impact: str | None,
    form: str,
    detailed_exitcode: bool,
) -> int:
    """Show what reconcile would do. Reads the files and the database, and writes nothing.

    \b
    Example: reconciler plan --only riverbend-isd
             reconciler plan --since origin/main --format markdown
             reconciler plan --against origin/main
             reconciler plan --impact mappers/acme.json
    """
    if against is not None and (revision is not None or impact is not None):
        raise UsageError(
            "--against asks no database, which --since and --impact need",
            hint="say --against alone, or leave it out",
        )
    if against is None:
        app.check_known(only)
    if impact is not None:
        from reconciler.cli.impact import show_impact  # noqa: PLC0415 – few calls are about a mapper

        return show_impact(app, impact, only, revision, form, detailed_exitcode)
    planned = _against(app, against, only) if against is not None else _planned(app, only, revision)
    _show(app, planned, form)
    if planned.refused:
        return FAILED
    return PENDING if detailed_exitcode and not planned.plan.is_empty else DONE


def _planned(app: App, only: tuple[str, ...], revision: str | None) -> Planned:
    desired, refused = app.desired()
    since, names = _limited(app, only, revision)
    plan = plan_fleet(app.context(), desired, refused=refused, only=names)
    return Planned(plan, _of(names, refused), only, since)


def _against(app: App, revision: str, only: tuple[str, ...]) -> Planned:
    from reconciler.cli.against import plan_against  # noqa: PLC0415 – only here git is asked

    desired, refused = app.desired()
    plan, base = plan_against(app, revision, desired, refused, only or None)
    return Planned(plan, _of(frozenset(only) or None, refused), only, against=base)


def _of(names: frozenset[str] | None, refused: Mapping[str, ReconcilerError]) -> dict[str, ReconcilerError]:
    return {d: e for d, e in refused.items() if names is None or d in names}


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


def _show(app: App, planned: Planned, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(_json(planned), indent=2))
    elif form == "markdown":
        click.echo(_markdown(app, planned))
    else:
        click.echo(plan_text(planned.plan, planned.refused, since=planned.since))
        if planned.against:
            commit = planned.against.commit[:12]
            click.echo(f"Compared with the files of {commit}; no database was asked.")


def _json(planned: Planned) -> dict[str, Any]:
    errors = [{"district": d, "error": e.to_json()} for d, e in sorted(planned.refused.items())]
    about = {"since": planned.since, "against": planned.against}
    return {
        **planned.plan.to_json(),
        "refused": errors,
        "digest": planned.plan.digest,
        **{name: value.to_json() for name, value in about.items() if value},
    }


def _markdown(app: App, planned: Planned) -> str:
    from reconciler.cli.commit import read_commit  # noqa: PLC0415 – only a document names its commit
    from reconciler.render.plan_markdown import Notice, plan_markdown  # noqa: PLC0415

    commit, _ = read_commit(app.root, app.settings)
    words = ["reconciler", "plan"]
    words += ["--since", planned.since.revision] if planned.since else []
    words += ["--against", planned.against.revision] if planned.against else []
    words += [word for name in planned.only for word in ("--only", name)]
    about = Notice(commit, shlex.join(words), planned.since)
    return plan_markdown(planned.plan, planned.refused, about)
