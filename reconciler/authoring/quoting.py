"""How a text is written in YAML: without quotes where no reader can take it for anything else.

Ids always stand in quotes, so that nobody learns from one district that they may be left out.
"""

from __future__ import annotations

import json
import re

from reconciler.documents.scalars import is_plain_text

IDS = frozenset({"account", "sis_id", "ignored_schools"})
"""Keys whose texts are ids; of a list, the key that it stands under."""

_PLAIN = re.compile(r"[^\W_](?:[^\n\r\t\"#*`|>{}\[\]]*[^\s:\"#*`|>{}\[\]])?|[./_][\w./-]*")
_UNSAFE_BESIDE_OTHERS = re.compile(r"[,?']|: ")


def quoted(text: str) -> str:
    """The text in double quotes, whatever it holds."""
    return json.dumps(text, ensure_ascii=False)


def written(text: str, *, flow: bool) -> str:
    """The text as it is written; `flow`: between braces or brackets, where a comma ends it."""
    plain = _PLAIN.fullmatch(text) and ": " not in text and " #" not in text and is_plain_text(text)
    if not plain or (flow and _UNSAFE_BESIDE_OTHERS.search(text)):
        return quoted(text)
    return text


def as_block(text: str) -> list[str] | None:
    """The lines of a text of several, the first being the sign `|` or `|-`; None where quotes are safer."""
    body = text.removesuffix("\n")
    lines = body.split("\n")
    if len(lines) < 2 or any(line != line.strip() or not line for line in lines) or not body.isascii():
        return None
    return ["|" if text.endswith("\n") else "|-", *lines]
