"""`reconciler purge`: erase what has been kept for long enough."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED
from reconciler.engine.purge import Purged, purge
from reconciler.render.text import error_lines, symbol

_STILL_THERE = (
    "warning: another process reads the database, or there is no room to write it anew: its files "
    "may still hold what was erased; run purge again"
)


@click.command("purge")
@click.option("--only", multiple=True, metavar="ID", help="This district alone, and no history.")
@click.option("--dry-run", is_flag=True, help="Count, and erase nothing.")
@format_option("text", "json")
@pass_app
def command(app: App, only: tuple[str, ...], dry_run: bool, form: str) -> int:
    """Erase removed rows, rejects and history older than `policy.retention` says, and count them.

    \b
    Example: reconciler purge --dry-run
    """
    app.check_known(only)
    retention = app.fleet.settings.policy.retention
    info = app.run_info("purge")
    purged = purge(app.store, retention, info, now=info.started_at, only=only or None, dry_run=dry_run)
    if not (dry_run or purged.overwritten) and app.store.forgets_by_itself:
        click.echo(_STILL_THERE, err=True)
    if form == "json":
        skipped = [{"district": d, "error": e.to_json()} for d, e in purged.skipped.items()]
        districts = [{"district": d, "erased": counts} for d, counts in purged.districts.items()]
        report = {"dry_run": dry_run, "limits": asdict(retention), "erased": purged.totals()}
        report["overwritten"] = purged.overwritten
        click.echo(json.dumps({**report, "districts": districts, "skipped": skipped}, indent=2))
    else:
        click.echo("\n".join(_lines(purged, dry_run=dry_run)))
    return FAILED if purged.skipped else DONE


def _lines(purged: Purged, *, dry_run: bool) -> list[str]:
    lines = [f"{symbol('succeeded')} {d}  {_counts(counts)}" for d, counts in purged.districts.items()]
    for district, error in purged.skipped.items():
        lines += [f"{symbol('failed')} {district}", *error_lines(error.code, error.message, error.hint)]
    said = _counts(purged.totals()) or "nothing is old enough"
    return [*lines, f"{'Would erase' if dry_run else 'Erased'}: {said}."]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
