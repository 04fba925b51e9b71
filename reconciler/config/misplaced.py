"""A key that is right and stands in the wrong place: where it belongs, by the schemas of both files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from reconciler.config.defaults import FILE
from reconciler.documents.schema import load_schema
from reconciler.errors import Problem

DISTRICT = "district.schema.json"
FLEET = "fleet.schema.json"
_NO_GUESS = "known here:"
"""How a hint begins that only lists what is allowed."""
_MOST = 3
"""Places that are named."""


def in_its_place(problem: Problem, schema: str) -> Problem:
    """The problem of an unknown key with the place where that key is known, if there is one."""
    if not problem.message.startswith("unknown key") or not problem.hint.startswith(_NO_GUESS):
        return problem
    above, _, key = problem.path.rpartition(".")
    hint = _hint(above, _homes(key, schema))
    if not hint and schema == DISTRICT:
        homes = _homes(key, FLEET)
        hint = f"it belongs in {FILE}, {_under(homes)}".removesuffix(", ") if homes else ""
    return replace(problem, hint=hint) if hint else problem


def _hint(above: str, homes: list[str]) -> str:
    if "" in homes:
        return f"write it at the beginning of a line: it does not belong under {above}"
    return f"write it {_under(homes)}" if homes else ""


def _under(homes: list[str]) -> str:
    named = " or ".join(home for home in homes[:_MOST] if home)
    return f"under {named}" if named else ""


def _homes(key: str, schema: str) -> list[str]:
    """The mappings that may have this key, by dotted path; empty text for the file itself."""
    return [section for section, keys in _sections(schema) if key in keys]


@lru_cache
def _sections(name: str) -> tuple[tuple[str, frozenset[str]], ...]:
    schema = load_schema(name)
    return tuple(_walk("", schema, schema))


def _walk(
    path: str, schema: Mapping[str, Any], root: Mapping[str, Any]
) -> Iterator[tuple[str, frozenset[str]]]:
    members = _members(schema, root)
    if members:
        yield path, frozenset(members)
    for key, member in members.items():
        yield from _walk(f"{path}.{key}" if path else key, member, root)


def _members(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keys that a mapping may have, without those that are there only to be refused."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return {k: v for k, v in schema.get("properties", {}).items() if v.get("not") != {}}
