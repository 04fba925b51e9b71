"""Two spellings of one school's id in the SIS: `42` and `0042`, `Sch_000002` and `Sch_S00002`.

Nothing is ever taken under another spelling: a near miss becomes a hint, and a person writes it down.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rapidfuzz import fuzz

_ALIKE = 60
"""How alike the letters must be, of 100, where the numbers are the same."""
_ALIKE_WITHOUT_NUMBERS = 85
_ABBREVIATED = {
    "elem": "elementary", "es": "elementary", "ms": "middle", "hs": "high", "jr": "junior", "sr": "senior",
    "acad": "academy", "ctr": "center", "st": "saint", "mt": "mount",
}  # fmt: skip


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


def same_school_name(one: str, other: str) -> bool:
    """Whether two names are the same, word by word, but for order, typing errors and common abbreviations.

    One word makes another school: `Maple Grove North` and `Maple Grove South`.
    """
    words, others = _words(one), _words(other)
    return bool(words) and len(words) == len(others) and _all_in(words, others) and _all_in(others, words)


def _all_in(words: Collection[str], others: Collection[str]) -> bool:
    return all(any(_same_word(word, other) for other in others) for word in words)


def _same_word(one: str, other: str) -> bool:
    has_digit = any(c.isdigit() for c in one + other)
    return one == other if has_digit else fuzz.ratio(one, other) >= _ALIKE_WITHOUT_NUMBERS


def _words(name: str) -> list[str]:
    words = re.findall(r"[^\W_]+", name.casefold())
    return [_ABBREVIATED.get(word, word) for word in words if word not in ("school", "the", "of")]


def _parts(text: str) -> tuple[str, str]:
    """An id's numbers without zeros before them, and its letters without case."""
    folded = text.casefold()
    numbers = [n.lstrip("0") or "0" for n in re.findall(r"[0-9]+", folded)]
    return ".".join(numbers), re.sub(r"[^\w]|[0-9_]", "", folded)
