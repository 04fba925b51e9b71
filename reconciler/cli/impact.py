"""`reconciler plan --impact MAPPER`: what a mapper's change does to every district that uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.app import App
from reconciler.cli.exits import DONE, PENDING
from reconciler.cli.git.asking import Git
from reconciler.cli.git.mapper_history import MapperHistory
from reconciler.cli.git.since import branch_point
from reconciler.config.district import District
from reconciler.errors import ConfigError, ReconcilerError, UsageError
from reconciler.mapping.files_known import KnownFiles
from reconciler.mapping.library import MapperLibrary
from reconciler.mapping.model import Mapper
from reconciler.mapping.near import nearest
from reconciler.planning.connection import Connection, Observed, spec_digest
from reconciler.planning.impact import Applied, DistrictImpact, Impact, Verdict, district_impact, impact_of
from reconciler.planning.touched import with_extensions
from reconciler.render.impact import impact_markdown, impact_text
from reconciler.roster.delta import Snapshot

_FEW = 20
"""Districts whose rows are counted one by one; of more, all are counted at once."""
_ENDINGS = (".json", ".yaml", ".yml")
_ARCHIVES = (".zip", ".gz")


def show_impact(
    app: App, wanted: str, only: tuple[str, ...], revision: str | None, form: str, detailed: bool
) -> int:
    """Print the report. Exit code 0; with `detailed` 2 where any district's rows may not stay as they are."""
    name, library = _library(app, wanted)
    impact = _impact(app, name, library, only, revision)
    if form == "json":
        click.echo(json.dumps(impact.to_json(), indent=2))
    else:
        click.echo(impact_text(impact) if form == "text" else impact_markdown(impact))
    affected = any(d.verdict is not Verdict.NONE for d in impact.districts)
    return PENDING if detailed and affected else DONE


def _library(app: App, wanted: str) -> tuple[str, MapperLibrary]:
    """The mapper's name, and the mappers with it among them: a file elsewhere counts for the one of its name.

    Raises UsageError for what is neither a mapper's name nor a file with one.
    """
    path = next((p for p in (app.root / wanted, Path(wanted)) if p.is_file()), None)
    is_file = path is not None or "/" in wanted or wanted.endswith(_ENDINGS)
    name = Path(wanted).stem if is_file else wanted
    used = {o.connection.district.mapper for o in app.store.observe().values()}
    if name not in app.library.names() | used:
        meant = nearest(name, app.library.names())
        raise UsageError(
            f"there is no mapper {name!r}",
            code="usage.mapper",
            hint=meant or "say a mapper's name, its file under mappers/, or a draft of it with that name",
        )
    own = (app.root / "mappers").resolve()
    if path is None or path.resolve().parent == own or Path(wanted).parts[0] == "mappers":
        return name, app.library
    return name, MapperLibrary(app.root, {name: path})


def _impact(
    app: App, name: str, library: MapperLibrary, only: tuple[str, ...], revision: str | None
) -> Impact:
    git = Git(app.root, app.settings)
    base = [branch_point(git, revision)[1]] if revision is not None else []
    first = [*base, app.store.last_commit().removesuffix("-dirty"), git.line("rev-parse", "HEAD")]
    observed = app.store.observe()
    names = with_extensions({name}, library.bases())
    users = {d: u for d, u in _users(app, observed, names) if not only or d in only}
    rows = _rows(app, users)
    with MapperHistory(git, first, app.library) as history:
        found = [
            _of_district(app, history, library, district, spec, observed.get(district), rows)
            for district, spec in users.items()
        ]
    return impact_of(name, found)


def _users(
    app: App, observed: Mapping[str, Observed], mappers: frozenset[str]
) -> Iterator[tuple[str, District]]:
    """The districts whose files name one of these mappers; refused ones as they were applied last."""
    fleet = app.fleet
    for district in fleet.districts.values():
        if district.mapper in mappers:
            yield district.id, district
    for name in fleet.refused:
        applied = observed[name].connection.district if name in observed else None
        if applied and applied.mapper in mappers and name not in fleet.districts:
            yield name, applied


def _rows(app: App, users: Mapping[str, District]) -> dict[str, Mapping[str, int]]:
    if len(users) > _FEW:
        views = app.store.connections()
    else:
        views = [view for name in users for view in app.store.connections(name)]
    return {view.district: view.rows for view in views}


def _of_district(
    app: App, history: MapperHistory, library: MapperLibrary, name: str, spec: District,
    observed: Observed | None, rows: Mapping[str, Mapping[str, int]],
) -> DistrictImpact:  # fmt: skip
    applied = _applied(app, history, name, observed, rows.get(name, {})) if observed else None
    new = _mapper(library, spec.mapper)
    if name in app.fleet.refused and not isinstance(new, ReconcilerError):
        first = app.fleet.refused[name][0]
        reason = f"its file is refused: {first.file}:{first.line}: {first.message}"
        return DistrictImpact(name, Verdict.UNKNOWN, reason=reason, rows=rows.get(name, {}))
    return district_impact(name, new, spec.sync, applied)


def _mapper(library: MapperLibrary, name: str) -> Mapper | ReconcilerError:
    try:
        return library.get(name)
    except (ConfigError, ReconcilerError) as error:
        return error


def _applied(
    app: App, history: MapperHistory, name: str, observed: Observed, rows: Mapping[str, int]
) -> Applied:
    """What is known of a district: its files at the last sync, and the mapper as it was."""
    snapshot, connection = app.store.snapshot(name), observed.connection
    found = history.find(connection.district.mapper, lambda digest: _made(snapshot, connection, digest))
    mapper, commit = found or (None, "")
    return Applied(mapper.digest if mapper else "", _known(snapshot), rows, mapper, commit)


def _made(snapshot: Snapshot, connection: Connection, mapper_digest: str) -> bool:
    """Whether the stored rows were made with this mapper.

    What is on record of the connection may be newer than its rows: of a sync that failed, or is held.
    """
    return spec_digest(replace(connection, mapper_digest=mapper_digest)) == snapshot.spec_digest


def _known(snapshot: Snapshot) -> KnownFiles:
    """The names that the mapper met: of an archive those that came out of it."""
    names = [f.name for f in (*snapshot.files, *snapshot.unpacked)]
    plain = [n for n in names if not n.casefold().endswith(_ARCHIVES)]
    return KnownFiles(tuple(plain), snapshot.columns, snapshot.formats)
