"""A secret in Vault goes to the district that its path names; trouble is told apart from refusal."""

from __future__ import annotations

import importlib
import socket
import tomllib
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.config.vault_reference import vault_reference
from reconciler.errors import SecretError
from reconciler.secrets import vault as vault_provider
from reconciler.secrets.context import SecretContext
from reconciler.secrets.resolver import GROUP
from reconciler.secrets.vault import provider
from tests.secrets.vault_server import TOKEN, Vault, vault_server

CANARY = "hunter2-Canary"
LOGIN = SecretContext("oak", "sftp.oak.example", 22, "roster")
HELD = {
    "secret": {
        "districts/oak/sftp": {"password": CANARY, "empty": "", "number": 7},
        "districts/oak": {"password": CANARY, "username": "roster", "host": "SFTP.oak.example", "port": 22},
        "moved/oak": {"password": CANARY, "host": "sftp.elm.example", "username": "roster"},
        "county": {"password": CANARY},
        "oak": {"password": CANARY},
    },
    "kv1": {"oak": {"password": CANARY}},
}


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    with vault_server(Vault(HELD, versions={"kv1": 1})) as running:
        monkeypatch.setenv("VAULT_ADDR", running.address)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
        yield running


def refusal(reference: str, login: SecretContext = LOGIN) -> SecretError:
    """The error, after checking that it tells no secret, no token and what to do."""
    with pytest.raises(SecretError) as caught:
        provider(reference, login)
    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in told
    assert TOKEN not in told
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("preflight", [True, False], ids=["mounts are told", "mounts are guessed"])
@pytest.mark.parametrize(
    "reference",
    [
        "secret/districts/oak/sftp#password",
        "/secret/districts/oak/sftp#password",
        "secret/data/districts/oak/sftp#password",
        "secret/districts/oak#password",
        "secret/oak#password",
        "kv1/oak#password",
    ],
)
def test_a_secret_is_read_from_either_version_of_the_store(
    vault: Vault, reference: str, preflight: bool
) -> None:
    vault.preflight = preflight
    assert provider(reference, LOGIN) == CANARY


@pytest.mark.parametrize(
    "reference",
    [
        "secret/districts/elm/sftp#password",
        "secret/county#password",
        "secret/oakwood#password",
        "secret/Oak#password",
        "oak/county#password",
        "secret/county#oak",
    ],
)
def test_a_path_that_does_not_name_the_district_is_refused_unasked(vault: Vault, reference: str) -> None:
    assert refusal(reference).code == "secret.bound"
    assert vault.asked == []


@pytest.mark.parametrize(
    "reference",
    ["secret/oak/../elm#password", "secret/./oak#password", "secret//oak#password", "secret/oak", "oak#x",
     "secret/oak#", "secret/oak#a#b", "secret/oak%2f..%2felm#x", "secret/oak?x=1#y", "#x", ""],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_than_it_says_is_none(vault: Vault, reference: str) -> None:
    assert refusal(reference).code == "secret.missing"
    assert vault.asked == []
    with pytest.raises(ValueError, match="must"):
        vault_reference(reference)


def test_the_policy_lists_who_may_use_a_path_of_many(vault: Vault) -> None:
    listed = replace(LOGIN, shared_with=("x.example", "SFTP.Oak.example."))
    assert provider("secret/county#password", listed) == CANARY
    other = replace(LOGIN, shared_with=("x.example",))
    assert refusal("secret/county#password", other).code == "secret.bound"


def test_what_the_secret_says_of_its_login_must_be_so(vault: Vault) -> None:
    error = refusal("secret/moved/oak#password")
    assert error.code == "secret.bound"
    assert "its host differs" in error.message
    moved = replace(LOGIN, port=2222, username="admin")
    assert "its port and username differ" in refusal("secret/districts/oak#password", moved).message


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("secret/districts/oak/sftp#passwort", "no text under the key passwort"),
        ("secret/districts/oak/sftp#empty", "no text under the key empty"),
        ("secret/districts/oak/sftp#number", "no text under the key number"),
        ("secret/absent/oak#password", "has no secret"),
        ("elsewhere/oak#password", "has no secret"),
    ],
)
def test_what_is_not_there_is_named(vault: Vault, reference: str, says: str) -> None:
    error = refusal(reference)
    assert (error.code, error.retryable) == ("secret.missing", False)
    assert says in error.message


def test_a_token_that_may_not_read_is_told(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "another")
    error = refusal("secret/oak#password")
    assert "does not show" in error.message
    assert not error.retryable


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_vault_that_is_down_or_sealed_can_be_asked_again(vault: Vault, status: int) -> None:
    vault.status = status
    error = refusal("secret/oak#password")
    assert (error.code, error.retryable) == ("secret.missing", True)


def test_a_vault_that_cannot_be_reached_can_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    assert refusal("secret/oak#password").retryable


def test_a_vault_that_does_not_answer_is_given_up(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_provider, "TIMEOUT_SECONDS", 0.1)
    vault.seconds = 0.5
    assert refusal("secret/oak#password").retryable


def test_a_redirect_does_not_take_the_token_along(vault: Vault) -> None:
    with vault_server(Vault(HELD)) as other:
        vault.redirect = f"{other.address}/v1/secret/data/oak"
        assert refusal("secret/oak#password").retryable
        assert other.asked == []


def test_an_answer_that_is_no_json_is_no_secret(vault: Vault) -> None:
    vault.body = CANARY.encode()
    assert refusal("secret/oak#password").retryable


@pytest.mark.parametrize("name", ["VAULT_ADDR", "VAULT_TOKEN"])
def test_a_setting_that_is_missing_is_named(vault: Vault, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    error = refusal("secret/oak#password")
    assert f"{name} is not set" in error.message


def test_without_the_extra_it_says_what_to_install(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "hvac", None)
    assert "reconciler[vault]" in refusal("secret/oak#password").hint


def test_it_is_registered_as_any_provider_is() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"][GROUP]["vault"].partition(":")
    assert getattr(importlib.import_module(module), name) is provider
