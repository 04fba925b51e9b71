"""Writes docs/mappers/ from the built-in mappers: `python docs/mapper_pages.py [--check]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "mappers"
BUILT_IN = Path(__file__).parents[1] / "reconciler" / "mapping" / "builtin"
_WRITTEN = "<!-- written by docs/mapper_pages.py from the mapper: change that -->\n"

Json = dict[str, Any]


def page(mapper: Json) -> str:
    """Everything that a district needs to know of one mapper."""
    parts = [
        _WRITTEN,
        f"# {mapper['name']}\n",
        f"{mapper['description']}\n",
        _list("Written from:", _texts(mapper.get("source"))),
        _list("What could not be verified:", _texts(mapper.get("unverified"))),
        "## Files\n",
        _table(("file", "which", "remarks"), map(_file, mapper["files"].items())),
        *_column_names(mapper["files"]),
    ]
    for entity, value in mapper["entities"].items():
        parts += [f"## {entity.capitalize()}\n", *_sources(value)]
    parts += _example(mapper)
    return "\n".join(part for part in parts if part)


def index(mappers: Iterable[Json]) -> str:
    """The list of all mappers."""
    rows = ((f"[`{m['name']}`]({m['name']}.md)", _first_sentence(m["description"])) for m in mappers)
    return (
        f"{_WRITTEN}\n# Built-in mappers\n\nA district names one of them with `mapper: NAME`. For each: "
        "which files it reads, which columns, what they become, what it was written from, and what could not "
        "be verified. Where an export is not read as it should be, a mapper of your own is a small file: "
        "[mapper.md](../mapper.md).\n\n" + _table(("mapper", "reads"), rows)
    )


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."


# -- files ------------------------------------------------------------------------------------------------


def _file(item: tuple[str, Json]) -> tuple[str, ...]:
    name, file = item
    which = ", else ".join(_code(p) for p in _texts(file["pattern"]))
    excluded = _texts(file.get("except"))
    if excluded:
        which += f"; never {_codes(excluded)}"
    remarks = [
        "need not be there" if file.get("optional") else "needed",
        *(f"{key} {_code(file[key])}" for key in ("encoding", "delimiter", "several") if key in file),
    ]
    return name, which, "; ".join(remarks)


def _column_names(files: dict[str, Json]) -> Iterator[str]:
    named = {name: file["columns"] for name, file in files.items() if file.get("columns")}
    if named:
        yield (
            "## Names of columns\n\nThe first of these names that the file has counts. Case, spaces, `_`, "
            "`-`, `.` and other punctuation do not matter.\n"
        )
    for columns, sharing in _grouped(named):
        yield f"In {' and '.join(_code(name) for name in sharing)}:\n"
        yield _table(("column", "other names"), ((_code(c), _codes(others)) for c, others in columns.items()))


def _grouped(named: dict[str, Json]) -> Iterator[tuple[Json, list[str]]]:
    """Each table of names with the files that share it."""
    groups: dict[str, list[str]] = {}
    for name, columns in named.items():
        groups.setdefault(json.dumps(columns), []).append(name)
    for text, sharing in groups.items():
        yield json.loads(text), sharing


# -- entities ---------------------------------------------------------------------------------------------


def _sources(value: Any) -> Iterator[str]:
    sources = value if isinstance(value, list) else [value]
    for number, source in enumerate(sources, start=1):
        if len(sources) > 1:
            yield f"### {number}. From `{source['from']}`\n"
        yield "\n".join(f"- {line}." for line in _about(source)) + "\n"
        yield from _fields(source["fields"], [earlier["fields"] for earlier in sources[: number - 1]])


def _fields(fields: Json, earlier: list[Json]) -> Iterator[str]:
    """A table of the fields; where an earlier source has nearly the same, only of those that differ."""
    numbered = [(_differing(fields, other), n) for n, other in enumerate(earlier, start=1)]
    differing, like = min(numbered, key=lambda pair: len(pair[0]), default=(fields, 0))
    if len(differing) * 2 > len(fields):
        differing, like = fields, 0
    if like:
        yield f"The fields are those of {like}{', but for' if differing else '.'}\n"
    if differing:
        rows = ((_code(f), _field(v) if v is not None else "not read") for f, v in differing.items())
        yield _table(("field", "is"), rows)


def _differing(fields: Json, other: Json) -> dict[str, Any]:
    """The fields that are not the same in both; None for those that only the other has."""
    return {f: fields.get(f) for f in (fields | other) if fields.get(f) != other.get(f)}


def _about(source: Json) -> Iterator[str]:
    yield f"One for each row of `{source['from']}`"
    if source.get("unless"):
        yield f"Not read where {' or '.join(map(_code, _texts(source['unless'])))} is there"
    if source.get("instead"):
        yield "Read only where the one before could not be"
    if source.get("optional"):
        yield "Left out where the columns are not there"
    for name, values in source.get("repeat", {}).items():
        yield f"Each row is read for each `{{{name}}}` of {_codes(values)}"
    for join in _dicts(source.get("join")):
        yield _join(join)
    for condition in _dicts(source.get("where")):
        yield f"Only where {_condition(condition)}"
    if source.get("prefer"):
        yield "Of two with one id, the one of the earlier list counts"


def _join(join: Json) -> str:
    on = " and ".join(f"{_code(right)} equals {_code(left)}" for left, right in join["on"].items())
    row = "first row" if join.get("take") else "row"
    text = f"Beside it, as `{join.get('as', join['file'])}`, the {row} of `{join['file']}` where {on}"
    if join.get("split"):
        text += f" (a list, delimited by {_code(join['split'])}: each item is looked up)"
    return " and ".join([text, *map(_condition, _dicts(join.get("where")))])


def _condition(condition: Json) -> str:
    columns = _texts(condition["column"])
    column = _code(columns[0]) if len(columns) == 1 else f"the first of {_codes(columns)} that is not empty"
    said = [f"{column} {words}" for words in _tests(condition)]
    if "not_empty" in condition and len(columns) > 1:
        said = [f"one of {_codes(columns)} is not empty"]
    if "empty" in condition and len(columns) > 1:
        said = [f"{_codes(columns)} are empty"]
    case = ", in any case" if condition.get("ignore_case") else ""
    there = " (if there is such a column)" if condition.get("optional") else ""
    return " and ".join(said) + case + there


def _tests(condition: Json) -> Iterator[str]:
    words = {
        "in": "is one of {}",
        "not_in": "is none of {}",
        "equals": "is {}",
        "not_equals": "is not {}",
        "matches": "matches {}",
    }
    for key, text in words.items():
        if key in condition:
            yield text.format(_codes(_texts(condition[key])))
    if "not_empty" in condition or "empty" in condition:
        is_empty = condition.get("empty", not condition.get("not_empty", False))
        yield "is empty" if is_empty else "is not empty"


# -- fields -----------------------------------------------------------------------------------------------


def _field(value: Any) -> str:
    field = {"column": value} if isinstance(value, str) else value
    return "; ".join([_origin(field), *_steps(field)])


def _origin(field: Json) -> str:
    if "const" in field:
        return f"always {_code(field['const'])}"
    if "template" in field:
        return f"the text {_code(field['template'])}"
    return ", else ".join(map(_code, _texts(field["column"])))


def _steps(field: Json) -> Iterator[str]:
    if "split" in field:
        delimiter = _code("," if field["split"] is True else field["split"])
        item = {"first": "its first item", "last": "its last item", "mapped": "its first item that is mapped"}
        yield f"a list delimited by {delimiter}: {item.get(field.get('item', ''), 'one row for each item')}"
    for step in _texts(field.get("transform")):
        yield step if isinstance(step, str) else f"{_code(step['replace'][0])} replaced"
    if "map" in field:
        yield ", ".join(
            f"{_code(k) if k else 'nothing'} → {_code(v) if v else 'nothing'}"
            for k, v in field["map"].items()
        )
    if "default" in field:
        yield f"where empty, {_code(field['default'])}"
    if "formats" in field:
        yield f"a date written as {_codes(field['formats'])}"
    elif "type" in field:
        yield f"of type {field['type']}"
    if field.get("required"):
        yield "needed"


# -- an example -------------------------------------------------------------------------------------------


def _example(mapper: Json) -> Iterator[str]:
    for test in mapper.get("tests", [])[:1]:
        yield f"## Example: {test['name']}\n"
        for file, lines in test["files"].items():
            text = lines if isinstance(lines, str) else "\n".join(lines)
            yield f"`{file}`\n\n```\n{text.rstrip()}\n```\n"
        for entity, rows in test["expect"].items():
            lines = [json.dumps(row, ensure_ascii=False) for row in rows]
            yield f"{entity}, empty fields left out:\n\n```json\n" + "\n".join(lines) + "\n```\n"


# -- text -------------------------------------------------------------------------------------------------


def _texts(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _dicts(value: Any) -> list[Json]:
    return _texts(value)


def _code(text: str) -> str:
    shown = text.replace("\t", "\\t").replace("|", "\\|")
    return f"`{shown}`"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(_code(text) if text else "nothing" for text in texts)


def _list(title: str, items: list[str]) -> str:
    return f"{title}\n\n" + "\n".join(f"- {item}" for item in items) + "\n" if items else ""


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def pages() -> dict[str, str]:
    """File name to text, for every built-in mapper and the list of them."""
    mappers = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(BUILT_IN.glob("*.json"))]
    return {"README.md": index(mappers)} | {f"{m['name']}.md": page(m) for m in mappers}


def main(arguments: list[str]) -> None:
    """Write the pages; with --check, exit with 1 where they are not what they would be."""
    FOLDER.mkdir(exist_ok=True)
    old = {p.name: p.read_text(encoding="utf-8") for p in FOLDER.glob("*.md")}
    new = pages()
    stale = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    if "--check" in arguments and stale:
        sys.exit(f"docs/mappers: {', '.join(stale)} not current: run `python docs/mapper_pages.py`")
    for name in stale:
        if name in new:
            (FOLDER / name).write_text(new[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
