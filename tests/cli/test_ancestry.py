"""The commit reconciled last must be in the history of the one that is reconciled now."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli.git import asking as git
from reconciler.cli.git.ancestry import newest_only, refuse_older
from reconciler.errors import PlanError
from reconciler.planning.run import RunInfo
from reconciler.settings import Settings
from tests.cli.repositories import Repository, repository

SETTINGS = Settings.from_env()
UNKNOWN = "1234567890" * 4


@pytest.fixture
def fleet(tmp_path: Path) -> Repository:
    """Three commits on main: first, second, third."""
    made = repository(tmp_path / "fleet")
    for message in ("first", "second", "third"):
        made.commit(message, oak=message)
        made.git("tag", message)
    return made


def of(fleet: Repository, name: str) -> str:
    return fleet.git("rev-parse", f"{name}^{{commit}}")


@pytest.mark.parametrize(
    ("last", "now"),
    [("", "first"), ("second", "second"), ("first", "third"), ("second", "third")],
    ids=["nothing was reconciled yet", "the same commit", "two commits later", "the next commit"],
)
def test_what_is_newer_may_be_reconciled(fleet: Repository, last: str, now: str) -> None:
    refuse_older(fleet.root, SETTINGS, of(fleet, now), of(fleet, last) if last else "")


def test_uncommitted_changes_to_the_last_commit_may_be_reconciled_and_committed(fleet: Repository) -> None:
    refuse_older(fleet.root, SETTINGS, f"{of(fleet, 'second')}-dirty", of(fleet, "second"))
    refuse_older(fleet.root, SETTINGS, of(fleet, "third"), f"{of(fleet, 'second')}-dirty")


def test_a_merge_commit_has_both_its_sides(fleet: Repository) -> None:
    fleet.git("checkout", "--quiet", "-b", "feature", "first")
    feature = fleet.commit("feature", elm="x")
    fleet.git("checkout", "--quiet", "main")
    fleet.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    for last in (feature, of(fleet, "third")):
        refuse_older(fleet.root, SETTINGS, fleet.head, last)


Scene = Callable[[Repository, Path], tuple[Path, str, str]]
"""The checkout, the commit in it, and the one that was reconciled last."""


def older(fleet: Repository, _: Path) -> tuple[Path, str, str]:
    return fleet.root, of(fleet, "first"), of(fleet, "third")


def older_and_edited(fleet: Repository, _: Path) -> tuple[Path, str, str]:
    return fleet.root, f"{of(fleet, 'first')}-dirty", of(fleet, "third")


def branch(fleet: Repository, _: Path) -> tuple[Path, str, str]:
    fleet.git("checkout", "--quiet", "-b", "feature", "first")
    return fleet.root, fleet.commit("feature", elm="x"), of(fleet, "third")


def rewritten(fleet: Repository, folder: Path) -> tuple[Path, str, str]:
    gone = of(fleet, "third")
    fleet.git("tag", "--delete", "third")
    fleet.git("reset", "--quiet", "--hard", "second")
    fleet.commit("third, said otherwise", oak="third")
    return fleet.clone(folder / "fresh").root, fleet.head, gone


def not_fetched(fleet: Repository, folder: Path) -> tuple[Path, str, str]:
    stale = fleet.clone(folder / "stale")
    return stale.root, stale.head, fleet.commit("fourth", oak="fourth")


def shallow_and_newer(fleet: Repository, folder: Path) -> tuple[Path, str, str]:
    return fleet.clone(folder / "shallow", "--depth", "1").root, of(fleet, "third"), of(fleet, "second")


def shallow_with_both(fleet: Repository, folder: Path) -> tuple[Path, str, str]:
    """Both commits are there, and what lies between them is not."""
    shallow = fleet.clone(folder / "shallow", "--depth", "1")
    shallow.git("fetch", "--quiet", "--depth", "1", "origin", "tag", "first")
    return shallow.root, of(fleet, "third"), of(fleet, "first")


@pytest.mark.parametrize(
    ("scene", "code", "said"),
    [
        pytest.param(older, "plan.older", "is older than", id="an older commit"),
        pytest.param(older_and_edited, "plan.older", "is older than", id="an older commit, edited"),
        pytest.param(branch, "plan.diverged", "in its history", id="a branch that lacks what was merged"),
        pytest.param(rewritten, "plan.unknown-commit", "rewritten", id="after a force-push"),
        pytest.param(not_fetched, "plan.unknown-commit", "not in this clone", id="a clone that is behind"),
        pytest.param(shallow_and_newer, "plan.unknown-commit", "shallow", id="a shallow clone"),
        pytest.param(shallow_with_both, "plan.unknown-commit", "shallow", id="a shallow clone with both"),
    ],
)
def test_what_may_undo_newer_work_is_refused(
    fleet: Repository, tmp_path: Path, scene: Scene, code: str, said: str
) -> None:
    root, now, last = scene(fleet, tmp_path)
    with pytest.raises(PlanError) as refused:
        refuse_older(root, SETTINGS, now, last)
    assert refused.value.code == code
    assert said in refused.value.message
    assert "nothing was done" in refused.value.message
    assert "--rollback" in refused.value.hint


def test_a_force_push_is_seen_where_the_old_commit_is_still_there(fleet: Repository) -> None:
    gone = of(fleet, "third")
    fleet.git("reset", "--quiet", "--hard", "second")
    with pytest.raises(PlanError) as refused:
        refuse_older(fleet.root, SETTINGS, fleet.commit("third, said otherwise", oak="3"), gone)
    assert refused.value.code == "plan.diverged"


def test_a_checkout_that_git_cannot_read_is_refused(fleet: Repository) -> None:
    (fleet.root / ".git/HEAD").write_text("broken")
    with pytest.raises(PlanError) as refused:
        refuse_older(fleet.root, SETTINGS, UNKNOWN, "7" * 40)
    assert refused.value.code == "plan.git"
    assert "safe.directory" in refused.value.hint


def test_where_there_is_no_git_a_warning_says_that_the_order_is_not_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "reconciler.cli"):
        refuse_older(tmp_path, SETTINGS, UNKNOWN, "7" * 40)
    assert "whether 123456789012 is older than 777777777777" in caplog.text


def test_without_the_program_git_a_checkout_is_refused(
    fleet: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, third = of(fleet, "first"), of(fleet, "third")
    monkeypatch.setattr(git.subprocess, "run", missing)
    with pytest.raises(PlanError, match="not installed"):
        refuse_older(fleet.root, SETTINGS, third, first)


def missing(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
    raise FileNotFoundError("git")


class Recorded:
    """History that other runs write into while this one goes on."""

    def __init__(self, *commits: str) -> None:
        self.runs = {f"20261123T12000{i}Z-000000": commit for i, commit in enumerate(commits)}

    def last_commit(self) -> str:
        return list(self.runs.values())[-1] if self.runs else ""

    def reconciles_since(self, start: datetime) -> dict[str, str]:
        return dict(self.runs)


def test_a_run_that_is_overtaken_by_a_newer_commit_leaves_the_rest_to_it(fleet: Repository) -> None:
    second, third = of(fleet, "second"), of(fleet, "third")
    history = Recorded(of(fleet, "first"))
    info = RunInfo("reconcile", datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC), second)
    check = newest_only(fleet.root, SETTINGS, info, history)
    history.runs["20261123T120005Z-ffffff"] = second  # its own
    check()
    history.runs["20261123T120004Z-ffffff"] = third  # began before, and was on record later
    for _ in range(2):
        with pytest.raises(PlanError) as refused:
            check()
        assert refused.value.code == "plan.older"


def test_a_run_of_the_newer_commit_goes_on_beside_an_older_one(fleet: Repository) -> None:
    history = Recorded()
    info = RunInfo("reconcile", datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC), of(fleet, "third"))
    check = newest_only(fleet.root, SETTINGS, info, history)
    history.runs["20261123T120005Z-ffffff"] = of(fleet, "second")
    check()
