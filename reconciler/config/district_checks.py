"""What a schema cannot say of one district file.

Each check takes the document as it is, valid or not, so that one reading reports everything at once; it
passes over whatever has the wrong shape, which the schema reports.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

from reconciler.config.cron import schedule_fault, timezone_fault
from reconciler.config.district import NEXT
from reconciler.config.placeholders import check_placeholders
from reconciler.config.sealed_text import NotSealedTextError, ciphertext_of
from reconciler.documents.document import Document
from reconciler.documents.formats import is_date
from reconciler.documents.node import Path
from reconciler.documents.text import MAX_FINDINGS
from reconciler.documents.wording import did_you_mean
from reconciler.errors import Problem

_SCHEMA = "config.schema"
_DUPLICATE = "config.duplicate"
SECRETS = ("password", "private_key", "passphrase")
PROVIDERS = ("env", "file", "age", "vault")


def check_district(document: Document) -> list[Problem]:
    """Problems of schools, schedule, time zone, pauses and secret providers."""
    return [
        *islice(_check_schools(document), MAX_FINDINGS),
        *islice(_check_ignored_schools(document), MAX_FINDINGS),
        *_check_schedule(document),
        *_check_pauses(document),
        *_check_providers(document),
        *_check_sealed(document),
        *check_placeholders(document),
    ]


def secret_paths(name: str, provider: str, value: Any) -> list[tuple[str, ...]]:
    """Where a document may name secrets of a provider for one of SECRETS: the secret itself, and its next."""
    own: tuple[str, ...] = ("sftp", name, provider)
    beside = [("sftp", name, NEXT)] if value_at(value, *own) is not None else []
    return [own, *beside, ("sftp", name, NEXT, provider)]


def value_at(value: Any, *path: str) -> Any:
    """The value at a path of keys, or None where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _school_ids(document: Document) -> Iterator[tuple[Path, str]]:
    for index, school in enumerate(_items(value_at(document.value, "schools"))):
        sis_id = value_at(school, "sis_id")
        if isinstance(sis_id, str):
            yield ("schools", index, "sis_id"), sis_id


def _check_schools(document: Document) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for path, sis_id in _school_ids(document):
        if sis_id in seen:
            line, _ = document.position(seen[sis_id])
            yield document.problem(
                path,
                _DUPLICATE,
                f"this SIS school is already mapped on line {line}",
                "keep one of the two",
            )
        seen.setdefault(sis_id, path)


def _check_ignored_schools(document: Document) -> Iterator[Problem]:
    seen = {sis_id: (path, "mapped") for path, sis_id in _school_ids(document)}
    for index, sis_id in enumerate(_items(value_at(document.value, "ignored_schools"))):
        if not isinstance(sis_id, str):
            continue
        path: Path = ("ignored_schools", index)
        if sis_id in seen:
            first, how = seen[sis_id]
            line, _ = document.position(first)
            message = f"this SIS school is already {how} on line {line}"
            yield document.problem(path, _DUPLICATE, message, "a SIS school is mapped or ignored, once")
        seen.setdefault(sis_id, (path, "ignored"))


def _check_schedule(document: Document) -> Iterator[Problem]:
    schedule = value_at(document.value, "sync", "schedule")
    # The schema counts the fields; five of them are looked into here.
    if isinstance(schedule, str) and len(schedule.split()) == 5:
        fault = schedule_fault(schedule)
        if fault:
            yield document.problem(("sync", "schedule"), _SCHEMA, fault, 'for example "0 2 * * *"')
    zone = value_at(document.value, "sync", "timezone")
    if isinstance(zone, str) and zone:
        message, hint = timezone_fault(zone)
        if message:
            yield document.problem(("sync", "timezone"), _SCHEMA, message, hint)


def _check_pauses(document: Document) -> Iterator[Problem]:
    for index, pause in enumerate(_items(value_at(document.value, "sync", "pause"))):
        start, until = value_at(pause, "from"), value_at(pause, "until")
        both_days = all(isinstance(day, str) and is_date(day) for day in (start, until))
        if both_days and date.fromisoformat(until) < date.fromisoformat(start):
            path: Path = ("sync", "pause", index, "until")
            yield document.problem(path, _SCHEMA, "this day lies before from", "swap the two days")


def _check_providers(document: Document) -> Iterator[Problem]:
    """A provider that nobody registered is found when it is asked; a slip of the pen is told here."""
    for name in SECRETS:
        secret = value_at(document.value, "sftp", name)
        providers = [key for key in secret if key != NEXT] if isinstance(secret, dict) else []
        if len(providers) != 1:
            continue
        (provider,) = providers
        meant = "" if provider in PROVIDERS else did_you_mean(provider, PROVIDERS)
        if meant:
            message = "no provider of this name ships with the tool"
            yield document.problem(("sftp", name), "config.reference", message, meant, severity="warning")


def _check_sealed(document: Document) -> Iterator[Problem]:
    """Whether a sealed secret has the form of one; only the identity can tell what is in it, and for whom."""
    for name in SECRETS:
        for path in secret_paths(name, "age", document.value):
            text = value_at(document.value, *path)
            if not isinstance(text, str):
                continue
            try:
                ciphertext_of(text)
            except NotSealedTextError as error:
                message, hint = f"the sealed secret {error}", "print it anew with `reconciler seal`"
                yield document.problem(path, _SCHEMA, message, hint)
