"""SQL that brings another file in beside a source's own: by equal columns, or by the items of a list."""

from __future__ import annotations

from reconciler.errors import MapperError
from reconciler.mapping.columns import Table
from reconciler.mapping.conditions import condition_sql
from reconciler.mapping.model import Condition, Join
from reconciler.mapping.scope import Scope
from reconciler.mapping.sql import first_not_empty, literal


def join_sql(scope: Scope, base: Table, join: Join, table: Table, alias: str) -> tuple[str, str]:
    """The JOIN clause, and a test whether a line that the row should join could not be read.

    The joined table is in the scope afterwards. Raises MapperError mapper.column.
    """
    if table.absent:
        scope.add(join.alias, alias, table)
        return "", "false"
    condition = " AND ".join(_condition(scope, c, table) for c in join.where) or "true"
    if join.split:
        clause, lost = _list_join(scope, base, join, table, alias, condition)
    else:
        clause, lost = _plain_join(scope, join, table, alias, condition)
    scope.add(join.alias, alias, table)
    return clause, lost if table.broken_words else "false"


def _condition(scope: Scope, condition: Condition, table: Table) -> str:
    there = [column for column in condition.columns if table.find(column) is not None]
    if not there and not condition.optional:
        there = [condition.column]
    return condition_sql(condition, first_not_empty([scope.of_joined(table, column) for column in there]))


def _plain_join(scope: Scope, join: Join, table: Table, alias: str, condition: str) -> tuple[str, str]:
    pairs = [
        (_same(join, scope.needed(left, "join")), _same(join, scope.of_joined(table, right), alias))
        for left, right in join.on
    ]
    rows = f"SELECT * FROM {table.sql_name} WHERE {condition}"
    if join.take == "first":
        keys = ", ".join(_same(join, scope.of_joined(table, right)) for _, right in join.on)
        rows += f" QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY src, line) = 1"
    on = " AND ".join(f"{left} = {right}" for left, right in pairs)
    words = f"(SELECT {_same(join, 'word')} FROM {table.broken_words})"
    lost = " AND ".join(f"coalesce({left} IN {words}, false)" for left, _ in pairs)
    return f"LEFT JOIN ({rows}) {alias} ON {on}", lost


def _list_join(
    scope: Scope, base: Table, join: Join, table: Table, alias: str, condition: str
) -> tuple[str, str]:
    """Each item of a list of the first file, looked up.

    With `take: first`, the first item that is found. Else one row for each item, found or not: an item
    that points nowhere has itself in the joined column and nothing in the others, so that it can be
    accounted for.
    """
    column, joined = join.on[0]
    left, right = scope.own(column), scope.of_joined(table, joined)
    if left is None:
        raise scope.missing("join", column) if scope.column(column) is None else _not_a_list(column)
    items = f"string_split({left}, {literal(join.split)})"
    kind, columns, chosen = "LEFT JOIN", f"r.* REPLACE (k.item AS {right})", ""
    if join.take == "first":
        kind, columns = "JOIN", "r.*"
        order = "k.pos, r.src, r.line"
        chosen = f"QUALIFY row_number() OVER (PARTITION BY k.src, k.line ORDER BY {order}) = 1"
    found = f"{_same(join, 'k.item')} = {_same(join, right, 'r')}"
    clause = (
        f"LEFT JOIN (SELECT k.src AS k_src, k.line AS k_line, {columns} FROM "
        f"(SELECT t0.src, t0.line, trim(unnest({items})) AS item, generate_subscripts({items}, 1) AS pos "
        f"FROM {base.sql_name} t0) k "
        f"{kind} (SELECT * FROM {table.sql_name} WHERE {condition}) r ON {found} "
        f"WHERE k.item <> '' {chosen}) {alias} "
        f"ON {alias}.k_src = t0.src AND {alias}.k_line = t0.line"
    )
    trimmed = f"list_transform({items}, lambda i: {_same(join, 'trim(i)')})"
    words = f"(SELECT list({_same(join, 'word')}) FROM {table.broken_words})"
    return clause, f"coalesce(list_has_any({trimmed}, {words}), false)"


def _same(join: Join, expression: str, table: str = "") -> str:
    """What has to be equal on both sides for rows to join; `table` holds the column."""
    of = f"{table}.{expression}" if table else expression
    return f"lower({of})" if join.ignore_case else of


def _not_a_list(column: str) -> MapperError:
    return MapperError(
        f"the list {column!r} is a column of a joined file; a list is looked up in the source's own file",
        code="mapper.schema",
        hint="read the source `from` the file with the list",
    )
