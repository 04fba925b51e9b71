"""`reconciler explain`: what counts for a district, and which line of which file says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED
from reconciler.config.district_file import read_district_file
from reconciler.config.explain import Setting, district_settings, policy_settings
from reconciler.config.fleet import Fleet
from reconciler.config.fleet_settings import fleet_document
from reconciler.config.secret_rules import Asker, secret_rules, variables_of, without_secrets
from reconciler.documents.reader import open_document
from reconciler.documents.wording import did_you_mean
from reconciler.errors import MapperError, Problem, UsageError
from reconciler.render.explain import Explanation, explanation_text
from reconciler.render.problems import is_ok

if TYPE_CHECKING:
    from reconciler.mapping.library import LoadedMapper


@click.command("explain")
@click.argument("id_", metavar="ID")
@format_option("text", "json")
@pass_app
def command(app: App, id_: str, form: str) -> int:
    """Show a district's settings, each with its value and the file and line that it comes from.

    Reads the files alone: no network, no database, no secrets. A file with errors is explained as far as it
    can be read; the exit code is 1 then.

    \b
    Example: reconciler explain riverbend-isd
    """
    told = _explanation(app, id_)
    click.echo(json.dumps(told.to_json(), indent=2) if form == "json" else explanation_text(told))
    return DONE if is_ok(told.problems) else FAILED


def _explanation(app: App, district: str) -> Explanation:
    fleet = app.fleet
    file = _file_of(fleet, district)
    rules = fleet_document(app.root)
    problems = _problems(fleet, district, file)
    own, _ = open_document(fleet.root / file, display=file, root=fleet.root)
    settings = district_settings(own, rules, fleet.settings.defaults, problems) if own else []
    mapper = _mapper(app, settings)
    if mapper:
        problems += [p for p in mapper[0].problems if p.severity == "error"]
    policy = policy_settings(rules, fleet.settings.policy, variables_of(settings))
    asker = _asker(fleet, district, settings)
    return Explanation(
        district=district,
        file=file,
        settings=[*without_secrets(settings, asker), *policy],
        mapper=mapper,
        secrets=secret_rules(settings, asker),
        problems=problems,
    )


def _file_of(fleet: Fleet, district: str) -> str:
    """The district's file. Raises UsageError where it has none."""
    if district in fleet.files:
        return fleet.files[district]
    if district in fleet.refused:
        return fleet.refused[district][0].file
    near = did_you_mean(district, fleet.files)
    raise UsageError(
        f"there is no district {district!r} under districts/",
        code="usage.district",
        hint=near or "a district's id is the name of its file under districts/, without .yaml",
    )


def _problems(fleet: Fleet, district: str, file: str) -> list[Problem]:
    """The file's own, whatever its name, and those that it has with others."""
    own = read_district_file(
        fleet.root / file, file=file, root=fleet.root, defaults=fleet.settings.defaults
    ).problems
    shared = [p for p in fleet.problems if p.file == file]
    found = dict.fromkeys([*own, *shared, *fleet.refused.get(district, ())])
    return sorted(found, key=lambda p: (p.file, p.line, p.column, p.path))


def _mapper(app: App, settings: Sequence[Setting]) -> Sequence[LoadedMapper]:
    name = _value(settings, "mapper")
    try:
        return app.library.lineage(name) if name else ()
    except MapperError:
        return ()  # that there is none of this name is among the problems


def _asker(fleet: Fleet, district: str, settings: Sequence[Setting]) -> Asker:
    return Asker(
        district=district,
        host=_value(settings, "sftp.host"),
        ids={*fleet.files, *fleet.refused},
        policy=fleet.settings.policy,
        providers=frozenset(entry_points(group="reconciler.secrets").names),
    )


def _value(settings: Sequence[Setting], path: str) -> str:
    return next((str(s.value) for s in settings if s.path == path and s.value is not None), "")
