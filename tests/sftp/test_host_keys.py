"""A server proves to be the pinned one before it learns anything secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import SftpError
from reconciler.sftp import HostKeyError, Target, connect
from reconciler.sftp.hostkey import parse
from tests.servers import SftpSite, Sshd, sftp_site

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9h0o5Zx3o0wKq1mYd8X0c8gq5mQwU0Jr0m8q3mJ0aB"
OTHER_FINGERPRINT = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpSite]:
    """A server with a key of each type."""
    site = sftp_site(tmp_path_factory.mktemp("root"), key_types=TYPES)
    yield site
    site.server.stop()


@pytest.fixture
def target(site: SftpSite) -> Target:
    site.watched.seen.clear()
    return Target(site.host, site.port, site.username, site.password)


@pytest.mark.parametrize("index", range(3), ids=TYPES)
@pytest.mark.parametrize("form", ["fingerprint", "padded", "public key", "public key with a comment"])
def test_a_pin_of_any_form_admits_its_key_even_when_the_server_prefers_another(
    site: SftpSite, target: Target, index: int, form: str
) -> None:
    key, fingerprint = site.server.host_keys[index], site.server.fingerprints[index]
    pin = {
        "fingerprint": fingerprint,
        "padded": f"{fingerprint}=",
        "public key": key,
        "public key with a comment": f"{key} root@district",
    }[form]
    with connect(replace(target, pins=(pin,))) as session:
        assert session.host_key == key
        assert session.fingerprint == fingerprint
    assert site.watched.count("password") == 1


def test_one_matching_pin_among_several_is_enough(site: SftpSite, target: Target) -> None:
    pins = (OTHER_FINGERPRINT, OTHER_KEY, site.server.fingerprints[2])
    with connect(replace(target, pins=pins)) as session:
        assert session.host_key == site.server.host_keys[2]


WRONG_PINS = {
    "another fingerprint": (OTHER_FINGERPRINT,),
    "another public key": (OTHER_KEY,),
    "both": (OTHER_KEY, OTHER_FINGERPRINT),
    "an empty fingerprint": ("SHA256:",),
    "a type alone": ("ssh-ed25519",),
    "nothing": ("",),
}


@pytest.mark.parametrize(
    ("pins", "accept_first"),
    [
        pytest.param((), False, id="no pin at all"),
        *(pytest.param(pins, False, id=name) for name, pins in WRONG_PINS.items()),
        *(pytest.param(pins, True, id=f"{name}, first-use") for name, pins in WRONG_PINS.items()),
    ],
)
def test_a_key_that_no_pin_names_gets_no_login(
    site: SftpSite, target: Target, pins: tuple[str, ...], accept_first: bool
) -> None:
    with pytest.raises(HostKeyError) as caught:
        connect(replace(target, pins=pins, accept_first=accept_first))
    assert caught.value.code == "sftp.host-key"
    assert not caught.value.retryable
    assert site.watched.seen == []


def test_a_mismatch_shows_both_fingerprints(site: SftpSite, target: Target) -> None:
    with pytest.raises(HostKeyError) as caught:
        connect(replace(target, pins=(OTHER_KEY,)))
    pinned = parse(OTHER_KEY)
    assert pinned is not None
    assert site.server.fingerprints[0] in caught.value.message
    assert pinned.fingerprint in caught.value.message
    assert caught.value.host_key_seen == site.server.host_keys[0]
    assert caught.value.fingerprint_seen == site.server.fingerprints[0]


def test_without_a_pin_the_error_says_what_to_verify_and_to_write(site: SftpSite, target: Target) -> None:
    with pytest.raises(HostKeyError) as caught:
        connect(target)
    assert f"ssh-ed25519 {site.server.fingerprint}" in caught.value.message
    assert f"host_key: {site.server.fingerprint}" in caught.value.hint
    assert "verify" in caught.value.hint


def test_first_use_takes_the_key_shown_and_tells_it(site: SftpSite, target: Target) -> None:
    with connect(replace(target, accept_first=True)) as session:
        assert session.host_key == site.server.host_key


def test_the_key_is_the_one_that_ssh_keygen_prints(sshd: Sshd, tmp_path: Path) -> None:
    target = Target(sshd.host, sshd.port, sshd.username, private_key=sshd.private_key, accept_first=True)
    with connect(target) as session:
        assert session.host_key == sshd.host_key
        assert session.fingerprint in sshd.fingerprints()


@pytest.mark.parametrize("index", range(3), ids=["ed25519", "ecdsa", "rsa"])
def test_openssh_shows_the_key_of_the_pinned_type(sshd: Sshd, index: int) -> None:
    pins = (sshd.fingerprints()[index],)
    target = Target(sshd.host, sshd.port, sshd.username, private_key=sshd.private_key, pins=pins)
    with connect(target) as session:
        assert session.host_key == sshd.host_keys[index]


@pytest.mark.parametrize(
    "option",
    [
        pytest.param("HostKeyAlgorithms ssh-rsa", id="SHA-1 host keys only"),
        pytest.param("KexAlgorithms diffie-hellman-group14-sha1", id="SHA-1 key exchange only"),
        pytest.param("Ciphers aes128-cbc,aes256-cbc", id="CBC only"),
        pytest.param("MACs hmac-sha1", id="SHA-1 message digests only"),
    ],
)
def test_a_server_too_old_to_be_safe_is_named_as_such(sshd: Sshd, tmp_path: Path, option: str) -> None:
    with Sshd(tmp_path, tmp_path, option) as old, pytest.raises(SftpError) as caught:
        connect(Target(old.host, old.port, old.username, private_key=old.private_key, accept_first=True))
    assert caught.value.code == "sftp.incompatible"
    assert "no longer safe" in caught.value.message
    assert not caught.value.retryable
