"""A failed keyword of JSON Schema in our own words: a message and a hint.

The library's messages quote the value, and a value may be a secret. Ours never do, but for places that
the schema marks with `"x-echo": true`. A schema's `errorMessage` (which editors show too) takes the place
of the general words, its `examples` make the hint.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from reconciler.documents.node import Node, Unquoted, shortened
from reconciler.documents.scalars import reading_of

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping (key: value)",
    "null": "empty",
}
_MAX_ECHO = 64


def in_words(error: ValidationError, node: Node | None) -> tuple[str, str]:
    """Message and hint for a failed keyword; `node` is the value that failed, where there is one."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    keyword = str(error.validator)
    if keyword == "type" and node and node.plain and _wants_text(error):
        return "must be text", _quoting_hint(node.plain, schema)
    if keyword in _ABOUT_KEYS:
        return _ABOUT_KEYS[keyword](error)
    if keyword == "type" and error.instance is None:
        return _type_words(error, schema), _examples_hint(schema)
    message = schema.get("errorMessage") or _general(keyword, error, schema)
    return message, _suggestion(error, schema) or _examples_hint(schema)


def _wants_text(error: ValidationError) -> bool:
    types: Any = error.validator_value
    return "string" in ([types] if isinstance(types, str) else types)


def _quoting_hint(plain: str, schema: Mapping[str, Any]) -> str:
    """How to write an unquoted scalar so that it stays text."""
    if not schema.get("x-echo") or len(plain) > _MAX_ECHO:
        return "put the value in quotes: without them YAML may read something other than text"
    return f'write "{plain}" in quotes: without them YAML reads {reading_of(plain)}'


def _unknown_key(error: ValidationError) -> tuple[str, str]:
    key, properties = error.message, _mapping(error).get("properties", {})
    # A key that is there only for the words of its refusal is not proposed.
    known = [name for name, schema in properties.items() if schema.get("not") != {}]
    message = f"unknown key {json.dumps(shortened(key))}"
    odd = next((character for character in key if not character.isascii()), "")
    if odd:
        message += f", which holds U+{ord(odd):04X} {unicodedata.name(odd, 'an unnamed character')}"
    return message, did_you_mean(key, known) or (f"known here: {', '.join(known)}" if known else "remove it")


def _missing_key(error: ValidationError) -> tuple[str, str]:
    schema = _mapping(error).get("properties", {}).get(error.message, {})
    return f'"{error.message}" is missing', f"add {error.message}: {_first_example(schema)}".rstrip()


def _missing_companion(error: ValidationError) -> tuple[str, str]:
    return f'goes with "{error.message}", which is missing', f"add {error.message}, or remove this key"


def _mapping(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


_ABOUT_KEYS: Mapping[str, Callable[[ValidationError], tuple[str, str]]] = {
    "additionalProperties": _unknown_key,
    "required": _missing_key,
    "dependentRequired": _missing_companion,
}


def _general(keyword: str, error: ValidationError, schema: Mapping[str, Any]) -> str:
    """What a keyword asks for, where the schema has no words of its own."""
    limit: Any = error.validator_value
    if keyword == "type":
        return _type_words(error, schema)
    if keyword in ("minimum", "maximum"):
        return _range_words(schema)
    if keyword == "enum":
        return f"must be one of {', '.join(json.dumps(value) for value in limit)}"
    if keyword == "const":
        return f"must be {json.dumps(limit)}"
    if keyword in ("minItems", "minProperties") and limit == 1:
        return "must not be empty"
    return _LIMITS.get(keyword, "is not of the required form").format(limit=limit)


_LIMITS: Mapping[str, str] = {
    "minLength": "must not be empty",
    "maxLength": "is longer than {limit} characters",
    "minItems": "has fewer entries than {limit}",
    "maxItems": "has more than {limit} entries",
    "minProperties": "has fewer keys than {limit}",
    "maxProperties": "has more than {limit} keys",
    "exclusiveMinimum": "must be more than {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "format": "is not of the required form",
}


def _type_words(error: ValidationError, schema: Mapping[str, Any]) -> str:
    types: Any = error.validator_value
    wanted = " or ".join(_TYPES[name] for name in ([types] if isinstance(types, str) else types))
    limits = f" {_range_words(schema).removeprefix('must be ')}" if "maximum" in schema else ""
    if error.instance is None:
        return f"is empty: {wanted}{limits} is expected"
    quoted = isinstance(error.instance, str) and not isinstance(error.instance, Unquoted)
    if quoted and types in ("integer", "number", "boolean"):
        return f"must be {wanted}{limits}, without quotes"
    return f"must be {wanted}{limits}"


def _range_words(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None or high is None:
        return f"must be at least {low}" if high is None else f"must be at most {high}"
    return f"must be from {low} to {high}"


def _suggestion(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if error.validator != "enum" or not isinstance(error.instance, str):
        return ""
    return did_you_mean(error.instance, [v for v in schema["enum"] if isinstance(v, str)])


def _examples_hint(schema: Mapping[str, Any]) -> str:
    example = _first_example(schema)
    return f"for example {example}" if example else ""


def _first_example(schema: Mapping[str, Any]) -> str:
    """In JSON, which is YAML too."""
    examples = schema.get("examples")
    return json.dumps(examples[0], ensure_ascii=False) if examples else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?` where something known is close enough, else nothing."""
    close = difflib.get_close_matches(word.strip().lower(), sorted(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else ""
