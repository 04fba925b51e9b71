"""A plan with what it is of, made by `plan` and shown in the form that was asked for."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.app import App
from reconciler.cli.exits import DONE
from reconciler.engine.planned import plan_fleet
from reconciler.errors import ReconcilerError
from reconciler.planning.connection import Connection
from reconciler.planning.plan import Plan
from reconciler.render.plan import plan_text
from reconciler.render.preview import preview_lines_markdown, preview_lines_text, preview_remark

if TYPE_CHECKING:
    from reconciler.cli.git.against import Against
    from reconciler.engine.preview import Preview
    from reconciler.planning.touched import Since


@dataclass(frozen=True, slots=True)
class Looked:
    """What a preview found on the districts' servers, and where the plan was saved."""

    previews: Mapping[str, Preview] = field(default_factory=dict)
    saved: Mapping[str, str] = field(default_factory=dict)
    """Path and digest of the plan file; empty where there is none."""
    exit_code: int = DONE
    """A failure weighs more than a hold."""

    def beside(self, plan: Plan) -> dict[str, Preview]:
        """Of districts that were asked for and have nothing to reconcile: what their next sync would do."""
        planned = {c.district for c in plan.changes}
        return {name: preview for name, preview in self.previews.items() if name not in planned}


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and all that was said and found with it."""

    plan: Plan
    desired: Mapping[str, Connection]
    refused: Mapping[str, ReconcilerError]
    """Of the districts that were planned, those whose files are wrong."""
    only: tuple[str, ...] = ()
    """Districts that were named."""
    scope: Collection[str] | None = None
    """The districts that were planned; None: all."""
    since: Since | None = None
    """What the branch touches, where nothing else was planned."""
    against: Against | None = None
    """The commit whose files were taken for the database."""
    looked: Looked | None = field(default=None, repr=False)
    """What a preview found, and where the plan was saved."""

    def looked_at(self, looked: Looked) -> Planned:
        """The same, with what was found on the districts' servers."""
        return replace(self, looked=looked)


def planned_here(
    app: App, only: tuple[str, ...], revision: str | None, allow_removals: Collection[str]
) -> Planned:
    """The files against the database; with a revision, of what the branch touches."""
    desired, refused = app.desired()
    since, names = _limited(app, only, revision)
    plan = plan_fleet(app.context(allow_removals), desired, refused=refused, only=names, glance=app.glance)
    return Planned(plan, desired, _of(names, refused), only, names, since)


def planned_against(app: App, revision: str, only: tuple[str, ...]) -> Planned:
    """The files against those of a commit. Raises UsageError, see `plan_against`."""
    from reconciler.cli.git.against import plan_against  # noqa: PLC0415 – only here git is asked

    app.ask_no_database()
    desired, refused = app.desired()
    plan, base = plan_against(app, revision, desired, refused, only or None)
    names = frozenset(only) or None
    return Planned(plan, desired, _of(names, refused), only, names, against=base)


def _of(names: frozenset[str] | None, refused: Mapping[str, ReconcilerError]) -> dict[str, ReconcilerError]:
    return {d: e for d, e in refused.items() if names is None or d in names}


def _limited(
    app: App, only: tuple[str, ...], revision: str | None
) -> tuple[Since | None, frozenset[str] | None]:
    """What `--since` and `--only` leave to be planned; no names: everything."""
    named = frozenset(only) or None
    if revision is None:
        return None, named
    from reconciler.cli.git.since import limited  # noqa: PLC0415 – only here git is asked

    since, names = limited(app, revision)
    if since.everything:
        return since, named
    return since, names & named if named else names


def show(app: App, planned: Planned, form: str) -> None:
    """Write the plan to standard output: `text`, `json` or `markdown`."""
    if form == "json":
        click.echo(json.dumps(_json(planned), indent=2))
    elif form == "markdown":
        click.echo(_markdown(app, planned))
    else:
        click.echo("\n".join(_text(planned)))


def _text(planned: Planned) -> list[str]:
    lines: list[str] = []
    looked = planned.looked
    for district, preview in (looked.beside(planned.plan) if looked else {}).items():
        lines += [f"= {district}  nothing to reconcile; its next sync:", *preview_lines_text(preview)]
    previews = looked.previews if looked else None
    lines.append(plan_text(planned.plan, planned.refused, previews, since=planned.since))
    if planned.against:
        commit = planned.against.commit[:12]
        lines.append(f"Compared with the files of {commit}; no database was asked.")
    if looked and looked.saved:
        lines.append(f"Saved as {looked.saved['path']}, digest {looked.saved['digest'][:12]}.")
    return lines


def _json(planned: Planned) -> dict[str, Any]:
    errors = [{"district": d, "error": e.to_json()} for d, e in sorted(planned.refused.items())]
    about = {"since": planned.since, "against": planned.against}
    document: dict[str, Any] = {
        **planned.plan.to_json(),
        "refused": errors,
        "digest": planned.plan.digest,
        **{name: value.to_json() for name, value in about.items() if value},
    }
    if planned.looked:
        _add_looked(document, planned.plan, planned.looked)
    return document


def _add_looked(document: dict[str, Any], plan: Plan, looked: Looked) -> None:
    for district in document["districts"]:
        if district["district"] in looked.previews:
            district["preview"] = looked.previews[district["district"]].to_json()
    beside = looked.beside(plan)
    if beside:
        document["next_syncs"] = [{"district": d, "preview": p.to_json()} for d, p in beside.items()]
    if looked.saved:
        document["plan_file"] = looked.saved


def _markdown(app: App, planned: Planned) -> str:
    from reconciler.cli.git.commit import read_commit  # noqa: PLC0415 – only a document names its commit
    from reconciler.render.plan_markdown import Notice, plan_markdown  # noqa: PLC0415

    commit, _ = read_commit(app.root, app.settings)
    found = planned.looked.previews if planned.looked else {}
    remarks = {district: preview_remark(preview) for district, preview in found.items()}
    about = Notice(
        commit,
        shlex.join(_words(planned)),
        planned.since,
        previews={district: preview_lines_markdown(preview) for district, preview in found.items()},
        remarks={district: remark for district, remark in remarks.items() if remark},
    )
    return plan_markdown(planned.plan, planned.refused, about)


def _words(planned: Planned) -> list[str]:
    """The command that prints the whole plan."""
    words = ["reconciler", "plan"]
    words += ["--since", planned.since.revision] if planned.since else []
    words += ["--against", planned.against.revision] if planned.against else []
    words += ["--preview"] if planned.looked and planned.looked.previews else []
    return words + [word for name in planned.only for word in ("--only", name)]
