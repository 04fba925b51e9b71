"""A document that was read: its values, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.documents.node import Mark, Node, Path, child, dotted
from reconciler.errors import Problem, Severity


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML or JSON file. `file` is its name in reports, relative to the repository."""

    file: str
    root: Node
    value: Any
    """The content as plain dicts, lists and scalars; see `scalars` for what an unquoted scalar becomes."""

    def node(self, path: Path) -> Node | None:
        """The node at a path, or None where the document has no such value."""
        node: Node | None = self.root
        for step in path:
            node = child(node, step) if node else None
        return node

    def position(self, path: Path, *, key: bool = False) -> Mark:
        """Line and column of the value at `path`, or of its key; of its nearest parent where it is absent."""
        node = self.root
        for depth, step in enumerate(path):
            if key and depth == len(path) - 1 and step in node.keys:
                return node.keys[str(step)]
            found = child(node, step)
            if found is None:
                break
            node = found
        return node.mark

    def problem(
        self, path: Path, code: str, message: str, hint: str = "", *, severity: Severity = "error"
    ) -> Problem:
        """A problem with the value at `path`."""
        return Problem(code, severity, self.file, *self.position(path), dotted(path), message, hint)
