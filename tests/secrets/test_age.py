"""A sealed secret is for one login. Anywhere else, or altered, or from elsewhere, it is refused in words."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.sealed_text import BEGIN, END, NotSealedTextError, ciphertext_of
from reconciler.errors import SecretError
from reconciler.secrets.age import AgeProvider
from reconciler.secrets.age_keys import KeyTextError, identities_of, recipient_of
from reconciler.secrets.context import SecretContext
from reconciler.secrets.sealing import MAX_SECRET_BYTES, seal

CANARY = "hunter2-Canary"
LOGIN = SecretContext("oak", "sftp.oak.example", 22, "roster")
IDENTITY = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()
SEALED = seal(CANARY, LOGIN, [IDENTITY.to_public()])


def open_sealed(text: str, login: SecretContext = LOGIN, identity: str = "") -> str:
    return AgeProvider(identity or str(IDENTITY), None)(text, login)


def refusal(text: str, login: SecretContext = LOGIN, identity: str | None = None) -> SecretError:
    """The error, after checking that it tells no secret and says what to do."""
    provider = AgeProvider(str(IDENTITY) if identity is None else identity, None)
    with pytest.raises(SecretError) as caught:
        provider(text, login)
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert CANARY not in told
    assert "AGE-SECRET-KEY-1Q" not in told
    assert not text[40:80] or text[40:80] not in told
    assert caught.value.hint
    return caught.value


def age_file(plain: bytes) -> str:
    return base64.b64encode(pyrage.encrypt(plain, [IDENTITY.to_public()])).decode()


@pytest.mark.parametrize(
    "written",
    [
        SEALED,
        SEALED.strip(),
        SEALED.replace("\n", "\r\n"),
        SEALED.replace("\n", " "),
        "".join(SEALED.splitlines()[1:-1]),
        "\n".join(SEALED.splitlines()[1:-1]),
        "".join(SEALED.splitlines()[1:-1]).rstrip("="),
        base64.urlsafe_b64encode(ciphertext_of(SEALED)).decode(),
        "password:\n  age: |\n" + "".join(f"    {line}\n" for line in SEALED.splitlines()),
    ],
    ids=[
        "armored", "without the last line break", "CRLF", "folded by YAML", "base64 in one line",
        "base64 in lines", "without padding", "URL-safe base64", "the whole snippet",
    ],
)  # fmt: skip
def test_a_sealed_text_is_read_however_yaml_has_laid_it_out(written: str) -> None:
    assert open_sealed(written) == CANARY


@pytest.mark.parametrize(
    "login",
    [LOGIN, replace(LOGIN, host="SFTP.Oak.Example"), replace(LOGIN, host="sftp.oak.example.")],
    ids=["as sealed", "in another case", "with a dot at its end"],
)
def test_it_opens_for_its_login(login: SecretContext) -> None:
    assert open_sealed(SEALED, login) == CANARY
    assert open_sealed(seal(CANARY, login, [IDENTITY.to_public()]), LOGIN) == CANARY


@pytest.mark.parametrize(
    ("login", "named"),
    [
        (replace(LOGIN, district="elm"), "district"),
        (replace(LOGIN, host="sftp.evil.example"), "sftp.host"),
        (replace(LOGIN, host="sftp.oak.example.evil.example"), "sftp.host"),
        (replace(LOGIN, host="sftp.oak.examp1e"), "sftp.host"),
        (replace(LOGIN, port=2222), "sftp.port"),
        (replace(LOGIN, username="Roster"), "sftp.username"),
        (replace(LOGIN, host="x.example", port=1, username="y"), "sftp.host and sftp.port and sftp.username"),
    ],
    ids=["district", "host", "host's end", "host's look", "port", "user", "several"],
)
def test_it_opens_for_no_other_login(login: SecretContext, named: str) -> None:
    error = refusal(SEALED, login)
    assert error.code == "secret.bound"
    assert f": {named} differ" in error.message


@pytest.mark.parametrize(
    "plain",
    [
        CANARY.encode(),
        b"{}",
        b"[1]",
        b"\xff\x00",
        b"[" * 5000,
        json.dumps({"district": "oak", "secret": CANARY}).encode(),
        json.dumps({"reconciler": True, "district": "oak", "host": "sftp.oak.example", "port": 22,
                    "username": "roster", "secret": CANARY}).encode(),
        json.dumps({"reconciler": 1, "district": "oak", "host": "sftp.oak.example", "port": "22",
                    "username": "roster", "secret": CANARY}).encode(),
    ],
    ids=["a bare secret", "empty", "a list", "bytes", "deep", "no login", "no version", "a port as text"],
)  # fmt: skip
def test_what_age_alone_has_encrypted_is_bound_to_nothing_and_refused(plain: bytes) -> None:
    error = refusal(age_file(plain))
    assert error.code == "secret.bound"
    assert "reconciler seal" in error.hint


def _flipped(at: int) -> str:
    data = bytearray(ciphertext_of(SEALED))
    data[at] ^= 1
    return base64.b64encode(bytes(data)).decode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (base64.b64encode(ciphertext_of(SEALED)[:-5]).decode(), "cut off or altered"),
        (base64.b64encode(ciphertext_of(SEALED)[:50]).decode(), "cut off or altered"),
        (_flipped(-1), "cut off or altered"),
        (SEALED.replace(END, ""), "the last line of the armor is missing"),
        (SEALED.replace(BEGIN, ""), "the first line of the armor is missing"),
        ("hunter2!", "neither armored nor base64"),
        ("aHVudGVyMg==", "is not an age file"),
        ("A" * 40_000, "is longer than 32 KiB"),
        (age_file(json.dumps({"reconciler": 2, "district": "oak", "host": "h", "port": 22, "username": "r",
                              "secret": CANARY}).encode()), "a newer version"),
    ],
    ids=["end cut off", "head cut off", "altered", "no end", "no begin", "plain text", "base64 of other",
         "too long", "newer"],
)  # fmt: skip
def test_a_text_that_is_damaged_says_how(text: str, says: str) -> None:
    error = refusal(text)
    assert error.code == "secret.missing"
    assert says in error.message


def test_the_wrong_identity_is_told_apart_from_damage() -> None:
    error = refusal(SEALED, identity=str(OTHER))
    assert error.code == "secret.missing"
    assert "none of the identities" in error.message


def test_without_an_identity_it_says_where_one_is_looked_for() -> None:
    error = refusal(SEALED, identity="")
    assert error.code == "secret.missing"
    assert "RECONCILER_AGE_IDENTITY" in error.hint


def test_one_of_several_identities_is_enough() -> None:
    lines = f"# created: 2027-01-01\n# public key: age1…\n{OTHER}\n\n  {IDENTITY}  \n"
    assert open_sealed(SEALED, identity=lines) == CANARY


def test_each_of_several_recipients_opens_it() -> None:
    sealed = seal(CANARY, LOGIN, [IDENTITY.to_public(), OTHER.to_public()])
    assert {open_sealed(sealed, identity=str(who)) for who in (IDENTITY, OTHER)} == {CANARY}


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys_serve_as_recipient_and_identity(tmp_path: Path, kind: str) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(key)], check=True)
    sealed = seal(CANARY, LOGIN, [recipient_of(key.with_suffix(".pub").read_text())])
    assert open_sealed(sealed, identity=key.read_text()) == CANARY
    assert AgeProvider("", key)(sealed, LOGIN) == CANARY


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o644, True)])
def test_an_identity_file_that_others_can_read_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    file = tmp_path / "identity"
    file.write_text(f"{IDENTITY}\n")
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        assert AgeProvider("", file)(SEALED, LOGIN) == CANARY
    assert ("chmod 600" in caplog.text) == warned
    assert str(IDENTITY) not in caplog.text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hunter2-Canary\n", "line 1 is no age identity"),
        (b"\n# x\nAGE-SECRET-KEY-1QQQ\n", "line 3 is no age identity"),
        (str(IDENTITY.to_public()).encode(), "a recipient, not an identity"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2-Canary\n", "the SSH key cannot be read"),
        (b"\xff\xfe", "is not text"),
        (None, "cannot be read: no such file"),
    ],
    ids=["other text", "a broken key", "a recipient", "a broken SSH key", "bytes", "no file"],
)
def test_an_identity_file_that_is_none_says_where(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "identity"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)
    with pytest.raises(SecretError) as caught:
        AgeProvider("", file)(SEALED, LOGIN)
    assert caught.value.code == "secret.missing"
    assert says in caught.value.message
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (str(IDENTITY), "private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("age1qqqq", "not a whole recipient"),
        ("ssh-ed25519 AAAA", "not a whole recipient"),
        ("hunter2-Canary", "is no recipient"),
        ("", "is no recipient"),
    ],
    ids=["an identity", "an SSH key", "cut off", "an SSH key cut off", "other text", "nothing"],
)
def test_what_is_no_recipient_is_not_repeated(text: str, says: str) -> None:
    with pytest.raises(KeyTextError, match=says) as caught:
        recipient_of(text)
    assert CANARY not in str(caught.value)
    assert str(IDENTITY) not in str(caught.value)


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=40))
def test_every_secret_comes_out_as_it_went_in(secret: str, username: str) -> None:
    if len(secret.encode("utf-8", "ignore")) != len(secret.encode("utf-8", "replace")):
        return
    login = replace(LOGIN, username=username)
    assert open_sealed(seal(secret, login, [IDENTITY.to_public()]), login) == secret


def test_the_length_of_a_ciphertext_does_not_tell_the_length_of_a_password() -> None:
    """age adds a random line of its own to each file, so only the part after it is looked at."""
    lengths = {len(ciphertext_of(seal("x" * n, LOGIN, [IDENTITY.to_public()])).rpartition(b"\n--- ")[2])
               for n in (1, 8, 20, 60)}  # fmt: skip
    assert max(lengths) - min(lengths) < 8


@pytest.mark.parametrize("secret", ["", "x" * (MAX_SECRET_BYTES + 1)], ids=["empty", "too large"])
def test_nothing_is_not_sealed_and_neither_is_a_file(secret: str) -> None:
    with pytest.raises(ValueError, match="bytes"):
        seal(secret, LOGIN, [IDENTITY.to_public()])


def test_the_largest_secret_fits_into_a_districts_file() -> None:
    recipients = [pyrage.x25519.Identity.generate().to_public() for _ in range(10)]
    assert open_sealed_size(recipients) < 32 * 1024


def open_sealed_size(recipients: list[Any]) -> int:
    return len(seal("x" * MAX_SECRET_BYTES, LOGIN, recipients))


@given(st.text(max_size=200))
def test_no_text_is_taken_for_an_age_file_that_is_none(text: str) -> None:
    with pytest.raises(NotSealedTextError):
        ciphertext_of(text)


@given(st.text(max_size=100))
def test_no_text_is_taken_for_an_identity_that_is_none(text: str) -> None:
    try:
        found = identities_of(text)
    except KeyTextError:
        return
    assert found == []
