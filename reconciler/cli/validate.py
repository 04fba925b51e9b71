"""`reconciler validate`: the files alone."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED
from reconciler.config.listed import list_early
from reconciler.errors import ConfigError, MapperError, Problem
from reconciler.render.problems import is_ok, problems_github, problems_json, problems_sarif, problems_text

if TYPE_CHECKING:
    from reconciler.config.fleet import Fleet


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]…")
@format_option("text", "json", "github", "sarif")
@click.option("--no-cache", is_flag=True, help="Read every file again, whatever is remembered of it.")
@pass_app
def command(app: App, paths: tuple[Path, ...], form: str, no_cache: bool) -> int:
    """Check the files alone: no network, no database, no secrets.

    Every problem at once, each with file, line and column. With PATHs, only what is found in them.
    """
    problems, files = _check(app, [p.absolute() for p in paths], with_cache=not no_cache)
    if form == "json":
        click.echo(json.dumps(problems_json(problems, files), indent=2))
    elif form == "sarif":
        click.echo(json.dumps(problems_sarif(_from_the_top(app.root, problems)), indent=2))
    elif form == "github":
        click.echo(problems_github(_from_the_top(app.root, problems)), nl=bool(problems))
    else:
        click.echo(problems_text(problems, files))
    return DONE if is_ok(problems) else FAILED


def _check(app: App, paths: list[Path], *, with_cache: bool) -> tuple[list[Problem], int]:
    """Everything found, and how many files were looked at."""
    root = app.root
    listed = list_early(root)
    # While copies of this process hash the files, all that will be needed is loaded.
    from reconciler.config.fleet import load_fleet  # noqa: PLC0415
    from reconciler.config.reading import load_readers  # noqa: PLC0415

    load_readers()
    cache = app.cache if with_cache else None
    remembered = cache.recall() if cache else {}
    try:
        memories = [lambda: remembered]
        mappers = app.library.names()
        fleet = load_fleet(root, mappers=mappers, only_paths=paths, memories=memories, listed=listed)
    except ConfigError as error:
        return list(error.problems), 1
    except MapperError as error:
        return [Problem(error.code, "error", "mappers", 0, 0, "", error.message, error.hint)], 0
    if cache:
        cache.remember(fleet.known)
    wanted = [f for f in app.library.files() if _wanted(root / f, paths)]
    approvals, approving = _approvals(app, fleet, paths)
    found = [
        *fleet.problems,
        *(p for p in app.library.problems() if _wanted(root / p.file, paths)),
        *_tested(app, wanted),
        *approvals,
    ]
    files = len(fleet.checked) + len(wanted) + approving
    return sorted(found, key=lambda p: (p.file, p.line, p.column, p.path)), files


def _approvals(app: App, fleet: Fleet, paths: Collection[Path]) -> tuple[list[Problem], int]:
    """What is wrong with approvals of held rows, and how many files of them there are."""
    if not (app.root / "approvals").is_dir():
        return [], 0
    from reconciler.config.approvals import check_approvals  # noqa: PLC0415 – most fleets have none

    known = {*fleet.districts, *fleet.refused}
    return check_approvals(app.root, known, datetime.now(UTC).date(), [p.resolve() for p in paths])


def _tested(app: App, wanted: Collection[str]) -> list[Problem]:
    """What the tests that these mappers carry have found."""
    carrying = [(m, document) for m, document in app.library.with_tests() if document.file in wanted]
    if not carrying:
        return []
    from reconciler.roster.mapper_tests import run_carried_tests  # noqa: PLC0415 – most fleets have no tests

    return [
        document.problem(failure.path, "mapper.test", failure.message, failure.hint)
        for mapper, document in carrying
        for failure in run_carried_tests(mapper)
    ]


def _from_the_top(root: Path, problems: list[Problem]) -> list[Problem]:
    """With files named from the top of the git checkout that the fleet lies in, as services know them."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return [replace(p, file=(root.relative_to(top) / p.file).as_posix()) for p in problems]


def _wanted(file: Path, paths: list[Path]) -> bool:
    return not paths or any(file.is_relative_to(p.resolve()) for p in paths)
