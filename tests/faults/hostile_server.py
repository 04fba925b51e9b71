"""An SFTP server that behaves until it is told not to: then it does one thing that no server should.

It speaks the protocol by itself, so that each phase can be reached and each answer be wrong.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_EXTENDED_DATA, OPEN_SUCCEEDED
from paramiko.server import SubsystemHandler

PASSWORD = "canary-hostile-Pa55"
KIB = 1024
MIB = 1024 * KIB
_KEY = paramiko.ECDSAKey.generate()
_OTHER_KEY = paramiko.ECDSAKey.generate()

INIT, VERSION, OPEN, CLOSE, READ, FSTAT, OPENDIR, READDIR, REALPATH, STAT = 1, 2, 3, 4, 5, 8, 11, 12, 16, 17
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
OK, EOF, NO_SUCH_FILE, FAILURE = 0, 1, 2, 4
REQUESTS = {
    INIT: "version", OPEN: "open", READ: "read", FSTAT: "fstat", OPENDIR: "opendir", READDIR: "readdir",
    STAT: "stat",
}  # fmt: skip

WEIRD = (
    b"../students.csv", b"../../etc/cron.d/students.csv", b"/students.csv", b"students\x1b[2J.csv",
    b"students\n.csv", b"\xe9l\xe8ves-students.csv", b"stu\xe2\x80\xaednts.csv", b"", b"s" * 5000 + b".csv",
)  # fmt: skip


def fingerprint() -> str:
    """Of the key that every server shows while it behaves."""
    digest = base64.b64encode(hashlib.sha256(_KEY.asbytes()).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


class HostileServer:
    """A server of one folder, for one account with `PASSWORD`; `mode` may be set at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mode = ""
        self.logins = 0
        """How often a password was sent."""
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._transports: list[paramiko.Transport] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def __enter__(self) -> HostileServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in self._transports:
            transport.close()
        for thread in self._threads:
            thread.join(10)

    def pause(self, phase: str) -> None:
        """Silence from this phase on, where that is the mode."""
        if self.mode == f"silent at {phase}":
            self.over.wait(120)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        raw = RAW.get(self.mode)
        if raw:
            with client, contextlib.suppress(OSError):
                raw(self, client)
            return
        if self.mode in STREAMS:
            client = self._relayed(client, STREAMS[self.mode])
        transport = paramiko.Transport(client)
        self._transports.append(transport)
        transport.add_server_key(_OTHER_KEY if self.mode == "another host key" else _KEY)
        transport.set_subsystem_handler("sftp", _Files, self)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=_Gate(self))

    def _relayed(
        self, client: socket.socket, stream: Callable[[socket.socket, Iterator[bytes]], None]
    ) -> Any:
        """The server's end of a pair of sockets, whose other end sends to the client as `stream` has it."""
        ours, theirs = socket.socketpair()

        def down() -> None:
            with client, contextlib.suppress(OSError):
                stream(client, iter(lambda: theirs.recv(64 * KIB), b""))
                if not self.over.is_set():
                    self.over.wait(0.01)

        def up() -> None:
            with theirs, contextlib.suppress(OSError):
                for data in iter(lambda: client.recv(64 * KIB), b""):
                    theirs.sendall(data)

        self._start(down)
        self._start(up)
        return ours


class _Gate(paramiko.ServerInterface):
    def __init__(self, server: HostileServer) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        server = self._server
        server.logins += 1
        server.pause("auth")
        refused = server.mode == "login refused" or (
            server.mode == "login refused on the third try" and server.logins >= 3
        )
        good = password == PASSWORD and not refused
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self._server.pause("channel")
        return OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self._server.pause("subsystem")
        return super().check_channel_subsystem_request(channel, name)


