"""What to write where a district's file lacks something: the schema knows neither its id nor the fleet."""

from __future__ import annotations

from dataclasses import replace

from reconciler.config.defaults import FILE, KEY
from reconciler.config.district_checks import value_at
from reconciler.documents.document import Document
from reconciler.errors import Problem

_MAY_BE_DEFAULT = {
    ("", '"mapper" is missing'),
    ("sftp", '"host" is missing'),
    ("sftp", '"username" is missing'),
}
"""Path and message of what the schema asks of a district, and the fleet may say for it."""
_ONE_SECRET = ("sftp", "exactly one of password and private_key is needed")


def with_hint(problem: Problem, document: Document, district: str) -> Problem:
    """The problem with a hint that fits this district and its fleet, where there is a better one."""
    said = (problem.path, problem.message)
    if said in _MAY_BE_DEFAULT:
        place = f"{KEY}.{problem.path}" if problem.path else KEY
        return replace(problem, hint=f"{problem.hint} here, or for the whole fleet under {place} in {FILE}")
    if said == _ONE_SECRET:
        return replace(problem, hint=_secret_hint(document, district))
    return problem


def _secret_hint(document: Document, district: str) -> str:
    if value_at(document.value, "sftp", "password") is not None:
        return "remove one of the two"
    variable = f"SFTP_{district.replace('-', '_').upper()}_PASSWORD"
    return f"add under sftp, password: {{env: {variable}}} or private_key: {{file: {district}}}"
