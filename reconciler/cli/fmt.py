"""`reconciler fmt`: district files and reconciler.yaml in canonical form."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from reconciler.authoring.formatting import format_text
from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED
from reconciler.cli.writing.files import replace_text
from reconciler.config.defaults import FILE
from reconciler.config.district_file import SCHEMA as DISTRICT_SCHEMA
from reconciler.config.find import display_name, find_district_files
from reconciler.config.fleet_settings import MAX_BYTES
from reconciler.config.fleet_settings import SCHEMA as FLEET_SCHEMA
from reconciler.config.root import DISTRICTS
from reconciler.documents.reader import MAX_BYTES as DISTRICT_BYTES
from reconciler.documents.schema import load_schema
from reconciler.errors import ConfigError, Problem, UsageError
from reconciler.render.text import plural


@dataclass(slots=True)
class _Outcome:
    """What became of the files."""

    files: int = 0
    changed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]…")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@format_option("text", "json")
@pass_app
def command(app: App, paths: tuple[Path, ...], check: bool, diff: bool, form: str) -> int:
    """Bring district files and reconciler.yaml into canonical form: key order, quotes, spacing.

    Comments stay with the key that they stand at, and no file changes its meaning; one that is not valid YAML
    is reported and left alone. Ids that lack quotes get them. With PATHs, only what is found in them.
    """
    root = app.root
    outcome = _Outcome()
    for file in _wanted(root, [p.absolute() for p in paths]):
        _format(root, file, outcome, write=not check and not diff)
    if form == "json":
        click.echo(json.dumps(_json(outcome), indent=2))
    else:
        _print(outcome, would=check or diff, diff=diff)
    return FAILED if outcome.problems or (check and outcome.changed) else DONE


def _wanted(root: Path, paths: Sequence[Path]) -> Iterator[Path]:
    """The files to format. Raises UsageError for a path that leads to none."""
    districts = (Path(file.path) for file in find_district_files(root).files)
    files = [path for path in (root / FILE, *districts) if path.exists()]
    files = [path for path in files if not path.is_symlink()]  # formatted where it leads to, or not ours
    named = {(p.parent.resolve() / p.name) if p.name != ".." else p.resolve() for p in paths}
    missing = named - {place for f in files for place in (f, *f.parents)}
    if missing:
        raise UsageError(
            f"{min(missing)} is no district's file, and no folder with one",
            hint=f"name files or folders under {root / DISTRICTS}, or {FILE}",
        )
    return (f for f in files if not named or not named.isdisjoint((f, *f.parents)))


def _format(root: Path, path: Path, outcome: _Outcome, *, write: bool) -> None:
    file = display_name(root, path)
    outcome.files += 1
    is_fleet = path == root / FILE
    schema = load_schema(FLEET_SCHEMA if is_fleet else DISTRICT_SCHEMA)
    try:
        before = _read(path, file)
        limit = MAX_BYTES if is_fleet else DISTRICT_BYTES
        after = format_text(before, file=file, schema=schema, max_bytes=limit)
        if after.encode() == before:
            return
        if write:
            replace_text(path, after, root=root)
    except ConfigError as error:
        outcome.problems += error.problems or [
            Problem(error.code, "error", file, 0, 0, "", error.message, error.hint)
        ]
        return
    outcome.changed.append(file)
    outcome.diffs.append(_diff(before.decode("utf-8"), after, file))


def _read(path: Path, file: str) -> bytes:
    if not path.is_file():
        raise ConfigError(f"{file} is no regular file", code="config.syntax", hint="put a file here")
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise ConfigError(f"{file} cannot be read: {reason}", code="config.syntax") from error


def _diff(before: str, after: str, file: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), file, f"{file} (formatted)"
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _print(outcome: _Outcome, *, would: bool, diff: bool) -> None:
    if diff:
        click.echo("".join(outcome.diffs), nl=False)
    else:
        for file in outcome.changed:
            click.echo(f"{'would format' if would else 'formatted'} {file}")
    for problem in outcome.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}"
        click.echo(f"error: {place} [{problem.code}] {problem.message}", err=True)
        if problem.hint:
            click.echo(f"  → {problem.hint}", err=True)
    done = f"{len(outcome.changed)} {'to format' if would else 'formatted'}"
    failed = f", {len(outcome.problems)} with problems" if outcome.problems else ""
    click.echo(f"{plural(outcome.files, 'file')}: {done}{failed}.", err=diff)


def _json(outcome: _Outcome) -> dict[str, object]:
    return {
        "ok": not outcome.problems,
        "files": outcome.files,
        "changed": outcome.changed,
        "problems": [p.to_json() for p in outcome.problems],
    }
