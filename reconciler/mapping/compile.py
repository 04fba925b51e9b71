"""A source of a mapper and the tables at hand, compiled to one query.

The query's rows are the entity's fields, after `_src` and `_line` (the physical file and the line on which
the row starts) and before `_problems`, a list of `name:reason` (NULL where there is none): a field that is
`required` and empty, or not of its `type`, or no `day` to be born on; an id that is `scientific` or an
`unreadable-id`; a joined file whose line for this row is `unreadable`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.errors import MapperError
from reconciler.mapping.columns import Table, template_parts
from reconciler.mapping.conditions import condition_sql
from reconciler.mapping.entities import ENTITIES, RIGHTS, Entity
from reconciler.mapping.ids import ID_FIELDS, KEY_FIELDS, fitting_id, id_fault
from reconciler.mapping.joins import join_sql
from reconciler.mapping.model import Condition, Field, Source
from reconciler.mapping.scope import Scope
from reconciler.mapping.sql import NULL, first_not_empty, literal, name
from reconciler.mapping.values import any_date, transformed, typed


def compile_source(source: Source, entity: str, tables: Mapping[str, Table]) -> str | None:
    """The query for one source; None where its file is absent, or it is optional and its columns are.

    It is None too where a file is there that it stands aside for (`unless`).

    Raises MissingColumnError when a column is missing that the mapper counts on.
    """
    if tables[source.file].absent or not all(tables[file].absent for file in source.unless):
        return None
    try:
        return _Query(source, ENTITIES[entity], tables).sql()
    except MapperError as error:
        if source.optional and error.code == "mapper.column":
            return None
        raise


LIST_SEPARATOR = "chr(31)"
"""Between the schools of a row of which the first mapped one counts: which that is, is not known here."""


class _Query:
    """One source being compiled: the fields' texts, then their types and what is wrong with them."""

    def __init__(self, source: Source, entity: Entity, tables: Mapping[str, Table]):
        self._source = source
        self._entity = entity
        self._base = tables[source.file]
        self._tables = tables
        self._scope = Scope(source, self._base)
        self._lateral = ""
        """The list that a split field reads, one row for each item."""

    def sql(self) -> str:
        joins, lost = self._joins()
        fields = {f.name: f for f in self._source.fields}
        raw = [f"{self._raw(f)} AS {name('r_' + f.name)}" for f in fields.values()]
        where = " AND ".join(self._condition(c) for c in self._source.where) or "true"
        stage = (
            f"SELECT t0.src AS _src, t0.line AS _line, {', '.join([*lost, *raw])} "
            f"FROM {self._base.sql_name} t0 {' '.join(joins)}{self._lateral} WHERE {where}"
        )
        columns = [self._typed(fields.get(f), f) for f in self._entity.fields]
        query = f"SELECT _src, _line, {', '.join(columns)}, {self._problems(fields)} FROM ({stage})"
        return self._distinct(query) if self._source.distinct else query

    def _distinct(self, query: str) -> str:
        """Equal rows folded into the first of them."""
        fields = ", ".join(name(f) for f in self._entity.fields)
        first = f"row_number() OVER (PARTITION BY {fields} ORDER BY _src, _line) = 1"
        return f"SELECT * FROM ({query}) QUALIFY {first}"

    def _joins(self) -> tuple[list[str], list[str]]:
        """The JOIN clauses, and a column for each that says whether the row's line there is unreadable."""
        clauses, lost = [], []
        for index, join in enumerate(self._source.joins):
            clause, test = join_sql(self._scope, self._base, join, self._tables[join.file], f"j{index}")
            clauses.append(clause)
            lost.append(f"{test} AS lost_{index}")
        return clauses, lost

    def _condition(self, condition: Condition) -> str:
        found = [e for e in map(self._scope.column, condition.columns) if e is not None]
        if not found and not condition.optional:
            raise self._scope.missing("where", *condition.columns)
        return condition_sql(condition, first_not_empty(found))

    # -- a field's text -----------------------------------------------------------------------------------

    def _raw(self, field: Field) -> str:
        value = self._source_value(field)
        if field.split:
            value = self._items(field, value)
        return transformed(field, value)

    def _source_value(self, field: Field) -> str:
        if field.const is not None:
            return f"nullif({literal(field.const)}, '')"
        if field.template is not None:
            return self._template(field, field.template)
        found = [e for e in map(self._scope.column, field.columns) if e is not None]
        if not found:
            if field.optional:
                return NULL
            raise self._scope.missing(f"fields.{field.name}", *field.columns)
        return first_not_empty(found)

    def _template(self, field: Field, template: str) -> str:
        """The template with its columns written in; NULL where all of them are empty.

        Runs of spaces that empty columns leave are closed.
        """
        pieces, columns = [], []
        for text, column in template_parts(template):
            pieces.append(literal(text))
            if column:
                expression = self._scope.column(column)
                if expression is None and not field.optional:
                    raise self._scope.missing(f"fields.{field.name}", column)
                columns.append(expression or NULL)
                pieces.append(f"coalesce({columns[-1]}, '')")
        joined = f"nullif(trim(regexp_replace(concat({', '.join(pieces)}), ' +', ' ', 'g')), '')"
        given = " OR ".join(f"{c} IS NOT NULL" for c in columns) or "true"
        return f"CASE WHEN {given} THEN {joined} END"

    def _items(self, field: Field, value: str) -> str:
        """The first item of a list, or its item in each of the rows that the list makes.

        A list without an item is no relationship. Of any other entity it is one row with the field empty,
        for a child whose school is not said must be accounted for.
        """
        trimmed = f"list_transform(string_split({value}, {literal(field.split)}), lambda i: trim(i))"
        items = f"list_filter({trimmed}, lambda i: i <> '')"
        if field.item == "mapped":
            return f"nullif(array_to_string({items}, {LIST_SEPARATOR}), '')"
        if field.item:
            return f"{items}[{-1 if field.item == 'last' else 1}]"
        if self._entity.name != "relationships":
            items = f"CASE WHEN len({items}) > 0 THEN {items} ELSE [{NULL}] END"
        self._lateral = f", unnest({items}) AS _list(item)"
        return "_list.item"

    # -- a field's value ----------------------------------------------------------------------------------

    def _typed(self, field: Field | None, field_name: str) -> str:
        value = NULL
        if field is not None:
            value = _value(field)
        if field_name in RIGHTS:
            value = f"coalesce({value}, 'unknown')"
        return f"({value})::VARCHAR AS {name(field_name)}"

    def _problems(self, fields: Mapping[str, Field]) -> str:
        """The list of what is wrong with a row; NULL for most, which are spared the list."""
        found = list(self._faults(fields))
        if not found:
            return "NULL::VARCHAR[] AS _problems"
        any_ = " OR ".join(test for test, _ in found)
        told = ", ".join(f"CASE WHEN {test} THEN {text} END" for test, text in found)
        filtered = f"list_filter([{told}]::VARCHAR[], lambda p: p IS NOT NULL)"
        return f"CASE WHEN {any_} THEN {filtered} END AS _problems"

    def _faults(self, fields: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
        """Pairs of a test on a row and the text, as expressions, that says what it means."""
        for index, join in enumerate(self._source.joins):
            yield f"lost_{index}", literal(f"{join.file}:unreadable")
        for field in fields.values():
            raw, value = name("r_" + field.name), _value(field)
            if value != raw:
                said = f" AND lower({raw}) <> 'unknown'" if field.name in RIGHTS else ""
                yield (
                    f"({raw} IS NOT NULL{said} AND ({value}) IS NULL)",
                    f"{literal(field.name + ':')} || {_fault(field, raw)}",
                )
            if field.required or field.name in self._entity.required:
                yield f"({value}) IS NULL", literal(f"{field.name}:required")


def _value(field: Field) -> str:
    """The expression of a field's value; its column `r_<name>` as it is for text of any kind."""
    raw = name("r_" + field.name)
    value = typed(field, raw) or raw
    return fitting_id(raw, value) if field.name in ID_FIELDS else value


def _fault(field: Field, raw: str) -> str:
    """Of a text that is no value of its field: in what it fails."""
    if field.name in KEY_FIELDS:
        return f"coalesce({id_fault(raw)}, 'type')"
    if field.name == "birth_date":
        return f"CASE WHEN ({any_date(field, raw)}) IS NULL THEN 'type' ELSE 'day' END"
    return "'type'"
