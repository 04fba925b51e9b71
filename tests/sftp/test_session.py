"""A session lists the roster files and brings them home whole, from either kind of server."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from reconciler.errors import HoldError, SftpError
from reconciler.roster.delta import RemoteFile
from reconciler.sftp import Session, Target, connect
from tests.servers import SftpSite, Sshd


def of(server: SftpSite | Sshd) -> Target:
    if isinstance(server, Sshd):
        return Target(
            server.host,
            server.port,
            server.username,
            private_key=server.private_key,
            pins=(server.host_key,),
        )
    return Target(server.host, server.port, server.username, server.password, pins=(server.fingerprint,))


@pytest.fixture(params=["sftp_server", "sshd"], ids=["asyncssh", "OpenSSH"])
def server(request: pytest.FixtureRequest) -> SftpSite | Sshd:
    found: SftpSite | Sshd = request.getfixturevalue(request.param)
    return found


def names(session: Session, pattern: str, path: str = ".") -> list[str]:
    return [file.name for file in session.list_files(path, pattern)]


def test_a_listing_tells_name_size_and_time_of_each_matching_file_in_order(server: SftpSite | Sshd) -> None:
    for name, size in {"students.csv": 30, "contacts.csv": 20, "readme.txt": 10}.items():
        (server.root / name).write_bytes(b"x" * size)
        os.utime(server.root / name, (1_700_000_000, 1_700_000_000 + size))
    with connect(of(server)) as session:
        assert session.list_files(".", "*.csv") == [
            RemoteFile("contacts.csv", 20, 1_700_000_020),
            RemoteFile("students.csv", 30, 1_700_000_030),
        ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("*.csv", ["Students.CSV", "contacts.csv"], id="case is ignored"),
        pytest.param("STUDENTS*", ["Students.CSV"], id="in the pattern too"),
        pytest.param("*", ["Students.CSV", "contacts.csv", "link.txt"], id="links to files are followed"),
        pytest.param(".*", [".hidden.csv"], id="hidden files when they are named"),
        pytest.param("*.part", ["contacts.csv.part"], id="unfinished files when they are named"),
        pytest.param("[sc]*.csv", ["Students.CSV", "contacts.csv"], id="sets of characters"),
        pytest.param("*.zip", [], id="nothing is no error"),
    ],
)
def test_only_whole_visible_regular_files_match(
    server: SftpSite | Sshd, pattern: str, expected: list[str]
) -> None:
    for name in (
        "Students.CSV",
        "contacts.csv",
        ".hidden.csv",
        "contacts.csv.part",
        "x.csv.tmp",
        "y.filepart",
    ):
        (server.root / name).write_bytes(b"x")
    (server.root / "folder.csv").mkdir()
    os.mkfifo(server.root / "pipe.csv")
    (server.root / "link.txt").symlink_to("contacts.csv")
    (server.root / "loop.csv").symlink_to("loop.csv")
    (server.root / "nowhere.csv").symlink_to("not-there")
    with connect(of(server)) as session:
        assert names(session, pattern) == expected


@pytest.mark.parametrize("size", [0, 1, 32_768, 32_769, 3_000_001], ids=lambda size: f"{size} bytes")
def test_a_download_brings_every_byte_and_its_digest(
    server: SftpSite | Sshd, tmp_path: Path, size: int
) -> None:
    data = os.urandom(size)
    (server.root / "in").mkdir()
    (server.root / "in" / "students.csv").write_bytes(data)
    to = tmp_path / "local.csv"
    with connect(of(server)) as session:
        (file,) = session.list_files("in", "*.csv")
        digest = session.download("in", file, to)
    assert to.read_bytes() == data
    assert digest == hashlib.sha256(data).hexdigest()


def test_a_downloaded_file_is_private_and_leaves_nothing_beside_it(
    sftp_server: SftpSite, tmp_path: Path
) -> None:
    (sftp_server.root / "a.csv").write_bytes(b"x")
    folder = tmp_path / "local"
    folder.mkdir()
    with connect(of(sftp_server)) as session:
        session.download(".", session.list_files(".", "*.csv")[0], folder / "a.csv")
    assert [path.name for path in folder.iterdir()] == ["a.csv"]
    assert (folder / "a.csv").stat().st_mode & 0o777 == 0o600


def test_several_downloads_share_a_session(server: SftpSite | Sshd, tmp_path: Path) -> None:
    contents = {f"{number}.csv": os.urandom(100_000) for number in range(4)}
    for name, data in contents.items():
        (server.root / name).write_bytes(data)
    with connect(of(server)) as session:
        for file in session.list_files(".", "*.csv"):
            session.download(".", file, tmp_path / file.name)
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents


def test_a_missing_folder_is_named_with_what_is_there_instead(server: SftpSite | Sshd) -> None:
    (server.root / "exports").mkdir()
    with connect(of(server)) as session, pytest.raises(SftpError) as caught:
        session.list_files("uploads", "*.csv")
    assert caught.value.code == "sftp.path"
    assert "uploads" in caught.value.message
    assert "does not exist" in caught.value.message
    assert "exports/" in caught.value.hint


def test_a_file_in_place_of_the_folder_is_told_apart(server: SftpSite | Sshd) -> None:
    (server.root / "students.csv").write_bytes(b"x")
    with connect(of(server)) as session, pytest.raises(SftpError, match="is not a folder") as caught:
        session.list_files("students.csv", "*.csv")
    assert caught.value.code == "sftp.path"


def test_the_session_lives_on_after_a_missing_folder(server: SftpSite | Sshd) -> None:
    (server.root / "a.csv").write_bytes(b"x")
    with connect(of(server)) as session:
        with pytest.raises(SftpError):
            session.list_files("uploads", "*.csv")
        assert names(session, "*.csv") == ["a.csv"]


def test_no_matching_file_is_reported_with_the_files_that_are_there(sftp_server: SftpSite) -> None:
    for number in range(7):
        (sftp_server.root / f"{number}.txt").write_bytes(b"x")
    with connect(of(sftp_server)) as session:
        error = session.no_files("/", "*.csv")
    assert error.code == "sftp.no-files"
    assert "7 other files are there (0.txt, 1.txt, 2.txt, 3.txt, 4.txt, … 2 more)" in error.message


def test_a_file_that_grew_since_it_was_listed_is_held(server: SftpSite | Sshd, tmp_path: Path) -> None:
    (server.root / "a.csv").write_bytes(b"x")
    with connect(of(server)) as session:
        (file,) = session.list_files(".", "*.csv")
        (server.root / "a.csv").write_bytes(b"xx")
        with pytest.raises(HoldError) as caught:
            session.download(".", file, tmp_path / "a.csv")
    assert caught.value.code == "sync.file-changing"
    assert not (tmp_path / "a.csv").exists()


def test_a_file_that_went_away_since_it_was_listed_is_held(server: SftpSite | Sshd, tmp_path: Path) -> None:
    (server.root / "a.csv").write_bytes(b"x")
    with connect(of(server)) as session:
        (file,) = session.list_files(".", "*.csv")
        (server.root / "a.csv").unlink()
        with pytest.raises(HoldError, match="is gone"):
            session.download(".", file, tmp_path / "a.csv")


def test_a_folder_in_place_of_the_file_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    (sshd.root / "a.csv").mkdir()
    with connect(of(sshd)) as session, pytest.raises(SftpError, match="is not a regular file"):
        session.download(".", RemoteFile("a.csv", 1, 1), tmp_path / "a.csv")


def test_a_local_folder_that_is_not_there_is_told_apart_from_the_server(
    sftp_server: SftpSite, tmp_path: Path
) -> None:
    (sftp_server.root / "a.csv").write_bytes(b"x")
    with connect(of(sftp_server)) as session:
        (file,) = session.list_files(".", "*.csv")
        with pytest.raises(SftpError) as caught:
            session.download(".", file, tmp_path / "missing" / "a.csv")
    assert caught.value.code == "sftp.local-file"


def test_a_closed_session_says_so_and_may_be_closed_again(sftp_server: SftpSite) -> None:
    session = connect(of(sftp_server))
    session.close()
    session.close()
    with pytest.raises(SftpError) as caught:
        session.list_files(".", "*.csv")
    assert caught.value.code == "sftp.interrupted"


def test_a_server_that_stops_midway_interrupts_the_session(sftp_server: SftpSite) -> None:
    with connect(of(sftp_server)) as session:
        sftp_server.server.stop()
        with pytest.raises(SftpError) as caught:
            session.list_files(".", "*.csv")
    assert caught.value.code == "sftp.interrupted"
    assert caught.value.retryable
