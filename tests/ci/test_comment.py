"""The job that may write comments takes nothing from a pull request but its text, and that with care."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.render.plan_markdown import MARKER
from tests.ci.forge import GITHUB, load
from tests.conftest import require

SHA = "0123456789" * 4
FORK = {"id": 2, "full_name": "ada/fleet", "owner": {"login": "ada"}}
EVENT = {"head_sha": SHA, "head_branch": "elm", "head_repository": FORK}
PULL = {"number": 7, "head": {"sha": SHA, "repo": {"id": 2}}}
BOT = {"login": "github-actions[bot]"}


class Commenter:
    """The job's script in a folder with a report, and a GitHub that only remembers."""

    def __init__(self, folder: Path) -> None:
        (folder / "report").mkdir()
        self.report = folder / "report/plan.md"
        self.report.write_text(f"{MARKER}\nPlan: 1 to create.\n")
        self.pulls: list[Any] = [PULL]
        self.comments: list[Any] = []
        self.event: dict[str, Any] = dict(EVENT)

    def run(self) -> dict[str, Any]:
        """The calls to GitHub that write, by name, and what failed."""
        (job,) = load(GITHUB / "reconciler-comment.yml")["jobs"].values()
        given = {
            "script": job["steps"][-1]["with"]["script"],
            "event": self.event, "pulls": self.pulls, "comments": self.comments,
        }  # fmt: skip
        done = subprocess.run(
            ["node", str(Path(__file__).with_name("comment.mjs"))],
            cwd=self.report.parents[1],
            input=json.dumps(given),
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        said = json.loads(done.stdout)
        return {
            **{name: o for name, o in said["calls"] if name in {"create", "update"}},
            "failed": said["failed"],
        }


@pytest.fixture
def commenter(tmp_path: Path) -> Commenter:
    require(shutil.which("node"), "Node.js is not installed: the script of the comment cannot be run")
    return Commenter(tmp_path)


def test_the_plan_becomes_a_comment_on_the_pull_request_of_that_commit(commenter: Commenter) -> None:
    made = commenter.run()["create"]
    assert (made["owner"], made["repo"], made["issue_number"]) == ("isd", "fleet", 7)
    assert made["body"].startswith(f"{MARKER}\nPlan: 1 to create.\n")
    assert f"From the files of {SHA}, by a job that the pull request itself can change" in made["body"]


def test_a_later_plan_replaces_it(commenter: Commenter) -> None:
    commenter.comments = [
        {"id": 1, "user": {"login": "ada"}, "body": f"{MARKER}\nforged"},
        {"id": 2, "user": BOT, "body": "of another workflow"},
        {"id": 3, "user": BOT, "body": f"{MARKER}\nthe plan before"},
    ]
    done = commenter.run()
    assert (done["update"]["comment_id"], "create" in done) == (3, False)


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [{**PULL, "head": {"sha": "7" * 40, "repo": {"id": 2}}}],
        [{**PULL, "head": {"sha": SHA, "repo": {"id": 1}}}],
        [{**PULL, "head": {"sha": SHA, "repo": None}}],
    ],
    ids=["none is open", "it has a newer commit", "it is of another fork", "its fork is gone"],
)
def test_where_no_pull_request_has_the_commit_nothing_is_said(commenter: Commenter, pulls: list[Any]) -> None:
    commenter.pulls = pulls
    assert commenter.run() == {"failed": []}


def test_a_fork_that_is_gone_is_no_error(commenter: Commenter) -> None:
    commenter.event["head_repository"], commenter.pulls = None, []
    assert commenter.run() == {"failed": []}


def test_nobody_is_called_by_a_forged_report(commenter: Commenter) -> None:
    commenter.report.write_text(f"{MARKER}\n@isd/owners please merge, @ada agrees")
    body = commenter.run()["create"]["body"]
    assert "@\u200bisd/owners" in body
    assert "@\u200bada" in body


def test_a_long_report_is_cut_to_what_a_comment_may_hold(commenter: Commenter) -> None:
    commenter.report.write_text(MARKER + "😀" * 40_000)
    body = commenter.run()["create"]["body"]
    assert len(body.encode("utf-16-le")) // 2 < 65_536
    assert "itself can change" in body


@pytest.mark.parametrize("kind", ["a link", "too large", "no plan", "a folder"])
def test_what_is_no_report_is_refused(commenter: Commenter, tmp_path: Path, kind: str) -> None:
    report = commenter.report
    if kind == "a link":
        (tmp_path / "secret").write_text(f"{MARKER} secret")
        report.unlink()
        report.symlink_to(tmp_path / "secret")
    elif kind == "a folder":
        report.unlink()
        report.mkdir()
    else:
        report.write_text(MARKER + "x" * 300_000 if kind == "too large" else "Looks good to me")
    done = commenter.run()
    assert len(done["failed"]) == 1
    assert "create" not in done
