"""`explain` tells where each setting comes from, without a network, a database or a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run

GOLDEN = Path(__file__).parent / "golden"
FLEET = """\
# the county's fleet
defaults:
  sftp:
    host: sftp.county.example
    port: 2222
    host_key:
      - SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU
  mapper: county
  sync:
    schedule: "0 2 * * *"
    pause: [{from: 2027-06-01, until: 2027-08-15}]
policy:
  host_keys: pinned
  retire_after_days: 7
  shared_secrets: {COUNTY_PASSWORD: [sftp.county.example], OTHER_PASSWORD: [sftp.other.example]}
  contact_safety:
    max_moved: {rows: 1}
"""
OAK = """\
district: oak
name: Oak ISD
account: "104592"
sftp:
  username: oak
  private_key:
    env: SFTP_OAK_KEY
  passphrase: {env: COUNTY_PASSWORD}
schools:
  - {sis_id: "0042", school: lincoln}
  - {sis_id: "7", school: adams}
sync: {timezone: America/Chicago}
"""
BROKEN = """\
district: elm
account: 104592
sftp:
  host: sftp.elm.example
  port: hunter2
  usrname: hunter2
  private_key: {env: hunter2}
  passphrase: {vualt: hunter2}
mapper: couny
schools: [{sis_id: "1", school: x}, {sis_id: "1", school: adams}]
ignored_schools: [9999]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "districts" / "tx").mkdir(parents=True)
    (tmp_path / "districts" / "tx" / "oak.yaml").write_text(OAK)
    (tmp_path / "districts" / "elm.yaml").write_text(BROKEN)
    (tmp_path / "reconciler.yaml").write_text(FLEET)
    (tmp_path / "mappers").mkdir()
    for name, base in (("county", "state"), ("state", "generic")):
        (tmp_path / "mappers" / f"{name}.json").write_text(json.dumps({"name": name, "extends": base}))
    return tmp_path


Captured = pytest.CaptureFixture[str]


