"""Asks git, in a way that neither the repository nor anybody's settings can turn into something else."""

from __future__ import annotations

import subprocess
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.settings import Settings

_SECONDS = 60
_SETTINGS = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=false", "core.pager=cat",
    "diff.external=", "diff.relative=false", "log.showSignature=false", "protocol.allow=never",
)  # fmt: skip
"""What would run a program, reach the network, or change the form of an answer."""
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT", "USERPROFILE")
_KEPT_PREFIXES = ("GIT_CONFIG", "GIT_CEILING_", "GIT_DISCOVERY_")
"""Where git's settings are, for `safe.directory` is one; no secret, and no GIT_DIR of a hook."""


class GitError(Exception):
    """Git said no. `said` is its first line."""

    def __init__(self, said: str):
        super().__init__(said)
        self.said = said


class Git:
    """Git in the folder of the configuration."""

    def __init__(self, root: Path, settings: Settings):
        self._root = root
        self._environment = {
            name: value
            for name, value in settings.environ.items()
            if name in _KEPT or name.startswith(_KEPT_PREFIXES)
        } | {
            "LC_ALL": "C",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LITERAL_PATHSPECS": "1",
        }

    def ask(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git prints. Raises GitError where it fails, UsageError where there is no git."""
        options = [part for setting in _SETTINGS for part in ("-c", setting)]
        command = ["git", "--no-pager", *options, "-C", str(self._root), *arguments]
        try:
            done = subprocess.run(
                command,
                env=self._environment,
                input=given,
                capture_output=True,
                check=False,
                timeout=_SECONDS,
            )
        except OSError as error:
            raise UsageError(
                "git cannot be run", code="usage.git", hint="install git, or leave out what asks for it"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise UsageError(
                f"git gave no answer in {_SECONDS} seconds", code="usage.git", hint="try it by hand"
            ) from error
        if done.returncode != 0:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(lines[0] if lines else f"exit code {done.returncode}")
        return done.stdout

    def line(self, *arguments: str) -> str:
        """The one line that git prints; empty where it fails."""
        try:
            return self.ask(*arguments).decode("utf-8", "replace").strip()
        except GitError:
            return ""

    def paths(self, *arguments: str) -> list[bytes]:
        """The paths that git prints, each ended by NUL. Raises as `ask`."""
        return [path for path in self.ask(*arguments).split(b"\0") if path]

    def require_repository(self) -> None:
        """Raise UsageError usage.git unless the folder is in the work tree of a repository."""
        try:
            inside = self.ask("rev-parse", "--is-inside-work-tree").strip()
        except GitError as error:
            if "dubious ownership" in error.said:
                raise UsageError(
                    f"git does not trust {self._root}, which belongs to somebody else",
                    code="usage.git",
                    hint=f"git config --global --add safe.directory {self._root}",
                ) from None
            inside = b""
        if inside != b"true":
            raise UsageError(
                f"{self._root} is not in the work tree of a git repository",
                code="usage.git",
                hint="run this in a checkout, or leave out what asks for git",
            )

    @property
    def is_shallow(self) -> bool:
        """Whether the clone lacks a part of the history."""
        return self.line("rev-parse", "--is-shallow-repository") == "true"
