"""Connecting tries each address, and waits for none of them, nor for their look-up, without limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from reconciler.sftp.dial import dial


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def _resolving_to(*addresses: tuple[str, int]) -> object:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]
    return lambda *_, **__: found


def _dead() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return ("127.0.0.1", closed.getsockname()[1])


def test_a_dead_address_is_followed_by_the_next(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = listener.getsockname()
    monkeypatch.setattr(socket, "getaddrinfo", _resolving_to(_dead(), alive))
    with dial("host", 22, 5) as sock:
        assert sock.getpeername() == alive


def test_when_all_are_dead_the_last_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving_to(_dead(), _dead()))
    with pytest.raises(ConnectionRefusedError):
        dial("host", 22, 5)


def test_a_name_without_address_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving_to())
    with pytest.raises(socket.gaierror):
        dial("host", 22, 5)


def test_a_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    freed = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: freed.wait(30) and [])
    try:
        with pytest.raises(TimeoutError):
            dial("host", 22, 0.1)
    finally:
        freed.set()
        for thread in threading.enumerate():
            if thread.name == "sftp-resolve":
                thread.join(10)
