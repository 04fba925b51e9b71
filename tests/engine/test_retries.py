"""What passes by itself is tried again, in time and not at once; a login that was refused never is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.retries import Backoff, SteadySource, Timing
from reconciler.errors import HoldError, ReconcilerError, SecretError, SftpError
from reconciler.planning.connection import Connection
from reconciler.roster.delta import RemoteFile

FILE = RemoteFile("students.csv", 3, 1.0)


def gone(code: str = "sftp.interrupted") -> SftpError:
    return SftpError("the server was lost", code=code, retryable=True)


def refused(code: str = "sftp.auth") -> SftpError:
    error = SftpError("the server refused the login", code=code)
    error.at_login = True
    return error


class Server:
    """A file source that fails as it is told, one entry of the script for each request."""

    def __init__(self, *script: ReconcilerError | None):
        self._script = iter(script)
        self.opened: list[tuple[str, str]] = []
        """The host key and the secret that each session was opened with."""
        self.closed = 0
        self.key = "ssh-ed25519 AAAA"
        self.slot = ""
        self.on_the_way: Callable[[], object] = lambda: None
        """Called between the connection and the login."""
        self.thinks_for = 0.0
        """Seconds that it takes to answer a login."""

    def open(
        self, connection: Connection, host_key_seen: str, secret_slot: str, before_login: Callable[[], None]
    ) -> Any:
        self.on_the_way()
        before_login()
        self.opened.append((host_key_seen, secret_slot))
        time.sleep(self.thinks_for)
        self._answer()
        return SimpleNamespace(
            host_key=self.key, fingerprint="SHA256:x", secret_slot=self.slot, note="", close=self._close,
            list_files=lambda *_: self._answer() or [FILE], download=lambda *_: self._answer() or "digest",
        )  # fmt: skip

    def _answer(self) -> None:
        error = next(self._script, None)
        if error is not None:
            raise error

    def _close(self) -> None:
        self.closed += 1


class Clock:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def timing(self, chance: float = 0.5, **backoff: Any) -> Timing:
        return Timing(Backoff(**backoff), self.sleep, lambda: self.now, lambda: chance)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def connection(district: str = "oak", **sftp: str) -> Connection:
    login = {"host": "h", "port": 22, "username": "u", "password": "ref", "private_key": None, **sftp}
    return cast(
        Connection,
        SimpleNamespace(
            district=SimpleNamespace(id=district, sftp=SimpleNamespace(passphrase=None, **login))
        ),
    )


def steady(server: Server, timing: Timing) -> SteadySource:
    return SteadySource(server, timing)


@pytest.mark.parametrize("code", ["sftp.unreachable", "sftp.timeout", "sftp.interrupted"])
def test_what_is_transient_is_tried_again_after_pauses_that_grow(clock: Clock, code: str) -> None:
    server = Server(gone(code), gone(code))
    session = steady(server, clock.timing()).open(connection(), "")
    assert (session.host_key, clock.slept) == (server.key, [1.0, 4.0])


def test_after_so_many_tries_the_last_error_is_told_and_how_many_they_were(clock: Clock) -> None:
    server = Server(gone(), gone(), gone())
    with pytest.raises(SftpError, match=r"was lost \(3 tries\)") as caught:
        steady(server, clock.timing()).open(connection(), "")
    assert caught.value.code == "sftp.interrupted"
    assert len(server.opened) == 3


@given(st.floats(0, 1), st.integers(1, 6))
def test_a_pause_is_the_planned_one_within_a_fifth(chance: float, failures: int) -> None:
    planned = 4.0 ** (failures - 1)
    assert 0.8 * planned <= Backoff().pause(failures, chance) <= 1.2 * planned


def test_chance_makes_pauses_shorter_and_longer() -> None:
    assert (Backoff().pause(1, 0), Backoff().pause(1, 1)) == pytest.approx((0.8, 1.2))


def test_no_try_begins_when_the_time_is_over(clock: Clock) -> None:
    server = Server(gone(), gone())
    with pytest.raises(SftpError):
        steady(server, clock.timing(within_seconds=4.5)).open(connection(), "")
    assert clock.slept == [1.0]


@pytest.mark.parametrize(
    "error",
    [
        refused(),
        refused("sftp.timeout"),
        SftpError("another host key", code="sftp.host-key"),
        SftpError("no such folder", code="sftp.path"),
        SecretError("no secret"),
        HoldError("changing", code="sync.file-changing", retryable=True),
    ],
    ids=["a refused login", "a login without an answer", "host key", "path", "secret", "a hold"],
)
def test_what_does_not_pass_by_itself_is_tried_once(clock: Clock, error: ReconcilerError) -> None:
    server = Server(error)
    with pytest.raises(type(error)):
        steady(server, clock.timing()).open(connection(), "")
    assert (len(server.opened), clock.slept) == (1, [])


def test_a_session_that_was_lost_is_opened_again_for_the_same_host_key_and_secret(clock: Clock) -> None:
    server = Server(None, None, gone(), None, None)
    server.slot = "current"
    session = steady(server, clock.timing()).open(connection(), "")
    assert session.list_files(".", "*") == [FILE]
    assert session.download(".", FILE, Path("x")) == "digest"
    session.close()
    assert server.opened == [("", ""), (server.key, "current")]
    assert server.closed == 2


def test_all_requests_of_a_visit_share_the_tries(clock: Clock) -> None:
    server = Server(gone(), None, gone(), None, None, gone())
    session = steady(server, clock.timing()).open(connection(), "")
    session.list_files(".", "*")
    with pytest.raises(SftpError, match="3 tries"):
        session.download(".", FILE, Path("x"))


def test_a_login_that_was_taken_and_is_then_refused_ends_it(clock: Clock) -> None:
    server = Server(None, gone(), None, gone(), refused())
    session = steady(server, clock.timing()).open(connection(), "")
    with pytest.raises(SftpError) as caught:
        session.list_files(".", "*")
    assert caught.value.code == "sftp.auth"
    assert len(server.opened) == 3


def test_a_login_that_was_refused_is_not_sent_again_for_another_district_or_step(clock: Clock) -> None:
    server = Server(refused())
    source = steady(server, clock.timing())
    for district in ("oak", "elm", "oak"):
        with pytest.raises(SftpError) as caught:
            source.open(connection(district), "")
        assert (caught.value.code, caught.value.at_login) == ("sftp.auth", True)
    assert len(server.opened) == 1
    assert source.open(connection("ash", password="another ref"), "").host_key == server.key


def test_of_two_secrets_the_one_that_was_taken_is_used_from_then_on(clock: Clock) -> None:
    server = Server()
    server.slot = "current"
    source = steady(server, clock.timing())
    source.open(connection("oak"), "")
    source.open(connection("elm"), "")
    assert [slot for _, slot in server.opened] == ["", "current"]


@pytest.fixture
def together() -> Iterator[Callable[[list[Callable[[], None]]], None]]:
    """Runs several things at the same time."""

    def run(works: list[Callable[[], None]]) -> None:
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    return run


def test_districts_that_share_a_login_and_start_at_once_send_it_once(
    clock: Clock, together: Callable[[list[Callable[[], None]]], None]
) -> None:
    server, begun = Server(refused()), threading.Barrier(8)
    source = steady(server, clock.timing())

    def one(number: int) -> None:
        begun.wait(10)
        with pytest.raises(SftpError):
            source.open(connection(f"district-{number}"), "")

    together([lambda n=n: one(n) for n in range(8)])  # type: ignore[misc]
    assert len(server.opened) == 1


def test_a_first_connection_that_never_logged_in_lets_nobody_send_a_wrong_login_twice(
    clock: Clock, together: Callable[[list[Callable[[], None]]], None]
) -> None:
    server, connected = Server(refused()), threading.Barrier(8)
    source = steady(server, clock.timing(tries=1))
    server.on_the_way = _raises(gone("sftp.unreachable"))
    with pytest.raises(SftpError):
        source.open(connection("the-first"), "")
    server.on_the_way, server.thinks_for = lambda: connected.wait(10), 0.1

    def one(number: int) -> None:
        with pytest.raises(SftpError) as caught:
            source.open(connection(f"district-{number}"), "")
        assert caught.value.code == "sftp.auth"

    together([lambda n=n: one(n) for n in range(8)])  # type: ignore[misc]
    assert len(server.opened) == 1


def test_who_waits_while_the_secret_is_found_out_uses_that_one(
    clock: Clock, together: Callable[[list[Callable[[], None]]], None]
) -> None:
    server, connected = Server(), threading.Barrier(3)
    server.slot = "current"
    source = steady(server, clock.timing())
    server.on_the_way = lambda: connected.wait(10) if not server.opened else None

    together([lambda n=n: _open(source, n) for n in range(3)])  # type: ignore[misc]

    assert [slot for _, slot in server.opened] == ["", "current", "current"]


def _open(source: SteadySource, number: int) -> None:
    source.open(connection(f"district-{number}"), "")


def _raises(error: Exception) -> Callable[[], None]:
    def it() -> None:
        raise error

    return it
