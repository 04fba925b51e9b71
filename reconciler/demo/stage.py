"""Everything that the demo runs on, in one private folder: the repository, the server, the database.

It is gone when the demo ends, however it ends.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.fleet import load_fleet
from reconciler.demo.accounts import open_accounts
from reconciler.demo.exports import Files, first_exports
from reconciler.demo.fleet import Address, copy_fleet, example_fleet
from reconciler.demo.server import LocalSftpServer
from reconciler.errors import UsageError

_FIRST_UPLOAD_SECONDS_AGO = 3600
"""Old enough for every district's settling time."""
_GIT = (
    "git", "-c", "user.name=Integrations", "-c", "user.email=integrations@schools.example",
    "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null",
)  # fmt: skip
_NOT_FOR_THE_DEMO = ("RECONCILER_", "SFTP_", "GIT_")
"""Variables of whoever runs the demo that would lead its commands elsewhere."""


@dataclass(slots=True)
class Stage:
    """The demo's folder while it stands."""

    repository: Path
    address: Address
    """Of the server, as the copied files name it."""
    uploads: Mapping[str, Path]
    """District to the folder on the server that it uploads to."""
    environment: Mapping[str, str] = field(repr=False)
    """Of the commands that are run; the passwords are in it."""
    has_git: bool = False
    _uploads_done: int = 0

    def upload(self, district: str, files: Files) -> None:
        """Let a district upload files, each upload a minute later than the one before it."""
        self._uploads_done += 1
        at = time.time() - _FIRST_UPLOAD_SECONDS_AGO + 60 * self._uploads_done
        for number, (name, content) in enumerate(sorted(files.items())):
            path = self.uploads[district] / name
            path.write_bytes(content)
            os.utime(path, (at + number, at + number))  # of a dated series the last name is the newest file

    def start_history(self) -> None:
        """Make the repository one of git's, where git is there."""
        try:
            self.has_git = self._git("init", "--quiet")
        except OSError:
            return

    def commit(self, message: str) -> None:
        """Commit the repository as it is; without git, nothing."""
        if self.has_git:
            self._git("add", "--all")
            self._git("commit", "--quiet", "--message", message)

    def _git(self, *arguments: str) -> bool:
        done = subprocess.run(
            [*_GIT, *arguments],
            cwd=self.repository,
            env=dict(self.environment),
            check=False,
            capture_output=True,
        )
        return done.returncode == 0


@contextmanager
def stage() -> Iterator[Stage]:
    """The stage, set up and at the end taken down. Raises UsageError without asyncssh."""
    _require_asyncssh()
    # Not the prefix of the syncs' own working folders, which every start of the program sweeps.
    with tempfile.TemporaryDirectory(prefix="demo-of-reconciler-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for part in ("fleet", "secrets", "sftp", "tmp"):
            (folder / part).mkdir()
        source = example_fleet()
        districts = load_fleet(source, mappers=None).districts.values()
        accounts = open_accounts(districts, folder / "sftp", folder / "secrets")
        with LocalSftpServer(accounts.logins) as server:
            address = Address(server.port, server.host_key)
            copy_fleet(source, folder / "fleet", address)
            environment = _environment(folder) | accounts.environment
            there = Stage(folder / "fleet", address, accounts.uploads, environment)
            for district, files in first_exports().items():
                there.upload(district, files)
            there.start_history()
            there.commit("Onboard four districts")
            yield there


def _environment(folder: Path) -> dict[str, str]:
    """That of whoever runs the demo, with everything private in `folder`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_FOR_THE_DEMO)}
    return kept | {
        "RECONCILER_ACTOR": "demo",
        "RECONCILER_SECRETS_DIR": str(folder / "secrets"),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "TMPDIR": str(folder / "tmp"),
        "PYTHONUTF8": "1",
    }


def _require_asyncssh() -> None:
    try:
        import asyncssh  # noqa: F401, PLC0415 – an extra: only who starts a server needs it
    except ModuleNotFoundError as error:
        raise UsageError(
            "the demo starts an SFTP server, which needs asyncssh",
            code="usage.extra",
            hint="pip install 'reconciler[demo]'",
        ) from error
