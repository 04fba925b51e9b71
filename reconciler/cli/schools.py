"""`reconciler schools`: the schools that a district's files name, and what becomes of each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import click

from reconciler.authoring.schools import add_schools, writable
from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.cli.writing.files import replace_text
from reconciler.config.district import District, SchoolMapping
from reconciler.config.district_file import SCHEMA
from reconciler.documents.schema import load_schema
from reconciler.engine.schools import SchoolState, school_states
from reconciler.errors import ConfigError, UsageError
from reconciler.render.text import coloured, plural, table


@click.command("schools")
@click.argument("id_", metavar="ID")
@click.option("--write", is_flag=True, help="Add the suggestions to the district's file.")
@format_option("text", "json")
@pass_app
def command(app: App, id_: str, write: bool, form: str) -> int:
    """List a district's SIS schools: mapped, ignored or unmapped, each with its students.

    The list is what the last initialization or sync found. A suggestion is never applied by itself: --write
    puts it into the file, comments and order kept, and a reviewer and `reconcile` do the rest.
    """
    app.check_known([id_])
    desired, refused = app.desired()
    observed = app.store.observe_one(id_)
    connection = desired.get(id_) or (observed.connection if observed and id_ not in refused else None)
    if connection is None:
        error = refused[id_]
        raise ConfigError(error.message, code=error.code, hint=error.hint)
    learned = app.store.sis_schools(id_)
    if not learned and not connection.district.schools:
        raise UsageError(
            f"the schools of {id_} are not known yet",
            code="usage.not-initialized",
            hint=f"`reconciler reconcile --only {id_}` initializes it",
        )
    states = school_states(connection.district, learned)
    added: list[str] = []
    if write:
        district, added = _write(app, id_, states)
        states = school_states(district, learned)
    if form == "json":
        listed: dict[str, Any] = {"district": id_, "schools": [s.to_json() for s in states]}
        if write:
            listed |= {"file": app.fleet.files[id_], "added": added}
        click.echo(json.dumps(listed, indent=2))
    else:
        click.echo(_text(id_, states))
        if write:
            click.echo(f"{app.fleet.files[id_]}: {plural(len(added), 'school')} added.")
    return DONE


def _write(app: App, id_: str, states: list[SchoolState]) -> tuple[District, list[str]]:
    """Add what is suggested to the file; returns the district as it is now, and the ids that were added."""
    district = app.fleet.districts.get(id_)
    if district is None:
        raise UsageError(
            f"{id_} has no valid file to write to",
            code="usage.no-file",
            hint="`reconciler validate` says what is wrong; `reconciler import` writes a lost file anew",
        )
    wanted = [
        SchoolMapping(s.sis_id, s.suggestion, s.name)
        for s in states
        if s.state == "unmapped" and s.suggestion
    ]
    schools = [s for s in map(writable, wanted) if s]
    for left_out in sorted({s.sis_id for s in wanted} - {s.sis_id for s in schools}):
        click.echo(f"notice: the id {left_out!r} cannot be written into a file, and is left out", err=True)
    if schools:
        file = app.fleet.files[id_]
        path = app.root / file
        text = add_schools(path.read_bytes(), schools, file=file, schema=load_schema(SCHEMA))
        replace_text(path, text, root=app.root)
        mapped = sorted((*district.schools, *schools), key=lambda s: s.sis_id)
        district = replace(district, schools=tuple(mapped))
    return district, [s.sis_id for s in schools]


def _school(state: SchoolState) -> str:
    """The platform's school, or in parentheses what is suggested."""
    if not state.suggestion:
        return state.school or ""
    return (
        f"{state.school} (the files have {state.suggestion!r})" if state.school else f"({state.suggestion}?)"
    )


def _text(district: str, states: list[SchoolState]) -> str:
    rows = [
        (
            s.sis_id,
            s.name,
            s.students,
            coloured(s.state),
            _school(s),
        )
        for s in states
    ]
    waiting = [s for s in states if s.state == "unmapped"]
    lost = sum(s.students for s in waiting)
    end = f"{district}: {plural(len(states), 'school')}, {len(waiting)} unmapped"
    return (
        f"{table(('SIS ID', 'NAME', 'STUDENTS', 'STATE', 'SCHOOL'), rows)}\n{end} ({lost} students left out)."
    )
