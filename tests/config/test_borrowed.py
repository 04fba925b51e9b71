"""A secret file that is another district's by its name is refused; one for many hosts is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.fleet import Fleet, load_fleet
from tests.config.repository import district

SEALED = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCg=="


def with_secret(
    root: Path, name: str, secret: str, *, host: str = "sftp.example", key: str = "password"
) -> None:
    path = district(root, name, host=host)
    variable = f"password: {{env: SFTP_{name.replace('-', '_').upper()}_PASSWORD}}"
    path.write_text(path.read_text().replace(variable, f"{key}: {secret}"))


def load(root: Path) -> Fleet:
    return load_fleet(root, mappers={"clever"})


def refused(root: Path) -> list[str]:
    fleet = load(root)
    assert {p.code for p in fleet.problems} <= {"secret.bound"}
    assert all(p.hint and p.line for p in fleet.problems)
    return list(fleet.refused)


def warned(root: Path) -> list[tuple[str, str]]:
    """File and message of each problem: warnings, and nobody refused."""
    fleet = load(root)
    assert fleet.refused == {}
    assert {(p.code, p.severity) for p in fleet.problems} <= {("secret.bound", "warning")}
    return [(p.file, p.message) for p in fleet.problems]


@pytest.mark.parametrize(
    ("file", "accepted"),
    [
        ("oak", True),
        ("/run/secrets/oak", True),
        ("/run/secrets/oak/password", True),
        ("oak-password.txt", True),
        ("county", True),
        ("/run/secrets/sftp-2027.key", True),
        ("elm", False),
        ("/run/secrets/elm", False),
        ("/run/secrets/./elm", False),
        ("elm/password", False),
        ("oak/../elm", False),
        ("/run/secrets/oak/.././elm", False),
        ("elm.key", False),
        ("ELM_password", False),
        ("oak-hill", False),
        ("oak_hill-password", False),
        ("oak/elm", True),
        ("elmwood", True),
    ],
)
@pytest.mark.parametrize("key", ["password", "private_key"])
def test_a_file_is_the_districts_that_it_is_named_after(
    tmp_path: Path, file: str, accepted: bool, key: str
) -> None:
    for name in ("elm", "oak-hill", "secrets"):
        district(tmp_path, name)
    with_secret(tmp_path, "oak", f"{{file: {file}}}", key=key)
    assert refused(tmp_path) == ([] if accepted else ["oak"])


def test_the_next_file_is_held_to_the_same(tmp_path: Path) -> None:
    district(tmp_path, "elm")
    with_secret(tmp_path, "oak", "{file: oak, next: elm}")
    assert refused(tmp_path) == ["oak"]


def test_one_password_file_serves_the_districts_of_one_host(tmp_path: Path) -> None:
    with_secret(tmp_path, "elm", "{file: county}", host="sftp.county.example")
    with_secret(tmp_path, "oak", "{file: /run/secrets/county}", host="SFTP.county.example")
    assert refused(tmp_path) == []


def test_one_password_file_for_two_hosts_is_told_of_and_stops_nobody(tmp_path: Path) -> None:
    for name, host in (("ash", "county"), ("elm", "county"), ("oak", "other")):
        with_secret(tmp_path, name, "{file: county}", host=f"sftp.{host}.example")
    assert warned(tmp_path) == [
        ("districts/ash.yaml", "districts/oak.yaml sends this password file to another host"),
        ("districts/elm.yaml", "districts/oak.yaml sends this password file to another host"),
        ("districts/oak.yaml", "districts/ash.yaml sends this password file to another host"),
    ]


def test_whoever_the_policy_lists_for_a_password_file_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text('policy: {shared_secrets: {"file:county": [a.example]}}\n')
    with_secret(tmp_path, "elm", "{file: county}", host="a.example")
    with_secret(tmp_path, "oak", "{file: county}", host="b.example")
    assert [file for file, _ in warned(tmp_path)] == ["districts/oak.yaml"]


def test_one_key_file_serves_any_host_for_it_is_never_shown_to_one(tmp_path: Path) -> None:
    with_secret(tmp_path, "elm", "{file: fleet-key}", host="sftp.elm.example", key="private_key")
    with_secret(tmp_path, "oak", "{file: fleet-key}", host="sftp.oak.example", key="private_key")
    assert refused(tmp_path) == []


def test_the_policy_lists_who_may_use_a_file_of_many(tmp_path: Path) -> None:
    shared = 'policy:\n  shared_secrets:\n    "file:elm": [a.example, b.example]\n'
    (tmp_path / "reconciler.yaml").write_text(shared)
    with_secret(tmp_path, "elm", "{file: elm}", host="a.example")
    with_secret(tmp_path, "oak", "{file: elm}", host="B.example")
    assert refused(tmp_path) == []
    with_secret(tmp_path, "oak", "{file: elm}", host="c.example")
    assert refused(tmp_path) == ["oak"]


def test_a_sealed_text_that_stands_twice_is_told_of_and_stops_nobody(tmp_path: Path) -> None:
    with_secret(tmp_path, "elm", f"{{age: {SEALED}}}")
    with_secret(tmp_path, "oak", f"{{age: {SEALED[:9]} {SEALED[9:]}}}")
    words = "has the same sealed secret, and it is sealed for one district only"
    assert warned(tmp_path) == [
        ("districts/elm.yaml", f"districts/oak.yaml {words}"),
        ("districts/oak.yaml", f"districts/elm.yaml {words}"),
    ]
