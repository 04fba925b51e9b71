"""What is foretold of a mapper's change holds when the files are read: the laws of `mapping.effect`.

The files are those of the tests that built-in mappers carry; what is known of them is what a sync would keep.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.errors import ReconcilerError
from reconciler.mapping.effect import Kind, effects
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.files_known import KnownFiles
from reconciler.mapping.model import Mapper
from reconciler.mapping.parse import parse_mapper
from tests.roster.running import make_mapper, open_roster

Document = dict[str, Any]
Rows = dict[str, list[dict[str, Any]]]
MAPPERS = ("generic", "clever", "oneroster-1.1")


def carried_files(mapper: Mapper) -> dict[str, str]:
    """The files of the mapper's largest test."""
    test = max(mapper.tests, key=lambda t: sum(len(c) for c in t.files.values()))
    return dict(test.files)


def read(mapper: Mapper, files: dict[str, str]) -> tuple[Rows, KnownFiles]:
    with open_roster(mapper, files) as roster:
        roster.resolve(None)
        known = KnownFiles(tuple(files), roster.columns, roster.shape().formats)
        return {e: list(roster.rows(e)) for e in ENTITIES}, known


def sources(document: Document, entity: str) -> list[Document]:
    found = document["entities"].get(entity, [])
    return found if isinstance(found, list) else [found]


def each_field(change: Callable[[Document, str], None]) -> Callable[[Document], None]:
    def apply(document: Document) -> None:
        for entity in document["entities"]:
            for source in sources(document, entity):
                for name in list(source["fields"]):
                    change(source["fields"], name)

    return apply


def no_such_column(document: Document) -> None:
    for source in sources(document, "students"):
        source["fields"]["first_name"] = "No Such Column"


def upper(fields: Document, name: str) -> None:
    said = fields[name]
    if name == "first_name":
        fields[name] = {**(said if isinstance(said, dict) else {"column": said}), "transform": "upper"}


def other_key(document: Document) -> None:
    for source in sources(document, "students"):
        source["fields"]["id"] = source["fields"]["last_name"]


def a_column_more(fields: Document, name: str) -> None:
    said = fields[name]
    if isinstance(said, str):
        fields[name] = {"column": [said, "No Such Column"]}


def drop_grade(document: Document) -> None:
    for source in sources(document, "students"):
        source["fields"].pop("grade", None)


def nobody(document: Document) -> None:
    for source in sources(document, "students"):
        column = source["fields"]["last_name"]
        column = column if isinstance(column, str) else column["column"]
        source["where"] = {"column": column, "equals": "nobody has this name"}


def optional_photo(document: Document) -> None:
    for source in sources(document, "students"):
        source["fields"]["photo"] = {"column": "No Such Column", "optional": True}


def no_contacts(document: Document) -> None:
    document["entities"].pop("contacts", None)
    document["entities"].pop("relationships", None)


CHANGES: dict[str, Callable[[Document], None]] = {
    "nothing": lambda _: None,
    "a column that is nowhere": no_such_column,
    "names in capitals": each_field(upper),
    "another key": other_key,
    "a further column that is nowhere": each_field(a_column_more),
    "a field less": drop_grade,
    "a condition that nobody meets": nobody,
    "an optional column that is nowhere": optional_photo,
    "an entity less": no_contacts,
}


@pytest.fixture(scope="module", params=MAPPERS)
def synced(request: pytest.FixtureRequest) -> tuple[Mapper, dict[str, str], Rows, KnownFiles]:
    mapper = make_mapper(request.param)
    files = carried_files(mapper)
    return (mapper, files, *read(mapper, files))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_foretold_is_what_comes(
    synced: tuple[Mapper, dict[str, str], Rows, KnownFiles], change: Callable[[Document], None]
) -> None:
    old, files, before, known = synced
    document = copy.deepcopy(old.document)
    change(document)
    new = parse_mapper(document)
    kinds = {e.kind for e in effects(old, new, known)}
    try:
        after, _ = read(new, files)
    except ReconcilerError:
        assert Kind.FAILS in kinds
        return
    assert Kind.FAILS not in kinds
    if not kinds:
        assert after == before
    for entity, spec in ENTITIES.items():
        keys = [sorted(tuple(row[k] for k in spec.key) for row in rows[entity]) for rows in (before, after)]
        if keys[0] != keys[1]:
            assert kinds & {Kind.REKEYS, Kind.REMOVES, Kind.LEAVES}
