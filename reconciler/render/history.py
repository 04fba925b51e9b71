"""Runs as text, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.render.commits import GitCommit, commit_lines
from reconciler.render.text import printable, symbol
from reconciler.store.views import ResultView, RunView, iso

_SHOWN = 20
"""So many districts of a run are listed, those with trouble first; JSON has all of them."""
_WELL = frozenset({"succeeded", "unchanged"})


def history_text(runs: Sequence[RunView], commits: Mapping[str, GitCommit] | None = None) -> str:
    """A paragraph for each run: who, which commit and plan, and what became of each district."""
    return "\n\n".join("\n".join(_run(r, commits or {})) for r in runs) or "Nothing has happened yet."


def _run(run: RunView, commits: Mapping[str, GitCommit]) -> list[str]:
    lines = [_head(run)]
    commit = commits.get(run.commit)
    lines += [f"    {line}" for line in (commit_lines(commit, run.author) if commit else [])]
    said = [f"plan {run.plan_digest[:12]}"] if run.plan_digest else []
    said += [f"{count:,} {name}" for name, count in run.summary.items() if count]
    lines += [f"    {', '.join(said)}"] if said else []
    listed = sorted(run.results, key=lambda r: (r.outcome in _WELL, r.district))
    lines += [_result(r) for r in listed[:_SHOWN]]
    if len(run.results) > _SHOWN:
        lines.append(f"    … {len(run.results) - _SHOWN:,} more; `history ID` and `--format json` show them")
    return lines


def _head(run: RunView) -> str:
    commit = "no commit"
    if run.commit:
        commit = printable(run.commit[:12]) + ("-dirty" if run.commit.endswith("-dirty") else "")
    who = printable(run.author or run.actor or "unknown")
    if run.author and run.actor:
        who += f", run by {printable(run.actor)}"
    ended = run.outcome or "did not end"
    return (
        f"{symbol(run.outcome or 'failed')} {iso(run.started_at)} {run.command} {ended} at {commit} by {who}"
    )


def _result(result: ResultView) -> str:
    changed = ", ".join(str(c["path"]) for c in result.changes[:4]) + (
        " …" if len(result.changes) > 4 else ""
    )
    said = [changed] if changed and result.action != "create" else []
    said += [_rows(result.rows)] if _rows(result.rows) else []
    said += [_release(step["approval"]) for step in result.steps if step.get("approval")]
    if result.error:
        said.append(f"{result.error['code']}: {result.error['message']}")
    detail = "; ".join(said)
    return f"    {symbol(result.outcome)} {result.district} {result.action} {result.outcome}" + (
        f": {detail}" if detail else ""
    )


def _release(approval: Mapping[str, str | None]) -> str:
    commit, author = approval.get("commit"), approval.get("author")
    said = f" ({commit[:12]} by {printable(str(author))})" if commit else ""
    return f"released by {approval['file']}{said}"


def _rows(rows: Mapping[str, Mapping[str, int]]) -> str:
    parts = []
    for entity, counts in rows.items():
        signs = (("+", "added"), ("~", "changed"), ("-", "removed"))
        moved = " ".join(f"{sign}{counts[name]}" for sign, name in signs if counts.get(name))
        if moved and entity != "schools":
            parts.append(f"{entity} {moved}")
    return ", ".join(parts)
