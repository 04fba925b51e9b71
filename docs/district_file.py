"""Writes the tables of docs/district-file.md from the schemas: `python docs/district_file.py [--check]`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
PAGE = DOCS / "district-file.md"
_PLACE = re.compile(r"(<!-- (district|fleet) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEADER = "| key | type | default | says |\n|---|---|---|---|\n"

Schema = Mapping[str, Any]


def rows(schema: Schema, root: Schema, prefix: str = "") -> Iterator[str]:
    """A line of the table for each key, those inside of it below it."""
    needed = schema.get("required", ())
    for name, value in schema.get("properties", {}).items():
        if value.get("not") == {}:
            continue  # it is there only for the words of its refusal
        resolved = _resolved(value, root)
        key, kind = f"{prefix}{name}", _kind(resolved)
        star = " *" if name in needed else ""
        default = f"`{json.dumps(resolved['default'])}`" if "default" in resolved else ""
        yield f"| `{key}`{star} | {kind} | {default} | {_says(resolved)} |"
        yield from rows(resolved, root, f"{key}.")
        yield from rows(_resolved(resolved.get("items", {}), root), root, f"{key}[].")


def _resolved(value: Schema, root: Schema) -> dict[str, Any]:
    """The schema with what it refers to, its own words before those."""
    if "$ref" not in value:
        return dict(value)
    target = root["$defs"][value["$ref"].rpartition("/")[2]]
    return {**_resolved(target, root), **value}


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    kinds = schema.get("type", "text")
    names = {"string": "text", "array": "list", "object": "mapping"}
    return " or ".join(names.get(k, k) for k in ([kinds] if isinstance(kinds, str) else kinds))


def _says(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = f" {low} to {high}." if low is not None else ""
    example = schema.get("examples", [None])[0]
    shown = f" Example: `{json.dumps(example)}`." if isinstance(example, str) else ""
    return str(schema["description"]) + bounds + shown


def page(text: str) -> str:
    """The page with its tables written anew."""

    def table(match: re.Match[str]) -> str:
        schema = json.loads((DOCS.parent / "schemas" / f"{match[2]}.schema.json").read_text(encoding="utf-8"))
        return f"{match[1]}{_HEADER}" + "\n".join(rows(schema, schema)) + f"\n{match[3]}"

    return _PLACE.sub(table, text)


def main(arguments: list[str]) -> None:
    """Write the page; with --check, exit with 1 where it is not what it would be."""
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if "--check" in arguments and new != old:
        sys.exit("docs/district-file.md is not current: run `python docs/district_file.py`")
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
