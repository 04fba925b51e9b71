"""The git commit that a run carries out, for history. A repository without git has none."""

from __future__ import annotations

import subprocess
from pathlib import Path

from reconciler.errors import PlanError
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


def head(root: Path, settings: Settings) -> str:
    """The commit alone, as `read_commit` has it but for `-dirty`, which takes git longer to find out."""
    return _git(root, "log", "-1", "--format=%H") or settings.commit


def refuse_older(root: Path, commit: str, last: str) -> None:
    """Raise PlanError plan.older where git knows `commit` for an ancestor of the last one reconciled.

    A revert is a commit of its own, and newer: going back needs no exception, only an old checkout does.
    """
    now, before = (c.removesuffix("-dirty") for c in (commit, last))
    if not now or not before or now == before:
        return
    if _git_says(root, "merge-base", "--is-ancestor", now, before):
        raise PlanError(
            f"commit {now[:12]} is older than {before[:12]}, which was reconciled last; nothing was done",
            code="plan.older",
            hint="check out the newest commit, or say --rollback if going back is what you mean",
        )


def _git_says(root: Path, *arguments: str) -> bool:
    """Whether git answers yes; no answer is no."""
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


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
