"""What no server should send takes no memory: it is refused before it is collected."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paramiko.ssh_exception import SSHException

from reconciler.errors import SftpError
from reconciler.sftp import Target, connect
from reconciler.sftp.stream import MOST, Lumps, Nowhere
from tests.faults.hostile_server import PASSWORD, HostileServer, fingerprint
from tests.sftp.hostile import QUICK, talking

KIB = 1024
MIB = 1024 * KIB


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"", id="a greeting without a line break"),
        pytest.param(b"SSH-2.0-Huge\r\n" + struct.pack(">I", 0x7FFFFFF4), id="a packet of two gigabytes"),
    ],
)
def test_what_a_server_pours_in_before_the_login_is_not_collected(head: bytes) -> None:
    sent = []

    def script(client: socket.socket, over: threading.Event) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * KIB)
        client.sendall(head)
        while not over.is_set():
            sent.append(client.send(b"x" * 64 * KIB))

    with talking(script) as port, pytest.raises(SftpError) as caught:
        connect(Target("127.0.0.1", port, "u", "p", accept_first=True, limits=QUICK))
    assert caught.value.code == "sftp.unreachable"
    assert sum(sent) < 8 * MIB


def test_what_waits_to_be_read_is_bounded() -> None:
    lumps = Lumps()
    lumps.feed(b"x" * MOST)
    with pytest.raises(SSHException):
        lumps.feed(b"x")


def test_what_is_written_to_standard_error_is_kept_nowhere() -> None:
    sink = Nowhere()
    sink.feed(b"x" * MIB)
    assert len(sink) == 0


@pytest.fixture(params=["endless answers", "endless standard error"])
def pouring(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HostileServer]:
    with HostileServer(tmp_path) as server:
        server.mode = request.param
        yield server


def test_a_server_that_minds_no_window_is_left(pouring: HostileServer) -> None:
    target = Target("127.0.0.1", pouring.port, "u", PASSWORD, pins=(fingerprint(),), limits=QUICK)
    with connect(target) as session:
        began = time.monotonic()
        with pytest.raises(SftpError) as caught:
            session.list_files(".", "*")
    assert time.monotonic() - began < 2 * QUICK.session_seconds, "what had arrived was worked off first"
    assert caught.value.code in ("sftp.timeout", "sftp.interrupted")
