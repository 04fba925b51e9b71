"""How much is asked for in one read: what the server says that it answers, within our own bounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import asyncssh.sftp
import pytest

from reconciler.sftp import connect
from reconciler.sftp.wire import WINDOW
from tests.sftp.hostile import HostileServer, Tricks, target

KIB = 1024


def _says(limit: int) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(asyncssh.sftp, "MAX_SFTP_READ_LEN", limit)


def _says_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(asyncssh.sftp.SFTPServerHandler, "_extensions", [(b"newline", b"\n")])


def _refuses(patch: pytest.MonkeyPatch) -> None:
    handlers = dict(asyncssh.sftp.SFTPServerHandler._packet_handlers)
    del handlers[b"limits@openssh.com"]
    patch.setattr(asyncssh.sftp.SFTPServerHandler, "_packet_handlers", handlers)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(_says_nothing, 32 * KIB, id="no word: what every server answers"),
        pytest.param(_refuses, 32 * KIB, id="announced and refused"),
        pytest.param(_says(0), 32 * KIB, id="no limit given"),
        pytest.param(_says(4 * KIB), 32 * KIB, id="less than every server has to"),
        pytest.param(_says(64 * KIB), 64 * KIB, id="as it says"),
        pytest.param(_says(4 * KIB * KIB), 255 * KIB, id="more than we take"),
        pytest.param(_says((1 << 64) - 1), 255 * KIB, id="more than there is memory"),
    ],
)
def test_reads_are_as_long_as_the_server_says_within_bounds(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: Callable[[pytest.MonkeyPatch], None],
    expected: int,
) -> None:
    server(monkeypatch)
    asked: list[int] = []

    def watch(got: bytes, offset: int, size: int) -> bytes:
        asked.append(size)
        return got

    root = tmp_path / "root"
    root.mkdir()
    (root / "a.csv").write_bytes(data := os.urandom(2 * WINDOW + 1))
    with HostileServer(root, Tricks(read=watch)) as hostile, connect(target(hostile)) as session:
        (file,) = session.list_files(".", "a.csv")
        session.download(".", file, tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == data
    assert max(asked) == expected
