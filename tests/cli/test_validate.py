"""The forms of `validate`, to the letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import run

GOLDEN = Path(__file__).parent / "golden"

BROKEN = """\
# yaml-language-server: $schema=../schemas/district.schema.json
district: oak
name: Oak, 50% of it
account: 104592
sftp:
  host: sftp.oak.example
  prot: 22
  username: roster
  password: hunter2
mapper: genric
schools:
  - sis_id: 0042
    school: lincoln
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    (tmp_path / "districts").mkdir()
    (tmp_path / "districts" / "oak.yaml").write_text(BROKEN)
    (tmp_path / "mappers").mkdir()
    fields = {"id": "i", "school": "s", "first_name": "f", "last_name": "l"}
    source = {"from": "students", "fields": fields}
    mapper = {"name": "clever", "files": {"s": {"pattern": "s.csv"}}, "entities": {"students": source}}
    (tmp_path / "mappers" / "clever.json").write_text(json.dumps(mapper, indent=2))
    return tmp_path


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_every_problem_is_told_at_once_with_its_place(
    fleet: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(fleet), "validate", "--format", form]) == 1
    out = capsys.readouterr().out
    assert "hunter2" not in out
    golden = GOLDEN / f"validate.{form}"
    if not golden.exists():
        golden.write_text(out)
    assert out == golden.read_text()


def test_paths_limit_what_is_reported(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(fleet), "validate", str(fleet / "mappers"), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {p["file"] for p in report["problems"]} == {"mappers/clever.json"}
    assert report["files"] == 1


def test_a_valid_repository_is_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "districts").mkdir()
    assert run(["-C", str(tmp_path), "validate", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "files": 0, "problems": []}


def test_a_broken_reconciler_yaml_is_a_problem_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "districts").mkdir()
    (tmp_path / "reconciler.yaml").write_text("policy:\n  host_keys: always\n")
    assert run(["-C", str(tmp_path), "validate", "--format", "json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["file"], problem["line"], problem["path"]) == ("reconciler.yaml", 2, "policy.host_keys")


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("github", "::error file=fleet/tx/districts/o ak.yaml,"),
        ("sarif", '"uri": "fleet/tx/districts/o%20ak.yaml"'),
        ("text", "\ndistricts/o ak.yaml:"),
    ],
)
def test_services_get_files_by_their_path_from_the_top_of_the_checkout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, named: str
) -> None:
    (tmp_path / ".git").mkdir()
    root = tmp_path / "fleet/tx"
    (root / "districts").mkdir(parents=True)
    (root / "districts/o ak.yaml").write_text("district: oak\n")
    assert run(["-C", str(root), "validate", "--format", form]) == 1
    assert named in "\n" + capsys.readouterr().out
