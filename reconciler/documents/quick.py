"""Whether a value fits a schema, quickly: the schema as nested functions, yes or no and nothing more.

`jsonschema` stays the authority for every message, at about 0.7 ms a district; this answers for the
files that are right, some forty times faster. A schema with a keyword that is not known here is left to
`jsonschema` alone, and a test holds the two to the same verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.documents.formats import FORMATS, whole_pattern
from reconciler.documents.node import Unquoted

Check = Callable[[Any], bool]

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples"}
    | {"errorMessage", "x-echo", "then", "else", "properties"}
)
_TYPES: Mapping[str, Check] = {
    "string": lambda v: isinstance(v, str) and not isinstance(v, Unquoted),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
}


class _UnknownKeywordError(Exception):
    """The schema says something that this module does not know."""


def compile_check(schema: Mapping[str, Any]) -> Check | None:
    """A function that says whether a value is valid; None where only `jsonschema` can tell."""
    try:
        return _Compiler(schema).check(schema)
    except _UnknownKeywordError:
        return None


class _Compiler:
    """Turns a schema with its `$defs` into functions."""

    def __init__(self, root: Mapping[str, Any]):
        self._root = root
        self._open: list[str] = []

    def check(self, schema: Any) -> Check:
        """The conjunction of all keywords of one (sub)schema."""
        if isinstance(schema, bool):
            return lambda _value: schema
        checks = [
            self._keyword(name, value, schema) for name, value in schema.items() if _asserts(name, schema)
        ]
        if len(checks) == 1:
            return checks[0]
        return lambda value: all(check(value) for check in checks)

    def _keyword(self, name: str, wanted: Any, schema: Mapping[str, Any]) -> Check:
        structural = _STRUCTURAL.get(name)
        if structural:
            return structural(self, wanted, schema)
        if name in _LEAVES:
            return _LEAVES[name](wanted, schema)
        raise _UnknownKeywordError(name)

    def _ref(self, reference: str, _schema: Mapping[str, Any]) -> Check:
        prefix, _, name = reference.rpartition("/")
        if prefix != "#/$defs" or name in self._open:
            raise _UnknownKeywordError("$ref")
        self._open.append(name)
        check = self.check(self._root["$defs"][name])
        self._open.pop()
        return check

    def _members(self, additional: Any, schema: Mapping[str, Any]) -> Check:
        """`properties` and `additionalProperties` together."""
        known = {key: self.check(sub) for key, sub in schema.get("properties", {}).items()}
        other = self.check(additional)

        def check(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            return all(known.get(key, other)(member) for key, member in value.items())

        return check

    def _properties(self, _properties: Any, schema: Mapping[str, Any]) -> Check:
        return self._members(True, schema)

    def _items(self, items: Any, _schema: Mapping[str, Any]) -> Check:
        check = self.check(items)
        return lambda value: not isinstance(value, list) or all(check(item) for item in value)

    def _names(self, names: Any, _schema: Mapping[str, Any]) -> Check:
        check = self.check(names)
        return lambda value: not isinstance(value, dict) or all(check(key) for key in value)

    def _all_of(self, subschemas: Any, _schema: Mapping[str, Any]) -> Check:
        checks = [self.check(sub) for sub in subschemas]
        return lambda value: all(check(value) for check in checks)

    def _any_of(self, subschemas: Any, _schema: Mapping[str, Any]) -> Check:
        checks = [self.check(sub) for sub in subschemas]
        return lambda value: any(check(value) for check in checks)

    def _one_of(self, subschemas: Any, _schema: Mapping[str, Any]) -> Check:
        checks = [self.check(sub) for sub in subschemas]
        return lambda value: sum(check(value) for check in checks) == 1

    def _not(self, subschema: Any, _schema: Mapping[str, Any]) -> Check:
        check = self.check(subschema)
        return lambda value: not check(value)

    def _if(self, condition: Any, schema: Mapping[str, Any]) -> Check:
        holds = self.check(condition)
        then, otherwise = self.check(schema.get("then", True)), self.check(schema.get("else", True))
        return lambda value: then(value) if holds(value) else otherwise(value)


def _asserts(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether the keyword has a check of its own; `properties` is part of `additionalProperties`."""
    return name not in _ANNOTATIONS or (name == "properties" and "additionalProperties" not in schema)


_STRUCTURAL: Mapping[str, Callable[[_Compiler, Any, Mapping[str, Any]], Check]] = {
    "$ref": _Compiler._ref,
    "properties": _Compiler._properties,
    "additionalProperties": _Compiler._members,
    "items": _Compiler._items,
    "propertyNames": _Compiler._names,
    "allOf": _Compiler._all_of,
    "anyOf": _Compiler._any_of,
    "oneOf": _Compiler._one_of,
    "not": _Compiler._not,
    "if": _Compiler._if,
}


def _type(wanted: Any, schema: Mapping[str, Any]) -> Check:
    checks = [_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)]
    if schema.get("format") == "date":
        checks.append(lambda value: isinstance(value, Unquoted))
    return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)


def _required(names: Any, _schema: Any) -> Check:
    return lambda value: not isinstance(value, dict) or all(name in value for name in names)


def _dependent(dependencies: Any, _schema: Any) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return all(need in value for name, needs in dependencies.items() if name in value for need in needs)

    return check


def _pattern(pattern: str, _schema: Any) -> Check:
    search = whole_pattern(pattern).search
    return lambda value: not _TYPES["string"](value) or search(value) is not None


def _format(name: str, _schema: Any) -> Check:
    known = FORMATS.get(name)
    return lambda value: known is None or not isinstance(value, str) or known(value)


def _enum(values: Any, _schema: Any) -> Check:
    # Texts only: true and 1 are equal in Python, and not in JSON.
    if not all(isinstance(value, str) for value in values):
        raise _UnknownKeywordError("enum")
    return lambda value: isinstance(value, str) and value in values


def _const(value: Any, schema: Any) -> Check:
    return _enum([value], schema)


def _bound(type_name: str, holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Check]:
    of_type = _TYPES[type_name]
    return lambda limit, _schema: lambda value: not of_type(value) or holds(value, limit)


_LEAVES: Mapping[str, Callable[[Any, Any], Check]] = {
    "type": _type,
    "required": _required,
    "dependentRequired": _dependent,
    "pattern": _pattern,
    "format": _format,
    "enum": _enum,
    "const": _const,
    "minimum": _bound("number", lambda value, limit: value >= limit),
    "maximum": _bound("number", lambda value, limit: value <= limit),
    "minLength": _bound("string", lambda value, limit: len(value) >= limit),
    "maxLength": _bound("string", lambda value, limit: len(value) <= limit),
    "minItems": _bound("array", lambda value, limit: len(value) >= limit),
    "maxItems": _bound("array", lambda value, limit: len(value) <= limit),
    "minProperties": _bound("object", lambda value, limit: len(value) >= limit),
    "maxProperties": _bound("object", lambda value, limit: len(value) <= limit),
}
