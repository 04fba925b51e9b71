"""A wire between the program and PostgreSQL that loses what it is told to lose, and nothing else."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

Loss = Literal["", "commit", "answer"]
_KEY = re.compile(rb"K\x00\x00\x00\x0c(....)", re.DOTALL)
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


@dataclass
class Wire:
    """A listening socket in front of a server."""

    url: str
    """Leads to the same database, through the wire."""
    server: str
    """The server's own URL."""
    lose: Loss = ""
    """Of the next COMMIT: the `commit` itself, or the server's `answer`; then the connection is gone."""
    starting: int = 0
    """So many more connections hear that the server is starting up."""
    pooled: bool = False
    """Tell clients another process than the server's, as a pooler does."""
    refused: int = 0
    lost: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = listener.accept()
                self._open.append(client)
                threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        if self.starting > 0:
            self.starting -= 1
            self.refused += 1
            client.recv(65536)
            client.sendall(_error("57P03", "gerade erst gestartet"))
            return client.close()
        server, losing = _connected(self.server), threading.Event()
        self._open.append(server)
        for way in (
            threading.Thread(target=self._upward, args=(client, server, losing), daemon=True),
            threading.Thread(target=self._downward, args=(server, client, losing), daemon=True),
        ):
            way.start()
        return None

    def _upward(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self.lose and _COMMIT in data:
                    how, self.lose = self.lose, ""
                    self.lost += 1
                    if how == "commit":
                        break
                    losing.set()
                server.sendall(data)
        _close(client, server)

    def _downward(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if losing.is_set():
                    break
                client.sendall(_KEY.sub(_another_key, data) if self.pooled else data)
        _close(client, server)

    def close(self) -> None:
        _close(*self._open)


@contextmanager
def wire(url: str, folder: Path) -> Iterator[Wire]:
    """A wire to the database behind `url`; its socket lies in `folder`."""
    folder.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen(16)
        given = make_url(url)
        through = given.set(host=None, port=None).update_query_dict({"host": str(folder)})
        made = Wire(through.render_as_string(hide_password=False), url)
        threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
        try:
            yield made
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            made.close()


def _connected(url: str) -> socket.socket:
    given = make_url(url)
    host, port = str(given.query.get("host") or given.host or "localhost"), given.port or 5432
    if not host.startswith("/"):
        return socket.create_connection((host, port), 10)
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


def _error(state: str, message: str) -> bytes:
    """PostgreSQL's ErrorResponse, in the words of a server that does not speak English."""
    fields = b"".join(
        kind + text.encode() + b"\0"
        for kind, text in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", state), (b"M", message))
    )
    return b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0"


def _another_key(said: re.Match[bytes]) -> bytes:
    """BackendKeyData with another process id in it."""
    return said[0][:5] + bytes(255 - byte if place else byte for place, byte in enumerate(said[1]))


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
