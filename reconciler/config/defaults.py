"""What districts leave unsaid: `defaults:` of reconciler.yaml, in the shape of a district's file.

A district's own value wins, key by key; a list is taken or replaced as a whole. What identifies a district,
and its secrets, have no default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.config.district_checks import check_district
from reconciler.config.root import SETTINGS
from reconciler.documents.document import Document
from reconciler.documents.node import Mark, Path, dotted
from reconciler.errors import Problem

KEY = "defaults"
SECTIONS = ("sftp", "sync")
"""Mappings whose keys have defaults of their own."""
FILE = SETTINGS


@dataclass(frozen=True, slots=True)
class Defaults:
    """The fleet's defaults: valid, small, and the same for every district."""

    value: Mapping[str, Any] = field(default_factory=dict)
    """As a district's file would say it."""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """Where each of them stands in reconciler.yaml, by dotted path from `defaults`."""

    def complete(self, document: Document) -> Document:
        """A district's document with the defaults for what it does not say; positions stay its own.

        Only mappings are completed: what has the wrong shape is left for the schema to report.
        """
        own = document.value
        if not self.value or not isinstance(own, dict):
            return document
        whole = {**self.value, **own}
        for section in SECTIONS:
            default, said = self.value.get(section), own.get(section)
            if default and isinstance(said, dict):
                whole[section] = {**default, **said}
        return replace(document, value=whole)

    def borrowed_pin(self, document: Document) -> Iterator[Problem]:
        """A warning where a district has a server of its own, and the pin of the fleet's server.

        The pin counts all the same: with another key the server gets no password.
        """
        host, pin = ("sftp", "host"), ("sftp", "host_key")
        if not {dotted(host), dotted(pin)} <= self.marks.keys():
            return
        if document.node(host) and not document.node(pin) and not self._is_default_host(document):
            yield document.problem(
                host,
                "config.defaults",
                f"this server is the district's own, but its host_key is the default of {FILE}",
                "add host_key here with the key of this server: with another one it gets no password",
                severity="warning",
            )

    def _is_default_host(self, document: Document) -> bool:
        own = document.value["sftp"]["host"]
        return isinstance(own, str) and own.lower() == str(self.value["sftp"]["host"]).lower()

    def problem(self, path: str, code: str, message: str, hint: str) -> Problem:
        """An error in one of the defaults; equal ones are one, whichever district meets it."""
        return Problem(code, "error", FILE, *self.marks.get(path, (0, 0)), f"{KEY}.{path}", message, hint)


def read_defaults(document: Document) -> Defaults:
    """The defaults of reconciler.yaml, already checked against the schema."""
    value = document.value.get(KEY, {})
    paths: list[Path] = [(key,) for key in value]
    paths += [(section, key) for section in SECTIONS for key in value.get(section, {})]
    return Defaults(value, {dotted(path): document.position((KEY, *path)) for path in paths})


def defaults_problems(document: Document) -> list[Problem]:
    """What a schema cannot say of the defaults: the checks of a district's file, at their own lines."""
    node = document.node((KEY,))
    if node is None or not isinstance(node.content, dict):
        return []
    part = Document(document.file, node, document.value[KEY])
    return [replace(p, path=f"{KEY}.{p.path}") for p in check_district(part)]
