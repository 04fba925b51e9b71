"""Two spellings of one school's id in the SIS: `42` and `0042`, `Sch_000002` and `Sch_S00002`.

Nothing is ever taken under another spelling: a near miss becomes a hint, and a person writes it down.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rapidfuzz import fuzz, process

_ALIKE = 60
"""How alike the letters must be, of 100, where the numbers are the same."""
_ALIKE_WITHOUT_NUMBERS = 85


def same_school_id(one: str, other: str) -> bool:
    """Whether two different ids are spellings of one.

    Ids in a series differ by a digit, and are different schools: the numbers must be equal but for zeros
    before them, however alike the rest is.
    """
    if one == other or not one or not other:
        return False
    (numbers, letters), (others, other_letters) = _parts(one), _parts(other)
    if numbers != others:
        return False
    if not numbers:
        return fuzz.ratio(letters, other_letters) >= _ALIKE_WITHOUT_NUMBERS
    if not letters or not other_letters:
        return letters == other_letters
    return fuzz.ratio(letters, other_letters) >= _ALIKE


def near_miss(sis_id: str, there: Collection[str]) -> str:
    """The one id among `there` that is another spelling of `sis_id`; empty where none or several are."""
    found = [i for i in there if same_school_id(sis_id, i)]
    if len(found) > 1:
        found = [i for i in found if _parts(i) == _parts(sis_id)]
    return found[0] if len(found) == 1 else ""


def near_name(text: str, names: Collection[str]) -> str:
    """The name that a school's name most probably means; empty where none is near, or two are as near."""
    best = process.extract(
        text.casefold(), {n: n.casefold() for n in names}, scorer=fuzz.token_sort_ratio, limit=2
    )
    if not best or best[0][1] < 80 or (len(best) > 1 and best[0][1] - best[1][1] < 5):
        return ""
    return str(best[0][2])


def _parts(text: str) -> tuple[str, str]:
    """An id's numbers without zeros before them, and its letters without case."""
    folded = text.casefold()
    numbers = [n.lstrip("0") or "0" for n in re.findall(r"[0-9]+", folded)]
    return ".".join(numbers), re.sub(r"[^\w]|[0-9_]", "", folded)
