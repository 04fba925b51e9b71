"""The git commit that a run carries out, for history. A repository without git has none."""

from __future__ import annotations

from pathlib import Path

from reconciler.cli.git import ask_git
from reconciler.settings import Settings

CONFIGURATION = ("districts", "mappers", "reconciler.yaml")


def read_commit(root: Path, settings: Settings) -> tuple[str, str]:
    """The commit and its author as `name <mail>`; two empty texts where git has none.

    `-dirty` follows the commit where the configuration in the work tree differs from it.
    """
    found = ask_git(root, "log", "-1", "--no-show-signature", "--format=%H%x00%an <%ae>")
    if not found.yes:
        return settings.commit, ""
    commit, _, author = found.out.strip().partition("\0")
    dirty = ask_git(root, "status", "--porcelain", "--", *CONFIGURATION).out.strip()
    return commit + ("-dirty" if dirty else ""), author
