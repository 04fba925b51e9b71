"""reconciler.yaml: defaults where it is silent, refused as a whole where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.fleet import load_fleet
from reconciler.config.fleet_settings import load_fleet_settings
from reconciler.config.policy import Allowance, ContactSafety, FleetSettings, Policy
from reconciler.errors import ConfigError
from tests.config.repository import district

FULL = """\
database_url: postgresql://db.example/reconciler
policy:
  host_keys: first-use
  hosts: [sftp.example, 192.0.2.7]
  shared_secrets: {COUNTY_PASSWORD: [sftp.county.example]}
  retire_after_days: 7
  max_reject_percent: 2.5
  contact_safety:
    max_loosened: {rows: 0, percent: 0}
    max_alerts_lifted: {percent: 1.5}
    max_without_contact: {rows: 9}
    max_students_per_phone: 40
"""


def test_without_the_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_fleet_settings(tmp_path) == (FleetSettings(), ())


@pytest.mark.parametrize("text", ["{}\n", "policy: {}\n"])
def test_what_is_not_said_has_its_default(text: str, tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(text)
    assert load_fleet_settings(tmp_path) == (FleetSettings(), ())


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(FULL)
    settings, problems = load_fleet_settings(tmp_path)
    assert problems == ()
    assert settings == FleetSettings(
        database_url="postgresql://db.example/reconciler",
        policy=Policy(
            host_keys="first-use",
            hosts=("sftp.example", "192.0.2.7"),
            shared_secrets={"COUNTY_PASSWORD": ("sftp.county.example",)},
            retire_after_days=7,
            max_reject_percent=2.5,
            contact_safety=ContactSafety(
                max_loosened=Allowance(0, 0),
                max_alerts_lifted=Allowance(0, 1.5),
                max_without_contact=Allowance(9, 0.5),
                max_moved=Allowance(3, 0.5),
                max_students_per_phone=40,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("polcy: {}\n", "polcy", 'unknown key "polcy"'),
        ("policy: {host_keys: none}\n", "policy.host_keys", 'must be one of "pinned", "first-use"'),
        ("policy: {retire_after_days: 1.5}\n", "policy.retire_after_days",
         "must be a whole number from 0 to 3650"),
        ("policy: {retire_after_days: -1}\n", "policy.retire_after_days", "must be from 0 to 3650"),
        ("policy: {max_reject_percent: 101}\n", "policy.max_reject_percent", "must be from 0 to 100"),
        ("policy: {contact_safety: {max_moved: {rows: -1}}}\n", "policy.contact_safety.max_moved.rows",
         "must be from 0 to 1000000"),
        ("policy: {contact_safety: {max_moved: 3}}\n", "policy.contact_safety.max_moved",
         "must be a mapping (key: value)"),
        ("policy: {contact_safety: {max_moves: {}}}\n", "policy.contact_safety.max_moves",
         'unknown key "max_moves"'),
        ("policy: {hosts: sftp.example}\n", "policy.hosts", "must be a list"),
        ("policy: {shared_secrets: {A-B: [h]}}\n", "policy.shared_secrets",
         "each key must be the name of an environment variable, or file:PATH or vault:PATH#KEY"),
        ("policy: {shared_secrets: {A: []}}\n", "policy.shared_secrets.A", "must not be empty"),
        ("policy:\n", "policy", "is empty: a mapping (key: value) is expected"),
        ("database_url: mysql://x\n", "database_url", "must be the URL of a SQLite or PostgreSQL database"),
        ("", "", "is empty"),
        ("policy: [\n", "", "a value is missing here, or a bracket before it is not closed"),
    ],
)  # fmt: skip
def test_a_wrong_file_refuses_everything(text: str, path: str, message: str, tmp_path: Path) -> None:
    district(tmp_path, "oak")
    (tmp_path / "reconciler.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_fleet(tmp_path, mappers=None)
    (problem,) = caught.value.problems
    assert (problem.file, problem.path, problem.message) == ("reconciler.yaml", path, message)


@pytest.mark.parametrize("name", ["reconciler.yml", "reconciler.json"])
def test_rules_under_another_name_are_not_overlooked(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(ConfigError) as caught:
        load_fleet_settings(tmp_path)
    assert caught.value.hint == "rename it to reconciler.yaml"


@pytest.mark.parametrize(
    ("url", "told_of"),
    [
        ("postgresql://db.example/reconciler", False),
        ("postgresql://user@db.example/reconciler", False),
        ("sqlite:////var/lib/state.db", False),
        ("postgresql://user:hunter2@db.example/reconciler", True),
        ("postgresql://db.example/reconciler?user=u&password=hunter2", True),
        ("postgresql://user:hunter2@[db/reconciler", True),
    ],
)
def test_a_password_in_git_is_told_of_and_not_repeated_and_stops_no_district(
    url: str, told_of: bool, tmp_path: Path
) -> None:
    district(tmp_path, "oak")
    (tmp_path / "reconciler.yaml").write_text(f"# rules\ndatabase_url: {url}\n")
    fleet = load_fleet(tmp_path, mappers=None)
    told = [(p.code, p.severity, p.file, p.line, p.column) for p in fleet.problems]
    assert told == ([("secret.literal", "error", "reconciler.yaml", 2, 15)] if told_of else [])
    assert "hunter2" not in repr(fleet.problems)
    assert list(fleet.districts) == ["oak"]
    assert fleet.checked == ("districts/oak.yaml", "reconciler.yaml")


def test_a_secret_in_a_comment_of_the_rules_is_told_of_and_the_rules_hold(tmp_path: Path) -> None:
    district(tmp_path, "oak")
    (tmp_path / "reconciler.yaml").write_text("# password: hunter2\npolicy: {retire_after_days: 3}\n")
    fleet = load_fleet(tmp_path, mappers=None)
    assert [(p.code, p.severity, p.line, p.column) for p in fleet.problems] == [
        ("secret.literal", "error", 1, 13)
    ]
    assert fleet.settings.policy.retire_after_days == 3
    assert list(fleet.districts) == ["oak"]


def test_a_secret_in_rules_that_cannot_be_read_is_told_of_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("# password: hunter2\npolicy: [\n")
    with pytest.raises(ConfigError) as caught:
        load_fleet_settings(tmp_path)
    assert {p.code for p in caught.value.problems} == {"config.syntax", "secret.literal"}
    assert "hunter2" not in repr(caught.value.problems)
