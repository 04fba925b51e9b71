"""`reconciler map`: a mapper over local files, without network and database."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.errors import MapperError, UsageError
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.library import read_mapper_file
from reconciler.mapping.model import Mapper
from reconciler.render.text import table
from reconciler.roster.delta import Reject, RemoteFile, RowCounts
from reconciler.roster.packages.manifest import read_manifest
from reconciler.roster.packages.package import Package
from reconciler.roster.reading.archives import files_to_fetch, is_read, is_zip, open_delivery
from reconciler.roster.roster import Roster
from reconciler.roster.workspace import workspace

_COUNTS = ("read", "added", "rejected", "skipped", "duplicate")


@click.command("map")
@click.argument("mapper")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--entity", type=click.Choice(list(ENTITIES)), help="Print the rows of this entity.")
@click.option("--limit", type=click.IntRange(0), help="Print at most so many rows.")
@click.option(
    "--rejects", type=click.Path(path_type=Path, dir_okay=False), help="Write what was not taken as CSV."
)
@format_option("text", "jsonl", "csv")
@pass_app
def command(
    app: App,
    mapper: str,
    folder: Path,
    entity: str | None,
    limit: int | None,
    rejects: Path | None,
    form: str,
) -> int:
    """Run MAPPER (a name, or a file) over the CSV files in FOLDER, or in a zip: no network, no database.

    Rows go to standard output, counts and rejects to standard error. Without --entity: the counts of all.
    """
    model = _mapper(app, mapper)
    with workspace() as scratch, _opened(model, folder, scratch) as roster:
        counts = roster.resolve(None)
        not_taken = roster.rejects()
        for notice in roster.notices:
            click.echo(f"notice: {notice}", err=True)
        if entity:
            _print_rows(roster.rows(entity, limit), ENTITIES[entity].fields, form)
            _print_counts({entity: counts[entity]}, "text", err=True)
        else:
            _print_counts(counts, form, err=False)
    _print_rejects(not_taken, rejects)
    return DONE


@contextmanager
def _opened(mapper: Mapper, folder: Path, scratch: Path) -> Iterator[Roster]:
    """The roster in a folder or an archive. A folder's zips are opened where nothing else in it is read."""
    paths = [p for p in sorted(folder.iterdir()) if p.is_file()] if folder.is_dir() else [folder]
    listing = [_as_remote(p) for p in paths]
    plain = [f for f in listing if not is_zip(f.name)]
    if folder.is_dir() and any(is_read(mapper, f) for f in plain):
        listing = plain
    wanted = {f.name for f in files_to_fetch(mapper, listing)}
    contents = open_delivery(mapper, listing, {p.name: p for p in paths if p.name in wanted}, scratch)
    for notice in contents.notices:
        click.echo(f"notice: {notice}", err=True)
    manifest = read_manifest(mapper, contents.local(), scratch)
    package = Package(manifest) if manifest else None
    today = datetime.now(UTC).date()
    with Roster(mapper, contents.local(), scratch, today=today, package=package) as roster:
        yield roster


def _mapper(app: App, name: str) -> Mapper:
    if name.endswith((".json", ".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no mapper file {name}", hint="name a mapper, or a file that is there")
        loaded = read_mapper_file(path, display=name, root=app.root_if_any)
        if loaded.mapper is None:
            first = loaded.problems[0]
            raise MapperError(str(first), hint=first.hint)
        return loaded.mapper
    return app.library.get(name)


def _as_remote(path: Path) -> RemoteFile:
    status = path.stat()
    return RemoteFile(path.name, status.st_size, status.st_mtime)


def _print_rows(rows: Iterable[Mapping[str, Any]], fields: tuple[str, ...], form: str) -> None:
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        listed = list(rows)
        used = [f for f in fields if any(row[f] for row in listed)] or list(fields)
        click.echo(table([f.upper() for f in used], [[row[f] or "" for f in used] for row in listed]))


def _print_counts(counts: Mapping[str, RowCounts], form: str, *, err: bool) -> None:
    if form == "jsonl":
        for entity, c in counts.items():
            click.echo(json.dumps({"entity": entity, **c.to_json()}), err=err)
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("entity", *_COUNTS))
        writer.writerows((e, *(getattr(c, n) for n in _COUNTS)) for e, c in counts.items())
    else:
        header = ("ENTITY", "READ", "TAKEN", "REJECTED", "SKIPPED", "DUPLICATE")
        click.echo(
            table(header, [(e, *(getattr(c, n) for n in _COUNTS)) for e, c in counts.items()]), err=err
        )


def _print_rejects(rejects: list[Reject], to: Path | None) -> None:
    if to:
        with to.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("entity", "file", "row", "column", "code", "severity", "reason", "key"))
            for r in rejects:
                writer.writerow((r.entity, r.file, r.row, r.column, r.code, r.severity, r.reason, r.key))
        click.echo(f"{len(rejects)} rejects and warnings written to {to}", err=True)
        return
    for r in rejects[:20]:
        click.echo(f"{r.severity}: {r.file}:{r.row} [{r.code}] {r.entity}: {r.reason}", err=True)
    if len(rejects) > 20:
        click.echo(f"… and {len(rejects) - 20} more; --rejects FILE writes them all", err=True)
