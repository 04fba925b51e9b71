"""Which columns a source can read, and as which SQL: those of its file, and those of the files joined in."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import MapperError
from reconciler.mapping.columns import Table, split_alias, tellable
from reconciler.mapping.model import Source
from reconciler.mapping.near import near_names
from reconciler.mapping.sql import NULL

_MAX_LISTED = 400
"""Characters of a list of columns."""


class Scope:
    """The tables of one source under their SQL aliases: `t0` is its file, the joined ones are added."""

    def __init__(self, source: Source, base: Table):
        self._source = source
        self._base = base
        self._joined: dict[str, tuple[str, Table]] = {}

    def add(self, alias: str, sql_alias: str, table: Table) -> None:
        """From here on, columns of `table` read as `alias.column`."""
        self._joined[alias] = (sql_alias, table)

    def own(self, column: str) -> str | None:
        """The expression of a column of the source's own file."""
        position = self._base.find(column)
        return None if position is None else f"t0.c{position}"

    def column(self, column: str) -> str | None:
        """The expression of a column; None where no table has it."""
        own = self.own(column)
        if own:
            return own
        alias, rest = split_alias(column, self._joined)
        if not alias:
            return None
        sql_alias, table = self._joined[alias]
        if table.absent:
            return NULL
        position = table.find(rest)
        return None if position is None else f"{sql_alias}.c{position}"

    def needed(self, column: str, part: str) -> str:
        """As `column`; raises MissingColumnError where no table has it. `part` of the source reads it."""
        expression = self.column(column)
        if expression is None:
            raise self.missing(part, column)
        return expression

    def missing(self, part: str, *columns: str) -> MissingColumnError:
        """The error for columns of which none is there, with the name that was probably meant."""
        alias, rest = split_alias(columns[0], self._joined)
        table = self._joined[alias][1] if alias else self._base
        # A column of a joined file may have been meant, without its file's name or with another one.
        joined = {} if alias else {a: t for a, (_, t) in self._joined.items() if tellable(t.columns)}
        others = [f"{a}.{c}" for a, t in joined.items() for c in t.columns if c]
        return MissingColumnError(table, columns, f"{self._source.path}.{part}", _meant(rest, table, others))

    def of_joined(self, table: Table, column: str) -> str:
        """A column of a table that is being joined, before it has an alias. Raises MissingColumnError."""
        position = table.find(column)
        if position is None:
            path = f"{self._source.path}.join"
            raise MissingColumnError(table, (column,), path, _meant(column, table, []))
        return f"c{position}"


class MissingColumnError(MapperError):
    """A column that the mapper reads, at `path` of its document, is in no file."""

    def __init__(self, table: Table, columns: Sequence[str], path: str, hint: str, place: str = ""):
        self._said = table, columns, path, hint
        self.path = path
        file, wanted = table.display or table.file, " or ".join(map(repr, columns))
        super().__init__(
            f"{file} has no column {wanted}, which {place or path} reads", code="mapper.column", hint=hint
        )

    def at(self, place: str) -> MissingColumnError:
        """The same error, with the place in the mapper's file in words."""
        return MissingColumnError(*self._said, place)


def _meant(column: str, table: Table, others: Sequence[str]) -> str:
    file, has = table.display or table.file, tellable(table.columns)
    if any(table.columns) and not has:
        return (
            f"the first line of {file} is not shown, for some of it looks like data: "
            f"ask the district to export with a header row, or correct the mapper"
        )
    close = near_names(column, [*has, *others])
    suggestion = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    there = ", ".join(map(repr, has))
    more = ", …" if len(there) > _MAX_LISTED else ""
    return (
        f"{suggestion}{file} has: {there[:_MAX_LISTED]}{more}; "
        f"correct the mapper, or ask the district to export the column"
    )
