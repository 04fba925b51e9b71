"""`reconciler export`: the active rows, as stored."""

from __future__ import annotations

import csv
import json
import sys
from itertools import chain

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.store.export import COLUMNS


@click.command("export")
@click.argument("entity", type=click.Choice(list(COLUMNS)))
@click.option("--district", metavar="ID", help="Of this district alone.")
@click.option("--school", metavar="S", help="Of this school of the platform alone.")
@format_option("csv", "jsonl")
@pass_app
def command(app: App, entity: str, district: str | None, school: str | None, form: str) -> int:
    """Print the active rows of an entity, ordered by district and key. Holds children's data."""
    if district:
        app.check_known([district])
    rows = app.store.export(entity, district, school)
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return DONE
    first = next(rows, None)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS[entity])
    for row in chain([first] if first else [], rows):
        writer.writerow(["" if value is None else value for value in row.values()])
    return DONE
