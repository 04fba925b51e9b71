"""The two buffers that bytes of a transfer pass through, in place of paramiko's own.

Its packets are read with two system calls each and more, and its channel keeps what arrived in one array from
whose front it deletes: both cost more than the decryption. These hand on whole pieces.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from typing import Self

from paramiko.buffered_pipe import BufferedPipe, PipeTimeout
from paramiko.ssh_exception import SSHException

AHEAD = 256 * 1024
"""Bytes taken from the system at once, where they are there."""
LUMP = 256 * 1024
"""Bytes that a reader may wait for at once: well below the channel's window, or the server would wait too."""


MOST = 8 * 1024 * 1024
"""Bytes that may wait to be read: four times the channel's window, which a server has to keep to."""


class EagerSocket(socket.socket):
    """A connected socket that takes all that arrived in one call, and hands it out as it is asked for."""

    @classmethod
    def over(cls, sock: socket.socket) -> Self:
        """The same connection; `sock` is of no use after this."""
        return cls(sock.family, sock.type, sock.proto, sock.detach())

    def __init__(self, family: int, kind: int, protocol: int, fileno: int) -> None:
        super().__init__(family, kind, protocol, fileno)
        self._buffer = memoryview(bytearray(AHEAD))
        self._start = self._end = 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """At most `size` bytes; empty at the end. Raises as any socket's recv."""
        if self._start == self._end:
            self._start, self._end = 0, 0
            self._end = self.recv_into(self._buffer, 0, flags)
        until = min(self._start + size, self._end)
        piece = self._buffer[self._start : until].tobytes()
        self._start = until
        return piece


class Lumps:
    """What arrived on a channel and was not read yet, in the pieces in which it came.

    Filled by the transport's thread, emptied by one reader, who is woken when there is enough for it. Has
    what a channel asks of its BufferedPipe, except for waiting with select.
    """

    def __init__(self) -> None:
        self._cv = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._wanted = 1
        self._closed = self._discarded = False

    def feed(self, data: bytes | str) -> None:
        """Adds what arrived. Raises SSHException, in the transport's thread, where it is too much to keep."""
        piece = data.encode() if isinstance(data, str) else data
        with self._cv:
            if self._discarded:
                return
            if self._size + len(piece) > MOST:
                raise SSHException("more than the channel's window allows")
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size >= self._wanted:
                self._cv.notify_all()

    def read_ready(self) -> bool:
        return self._size > 0

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        """Up to `nbytes` bytes: all of them, or LUMP at least, or what is there after `timeout` seconds.

        Empty when the channel is closed and read to its end. Raises PipeTimeout when nothing came at all.
        """
        with self._cv:
            self._wait(min(nbytes, LUMP), timeout)
            if not self._size and not self._closed:
                raise PipeTimeout
            return self._take(nbytes)

    def _wait(self, wanted: int, timeout: float | None) -> None:
        self._wanted = wanted
        until = None if timeout is None else time.monotonic() + timeout
        while self._size < wanted and not self._closed:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            self._cv.wait(left)

    def _take(self, most: int) -> bytes:
        taken, size = [], 0
        while self._pieces and size < most:
            piece = self._pieces.popleft()
            if size + len(piece) > most:
                self._pieces.appendleft(piece[most - size :])
                piece = piece[: most - size]
            taken.append(piece)
            size += len(piece)
        self._size -= size
        return b"".join(taken)

    def close(self) -> None:
        """Nothing more will come; what is here can still be read."""
        with self._cv:
            self._closed = True
            self._cv.notify_all()

    def discard(self) -> None:
        """As close, and what is here is not read any more: to work it off may take longer than the limit."""
        with self._cv:
            self._pieces.clear()
            self._size = 0
            self._closed = self._discarded = True
            self._cv.notify_all()

    def __len__(self) -> int:
        return self._size


class Nowhere(BufferedPipe):  # type: ignore[type-arg]  # it has none at run time
    """Where what a server writes to standard error goes: nobody reads it, so nothing of it is kept."""

    def feed(self, data: bytes | str) -> None:
        """Nothing."""
