"""The git commit that a run carries out, for history. A repository without git has none."""

from __future__ import annotations

import subprocess
from pathlib import Path

from reconciler.settings import Settings

_CONFIGURATION = ("districts", "mappers", "reconciler.yaml")


def read_commit(root: Path, settings: Settings) -> tuple[str, str]:
    """The commit and its author as `name <mail>`; two empty texts where git has none.

    `-dirty` follows the commit where the configuration in the work tree differs from it.
    """
    found = _git(root, "log", "-1", "--format=%H%x00%an <%ae>")
    if not found:
        return settings.commit, ""
    commit, _, author = found.partition("\0")
    dirty = _git(root, "status", "--porcelain", "--", *_CONFIGURATION)
    return commit + ("-dirty" if dirty else ""), author


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            check=False,
            timeout=30,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
