"""The git commit that a run carries out, for history. A repository without git has none."""

from __future__ import annotations

from pathlib import Path

from reconciler.cli.git.asking import Git
from reconciler.errors import UsageError
from reconciler.settings import Settings

CONFIGURATION = ("districts", "mappers", "approvals", "reconciler.yaml")


def read_commit(root: Path, settings: Settings) -> tuple[str, str]:
    """The commit and its author as `name <mail>`; two empty texts where git has none.

    `-dirty` follows the commit where the configuration in the work tree differs from it.
    """
    git = Git(root, settings)
    try:
        found = git.line("log", "-1", "--encoding=UTF-8", "--format=%H%x00%an <%ae>")
    except UsageError:  # there is no git
        found = ""
    if not found:
        return settings.commit, ""
    commit, _, author = found.partition("\0")
    dirty = git.line("status", "--porcelain", "--", *CONFIGURATION)
    return commit + ("-dirty" if dirty else ""), author


def head(root: Path, settings: Settings) -> str:
    """The commit alone, as `read_commit` has it but for `-dirty`, which takes git longer to find out."""
    return Git(root, settings).line("log", "-1", "--format=%H") or settings.commit
