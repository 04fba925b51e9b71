"""`reconciler test`: Test Connection, for one district or several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE, FAILED
from reconciler.engine.connection_test import ConnectionTest, test_connection
from reconciler.render.text import error_lines, plural, symbol, table


@click.command("test")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@format_option("text", "json")
@pass_app
def command(app: App, ids: tuple[str, ...], form: str) -> int:
    """Test Connection: connect, check the host key, log in, list the matching files. Writes nothing."""
    app.check_known(ids)
    desired, refused = app.desired()
    context = app.context()
    results = [test_connection(context, d, desired.get(d), refused.get(d)) for d in dict.fromkeys(ids)]
    if form == "json":
        click.echo(json.dumps([r.to_json() for r in results], indent=2))
    else:
        click.echo(_text(results, datetime.now(UTC)))
    return DONE if all(r.ok for r in results) else FAILED


def _text(results: Sequence[ConnectionTest], now: datetime) -> str:
    lines: list[str] = []
    for r in results:
        said = f"connected, {plural(len(r.files), 'file')}" if r.ok else "failed"
        lines.append(f"{symbol('succeeded' if r.ok else 'failed')} {r.district}  {said}")
        if r.host_key:
            lines.append(f"    host key {r.host_key}")
        if r.note:
            lines.append(f"    note: {r.note}")
        rows: list[tuple[Any, ...]] = [
            (f.name, f"{f.size:,} bytes", _age(now.timestamp() - f.modified)) for f in r.files
        ]
        if rows:
            lines += ["    " + line for line in table(("FILE", "SIZE", "AGE"), rows).splitlines()]
        if r.error:
            lines += error_lines(r.error.code, r.error.message, r.error.hint)
    return "\n".join(lines)


def _age(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"
