"""Schools added to a district's file: the lines of the new ones, and not a character else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.authoring.comments import comments_of
from reconciler.authoring.printing import WIDTH
from reconciler.authoring.quoting import quoted, written
from reconciler.config.district import SchoolMapping
from reconciler.documents.layout import Laid, LaidEntry, lay_out
from reconciler.documents.reader import parse_document
from reconciler.documents.schema import schema_problems
from reconciler.documents.text import decode
from reconciler.errors import ConfigError

_MAX = 200
"""Characters of an id or a name, as the schema has it."""

_BEFORE = ("district", "name", "account", "sftp", "mapper")
"""What stands above `schools`, in the reference's order."""


def writable(school: SchoolMapping) -> SchoolMapping | None:
    """The school as a file can have it, without a name that cannot be written; None where its id cannot."""
    name = " ".join(school.name.split())
    if not _fits(school.sis_id) or not _fits(school.school):
        return None
    return SchoolMapping(school.sis_id, school.school, name if _fits(name) else "")


def _fits(text: str) -> bool:
    return 0 < len(text) <= _MAX and text.isprintable() and text == text.strip()


def add_schools(
    data: bytes, schools: Sequence[SchoolMapping], *, file: str, schema: Mapping[str, Any]
) -> str:
    """The text of a district file with more mapped schools, in the way in which it lists the others.

    Raises ConfigError where the result would not be valid, or would say anything else besides.
    """
    before = parse_document(data, display=file)
    if not isinstance(before.value, dict):
        raise _unwritable(file)
    source = decode(data)
    text = source.replace("\r\n", "\n")
    after = _added(text, schools)
    document = parse_document(after.encode(), display=file)
    added = [_plain(s) for s in schools]
    wanted = {**before.value, "schools": [*before.value.get("schools", ()), *added]}
    same = json.dumps(document.value, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    if not same or Counter(comments_of(after)) != Counter(comments_of(text)):
        raise _unwritable(file)
    problems = [p for p in schema_problems(document, schema, file=file) if p.path.startswith("schools")]
    if problems:
        raise ConfigError(f"{file} would not be valid with these schools: {problems[0].message}", problems)
    return after.replace("\n", "\r\n") if "\r\n" in source else after


def _unwritable(file: str) -> ConfigError:
    return ConfigError(
        f"the schools of {file} are written in a way that cannot be added to; it was left alone",
        code="config.format",
        hint="`reconciler fmt` brings the file into a form that can",
    )


def _plain(school: SchoolMapping) -> dict[str, str]:
    found = {"sis_id": school.sis_id, "school": school.school, "name": school.name}
    return {key: value for key, value in found.items() if value}


def _added(text: str, schools: Sequence[SchoolMapping]) -> str:
    root = lay_out(text)
    entry = next((e for e in root.entries if e.key and e.key.text == "schools"), None)
    if entry is None:
        return _with_key(text, root, schools)
    there = entry.value
    if there.flow and not there.entries and not root.flow:
        return _opened(text, entry, schools)
    if there.flow:
        return _within(text, there, schools)
    one_line = all(e.value.flow for e in there.entries)
    lines = [_lines(s, there.column, one_line=one_line) for s in schools]
    return _after_line(text, _end(there), "".join(lines))


def _with_key(text: str, root: Laid, schools: Sequence[SchoolMapping]) -> str:
    """A file without `schools`: where the reference has it; in braces at the end."""
    if root.flow:
        items = ", ".join(in_braces(s, keys_quoted=True) for s in schools)
        return _spliced(text, root, f'"schools": [{items}]')
    lines = "".join(_lines(s, 2, one_line=True) for s in schools)
    before = [e for e in root.entries if e.key and e.key.text in _BEFORE]
    # A mapper may be the fleet's default, and stand in no district's file.
    last = max(before, key=lambda e: _BEFORE.index(e.key.text if e.key else ""), default=root.entries[-1])
    return _after_line(text, _end(last.value), f"schools:\n{lines}")


def _opened(text: str, entry: LaidEntry, schools: Sequence[SchoolMapping]) -> str:
    """`schools: []` becomes a list with lines of its own; a comment beside it stays."""
    assert entry.key
    colon = text.index(":", entry.key.end) + 1
    end = text.find("\n", entry.value.end)
    rest = text[entry.value.end :] if end < 0 else text[entry.value.end : end]
    line = text[:colon] + (f"  {rest.strip()}" if rest.strip() else "")
    lines = "".join(_lines(s, 2, one_line=True) for s in schools)
    return f"{line}\n{lines}{'' if end < 0 else text[end + 1 :]}"


def _within(text: str, there: Laid, schools: Sequence[SchoolMapping]) -> str:
    """More items in brackets."""
    last = there.entries[-1].value if there.entries else None
    in_json = last is None or any(e.key and e.key.style for e in last.entries)
    return _spliced(text, there, *(in_braces(s, keys_quoted=in_json) for s in schools))


def _spliced(text: str, there: Laid, *items: str) -> str:
    """More items in braces or brackets, each on a line of its own where the last one has one."""
    if not there.entries:
        return f"{text[: there.start + 1]}{', '.join(items)}{text[there.start + 1 :]}"
    first = there.entries[-1].key or there.entries[-1].value
    line = text.rfind("\n", 0, first.start) + 1
    margin = text[line : first.start]
    gap = " " if margin.strip() else f"\n{margin}"
    end = _end(there.entries[-1].value)
    return f"{text[:end]}{''.join(f',{gap}{item}' for item in items)}{text[end:]}"


def _end(laid: Laid) -> int:
    """Where the last character of a value stands, and one further."""
    if laid.flow or not laid.entries:
        return laid.end
    return _end(laid.entries[-1].value)


def _after_line(text: str, offset: int, lines: str) -> str:
    """The text with lines added below the line in which the offset lies."""
    end = text.find("\n", offset)
    if end < 0:
        return f"{text}\n{lines}"
    return f"{text[: end + 1]}{lines}{text[end + 1 :]}"


def _lines(school: SchoolMapping, indent: int, *, one_line: bool) -> str:
    margin = " " * indent
    line = f"{margin}- {in_braces(school)}\n"
    if one_line and len(line) <= WIDTH:
        return line
    rest = [f"school: {written(school.school, flow=False)}"]
    rest += [f"name: {written(school.name, flow=False)}"] if school.name else []
    return "".join(
        f"{margin}{lead}{part}\n"
        for lead, part in zip(("- ", "  ", "  "), (f"sis_id: {quoted(school.sis_id)}", *rest), strict=False)
    )


def in_braces(school: SchoolMapping, *, keys_quoted: bool = False) -> str:
    """A school on one line."""
    if keys_quoted:
        return json.dumps(_plain(school), ensure_ascii=False)
    pairs = {
        "sis_id": quoted(school.sis_id),
        "school": written(school.school, flow=True),
        "name": written(school.name, flow=True) if school.name else "",
    }
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items() if value) + "}"
