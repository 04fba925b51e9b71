"""Which columns a source can read, and as which SQL: those of its file, and those of the files joined in."""

from __future__ import annotations

from reconciler.errors import MapperError
from reconciler.mapping.columns import Table, split_alias
from reconciler.mapping.model import Source
from reconciler.mapping.parse import nearest
from reconciler.mapping.sql import NULL


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

    def needed(self, column: str) -> str:
        """As `column`; raises MapperError mapper.column where no table has it."""
        expression = self.column(column)
        if expression is None:
            raise self.missing(column)
        return expression

    def missing(self, *columns: str) -> MapperError:
        """The error for columns of which none is there, with the name that was probably meant."""
        alias, rest = split_alias(columns[0], self._joined)
        table = self._joined[alias][1] if alias else self._base
        wanted = " or ".join(repr(c) for c in columns)
        return MapperError(
            f"{table.display or table.file} has no column {wanted}, which {self._source.path} reads",
            code="mapper.column",
            hint=f"{_meant(rest, table)}correct the mapper, or ask the district to export the column",
        )

    def of_joined(self, table: Table, column: str) -> str:
        """A column of a table that is being joined, before it has an alias. Raises MapperError."""
        position = table.find(column)
        if position is None:
            raise MapperError(
                f"{table.display or table.file} has no column {column!r}, which {self._source.path} joins on",
                code="mapper.column",
                hint=f"{_meant(column, table)}correct the mapper's join",
            )
        return f"c{position}"


def _meant(column: str, table: Table) -> str:
    has = [c for c in table.columns if c]
    close = nearest(column, has)
    suggestion = f"{close} " if close.startswith("did you mean") else ""
    return f"{suggestion}{table.display or table.file} has: {', '.join(map(repr, has))[:400]}; "
