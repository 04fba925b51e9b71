"""Whether the date formats and patterns that a mapper states can be read as what they seem to say."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

_DIRECTIVES = frozenset("abcdfghjmnpuwxyzABGHIMSTUVWXYZ%")
_DIRECTIVE = re.compile(r"%(-?)(.?)", re.DOTALL)
_WHOLE_DATES = frozenset("cx")
_ESCAPED = re.compile(r"\\[^1-9]", re.DOTALL)
_NOT_RE2 = re.compile(r"\(\?(?:[=!>(#]|<[=!]|P[=>])|\\[1-9]|[*+?]\+|[0-9]\}\+")
_ONLY_RE2 = re.compile(r"\\[pPQEzC]|\[\[|\(\?[a-zA-Z-]*U|\(\?<\w")


def date_fault(formats: Sequence[str]) -> str:
    """Why these formats cannot be used; empty where they can.

    Two formats that swap day and month would read one text as two days, depending on which comes first.
    """
    for text in formats:
        letters = [letter for _, letter in _DIRECTIVE.findall(text)]
        unknown = [letter for letter in letters if letter not in _DIRECTIVES or not letter]
        if unknown:
            return f"{text!r} has %{unknown[0]}, which says nothing"
        if not _is_whole(set(letters)):
            return f"{text!r} does not name a day, a month and a year"
    plain = [text.replace("%-", "%") for text in formats]
    swapped = {_swap(text): text for text in plain}
    for text in plain:
        if swapped.get(text, text) != text:
            return f"{swapped[text]!r} and {text!r} read the same text as different days"
    return ""


def _is_whole(letters: set[str]) -> bool:
    if letters & _WHOLE_DATES:
        return True
    in_year = bool(letters & {"j"}) or bool(letters & {"d"} and letters & {"m", "b", "B", "h"})
    return in_year and bool(letters & {"y", "Y"})


def _swap(text: str) -> str:
    return re.sub("%[dm]", lambda found: "%m" if found[0] == "%d" else "%d", text)


def pattern_fault(pattern: str) -> str:
    """Why RE2 refuses this regular expression; empty where nothing speaks against it."""
    if _NOT_RE2.search(_ESCAPED.sub("x", pattern)):
        return "looks around, refers back or is possessive, and could run for ever"
    if _ONLY_RE2.search(pattern):
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return "is no regular expression"
    return ""
