"""What a mapper's change does to one district, as far as its last sync tells: no file is read.

Both versions are laid over the columns that the files had. What cannot be read then fails; what reads the
same columns in the same way has the same rows, however the mapper's document has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from reconciler.errors import MapperError, RosterError
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.files_known import KnownFiles, Laid, lay
from reconciler.mapping.model import Condition, Field, Mapper, Source
from reconciler.mapping.readable import readable_sources
from reconciler.mapping.resolved import Read, resolved

_MADE_FROM = ("first_name", "last_name", "name", "phone", "phone_2", "email", "student")
"""What the id of a contact without one is made from, see people.py."""
_SHOWN = 5
_KEYS = {"students": ("id",), "staff": ("id",), "schools": ("id",), "relationships": ("student", "contact")}


class Kind(StrEnum):
    """What kind of effect it is, the gravest first."""

    FAILS = "fails"
    REKEYS = "re-keys"
    REMOVES = "takes away"
    LEAVES = "may take away"
    ALTERS = "alters"
    UNSURE = "cannot be told"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that the change does; `entity` and `field` are empty where it is about more than one."""

    kind: Kind
    message: str
    entity: str = ""
    field: str = ""
    code: str = ""
    """Of the error that a sync would end with."""
    hint: str = ""


def effects(old: Mapper | None, new: Mapper, known: KnownFiles) -> list[Effect]:
    """What differs between two versions of a mapper for these files; the gravest first, each told once.

    Without the old version only what fails can be told.
    """
    laid = lay(old, new, known)
    found = [Effect(Kind(f.kind), f.message, code=f.code, hint=f.hint) for f in laid.findings]
    for entity in ENTITIES:
        found += _entity(entity, old, new, laid)
    order = list(Kind)
    return sorted(dict.fromkeys(found), key=lambda e: order.index(e.kind))


def _entity(entity: str, old: Mapper | None, new: Mapper, laid: Laid) -> Iterator[Effect]:
    try:
        after = _reads(entity, new, laid.after)
    except (MapperError, RosterError) as error:
        yield Effect(Kind.FAILS, error.message, entity, code=error.code, hint=error.hint)
        return
    if old is None:
        return
    try:
        before = _reads(entity, old, laid.before)
    except (MapperError, RosterError):
        yield Effect(
            Kind.UNSURE, f"{entity}: the columns on record are not those that it was read from", entity
        )
        return
    if before and not after:
        # A file that is not there says nothing of its rows; an entity that is not in the mapper has none.
        kind = Kind.LEAVES if entity in new.entities else Kind.REMOVES
        yield Effect(kind, f"{entity}: no longer read {_from(before[0][0])}", entity)
        return
    yield from _sources(entity, before, after, laid)
    was, now = old.entities.get(entity), new.entities.get(entity)
    if was and now and was.prefer != now.prefer:
        yield Effect(Kind.ALTERS, f"{entity}: which of two sources counts changes (`prefer`)", entity)


def _reads(entity: str, mapper: Mapper, tables: Mapping[str, Read]) -> list[tuple[Source, Source]]:
    """Each source that is read, as the mapper has it and in its normal form."""
    plain = {name: read.table for name, read in tables.items()}
    found = readable_sources(mapper, entity, plain)
    return [(source, resolved(source, tables)) for _, source, _ in found]


def _sources(
    entity: str, before: list[tuple[Source, Source]], after: list[tuple[Source, Source]], laid: Laid
) -> Iterator[Effect]:
    same = [form for _, form in before]
    came = []
    for source, form in after:
        if form in same:
            same.remove(form)
        else:
            came.append((source, form))
    gone = []
    for source, form in before:
        if form in same:
            same.remove(form)
            gone.append((source, form))
    for was, now in zip_longest(gone, came):
        if was and now:
            yield from _pair(entity, was, now, laid)
        elif was:
            yield Effect(Kind.LEAVES, f"{entity}: no longer read {_from(was[0])}", entity)
        elif now:
            yield Effect(Kind.ALTERS, f"{entity}: also read {_from(now[0])}", entity)


def _from(source: Source) -> str:
    return f"from {source.file} ({source.path})"


