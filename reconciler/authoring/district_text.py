"""A district's file, written from the district: what has a default is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.authoring.building import build
from reconciler.authoring.printing import printed
from reconciler.authoring.shape import Shape
from reconciler.config.district import District, Sftp
from reconciler.documents.reader import parse_document
from reconciler.documents.schema import schema_problems
from reconciler.errors import ConfigError


def modeline(schema: str) -> str:
    """The comment by which editors find the schema, at this path from the file."""
    return f"# yaml-language-server: $schema={schema}"


def district_text(
    district: District, *, file: str, schema: Mapping[str, Any], schema_path: str, full: bool = False
) -> str:
    """The canonical text of a district's file; `full` writes every default out.

    Raises ConfigError where no file can say this district.
    """
    value = _without_nothing(district.to_json()) if full else minimal(district)
    text = printed([modeline(schema_path)], build(value, Shape.of(schema)))
    document = parse_document(text.encode(), display=file)
    problems = schema_problems(document, schema, file=file)
    if problems or District.from_json(document.value) != district:
        raise ConfigError(
            f"the district {district.id} cannot be written as a file", problems, code="config.format",
            hint="report this: a district that was read from a file can be written as one",
        )  # fmt: skip
    return text


def minimal(district: District) -> dict[str, Any]:
    """The district's JSON without what says no more than the defaults."""
    bare = District(district.id, district.name, district.account, Sftp("", ""), district.mapper).to_json()
    needed = {"district": district.id, "name": district.name, "account": district.account}
    whole = _without_nothing(district.to_json())
    rest = _pruned(whole, bare)
    found = {**needed, **rest, "mapper": district.mapper}
    order = list(whole)
    return {key: found[key] for key in sorted(found, key=order.index)}


def _pruned(value: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the defaults, at every level."""
    found: dict[str, Any] = {}
    for key, one in value.items():
        default = defaults.get(key)
        if isinstance(one, dict) and isinstance(default, dict):
            below = _pruned(one, default)
            if below:
                found[key] = below
        elif one != default:
            found[key] = one
    return found


def _without_nothing(value: Any) -> Any:
    """Without what is null or an empty text; one pin of a list stands by itself."""
    if isinstance(value, dict):
        kept = {k: _without_nothing(v) for k, v in value.items() if v is not None and v not in ("", [])}
        pins = kept.get("host_key")
        if isinstance(pins, list) and len(pins) == 1:
            kept["host_key"] = pins[0]
        return kept
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value
