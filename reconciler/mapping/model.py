"""A mapper as frozen values: which files, which entities, and what each field is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from reconciler.mapping.carried import CarriedTest

FieldType = Literal["text", "date", "boolean", "integer", "email", "phone", "grade"]

DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
"""What a date may look like where a mapper names no formats; a time may follow them."""

OtherNames = tuple[tuple[str, tuple[str, ...]], ...]
"""Pairs of a column, as the mapper calls it, and the names that it goes by in files."""


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file, or one set of files, that the mapper reads."""

    name: str
    """Its name inside the mapper."""
    pattern: str
    """Shell glob on the file's name, case-insensitive; of several, all in words."""
    encoding: str = ""
    """A Python codec name; empty: detected (UTF-8 with or without BOM, UTF-16, Windows-1252)."""
    delimiter: str = ""
    """One character; empty: detected (comma, tab, semicolon, pipe)."""
    optional: bool = False
    several: Literal["", "all", "newest"] = ""
    """What to do when several files match: read them all, or the newest; empty: that is an error."""
    empty: tuple[str, ...] | None = None
    """Words that stand for an empty cell; None: those that databases write, see roster/reading/cells.py."""
    patterns: tuple[str, ...] = ()
    """The globs, where there are several: the first that any file matches counts."""
    excluded: tuple[str, ...] = ()
    """Globs of files that are never meant, whatever else they match."""
    columns: OtherNames = ()
    """Columns that go by other names in some exports."""
    blank: tuple[str, ...] = ()
    """Columns that the files' standard leaves empty."""
    key: str = ""
    """The column by which rows of a delta find those that they change; empty: it cannot be a delta."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A test on a column's text. Exactly one of the operators is set."""

    column: str
    operator: Literal["in", "not_in", "equals", "not_equals", "not_empty", "empty", "matches"]
    values: tuple[str, ...] = ()
    ignore_case: bool = False
    optional: bool = False
    """A file without the column has it empty in every row."""
    others: tuple[str, ...] = ()
    """Further columns: the text is that of the first that is not empty."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are tested."""
        return (self.column, *self.others)


@dataclass(frozen=True, slots=True)
class Join:
    """Another file beside the first one; its columns read as `alias.column`. Rows without a match stay."""

    file: str
    alias: str
    on: tuple[tuple[str, str], ...]
    """Pairs of (column on the left, column of the joined file)."""
    where: tuple[Condition, ...] = ()
    take: Literal["all", "first"] = "all"
    split: str = ""
    """Delimiter of a list on the left: each of its items is looked up, in order."""
    ignore_case: bool = False
    """Columns join whose texts differ in letter case alone, as e-mail addresses do."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of an entity is made: a source, then the steps in the order of the attributes."""

    name: str
    columns: tuple[str, ...] = ()
    """The first that is not empty counts."""
    const: str | None = None
    template: str | None = None
    split: str = ""
    """Delimiter of a list: one row for each item that is not empty."""
    item: Literal["", "first", "last", "mapped"] = ""
    """With `split`: only that one of the list's items, and no further rows."""
    transform: tuple[str | tuple[str, str], ...] = ()
    """Names of transforms, or a pair for `{"replace": [from, to]}`."""
    map: tuple[tuple[str, str], ...] = ()
    map_ignores_case: bool = False
    default: str | None = None
    type: FieldType = "text"
    formats: tuple[str, ...] = ()
    required: bool = False
    optional: bool = False
    """The file need not have the column; without it the field stays empty."""


@dataclass(frozen=True, slots=True)
class Source:
    """One way in which rows of an entity are read. An entity with several has the rows of all."""

    file: str
    fields: tuple[Field, ...]
    joins: tuple[Join, ...] = ()
    where: tuple[Condition, ...] = ()
    distinct: bool = False
    optional: bool = False
    """A file without the source's columns simply has no such rows."""
    instead: bool = False
    """Read only where the source before it was left out."""
    unless: tuple[str, ...] = ()
    """Files of the mapper; where one of them is there, the source has no rows."""
    path: str = ""
    """Where in the mapper's document it stands, for errors."""


@dataclass(frozen=True, slots=True)
class EntityMap:
    """All sources of one entity."""

    entity: str
    sources: tuple[Source, ...]
    prefer: Literal["", "first"] = ""
    """`first`: where two sources have rows with one key, those of the earlier source count."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """A whole mapper, `repeat` already written out."""

    name: str
    files: dict[str, FileSpec]
    entities: dict[str, EntityMap]
    description: str = ""
    standard: str = ""
    """The published format that the files follow; empty: none."""
    digest: str = ""
    """SHA-256 of its canonical JSON without name and description: what decides the rows."""
    document: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    tests: tuple[CarriedTest, ...] = field(default=(), compare=False, repr=False)
    place: Callable[[str], str] = field(default=str, compare=False, repr=False)
    """From a dotted path of the document to words for a person: file, line, column and path."""
