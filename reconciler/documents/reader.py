"""The way in: a YAML or JSON file as a Document, or every problem that keeps it from being one."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from reconciler.documents.document import Document
from reconciler.documents.findings import Findings
from reconciler.documents.json_reader import read_json
from reconciler.documents.node import values_of
from reconciler.documents.pasted import pasted_secrets
from reconciler.documents.text import (
    MAX_FINDINGS,
    Lines,
    UnreadableError,
    conflict_marker,
    decode,
    hidden_characters,
    name_of,
    read_bytes,
)
from reconciler.documents.yaml_reader import read_yaml
from reconciler.errors import ConfigError, Problem

MAX_BYTES = 256 * 1024
"""Of a file, unless its reader says otherwise: room for the 2,000 schools that a district may have."""


def read_document(
    path: Path, *, display: str, max_bytes: int = MAX_BYTES, root: Path | None = None
) -> Document:
    """Read the file at `path`, called `display` in messages; `.json` is JSON, all else YAML.

    A symbolic link is followed only to a file inside `root`. Raises ConfigError with every problem found:
    `config.syntax` or `config.duplicate`.
    """
    document, problems = open_document(path, display=display, max_bytes=max_bytes, root=root)
    return _whole(document, problems, display)


def parse_document(data: bytes, *, display: str, max_bytes: int = MAX_BYTES) -> Document:
    """Read bytes that are at hand, a package resource say; else as `read_document`."""
    return _whole(*_parse(data, display, max_bytes), display)


def open_document(
    path: Path, *, display: str, max_bytes: int = MAX_BYTES, root: Path | None = None
) -> tuple[Document | None, tuple[Problem, ...]]:
    """As `read_document`, without raising: a document with problems can still be checked further.

    Pasted secrets are among the problems (`secret.literal`), whether or not the file can be read.
    """
    try:
        data = read_bytes(path, max_bytes=max_bytes, root=root)
    except UnreadableError as error:
        findings = Findings(display)
        findings.add(error.mark, error.message, error.hint)
        return None, tuple(findings.problems)
    return _parse(data, display, max_bytes)


def _whole(document: Document | None, problems: tuple[Problem, ...], display: str) -> Document:
    if document is None or problems:
        raise ConfigError(f"{display}: {problems[0].message}", problems)
    return document


def _parse(data: bytes, display: str, max_bytes: int) -> tuple[Document | None, tuple[Problem, ...]]:
    findings = Findings(display)
    text = _text(data, findings, max_bytes)
    if text is None:
        return None, tuple(findings.problems)
    read = read_json if display.lower().endswith(".json") else read_yaml
    node = read(text, findings)
    document = Document(display, node, values_of(node)) if node else None
    return document, (*findings.problems, *pasted_secrets(text, display))


def _text(data: bytes, findings: Findings, max_bytes: int) -> str | None:
    """The text, if a reader sees all of it; else None and findings."""
    if len(data) > max_bytes:
        findings.add((0, 0), f"is larger than {max_bytes // 1024} KiB")
        return None
    try:
        text = decode(data)
    except UnreadableError as error:
        findings.add(error.mark, error.message, error.hint)
        return None
    for offset, character in islice(hidden_characters(text), MAX_FINDINGS):
        findings.hidden(Lines(text).mark(offset), name_of(character))
    marker = conflict_marker(text)
    if marker is not None:
        findings.add(
            Lines(text).mark(marker),
            "this file has an unresolved merge conflict",
            "resolve it and commit again",
        )
    return None if findings.problems else text
