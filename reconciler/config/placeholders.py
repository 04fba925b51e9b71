"""What `new` writes where a fact is missing, and the warning of `validate` while it still stands there."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.documents.document import Document
from reconciler.documents.node import Path
from reconciler.errors import Problem

MARK = "FILL-IN"
"""Begins every placeholder. No SIS, server or platform has such a value."""
HOST = "fill-in.example"
"""A host that cannot exist: .example is reserved (RFC 2606)."""

_PLACES: tuple[tuple[Path, str], ...] = (
    (("name",), "write the district's name, for people"),
    (("account",), "write the platform's account number of the district"),
    (("sftp", "host"), "write the name of the district's SFTP server"),
    (("sftp", "username"), "write the account's name on the server"),
)


def account_placeholder(district: str) -> str:
    """One that no other district has, as long as an account may be."""
    return f"{MARK}-{district}"[:64].rstrip("-")


def check_placeholders(document: Document) -> Iterator[Problem]:
    """A warning for each placeholder. A mapper's is an error anyway: no mapper has its name."""
    for path, hint in _PLACES:
        node = document.node(path)
        if node and isinstance(node.content, str) and node.content.upper().startswith(MARK):
            message = "is still the placeholder that `new` wrote"
            yield document.problem(path, "config.placeholder", message, hint, severity="warning")
