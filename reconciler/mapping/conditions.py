"""SQL for a condition on one column's text; a condition is true or false, and never NULL."""

from __future__ import annotations

from reconciler.mapping.model import Condition
from reconciler.mapping.sql import literal, literal_list


def condition_sql(condition: Condition, column: str) -> str:
    """The test of `condition` on the expression `column`."""
    values = condition.values
    if condition.operator == "matches":
        pattern = ("(?i)" if condition.ignore_case else "") + values[0]
        return f"coalesce(regexp_full_match({column}, {literal(pattern)}), false)"
    if condition.ignore_case:
        column, values = f"lower({column})", tuple(v.lower() for v in values)
    return {
        "in": lambda: f"coalesce({column} IN {literal_list(values)}, false)" if values else "false",
        "not_in": lambda: f"coalesce({column} NOT IN {literal_list(values)}, true)" if values else "true",
        "equals": lambda: f"(coalesce({column}, '') = {literal(values[0])})",
        "not_equals": lambda: f"(coalesce({column}, '') <> {literal(values[0])})",
        "not_empty": lambda: f"({column} IS NOT NULL)",
        "empty": lambda: f"({column} IS NULL)",
    }[condition.operator]()
