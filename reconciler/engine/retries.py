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
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from reconciler.engine.desks import waiting
from reconciler.engine.ports import FileSession, FileSource
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


class SteadySource:
    """Another source's sessions, steadier. One for a run; safe to use from several threads."""

    def __init__(self, source: FileSource, timing: Timing | None = None):
        self._source = source
        self._timing = timing or TIMING
        self._lock = threading.Lock()
        self._logins: dict[object, _Login] = {}

    def open(self, connection: Connection, host_key_seen: str, secret_slot: str = "") -> FileSession:
        """A session. Raises SecretError, and SftpError when it was tried as often as it may be."""
        with self._lock:
            login = self._logins.setdefault(_login_of(connection), _Login())

        def dial(host_key: str, slot: str) -> FileSession:
            known = slot or secret_slot or login.slot
            return login.use(lambda: self._source.open(connection, host_key, known))

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


class _Login:
    """One login on one server, of one district or several: refused once, it is not tried again."""

    def __init__(self) -> None:
        self._first = threading.Lock()
        self._was_tried = False
        self._refused: SftpError | None = None
        self.slot = ""
        """Which of two secrets the server has taken."""

    def use(self, connect: Callable[[], FileSession]) -> FileSession:
        """Connect; while it is not known what the server says to the login, one at a time."""
        if not self._was_tried:
            with self._first:
                if not self._was_tried:
                    try:
                        return self._connected(connect)
                    finally:
                        self._was_tried = True
        return self._connected(connect)

    def _connected(self, connect: Callable[[], FileSession]) -> FileSession:
        if self._refused:
            raise _refused_before(self._refused)
        try:
            session = connect()
        except SftpError as error:
            if error.at_login:
                self._refused = error
            raise
        self.slot = session.secret_slot
        return session


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
