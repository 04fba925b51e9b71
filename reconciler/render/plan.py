"""A plan as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.planning.change import Change, FieldChange
from reconciler.planning.plan import Plan
from reconciler.render.shared import by_error, named
from reconciler.render.text import coloured, error_lines

_PARTS = ("create", "update", "start", "stop", "retire")


def plan_text(plan: Plan, refused: Mapping[str, ReconcilerError]) -> str:
    """Every change with its fields, what is refused, and the sums."""
    lines: list[str] = []
    for change in plan.changes:
        lines += _change(change)
    for districts, error in by_error(sorted(refused.items())):
        lines.append(f"{coloured('failed', '✘')} {named(districts)}  cannot be planned")
        lines += error_lines(error.code, error.message, error.hint)
    if lines:
        lines.append("")
    return "\n".join([*lines, plan_summary(plan)])


def plan_summary(plan: Plan) -> str:
    """The sums in one line."""
    summary = plan.summary()
    if plan.is_empty:
        return f"No changes. {summary['unchanged']} districts are as their files say."
    parts = [f"{summary[p]} to {p}" for p in _PARTS if summary[p]]
    return f"Plan: {', '.join(parts)}, {summary['unchanged']} unchanged."


def _change(change: Change) -> list[str]:
    steps = " → ".join(str(s).replace("_", " ") for s in change.steps) or "save"
    reason = f"  ({change.reason})" if change.reason else ""
    head = coloured(str(change.action), f"{change.action.symbol} {change.district}  {change.action}")
    return [f"{head}  {steps}{reason}", *(f"    {_field(f)}" for f in change.fields)]


def _field(field: FieldChange) -> str:
    if field.before is None:
        return f"{field.path}: {_value(field.after)}"
    after = "(removed)" if field.after is None else _value(field.after)
    return f"{field.path}: {_value(field.before)} → {after}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return " ".join(f"{k} {v}" for k, v in value.items())
    return str(value)
