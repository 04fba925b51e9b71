"""Git repositories for tests, with the branches, clones and rewrites that fleets meet."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"), ("DATE", "2026-11-22T10:00:00Z"))
}


@dataclass(frozen=True)
class Repository:
    """A git repository whose fleet lies in `root`."""

    root: Path

    def git(self, *arguments: str) -> str:
        """What git prints. Its own settings and the time are those of the test."""
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments],
            check=True,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
        )
        return done.stdout.strip()

    def commit(self, message: str, **files: str | None) -> str:
        """Commit district files, named by their ids; None takes one away. Returns the commit."""
        for name, content in files.items():
            path = self.root / "districts" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if content is None else path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def clone(self, folder: Path, *options: str) -> Repository:
        """A clone of it, shallow where `options` say so."""
        self.git("clone", "--quiet", *options, f"file://{self.root}", str(folder))
        return Repository(folder)


def repository(folder: Path) -> Repository:
    """An empty one, on the branch `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Repository(folder)
    made.git("init", "--quiet", "--initial-branch", "main")
    return made
