"""Target: a mapper's file. Read, checked, written out over what it extends, compiled, run over three rows."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.documents.keywords import StrictValidator
from reconciler.documents.quick import compile_check
from reconciler.documents.reader import document_of
from reconciler.documents.schema import load_schema
from reconciler.errors import MapperError
from reconciler.mapping.columns import wanted_columns
from reconciler.mapping.extends import EXTENDS, written_out
from reconciler.mapping.library import MAX_BYTES, LoadedMapper, builtin, builtin_names, read_mapper
from reconciler.mapping.model import FileSpec, Mapper
from reconciler.mapping.parse import parse_mapper
from reconciler.roster.roster import Roster
from tests.fuzz.oracles import (
    CANARY,
    expect,
    expect_good_problems,
    expect_no_canary,
    expect_showable,
    in_time,
    result_or_refusal,
    same,
)
from tests.roster.running import simple_mapper

FILE = "mappers/own.json"
SCHEMA = "mapper.schema.json"
CPU_SECONDS = 8.0
"""Of which nearly all is the database's, for a mapper that is right and large."""
_REPOSITORY = Path(__file__).parents[2]

_FIELDS: dict[str, Any] = {
    "id": {"column": ["id", "number"], "required": True, "transform": ["trim", {"replace": ["-", ""]}]},
    "school": {"column": "school", "split": ",", "map": {"1": "A"}, "map_ignores_case": True},
    "first_name": "first",
    "last_name": {"template": "{last} {suffix}"},
    "birth_date": {"column": "born", "type": "date", "formats": ["%m/%d/%Y"]},
    "grade": {"column": "grade", "type": "grade", "default": "UG"},
    "email": {"column": "mail.address", "type": "email", "optional": True},
    "homeroom": {"column": "rooms", "split": ";", "item": "first", "transform": "upper"},
    "gender": {"const": "X"},
}
_JOINED = {
    "from": "students",
    "join": [{"file": "extra", "as": "mail", "on": {"id": "student"}, "take": "first", "ignore_case": True,
              "where": [{"column": "kind", "in": ["a", "b"]}]}],
    "where": [{"column": ["status", "state"], "not_in": ["X"], "optional": True},
              {"column": "id", "matches": "^[0-9]+$"}, {"column": "grade", "not_empty": True}],
    "distinct": True,
    "fields": _FIELDS,
}  # fmt: skip
_REPEATED = {
    "from": "students",
    "repeat": {"n": ["1", "2"], "m": ["a"]},
    "where": [{"column": "c{n}", "not_empty": True}],
    "fields": {"student": "id", "name": "c{n}", "phone": {"column": "p{n}{m}", "type": "phone"},
               "priority": {"const": "{n}"}, "may_pick_up": {"column": "u{n}", "type": "boolean"}},
}  # fmt: skip


def _named(document: dict[str, Any]) -> bytes:
    return json.dumps({**document, "name": "own"}, ensure_ascii=False, indent=1).encode()


SEEDS = (
    _named(simple_mapper()),
    _named(simple_mapper(students=_JOINED, contacts=_REPEATED)),
    _named(
        {
            "files": {
                "s": {"pattern": ["a_*.csv", "*.txt"], "encoding": "cp1252", "delimiter": "|",
                      "several": "newest",
                      "except": ["*x*"], "columns": {"id": ["ID", "Nr"]}, "empty": ["-"], "blank": ["last"]},
                "t": {"pattern": "t.csv", "delimiter": "\\t", "encoding": "utf-16", "optional": True},
            },
            "entities": {
                "students": [
                    {"from": "t", "optional": True, "fields": {**_FIELDS, "email": "m", "id": "id"}},
                    {"from": "s", "instead": True, "unless": "t", "prefer": "first",
                     "fields": {"id": "id", "school": "b", "first_name": "c", "last_name": "d"}},
                ],
                "schools": {"from": "s", "distinct": True, "fields": {"id": "b", "name": "c"}},
                "relationships": {"from": "s", "fields": {"student": "id", "contact": "c"}},
                "staff": {"from": "s", "fields": {"id": "id", "first_name": "c", "last_name": "d"}},
            },
        }
    ),
    _named({"extends": "generic", "files": {"staff": None, "students": {"delimiter": ";"}},
            "entities": {"staff": None, "students": {"fields": {"grade": None, "email": {"const": ""}}}}}),
    _named({"extends": "clever", "entities": {"contacts": {"where": [{"column": "x", "empty": True}]}}}),
    (_REPOSITORY / "mappers" / "acme.json").read_bytes().replace(b'"acme"', b'"own"'),
)  # fmt: skip
WORDS = tuple(
    word.encode()
    for word in (
        *sorted({f'"{w}"' for w in re.findall(r'"([a-z_]{2,})"', "".join(s.decode() for s in SEEDS))}),
        *(f'"{name}"' for name in builtin_names()),
        "null", "true", "1", "[]", "{}", '""', ",", ":", '"{n}"', '"{id}"', '"{"', '"(a+)+$"', '"(?=x)"',
        '"\\\\1"',
        '"[[:alpha:]]"', '"(a{1000}){1000}"', '"\\u0000"', '"\\ud800"', '"utf-7"', '"idna"', '"base64"',
        '"%Y"', '"%d/%m/%Y"',
        "'; DROP TABLE x; --", '\\"', '"x.y"', '"mail.address"', '"c0"', '"line"', '"src"', '"own"',
        "NaN", "1e999", "-0", "\\n", '"' + "a" * 300 + '"', '"\\\\t"', '"\\u001b"', '"\\n"',
    )
)  # fmt: skip


