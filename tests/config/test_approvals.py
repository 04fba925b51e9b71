"""What `validate` says of approvals: each kind of mistake by a finding of its own, at its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reconciler.config.approval import BrokenLimit
from reconciler.config.approvals import check_approvals, find_approval
from reconciler.errors import ConfigError

TODAY = date(2026, 11, 23)
DIGEST = "5f1c" * 16
FILE = f"approvals/oak/{DIGEST}.yaml"
TEXT = f"""\
district: oak
digest: "{DIGEST}"
limits:
  - {{limit: max_removal_percent, of: students, rows: 41, active: 100}}
reason: Jefferson closed
expires: 2026-11-23
"""


def found(root: Path, text: str, file: str = FILE, *, today: date = TODAY) -> list[str]:
    """Each problem as `place severity code`."""
    (root / file).parent.mkdir(parents=True)
    (root / file).write_text(text, encoding="utf-8")
    problems, files = check_approvals(root, {"oak", "elm"}, today)
    assert files == 1
    assert all(p.hint or p.code == "approval.schema" for p in problems)
    return [f"{p.place} {p.severity} {p.code}" for p in problems]


def test_an_approval_that_is_right_has_no_problem_on_its_last_day(tmp_path: Path) -> None:
    assert found(tmp_path, TEXT) == []
    approval = find_approval(tmp_path, "oak", DIGEST)
    assert approval is not None
    assert approval.limits == (BrokenLimit("max_removal_percent", "students", 41, 100),)
    assert (approval.file, approval.reason, approval.expires) == (FILE, "Jefferson closed", TODAY)


CASES = {
    "expired": (TEXT.replace("11-23", "11-22"), ":6:10 warning approval.expired"),
    "of a district that is not there": (None, ":1:11 error approval.district"),
    "of another district": (TEXT.replace(": oak", ": elm"), ":1:11 error approval.place"),
    "of another digest": (TEXT.replace("5f1c5f1c", "00005f1c", 1), ":2:9 error approval.digest"),
    "without a reason": (TEXT.replace("reason: Jefferson closed\n", ""), ":1:1 error approval.schema"),
    "with a reason of spaces": (TEXT.replace("Jefferson closed", "'  '"), ":5:9 error approval.schema"),
    "with a key that nobody knows": (TEXT + "all: true\n", ":7:1 error approval.schema"),
    "without limits": (TEXT.replace("limits:\n  - {", "limits: []\nx: {"), ":3:9 error approval.schema"),
    "with a count that is text": (TEXT.replace("rows: 41", 'rows: "41"'), ":4:54 error approval.schema"),
    "that expires never": (TEXT.replace("2026-11-23", "never"), ":6:10 error approval.schema"),
    "that expires on no day": (TEXT.replace("2026-11-23", "2026-11-31"), ":6:10 error approval.schema"),
    "written twice": (TEXT + "district: oak\n", ":7:1 error config.duplicate"),
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES)
def test_a_file_is_told_that_is(text: str | None, said: str, tmp_path: Path) -> None:
    file = FILE if text else FILE.replace("oak", "nobody")
    text = text or TEXT.replace(": oak", ": nobody")
    problems = found(tmp_path, text, file)
    assert f"{file}{said}" in problems


@pytest.mark.parametrize(
    "file",
    [
        "approvals/x.yaml",
        f"approvals/oak/{DIGEST}.yml",
        "approvals/oak/later.yaml",
        f"approvals/oak/x/{DIGEST}.yaml",
    ],
)
def test_what_is_in_the_wrong_place_is_told(file: str, tmp_path: Path) -> None:
    assert found(tmp_path, TEXT, file) == [f"{file} error approval.place"]


def test_what_may_lie_beside_approvals_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "approvals" / "oak").mkdir(parents=True)
    for name in ("README.md", ".gitkeep", "oak/.gitkeep"):
        (tmp_path / "approvals" / name).write_text("")
    assert check_approvals(tmp_path, {"oak"}, TODAY) == ([], 0)


@pytest.mark.parametrize(
    ("district", "digest"), [("..", DIGEST), ("oak", "../oak/x"), ("oak", ""), ("", DIGEST)]
)
def test_no_name_leads_out_of_the_folder(district: str, digest: str, tmp_path: Path) -> None:
    assert find_approval(tmp_path, district, digest) is None


@pytest.mark.parametrize(
    "text", ["", "- a\n", TEXT.replace(": oak", ": elm"), TEXT.replace("rows: 41", "rows: -1")]
)
def test_a_file_that_is_not_valid_is_no_approval(text: str, tmp_path: Path) -> None:
    found(tmp_path, text)
    with pytest.raises(ConfigError, match="is not valid"):
        find_approval(tmp_path, "oak", DIGEST)
