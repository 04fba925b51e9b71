"""What to write where a district's file lacks something: the schema knows neither its id nor the fleet."""

from __future__ import annotations

from dataclasses import replace

from reconciler.config.defaults import FILE, KEY
from reconciler.config.district_checks import value_at
from reconciler.config.misplaced import DISTRICT, in_its_place
from reconciler.documents.document import Document
from reconciler.errors import Problem

_MAY_BE_DEFAULT = {
    ("", '"mapper" is missing'),
    ("sftp", '"host" is missing'),
    ("sftp", '"username" is missing'),
}
"""Path and message of what the schema asks of a district, and the fleet may say for it."""
_NO_MAPPING = "must be a mapping (key: value)"
_NO_SFTP = {("", '"sftp" is missing'), ("sftp", _NO_MAPPING)}
_ONE_SECRET = ("sftp", "exactly one of password and private_key is needed")


def with_hint(problem: Problem, document: Document, district: str) -> Problem:
    """The problem with a hint that fits this district and its fleet, where there is a better one."""
    said = (problem.path, problem.message)
    hint = ""
    if said in _MAY_BE_DEFAULT:
        place = f"{KEY}.{problem.path}" if problem.path else KEY
        hint = f"{problem.hint} here, or for the whole fleet under {place} in {FILE}"
    elif said in _NO_SFTP:
        hint = (
            f"write sftp: {{host: sftp.{district}.example, username: roster, password: {_secret(district)}}}"
        )
    elif said == _ONE_SECRET:
        hint = _secret_hint(document, district)
    elif said == ("", _NO_MAPPING):
        hint = f"begin with district: {district}, without a hyphen before it"
    return replace(problem, hint=hint) if hint else in_its_place(problem, DISTRICT)


def _secret_hint(document: Document, district: str) -> str:
    if value_at(document.value, "sftp", "password") is not None:
        return "remove one of the two"
    return f"add under sftp, password: {_secret(district)} or private_key: {{file: {district}}}"


def _secret(district: str) -> str:
    """A reference that this district may use."""
    return f"{{env: SFTP_{district.replace('-', '_').upper()}_PASSWORD}}"
