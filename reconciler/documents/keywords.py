"""JSON Schema's keywords where the library is too lax, or says too little to place the problem.

An error's `message` is never shown; for `required`, `additionalProperties` and `dependentRequired` it
carries the name of the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from reconciler.documents.formats import FORMATS, whole_pattern
from reconciler.documents.node import Unquoted

Errors = Iterator[ValidationError]


def _is_text(_checker: object, value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Unquoted)


def _is_integer(_checker: object, value: object) -> bool:
    """22.0 and true are not whole numbers, whatever the library thinks."""
    return isinstance(value, int) and not isinstance(value, bool)


def _type(validator: Any, types: Any, instance: Any, schema: Any) -> Errors:
    names = [types] if isinstance(types, str) else types
    # A date where a date belongs needs no quotes.
    if isinstance(instance, Unquoted) and schema.get("format") == "date":
        return
    if not any(validator.is_type(instance, name) for name in names):
        yield ValidationError("type")


def _required(validator: Any, required: Any, instance: Any, _schema: Any) -> Errors:
    if validator.is_type(instance, "object"):
        yield from (ValidationError(name) for name in required if name not in instance)


def _dependent_required(validator: Any, dependencies: Any, instance: Any, _schema: Any) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    for name, needed in dependencies.items():
        if name in instance:
            yield from (ValidationError(need, path=(name,)) for need in needed if need not in instance)


def _additional(validator: Any, additional: Any, instance: Any, schema: Any) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    patterns = schema.get("patternProperties", ())
    for key in instance:
        if key in schema.get("properties", ()) or any(re.search(pattern, key) for pattern in patterns):
            continue
        if additional is False:
            yield ValidationError(key, path=(key,))
        else:
            yield from validator.descend(instance[key], additional, path=key)


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Errors:
    if validator.is_type(instance, "string") and not whole_pattern(pattern).search(instance):
        yield ValidationError("pattern")


def _format(_validator: Any, name: str, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, str) and name in FORMATS and not FORMATS[name](instance):
        yield ValidationError("format")


StrictValidator: type[Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={
        "type": _type,
        "required": _required,
        "dependentRequired": _dependent_required,
        "additionalProperties": _additional,
        "pattern": _pattern,
        "format": _format,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"string": _is_text, "integer": _is_integer}
    ),
)
