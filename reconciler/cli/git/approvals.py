"""The approvals of a configuration repository, and where git has them from."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.config.approval import Approval, file_of
from reconciler.engine.approving import Approvals
from reconciler.errors import UsageError
from reconciler.settings import Settings


class GitApprovals(Approvals):
    """Looks for the one file that a hold asks for; git is asked only of one that lets something through."""

    def __init__(self, root: Path, settings: Settings):
        self._root, self._settings = root, settings

    def find(self, district: str, digest: str) -> Approval | None:
        file = file_of(district, digest)
        if not file or not os.path.lexists(self._root / file):
            return None
        from reconciler.config.approvals import find_approval  # noqa: PLC0415 – most runs find no file

        return find_approval(self._root, district, digest)

    def origin(self, approval: Approval) -> tuple[str, str]:
        """Of the commit that altered the file last; none where it is not as that commit has it."""
        from reconciler.cli.git.asking import Git  # noqa: PLC0415 – git is asked seldom

        git = Git(self._root, self._settings)
        try:
            found = git.line("log", "-1", "--encoding=UTF-8", "--format=%H%x00%an <%ae>", "--", approval.file)
            altered = git.line("status", "--porcelain", "--untracked-files=all", "--", approval.file)
        except UsageError:  # there is no git
            return "", ""
        commit, _, author = found.partition("\0")
        return ("", "") if altered else (commit, author)
