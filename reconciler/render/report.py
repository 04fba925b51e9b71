"""What a run did, as text: a line for each district, its rows, and what a person has to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.engine.report import Outcome, Report, Result
from reconciler.render.shared import by_error, named
from reconciler.render.text import coloured, error_lines, symbol
from reconciler.roster.delta import RowCounts

_COUNTS = ("added", "changed", "unchanged", "removed", "rejected", "skipped", "duplicate")


def report_text(report: Report) -> str:
    """The whole report, failures last, so that they are what stays on the screen."""
    order = {Outcome.UNCHANGED: 0, Outcome.SUCCEEDED: 1, Outcome.BLOCKED: 2, Outcome.FAILED: 3}
    lines: list[str] = []
    results = sorted(report.results, key=lambda r: (order.get(r.outcome, 1), r.district))
    for result in _folded(results):
        lines += result_lines(result)
    summary = report.summary()
    parts = [coloured(k, f"{v} {k}") if v else f"{v} {k}" for k, v in summary.items()]
    return "\n".join([*lines, ", ".join(parts) + "."])


def _folded(results: Sequence[Result]) -> Iterator[Result]:
    """Districts that failed before their first step, and with the same error, become one result."""
    shared = by_error((r.district, r.error) for r in results if r.error and _is_bare(r))
    names = {districts[0]: named(districts) for districts, _ in shared}
    for result in results:
        if not (result.error and _is_bare(result)):
            yield result
        elif result.district in names:
            yield replace(result, district=names[result.district])


def _is_bare(result: Result) -> bool:
    return not (result.steps or result.rows or result.notes)


def result_lines(result: Result) -> list[str]:
    """One district: its steps with their times, its rows, its notes and its error."""
    steps = " · ".join(
        f"{s.name.replace('_', ' ')} {symbol(s.outcome)}"
        + (f" {s.seconds:.1f}s" if s.seconds >= 0.05 else "")
        for s in result.steps
    )
    head = f"{symbol(result.outcome)} {result.district}  {result.action}  {steps}".rstrip()
    lines = [head, *_row_lines(result.rows)]
    lines += [f"    note: {note}" for note in result.notes]
    if result.error:
        lines += error_lines(result.error.code, result.error.message, result.error.hint)
    return lines


def progress_line(result: Result) -> str:
    """One line for a log, as a district is done."""
    problem = f" {result.error.code}" if result.error else ""
    return f"{result.district}: {result.outcome}{problem}"


def _row_lines(rows: Mapping[str, RowCounts]) -> list[str]:
    lines = []
    for entity, counts in rows.items():
        said = [f"{getattr(counts, c)} {c}" for c in _COUNTS if getattr(counts, c)]
        if said:
            lines.append(f"    {entity:<14} {counts.read} read: {', '.join(said)}")
    return lines
