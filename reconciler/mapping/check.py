"""What is wrong with a mapper although its JSON fits the schema: a mapper with findings is not run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.mapping.columns import is_text_encoding, loose, wanted_columns
from reconciler.mapping.entities import ENTITIES, Entity
from reconciler.mapping.formats import date_fault, pattern_fault
from reconciler.mapping.model import Condition, Field, FileSpec, Join, Mapper, Source
from reconciler.mapping.near import nearest
from reconciler.mapping.parse import MAX_REPETITIONS

_BRACKETS = re.compile(r"\[[^\]]*\]")
_CONTACT_NAMES = ("name", "first_name", "last_name")


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake at a dotted path of the document."""

    path: str
    message: str
    hint: str = ""


def findings(mapper: Mapper, said: Mapping[str, Any] | None = None) -> list[Finding]:
    """Every mistake, each told once.

    `said` is the `files` of the mapper's own document where it extends another: the base may know more
    names of columns than the fields that are left still read.
    """
    return list(dict.fromkeys(_check(mapper, said)))


def _check(mapper: Mapper, said: Mapping[str, Any] | None) -> Iterator[Finding]:
    if not _is_writable(mapper.document):
        yield Finding("", "a text holds a NUL or half a character", "no file has such a text: leave it out")
    if not mapper.entities:
        yield Finding("entities", "the mapper describes no entity", "describe at least students")
    for file in mapper.files.values():
        yield from _check_pattern(file)
        yield from _check_encoding(file)
        if said is None or "columns" in (said.get(file.name) or ()):
            yield from _check_columns(mapper, file)
    for entity_map in mapper.entities.values():
        for source in entity_map.sources:
            yield from _check_source(mapper, ENTITIES[entity_map.entity], source)
        for path, count in Counter(s.path for s in entity_map.sources).items():
            if count > MAX_REPETITIONS:
                yield Finding(f"{path}.repeat", f"the values combine to more than {MAX_REPETITIONS} sources")


def _is_writable(value: Any) -> bool:
    """Whether every text can be part of a query: no NUL, and no half of a surrogate pair."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, Mapping):
        return all(_is_writable(part) for pair in value.items() for part in pair)
    return all(map(_is_writable, value)) if isinstance(value, list) else True


def _check_pattern(file: FileSpec) -> Iterator[Finding]:
    for part, patterns in (("pattern", file.patterns), ("except", file.excluded)):
        if any("/" in _BRACKETS.sub("", pattern) for pattern in patterns):
            yield Finding(
                f"files.{file.name}.{part}",
                "names a folder: a pattern is matched against the file's name alone",
                "leave the folder out; sftp.remote_path of the district names it",
            )


def _check_encoding(file: FileSpec) -> Iterator[Finding]:
    if file.encoding and not is_text_encoding(file.encoding):
        yield Finding(
            f"files.{file.name}.encoding",
            f"{file.encoding!r} is no encoding of text that Python knows",
            "use a name such as utf-8, cp1252 or utf-16",
        )


def _check_columns(mapper: Mapper, file: FileSpec) -> Iterator[Finding]:
    """Other names of a column that nothing reads: most likely one of the two is mistyped."""
    read = {loose(column) for column in wanted_columns(mapper, file.name)}
    for column, _ in file.columns:
        if loose(column) not in read:
            yield Finding(
                f"files.{file.name}.columns", f"nothing reads the column {column!r}", nearest(column, read)
            )


def _check_source(mapper: Mapper, entity: Entity, source: Source) -> Iterator[Finding]:
    yield from _check_file(mapper, source.file, f"{source.path}.from")
    for name in source.unless:
        yield from _check_file(mapper, name, f"{source.path}.unless")
    yield from _check_fields(entity, source)
    for field in source.fields:
        yield from _check_field(field, f"{source.path}.fields.{field.name}")
    for condition in source.where:
        yield from _check_condition(condition, f"{source.path}.where")
    aliases = {source.file}
    for index, join in enumerate(source.joins):
        path = f"{source.path}.join" + (f"[{index}]" if len(source.joins) > 1 else "")
        yield from _check_join(mapper, join, path, aliases)
        aliases.add(join.alias)


def _check_fields(entity: Entity, source: Source) -> Iterator[Finding]:
    names = {f.name for f in source.fields}
    path = f"{source.path}.fields"
    for required in entity.required:
        if required not in names:
            yield Finding(path, f"{entity.name} need the field {required}")
    if entity.name == "contacts" and not names & set(_CONTACT_NAMES):
        yield Finding(path, "contacts need name, or first_name and last_name")
    if entity.name == "contacts" and not names & {"id", "student"}:
        yield Finding(path, "contacts need an id, or the student whose contact they are")
    if sum(1 for f in source.fields if f.split and not f.item) > 1:
        yield Finding(path, "only one field of a source may be split into rows")


def _check_field(field: Field, path: str) -> Iterator[Finding]:
    fault = date_fault(field.formats)
    if fault:
        yield Finding(f"{path}.formats", fault, "a date reads as %m/%d/%Y or %Y-%m-%d, for example")
    if field.formats and field.type != "date":
        yield Finding(f"{path}.formats", "only a field of type date has formats", 'say "type": "date"')
    if field.item and not field.split:
        yield Finding(
            f"{path}.item", "only a list has a first or last item", "say with `split` what delimits the list"
        )


def _check_condition(condition: Condition, path: str) -> Iterator[Finding]:
    fault = pattern_fault(condition.values[0]) if condition.operator == "matches" else ""
    if fault:
        yield Finding(path, f"the pattern for {condition.column!r} {fault}", "patterns are those of RE2")


def _check_join(mapper: Mapper, join: Join, path: str, aliases: set[str]) -> Iterator[Finding]:
    yield from _check_file(mapper, join.file, f"{path}.file")
    for condition in join.where:
        yield from _check_condition(condition, f"{path}.where")
    if join.alias in aliases:
        yield Finding(path, f"{join.alias!r} is joined twice", "give the second one another name with `as`")
    if join.split and len(join.on) > 1:
        yield Finding(f"{path}.on", "a list is looked up in one column", "leave one pair")


def _check_file(mapper: Mapper, name: str, path: str) -> Iterator[Finding]:
    if name not in mapper.files:
        yield Finding(path, f"the mapper names no file {name!r}", nearest(name, mapper.files))
