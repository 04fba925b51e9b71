"""`fmt` on a repository: what it writes, what it only says, and what it keeps its hands off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import run
from tests.config.repository import district

UNTIDY = "# a note\nname: Oak\ndistrict:   oak\n"
TIDY = "district: oak\n# a note\nname: Oak\n"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "districts").mkdir()
    (tmp_path / "districts/oak.yaml").write_text(UNTIDY)
    return tmp_path


def test_fmt_writes_the_file_and_keeps_its_permissions(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "districts/oak.yaml"
    file.chmod(0o640)
    assert run(["-C", str(root), "fmt"]) == 0
    assert file.read_text() == TIDY
    assert file.stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr().out == "formatted districts/oak.yaml\n1 file: 1 formatted.\n"
    assert run(["-C", str(root), "fmt"]) == 0
    assert capsys.readouterr().out == "1 file: 0 formatted.\n"
    assert [p.name for p in (root / "districts").iterdir()] == ["oak.yaml"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--check"], 1, "would format districts/oak.yaml\n1 file: 1 to format.\n"),
        (["--diff"], 0, "+district: oak\n"),
        (["--check", "--diff"], 1, "+district: oak\n"),
    ],
    ids=["check", "diff", "both"],
)
def test_a_look_writes_nothing(
    root: Path, options: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(root), "fmt", *options]) == code
    assert said in capsys.readouterr().out
    assert (root / "districts/oak.yaml").read_text() == UNTIDY
    (root / "districts/oak.yaml").write_text(TIDY)
    assert run(["-C", str(root), "fmt", *options]) == 0


def test_a_file_that_is_not_valid_is_reported_and_the_others_are_formatted(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = root / "districts/bad.yaml"
    bad.write_text("district: bad\nsecret-word: [\n")
    assert run(["-C", str(root), "fmt", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["files"], report["changed"]) == (False, 2, ["districts/oak.yaml"])
    assert [(p["file"], p["code"], p["line"]) for p in report["problems"]] == [
        ("districts/bad.yaml", "config.syntax", 3)
    ]
    assert bad.read_text() == "district: bad\nsecret-word: [\n"
    assert (root / "districts/oak.yaml").read_text() == TIDY


def test_only_what_is_named_is_formatted(root: Path) -> None:
    (root / "districts/tx").mkdir()
    elm = root / "districts/tx/elm.yaml"
    elm.write_text(UNTIDY)
    assert run(["-C", str(root), "fmt", str(root / "districts/tx")]) == 0
    assert (elm.read_text(), (root / "districts/oak.yaml").read_text()) == (TIDY, UNTIDY)


@pytest.mark.parametrize("path", ["districts/none.yaml", "mappers", "/etc/passwd"])
def test_a_path_that_leads_to_no_district_is_wrong_usage(root: Path, path: str) -> None:
    assert run(["-C", str(root), "fmt", str(root / path)]) == 64


def test_a_symbolic_link_is_not_written_through(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(UNTIDY)
    (root / "districts/elm.yaml").symlink_to(elsewhere)
    assert run(["-C", str(root), "fmt"]) == 0
    assert elsewhere.read_text() == UNTIDY
    assert (root / "districts/elm.yaml").is_symlink()


def test_what_is_valid_before_is_valid_after(tmp_path: Path) -> None:
    file = district(tmp_path, "oak", more='ignored_schools: ["9"]\n')
    assert run(["-C", str(tmp_path), "validate"]) == 0
    assert run(["-C", str(tmp_path), "fmt"]) == 0
    assert 'account: "a-oak"' in file.read_text()
    assert run(["-C", str(tmp_path), "validate"]) == 0


def test_the_example_fleet_is_formatted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(REPOSITORY), "fmt", "--check"]) == 0, capsys.readouterr().out
