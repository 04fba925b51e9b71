"""A source of a mapper and the tables at hand, compiled to one query.

The query's rows are the entity's fields, after `_src` and `_line` (the physical file and the line on which
the row starts) and before `_problems`, a list of `field:reason` with the reasons `required` and `type`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.errors import MapperError, RosterError
from reconciler.mapping.entities import ENTITIES, RIGHTS, Entity
from reconciler.mapping.model import Condition, Field, Join, Source
from reconciler.mapping.parse import nearest, placeholders
from reconciler.mapping.sql import literal, literal_list, name
from reconciler.mapping.values import transformed, typed

_NULL = "NULL::VARCHAR"


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

    def find(self, column: str) -> int | None:
        """The position of a column: by exact name, else ignoring case and surrounding space.

        Raises RosterError csv.header where the name stands twice in the file.
        """
        exact = [i for i, c in enumerate(self.columns) if c == column]
        found = exact or [i for i, c in enumerate(self.columns) if _loose(c) == _loose(column)]
        if len(found) > 1:
            raise RosterError(
                f"{self.display or self.file} has the column {column!r} {len(found)} times",
                code="csv.header",
                hint="ask the district to export each column once; nothing was taken from this file",
            )
        return found[0] if found else None


def _loose(column: str) -> str:
    return column.strip().strip("\ufeff").casefold()


def compile_source(source: Source, entity: str, tables: Mapping[str, Table]) -> str | None:
    """The query for one source; None where its file is absent, or it is optional and its columns are.

    Raises MapperError mapper.column when a column is missing that the mapper counts on.
    """
    if tables[source.file].absent:
        return None
    try:
        return _Query(source, ENTITIES[entity], tables).sql()
    except MapperError:
        if source.optional:
            return None
        raise


class _Query:
    """One source being compiled: resolves columns, then writes the query stage by stage."""

    def __init__(self, source: Source, entity: Entity, tables: Mapping[str, Table]):
        self.source = source
        self.entity = entity
        self.base = tables[source.file]
        self.aliases: dict[str, tuple[str, Table]] = {}
        self.tables = tables

    def sql(self) -> str:
        joins = [self._join(index, join) for index, join in enumerate(self.source.joins)]
        fields = {f.name: f for f in self.source.fields}
        raw, lateral = self._raw_fields(fields)
        where = " AND ".join(self._condition(c) for c in self.source.where) or "true"
        stage = (
            f"SELECT t0.src AS _src, t0.line AS _line, {', '.join(raw)} "
            f"FROM {self.base.sql_name} t0 {' '.join(joins)}{lateral} WHERE {where}"
        )
        columns = [self._typed(fields.get(f), f) for f in self.entity.fields]
        problems = ", ".join(self._problems(fields)) or "NULL"
        query = (
            f"SELECT _src, _line, {', '.join(columns)}, "
            f"list_filter([{problems}]::VARCHAR[], lambda p: p IS NOT NULL) AS _problems FROM ({stage})"
        )
        return self._distinct(query) if self.source.distinct else query

    def _distinct(self, query: str) -> str:
        """Equal rows folded into the first of them."""
        fields = ", ".join(name(f) for f in self.entity.fields)
        first = f"row_number() OVER (PARTITION BY {fields} ORDER BY _src, _line) = 1"
        return f"SELECT * FROM ({query}) QUALIFY {first}"

    # -- columns ------------------------------------------------------------------------------------------

    def _column(self, column: str) -> str | None:
        """The expression of a column; None where no table has it."""
        position = self.base.find(column)
        if position is not None:
            return f"t0.c{position}"
        alias, _, rest = column.partition(".")
        if rest and alias in self.aliases:
            sql_alias, table = self.aliases[alias]
            if table.absent:
                return _NULL
            position = table.find(rest)
            return None if position is None else f"{sql_alias}.c{position}"
        return None

    def _needed(self, column: str) -> str:
        expression = self._column(column)
        if expression is None:
            raise self._missing(column)
        return expression

    def _missing(self, *columns: str) -> MapperError:
        alias, _, rest = columns[0].partition(".")
        table = self.aliases[alias][1] if rest and alias in self.aliases else self.base
        wanted = " or ".join(repr(c) for c in columns)
        has = f"{table.display or table.file} has: {', '.join(repr(c) for c in table.columns if c)[:400]}"
        close = nearest(rest if table is not self.base else columns[0], [c for c in table.columns if c])
        suggestion = f"{close} " if close.startswith("did you mean") else ""
        return MapperError(
            f"{table.display or table.file} has no column {wanted}, which {self.source.path} reads",
            code="mapper.column",
            hint=f"{suggestion}{has}; correct the mapper, or ask the district to export the column",
        )

    # -- stages -------------------------------------------------------------------------------------------

    def _raw_fields(self, fields: Mapping[str, Field]) -> tuple[list[str], str]:
        """The first stage's columns, and the unnested list that one of them may read."""
        raw, lateral = [], ""
        for field in fields.values():
            value = self._source_value(field)
            if field.split and field.item:
                items = f"list_transform(string_split({value}, {literal(field.split)}), lambda i: trim(i))"
                value = f"list_filter({items}, lambda i: i <> '')[1]"
            elif field.split:
                lateral = f", unnest(string_split({value}, {literal(field.split)})) AS _list(item)"
                value = "nullif(trim(_list.item), '')"
            raw.append(f"{transformed(field, value)} AS {name('r_' + field.name)}")
        return raw, lateral

    def _source_value(self, field: Field) -> str:
        if field.const is not None:
            return f"nullif({literal(field.const)}, '')"
        if field.template is not None:
            return self._template(field)
        found = [e for e in map(self._column, field.columns) if e is not None]
        if not found:
            if field.optional:
                return _NULL
            raise self._missing(*field.columns)
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    def _template(self, field: Field) -> str:
        """The template with its columns written in; runs of spaces that empty columns leave are closed."""
        template = field.template or ""
        columns = {c: self._column(c) for c in placeholders(template)}
        missing = [c for c, expression in columns.items() if expression is None]
        if missing and not field.optional:
            raise self._missing(*missing)
        parts, rest = [], template
        for column, expression in columns.items():
            before, _, rest = rest.partition("{" + column + "}")
            parts += [literal(before), f"coalesce({expression or 'NULL'}, '')"]
        joined = f"concat({', '.join([*parts, literal(rest)])})"
        return f"nullif(trim(regexp_replace({joined}, ' +', ' ', 'g')), '')"

    def _typed(self, field: Field | None, field_name: str) -> str:
        if field is None:
            return (
                f"{'NULL' if field_name not in RIGHTS else literal('unknown')}::VARCHAR AS {name(field_name)}"
            )
        raw = name("r_" + field_name)
        value = typed(field, raw) or raw
        if field_name in RIGHTS:
            value = f"coalesce({value}, 'unknown')"
        return f"({value})::VARCHAR AS {name(field_name)}"

    def _problems(self, fields: Mapping[str, Field]) -> Iterator[str]:
        for field in fields.values():
            raw = name("r_" + field.name)
            value = typed(field, raw)
            if value is not None:
                empty = " AND lower(" + raw + ") <> 'unknown'" if field.name in RIGHTS else ""
                yield (
                    f"CASE WHEN {raw} IS NOT NULL{empty} AND ({value}) IS NULL "
                    f"THEN {literal(field.name + ':type')} END"
                )
            if field.required or field.name in self.entity.required:
                yield f"CASE WHEN ({value or raw}) IS NULL THEN {literal(field.name + ':required')} END"

    # -- joins and conditions -----------------------------------------------------------------------------

    def _join(self, index: int, join: Join) -> str:
        table = self.tables[join.file]
        alias = f"j{index}"
        if table.absent:
            self.aliases[join.alias] = (alias, table)
            return ""
        condition = " AND ".join(self._condition(c, table) for c in join.where) or "true"
        pairs = [(self._needed(left), self._right_column(table, right)) for left, right in join.on]
        self.aliases[join.alias] = (alias, table)
        if join.split:
            return self._list_join(join, alias, table, condition, pairs)
        rows = f"SELECT * FROM {table.sql_name} WHERE {condition}"
        if join.take == "first":
            keys = ", ".join(right for _, right in pairs)
            rows += f" QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY src, line) = 1"
        on = " AND ".join(f"{left} = {alias}.{right}" for left, right in pairs)
        return f"LEFT JOIN ({rows}) {alias} ON {on}"

    def _list_join(
        self, join: Join, alias: str, table: Table, condition: str, pairs: list[tuple[str, str]]
    ) -> str:
        """Each item of a list of the first file, looked up.

        With `take: first`, the first item that is found. Else one row for each item, found or not: an item
        that points nowhere has itself in the joined column and nothing in the others, so that it can be
        accounted for.
        """
        left, right = pairs[0]
        items = f"string_split({left}, {literal(join.split)})"
        kind, columns, chosen = "LEFT JOIN", f"r.* REPLACE (k.item AS {right})", ""
        if join.take == "first":
            kind, columns = "JOIN", "r.*"
            order = "k.pos, r.src, r.line"
            chosen = f"QUALIFY row_number() OVER (PARTITION BY k.src, k.line ORDER BY {order}) = 1"
        return (
            f"LEFT JOIN (SELECT k.src AS k_src, k.line AS k_line, {columns} FROM "
            f"(SELECT t0.src, t0.line, trim(unnest({items})) AS item, generate_subscripts({items}, 1) AS pos "
            f"FROM {self.base.sql_name} t0) k "
            f"{kind} (SELECT * FROM {table.sql_name} WHERE {condition}) r ON k.item = r.{right} "
            f"WHERE k.item <> '' {chosen}) {alias} "
            f"ON {alias}.k_src = t0.src AND {alias}.k_line = t0.line"
        )

    def _right_column(self, table: Table, column: str) -> str:
        position = table.find(column)
        if position is None:
            raise MapperError(
                f"{table.display or table.file} has no column {column!r}, which {self.source.path} joins on",
                code="mapper.column",
                hint=nearest(column, [c for c in table.columns if c]) or "correct the mapper's join",
            )
        return f"c{position}"

    def _tested_column(self, condition: Condition, table: Table | None) -> str:
        if condition.optional and self._is_missing(condition.column, table):
            return _NULL
        return self._right_column(table, condition.column) if table else self._needed(condition.column)

    def _is_missing(self, column: str, table: Table | None) -> bool:
        return (table.find(column) if table else self._column(column)) is None

    def _condition(self, condition: Condition, table: Table | None = None) -> str:
        column = self._tested_column(condition, table)
        values = condition.values
        if condition.ignore_case:
            column, values = f"lower({column})", tuple(v.lower() for v in values)
        return {
            "in": lambda: f"({column} IN {literal_list(values)})" if values else "false",
            "not_in": lambda: f"coalesce({column} NOT IN {literal_list(values)}, true)" if values else "true",
            "equals": lambda: f"(coalesce({column}, '') = {literal(values[0])})",
            "not_equals": lambda: f"(coalesce({column}, '') <> {literal(values[0])})",
            "not_empty": lambda: f"({column} IS NOT NULL)",
            "empty": lambda: f"({column} IS NULL)",
            "matches": lambda: f"coalesce(regexp_full_match({column}, {literal(values[0])}), false)",
        }[condition.operator]()
