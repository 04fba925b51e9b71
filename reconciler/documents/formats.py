"""The `format` names of JSON Schema that are checked: the library's own checks are optional or lax."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}", re.ASCII)
# 127.1 and 0x7f.1 are addresses in disguise to many resolvers.
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)", re.ASCII)


def is_date(text: str) -> bool:
    """A day that exists, as YYYY-MM-DD."""
    return bool(_DATE.fullmatch(text)) and _parses(date.fromisoformat, text)


def is_hostname(text: str) -> bool:
    """A name of labels, up to 253 characters, that cannot be mistaken for an address or an option."""
    return len(text) <= 253 and bool(_HOSTNAME.fullmatch(text)) and not _NUMERIC_END.fullmatch(text)


def is_ipv4(text: str) -> bool:
    return _parses(ipaddress.IPv4Address, text)


def is_ipv6(text: str) -> bool:
    """An address without a zone: zones name interfaces of one machine."""
    return "%" not in text and _parses(ipaddress.IPv6Address, text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": is_date,
    "hostname": is_hostname,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
}


@lru_cache
def whole_pattern(pattern: str) -> re.Pattern[str]:
    """In Python, `$` also matches before a last line break; in JSON Schema it does not."""
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)
