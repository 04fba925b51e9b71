"""What was probably meant: the known name that is nearest to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_FEW = 12


def near_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` known names like this one, the nearest first; case, spaces and signs count for little."""
    plain: dict[str, list[str]] = {}
    for one in dict.fromkeys(known):
        plain.setdefault(_plain(one), []).append(one)
    found = difflib.get_close_matches(_plain(name), plain, n=count, cutoff=0.6)
    return [one for key in found for one in plain[key]][:count]


def _plain(name: str) -> str:
    """Letters and digits alone; a name that has none of them stays as it is."""
    return "".join(c for c in name.casefold() if c.isalnum()) or name


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name that is closest, or with all of them where they are few."""
    known = list(known)
    match = near_names(name, known, 1)
    if match:
        return f"did you mean {match[0]!r}?"
    return "known: " + ", ".join(sorted(known)) if known and len(known) <= _FEW else ""
