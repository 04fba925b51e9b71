"""Whether a commit may be reconciled after the one that was reconciled last.

The rule is one sentence: the commit reconciled last must be in the history of the one that is reconciled
now. Whatever git cannot say is refused as well, for a checkout that lacks the newest commits, or was made
without history, would undo work without a word.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from reconciler.cli.git.asking import Git, GitError
from reconciler.errors import PlanError, UsageError
from reconciler.planning.run import RunInfo
from reconciler.settings import Settings

log = logging.getLogger("reconciler.cli")

_HEX = re.compile(r"[0-9a-f]{7,64}")
_ROLLBACK = "or say --rollback if going back is what you mean"

_LOOK_BACK = timedelta(hours=1)
"""How far the clocks of two machines may be apart, and how long one may take from its look to its start."""


class History(Protocol):
    """What of the store is asked here."""

    def last_commit(self) -> str: ...

    def reconciles_since(self, start: datetime) -> Mapping[str, str]: ...


def newest_only(root: Path, settings: Settings, info: RunInfo, store: History) -> Callable[[], None]:
    """Raise PlanError as `refuse_older` does; returns the same check for later, while the run goes on.

    Two runs may overlap, and the one of the older commit may come second to a district. So each district
    asks again, under its lease, whether a run has begun that was not on record here.
    """
    start = info.started_at - _LOOK_BACK
    known = set(store.reconciles_since(start))
    refuse_older(root, settings, info.commit, store.last_commit())
    refused: list[PlanError] = []

    def check() -> None:
        for run, commit in store.reconciles_since(start).items():
            if refused:
                raise PlanError(refused[0].message, code=refused[0].code, hint=refused[0].hint)
            if run not in known:
                try:
                    refuse_older(root, settings, info.commit, commit)
                except PlanError as error:
                    refused.append(error)
                    raise
                known.add(run)

    return check


def refuse_older(root: Path, settings: Settings, commit: str, last: str) -> None:
    """Raise PlanError unless `last`, reconciled last, is in the history of `commit`.

    plan.older: it is the other way round. plan.diverged: each has what the other lacks, as on a branch, or
    after a force-push. plan.unknown-commit: this clone cannot say, because it does not have `last` or has
    no history. A revert is a commit of its own, and newer. Where the folder is no git checkout nothing can
    be asked, and a warning says so.
    """
    now, before = (c.removesuffix("-dirty") for c in (commit, last))
    if not before or now == before:
        return
    git = Git(root, settings)
    if not _is_checkout(git, root, now):
        log.warning(
            "whether %s is older than %s, which was reconciled last, is not known: %s is no git checkout",
            now[:12] or "this folder", before[:12], root,
        )  # fmt: skip
        return
    if not _has(git, before):
        raise _unknown(git, now, before)
    if not _is_ancestor(git, before, now):
        raise _refusal(git, now, before)


def _refusal(git: Git, now: str, before: str) -> PlanError:
    """Git has both commits, and the one reconciled last is not seen in the history of the other."""
    if _is_ancestor(git, now, before):
        return PlanError(
            f"commit {now[:12]} is older than {before[:12]}, which was reconciled last; nothing was done",
            code="plan.older",
            hint=f"check out the newest commit, {_ROLLBACK}",
        )
    if git.is_shallow:
        return _unknown(git, now, before)
    return PlanError(
        f"commit {now[:12]} does not have {before[:12]}, which was reconciled last, in its history; "
        "nothing was done",
        code="plan.diverged",
        hint=f"merge or rebase onto it, so that nothing of it is undone, {_ROLLBACK}",
    )


def _unknown(git: Git, now: str, before: str) -> PlanError:
    """This clone cannot say how the two stand."""
    if git.is_shallow:
        why = "this clone has no history (it is shallow)"
        hint = (
            "fetch all of it (fetch-depth: 0 for GitHub, GIT_DEPTH: 0 for GitLab, "
            f"git fetch --unshallow by hand), {_ROLLBACK}"
        )
    else:
        why = f"{before[:12]} is not in this clone: it is newer, or the history was rewritten"
        hint = "git fetch, and check out the newest commit; after a rewrite, say --rollback once"
    return PlanError(
        f"whether commit {now[:12]} is older than {before[:12]}, which was reconciled last, cannot be said, "
        f"because {why}; nothing was done",
        code="plan.unknown-commit",
        hint=hint,
    )


def _is_checkout(git: Git, root: Path, commit: str) -> bool:
    """Whether git has `commit` here. Raises PlanError plan.git for a checkout that git cannot read."""
    if _has(git, commit):
        return True
    marked = any((folder / ".git").exists() for folder in (root, *root.absolute().parents))
    if marked and not _says_yes(git, "rev-parse", "--git-dir"):
        raise PlanError(
            "git cannot read this checkout: it is not installed, or the folder belongs to another user; "
            "nothing was done",
            code="plan.git",
            hint=f"install git, or say: git config --global --add safe.directory {root.absolute()}",
        )
    return False


def _has(git: Git, commit: str) -> bool:
    return bool(_HEX.fullmatch(commit)) and _says_yes(git, "cat-file", "-e", f"{commit}^{{commit}}")


def _is_ancestor(git: Git, older: str, newer: str) -> bool:
    return _says_yes(git, "merge-base", "--is-ancestor", older, newer)


def _says_yes(git: Git, *arguments: str) -> bool:
    """Whether git answers yes; no answer is no."""
    try:
        git.ask(*arguments)
    except (GitError, UsageError):
        return False
    return True
