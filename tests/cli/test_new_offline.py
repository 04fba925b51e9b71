"""`new` without a server: a template that says what is missing, and nothing that could be taken for true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import run
from tests.config.repository import district

FACTS = ("--account", "0042", "--host", "sftp.oak.example", "--username", "roster", "--mapper", "clever")
TEMPLATE = """\
# yaml-language-server: $schema=../schemas/district.schema.json
district: oak-hill-isd  # the same as the file's name without .yaml
name: Oak Hill ISD
account: "FILL-IN-oak-hill-isd"  # the platform's account number of the district, in quotes
sftp:
  host: fill-in.example
  port: 22
  username: FILL-IN
  # Where the secret is found, never the secret: {env: …}, a variable whose name begins so,
  # or {file: …}, a file under RECONCILER_SECRETS_DIR.
  password: {env: SFTP_OAK_HILL_ISD_PASSWORD}
  # The server's key, as the district's technicians confirm it; without it nobody logs in.
  # host_key: SHA256:…
  remote_path: .
  file_pattern: "*.csv"
# How the files are read, one of: aeries, aspen, clever, ed-fi, generic, infinite-campus, microsoft-sds-1,
# microsoft-sds-2.1, oneroster-1.1, oneroster-1.2, powerschool, skyward, synergy; or mappers/NAME.json.
mapper: FILL-IN

# Which school of the platform each SIS school is. Once the files were read,
# `reconciler schools oak-hill-isd --write` adds the lines.
# schools:
#   - {sis_id: "0042", school: lincoln-elementary, name: Lincoln Elementary}
"""


def problems(root: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, str]]:
    capsys.readouterr()
    run(["-C", str(root), "validate", "--format", "json"])
    return [(p["severity"], p["code"], p["path"]) for p in json.loads(capsys.readouterr().out)["problems"]]


def test_an_empty_folder_gets_a_template_whose_gaps_validate_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(tmp_path), "new", "oak-hill-isd"]) == 0
    out = capsys.readouterr().out
    assert "to be filled in: account, sftp.host, sftp.username, mapper; `validate` says where" in out
    assert (tmp_path / "districts/oak-hill-isd.yaml").read_text() == TEMPLATE
    assert json.loads((tmp_path / "schemas/district.schema.json").read_text())["title"] == "A district"
    assert problems(tmp_path, capsys) == [
        ("warning", "config.placeholder", "account"),
        ("warning", "config.placeholder", "sftp.host"),
        ("warning", "config.placeholder", "sftp.username"),
        ("error", "config.reference", "mapper"),
    ]
    assert run(["-C", str(tmp_path), "fmt", "--check"]) == 0


def test_with_every_fact_given_the_file_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = (
        "--name",
        "St. Mary's: a district",
        "--in",
        "tx",
        "--offline",
        "--password-file",
        "oak/password",
    )
    assert run(["-C", str(tmp_path), "new", "oak", *FACTS, *options]) == 0
    text = (tmp_path / "districts/tx/oak.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../../schemas/district.schema.json\n")
    assert '\nname: "St. Mary\'s: a district"\naccount: "0042"' in text
    assert "  password: {file: oak/password}\n" in text
    assert problems(tmp_path, capsys) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("oak", *FACTS), 64),
        (("elm", *FACTS, "--account", "a-oak"), 1),
        (("elm", *FACTS, "--host", "two words"), 1),
        (("elm", *FACTS, "--password-env", "SFTP_OAK_PASSWORD"), 1),
        (("elm", *FACTS, "--mapper", "none"), 1),
        (("elm", *FACTS, "--password-env", "SFTP_ELM_P", "--private-key-file", "k"), 64),
        (("Elm_1", *FACTS), 64),
        (("../elm", *FACTS), 64),
        (("e" * 64, *FACTS), 64),
        (("elm", *FACTS, "--in", "../.."), 64),
        (("elm", *FACTS, "--in", ".hidden"), 64),
        (("elm", *FACTS, "--in", "/tmp"), 64),
    ],
    ids=[
        "a file that is there", "an account that is taken", "no host", "another district's secret",
        "no mapper", "two secrets", "no id", "a path", "a long id", "a folder outside", "a hidden folder",
        "an absolute one",
    ],
)  # fmt: skip
def test_what_would_not_be_valid_is_not_written(
    tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    there = district(tmp_path, "oak", folder="districts/ca")
    before = there.read_text()
    assert run(["-C", str(tmp_path), "new", *arguments, "--offline"]) == code
    assert there.read_text() == before
    assert [p.name for p in tmp_path.rglob("*.yaml")] == ["oak.yaml"]


def test_in_a_git_checkout_the_repository_begins_at_its_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path / "notes")
    assert run(["new", "oak", *FACTS, "--offline"]) == 0
    assert (tmp_path / "districts/oak.yaml").is_file()


def test_what_the_fleet_has_by_default_is_left_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reconciler.yaml").write_text(
        "defaults:\n  sftp: {host: sftp.county.example, port: 2222, host_key: SHA256:" + "A" * 43 + ","
        " remote_path: /out, file_pattern: '*.txt'}\n  mapper: clever\n"
    )
    facts = ("--account", "0042", "--username", "roster", "--offline")
    other_facts = ("--account", "77", *facts[2:])
    assert run(["-C", str(tmp_path), "new", "oak", *facts]) == 0
    text = (tmp_path / "districts/oak.yaml").read_text()
    keys = [line.split(":")[0].strip() for line in text.splitlines() if not line.strip().startswith("#")]
    assert [k for k in keys if k] == ["district", "name", "account", "sftp", "username", "password"]
    assert problems(tmp_path, capsys) == []
    assert run(["-C", str(tmp_path), "fmt", "--check", str(tmp_path / "districts")]) == 0
    assert (
        run(
            [
                "-C",
                str(tmp_path),
                "new",
                "elm",
                *other_facts,
                "--host",
                "sftp.elm.example",
                "--mapper",
                "generic",
            ]
        )
        == 0
    )
    other = (tmp_path / "districts/elm.yaml").read_text()
    assert "  host: sftp.elm.example\n" in other
    assert "\nmapper: generic\n" in other
    assert "  # host_key: SHA256:…\n" in other
