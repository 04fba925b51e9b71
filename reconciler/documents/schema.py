"""Checks a document against a JSON Schema, and says what is wrong as Problems with positions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.documents.document import Document
from reconciler.documents.quick import Check, compile_check
from reconciler.documents.text import MAX_FINDINGS
from reconciler.documents.wording import in_words
from reconciler.errors import ConfigError, Problem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_MAX_ERRORS = 1000
"""Read of one file before they are sorted, so that a hostile one cannot hold us."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A schema, ready to be used many times."""

    schema: Mapping[str, Any]
    """Kept, so that its id cannot be given to another one."""
    is_valid: Check | None
    validators: list[Validator]
    """jsonschema's, from the first document on that is not valid: it takes long to load."""

    @property
    def validator(self) -> Validator:
        if not self.validators:
            from referencing import Registry  # noqa: PLC0415

            from reconciler.documents.keywords import StrictValidator  # noqa: PLC0415

            self.validators.append(StrictValidator(dict(self.schema), registry=Registry()))
        return self.validators[0]


_compiled: dict[int, _Compiled] = {}


@lru_cache
def load_schema(name: str) -> dict[str, Any]:
    """A schema by its file name, `district.schema.json`; always the same object.

    An installed package carries its schemas; a checkout has them in `schemas/`. Raises ConfigError.
    """
    package = Path(__file__).parent.parent
    places = (package / "schemas" / name, package.parent / "schemas" / name)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ConfigError(f"the schema {name} is not installed", hint="install reconciler anew")
    schema: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return schema


def prepare(schema: Mapping[str, Any]) -> None:
    """Do now what the first document to be checked would wait for."""
    _compile(schema)


def schema_problems(
    document: Document, schema: Mapping[str, Any], *, file: str, code: str = "config.schema"
) -> list[Problem]:
    """Every violation, ordered by position, at most MAX_FINDINGS; empty for a valid document.

    `schema` is one of our own, from `load_schema`: its validator is built once. References to other
    documents are never followed.
    """
    compiled = _compile(schema)
    if compiled.is_valid and compiled.is_valid(document.value):
        return []
    errors = islice(compiled.validator.iter_errors(document.value), _MAX_ERRORS)
    problems = sorted({_problem(document, error, file, code) for error in _worth_telling(errors)}, key=_order)
    if len(problems) <= MAX_FINDINGS:
        return problems
    rest = len(problems) - MAX_FINDINGS + 1
    last = replace(problems[MAX_FINDINGS - 1], message=f"{rest} more problems follow", hint="", path="")
    return [*problems[: MAX_FINDINGS - 1], last]


def _compile(schema: Mapping[str, Any]) -> _Compiled:
    known = _compiled.get(id(schema))
    if known is None:
        known = _compiled[id(schema)] = _Compiled(schema, compile_check(schema), [])
    return known


def _worth_telling(errors: Iterable[ValidationError]) -> list[ValidationError]:
    """Where a value has the wrong type, what else it violates says nothing more."""
    all_errors = list(errors)
    mistyped = {tuple(error.absolute_path) for error in all_errors if error.validator == "type"}
    return [e for e in all_errors if e.validator == "type" or tuple(e.absolute_path) not in mistyped]


def _problem(document: Document, error: ValidationError, file: str, code: str) -> Problem:
    path = tuple(error.absolute_path)
    message, hint = in_words(error, document.node(path))
    about_key = error.validator in ("additionalProperties", "dependentRequired")
    found = document.problem(path, code, message, hint)
    if about_key:
        line, column = document.position(path, key=True)
        found = replace(found, line=line, column=column)
    return replace(found, file=file)


def _order(problem: Problem) -> tuple[int, int, str, str]:
    return problem.line, problem.column, problem.path, problem.message
