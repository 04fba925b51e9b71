"""One credential, offered once, to a server that is known."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.demo.server import Account, LocalSftpServer
from reconciler.errors import SftpError
from reconciler.sftp import Target, connect
from reconciler.sftp.login import load_key
from tests.servers import PASSWORD, SftpSite, Sshd, Watched, keygen

PASSPHRASE = "tr0ub4dor-Canary"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {
        "ed25519": keygen(folder / "ed25519"),
        "ecdsa": keygen(folder / "ecdsa", "ecdsa"),
        "rsa": keygen(folder / "rsa", "rsa", "", "-b", "2048"),
        "rsa in PKCS#8 form": keygen(folder / "rsa_pkcs8", "rsa", "", "-b", "2048", "-m", "PKCS8"),
        "rsa in PEM form": keygen(folder / "rsa_pem", "rsa", "", "-b", "2048", "-m", "PEM"),
        "ed25519 with passphrase": keygen(folder / "ed25519_locked", "ed25519", PASSPHRASE, "-a", "2"),
        "rsa with passphrase in PEM form": keygen(
            folder / "rsa_locked", "rsa", PASSPHRASE, "-b", "2048", "-m", "PEM"
        ),
    }


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def server(tmp_path: Path, keys: dict[str, Path], watched: Watched) -> Iterator[LocalSftpServer]:
    """An account for each key, named as the key, and nothing but keys."""
    accounts = {
        name: Account(tmp_path, authorized_key=Path(f"{path}.pub").read_text()) for name, path in keys.items()
    }
    with LocalSftpServer(accounts, observer=watched) as server:
        yield server


def of(server: LocalSftpServer, username: str, key: Path | None, passphrase: str | None = None) -> Target:
    return Target(
        "127.0.0.1",
        server.port,
        username,
        password=None if key else PASSWORD,
        private_key=key.read_text() if key else None,
        passphrase=passphrase,
        pins=(server.host_key,),
    )


KINDS = (
    "ed25519",
    "ecdsa",
    "rsa",
    "rsa in PEM form",
    "rsa in PKCS#8 form",
    "ed25519 with passphrase",
    "rsa with passphrase in PEM form",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_key_of_each_kind_logs_in(
    server: LocalSftpServer, keys: dict[str, Path], kind: str
) -> None:
    passphrase = PASSPHRASE if "passphrase" in kind else None
    with connect(of(server, kind, keys[kind], passphrase)) as session:
        assert session.list_files(".", "*.nothing") == []


def test_a_key_without_a_comment_is_read_whatever_its_length(tmp_path: Path) -> None:
    """Half of them end without padding, by the length of their numbers, and are keys nevertheless."""
    texts = [keygen(tmp_path / str(number), "ecdsa").read_text() for number in range(12)]
    keys = [load_key(Target("h", 22, "u", private_key=text)) for text in texts]
    assert {key.get_name() for key in keys if key is not None} == {"ecdsa-sha2-nistp256"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "passphrase" in kind])
@pytest.mark.parametrize(
    ("passphrase", "says"),
    [
        pytest.param(None, "is encrypted", id="no passphrase"),
        pytest.param("wrong", "passphrase is wrong", id="wrong passphrase"),
    ],
)
def test_a_locked_key_stops_before_the_network(
    server: LocalSftpServer,
    keys: dict[str, Path],
    watched: Watched,
    kind: str,
    passphrase: str | None,
    says: str,
) -> None:
    with pytest.raises(SftpError, match=says) as caught:
        connect(of(server, kind, keys[kind], passphrase))
    assert caught.value.code == "sftp.auth"
    assert watched.seen == []


@pytest.mark.parametrize(
    "text",
    ["", "not a key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"],
    ids=["empty", "some text", "damaged"],
)
def test_a_key_that_is_none_stops_before_the_network(
    server: LocalSftpServer, keys: dict[str, Path], watched: Watched, text: str
) -> None:
    with pytest.raises(SftpError, match="cannot be read") as caught:
        connect(replace(of(server, "rsa", keys["rsa"]), private_key=text))
    assert caught.value.code == "sftp.auth"
    assert watched.seen == []


def test_a_key_that_the_server_does_not_know_is_refused(
    server: LocalSftpServer, keys: dict[str, Path]
) -> None:
    with pytest.raises(SftpError, match="refused the login of 'rsa' with a private key") as caught:
        connect(of(server, "rsa", keys["ed25519"]))
    assert caught.value.code == "sftp.auth"
    assert not caught.value.retryable


def test_openssh_refuses_a_key_that_it_does_not_know(sshd: Sshd, keys: dict[str, Path]) -> None:
    key = keys["ed25519"].read_text()
    with pytest.raises(SftpError) as caught:
        connect(Target(sshd.host, sshd.port, sshd.username, private_key=key, pins=(sshd.host_key,)))
    assert caught.value.code == "sftp.auth"


def test_a_second_factor_is_asked_of_nobody(sshd: Sshd, tmp_path: Path) -> None:
    options = ("AuthenticationMethods publickey,password", "PasswordAuthentication yes")
    with Sshd(tmp_path, tmp_path, *options) as strict, pytest.raises(SftpError) as caught:
        connect(
            Target(
                strict.host,
                strict.port,
                strict.username,
                private_key=strict.private_key,
                pins=(strict.host_key,),
            )
        )
    assert caught.value.code == "sftp.auth"
    assert "took the first factor and asks for a second one: password" in caught.value.message


def test_a_server_without_passwords_says_what_it_takes(server: LocalSftpServer, watched: Watched) -> None:
    with pytest.raises(SftpError, match="with a password; it offers publickey") as caught:
        connect(of(server, "rsa", None))
    assert caught.value.code == "sftp.auth"
    assert watched.count("password") == 0


def test_a_wrong_password_is_offered_once_and_not_again(sftp_server: SftpSite) -> None:
    target = Target(
        sftp_server.host, sftp_server.port, sftp_server.username, "wrong", pins=(sftp_server.host_key,)
    )
    with pytest.raises(SftpError, match="refused the login of 'roster' with a password") as caught:
        connect(target)
    assert caught.value.code == "sftp.auth"
    assert not caught.value.retryable
    assert sftp_server.watched.count("password") == 1


def test_no_key_is_offered_where_a_password_is_configured(
    sftp_server: SftpSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    keygen(tmp_path / ".ssh" / "id_ed25519")
    monkeypatch.setenv("HOME", str(tmp_path))
    target = Target(
        sftp_server.host, sftp_server.port, sftp_server.username, PASSWORD, pins=(sftp_server.host_key,)
    )
    connect(target).close()
    assert sftp_server.watched.count("key") == 0
    assert sftp_server.watched.count("password") == 1


@pytest.mark.parametrize("password", [PASSWORD, "Canary-wrong-51"], ids=["accepted", "refused"])
@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING], ids=["debug", "warning"])
def test_no_secret_appears_in_text_logs_or_errors(
    sftp_server: SftpSite, caplog: pytest.LogCaptureFixture, password: str, level: int
) -> None:
    caplog.set_level(level)
    target = Target(
        sftp_server.host, sftp_server.port, sftp_server.username, password, pins=(sftp_server.host_key,)
    )
    told = [repr(target), str(target)]
    try:
        connect(target).close()
    except SftpError as error:
        told += [str(error), repr(error), str(error.to_json()), "".join(traceback.format_exception(error))]
    assert password not in "".join([*told, caplog.text])
    assert bool(caplog.text) == (level == logging.DEBUG)


def test_a_key_and_its_passphrase_stay_out_of_text(keys: dict[str, Path]) -> None:
    text = keys["ed25519 with passphrase"].read_text()
    target = Target("h", 22, "u", private_key=text, passphrase="wrong-Canary-77")
    with pytest.raises(SftpError) as caught:
        connect(target)
    told = f"{target!r}{target}" + "".join(traceback.format_exception(caught.value))
    assert "Canary" not in told
    assert text.splitlines()[2] not in told
