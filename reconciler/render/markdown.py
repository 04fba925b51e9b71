"""Text from files as Markdown that is no markup: for comments on GitHub and GitLab.

Whatever a file says is put into `<code>`, where both leave mentions, references and emoji alone, and every
character that Markdown or HTML could act on is written as an entity. A code span of backticks would not do:
it ends a cell at `|`, and nothing reads it inside `<summary>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LIMIT = 65_000
"""Of a comment, in UTF-8 bytes, which are never fewer than characters: GitHub takes 65,536 characters."""
MAX_VALUE = 240
"""Characters of one text from a file."""

_ACTIVE = re.compile(
    r"[&<>`*\[\]|\\~$#@]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore inside a word is none of emphasis
    r"|:(?=/)|(?<=mailto):|(?<=xmpp):|(?<=www)\.",  # what makes a link of an address by itself
    re.IGNORECASE,
)
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def code(text: object, *, limit: int = MAX_VALUE) -> str:
    """A text from a file, to be read as it is written; longer ones are cut after `limit` characters."""
    return f"<code>{escaped(cut(str(text), limit))}</code>"


def escaped(text: str) -> str:
    """A text of which no part is markup; what cannot be seen is written as an escape."""
    seen = "".join(c if c.isprintable() else _visible(c) for c in text)
    return _ACTIVE.sub(_entity, seen)


def cut(text: str, limit: int) -> str:
    """The beginning of a text that is too long, with a sign that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; cells are Markdown already."""
    return [row(header), "|" + "---|" * len(header), *(row(cells) for cells in rows)]


def row(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def fold(summary: str, lines: Sequence[str]) -> list[str]:
    """Lines that are shown when somebody opens them; `summary` is HTML."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]


def many(number: int, noun: str) -> str:
    """`1 district`, `12,992 districts`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(lines: Iterable[str]) -> int:
    """What lines weigh against LIMIT, line ends counted."""
    return sum(len(line.encode("utf-8", "backslashreplace")) + 1 for line in lines)


def _visible(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _entity(match: re.Match[str]) -> str:
    character = match[0]
    # The comment parts what GitHub would join to an address or a name that it notifies.
    after = "<!-- -->" if character == "@" else ""
    return _NAMED.get(character, f"&#{ord(character)};") + after
