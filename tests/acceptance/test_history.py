"""Git history is the audit trail: each run knows its commit, and an old checkout undoes nothing."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from reconciler.cli import reconcile as command
from reconciler.planning.plan import Plan
from tests.acceptance.world import World, students_csv


def git(world: World, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C", str(world.root), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(world: World, message: str) -> str:
    git(world, "add", "--all")
    git(world, "commit", "--quiet", "--message", message)
    return git(world, "rev-parse", "HEAD")


@pytest.fixture
def oak(world: World) -> World:
    """A district in a git repository, reconciled at its first commit."""
    git(world, "init", "--quiet")
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(4)})
    commit(world, "Onboard oak")
    assert world.run("reconcile").code == 0
    return world


def test_a_run_is_recorded_with_its_commit_and_author(oak: World) -> None:
    first = git(oak, "rev-parse", "HEAD")
    (run,) = oak.json("history")
    assert (run["commit"], run["author"], run["outcome"]) == (first, "Ada <ada@example.org>", "succeeded")
    assert oak.status("oak")["last_sync"]["commit"] == first
    assert [r["district"] for r in run["results"]] == ["oak"]


def test_what_is_not_committed_is_marked(oak: World) -> None:
    oak.district("oak", schools=["0042", "0043"])
    assert oak.run("reconcile").code == 0
    assert oak.json("history", "--limit", "1")[0]["commit"].endswith("-dirty")


def test_an_older_commit_does_not_undo_a_newer_one_unless_that_is_said(oak: World) -> None:
    first = git(oak, "rev-parse", "HEAD")
    oak.district("oak", schools=["0042", "0043"])
    second = commit(oak, "Map a school")
    assert oak.run("reconcile").code == 0

    git(oak, "checkout", "--quiet", first)
    refused = oak.run("reconcile", "--format", "json")
    assert refused.code == 1
    assert refused.json["error"]["code"] == "plan.older"
    assert oak.status("oak")["schools"]["mapped"] == 2

    assert oak.run("reconcile", "--rollback").code == 0
    assert oak.status("oak")["schools"]["mapped"] == 1
    git(oak, "checkout", "--quiet", second)
    assert oak.run("reconcile").code == 0
    assert oak.status("oak")["schools"]["mapped"] == 2


def test_a_revert_is_a_newer_commit(oak: World) -> None:
    oak.district("oak", schools=["0042", "0043"])
    commit(oak, "Map a school")
    assert oak.run("reconcile").code == 0
    git(oak, "revert", "--no-edit", "HEAD")
    assert oak.run("reconcile").code == 0
    assert oak.status("oak")["schools"]["mapped"] == 1


def test_a_branch_that_lacks_the_last_commit_does_not_undo_it(oak: World) -> None:
    first = git(oak, "rev-parse", "HEAD")
    oak.district("oak", schools=["0042", "0043"])
    commit(oak, "Map a school")
    assert oak.run("reconcile").code == 0
    git(oak, "checkout", "--quiet", "-b", "feature", first)
    oak.district("elm")
    commit(oak, "Onboard elm")
    refused = oak.run("reconcile", "--format", "json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "plan.diverged")
    assert oak.status("oak")["schools"]["mapped"] == 2


def test_a_run_that_a_newer_commit_has_overtaken_undoes_nothing_of_it(
    oak: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    oak.district("oak", schools=["0042", "0043"])
    second = commit(oak, "Map a school")
    oak.district("oak", schools=["0042", "0043", "0044"])
    commit(oak, "Map another")
    git(oak, "checkout", "--quiet", second)
    planned = command.plan_fleet

    def overtaken(*arguments: Any, **options: Any) -> Plan:
        """The older run has read its files and made its plan, and now a newer one does all of its work."""
        plan = planned(*arguments, **options)
        monkeypatch.undo()
        git(oak, "checkout", "--quiet", "-")
        assert oak.run("reconcile").code == 0
        return plan

    monkeypatch.setattr(command, "plan_fleet", overtaken)
    done = oak.run("reconcile", "--format", "json")
    assert (done.code, done.json["error"]["code"]) == (1, "plan.older")
    assert oak.status("oak")["schools"]["mapped"] == 3


def test_history_joins_each_run_with_what_git_says_of_its_commit(oak: World) -> None:
    oak.district("oak", schools=["0042", "0043"])
    commit(oak, "Map a school (#12)")
    assert oak.run("reconcile").code == 0
    assert oak.run("sync").code == 0
    synced, newest, first = oak.json("history", "oak")
    assert (newest["git"]["subject"], newest["git"]["request"]) == ("Map a school (#12)", "#12")
    assert (newest["git"]["districts"], first["git"]["subject"]) == (["oak"], "Onboard oak")
    assert [len(run["plan_digest"] or "") for run in (synced, newest, first)] == [0, 64, 64]
    text = oak.run("history", "--limit", "2").out
    assert "“Map a school (#12)”" in text
    assert "changed districts/oak.yaml\n" in text


def test_history_says_which_commits_git_no_longer_has(oak: World) -> None:
    shutil.rmtree(oak.root / ".git")
    (run,) = oak.json("history")
    assert (run["git"]["found"], run["git"]["subject"]) == (False, "")
    assert "no checkout" in oak.run("history").out
