"""A source in a normal form: every column by its place in a file, so that two spellings of one are equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.mapping.columns import Table, split_alias, template_parts
from reconciler.mapping.model import Condition, Field, Join, Source


@dataclass(frozen=True, slots=True)
class Read:
    """A file of a mapper as it is read: its columns, and all else that decides what its rows are."""

    table: Table
    names: tuple[str, ...]
    """The files on the server that it stands for."""
    manner: str
    """How their cells are read: equal for two mappers that get the same rows of the same files."""

    @property
    def identity(self) -> str:
        return f"{self.names} {self.manner}"


def resolved(source: Source, tables: Mapping[str, Read]) -> Source:
    """The source as it reads these tables; names, paths and columns that are not there say nothing."""
    form = _Form(source, tables)
    return Source(
        file=tables[source.file].identity,
        fields=tuple(f for f in map(form.field, sorted(source.fields, key=lambda f: f.name)) if _says(f)),
        joins=tuple(form.join(join) for join in source.joins),
        where=tuple(form.condition(c) for c in source.where),
        distinct=source.distinct,
    )


class _Form:
    def __init__(self, source: Source, tables: Mapping[str, Read]):
        self._base = tables[source.file]
        self._tables = tables
        self._joined = {join.alias: join for join in source.joins}

    def column(self, name: str) -> str | None:
        """Where a column stands; None where no table has it. See Scope.column, which this follows."""
        place = self._base.table.find(name)
        if place is not None:
            return f"{place}"
        alias, rest = split_alias(name, self._joined)
        if not alias:
            return None
        join = self._joined[alias]
        table = self._tables[join.file].table
        place = None if table.absent else table.find(rest)
        return None if place is None else f"{self.join(join)!r}.{place}"

    def columns(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(place for place in map(self.column, names) if place is not None)

    def field(self, field: Field) -> Field:
        template = field.template
        if template is not None:
            parts = template_parts(template)
            template = "".join(f"{text}{{{self.column(c) or ''}}}" if c else text for text, c in parts)
        columns, pairs = self.columns(field.columns), tuple(sorted(field.map))
        return replace(field, columns=columns, template=template, map=pairs, optional=False)

    def condition(self, condition: Condition) -> Condition:
        return _placed(condition, self.columns(condition.columns))

    def join(self, join: Join) -> Join:
        read = self._tables[join.file]

        def place(name: str) -> str:
            found = None if read.table.absent else read.table.find(name)
            return name if found is None else f"{found}"

        where = tuple(
            _placed(c, tuple(place(n) for n in c.columns if read.table.find(n) is not None))
            for c in join.where
        )
        on = tuple((_own(self._base.table, left), place(right)) for left, right in join.on)
        return replace(join, file=read.identity, alias="", on=on, where=where)


def _says(field: Field) -> bool:
    """Whether a field is more than empty in every row, which one that is not there is as well."""
    made = field.columns or field.const is not None or field.template is not None
    return bool(made) or field.default is not None or field.required


def _own(table: Table, name: str) -> str:
    """A column on the left of a join: of the file itself, or of one that was joined before."""
    place = table.find(name)
    return name if place is None else f"{place}"


def _placed(condition: Condition, places: tuple[str, ...]) -> Condition:
    column, *others = places or ("",)
    return replace(condition, column=column, others=tuple(others), optional=False)