class _Files(SubsystemHandler):
    """SFTP version 3, as far as a client that reads needs it."""

    def __init__(self, channel: Any, name: str, server: Any, hostile: HostileServer) -> None:
        super().__init__(channel, name, server)
        self._hostile = hostile
        self._listed: dict[bytes, Iterator[list[tuple[bytes, int]]]] = {}
        self._reads = 0

    def start_subsystem(self, name: str, transport: Any, channel: Any) -> None:
        self._channel = channel
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while True:
                (size,) = struct.unpack(">I", self._take(4))
                data = self._take(size)
                self._answer(data[0], paramiko.Message(data[1:]))

    def _take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._channel.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _answer(self, kind: int, message: paramiko.Message) -> None:
        hostile = self._hostile
        hostile.pause(REQUESTS.get(kind, ""))
        if kind == INIT:
            self._send(VERSION, struct.pack(">I", 3))
            return
        number = message.get_int()
        if hostile.mode == "huge packet" and kind == READDIR:
            self._flood(struct.pack(">IB", 0x7FFFFFF0, NAME))
        elif hostile.mode == "huge answers" and kind == READ:
            self._reply(number, DATA, string(b"x" * (200 * KIB)))
        elif hostile.mode == "endless answers" and kind == OPENDIR:
            self._pour(MSG_CHANNEL_DATA, struct.pack(">IBIII", 13, STATUS, 999_999, OK, 0) * 1000)
        elif hostile.mode == "endless standard error" and kind == OPENDIR:
            self._pour(MSG_CHANNEL_EXTENDED_DATA, b"x" * 32 * KIB)
        elif hostile.mode in ("dropped in a listing", "login refused on the third try") and kind == READDIR:
            self._channel.get_transport().close()
        else:
            self._serve(kind, number, message)

    def _serve(self, kind: int, number: int, message: paramiko.Message) -> None:
        if kind == OPENDIR:
            path = message.get_binary()
            self._listed[path] = self._entries()
            return self._reply(number, HANDLE, string(path))
        if kind == READDIR:
            names = next(self._listed[message.get_binary()], None)
            return self._status(number, EOF) if names is None else self._names(number, names)
        if kind in (OPEN, STAT, FSTAT, READ):
            return self._serve_file(kind, number, message.get_binary(), message)
        return self._status(number, OK if kind == CLOSE else FAILURE)

    def _serve_file(self, kind: int, number: int, name: bytes, message: paramiko.Message) -> None:
        if not self._path(name).is_file():
            self._status(number, NO_SUCH_FILE)
        elif kind == OPEN:
            self._reply(number, HANDLE, string(name))
        elif kind == READ:
            self._read(number, name, message.get_int64(), message.get_int())
        else:
            self._reply(number, ATTRS, self._attributes(name))

    def _path(self, name: bytes) -> Path:
        return self._hostile.root / Path(name.decode()).name

    def _entries(self) -> Iterator[list[tuple[bytes, int]]]:
        if self._hostile.mode == "a million names":
            for first in range(0, 1_000_000, 500):
                yield [(b"roster-%07d.csv" % n, 10) for n in range(first, first + 500)]
        elif self._hostile.mode == "weird names":
            yield [(name, 10) for name in WEIRD]
        else:
            files = sorted(self._hostile.root.glob("*.csv"))
            yield [(path.name.encode(), self._size(path)) for path in files]

    def _size(self, path: Path) -> int:
        return 1 << 40 if self._hostile.mode == "1 TiB claimed" else path.stat().st_size

    def _attributes(self, name: bytes) -> bytes:
        return attributes(self._size(self._path(name)), int(self._path(name).stat().st_mtime))

    def _names(self, number: int, names: list[tuple[bytes, int]]) -> None:
        entries = [
            string(n) + string(b"-rw-r--r-- " + n) + attributes(size, self._time(n)) for n, size in names
        ]
        self._reply(number, NAME, struct.pack(">I", len(names)) + b"".join(entries))

    def _time(self, name: bytes) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int(self._path(name).stat().st_mtime)
        return 1_700_000_000

    def _read(self, number: int, name: bytes, offset: int, length: int) -> None:
        path, mode = self._path(name), self._hostile.mode
        whole = path.read_bytes()
        end = len(whole)
        if mode == "half a file":
            end //= 2
        if mode == "dribble":
            self._hostile.over.wait(1)
            length = 1
        if mode.startswith("replaced") and not self._reads:
            self._replace(path, whole, mode)
        self._reads += 1
        data = whole[offset : min(offset + length, end)]
        self._reply(number, DATA, string(data)) if data else self._status(number, EOF)

    def _replace(self, path: Path, whole: bytes, mode: str) -> None:
        """Another file takes the name: as large as before, or longer; written now."""
        fresh = path.with_name("fresh.tmp")
        fresh.write_bytes(whole.upper() if mode == "replaced by one of the same size" else whole * 2)
        fresh.replace(path)

    def _reply(self, number: int, kind: int, body: bytes) -> None:
        self._send(kind, struct.pack(">I", number) + body)

    def _status(self, number: int, code: int) -> None:
        self._reply(number, STATUS, struct.pack(">I", code) + string(b"") + string(b""))

    def _send(self, kind: int, body: bytes) -> None:
        self._channel.sendall(struct.pack(">IB", len(body) + 1, kind) + body)

    def _pour(self, kind: int, data: bytes) -> None:
        """Far more than the client's window allows, and as fast as it goes."""
        message = paramiko.Message()
        message.add_byte(bytes([kind]))
        message.add_int(self._channel.remote_chanid)
        if kind == MSG_CHANNEL_EXTENDED_DATA:
            message.add_int(1)
        message.add_string(data)
        while not self._hostile.over.is_set():
            self._channel.get_transport()._send_user_message(message)

    def _flood(self, head: bytes, piece: bytes = b"x" * 32) -> None:
        self._channel.sendall(head)
        many = piece * (32 * KIB // len(piece))
        while not self._hostile.over.is_set():
            self._channel.sendall(many)


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def attributes(size: int, modified: int) -> bytes:
    """Size, permissions of a plain file, and times."""
    return struct.pack(">IQIII", 1 | 4 | 8, size, 0o100644, modified, modified)


# -- what is no SSH any more ------------------------------------------------------------------------


def _silent_at_banner(server: HostileServer, client: socket.socket) -> None:
    server.over.wait(120)


def _silent_after_banner(server: HostileServer, client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-Slow\r\n")
    server.over.wait(120)


def _banner_drip(server: HostileServer, client: socket.socket) -> None:
    while not server.over.wait(0.05):
        client.sendall(b"S")


def _banner_lines(server: HostileServer, client: socket.socket) -> None:
    while not server.over.wait(0.01):
        client.sendall(b"please \x1b[31mwait\r\n")


def _banner_flood(server: HostileServer, client: socket.socket) -> None:
    while not server.over.is_set():
        client.sendall(b"S" * MIB)


def _huge_ssh_packet(server: HostileServer, client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-Huge\r\n" + struct.pack(">I", 0x7FFFFFF4))
    while not server.over.is_set():
        client.sendall(b"x" * MIB)


def _drop_at_once(server: HostileServer, client: socket.socket) -> None:
    client.recv(KIB)


RAW: dict[str, Callable[[HostileServer, socket.socket], None]] = {
    "silent at banner": _silent_at_banner,
    "silent after banner": _silent_after_banner,
    "endless banner, byte by byte": _banner_drip,
    "endless banner, line by line": _banner_lines,
    "endless banner, at full speed": _banner_flood,
    "huge packet before the login": _huge_ssh_packet,
    "dropped at once": _drop_at_once,
}


def _until_kex(client: socket.socket, data: Iterator[bytes]) -> None:
    """The banner and the offer of algorithms, and then nothing."""
    seen = b""
    for piece in data:
        seen += piece
        head, line, rest = seen.partition(b"\n")
        if line and len(rest) >= 4 and len(rest) >= (whole := 4 + int.from_bytes(rest[:4], "big")):
            client.sendall(head + line + rest[:whole])
            break
    for _ in data:
        pass


def _byte_by_byte(client: socket.socket, data: Iterator[bytes]) -> None:
    """The whole conversation at one byte a second."""
    for piece in data:
        for number in range(len(piece)):
            client.sendall(piece[number : number + 1])
            time.sleep(1)


STREAMS: dict[str, Callable[[socket.socket, Iterator[bytes]], None]] = {
    "silent at key exchange": _until_kex,
    "dribble from the first byte": _byte_by_byte,
}


@contextlib.contextmanager
def dropping(port: int) -> Iterator[Dropping]:
    """A relay to a server on this machine that drops each connection after so many of the server's bytes."""
    relay = Dropping(port)
    try:
        yield relay
    finally:
        relay.stop()


class Dropping:
    """Passes on `after` bytes of the server in each connection, and cuts it then; None: all of them."""

    def __init__(self, upstream: int) -> None:
        self.after: int | None = None
        self.passed = 0
        """Bytes of the server that went through, of the last connection."""
        self._upstream = upstream
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream))
                self._start(self._down, server, client)
                self._start(self._up, client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        passed, after = 0, self.after
        with contextlib.suppress(OSError):
            while data := server.recv(64 * KIB if after is None else min(64 * KIB, after - passed)):
                client.sendall(data)
                passed += len(data)
        self.passed = passed
        _end(client, server)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(64 * KIB):
                server.sendall(data)
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
