"""On a pull request a secret goes only where it went before, unless it is sealed or somebody says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.config.district import SecretRef
from reconciler.secrets.context import SecretContext
from reconciler.secrets.trust import may_send

LOGIN = SecretContext("oak", "sftp.oak.example", 22, "roster")
OPEN = [
    SecretRef("env", "SFTP_OAK_PASSWORD"),
    SecretRef("file", "/run/secrets/oak"),
    SecretRef("vault", "secret/oak#password"),
]
SEALED = SecretRef("age", "YWdl")
MOVED = {
    "host": replace(LOGIN, host="sftp.evil.example"),
    "port": replace(LOGIN, port=2222),
    "username": replace(LOGIN, username="admin"),
    "longer host": replace(LOGIN, host="sftp.oak.example.evil.example"),
}


@pytest.mark.parametrize("ref", [*OPEN, SEALED], ids=str)
def test_a_secret_may_go_to_the_login_on_record(ref: SecretRef) -> None:
    assert may_send(ref, LOGIN, LOGIN, ()) is None


@pytest.mark.parametrize("host", ["SFTP.Oak.Example", "sftp.oak.example."], ids=["other case", "a dot"])
def test_another_spelling_of_a_host_is_the_same_host(host: str) -> None:
    assert may_send(OPEN[0], replace(LOGIN, host=host), LOGIN, ()) is None


@pytest.mark.parametrize("ref", OPEN, ids=lambda r: r.provider)
@pytest.mark.parametrize("login", MOVED.values(), ids=MOVED)
def test_a_login_that_differs_from_the_one_on_record_gets_none(ref: SecretRef, login: SecretContext) -> None:
    refused = may_send(ref, login, LOGIN, ())
    assert refused is not None
    assert refused.code == "secret.bound"
    assert "reconciler seal" in refused.hint


@pytest.mark.parametrize("ref", OPEN, ids=lambda r: r.provider)
def test_a_new_district_gets_none_at_first(ref: SecretRef) -> None:
    refused = may_send(ref, LOGIN, None, ["sftp.elm.example"])
    assert refused is not None
    assert "no connection on record" in refused.message


@pytest.mark.parametrize("login", MOVED.values(), ids=MOVED)
@pytest.mark.parametrize("on_record", [None, LOGIN], ids=["new", "known"])
@pytest.mark.parametrize(
    ("ref", "hosts", "trust"),
    [(SEALED, (), False), (OPEN[0], (), True), (OPEN[0], ("Sftp.Evil.example", "*"), False)],
    ids=["sealed", "trusted by a person", "listed in the policy"],
)
def test_what_opens_the_way(
    ref: SecretRef, hosts: tuple[str, ...], trust: bool, on_record: SecretContext | None, login: SecretContext
) -> None:
    listed = not hosts or login.host == "sftp.evil.example"
    known = on_record is not None and login == on_record
    assert (may_send(ref, login, on_record, hosts, trust) is None) == (listed or known)


def test_the_record_of_another_district_opens_nothing() -> None:
    assert may_send(OPEN[0], LOGIN, replace(LOGIN, district="elm"), ()) is not None
