"""An error that many districts share, a wrong default say, is told once, with who they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.errors import ReconcilerError

_NAMED = 5
"""Districts that are named before the rest is only counted."""


def by_error(errors: Iterable[tuple[str, ReconcilerError]]) -> list[tuple[list[str], ReconcilerError]]:
    """Districts with the same error together, in the order in which each error is met first."""
    found: dict[tuple[str, str, str], tuple[list[str], ReconcilerError]] = {}
    for district, error in errors:
        said = (error.code, error.message, error.hint)
        found.setdefault(said, ([], error))[0].append(district)
    return list(found.values())


def named(districts: Sequence[str]) -> str:
    """`ash`, `ash, elm`, or `ash, elm, fir, gum, oak and 12995 more`."""
    rest = len(districts) - _NAMED
    shown = ", ".join(districts[:_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown
