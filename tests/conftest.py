"""Fixtures that any test may ask for. What a machine lacks is skipped loudly, and in CI is an error."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.terminal.silence import Libraries
from reconciler.engine.retries import Backoff, Timing
from tests import canaries
from tests.servers import SftpSite, Sshd, sftp_site, sshd_path

NO_SKIPS = os.environ.get("RECONCILER_TEST_NO_SKIPS") == "1"
"""Set in CI: a part that is missing there fails the test instead of skipping it."""

KEPT = ("RECONCILER_TEST_NO_SKIPS", "RECONCILER_TEST_DATABASE_URL")


def require(condition: object, reason: str) -> None:
    """Skips the test for `reason` unless the condition holds; where skips are forbidden, fails it."""
    if condition:
        return
    if NO_SKIPS:
        pytest.fail(f"{reason} (RECONCILER_TEST_NO_SKIPS=1 forbids to skip)", pytrace=False)
    pytest.skip(reason)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make faults` tries each fault often, `make test` a few times."""
    parser.addoption("--fault-rounds", type=int, help="how often tests/faults tries each fault")
    parser.addoption("--canaries", action="store_true", help="every run at debug, and searched everywhere")


def pytest_configure(config: pytest.Config) -> None:
    """What the program puts out is searched for secrets and people, before any test module imports it."""
    canaries.install(everywhere=bool(config.getoption("--canaries")))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings, secrets or remembered verdicts of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("RECONCILER_", "SFTP_")) and name not in KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("RECONCILER_NO_CACHE", "1")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried at once, in this process."""
    quick = Timing(Backoff(first_seconds=0))
    monkeypatch.setattr("reconciler.engine.retries.TIMING", quick)


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    """Each test finds logging as Python has it, whatever ran the program in this process before.

    A fixture of a wider scope runs it too, before this one.
    """
    _forget_logging()
    yield
    _forget_logging()


def _forget_logging() -> None:
    ours = logging.getLogger("reconciler")
    ours.handlers[:], ours.propagate = [], True
    ours.setLevel(logging.NOTSET)
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, Libraries)]


@pytest.fixture
def sftp_server(tmp_path: Path) -> Iterator[SftpSite]:
    """A running SFTP server with one account, whose folder is `sftp_server.root`."""
    root = tmp_path / "sftp"
    root.mkdir()
    site = sftp_site(root)
    yield site
    site.server.stop()


@pytest.fixture(scope="session")
def _sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    require(sshd_path(), "OpenSSH's sshd is not installed: apt-get install openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    root = folder / "root"
    root.mkdir()
    with Sshd(folder, root) as server:
        yield server


@pytest.fixture
def sshd(_sshd: Sshd) -> Iterator[Sshd]:
    """OpenSSH's sshd serving the folder `sshd.root`, empty at the start of each test."""
    for path in sorted(_sshd.root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    return _sshd


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The sample data of real systems, which lies beside the repository."""
    path = Path(__file__).parents[1] / ".." / "shared" / "data"
    require(path.is_dir(), f"the sample data is not at {path}")
    return path.resolve()
