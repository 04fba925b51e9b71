"""Schemas are checked strictly, offline, and without ever repeating a value that may be a secret."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from referencing.exceptions import Unresolvable

from reconciler.documents.keywords import StrictValidator
from reconciler.documents.quick import compile_check
from reconciler.documents.reader import parse_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import ConfigError, Problem

OURS = ("district.schema.json", "fleet.schema.json", "approval.schema.json")
KNOWN_KEYWORDS = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "default", "examples", "errorMessage",
    "x-echo", "type", "enum", "const", "properties", "required", "dependentRequired",
    "additionalProperties", "propertyNames", "items", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
    "format", "pattern",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
}  # fmt: skip


def problems_of(text: str, schema: dict[str, Any], display: str = "x.yaml") -> list[Problem]:
    document = parse_document(text.encode(), display=display)
    return schema_problems(document, schema, file=display)


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all within it that describes a value."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs"):
            for member in value.values():
                yield from subschemas(member)
        elif keyword in ("items", "additionalProperties", "propertyNames", "then", "else", "not"):
            yield from subschemas(value)
        elif keyword in ("allOf", "anyOf", "oneOf"):
            for member in value:
                yield from subschemas(member)


@pytest.mark.parametrize("name", OURS)
class TestOurSchemas:
    def test_they_are_valid_and_misspell_no_keyword(self, name: str) -> None:
        StrictValidator.check_schema(load_schema(name))
        for schema in subschemas(load_schema(name)):
            assert set(schema) <= KNOWN_KEYWORDS

    def test_every_property_is_described(self, name: str) -> None:
        for schema in subschemas(load_schema(name)):
            for key, sub in schema.get("properties", {}).items():
                described = "description" in sub or "$ref" in sub
                assert described, key

    def test_every_object_is_closed_and_every_text_and_list_is_bounded(self, name: str) -> None:
        for schema in subschemas(load_schema(name)):
            if schema.get("type") == "object" and "$ref" not in schema:
                assert "additionalProperties" in schema
            if schema.get("type") == "array":
                assert "maxItems" in schema
            if schema.get("type") == "string":
                assert {"maxLength", "enum", "format"} & set(schema)

    def test_every_pattern_is_anchored(self, name: str) -> None:
        for schema in subschemas(load_schema(name)):
            pattern = schema.get("pattern", "^$")
            assert pattern.startswith("^")
            assert pattern.endswith("$")

    def test_no_secret_is_in_a_place_that_may_be_repeated(self, name: str) -> None:
        for schema in subschemas(load_schema(name)):
            for key in ("password", "private_key", "passphrase", "env", "file", "age", "database_url"):
                assert "x-echo" not in schema.get("properties", {}).get(key, {})

    def test_the_quick_check_knows_all_its_keywords(self, name: str) -> None:
        assert compile_check(load_schema(name)) is not None

    def test_it_is_found_once(self, name: str) -> None:
        assert load_schema(name) is load_schema(name)


def test_a_schema_that_is_not_installed_is_told() -> None:
    with pytest.raises(ConfigError, match="not installed"):
        load_schema("nothing.schema.json")


@pytest.mark.parametrize(
    ("schema", "text", "accepted"),
    [
        pytest.param({"type": "integer"}, "22", True, id="a whole number"),
        pytest.param({"type": "integer"}, "22.0", False, id="22.0 is no integer"),
        pytest.param({"type": "integer"}, "true", False, id="true is no integer"),
        pytest.param({"type": "number"}, "true", False, id="true is no number"),
        pytest.param({"type": "number"}, "2.5", True, id="a decimal"),
        pytest.param({"type": "string", "pattern": "^[a-z]+$"}, '"abc\\n"', False, id="$ is the very end"),
        pytest.param({"type": "string", "pattern": "^[a-z]+$"}, "abc", True, id="a pattern"),
        pytest.param({"type": "string"}, "0042", False, id="ambiguous text"),
        pytest.param({"type": "string"}, '"0042"', True, id="quoted text"),
        pytest.param({"type": "string", "format": "date"}, "2027-06-01", True, id="a date needs no quotes"),
        pytest.param({"type": "string", "format": "date"}, '"2027-06-01"', True, id="a quoted date"),
        pytest.param({"type": "string", "format": "date"}, "2027-02-30", False, id="no such day"),
        pytest.param({"type": "string", "format": "date"}, "20270601", False, id="a date without hyphens"),
        pytest.param({"type": "string", "format": "date"}, "no", False, id="no date at all"),
        pytest.param({"type": "array", "items": {"type": "null"}}, "[~, null]", True, id="nothing"),
    ],
)
def test_values_are_checked_strictly(schema: dict[str, Any], text: str, accepted: bool) -> None:
    outer = {"properties": {"a": schema}}
    assert (problems_of(f"a: {text}\n", outer) == []) is accepted


HOSTS = [
    ("sftp.riverbend.example", True),
    ("localhost", True),
    ("a_b.example", True),
    ("192.0.2.7", True),
    ("2001:db8::1", True),
    ("-oProxyCommand=x", False),
    ("a b", False),
    ("user@host", False),
    ("host;rm", False),
    ("host:22", False),
    ("sftp://host", False),
    ("host.", False),
    ("a..b", False),
    ("999.1.1.1", False),
    ("127.1", False),
    ("0x7f.1", False),
    ("0x7f000001", False),
    ("fe80::1%eth0", False),
    ("[::1]", False),
    ("hоst", False),
    ("x" * 64 + ".example", False),
    ("a." * 127 + "ab", False),
    ("", False),
]


@pytest.mark.parametrize(("host", "accepted"), HOSTS, ids=[host[:30] for host, _ in HOSTS])
def test_a_host_is_a_name_or_an_address(host: str, accepted: bool) -> None:
    schema = load_schema("fleet.schema.json")
    text = f"policy: {{hosts: [{json.dumps(host, ensure_ascii=False)}]}}\n"
    assert (problems_of(text, schema) == []) is accepted


def test_problems_are_in_the_order_of_the_file_and_capped() -> None:
    text = "".join(f"k{i}: 1\n" for i in range(70))
    schema = {"properties": {}, "additionalProperties": False}
    problems = problems_of(text, schema)
    assert [problem.line for problem in problems] == list(range(1, 51))
    assert problems[-1].message == "21 more problems follow"


def test_a_long_key_is_shown_in_part() -> None:
    (problem,) = problems_of(f'{{"{"k" * 5000}": 1}}', {"additionalProperties": False}, "x.json")
    assert len(problem.message) < 120
    assert len(problem.path) < 120


def test_the_code_and_the_file_are_the_callers() -> None:
    document = parse_document(b'{"a": 1}', display="mappers/a.json")
    schema = {"properties": {"a": {"type": "string"}}}
    (problem,) = schema_problems(document, schema, file="shown.json", code="mapper.schema")
    assert (problem.code, problem.file, problem.path) == ("mapper.schema", "shown.json", "a")
    assert problem.message == "must be text"


CANARY = "hunter2-canary"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"enum": ["a", "b"]},
        {"const": "a"},
        {"type": "string", "pattern": "^x$"},
        {"type": "string", "maxLength": 3},
        {"type": "string", "minLength": 99},
        {"format": "date"},
        {"not": {"type": "string"}},
        {"anyOf": [{"type": "integer"}, {"maxLength": 2}]},
        {"oneOf": [{"type": "string"}, {"minLength": 1}]},
        {"allOf": [{"const": 1}]},
        {"if": True, "then": {"type": "null"}},
        {"type": ["integer", "object"]},
        {"contains": {"const": 1}, "type": "array"},
        False,
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("echo", [False, True])
def test_no_keyword_repeats_the_value(schema: Any, echo: bool) -> None:
    if isinstance(schema, dict):
        schema = schema | {"x-echo": echo}
    problems = problems_of(f"a: {CANARY}\n", {"properties": {"a": schema}})
    assert problems
    assert CANARY not in repr(problems)


@pytest.mark.parametrize("place", ["http", "file"])
def test_a_reference_to_elsewhere_is_never_followed(place: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("{}")
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = (
            f"http://127.0.0.1:{server.server_port}/s.json"
            if place == "http"
            else f"file://{tmp_path}/s.json"
        )
        with pytest.raises(Exception, match="nresolvable") as caught:
            problems_of("a: 1\n", {"properties": {"a": {"$ref": url}}})
        server.shutdown()
    assert asked == []
    assert isinstance(caught.value, Unresolvable)
