"""The one place where text becomes part of a query.

Column and file names of a district never do: tables have columns c0, c1, …; only the values that a mapper
states (constants, formats, patterns) are written into SQL, and only through `literal`.
"""

from __future__ import annotations

from collections.abc import Sequence

NULL = "NULL::VARCHAR"


def literal(text: str) -> str:
    """A SQL string literal that stands for exactly this text."""
    if "\0" in text:
        raise ValueError("a NUL cannot be part of a query")
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A quoted SQL identifier; only for names of our own (fields, aliases)."""
    return '"' + identifier.replace('"', '""') + '"'


def literal_list(texts: tuple[str, ...]) -> str:
    """A parenthesised list for IN."""
    return "(" + ", ".join(literal(t) for t in texts) + ")"


def first_not_empty(expressions: Sequence[str]) -> str:
    """The first of these texts that is not empty; nothing where there are none."""
    return f"coalesce({', '.join(expressions)})" if len(expressions) > 1 else (*expressions, NULL)[0]
