"""Asks git about the configuration repository. Nothing here changes it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What git said. Without git, or where it takes too long, an answer that is no."""

    code: int
    out: str = ""

    @property
    def yes(self) -> bool:
        return self.code == 0


def ask_git(root: Path, *arguments: str, given: str = "") -> Answer:
    """Run git in `root`, `given` on its standard input; bytes that are no UTF-8 are replaced."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-c", "i18n.logOutputEncoding=UTF-8", "-C", str(root), *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return Answer(127)
    return Answer(done.returncode, done.stdout)


def is_marked(root: Path) -> bool:
    """Whether this is a checkout by the look of it, whatever git says."""
    return any((folder / ".git").exists() for folder in (root, *root.absolute().parents))


def is_shallow(root: Path) -> bool:
    """Whether the clone was made without all of its history."""
    return ask_git(root, "rev-parse", "--is-shallow-repository").out.strip() == "true"
