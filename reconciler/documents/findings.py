"""Collects what is wrong with one file, while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.documents.node import Mark, Path, dotted
from reconciler.documents.text import MAX_FINDINGS
from reconciler.errors import Problem

SYNTAX = "config.syntax"
DUPLICATE = "config.duplicate"


@dataclass(slots=True)
class Findings:
    """The problems of one file, named as `file` in reports; more than MAX_FINDINGS are dropped."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, mark: Mark, message: str, hint: str = "", *, code: str = SYNTAX, path: Path = ()) -> None:
        if len(self.problems) < MAX_FINDINGS:
            self.problems.append(Problem(code, "error", self.file, *mark, dotted(path), message, hint))

    def hidden(self, mark: Mark, name: str) -> None:
        """A character that a reader cannot see, in the text or written as an escape."""
        self.add(mark, f"{name} is not allowed: it hides or changes what a reader sees", "delete it")
