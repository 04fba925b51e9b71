"""A connection whose server has proved to be the right one: socket, key exchange, host key, in that order."""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator

import paramiko
from paramiko.packet import Packetizer

from reconciler.errors import ReconcilerError
from reconciler.sftp.dial import dial
from reconciler.sftp.errors import HostKeyError, Stage, explain, not_ssh, untrusted
from reconciler.sftp.hostkey import HostKey, first_choice, is_pinned, other_choices
from reconciler.sftp.stream import EagerSocket
from reconciler.sftp.target import Target
from reconciler.sftp.watchdog import Watchdog, nothing

log = logging.getLogger(__name__)

# GCM first: it is the fastest here and immune to prefix truncation. CBC, SHA-1 and MD5 are not offered.
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)


MOST_OF_A_PACKET = 256 * 1024
"""Bytes: OpenSSH takes no larger packets either, and we ask for none above 32 KiB."""
MOST_OF_A_GREETING = 64 * 1024
"""Bytes without a line break: a line of SSH has 255."""


class _Packetizer(Packetizer):
    """Remembers how the server greeted, and starts no timer: the watchdog bounds the handshake.

    Takes nothing larger than SSH allows: what a packet says of its own length is not signed by anybody.
    """

    greeting = ""
    _greeted = 0

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        if n > MOST_OF_A_PACKET:
            raise paramiko.SSHException("a packet of an impossible size")
        return super().read_all(n, check_rekey)

    def _read_timeout(self, timeout: float) -> bytes:
        """paramiko calls this by name for each piece of a greeting's lines."""
        piece: bytes = super()._read_timeout(timeout)  # type: ignore[misc]
        self._greeted += len(piece)
        if self._greeted > MOST_OF_A_GREETING:
            raise paramiko.SSHException("a greeting without end")
        return piece

    def readline(self, timeout: float) -> str:
        line = super().readline(timeout)
        self.greeting = self.greeting or line
        return line

    def start_handshake(self, timeout: float) -> None:
        """Nothing: paramiko's timer thread would outlive a handshake that fails."""


class _Transport(paramiko.Transport):
    """A transport whose thread dies silently; whoever waits for it is told by the call that fails."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:
            log.debug("the connection's thread ended with %s", type(error).__name__)
            self.active = False


class Link:
    """A socket and its transport. `close` it, whatever happens."""

    host_key: HostKey
    """What the server showed; there is one once hands were shaken."""

    def __init__(self, target: Target, sock: socket.socket, until: float) -> None:
        """`until`: the time.monotonic() by which the session has to stand, logged in."""
        self.target = target
        self._sock = EagerSocket.over(sock)
        self._until = until
        self._left = target.limits.visit_seconds
        self._watchdog = Watchdog(self.cut)
        self.discard: Callable[[], None] = lambda: None
        """Forgets what has arrived and was not read yet."""
        self.transport = _Transport(self._sock, packetizer_class=_Packetizer)

    @contextlib.contextmanager
    def stage(self, stage: Stage, seconds: float, earned: Callable[[], float] = nothing) -> Iterator[None]:
        """Bounds a stage in time and turns what is raised within into SftpError.

        `earned`: the seconds that it may take longer for what came in meanwhile.
        """
        began = time.monotonic()
        try:
            with self._watchdog.within(min(seconds, self._left), earned):
                yield
        except ReconcilerError:
            raise
        except Exception as error:
            raise explain(error, self.target, stage, timed_out=self._watchdog.fired) from error
        finally:
            self._left -= max(time.monotonic() - began - earned(), 0)

    def step_seconds(self) -> float:
        """What the next step before the session stands may take."""
        return min(self.target.limits.step_seconds, self._until - time.monotonic())

    def shake_hands(self, algorithms: tuple[str, ...]) -> HostKey:
        """Exchanges keys; the server proves that it owns the host key returned. SftpError."""
        self._prefer(algorithms)
        seconds = self.step_seconds()
        with self.stage(Stage.HANDSHAKE, seconds + 1):
            try:
                self.transport.start_client(timeout=seconds)
                if not self.transport.initial_kex_done:
                    raise TimeoutError("key exchange")  # start_client returns silently when it is late
            except Exception as error:
                self._check_greeting(error)
                raise
            key = self.transport.get_remote_server_key()
            self.host_key = HostKey(key.get_name(), key.asbytes())
        return self.host_key

    def _prefer(self, algorithms: tuple[str, ...]) -> None:
        options = self.transport.get_security_options()
        options.ciphers = CIPHERS
        options.digests = MACS
        options.key_types = algorithms
        limits = self.target.limits
        self.transport.banner_timeout = limits.session_seconds  # start_client's limit holds: it can be told
        self.transport.auth_timeout = self.transport.channel_timeout = limits.step_seconds

    def _check_greeting(self, error: Exception) -> None:
        packetizer = self.transport.packetizer
        greeting = packetizer.greeting if isinstance(packetizer, _Packetizer) else ""
        if greeting and not greeting.startswith("SSH-"):
            raise not_ssh(greeting, self.target) from error

    def cut(self) -> None:
        """Ends every call that waits for the server, from any thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self.discard()
        self.transport.close()

    def close(self) -> None:
        """Closes socket and transport and waits for the transport's thread."""
        self.cut()
        self._sock.close()
        if self.transport.is_alive():
            self.transport.join(timeout=5)


def trusted_link(target: Target) -> Link:
    """A link whose host key is pinned (or accepted as the first one seen); nothing secret was sent yet.

    Raises HostKeyError, or SftpError for a server that cannot be reached or understood.
    """
    until = time.monotonic() + target.limits.session_seconds
    try:
        return _attempt(target, first_choice(target.pins), until)
    except HostKeyError as refused:
        for algorithms in other_choices(refused.key, target.pins):
            with contextlib.suppress(ReconcilerError):  # the server has no such key, or not the pinned one
                return _attempt(target, algorithms, until)
        raise


def _attempt(target: Target, algorithms: tuple[str, ...], until: float) -> Link:
    link = Link(target, _dial(target, until), until)
    try:
        key = link.shake_hands(algorithms)
        if not (is_pinned(key, target.pins) or (target.accept_first and not target.pins)):
            raise untrusted(key, target)
    except BaseException:
        link.close()
        raise
    return link


def _dial(target: Target, until: float) -> socket.socket:
    seconds = min(target.limits.connect_seconds, until - time.monotonic())
    try:
        return dial(target.host, target.port, max(seconds, 0.001), until)
    except Exception as error:
        raise explain(error, target, Stage.CONNECT) from error
