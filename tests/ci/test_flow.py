"""Every line of the workflows that people copy, run as a runner runs them, from a branch to its history."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest

from reconciler.render.plan_markdown import MARKER
from tests.acceptance.world import students_csv
from tests.ci.forge import GITHUB, Forge, Ran, load

PERSON = {"inputs.allow_removals": "", "inputs.rollback && 'yes' || ''": ""}
PULL = "refs/pull/7/merge"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def codes(steps: Sequence[Ran]) -> dict[str, int]:
    return {step.name: step.code for step in steps}


def merge_job(forge: Forge, **inputs: str) -> list[Ran]:
    person = dict(zip(PERSON, inputs.values(), strict=True)) if inputs else PERSON
    return forge.github("reconciler-merge.yml", "refs/heads/main", {**forge.secrets, **person})


def branch_with_elm(forge: Forge) -> None:
    """A pull request that onboards elm and maps a school of oak."""
    forge.branch("elm")
    forge.world.district("elm", schools=["0042"])
    forge.world.put("elm", {"students.csv": students_csv(3)})
    forge.world.district("oak", schools=["0042", "0043"])
    forge.clone.commit("Onboard elm")
    forge.open_request("elm", 7)


def test_a_branch_is_validated_planned_merged_reconciled_and_found_in_history(forge: Forge) -> None:
    assert forge.world.run("reconcile").code == 0
    branch_with_elm(forge)
    seen, before = list(forge.world.seen), forge.world.json("history")

    steps = forge.github("reconciler-pull-request.yml", PULL, {})
    assert codes(steps) == {"Validate": 0, "Findings as SARIF": 0, "Plan": 0}
    plan = (forge.artifacts / "plan.md").read_text()
    assert plan.startswith(MARKER)
    assert re.search(r"elm.*create|create.*elm", plan)
    assert re.search(r"oak.*update|update.*oak", plan)
    assert plan in forge.summaries.read_text()
    assert json.loads((forge.artifacts / "reconciler.sarif").read_text())["version"] == "2.1.0"
    assert (forge.world.seen, forge.world.json("history")) == (seen, before), "no server, no database"

    merged = forge.merge("elm", "Merge pull request #7 from ada/elm")
    steps = merge_job(forge)
    assert codes(steps) == {"Plan": 0, "Reconcile": 0, "What happened": 0}
    (newest,) = forge.world.json("history", "--limit", "1")
    assert (newest["commit"], newest["outcome"], newest["actor"]) == (merged, "succeeded", "ada")
    assert (newest["git"]["request"], newest["git"]["districts"]) == ("#7", ["elm", "oak"])
    assert len(newest["plan_digest"]) == 64
    assert {r["district"]: r["action"] for r in newest["results"]} == {"elm": "create", "oak": "update"}
    assert "Merge pull request #7" in steps[-1].out

    synced = forge.github("reconciler-sync.yml", "refs/heads/main", forge.secrets)
    assert codes(synced) == {"Sync": 0}
    assert "2 unchanged" in synced[0].out


@ON_SQLITE
def test_a_pull_request_with_a_mistake_is_red_and_says_where(forge: Forge) -> None:
    forge.branch("elm")
    forge.world.write("elm", {"district": "elm"})
    forge.clone.commit("Onboard elm")
    forge.open_request("elm", 7)
    steps = forge.github("reconciler-pull-request.yml", PULL, {})
    assert codes(steps) == {"Validate": 1, "Findings as SARIF": 0, "Plan": 0}
    assert "::error file=districts/elm.yaml,line=" in steps[0].out
    findings = json.loads((forge.artifacts / "reconciler.sarif").read_text())["runs"][0]["results"]
    assert {f["level"] for f in findings} == {"error"}
    assert "elm" in (forge.artifacts / "plan.md").read_text()


@ON_SQLITE
def test_what_is_refused_or_held_goes_through_when_a_person_says_so(forge: Forge) -> None:
    """A job of an older commit comes late, and the files have lost most of their students."""
    first = forge.clone.head
    forge.world.put("oak", {"students.csv": students_csv(40)})
    forge.world.district("oak", schools=["0042", "0043"])
    forge.clone.commit("Map a school")
    assert forge.world.run("reconcile").code == 0
    forge.world.put("oak", {"students.csv": students_csv(4)})
    forge.clone.git("push", "--quiet", "--force", "origin", f"{first}:refs/heads/main")

    late = merge_job(forge)
    assert codes(late) == {"Plan": 0, "Reconcile": 1, "What happened": 0}
    assert "--rollback" in late[1].out
    assert forge.world.run("sync").code == 3

    assert set(codes(merge_job(forge, allow_removals="oak", rollback="yes")).values()) == {0}
    assert forge.world.status("oak")["schools"]["mapped"] == 1
    assert len(forge.world.export("students")) == 4


@ON_POSTGRESQL
def test_the_same_on_gitlab(forge: Forge) -> None:
    assert forge.world.run("reconcile").code == 0
    base = forge.clone.head
    branch_with_elm(forge)
    seen = list(forge.world.seen)

    person = {"GITLAB_USER_LOGIN": "ada", "GITHUB_ACTOR": ""}
    request = {**person, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    assert codes(forge.gitlab("read", "refs/heads/elm", request)) == {"read": 0}
    plan = (forge.artifacts / "plan.md").read_text()
    assert plan.startswith(MARKER)
    assert re.search(r"elm.*create|create.*elm", plan)
    assert forge.world.seen == seen

    merged = forge.merge("elm", "Merge branch 'elm' into 'main'\n\nSee merge request isd/fleet!7")
    production = {"RECONCILER_DATABASE_URL": forge.world.database_url, **forge.districts_secrets}
    ran = forge.gitlab("reconcile", "refs/heads/main", {**person, **production})
    assert codes(ran) == {"reconcile": 0, "after": 0}
    (newest,) = forge.world.json("history", "--limit", "1")
    assert (newest["commit"], newest["actor"], newest["git"]["request"]) == (merged, "ada", "!7")
    assert codes(forge.gitlab("sync", "refs/heads/main", {**person, **production})) == {"sync": 0}

    forge.world.write("fir", {"district": "fir"})
    forge.world.district("oak", schools=["0042"])
    forge.clone.commit("Unmap a school, and leave a file unfinished")
    forge.push("main")
    assert codes(forge.gitlab("reconcile", "refs/heads/main", {**person, **production})) == {
        "reconcile": 1,
        "after": 0,
    }
    assert forge.world.status("oak")["schools"]["mapped"] == 1, "the others are carried out all the same"


@ON_SQLITE
def test_a_merge_request_with_a_mistake_is_red_on_gitlab_too(forge: Forge) -> None:
    base = forge.clone.head
    forge.branch("elm")
    forge.world.write("elm", {"district": "elm"})
    forge.clone.commit("Onboard elm")
    forge.push("elm")
    (ran,) = forge.gitlab("read", "refs/heads/elm", {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base})
    assert ran.code == 1
    assert "districts/elm.yaml:" in ran.out


def test_no_step_that_reads_a_pull_request_is_given_a_secret() -> None:
    for file in ("reconciler-pull-request.yml", "reconciler-comment.yml"):
        assert "secrets." not in (GITHUB / file).read_text()
    assert set(load(GITHUB / "reconciler-pull-request.yml")["on"]) == {"pull_request"}
