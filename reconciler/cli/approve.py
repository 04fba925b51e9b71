"""`reconciler approve`: an approval of exactly the rows that are held, to be reviewed in a pull request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.cli.writing.files import create_text, replace_text
from reconciler.config.approval import file_of
from reconciler.config.approvals import find_approval
from reconciler.errors import ConfigError, UsageError

_DAYS = 14
_MOST_DAYS = 90


@click.command("approve")
@click.argument("id_", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why it is right; never a name of a person.")
@click.option(
    "--days", type=click.IntRange(1, _MOST_DAYS), default=_DAYS, show_default=True,
    help="So many days from today it holds.",
)  # fmt: skip
@format_option("text", "json")
@pass_app
def command(app: App, id_: str, reason: str, days: int, form: str) -> int:
    """Write an approval of what a limit holds of this district, as a file for a pull request.

    Once it is merged, `reconcile` and `sync` let exactly these rows through, and no other.

    \b
    Example: reconciler approve riverbend-isd --reason "Jefferson closed on 20 November"
    """
    app.check_known([id_])
    hold = app.store.hold(id_)
    if not hold:
        raise _nothing_held(app, id_)
    written = _write(app.root, id_, hold, _text_of_reason(reason, hold), days)
    click.echo(json.dumps(written.to_json(), indent=2) if form == "json" else "\n".join(written.lines()))
    return DONE


@dataclass(frozen=True, slots=True)
class _Written:
    district: str
    digest: str
    file: str
    expires: date
    limits: list[dict[str, Any]]
    is_new: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "district": self.district, "digest": self.digest, "file": self.file,
            "expires": self.expires.isoformat(), "limits": self.limits, "new": self.is_new,
        }  # fmt: skip

    def lines(self) -> list[str]:
        said = [f"    {x['limit']}: {x['rows']} of {x['active']} {x['of']}" for x in self.limits]
        return [
            f"{'wrote' if self.is_new else 'renewed'} {self.file}", *said,
            f"It lets exactly these rows through until {self.expires.isoformat()}, and is void once other",
            f"rows of {self.district} have been written.",
            "Commit it and have it reviewed; after the merge, `reconciler reconcile` carries it out.",
        ]  # fmt: skip


def _nothing_held(app: App, district: str) -> UsageError:
    problems = [view.problem for view in app.store.connections(district) if view.problem]
    why = problems[0]["code"] if problems else ""
    return UsageError(
        f"nothing of {district} is held that could be approved" + (f" (its problem is {why})" if why else ""),
        code="usage.approve",
        hint="an approval is of rows that a sync was held for: sync.removals, sync.changes, sync.contacts",
    )


def _text_of_reason(reason: str, hold: dict[str, Any]) -> str:
    """On one line, as the file has it; without a reason, what is known."""
    words = " ".join(reason.split())
    if any(not c.isprintable() for c in words) or len(words) > 1000:
        raise UsageError(
            "the reason is longer than 1000 characters, or has some that cannot be printed",
            code="usage.approve",
            hint="say it in a sentence",
        )
    cause = hold.get("cause") or "unknown"
    return words or f"none was given (held for {hold['code']}, likely cause: {cause})"


def _write(root: Path, district: str, hold: dict[str, Any], reason: str, days: int) -> _Written:
    digest, limits = str(hold["digest"]), list(hold["limits"])
    expires = datetime.now(UTC).date() + timedelta(days=days)
    file = file_of(district, digest)
    path = root / file
    text = _document(district, digest, limits, reason, expires)
    is_new = not path.exists()
    if is_new:
        create_text(path, text, root=root)
    else:
        replace_text(path, text, root=root)
    if find_approval(root, district, digest) is None:
        raise ConfigError(f"{file} was written and cannot be found again", code="config.write")
    return _Written(district, digest, file, expires, limits, is_new)


def _document(district: str, digest: str, limits: list[dict[str, Any]], reason: str, expires: date) -> str:
    """The file. JSON's quotes are YAML's as well, and keep what is text text."""
    listed = [", ".join(f"{k}: {limit[k]}" for k in ("limit", "of", "rows", "active")) for limit in limits]
    lines = [
        f"district: {district}",
        f'digest: "{digest}"',
        "limits:  # what is let through, and no more than this",
        *(f"  - {{{limit}}}" for limit in listed),
        f"reason: {json.dumps(reason, ensure_ascii=False)}",
        f"expires: {expires.isoformat()}  # the last day on which it holds",
    ]  # fmt: skip
    return "\n".join([*lines, ""])
