"""Indentation that slipped, or a setting of the other file: the hint says where the key belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.fleet import load_fleet
from reconciler.errors import ConfigError
from tests.config.repository import district

TOP = "write it at the beginning of a line: it does not belong under "


@pytest.mark.parametrize(
    ("more", "path", "hint"),
    [
        ("schedule: 0 2 * * *\n", "schedule", "write it under sync"),
        ("port: 22\n", "port", "write it under sftp"),
        ("sync: {port: 22}\n", "sync.port", "write it under sftp"),
        ("sync: {mapper: clever}\n", "sync.mapper", f"{TOP}sync"),
        ("sync: {sync: {}}\n", "sync.sync", f"{TOP}sync"),
        ("policy: {}\n", "policy", "it belongs in reconciler.yaml"),
        ("retire_after_days: 1\n", "retire_after_days", "it belongs in reconciler.yaml, under policy"),
        (
            "zzz: 1\n",
            "zzz",
            "known here: district, name, account, sftp, mapper, schools, ignored_schools, sync",
        ),
        ("accounts: x\n", "accounts", 'did you mean "account"?'),
    ],
)
def test_a_key_of_a_district_in_the_wrong_place(more: str, path: str, hint: str, tmp_path: Path) -> None:
    district(tmp_path, "oak", more=more)
    (problem,) = load_fleet(tmp_path, mappers=None).problems
    assert (problem.path, problem.hint) == (path, hint)


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("mapper: clever\n", "mapper", "write it under defaults"),
        ("host_keys: pinned\n", "host_keys", "write it under policy"),
        ("port: 22\n", "port", "write it under defaults.sftp"),
        ("defaults: {schedule: x}\n", "defaults.schedule", "write it under defaults.sync"),
        ("defaults: {host_keys: pinned}\n", "defaults.host_keys", "write it under policy"),
        ("policy: {database_url: x}\n", "policy.database_url", f"{TOP}policy"),
        ("policy: {contact_safety: {account: x}}\n", "policy.contact_safety.account",
         "known here: max_loosened, max_alerts_lifted, max_without_emergency, max_without_contact, "
         "max_moved, max_students_per_phone"),
        ("password: x\n", "password", "known here: database_url, defaults, policy"),
    ],
)  # fmt: skip
def test_a_key_of_reconciler_yaml_in_the_wrong_place(text: str, path: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_fleet(tmp_path, mappers=None)
    (problem,) = caught.value.problems
    assert (problem.path, problem.hint) == (path, hint)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("- district: oak\n", "begin with district: oak, without a hyphen before it"),
        ("district: oak\nname: Oak\naccount: '1'\nmapper: clever\n",
         "write sftp: {host: sftp.oak.example, username: roster, password: {env: SFTP_OAK_PASSWORD}}"),
        ("district: oak\nname: Oak\naccount: '1'\nmapper: clever\nsftp: sftp.oak.example\n",
         "write sftp: {host: sftp.oak.example, username: roster, password: {env: SFTP_OAK_PASSWORD}}"),
    ],
    ids=["a list", "no server", "a server in one word"],
)  # fmt: skip
def test_what_to_write_is_said_for_this_district(text: str, hint: str, tmp_path: Path) -> None:
    district(tmp_path, "oak").write_text(text)
    (problem,) = load_fleet(tmp_path, mappers=None).problems
    assert problem.hint == hint


def test_what_a_hint_says_is_right(tmp_path: Path) -> None:
    head = "district: oak\nname: Oak\naccount: '1'\nmapper: clever\n"
    path = district(tmp_path, "oak")
    path.write_text(head)
    (problem,) = load_fleet(tmp_path, mappers=None).problems
    path.write_text(head + problem.hint.removeprefix("write ") + "\n")
    assert load_fleet(tmp_path, mappers=None).problems == ()
