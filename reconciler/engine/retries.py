"""A file source that tries again what may pass by itself, and never what may lock an account.

What is transient (`retryable`: a server that is away, slow or lost) is tried again after a pause that grows,
with some chance in it, so that many runners do not come back at once. A login that a server did not take is
not: it is tried once a run, also where several districts share it. One that it has taken may be used again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from reconciler.engine.desks import waiting
from reconciler.engine.ports import FileSession
from reconciler.errors import ReconcilerError, SftpError
from reconciler.planning.connection import Connection
from reconciler.roster.delta import RemoteFile

log = logging.getLogger("reconciler.engine")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often, and when, a district's server is tried again within a run. Seconds."""

    tries: int = 3
    """In all, of one visit."""
    first_seconds: float = 1.0
    """The pause after the first failure."""
    factor: float = 4.0
    """How much longer each further pause is."""
    jitter: float = 0.2
    """The share by which a pause may be shorter or longer."""
    within_seconds: float = 30.0
    """No try begins later than so long after the first one of the same request."""

    def pause(self, failures: int, chance: float) -> float:
        """Seconds to wait after so many failures; `chance` is in 0…1."""
        planned = self.first_seconds * self.factor ** (failures - 1)
        return planned * (1 + self.jitter * (2 * chance - 1))


@dataclass(frozen=True, slots=True)
class Timing:
    """When to try again, and the world that this depends on."""

    backoff: Backoff = Backoff()
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random


TIMING = Timing()
"""What the program uses."""


class Servers(Protocol):
    """Opens sessions, one try each; the one real adapter is reconciler.sftp, with its secrets resolved."""

    def open(
        self,
        connection: Connection,
        host_key_seen: str,
        secret_slot: str,
        before_login: Callable[[], None],
        /,
    ) -> FileSession: ...


class SteadySource:
    """Another source's sessions, steadier. One for a run; safe to use from several threads."""

    def __init__(self, source: Servers, timing: Timing | None = None):
        self._source = source
        self._timing = timing or TIMING
        self._lock = threading.Lock()
        self._logins: dict[object, _Login] = {}

    def open(self, connection: Connection, host_key_seen: str, secret_slot: str = "") -> FileSession:
        """A session. Raises SecretError, and SftpError when it was tried as often as it may be."""
        with self._lock:
            login = self._logins.setdefault(_login_of(connection), _Login())

        def dial(host_key: str, slot: str) -> FileSession:
            return login.use(partial(self._source.open, connection, host_key), slot or secret_slot)

        return SteadySession(dial, host_key_seen, connection.district.id, self._timing)


class SteadySession:
    """A session that is opened again when it was lost. For one thread; `close` it."""

    def __init__(
        self, dial: Callable[[str, str], FileSession], host_key_seen: str, district: str, timing: Timing
    ):
        """`dial` opens a session on a host key and with one of two secrets, as far as they are known."""
        self._dial = dial
        self._district = district
        self._timing = timing
        self._failures = 0
        self._session: FileSession | None = None
        self.host_key = host_key_seen
        self.secret_slot = ""
        opened = self._steadily(lambda session: session)
        self.fingerprint = opened.fingerprint
        self.note = opened.note

    def list_files(self, path: str, pattern: str) -> list[RemoteFile]:
        return self._steadily(lambda session: session.list_files(path, pattern))

    def no_files(self, path: str, pattern: str) -> ReconcilerError:
        return self._steadily(lambda session: session.no_files(path, pattern))

    def download(self, path: str, file: RemoteFile, to: Path) -> str:
        return self._steadily(lambda session: session.download(path, file, to))

    def close(self) -> None:
        """Ends the session; may be called twice."""
        if self._session:
            self._session.close()
            self._session = None

    def _steadily(self, work: Callable[[FileSession], T]) -> T:
        """What `work` gives, tried again after what is transient; the server is waited for meanwhile."""
        began = self._timing.clock()
        with waiting():
            while True:
                try:
                    return work(self._open())
                except SftpError as error:
                    self.close()
                    self._failures += 1
                    pause = self._pause(error, began)
                    if pause is None:
                        raise _told(error, self._failures) from error
                log.info("%s: trying again in %.1f seconds", self._district, pause)
                self._timing.sleep(pause)

    def _open(self) -> FileSession:
        """The session. What is opened again has to show the same host key, and takes the same secret."""
        if self._session is None:
            self._session = self._dial(self.host_key, self.secret_slot)
            self.host_key = self._session.host_key
            self.secret_slot = self._session.secret_slot
        return self._session

    def _pause(self, error: SftpError, began: float) -> float | None:
        """How long to wait before the next try; None where there is none."""
        backoff = self._timing.backoff
        if not error.retryable or error.at_login or self._failures >= backoff.tries:
            return None
        pause = backoff.pause(self._failures, self._timing.chance())
        ends = self._timing.clock() - began + pause
        return pause if ends <= backoff.within_seconds else None


class _KnownNowError(Exception):
    """While it was waited for, another session has found out which of two secrets is taken."""


class _Login:
    """One login on one server, of one district or several: refused once, it is not sent again."""

    def __init__(self) -> None:
        self._first = threading.Lock()
        self._turn: ExitStack | None = None
        """Of the session that holds the lock, or held it last."""
        self._is_taken = False
        self._refused: SftpError | None = None
        self._slot = ""
        """Which of two secrets the server has taken."""

    def use(self, connect: Callable[[str, Callable[[], None]], FileSession], slot: str) -> FileSession:
        """A session of `connect`, which gets one of two secrets to use, and what to call before it logs in.

        Servers are connected to side by side. While it is not known what this one says to the login, one
        session at a time sends it; once it was refused, none does.
        """
        while True:
            asked = slot or self._slot
            with suppress(_KnownNowError), ExitStack() as turn:
                return self._opened(connect, asked, turn)

    def _opened(
        self, connect: Callable[[str, Callable[[], None]], FileSession], asked: str, turn: ExitStack
    ) -> FileSession:
        self._heed_refusal()
        try:
            session = connect(asked, partial(self._wait, asked, turn))
        except SftpError as error:
            if error.at_login:
                self._refused = self._refused or error
            raise
        self._is_taken, self._slot = True, session.secret_slot
        return session

    def _wait(self, asked: str, turn: ExitStack) -> None:
        """Wait for this session's turn to log in, which it keeps until it is open, or is not."""
        if self._turn is turn:
            return
        if not self._is_taken:
            turn.enter_context(self._first)
            self._turn = turn
        self._heed_refusal()
        if self._is_taken:
            turn.close()
            if self._slot and not asked:
                raise _KnownNowError

    def _heed_refusal(self) -> None:
        if self._refused:
            raise _refused_before(self._refused)


def _login_of(connection: Connection) -> object:
    sftp = connection.district.sftp
    return sftp.host, sftp.port, sftp.username, sftp.password, sftp.private_key, sftp.passphrase


def _refused_before(error: SftpError) -> SftpError:
    again = SftpError(
        f"{error.message}; it was not sent again for this district, which has the same login",
        code=error.code,
        hint=error.hint,
    )
    again.at_login = True
    return again


def _told(error: SftpError, failures: int) -> SftpError:
    """The error; where it was tried more than once, it says so."""
    if failures > 1:
        error.message += f" ({failures} tries)"
        error.args = (error.message,)
    return error
