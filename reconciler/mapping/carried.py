"""Tests that a mapper carries: small files, and the rows that they must become.

They are written by the mapper's author, so their data is made up and may be shown. They decide nothing about
the rows of a district, and are no part of the mapper's digest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.near import nearest

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CarriedTest:
    """One test. It has no say over entities that it does not name."""

    name: str
    files: Mapping[str, str]
    """Name on the server to content, in the order of upload."""
    expect: Mapping[str, tuple[Row, ...]]
    """Entity to its rows, in any order."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Entity to how many of its rows are rejected; none of an entity that is only under `expect`."""
    notices: tuple[str, ...] = ()
    """Each is part of some notice."""


def parse_tests(document: Mapping[str, Any]) -> tuple[CarriedTest, ...]:
    """The tests of a mapper's document, which fits its schema."""
    return tuple(
        CarriedTest(
            name=test["name"],
            files={name: _content(lines) for name, lines in test["files"].items()},
            expect={entity: tuple(rows) for entity, rows in test["expect"].items()},
            rejected=dict(test.get("rejected", {})),
            notices=tuple(test.get("notices", ())),
        )
        for test in document.get("tests", ())
    )


def _content(lines: str | Sequence[str]) -> str:
    """A file from its lines, the last one ended as well; one text is the file as it is."""
    return lines if isinstance(lines, str) else "".join(f"{line}\n" for line in lines)


def mistakes_in_tests(
    tests: Sequence[CarriedTest], is_read: Callable[[str], bool]
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Path, message and hint of each mistake that a schema cannot see.

    `is_read` says whether the mapper reads a file of this name.
    """
    twice = [name for name, count in Counter(t.name for t in tests).items() if count > 1]
    for index, test in enumerate(tests):
        path = ("tests", index)
        if test.name in twice:
            yield (*path, "name"), f"two tests are named {test.name!r}", "give each test a name of its own"
        for name in test.files:
            if not is_read(name):
                hint = "name it as a file that the mapper reads, or leave it out"
                yield (*path, "files", name), f"no file of the mapper is named like {name!r}", hint
        yield from _unknown_fields(test, path)


def _unknown_fields(
    test: CarriedTest, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    for entity, rows in test.expect.items():
        known = ENTITIES[entity].fields
        for number, row in enumerate(rows):
            for name in row:
                if name not in known:
                    hint = nearest(name, known) or f"the fields are {', '.join(known)}"
                    where = (*path, "expect", entity, number, name)
                    yield where, f"{entity} have no field {name!r}", hint
