"""Whatever a server does, a session ends in time, in bounded memory, and with the whole file or none."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import HoldError, ReconcilerError, SftpError
from reconciler.sftp import Limits, Target, connect
from tests.sftp.hostile import QUICK, HostileServer, Tricks, talking, target

KIB = 1024


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one file of 100,000 bytes."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.csv").write_bytes(b"x" * 100_000)
    return root


def take(root: Path, tricks: Tricks, to: Path, limits: Limits | None = None) -> bytes:
    """Connects, lists, downloads the one file, and returns its bytes."""
    with HostileServer(root, tricks) as server, connect(target(server, limits)) as session:
        (file,) = session.list_files(".", "a.csv")
        session.download(".", file, to)
    return to.read_bytes()


@pytest.mark.parametrize("stage", ["auth", "password", "session", "list", "read"])
def test_silence_ends_at_the_limit(root: Path, tmp_path: Path, stage: str) -> None:
    with pytest.raises(SftpError) as caught:
        take(root, Tricks(block=stage), tmp_path / "to", QUICK)
    assert caught.value.code == "sftp.timeout"
    assert caught.value.at_login == (stage in ("auth", "password"))
    assert caught.value.retryable != caught.value.at_login
    assert not (tmp_path / "to").exists()


def _say_nothing(client: socket.socket, over: threading.Event) -> None:
    over.wait(60)


def _drip(client: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.05):
        client.sendall(b"S")


def _only_greet(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"SSH-2.0-Slow\r\n")
    over.wait(60)


def _drip_after_greeting(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"SSH-2.0-Slow\r\n\x00\x00\x0f\xfc")
    _drip(client, over)


def _hang_up(client: socket.socket, over: threading.Event) -> None:
    client.recv(KIB)


def _hang_up_after_greeting(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"SSH-2.0-Full\r\n")
    client.recv(KIB)


def _be_a_web_server(client: socket.socket, over: threading.Event) -> None:
    client.recv(KIB)
    client.sendall(b"HTTP/1.1 400 Bad \x1b[31mRequest\r\nContent-Length: 0\r\n\r\n")


def _be_a_mail_server(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"220 mail.example ESMTP\r\n")
    over.wait(60)


def _chatter(client: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.02):
        client.sendall(b"please wait\r\n")


def _send_garbage(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"SSH-2.0-Odd\r\n" + b"\xff" * KIB)
    over.wait(60)


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        pytest.param(_say_nothing, "sftp.timeout", "did not answer in time", id="no greeting"),
        pytest.param(_drip, "sftp.timeout", "did not answer in time", id="a greeting without end"),
        pytest.param(_only_greet, "sftp.timeout", "while agreeing on keys", id="silence after the greeting"),
        pytest.param(_drip_after_greeting, "sftp.timeout", "did not answer", id="a packet without end"),
        pytest.param(_hang_up, "sftp.unreachable", "broke off before the login", id="hangs up at once"),
        pytest.param(
            _hang_up_after_greeting, "sftp.unreachable", "broke off before the login", id="hangs up later"
        ),
        pytest.param(_be_a_web_server, "sftp.unreachable", r"says 'HTTP/1.1 400 Bad \?\[31mReq", id="HTTP"),
        pytest.param(_be_a_mail_server, "sftp.unreachable", "says '220 mail.example ESMTP'", id="SMTP"),
        pytest.param(_chatter, "sftp.unreachable", "says 'please wait'", id="endless lines"),
        pytest.param(_send_garbage, "sftp.unreachable", "broke off before the login", id="garbage"),
    ],
)
def test_what_is_no_ssh_server_is_named_and_left(
    script: Callable[[socket.socket, threading.Event], None], code: str, says: str
) -> None:
    with talking(script) as port, pytest.raises(SftpError, match=says) as caught:
        connect(Target("127.0.0.1", port, "u", "p", accept_first=True, limits=QUICK))
    assert caught.value.code == code


def test_what_a_server_says_is_logged_as_one_printable_line(caplog: pytest.LogCaptureFixture) -> None:
    def script(client: socket.socket, over: threading.Event) -> None:
        client.sendall(b"220 \x1b[31mred\r\n")
        over.wait(60)

    caplog.set_level(logging.DEBUG)
    with talking(script) as port, pytest.raises(SftpError):
        connect(Target("127.0.0.1", port, "u", "p", accept_first=True, limits=QUICK))
    assert "220 ?[31mred" in caplog.text
    assert "\x1b" not in caplog.text


def test_a_half_sent_file_is_no_file(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SftpError, match="was sent short of the 200000 bytes") as caught:
        take(root, Tricks(claim=200_000), tmp_path / "to")
    assert caught.value.code == "sftp.interrupted"
    assert caught.value.retryable
    assert not (tmp_path / "to").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_an_earlier_download_survives_a_broken_one(root: Path, tmp_path: Path) -> None:
    (tmp_path / "to").write_bytes(b"before")
    with pytest.raises(SftpError):
        take(root, Tricks(claim=200_000), tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == b"before"


def test_a_file_that_claims_a_tebibyte_is_not_asked_for(root: Path, tmp_path: Path) -> None:
    tricks = Tricks(claim=1 << 40)
    with pytest.raises(SftpError) as caught:
        take(root, tricks, tmp_path / "to")
    assert caught.value.code == "sftp.too-large"
    assert tricks.reads == []


def test_a_claim_below_the_limit_asks_for_no_more_than_a_window(root: Path, tmp_path: Path) -> None:
    tricks = Tricks(claim=10 << 30)
    with pytest.raises(SftpError) as caught:
        take(root, tricks, tmp_path / "to")
    assert caught.value.code == "sftp.interrupted"
    assert max(tricks.reads) < 3 << 20


def test_a_server_that_answers_in_small_pieces_is_served(root: Path, tmp_path: Path) -> None:
    (root / "a.csv").write_bytes(data := os.urandom(100_000))
    assert take(root, Tricks(read=lambda got, _, __: got[:7_000]), tmp_path / "to") == data


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda got, _, size: b"x" * (size + 1), id="more than asked"),
        pytest.param(lambda got, _, __: b"x" * (1 << 20), id="far more than asked"),
    ],
)
def test_answers_of_the_wrong_size_are_refused(
    root: Path, tmp_path: Path, read: Callable[[bytes, int, int], bytes]
) -> None:
    with pytest.raises(SftpError) as caught:
        take(root, Tricks(read=read), tmp_path / "to")
    assert caught.value.code == "sftp.incompatible"


@pytest.mark.timeout(60)
def test_a_server_that_dribbles_is_given_up(root: Path, tmp_path: Path) -> None:
    pause = threading.Event()

    def dribble(got: bytes, offset: int, size: int) -> bytes:
        pause.wait(0.05)
        return got[:1]

    with pytest.raises(SftpError) as caught:
        take(root, Tricks(read=dribble), tmp_path / "to", QUICK)
    assert caught.value.code == "sftp.timeout"


@pytest.mark.timeout(60)
def test_a_server_that_claims_much_earns_no_time_with_it(root: Path, tmp_path: Path) -> None:
    """At the least rate the claim would be worth five hours; what counts is what comes."""
    pause = threading.Event()

    def dribble(got: bytes, offset: int, size: int) -> bytes:
        pause.wait(0.05)
        return b"x"

    limits = Limits(step_seconds=5, transfer_seconds=1)
    with pytest.raises(SftpError) as caught:
        take(root, Tricks(read=dribble, claim=1 << 30), tmp_path / "to", limits)
    assert caught.value.code == "sftp.timeout"


def test_a_server_that_is_slow_and_fast_enough_is_waited_for(root: Path, tmp_path: Path) -> None:
    pause = threading.Event()

    def slowly(got: bytes, offset: int, size: int) -> bytes:
        pause.wait(0.4)
        return got[:20_000]

    limits = Limits(transfer_seconds=0.6, min_rate=20_000)
    assert take(root, Tricks(read=slowly), tmp_path / "to", limits) == b"x" * 100_000


def _replace(path: Path) -> None:
    path.with_name("new").write_bytes(b"y" * 100_000)
    path.with_name("new").replace(path)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.write_bytes(b"y" * 200_000), id="it grows"),
        pytest.param(lambda path: path.write_bytes(b"y"), id="it shrinks"),
        pytest.param(lambda path: os.utime(path, (1, 1)), id="it is written again with the same size"),
        pytest.param(_replace, id="another takes its place"),
        pytest.param(lambda path: path.unlink(), id="it goes away"),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_held(
    root: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = root / "a.csv"
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with pytest.raises(HoldError) as caught:
        take(root, Tricks(on_read=lambda: change(path)), tmp_path / "to")
    assert caught.value.code == "sync.file-changing"
    assert not (tmp_path / "to").exists()


def test_a_connection_cut_while_reading_interrupts(root: Path, tmp_path: Path) -> None:
    tricks = Tricks()
    with HostileServer(root, tricks) as server, connect(target(server)) as session:
        tricks.on_read = lambda: [connection.abort() for connection in list(server._connections)]
        (file,) = session.list_files(".", "a.csv")
        with pytest.raises(SftpError) as caught:
            session.download(".", file, tmp_path / "to")
    assert caught.value.code == "sftp.interrupted"
    assert not (tmp_path / "to").exists()


WEIRD = (
    b"\xc9coles.csv",
    b"../../etc/cron.d/x.csv",
    b"/abs.csv",
    b"line\nbreak.csv",
    b"esc\x1b[31m.csv",
    "right\u202eto-left.csv".encode(),
    "zero\u200bwidth.csv".encode(),
    b"x" * 5_000 + b".csv",
    b"",
    b"nul\x00.csv",
)


def test_weird_names_are_passed_over_and_the_rest_is_listed(root: Path) -> None:
    tricks = Tricks(names=(*WEIRD, "\u00e9coles.csv".encode(), b"a b.csv"))
    with HostileServer(root, tricks) as server, connect(target(server)) as session:
        assert [file.name for file in session.list_files(".", "*")] == ["a b.csv", "a.csv", "\u00e9coles.csv"]
        assert session.file_names(".") == ["a b.csv", "a.csv", "\u00e9coles.csv"]


def test_a_folder_with_too_many_names_is_refused(root: Path) -> None:
    tricks = Tricks(names=tuple(f"{number}.csv".encode() for number in range(500)))
    limits = Limits(max_names=400)
    with (
        HostileServer(root, tricks) as server,
        connect(target(server, limits)) as session,
        pytest.raises(SftpError, match="holds more than 400 entries") as caught,
    ):
        session.list_files(".", "*.csv")
    assert caught.value.code == "sftp.path"


def test_nothing_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SftpError, match="refused the connection") as caught:
        connect(Target("127.0.0.1", port, "u", "p"))
    assert caught.value.code == "sftp.unreachable"
    assert caught.value.retryable


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example", "", "bad\x00name", "-x..y"])
def test_a_name_that_leads_nowhere_is_unreachable(host: str) -> None:
    with pytest.raises(ReconcilerError) as caught:
        connect(Target(host, 1, "u", "p", limits=QUICK))
    assert caught.value.code in ("sftp.unreachable", "sftp.timeout")
