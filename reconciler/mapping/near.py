"""What was probably meant: the known name that is nearest to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_FEW = 12
_ALIKE = 0.6


def near_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` known names like this one, the nearest first; case, spaces and signs count for little."""
    compare = difflib.SequenceMatcher(b=_plain(name))

    def likeness(one: str) -> float:
        compare.set_seq1(_plain(one))
        return compare.ratio() if compare.quick_ratio() >= _ALIKE else 0.0

    alike = {one: likeness(one) for one in known}
    return sorted((one for one, ratio in alike.items() if ratio >= _ALIKE), key=lambda n: -alike[n])[:count]


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
