"""`reconciler schools`: the schools that a district's files name, and what becomes of each."""

from __future__ import annotations

import json

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.engine.schools import SchoolState, school_states
from reconciler.errors import ConfigError, UsageError
from reconciler.render.text import coloured, plural, table


@click.command("schools")
@click.argument("id_", metavar="ID")
@format_option("text", "json")
@pass_app
def command(app: App, id_: str, form: str) -> int:
    """List a district's SIS schools: mapped, ignored or unmapped, each with its students.

    The list is what the last initialization or sync found. A suggestion is never applied by itself.
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
    if form == "json":
        click.echo(json.dumps({"district": id_, "schools": [s.to_json() for s in states]}, indent=2))
    else:
        click.echo(_text(id_, states))
    return DONE


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
