"""The throwaway server: each account sees its own folder and nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reconciler.demo.server import Account, LocalSftpServer
from reconciler.errors import SftpError
from reconciler.sftp import Target, connect


@pytest.fixture
def accounts(tmp_path: Path) -> dict[str, Account]:
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.csv").write_text("x")
    return {name: Account(tmp_path / name, password=f"{name}-password") for name in ("north", "south")}


def seen(server: LocalSftpServer, name: str, path: str) -> list[str]:
    target = Target("127.0.0.1", server.port, name, f"{name}-password", pins=(server.fingerprint,))
    with connect(target) as session:
        return [file.name for file in session.list_files(path, "*")]


@pytest.mark.parametrize("path", [".", "/", "..", "/../.."])
@pytest.mark.parametrize("name", ["north", "south"])
def test_an_account_sees_its_folder_and_cannot_leave_it(
    accounts: dict[str, Account], name: str, path: str
) -> None:
    with LocalSftpServer(accounts) as server:
        assert seen(server, name, path) == [f"{name}.csv"]


def test_the_password_of_one_account_opens_no_other(accounts: dict[str, Account]) -> None:
    with LocalSftpServer(accounts) as server, pytest.raises(SftpError) as caught:
        connect(Target("127.0.0.1", server.port, "north", "south-password", pins=(server.host_key,)))
    assert caught.value.code == "sftp.auth"


def test_a_stopped_server_leaves_no_thread_and_stops_again(accounts: dict[str, Account]) -> None:
    before = set(threading.enumerate())
    with LocalSftpServer(accounts) as server:
        seen(server, "north", ".")
    server.stop()
    assert set(threading.enumerate()) == before
    with pytest.raises(SftpError, match="refused the connection"):
        seen(server, "north", ".")


def test_an_accounts_password_is_not_shown(accounts: dict[str, Account]) -> None:
    assert "north-password" not in repr(accounts)
