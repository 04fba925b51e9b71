"""`reconciler import`: connections that a database knows become district files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from reconciler.authoring.district_text import district_text
from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED
from reconciler.cli.writing.files import create_text, replace_text
from reconciler.cli.writing.new_files import begun_repository, place_schema, schema_path
from reconciler.config.district import District
from reconciler.config.district_file import SCHEMA
from reconciler.config.fleet import Fleet, load_fleet
from reconciler.config.root import DISTRICTS
from reconciler.documents.schema import load_schema
from reconciler.errors import ReconcilerError, UsageError
from reconciler.mapping.library import MapperLibrary
from reconciler.planning.connection import Observed
from reconciler.render.text import plural


@dataclass(slots=True)
class _Outcome:
    """What was written, what was not, and what a plan will still find."""

    written: dict[str, Path] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, ReconcilerError] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


@click.command("import")
@click.option("--only", multiple=True, metavar="ID", help="This district alone; may be given several times.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where the files are written; default: districts/ of the repository.",
)  # fmt: skip
@format_option("text", "json")
@pass_app
def command(app: App, only: tuple[str, ...], out: Path | None, form: str) -> int:
    """Write a district file for each connection of the database that has none; then the plan is empty.

    No file is written over. A retired connection, whose file was removed on purpose, is left out unless it is
    named with --only. Secrets are not in the database: the files say where they are found, as before.
    """
    with begun_repository(app) as root:
        outcome = _Outcome()
        folder = out.absolute() if out else root / DISTRICTS
        for district, observed in _wanted(app, only):
            _write(app, root, folder, district, observed, outcome, named=district in only)
        schema_file = place_schema(root) if outcome.written and folder.is_relative_to(root) else ""
        _check(app, root, outcome)
    if form == "json":
        click.echo(json.dumps(_json(outcome, root), indent=2))
    else:
        _print(outcome, root, schema_file)
    return FAILED if outcome.failed else DONE


def _wanted(app: App, only: tuple[str, ...]) -> Iterable[tuple[str, Observed]]:
    observed = app.store.observe()
    unknown = [name for name in only if name not in observed]
    if unknown:
        raise UsageError(
            f"the database has no connection {unknown[0]!r}",
            code="usage.district",
            hint="`reconciler status` lists them",
        )
    return ((name, one) for name, one in sorted(observed.items()) if not only or name in only)


def _write(
    app: App, root: Path, folder: Path, name: str, observed: Observed, outcome: _Outcome, *, named: bool
) -> None:
    path = folder / f"{name}.yaml"
    if name in app.fleet.files or path.exists():
        outcome.skipped[name] = "it has a file"
    elif observed.retired_at and not named:
        outcome.skipped[name] = (
            f"its file was removed by {observed.retired_at:%Y-%m-%d}; --only brings it back"
        )
    else:
        try:
            create_text(path, _text(observed.connection.district, root, path), root=folder)
            outcome.written[name] = path
        except ReconcilerError as error:
            outcome.failed[name] = error


def _text(district: District, root: Path, path: Path, *, full: bool = False) -> str:
    return district_text(
        district, file=path.name, schema=load_schema(SCHEMA), schema_path=schema_path(root, path), full=full
    )


def _check(app: App, root: Path, outcome: _Outcome) -> None:
    """Read the fleet anew, and hold what was written against what the database has."""
    observed = app.store.observe()
    library = MapperLibrary(root)
    fleet = load_fleet(root, mappers=library.names())
    for name, path in outcome.written.items():
        connection = observed[name].connection
        is_ours = name in fleet.files and (root / fleet.files[name]).resolve() == path.resolve()
        if is_ours and _says_otherwise(fleet, connection.district):
            # The fleet's own defaults differ from those that were left out.
            replace_text(path, _text(connection.district, root, path, full=True), root=root)
        notice = _mapper_notice(library, connection.district.mapper, connection.mapper_digest)
        if notice:
            outcome.notices.append(f"{name}: {notice}")


def _says_otherwise(fleet: Fleet, district: District) -> bool:
    return district.id in fleet.districts and fleet.districts[district.id] != district


def _mapper_notice(library: MapperLibrary, mapper: str, digest: str) -> str:
    if mapper not in library.names():
        return (
            f"the mapper {mapper} is not in this repository, and of its content the database has the digest "
            f"only: bring mappers/{mapper}.json back, or `validate` and `plan` refuse the district"
        )
    loaded = library.load(mapper)
    if loaded.mapper is None or loaded.mapper.digest != digest:
        return f"the mapper {mapper} is another than the one that was last applied: `plan` shows it"
    return ""


def _print(outcome: _Outcome, root: Path, schema_file: str) -> None:
    for path in outcome.written.values():
        click.echo(f"wrote {_shown(path, root)}")
    if schema_file:
        click.echo(f"wrote {schema_file}, for editors")
    with_file = [n for n, why in outcome.skipped.items() if why == "it has a file"]
    for name, why in outcome.skipped.items():
        if name not in with_file:
            click.echo(f"left out {name}: {why}")
    for notice in outcome.notices:
        click.echo(f"notice: {notice}", err=True)
    for name, error in outcome.failed.items():
        click.echo(f"error: {name} [{error.code}] {error.message}", err=True)
    left_out = len(outcome.skipped) - len(with_file)
    click.echo(
        f"{plural(len(outcome.written), 'file')} written, {len(with_file)} had one, {left_out} left out"
        + (f", {len(outcome.failed)} failed." if outcome.failed else ".")
    )


def _json(outcome: _Outcome, root: Path) -> dict[str, Any]:
    return {
        "ok": not outcome.failed,
        "written": [{"district": n, "file": _shown(path, root)} for n, path in outcome.written.items()],
        "skipped": [{"district": name, "reason": why} for name, why in outcome.skipped.items()],
        "failed": [{"district": name, **error.to_json()} for name, error in outcome.failed.items()],
        "notices": outcome.notices,
    }


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
