"""The columns of a file: how two spellings of a name compare, and which of them a mapper reads."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from reconciler.errors import RosterError
from reconciler.mapping.model import Mapper, Source

SPACES = (
    "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
"""What is cut from both ends of a cell or a column's name: every white space, seen or not."""

_ESCAPES = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"})
"""Codecs that spell characters with others: they make of a plain text what nobody wrote."""
_CELL = re.compile(
    r"@|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}|[0-9]{7}|^[\W\d_]*\d[\W\d_]*$"
)
"""Addresses, dates, phones, and numbers without a letter: hardly a column is called so."""
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Table:
    """A loaded file of the mapper: SQL table `sql_name` with src, line and c0, c1, … for `columns`."""

    file: str
    sql_name: str
    columns: tuple[str, ...]
    display: str = ""
    """The name on the server, for messages."""
    absent: bool = False
    """An optional file that is not there: its columns read as empty."""
    broken_words: str = ""
    """SQL table with the words of the file's lines that could not be read; empty: there are none."""

    def find(self, column: str) -> int | None:
        """The position of a column: by exact name, else ignoring case and surrounding space.

        Raises RosterError csv.header where the name stands twice in the file.
        """
        exact, spelled_alike = _places(self.columns)
        found = exact.get(column) or spelled_alike.get(loose(column), [])
        if len(found) > 1:
            raise RosterError(
                f"{self.display or self.file} has the column {column!r} {len(found)} times",
                code="csv.header",
                hint="ask the district to export each column once; nothing was taken from this file",
            )
        return found[0] if found else None


@lru_cache(maxsize=256)
def _places(columns: tuple[str, ...]) -> tuple[Mapping[str, list[int]], Mapping[str, list[int]]]:
    """Where each name stands in a header, by its exact spelling and by what spellings have in common."""
    exact: dict[str, list[int]] = {}
    spelled_alike: dict[str, list[int]] = {}
    for place, name in enumerate(columns):
        exact.setdefault(name, []).append(place)
        spelled_alike.setdefault(loose(name), []).append(place)
    return exact, spelled_alike


@lru_cache(maxsize=8192)
def loose(column: str) -> str:
    """What two spellings of a column's name have in common."""
    return unicodedata.normalize("NFC", column).strip(SPACES).casefold()


def tellable(columns: Iterable[str]) -> list[str]:
    """The columns as messages may name them: none where one of them can only be a cell of somebody's row.

    A file without a header may pass for one with, if a word of its first row is the name of a column.
    """
    named = [column for column in columns if column]
    return [] if any(_CELL.search(column) for column in named) else named


def placeholders(template: str) -> list[str]:
    """The column names that a template mentions, in order."""
    return _PLACEHOLDER.findall(template)


def template_parts(template: str) -> Iterator[tuple[str, str]]:
    """A template as pairs of (text, column after it); the last column is empty."""
    pieces = _PLACEHOLDER.split(template)
    yield from zip(pieces[::2], [*pieces[1::2], ""], strict=True)


def wanted_columns(mapper: Mapper, file: str) -> set[str]:
    """The columns that the mapper reads of one of its files, as it spells them."""
    return {
        column
        for entity in mapper.entities.values()
        for source in entity.sources
        for read, column in _reads(source)
        if read == file
    }


def _reads(source: Source) -> Iterator[tuple[str, str]]:
    """Pairs of (file, column) for every column that a source mentions."""
    joined = {join.alias: join.file for join in source.joins}
    for column in _mentioned(source):
        alias, rest = split_alias(column, joined)
        yield (joined[alias], rest) if alias else (source.file, column)
    for join in source.joins:
        yield from ((join.file, right) for _, right in join.on)
        yield from ((join.file, column) for condition in join.where for column in condition.columns)


def _mentioned(source: Source) -> Iterator[str]:
    for field in source.fields:
        yield from field.columns
        yield from placeholders(field.template or "")
    yield from (column for condition in source.where for column in condition.columns)
    yield from (left for join in source.joins for left, _ in join.on)


def split_alias(column: str, aliases: Iterable[str]) -> tuple[str, str]:
    """`alias.column` as its two parts, the longest alias that fits; ("", column) where none does."""
    fitting = [alias for alias in aliases if column.startswith(alias + ".")]
    if not fitting:
        return "", column
    alias = max(fitting, key=len)
    return alias, column[len(alias) + 1 :]


def is_text_encoding(codec: str) -> bool:
    """Whether Python reads text with this codec: not base64, not idna, not a name of nothing."""
    try:
        if codecs.lookup(codec).name in _ESCAPES:
            return False
        decoder = codecs.getincrementaldecoder(codec)("strict")
        return decoder.decode("a,b\n".encode(codec), final=True) == "a,b\n"
    except (LookupError, ValueError, TypeError):
        return False