def check(data: bytes) -> None:
    """Every promise of what is read of a mapper, for these bytes."""
    with in_time(CPU_SECONDS), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "own.json"
        path.write_bytes(data)
        loaded = _read(path)
        text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
        expect_good_problems(loaded.problems, text)
        expect(
            (loaded.mapper is None)
            == any(p.severity == "error" and p.code != "secret.literal" for p in loaded.problems),
            "a file is a mapper, or has errors",
        )
        _check_document(data)
        again = _read(path)
        same("reading twice gives the same problems", again.problems, loaded.problems)
        if loaded.mapper is not None:
            expect(again.mapper is not None and again.mapper.digest == loaded.mapper.digest, "a digest stays")
            _check_written_out(loaded)
            _check_run(loaded.mapper, folder)


def _read(path: Path) -> LoadedMapper:
    def base_of(name: str) -> LoadedMapper:
        try:
            return builtin(name)
        except KeyError:
            raise MapperError("there is no such mapper", code="mapper.unknown") from None

    return read_mapper(path, display=FILE, base_of=base_of)


def _check_document(data: bytes) -> None:
    """Whatever we read, JSON's own reader reads the same; and both checks of the schema agree."""
    document, problems = document_of(data, display=FILE, max_bytes=MAX_BYTES)
    if document is None:
        return
    if _QUICK is not None:
        same("the verdicts of the schema", _QUICK(document.value), _STRICT.is_valid(document.value))
    if not problems:
        theirs = json.loads(data.decode().removeprefix("\ufeff"))
        same("JSON means to us what it means to others", _typed(document.value), _typed(theirs))


def _typed(value: Any) -> str:
    """A value as text, in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def _check_written_out(loaded: LoadedMapper) -> None:
    """A mapper that was written out extends nothing, and is itself: read again it is the same mapper."""
    mapper, document = loaded.mapper, loaded.document
    if mapper is None or document is None:
        return
    same("a mapper that is parsed twice has one digest", parse_mapper(mapper.document).digest, mapper.digest)
    expect(EXTENDS not in document.value, "nothing is left to be extended")
    empty = document_of(_named({"extends": "x"}), display=FILE)[0]
    if empty is not None:
        whole, lost = written_out(empty, document)
        expect(not lost, "what changes nothing takes nothing out")
        for part in ("files", "entities"):
            same(f"{part} of a mapper that changes nothing", whole.value[part], document.value[part])


def _check_run(mapper: Mapper, folder: Path) -> None:
    """The queries of a mapper that is accepted can be run, and every row is accounted for."""
    local = {name: [(f"{number}.csv", path)] for number, (name, path) in enumerate(_files(mapper, folder))}
    scratch = folder / "scratch"
    scratch.mkdir()
    roster, refused = result_or_refusal(lambda: Roster(mapper, local, scratch))
    if refused is not None:
        _check_words([refused.message, refused.hint])
    if roster is None:
        return
    with roster:
        counts, refused = result_or_refusal(lambda: roster.resolve(None))
        _check_words([refused.message, refused.hint] if refused else roster.notices)
        for entity, found in (counts or {}).items():
            said = found.to_json()
            parts = ("added", "changed", "unchanged", "rejected", "skipped", "duplicate")
            same("rows read are the sum of their outcomes", said["read"], sum(said[part] for part in parts))
            list(roster.rows(entity))
        if counts:
            _check_words([text for r in roster.rejects() for text in (r.reason, r.code)])


def _check_words(texts: Any) -> None:
    texts = list(texts)
    expect_showable(texts)
    expect_no_canary(texts, "a child's data")


def _files(mapper: Mapper, folder: Path) -> Iterator[tuple[str, Path]]:
    """For each file of the mapper, three rows under the columns that it reads."""
    for number, (name, spec) in enumerate(mapper.files.items()):
        columns = sorted(wanted_columns(mapper, name))
        if not columns or len(columns) > 400:
            continue
        path = folder / f"file-{number}"
        if _write(path, spec, columns):
            yield name, path


def _write(path: Path, spec: FileSpec, columns: list[str]) -> bool:
    """Whether the file can be written as the mapper says that it is."""
    cells = (
        CANARY,
        "1",
        "2013-04-05",
        "A",
        "",
        "4/5/2013",
        "555-123-4567",
        "x@y.example",
        "yes",
        "\u00e9,;|",
    )
    try:
        with path.open("w", encoding=spec.encoding or "utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=spec.delimiter or ",", lineterminator="\n")
            writer.writerow(columns)
            for row in range(3):
                writer.writerow(
                    [str(row) if c == "id" else cells[(row + i) % 10] for i, c in enumerate(columns)]
                )
    except (ValueError, TypeError, csv.Error, LookupError):
        return False
    return True


_QUICK = compile_check(load_schema(SCHEMA))
"""None as long as the schema says what only jsonschema knows."""
_STRICT = StrictValidator(load_schema(SCHEMA))
