"""From a mapper's JSON to its model, `repeat` written out, every reference inside it checked.

The JSON has passed schemas/mapper.schema.json before; what is found here are the mistakes that a schema
cannot see: a source that reads a file which the mapper does not name, a required field that is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

from reconciler.mapping.carried import parse_tests
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.model import Condition, EntityMap, Field, FileSpec, Join, Mapper, Source

MAPPING_VERSION = 2
"""Part of every digest: raise it when the same mapper would give other rows than before."""

MAX_REPETITIONS = 200
"""How often one source may be written out by `repeat`."""


def parse_mapper(document: Mapping[str, Any]) -> Mapper:
    """The mapper that a document describes; `check.findings` says what is wrong with it."""
    files = {name: _file(name, value) for name, value in document.get("files", {}).items()}
    entities = {
        name: _entity(name, value) for name, value in document.get("entities", {}).items() if name in ENTITIES
    }
    return Mapper(
        name=document.get("name", ""),
        files=files,
        entities=entities,
        description=document.get("description", ""),
        standard=document.get("standard", ""),
        digest=_digest(document),
        document=dict(document),
        tests=parse_tests(document),
    )


def _digest(document: Mapping[str, Any]) -> str:
    decisive = {key: document[key] for key in ("files", "entities") if key in document}
    text = json.dumps([MAPPING_VERSION, decisive], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _file(name: str, value: Mapping[str, Any]) -> FileSpec:
    patterns = tuple(pattern.removesuffix(".gz") for pattern in _listed(value["pattern"]))
    return FileSpec(
        name=name,
        pattern=" or ".join(patterns),
        encoding=value.get("encoding", ""),
        delimiter=value.get("delimiter", "").replace("\\t", "\t"),
        optional=value.get("optional", False),
        several=value.get("several", ""),
        empty=tuple(value["empty"]) if "empty" in value else None,
        patterns=patterns,
        excluded=_listed(value.get("except", [])),
        columns=tuple((column, tuple(others)) for column, others in value.get("columns", {}).items()),
        blank=tuple(value.get("blank", ())),
        key=value.get("key", ""),
    )


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _entity(name: str, value: Any) -> EntityMap:
    parts = value if isinstance(value, list) else [value]
    sources: list[Source] = []
    prefer = ""
    for index, part in enumerate(parts):
        path = f"entities.{name}[{index}]" if isinstance(value, list) else f"entities.{name}"
        prefer = prefer or part.get("prefer", "")
        sources.extend(_source(part, bound, path) for bound in _repetitions(part.get("repeat")))
    return EntityMap(name, tuple(sources), "first" if prefer == "first" else "")


def _repetitions(repeat: Mapping[str, list[str]] | None) -> Iterator[dict[str, str]]:
    """Each combination of the repeated values, in the order written; one empty one without `repeat`."""
    repeat = repeat or {}
    for values in islice(product(*repeat.values()), MAX_REPETITIONS + 1):
        yield dict(zip(repeat, values, strict=True))


def _source(part: Mapping[str, Any], bound: Mapping[str, str], path: str) -> Source:
    joins = part.get("join", [])
    return Source(
        file=part["from"],
        fields=tuple(_field(name, value, bound) for name, value in part["fields"].items()),
        joins=tuple(_join(j, bound) for j in (joins if isinstance(joins, list) else [joins])),
        where=tuple(_conditions(part.get("where"), bound)),
        distinct=part.get("distinct", False),
        optional=part.get("optional", False),
        instead=part.get("instead", False),
        unless=_listed(part.get("unless", [])),
        path=path,
    )


def _join(value: Mapping[str, Any], bound: Mapping[str, str]) -> Join:
    return Join(
        file=value["file"],
        alias=value.get("as", value["file"]),
        on=tuple((_bind(left, bound), _bind(right, bound)) for left, right in value["on"].items()),
        where=tuple(_conditions(value.get("where"), bound)),
        take=value.get("take", "all"),
        split=value.get("split", ""),
        ignore_case=value.get("ignore_case", False),
    )


def _conditions(value: Any, bound: Mapping[str, str]) -> Iterator[Condition]:
    for item in value if isinstance(value, list) else [value] if value else []:
        column, *others = (_bind(c, bound) for c in _listed(item["column"]))
        flags = {"ignore_case": item.get("ignore_case", False), "optional": item.get("optional", False)}
        flags["others"] = tuple(others)
        for operator in ("in", "not_in", "equals", "not_equals", "not_empty", "empty", "matches"):
            if operator not in item:
                continue
            operand = item[operator]
            if isinstance(operand, bool):
                positive = operand if operator == "not_empty" else not operand
                yield Condition(column, "not_empty" if positive else "empty", **flags)
            else:
                values = operand if isinstance(operand, list) else [operand]
                yield Condition(column, operator, tuple(_bind(v, bound) for v in values), **flags)


def _field(name: str, value: Any, bound: Mapping[str, str]) -> Field:
    if isinstance(value, str):
        value = {"column": value}
    split = value.get("split", "")
    return Field(
        name=name,
        columns=tuple(_bind(c, bound) for c in _listed(value.get("column", []))),
        const=_bind(value["const"], bound) if "const" in value else None,
        template=_bind(value["template"], bound) if "template" in value else None,
        split="," if split is True else split or "",
        item=value.get("item", ""),
        transform=tuple(_transforms(value.get("transform", []), bound)),
        map=tuple((_bind(text, bound), _bind(to, bound)) for text, to in value.get("map", {}).items()),
        map_ignores_case=value.get("map_ignores_case", False),
        default=_bind(value["default"], bound) if "default" in value else None,
        type=value.get("type", "date" if name == "birth_date" else "text"),
        formats=tuple(value.get("formats", ())),
        required=value.get("required", False),
        optional=value.get("optional", False),
    )


def _transforms(value: Any, bound: Mapping[str, str]) -> Iterator[str | tuple[str, str]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item
        else:
            before, after = item["replace"]
            yield _bind(before, bound), _bind(after, bound)


def _bind(text: str, bound: Mapping[str, str]) -> str:
    """Write the values of `repeat` into a text; braces that name no repeated value stay as they are."""
    if not bound:
        return text
    names = "|".join(map(re.escape, bound))
    return re.sub(r"\{(" + names + r")\}", lambda found: bound[found[1]], text)
