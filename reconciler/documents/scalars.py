"""What an unquoted scalar means here, and what other YAML readers would make of it.

Only `true`, `false`, `null`, plain decimal integers and plain decimals have a meaning of their own; all
else is its text. Text that YAML 1.1 or 1.2 would silently turn into a number, a date or a truth value is
marked `Unquoted`, so that it is refused wherever text is meant.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any

import yaml

from reconciler.documents.node import Unquoted

_CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
# Longer numbers are nobody's port or percentage: they stay text, and are refused as such.
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}", re.ASCII)

# What YAML 1.2 readers take for a number although the 1.1 resolver below does not, and y/n of YAML 1.1.
_NUMBER_ELSEWHERE = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|[-+]?0[xob][0-9a-f_]+|[ynYN]",
    re.IGNORECASE | re.ASCII,
)
_RESOLVERS = yaml.resolver.Resolver.yaml_implicit_resolvers


def resolve(text: str) -> Any:
    """The value of a scalar that stands without quotes."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return Unquoted(text) if is_ambiguous(text) else text


@lru_cache(maxsize=4096)
def is_ambiguous(text: str) -> bool:
    """Whether YAML readers would take this unquoted text for something other than text."""
    candidates = _RESOLVERS.get(text[:1], ())
    return any(pattern.match(text) for _, pattern in candidates) or bool(_NUMBER_ELSEWHERE.fullmatch(text))


def is_plain_text(text: str) -> bool:
    """Whether every reader takes this text for itself where it stands without quotes."""
    return type(resolve(text)) is str


def reading_of(text: str) -> str:
    """In words, what YAML makes of this unquoted text: `the number 34` for 0042."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError):
        return "something other than text"
    return _in_words(value)


def _in_words(value: object) -> str:
    if value is None:
        return "no value at all"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    return "a number" if isinstance(value, str) and value[:1] not in "ynYN" else "true or false"
