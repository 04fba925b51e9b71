"""The two exchanges that paramiko's client does unsafely, done over its requests: listing and reading.

Its listing dies of one name that is not UTF-8 and never stops; its reading ahead is a thread without bound,
and asks for 32 KiB at a time, which costs more Python than the bytes themselves.
The only place that uses private names of paramiko (5.x).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import paramiko
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_DATA,
    CMD_EXTENDED,
    CMD_EXTENDED_REPLY,
    CMD_HANDLE,
    CMD_NAME,
    CMD_OPENDIR,
    CMD_READ,
    CMD_READDIR,
    CMD_VERSION,
    SFTPError,
    int64,
)

CHUNK = 32 * 1024
"""Bytes of one read: the most that every server has to answer."""
LARGEST = 255 * 1024
"""Bytes of one read from a server that says it answers as many: what OpenSSH's does."""
LONGEST = 1024 * 1024
"""Bytes of one packet that we take at most; OpenSSH's own limit is a quarter of it."""
_LIMITS = b"limits@openssh.com"
WINDOW = 64 * CHUNK
"""Bytes asked for ahead, and so the most that is held in memory; as much as the channel's own window."""

Answer = tuple[int, paramiko.Message]
_request: Callable[..., Answer] = paramiko.SFTPClient._request  # type: ignore[attr-defined]
_send: Callable[..., int] = paramiko.SFTPClient._async_request  # type: ignore[attr-defined]
_receive: Callable[[paramiko.SFTPClient], object] = paramiko.SFTPClient._read_response  # type: ignore[attr-defined]
_raise_status: Callable[[paramiko.SFTPClient, paramiko.Message], None] = paramiko.SFTPClient._convert_status  # type: ignore[attr-defined]
_read_attributes: Callable[[paramiko.Message], paramiko.SFTPAttributes] = paramiko.SFTPAttributes._from_msg  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder, as the server sent it."""

    name: bytes
    mode: int | None
    size: int | None
    modified: int | None


def attributes_of(attributes: paramiko.SFTPAttributes) -> Entry:
    """The attributes of an open file or a path, as an entry without a name."""
    return Entry(b"", attributes.st_mode, attributes.st_size, attributes.st_mtime)


def handle_of(file: paramiko.SFTPFile) -> bytes:
    """The handle by which the server knows an open file."""
    return cast(bytes, file.handle)


def read_folder(client: paramiko.SFTPClient, path: str) -> Iterator[Entry]:
    """The entries of a folder in the server's order, `.` and `..` left out; without end if it has none.

    Raises OSError for what the server refuses (FileNotFoundError, PermissionError), SFTPError for nonsense.
    """
    kind, message = _request(client, CMD_OPENDIR, path.encode())
    if kind != CMD_HANDLE:
        raise SFTPError("expected a handle")
    handle = message.get_binary()
    while (batch := _next_names(client, handle)) is not None:
        yield from batch
    _request(client, CMD_CLOSE, handle)


def _next_names(client: paramiko.SFTPClient, handle: bytes) -> list[Entry] | None:
    try:
        kind, message = _request(client, CMD_READDIR, handle)
    except EOFError:
        return None
    if kind != CMD_NAME:
        raise SFTPError("expected names")
    entries = [_read_entry(message) for _ in range(_count(message))]
    return [entry for entry in entries if entry.name not in (b".", b"..")]


def _count(message: paramiko.Message) -> int:
    count = message.get_int()
    if count * 12 > len(message.asbytes()):  # a name, a long name and attributes take 12 bytes at least
        raise SFTPError("more names announced than sent")
    return count


def _read_entry(message: paramiko.Message) -> Entry:
    name = message.get_binary()
    message.get_binary()  # the line that `ls -l` would print
    attributes = _read_attributes(message)
    return Entry(name, attributes.st_mode, attributes.st_size, attributes.st_mtime)


class Client(paramiko.SFTPClient):
    """paramiko's client, which takes an answer whole, and knows how much the server answers at once."""

    _knows_limits = False
    _read_length = 0

    def read_length(self) -> int:
        """Bytes to ask for in one read: what the server says that it answers, where it says so."""
        self._read_length = self._read_length or self._ask_read_length()
        return self._read_length

    def _ask_read_length(self) -> int:
        if not self._knows_limits:
            return CHUNK
        try:
            kind, message = _request(self, CMD_EXTENDED, _LIMITS)
        except TimeoutError:
            raise
        except (EOFError, OSError):  # refused; a lost connection shows in the next request
            return CHUNK
        if kind != CMD_EXTENDED_REPLY:
            raise SFTPError("expected limits")
        message.get_int64()  # of a packet
        return min(max(message.get_int64(), CHUNK), LARGEST)

    def _read_packet(self) -> tuple[int, bytes]:
        """paramiko calls this by name for every packet, the server's first included."""
        size, kind = struct.unpack(">IB", self._exactly(5))
        if not 0 < size <= LONGEST:
            raise SFTPError("a packet of an impossible size")
        data = self._exactly(size - 1)
        if kind == CMD_VERSION:
            self._knows_limits = _LIMITS in data
        return kind, data

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            piece = self.sock.recv(size)
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _payload(message: paramiko.Message) -> memoryview:
    """The bytes of an answer to a read: after its number and their count, and nothing but them."""
    data = memoryview(message.asbytes())
    if len(data) < 8 or int.from_bytes(data[4:8], "big") != len(data) - 8:
        raise SFTPError("a read was answered with the wrong number of bytes")
    return data[8:]


class ReadAhead:
    """The first `size` bytes of an open file, in order, with many reads under way at once.

    Raises EOFError when the file ends before `size`, OSError or SFTPError when the server refuses.
    """

    def __init__(self, client: Client, handle: bytes, size: int) -> None:
        self._client = client
        self._handle = handle
        self._size = size
        self._next = 0
        self._asked: dict[int, tuple[int, int]] = {}
        self._arrived: dict[int, memoryview] = {}
        self._over = False

    def __iter__(self) -> Iterator[memoryview]:
        try:
            yield from self._in_order()
        finally:
            self._over = True  # answers still under way come in with later requests

    def _in_order(self) -> Iterator[memoryview]:
        position = 0
        while position < self._size:
            self._fill(position + WINDOW)
            while position not in self._arrived:
                _receive(self._client)
            data = self._arrived.pop(position)
            position += len(data)
            yield data

    def _fill(self, horizon: int) -> None:
        while self._next < min(horizon, self._size):
            length = min(self._client.read_length(), self._size - self._next)
            self._ask(self._next, length)
            self._next += length

    def _ask(self, offset: int, length: int) -> None:
        number = _send(self._client, self, CMD_READ, self._handle, int64(offset), length)
        self._asked[number] = (offset, length)

    def _async_response(self, kind: int, message: Any, number: int) -> None:
        """Takes one answer; paramiko calls this by name, within _receive."""
        if self._over:
            return
        offset, length = self._asked.pop(number)
        if kind != CMD_DATA:
            _raise_status(self._client, message)
            raise SFTPError("expected data")
        data = _payload(message)
        if not 0 < len(data) <= length:
            raise SFTPError("a read was answered with the wrong number of bytes")
        self._arrived[offset] = data
        if len(data) < length:  # a server may answer with less; the rest is asked for again
            self._ask(offset + len(data), length - len(data))
