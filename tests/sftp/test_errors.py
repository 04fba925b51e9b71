"""Everything that paramiko, sockets or the system raise becomes ours, with a code that can be relied on."""

from __future__ import annotations

import inspect
import socket
import struct

import paramiko
import pytest
from paramiko import ssh_exception
from paramiko.pkey import UnknownKeyType

from reconciler.sftp import Target
from reconciler.sftp.errors import MEANINGS, Stage, explain, listed, printable

TARGET = Target("sftp.example", 2222, "roster", "Canary")


def test_every_exception_class_that_paramiko_offers_has_a_meaning() -> None:
    offered = {
        value
        for module in (paramiko, ssh_exception)
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__.startswith("paramiko")
    }
    assert len(offered) >= 15
    assert offered - set(MEANINGS) == set()


@pytest.mark.parametrize(
    ("error", "stage", "code", "retryable"),
    [
        (socket.gaierror(-2, "unknown"), Stage.CONNECT, "sftp.unreachable", True),
        (ConnectionRefusedError(), Stage.CONNECT, "sftp.unreachable", True),
        (OSError(101, "Network is unreachable"), Stage.CONNECT, "sftp.unreachable", True),
        (UnicodeError("label too long"), Stage.CONNECT, "sftp.unreachable", True),
        (TimeoutError(), Stage.CONNECT, "sftp.timeout", True),
        (EOFError(), Stage.HANDSHAKE, "sftp.unreachable", True),
        (
            ssh_exception.IncompatiblePeer("no acceptable host key"),
            Stage.HANDSHAKE,
            "sftp.incompatible",
            False,
        ),
        (ssh_exception.MessageOrderError("x"), Stage.HANDSHAKE, "sftp.incompatible", False),
        (paramiko.AuthenticationException("Authentication failed."), Stage.LOGIN, "sftp.auth", False),
        (paramiko.AuthenticationException("Authentication timeout."), Stage.LOGIN, "sftp.timeout", True),
        (paramiko.BadAuthenticationType("x", ["publickey"]), Stage.LOGIN, "sftp.auth", False),
        (paramiko.SSHException("Illegal info request"), Stage.LOGIN, "sftp.auth", False),
        (paramiko.ChannelException(4, "shortage"), Stage.OPEN, "sftp.unreachable", True),
        (paramiko.SSHException("Channel closed."), Stage.OPEN, "sftp.unreachable", True),
        (paramiko.SSHException("Timeout opening channel."), Stage.OPEN, "sftp.timeout", True),
        (paramiko.SFTPError("Garbage packet received"), Stage.OPEN, "sftp.incompatible", False),
        (EOFError(), Stage.LIST, "sftp.interrupted", True),
        (paramiko.SSHException("Server connection dropped"), Stage.READ, "sftp.interrupted", True),
        (ConnectionResetError(), Stage.READ, "sftp.interrupted", True),
        (OSError("Failure"), Stage.READ, "sftp.interrupted", True),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), Stage.LIST, "sftp.incompatible", False),
        (struct.error("unpack"), Stage.LIST, "sftp.incompatible", False),
        (UnknownKeyType("x", b""), Stage.HANDSHAKE, "sftp.incompatible", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_exception_means_what_its_stage_makes_of_it(
    error: Exception, stage: Stage, code: str, retryable: bool
) -> None:
    ours = explain(error, TARGET, stage)
    assert (ours.code, ours.retryable) == (code, retryable)
    assert ours.message.startswith("sftp.example:2222 ")
    assert ours.hint
    assert "Canary" not in f"{ours.message}{ours.hint}"


def test_a_connection_that_our_watchdog_cut_is_late_whatever_was_raised() -> None:
    assert explain(EOFError(), TARGET, Stage.LOGIN, timed_out=True).code == "sftp.timeout"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("two\nlines\x1b[31m", "two?lines?[31m"),
        ("x" * 100, "x" * 80 + "…"),
        ("caf\u00e9 \u202etxt", "caf\u00e9 ?txt"),
    ],
    ids=["plain", "control characters", "long", "direction marks"],
)
def test_a_servers_text_is_made_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_list_is_cut() -> None:
    assert listed("abcdefg") == "a, b, c, d, e, … 2 more"
