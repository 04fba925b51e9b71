"""What is asked of a server that nobody knows yet: its key, and the beginnings of its files."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from reconciler.errors import HoldError, SftpError
from reconciler.roster.delta import RemoteFile
from reconciler.sftp import Session, Target, connect
from reconciler.sftp.probe import host_key_of
from tests.servers import SftpSite, Sshd, sftp_site


@pytest.fixture(params=["sftp_server", "sshd"], ids=["asyncssh", "OpenSSH"])
def server(request: pytest.FixtureRequest) -> SftpSite | Sshd:
    found: SftpSite | Sshd = request.getfixturevalue(request.param)
    return found


def session(server: SftpSite | Sshd) -> Session:
    pin = str(host_key_of(server.host, server.port)[0])
    if isinstance(server, Sshd):
        key = server.private_key
        return connect(Target(server.host, server.port, server.username, private_key=key, pins=(pin,)))
    return connect(Target(server.host, server.port, server.username, server.password, pins=(pin,)))


def test_the_key_that_is_shown_is_the_one_that_is_pinned_later(server: SftpSite | Sshd) -> None:
    key, is_accepted = host_key_of(server.host, server.port)
    assert not is_accepted, "nobody has accepted it"
    assert (key.type, key.fingerprint[:7]) == ("ssh-ed25519", "SHA256:")
    with session(server) as opened:
        assert opened.host_key == str(key)


def test_of_several_keys_the_accepted_one_is_asked_for(tmp_path: Path) -> None:
    site = sftp_site(tmp_path, key_types=("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"))
    try:
        for fingerprint in site.server.fingerprints:
            key, is_accepted = host_key_of(site.host, site.port, fingerprint)
            assert (key.fingerprint, is_accepted) == (fingerprint, True)
        key, is_accepted = host_key_of(site.host, site.port, "SHA256:" + "A" * 43)
        assert (key.fingerprint, is_accepted) == (site.server.fingerprints[0], False)
        assert site.watched.seen == [], "nobody logged in"
    finally:
        site.server.stop()


def test_a_server_that_is_not_there_is_told(sftp_server: SftpSite) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SftpError) as refused:
            host_key_of("127.0.0.1", taken.getsockname()[1])
    assert refused.value.code == "sftp.unreachable"


@pytest.mark.parametrize("size", [0, 10, 65_536, 3_000_000])
def test_of_a_file_no_more_than_its_beginning_is_read(server: SftpSite | Sshd, size: int) -> None:
    data = os.urandom(size)
    (server.root / "students.csv").write_bytes(data)
    with session(server) as opened:
        (file,) = opened.list_files(".", "*.csv")
        assert opened.peek(".", file, 65_536) == data[:65_536]
        assert opened.peek(".", file, 65_536) == data[:65_536], "the session lives on"


@pytest.mark.parametrize(
    ("there", "expected"),
    [(None, HoldError), (b"longer than before", HoldError)],
    ids=["a file that is gone", "a file that has grown"],
)
def test_what_is_not_as_it_was_listed_is_not_read(
    sftp_server: SftpSite, there: bytes | None, expected: type[Exception]
) -> None:
    if there is not None:
        (sftp_server.root / "students.csv").write_bytes(there)
    with session(sftp_server) as opened, pytest.raises(expected):
        opened.peek(".", RemoteFile("students.csv", 5, 0), 100)
