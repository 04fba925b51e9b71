"""A plan as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.errors import ReconcilerError
from reconciler.planning.change import Change, FieldChange
from reconciler.planning.plan import Plan
from reconciler.planning.touched import Since
from reconciler.render.preview import preview_lines_text
from reconciler.render.shared import by_error, named
from reconciler.render.text import coloured, error_lines, plural, printable

if TYPE_CHECKING:
    from reconciler.engine.preview import Preview

_PARTS = ("create", "update", "start", "stop", "retire")


def plan_text(
    plan: Plan,
    refused: Mapping[str, ReconcilerError],
    previews: Mapping[str, Preview] | None = None,
    *,
    since: Since | None = None,
) -> str:
    """Every change with its fields and its preview, what is refused, what was left out, and the sums."""
    lines: list[str] = []
    width = max((len(printable(name)) for name in (*(c.district for c in plan.changes), *refused)), default=0)
    for change in plan.changes:
        lines += _change(change, width)
        if previews and change.district in previews:
            lines += preview_lines_text(previews[change.district])
    for districts, error in by_error(sorted(refused.items())):
        name = printable(named(districts)).ljust(width)
        lines.append(f"{coloured('failed', '✘')} {name}  cannot be planned")
        lines += error_lines(error.code, printable(error.message), printable(error.hint))
    if lines:
        lines.append("")
    lines += [_left_out(since)] if since else []
    return "\n".join([*lines, plan_summary(plan, len(refused))])


def plan_summary(plan: Plan, refused: int = 0) -> str:
    """The sums in one line."""
    if plan.is_empty and not refused:
        unchanged = plan.summary()["unchanged"]
        verb = "is as its file says" if unchanged == 1 else "are as their files say"
        return f"No changes. {plural(unchanged, 'district')} {verb}."
    return f"Plan: {plan_sums(plan, refused)}."


def plan_sums(plan: Plan, refused: int) -> str:
    """`1 to create, 3 unchanged, 1 refused`."""
    summary = plan.summary()
    parts = [f"{summary[p]:,} to {p}" for p in _PARTS if summary[p]] or ["no changes"]
    parts.append(f"{summary['unchanged']:,} unchanged")
    return ", ".join([*parts, *([f"{refused:,} refused"] if refused else [])])


def _left_out(since: Since) -> str:
    files = plural(since.files, "file")
    if since.everything:
        return f"{files} changed since {since.revision}, and {since.everything}: every district is planned."
    return (
        f"{files} changed since {since.revision}: {plural(since.districts, 'district')} touched, "
        f"{since.left_out} left out."
    )


def _change(change: Change, width: int) -> list[str]:
    steps = " → ".join(str(s).replace("_", " ") for s in change.steps) or "save"
    reason = f"  ({printable(change.reason)})" if change.reason else ""
    name = printable(change.district).ljust(width)
    head = coloured(str(change.action), f"{change.action.symbol} {name}  {change.action}")
    return [f"{head}  {steps}{reason}", *(f"    {_field(f)}" for f in change.fields)]


def _field(field: FieldChange) -> str:
    return _difference(field) + (f"  ({printable(str(field.drift))})" if field.drift else "")


def _difference(field: FieldChange) -> str:
    path = printable(field.path)
    if field.before is None:
        return f"{path}: {printable(shown(field.after))}"
    before = coloured("removed", printable(shown(field.before)))
    if field.after is None:
        return f"{path}: {before} → {coloured('removed', '(removed)')}"
    return f"{path}: {before} → {coloured('added', printable(shown(field.after)))}"


def shown(value: Any) -> str:
    """A field's value as one line."""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return " ".join(f"{k} {v}" for k, v in value.items())
    return str(value)
