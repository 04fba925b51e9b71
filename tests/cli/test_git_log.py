"""History joined with git: what each run's commit was, and which districts' files it changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.git.asking import Git
from reconciler.cli.git.log import read_commits
from reconciler.render.commits import GitCommit
from reconciler.settings import Settings
from tests.cli.repositories import Repository, repository

UNKNOWN = "1234567890" * 4


@pytest.fixture
def fleet(tmp_path: Path) -> Repository:
    return repository(tmp_path / "fleet")


def read(fleet: Repository, commit: str) -> GitCommit:
    return read_commits(fleet.root, Settings(), [commit])[commit]


def test_a_commit_comes_with_its_subject_author_date_and_districts(fleet: Repository) -> None:
    fleet.commit("Onboard oak and elm", oak="1", elm="1")
    (fleet.root / "README.md").write_text("not of the configuration")
    commit = fleet.commit("Move oak (#12)", oak="2", elm=None, ash="1")
    assert read(fleet, commit).to_json() == {
        "found": True,
        "author": "Ada <ada@example.org>",
        "date": "2026-11-22T10:00:00Z",
        "subject": "Move oak (#12)",
        "request": "#12",
        "files": [
            {"path": "districts/ash.yaml", "change": "added"},
            {"path": "districts/elm.yaml", "change": "removed"},
            {"path": "districts/oak.yaml", "change": "changed"},
        ],
        "districts": ["ash", "elm", "oak"],
        "note": None,
    }


def test_the_first_commit_added_all_of_its_files(fleet: Repository) -> None:
    assert read(fleet, fleet.commit("Onboard", oak="1", elm="1")).districts == ("elm", "oak")


def test_a_merge_shows_what_it_brought_into_the_branch(fleet: Repository) -> None:
    fleet.commit("Onboard oak", oak="1")
    fleet.git("checkout", "--quiet", "-b", "feature")
    fleet.commit("Onboard elm", elm="1")
    fleet.git("checkout", "--quiet", "main")
    fleet.commit("Move oak", oak="2")
    fleet.git("merge", "--quiet", "--no-ff", "--message", "Merge pull request #7 from x/feature", "feature")
    merge = read(fleet, fleet.head)
    assert (merge.request, merge.districts) == ("#7", ("elm",))


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        ("Merge pull request #14 from ada/oak\n\nOnboard oak", "#14"),
        ("Onboard oak (#15)", "#15"),
        ("Merge branch 'oak' into 'main'\n\nOnboard oak\n\nSee merge request isd/fleet!16", "!16"),
        ("Onboard oak (!17)", "!17"),
        ("Merged in oak (pull request #18)", "#18"),
        ("Merged PR 19: Onboard oak", "#19"),
        ("Onboard oak, see #20 and (#21) for more", ""),
        ("Onboard oak\n\nSee merge request 22", ""),
    ],
    ids=[
        "GitHub merge", "GitHub squash", "GitLab merge", "GitLab squash",
        "Bitbucket", "Azure", "a mention", "prose",
    ],
)  # fmt: skip
def test_the_request_that_was_merged_is_known_by_its_message(
    fleet: Repository, message: str, request_: str
) -> None:
    assert read(fleet, fleet.commit(message)).request == request_


def test_a_fleet_in_a_folder_of_a_larger_repository_sees_its_own_files(tmp_path: Path) -> None:
    whole = repository(tmp_path / "whole")
    inner = Repository(whole.root / "fleet")
    (inner.root / "districts").mkdir(parents=True)
    (whole.root / "districts").mkdir()
    (whole.root / "districts/other.yaml").write_text("x")
    commit = inner.commit("Onboard", oak="1")
    assert [f.path for f in read(inner, commit).files] == ["districts/oak.yaml"]


def test_file_names_of_any_kind_are_read(fleet: Repository) -> None:
    commit = fleet.commit("x", **{"tx/öak\nand more": "1", "a b\tc": "1"})
    assert sorted(f.path for f in read(fleet, commit).files) == [
        "districts/a b\tc.yaml",
        "districts/tx/öak\nand more.yaml",
    ]


def test_a_message_cannot_pass_for_another_commit_or_file(fleet: Repository) -> None:
    message = f"Onboard oak\n\n{UNKNOWN}\\0\nA\\0districts/elm.yaml\n{UNKNOWN}"
    commit = fleet.commit(message, oak="1")
    assert read(fleet, commit).districts == ("oak",)
    assert not read(fleet, UNKNOWN).found


@pytest.mark.parametrize("commit", [UNKNOWN, "v1.2", "--output=/etc/passwd", "HEAD", "main", "abc\ndef"])
def test_what_is_not_in_the_repository_is_said_so(fleet: Repository, commit: str) -> None:
    here = fleet.commit("Onboard oak", oak="1")
    found = read_commits(fleet.root, Settings(), [here, commit])
    assert found[here].found
    assert not found[commit].found
    assert "not in this repository" in found[commit].note


def test_a_dirty_commit_and_a_short_one_are_found_by_what_they_stand_for(fleet: Repository) -> None:
    commit = fleet.commit("Onboard oak", oak="1")
    assert read(fleet, f"{commit}-dirty") == read(fleet, commit) == read(fleet, commit[:10])


def test_a_shallow_clone_says_what_it_does_not_know(fleet: Repository, tmp_path: Path) -> None:
    first = fleet.commit("Onboard oak", oak="1")
    second = fleet.commit("Onboard elm", elm="1")
    shallow = fleet.clone(tmp_path / "shallow", "--depth", "1")
    assert "shallow" in read(shallow, first).note
    newest = read(shallow, second)
    assert (newest.found, newest.subject, newest.files) == (True, "Onboard elm", ())
    assert "not known" in newest.note


def test_without_a_checkout_that_is_said_too(tmp_path: Path) -> None:
    note = read_commits(tmp_path, Settings(), [UNKNOWN])[UNKNOWN].note
    assert "no checkout" in note


def test_git_is_asked_once_however_many_commits_there_are(
    fleet: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = [fleet.commit(f"{n}", oak=str(n)) for n in range(8)]
    asked: list[str] = []
    ask = Git.ask
    monkeypatch.setattr(Git, "ask", lambda git, *a, **k: (asked.append(a[0]), ask(git, *a, **k))[1])
    assert len(read_commits(fleet.root, Settings(), [*commits, "", UNKNOWN])) == 9
    assert asked.count("log") == 1
    assert len(asked) <= 3
