"""A TCP connection to the first address of a host that answers.

paramiko's own connect has no limit and stops at the first dead address; IPv6 without a route is common.
"""

from __future__ import annotations

import math
import queue
import socket
import threading
import time
from typing import Any

Address = tuple[socket.AddressFamily, socket.SocketKind, int, tuple[Any, ...]]


def dial(host: str, port: int, seconds: float, until: float = math.inf) -> socket.socket:
    """A connected socket; `seconds` hold for the look-up and for each address.

    No address is tried after `until`, a time.monotonic(): a name may have many that do not answer.

    Raises OSError (TimeoutError, socket.gaierror, ConnectionRefusedError, …) for the last address tried,
    and UnicodeError for a name that cannot be one.
    """
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for family, kind, protocol, address in resolve(host, port, seconds):
        left = min(seconds, until - time.monotonic())
        if left <= 0:
            raise TimeoutError("addresses")
        try:
            return _connect(family, kind, protocol, address, left)
        except OSError as error:
            failure = error
    raise failure


def _connect(
    family: socket.AddressFamily,
    kind: socket.SocketKind,
    protocol: int,
    address: tuple[Any, ...],
    seconds: float,
) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(seconds)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # requests are small and many
    except BaseException:
        sock.close()
        raise
    return sock


def resolve(host: str, port: int, seconds: float) -> list[Address]:
    """The addresses of a host, in the order in which the system prefers them.

    getaddrinfo knows no time limit, so it runs in a thread that is left to itself when it is late.
    """
    answers: queue.SimpleQueue[list[Address] | Exception] = queue.SimpleQueue()
    thread = threading.Thread(target=_look_up, args=(host, port, answers), name="sftp-resolve", daemon=True)
    thread.start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("name look-up") from None
    thread.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _look_up(host: str, port: int, answers: queue.SimpleQueue[list[Address] | Exception]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put([(family, kind, proto, address) for family, kind, proto, _, address in found])
    except Exception as error:  # handed to the thread that waits
        answers.put(error)