def told(root: Path, district: str, capsys: Captured) -> dict[str, Any]:
    run(["-C", str(root), "explain", district, "--format", "json"])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def settings_of(report: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {s["path"]: (s["value"], s["source"], s["file"], s["line"]) for s in report["settings"]}


@pytest.mark.parametrize(
    ("district", "form", "code"),
    [("oak", "text", 0), ("oak", "json", 0), ("elm", "text", 1), ("elm", "json", 1)],
)
def test_it_reads_as_in_its_golden_file(
    root: Path, district: str, form: str, code: int, capsys: Captured
) -> None:
    assert run(["-C", str(root), "explain", district, "--format", form]) == code
    printed = capsys.readouterr().out
    assert "hunter2" not in printed
    golden = GOLDEN / f"explain-{district}.{form}"
    if not golden.exists():
        golden.write_text(printed)
    assert printed == golden.read_text()


def test_each_setting_has_the_file_and_line_that_it_comes_from(root: Path, capsys: Captured) -> None:
    settings = settings_of(told(root, "oak", capsys))
    district, fleet = "districts/tx/oak.yaml", "reconciler.yaml"
    assert settings["sftp.username"] == ("oak", "district", district, 5)
    assert settings["sftp.private_key"] == ({"env": "SFTP_OAK_KEY"}, "district", district, 6)
    assert settings["sftp.port"] == (2222, "defaults", fleet, 5)
    assert settings["sync.pause"] == ([{"from": "2027-06-01", "until": "2027-08-15"}], "defaults", fleet, 11)
    assert settings["sync.timezone"] == ("America/Chicago", "district", district, 12)
    assert settings["sync.max_removal_percent"] == (10, "built-in default", None, None)
    assert settings["policy.retire_after_days"] == (7, "policy", fleet, 14)
    assert settings["policy.contact_safety.max_moved.rows"] == (1, "policy", fleet, 17)
    assert settings["policy.contact_safety.max_moved.percent"] == (0.5, "built-in default", None, None)
    assert settings["policy.shared_secrets.COUNTY_PASSWORD"] == (["sftp.county.example"], "policy", fleet, 15)
    assert "policy.shared_secrets.OTHER_PASSWORD" not in settings


def test_every_line_that_is_named_holds_the_key(root: Path, capsys: Captured) -> None:
    for district in ("oak", "elm"):
        for path, (_, _, file, line) in settings_of(told(root, district, capsys)).items():
            if file:
                text = (root / file).read_text().splitlines()[line - 1]
                assert f"{path.rpartition('.')[2]}:" in text, path


def test_without_reconciler_yaml_all_else_is_built_in(root: Path, capsys: Captured) -> None:
    (root / "reconciler.yaml").unlink()
    settings = settings_of(told(root, "oak", capsys))
    assert {source for _, source, _, _ in settings.values()} == {"district", "built-in default", "missing"}
    assert settings["sftp.host"] == (None, "missing", None, None)
    assert settings["sftp.port"] == (22, "built-in default", None, None)


def test_the_mapper_is_told_with_those_that_it_extends(root: Path, capsys: Captured) -> None:
    assert [(m["name"], m["origin"], m["file"]) for m in told(root, "oak", capsys)["mapper"]] == [
        ("county", "repository", "mappers/county.json"),
        ("state", "repository", "mappers/state.json"),
        ("generic", "built-in", None),
    ]


@pytest.mark.parametrize(
    "base", ["county", "state", "nothing"], ids=["itself", "a circle", "a mapper that is not there"]
)
def test_a_mapper_with_a_broken_line_is_told_as_far_as_it_goes(
    base: str, root: Path, capsys: Captured
) -> None:
    (root / "mappers" / "county.json").write_text(json.dumps({"name": "county", "extends": base}))
    (root / "mappers" / "state.json").write_text(json.dumps({"name": "state", "extends": "county"}))
    report = told(root, "oak", capsys)
    assert (report["mapper"][0]["name"], report["mapper"][0]["ok"], report["ok"]) == ("county", False, False)
    assert {p["file"] for p in report["problems"]} == {"mappers/county.json"}


@pytest.mark.parametrize(
    ("password", "shown", "allowed", "words"),
    [
        ("{env: SFTP_OAK_PASSWORD}", "SFTP_OAK_PASSWORD", True,
         "its name is this district's own, so it may be sent to sftp.county.example"),
        ("{env: COUNTY_PASSWORD}", "COUNTY_PASSWORD", True,
         "policy.shared_secrets lets it be sent to sftp.county.example"),
        ("{env: OTHER_PASSWORD}", "OTHER_PASSWORD", False, "no rule lets it be sent (secret.bound)"),
        ("{env: SFTP_ELM_PASSWORD}", "SFTP_ELM_PASSWORD", False, "no rule lets it be sent (secret.bound)"),
        ("{env: hunter2}", "(not shown)", False, "no rule lets it be sent (secret.bound)"),
        ("{file: oak/password}", "oak/password", True,
         "a file under RECONCILER_SECRETS_DIR; any district may name it, so the review decides"),
        ("{file: elm.key}", "elm.key", False, "a file that is named after the district elm (secret.bound)"),
        ("{vault: kv/oak#password}", "kv/oak#password", True,
         "its path in Vault names this district, and what it says of host and user must be so"),
        ("{vault: kv/elm#password}", "kv/elm#password", False,
         "its path in Vault does not name this district (secret.bound)"),
        ("{age: YWdlLWVuY3J5cHRpb24=}", "(sealed)", True,
         "sealed for one district and its server: opened nowhere else (secret.bound)"),
        ("{valt: hunter2}", "(not shown)", False, "no provider of this name is installed here"),
    ],
)  # fmt: skip
def test_the_rule_of_a_secret_is_told_and_never_a_value(
    password: str, shown: str, allowed: bool, words: str, root: Path, capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in ("SFTP_OAK_PASSWORD", "COUNTY_PASSWORD", "OTHER_PASSWORD", "SFTP_ELM_PASSWORD"):
        monkeypatch.setenv(name, "canary-Pa55")
    text = OAK.partition("  private_key:")[0] + f"  password: {password}\n"
    (root / "districts" / "tx" / "oak.yaml").write_text(text)
    report = told(root, "oak", capsys)
    (secret,) = report["secrets"]
    assert (secret["path"], secret["reference"]) == ("sftp.password", shown)
    assert (secret["allowed"], secret["rule"]) == (allowed, words)
    (provider,) = settings_of(report)["sftp.password"][0]
    assert settings_of(report)["sftp.password"][0] == {provider: shown}
    assert "hunter2" not in json.dumps(report)
    assert "canary" not in json.dumps(report)


@pytest.mark.parametrize(("provider", "name"), [("file", "elm"), ("vault", "kv/county#password")])
def test_a_secret_that_the_policy_lists_is_said_to_be_listed(
    provider: str, name: str, root: Path, capsys: Captured
) -> None:
    listed = f'shared_secrets: {{"{provider}:{name}": [SFTP.county.example], '
    (root / "reconciler.yaml").write_text(FLEET.replace("shared_secrets: {", listed))
    text = OAK.partition("  private_key:")[0] + f'  password: {{{provider}: "{name}"}}\n'
    (root / "districts" / "tx" / "oak.yaml").write_text(text)
    (secret,) = told(root, "oak", capsys)["secrets"]
    assert secret["allowed"]
    assert secret["rule"] == "policy.shared_secrets lets it be sent to sftp.county.example"


@pytest.mark.parametrize(
    ("password", "reference", "allowed"),
    [
        ("{env: SFTP_OAK_A, next: SFTP_OAK_B}", "SFTP_OAK_B", True),
        ("{env: SFTP_OAK_A, next: SFTP_ELM_B}", "SFTP_ELM_B", False),
        ("{env: SFTP_OAK_A, next: hunter2}", "(not shown)", False),
        ("{file: oak, next: {env: SFTP_OAK_B}}", "SFTP_OAK_B", True),
        ("{env: SFTP_OAK_A, next: {file: elm}}", "elm", False),
        ("{env: SFTP_OAK_A, next: {age: YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==}}", "(sealed)", True),
        ("{age: YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==, next: YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==}",
         "(sealed)", True),
    ],
)  # fmt: skip
def test_a_secret_that_is_rotated_in_has_a_rule_of_its_own(
    password: str, reference: str, allowed: bool, root: Path, capsys: Captured
) -> None:
    text = OAK.partition("  private_key:")[0] + f"  password: {password}\n"
    (root / "districts" / "tx" / "oak.yaml").write_text(text)
    report = told(root, "oak", capsys)
    first, second = report["secrets"]
    assert (first["path"], first["allowed"]) == ("sftp.password", True)
    assert (second["path"], second["reference"], second["allowed"]) == (
        "sftp.password.next", reference, allowed,
    )  # fmt: skip
    shown = json.dumps(settings_of(report)["sftp.password"][0])
    assert reference in shown
    assert "YWdl" not in json.dumps(report)
    assert "hunter2" not in json.dumps(report)


@pytest.mark.parametrize(
    "text", ["", "sftp: [", "\x00", "just text", "a: &x [*x]"], ids=["empty", "open", "NUL", "text", "alias"]
)
def test_a_file_that_cannot_be_read_says_so_and_leaves_the_policy(
    text: str, root: Path, capsys: Captured
) -> None:
    (root / "districts" / "tx" / "oak.yaml").write_text(text)
    assert run(["-C", str(root), "explain", "oak"]) == 1
    printed = capsys.readouterr().out
    assert "The file cannot be read" in printed
    assert "districts/tx/oak.yaml" in printed
    assert "policy.retire_after_days" in printed


@pytest.mark.parametrize(
    "section", ["sftp: hunter2", "sync: hunter2", "schools: hunter2", "sftp: []", "sync:"]
)
def test_a_section_of_the_wrong_shape_is_told_and_not_shown(
    section: str, root: Path, capsys: Captured
) -> None:
    head = "" if "sftp" in section else OAK.partition("schools:")[0]
    (root / "districts" / "tx" / "oak.yaml").write_text(f"{head or 'district: oak'}\n{section}\n")
    report = told(root, "oak", capsys)
    assert section.partition(":")[0] in {p["path"] for p in report["problems"]}
    assert "hunter2" not in json.dumps(report)


@pytest.mark.parametrize("key", ["password", "private_key", "passphrase"])
@pytest.mark.parametrize(
    "value",
    [
        "hunter2", "[hunter2]", "{env: hunter2}", "{env: [hunter2]}", "{env: {file: hunter2}}",
        "{env: SFTP_OAK_X, file: hunter2}", "{age: hunter2}", "{age: x, next: hunter2}", "{env: x hunter2}",
        "{plain: hunter2}", "{value: {env: hunter2}}", "|\n    hunter2\n    hunter2", "{file: [hunter2]}",
    ],
)  # fmt: skip
def test_a_secret_that_is_written_into_the_file_is_not_repeated(
    value: str, key: str, root: Path, capsys: Captured
) -> None:
    text = OAK.partition("  private_key:")[0] + f"  {key}: {value}\n"
    (root / "districts" / "tx" / "oak.yaml").write_text(text)
    for form in ("text", "json"):
        assert run(["-C", str(root), "explain", "oak", "--format", form]) in (0, 1)
        printed = capsys.readouterr()
        assert "hunter2" not in printed.out + printed.err
        assert f"sftp.{key}" in printed.out


def test_among_very_many_problems_no_value_of_the_wrong_form_slips_through(
    root: Path, capsys: Captured
) -> None:
    schools = "".join(f"  - {{sis_id: {number}, school: x}}\n" for number in range(300))
    wrong = "district: oak\nschools:\n" + schools + "sync: {schedule: hunter2, pause: [hunter2]}\n"
    wrong += "sftp: {host: -hunter2, port: hunter2, password: hunter2, private_key: {env: hunter2 x}}\n"
    (root / "districts" / "tx" / "oak.yaml").write_text(wrong)
    assert run(["-C", str(root), "explain", "oak"]) == 1
    assert "hunter2" not in capsys.readouterr().out
    report = told(root, "oak", capsys)
    assert "hunter2" not in json.dumps(report)
    assert settings_of(report)["schools"][0] is None


class TestWhichFile:
    def test_a_name_that_is_not_there_is_wrong_usage_with_the_nearest(
        self, root: Path, capsys: Captured
    ) -> None:
        assert run(["-C", str(root), "explain", "oka"]) == 64
        assert 'did you mean "oak"?' in capsys.readouterr().err

    def test_two_files_of_one_id_are_both_named(self, root: Path, capsys: Captured) -> None:
        (root / "districts" / "oak.yaml").write_text(OAK)
        problems = [p for p in told(root, "oak", capsys)["problems"] if p["path"] == "district"]
        assert {p["file"] for p in problems} == {"districts/oak.yaml", "districts/tx/oak.yaml"}

    def test_a_renamed_file_is_found_by_the_id_inside(self, root: Path, capsys: Captured) -> None:
        (root / "districts" / "tx" / "oak.yaml").rename(root / "districts" / "ash.yaml")
        report = told(root, "oak", capsys)
        assert report["file"] == "districts/ash.yaml"
        assert [p["code"] for p in report["problems"] if p["path"] == "district"] == ["config.reference"]

    @pytest.mark.parametrize("name", ["ash.yml", "ASH.yaml", "ash.YAML"])
    def test_a_misnamed_file_is_checked_before_it_is_shown(
        self, name: str, root: Path, capsys: Captured
    ) -> None:
        (root / "districts" / name).write_text(BROKEN.replace("elm", "ash") + "sync: {pause: [{}]}\n")
        report = told(root, "ash", capsys)
        assert (report["file"], report["ok"]) == (f"districts/{name}", False)
        assert "hunter2" not in json.dumps(report)
        assert settings_of(report)["sftp.port"][0] is None
        assert run(["-C", str(root), "explain", "ash"]) == 1
        capsys.readouterr()

    def test_a_broken_reconciler_yaml_is_told_as_by_validate(self, root: Path, capsys: Captured) -> None:
        (root / "reconciler.yaml").write_text("defaults: {sftp: {port: 0}}\n")
        assert run(["-C", str(root), "explain", "oak", "--format", "json"]) == 1
        (problem,) = json.loads(capsys.readouterr().out)["problems"]
        assert (problem["file"], problem["path"]) == ("reconciler.yaml", "defaults.sftp.port")


def test_it_writes_nothing_and_opens_no_database(root: Path, capsys: Captured) -> None:
    before = sorted(str(p) for p in root.rglob("*"))
    url = f"sqlite:///{root}/never.db"
    assert run(["-C", str(root), "--database-url", url, "explain", "oak"]) == 0
    assert sorted(str(p) for p in root.rglob("*")) == before
    assert os.environ.get("RECONCILER_DATABASE_URL") is None
    capsys.readouterr()
