"""The workflows, hooks and editor lines that people copy are right before anybody copies them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.config.find import find_district_files
from tests.ci.forge import GITHUB, GITLAB, INSTALL, ROOT, load
from tests.cli.repositories import repository

WORKFLOWS = sorted([*GITHUB.glob("*.yml"), *(ROOT / ".github/workflows").glob("*.yml")])
EACH = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
HOOKS = ROOT / ".pre-commit-hooks.yaml"
MODELINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def test_there_is_a_workflow_for_each_occasion() -> None:
    occasions = {name for path in WORKFLOWS if path.parent == GITHUB for name in load(path)["on"]}
    assert occasions == {"pull_request", "workflow_run", "push", "schedule", "workflow_dispatch"}


@EACH
def test_actions_are_pinned_by_commit_with_their_version_beside_it(path: Path) -> None:
    lines = [line.strip().removeprefix("- ") for line in path.read_text().splitlines()]
    used = [line for line in lines if line.startswith("uses:")]
    assert used != []
    assert [x for x in used if not re.fullmatch(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", x)] == []


def test_an_action_is_pinned_to_one_commit_everywhere() -> None:
    pins = {step["uses"] for path in WORKFLOWS for step in steps(path) if "uses" in step}
    assert len({pin.split("@")[0] for pin in pins}) == len(pins)


@EACH
def test_a_job_has_few_rights_little_time_and_no_credentials_in_its_checkout(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert "concurrency" in workflow
    for job in workflow["jobs"].values():
        assert "permissions" in job
        assert "timeout-minutes" in job
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@EACH
def test_nothing_that_others_write_is_put_into_a_script(path: Path) -> None:
    scripts = [step.get("run") or step.get("with", {}).get("script", "") for step in steps(path)]
    assert [script for script in scripts if "${{" in script] == []


def test_secrets_are_named_only_where_the_default_branch_runs() -> None:
    naming = {path.name for path in GITHUB.glob("*.yml") if "secrets." in path.read_text()}
    assert naming == {"reconciler-merge.yml", "reconciler-sync.yml"}
    for name in naming:
        assert all(job["environment"] == "production" for job in load(GITHUB / name)["jobs"].values())


def test_what_writes_runs_one_at_a_time_and_is_never_stopped_half_way() -> None:
    groups = [load(GITHUB / f"reconciler-{name}.yml")["concurrency"] for name in ("merge", "sync")]
    assert [group["cancel-in-progress"] for group in groups] == [False, False]
    assert len({group["group"] for group in groups}) == 2
    pipeline = load(GITLAB)
    assert pipeline["reconcile"]["resource_group"] != pipeline["sync"]["resource_group"]


def test_the_comment_listens_to_the_workflow_that_writes_the_report() -> None:
    (listened,) = load(GITHUB / "reconciler-comment.yml")["on"]["workflow_run"]["workflows"]
    assert listened == load(GITHUB / "reconciler-pull-request.yml")["name"]


def test_the_program_is_installed_by_one_line_everywhere() -> None:
    lines = [
        line.strip() for path in (*GITHUB.glob("*.yml"), GITLAB) for line in path.read_text().splitlines()
    ]
    assert {line.removeprefix("- ").removeprefix("run: ") for line in lines if "pip install" in line} == {
        INSTALL
    }


def test_zizmor_finds_nothing() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("zizmor"), "--offline", "--pedantic", "--strict-collection",
         "--no-progress", HOOKS, *WORKFLOWS],
        check=False, capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("hook", "taken", "passed_over"),
    [
        (
            "reconciler-validate",
            ["districts/tx/oak.yaml", "districts/oak.yml", "mappers/acme.json", "reconciler.yaml"],
            ["README.md", "docs/districts/oak.yaml", "mappers/tests/x.json", "districts/notes.txt"],
        ),
        (
            "reconciler-fmt",
            ["districts/tx/oak.yaml", "reconciler.yaml"],
            ["mappers/acme.json", "docs/reconciler.yaml", "compose.yaml"],
        ),
    ],
)
def test_a_hook_runs_on_the_files_that_it_is_about(
    hook: str, taken: list[str], passed_over: list[str]
) -> None:
    (found,) = [h for h in yaml.safe_load(HOOKS.read_text()) if h["id"] == hook]
    pattern = re.compile(found["files"])
    assert [f for f in taken if not pattern.search(f)] == []
    assert [f for f in passed_over if pattern.search(f)] == []


class PreCommit:
    """A fleet with one hook as it stands, but for `language`: the program is installed here already."""

    def __init__(self, folder: Path, hook: str) -> None:
        self._program, self._home = Path(sys.executable).with_name("pre-commit"), folder / "home"
        subprocess.run([self._program, "validate-manifest", HOOKS], check=True)
        (found,) = [h for h in yaml.safe_load(HOOKS.read_text()) if h["id"] == hook]
        config = {"repos": [{"repo": "local", "hooks": [{**found, "language": "system"}]}]}
        self.fleet = repository(folder / "fleet")
        (self.fleet.root / ".pre-commit-config.yaml").write_text(json.dumps(config))
        shutil.copytree(ROOT / "districts/ca", self.fleet.root / "districts/ca")
        shutil.copytree(ROOT / "mappers", self.fleet.root / "mappers")

    def run(self) -> subprocess.CompletedProcess[str]:
        """The hook on every file of the fleet, all of them known to git."""
        self.fleet.git("add", "--all")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [self._program, "run", "--all-files", "--color=never"],
            cwd=self.fleet.root,
            env={"PATH": path, "HOME": str(self._home), "PRE_COMMIT_HOME": str(self._home)},
            check=False,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )


def test_pre_commit_stops_a_broken_district(tmp_path: Path) -> None:
    hook = PreCommit(tmp_path, "reconciler-validate")
    passed = hook.run()
    assert passed.returncode == 0, passed.stdout
    (hook.fleet.root / "districts/ca/elm.yaml").write_text("district: elm\n")
    failed = hook.run()
    assert failed.returncode == 1
    assert "districts/ca/elm.yaml:1:1" in failed.stdout


def test_pre_commit_formats_the_changed_files_and_stops_until_they_are_added(tmp_path: Path) -> None:
    hook = PreCommit(tmp_path, "reconciler-fmt")
    (hook.fleet.root / "reconciler.yaml").write_text("policy:\n  host_keys: first-use\n")
    passed = hook.run()
    assert passed.returncode == 0, passed.stdout
    file = next((hook.fleet.root / "districts/ca").glob("*.yaml"))
    formatted = file.read_text()
    file.write_text(re.sub(r'^account: "(\d+)"$', r"account:   \1", formatted, flags=re.MULTILINE))
    failed = hook.run()
    assert failed.returncode == 1
    assert "files were modified by this hook" in failed.stdout
    assert file.read_text() == formatted
    assert hook.run().returncode == 0


def test_editors_find_the_schema_from_every_example() -> None:
    files = [Path(file.path) for file in find_district_files(ROOT).files]
    assert files != []
    for file in files:
        (schema,) = MODELINE.findall(file.read_text())
        assert (file.parent / schema).resolve() == ROOT / "schemas/district.schema.json"
