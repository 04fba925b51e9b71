"""Servers that misbehave: each in one way, and otherwise like any other."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from reconciler.demo.server import Account, LocalSftpServer
from reconciler.sftp import Limits, Target
from tests.servers import PASSWORD, USERNAME

QUICK = Limits(connect_seconds=1, step_seconds=1, session_seconds=5, transfer_seconds=1, min_rate=1 << 40)
"""Limits for servers that are going to break them."""


@dataclass
class Tricks:
    """What a hostile server does. `block` at a stage means: silence from then on."""

    block: str = ""
    """`auth`, `session`, `list` or `read`."""
    claim: int | None = None
    """The size that every file claims to have."""
    names: tuple[bytes, ...] = ()
    """Entries that the folder lists besides its files."""
    read: Callable[[bytes, int, int], bytes] | None = None
    """Alters an answer: (data, offset, size asked for) to the data sent."""
    on_read: Callable[[], None] | None = None
    """Called once, before the first read is answered."""
    reads: list[int] = field(default_factory=list)
    """The offsets that the client asked for."""


class HostileServer(LocalSftpServer):
    """A LocalSftpServer with tricks, for one account that sees `root`."""

    def __init__(self, root: Path, tricks: Tricks) -> None:
        self.tricks = tricks
        self._freed = threading.Event()
        super().__init__({USERNAME: Account(root, password=PASSWORD)})

    def observe(self, what: str, username: str) -> None:
        self.pause(what)

    def files(self, channel: Any) -> Any:
        self.pause("session")
        return _Files(self, channel, chroot=str(self.accounts[USERNAME].root).encode())

    def pause(self, stage: str) -> None:
        """Holds the whole server up, as long as the test runs, when this is its stage."""
        if stage == self.tricks.block:
            self._freed.wait(60)

    def stop(self) -> None:
        self._freed.set()
        super().stop()


class _Files(asyncssh.SFTPServer):
    def __init__(self, server: HostileServer, channel: Any, chroot: bytes) -> None:
        super().__init__(channel, chroot=chroot)
        self._server = server
        self._tricks = server.tricks

    def _claimed(self, result: Any) -> Any:
        attrs = asyncssh.SFTPAttrs.from_local(result)
        if self._tricks.claim is not None:
            attrs.size = self._tricks.claim
        return attrs

    def stat(self, path: bytes) -> Any:
        return self._claimed(super().stat(path))

    def fstat(self, file_obj: object) -> Any:
        return self._claimed(super().fstat(file_obj))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._server.pause("list")
        async for entry in super().scandir(path):
            if self._tricks.claim is not None:
                entry.attrs.size = self._tricks.claim
            yield entry
        for name in self._tricks.names:
            attrs = asyncssh.SFTPAttrs(size=1, permissions=0o100644, atime=1, mtime=1)
            yield asyncssh.SFTPName(name, attrs=attrs)

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        self._server.pause("read")
        if self._tricks.on_read is not None and not self._tricks.reads:
            self._tricks.on_read()
        self._tricks.reads.append(offset)
        data = super().read(file_obj, offset, size)
        return self._tricks.read(data, offset, size) if self._tricks.read else data


def target(server: LocalSftpServer, limits: Limits | None = None) -> Target:
    return Target(
        "127.0.0.1",
        server.port,
        USERNAME,
        PASSWORD,
        pins=(server.fingerprint,),
        limits=limits or Limits(),
    )


@contextlib.contextmanager
def talking(script: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A bare TCP server that follows a script with each client; yields its port.

    The event given to the script is set when the test is over.
    """
    over = threading.Event()
    clients: list[threading.Thread] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def follow(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            script(client, over)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                clients.append(threading.Thread(target=follow, args=(client,), daemon=True))
                clients[-1].start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for each in [thread, *clients]:
            each.join(10)
