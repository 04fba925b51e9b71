"""Runs as text, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.render.text import symbol
from reconciler.store.views import ResultView, RunView, iso


def history_text(runs: Sequence[RunView]) -> str:
    """A paragraph for each run: who, which commit, and what became of each district."""
    return "\n\n".join("\n".join(_run(r)) for r in runs) or "Nothing has happened yet."


def _run(run: RunView) -> list[str]:
    commit = (
        run.commit[:12] + ("-dirty" if run.commit.endswith("-dirty") else "") if run.commit else "no commit"
    )
    who = run.author or run.actor or "unknown"
    ended = run.outcome or "did not end"
    head = (
        f"{symbol(run.outcome or 'failed')} {iso(run.started_at)} {run.command} {ended} at {commit} by {who}"
    )
    return [head, *(_result(r) for r in run.results)]


def _result(result: ResultView) -> str:
    changed = ", ".join(str(c["path"]) for c in result.changes[:4]) + (
        " …" if len(result.changes) > 4 else ""
    )
    said = [changed] if changed and result.action != "create" else []
    said += [_rows(result.rows)] if _rows(result.rows) else []
    if result.error:
        said.append(f"{result.error['code']}: {result.error['message']}")
    detail = "; ".join(said)
    return f"    {symbol(result.outcome)} {result.district} {result.action} {result.outcome}" + (
        f": {detail}" if detail else ""
    )


def _rows(rows: Mapping[str, Mapping[str, int]]) -> str:
    parts = []
    for entity, counts in rows.items():
        signs = (("+", "added"), ("~", "changed"), ("-", "removed"))
        moved = " ".join(f"{sign}{counts[name]}" for sign, name in signs if counts.get(name))
        if moved and entity != "schools":
            parts.append(f"{entity} {moved}")
    return ", ".join(parts)