def _pair(
    entity: str, was: tuple[Source, Source], now: tuple[Source, Source], laid: Laid
) -> Iterator[Effect]:
    """One source that changed. Of a file that was never read nothing can be compared."""
    (before, old), (after, new) = was, now
    if laid.is_new(before, after):
        return
    was_read, is_read = laid.before[before.file], laid.after[after.file]
    if not set(was_read.names) & set(is_read.names):
        files = f"{' and '.join(is_read.names)}, and no longer from {' and '.join(was_read.names)}"
        yield Effect(Kind.REKEYS, f"{entity}: read from {files}", entity)
        return
    if was_read.names != is_read.names or was_read.manner != is_read.manner:
        told = f"{entity}: {is_read.table.display} is read otherwise ({_manner(was_read, is_read)})"
        yield Effect(Kind.ALTERS, told, entity)
    yield from _fields(entity, (before, old), (after, new))
    if old.joins != new.joins:
        yield Effect(Kind.LEAVES, f"{entity}: other rows are joined (`join`)", entity, "join")
    if old.where != new.where:
        told = f"{_tests(before.where)} → {_tests(after.where)}"
        yield Effect(Kind.LEAVES, f"{entity}: other rows are taken: {told}", entity, "where")
    if old.distinct != new.distinct:
        yield Effect(Kind.ALTERS, f"{entity}: equal rows are folded otherwise (`distinct`)", entity)


def _manner(before: Read, after: Read) -> str:
    if before.names != after.names:
        return f"{len(after.names)} files in place of {len(before.names)}"
    return "encoding, delimiter, `empty` or `several`"


def _fields(entity: str, was: tuple[Source, Source], now: tuple[Source, Source]) -> Iterator[Effect]:
    old, new = ({f.name: f for f in form.fields} for _, form in (was, now))
    written = [{f.name: f for f in source.fields} for source, _ in (was, now)]
    keys = _key_fields(entity, {*old, *new} if "id" in {*old, *new} else set(old))
    for name in sorted(old.keys() | new.keys(), key=ENTITIES[entity].fields.index):
        if old.get(name) == new.get(name):
            continue
        before, after = (describe(fields.get(name)) for fields in written)
        gone = " (none of its columns is there)" if name in written[1] and _is_empty(new.get(name)) else ""
        told = f"{before} → {after}{gone}"
        if before == after:
            told = f"{after}{gone or ', from other columns or rows than before'}"
        yield Effect(_kind(entity, name, keys), f"{entity}.{name}: {told}", entity, name)


def _key_fields(entity: str, names: set[str]) -> tuple[str, ...]:
    if entity == "contacts":
        return ("id", "student") if "id" in names else ("id", *_MADE_FROM)
    return _KEYS[entity]


def _kind(entity: str, field: str, keys: tuple[str, ...]) -> Kind:
    if field in keys:
        return Kind.REKEYS
    # Students whose school is named otherwise are at a school that nobody has mapped.
    return Kind.LEAVES if (entity, field) == ("students", "school") else Kind.ALTERS


def _is_empty(field: Field | None) -> bool:
    return field is None or not (field.columns or field.const is not None or field.template is not None)


def _tests(conditions: Sequence[Condition]) -> str:
    """Conditions in a few words."""
    return " and ".join(map(_test, conditions)) or "all of them"


def _test(condition: Condition) -> str:
    some, more = condition.values[:_SHOWN], len(condition.values) - _SHOWN
    values = " ".join(map(repr, some)) + (f" and {more} more" if more > 0 else "")
    words = condition.operator.replace("_", " ")
    return f"{' or '.join(map(repr, condition.columns))} {words} {values}".rstrip()


def describe(field: Field | None) -> str:
    """How a field is made, in a few words: as short as tells two versions of it apart."""
    if field is None:
        return "not read"
    parts = [" or ".join(map(repr, field.columns))] if field.columns else []
    parts += [f"{field.const!r} always"] if field.const is not None else []
    parts += [f"template {field.template!r}"] if field.template is not None else []
    parts += [f"split at {field.split!r}"] if field.split else []
    parts += [f"item {field.item}"] if field.item else []
    parts += [" ".join(t if isinstance(t, str) else f"replace {t[0]!r} by {t[1]!r}" for t in field.transform)]
    parts += [f"map of {len(field.map)}"] if field.map else []
    parts += [f"default {field.default!r}"] if field.default is not None else []
    parts += [f"type {field.type}"] if field.type != "text" else []
    parts += [f"formats {' '.join(field.formats)}"] if field.formats else []
    parts += ["required"] if field.required else []
    return ", ".join(part for part in parts if part) or "nothing"
