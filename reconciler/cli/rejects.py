"""`reconciler rejects`: the rows of the last sync that were not taken."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.render.text import coloured, plural, table

_COLUMNS = ("entity", "file", "row", "column", "code", "severity", "reason", "key")


@click.command("rejects")
@click.argument("id_", metavar="ID")
@format_option("text", "json", "jsonl", "csv")
@pass_app
def command(app: App, id_: str, form: str) -> int:
    """List the rows of the last sync that were not taken: file, line, column, and what was wrong.

    A warning is a value that was not taken, of a row that was. Keys are ids; no other cell is kept.
    """
    app.check_known([id_])
    rejects = app.store.rejects(id_)
    if form == "json":
        click.echo(json.dumps([asdict(r) for r in rejects], indent=2))
    elif form == "jsonl":
        for r in rejects:
            click.echo(json.dumps(asdict(r)))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows([[asdict(r)[c] for c in _COLUMNS] for r in rejects])
    elif not rejects:
        click.echo(f"{id_}: every row of the last sync was taken.")
    else:
        rows = [
            (f"{r.file}:{r.row}", r.entity, r.key, coloured(r.severity, r.code), r.reason) for r in rejects
        ]
        click.echo(table(("WHERE", "ENTITY", "ID", "CODE", "REASON"), rows))
        errors = sum(1 for r in rejects if r.severity == "error")
        click.echo(f"{plural(errors, 'row')} rejected, {plural(len(rejects) - errors, 'value')} left out.")
    return DONE
