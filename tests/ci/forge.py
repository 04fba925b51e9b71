"""What GitHub and GitLab do with a repository: branches, merge commits, checkouts and jobs, on this machine.

The lines of a workflow run as they stand in its file, in bash as the runner starts it, with the environment
that the runner would give and nothing else of ours. One line is passed over: the one that installs
reconciler, which is there already. Expressions are looked up in a table: a new one has to be looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.acceptance.world import World, students_csv
from tests.cli.repositories import Repository, repository

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / "docs/ci/github"
GITLAB = ROOT / "docs/ci/gitlab/.gitlab-ci.yml"
INSTALL = "python -m pip install --quiet --require-hashes --requirement ci/reconciler.txt"
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True)
class Ran:
    """A step that was run: its name, exit code, and what it printed."""

    name: str
    code: int
    out: str


def load(path: Path) -> dict[str, Any]:
    """A workflow. YAML 1.1 reads the key `on` as true."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


@dataclass
class Forge:
    """A fleet, its bare repository, and the runners."""

    world: World
    folder: Path
    summaries: Path = field(init=False)
    artifacts: Path = field(init=False)
    clone: Repository = field(init=False)
    _jobs: int = 0

    def begin(self) -> None:
        """Onboard oak on main, and push."""
        self.summaries, self.artifacts = self.folder / "summary.md", self.folder / "artifacts"
        (self.folder / "home").mkdir()
        self.clone = repository(self.world.root)
        self.world.district("oak", schools=["0042"])
        self.world.put("oak", {"students.csv": students_csv(4)})
        subprocess.run(["git", "init", "--quiet", "--bare", str(self.origin)], check=True)
        self.clone.git("remote", "add", "origin", str(self.origin))
        self.clone.commit("Onboard oak")
        self.push("main")

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    def push(self, branch: str) -> None:
        self.clone.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def branch(self, name: str) -> None:
        self.clone.git("checkout", "--quiet", "-b", name, "main")

    def open_request(self, branch: str, number: int) -> None:
        """Push the branch, and make the merge commit that GitHub makes of it."""
        self.push(branch)
        self.clone.git("checkout", "--quiet", "--detach", "main")
        self.clone.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        self.clone.git("push", "--quiet", "origin", f"HEAD:refs/pull/{number}/merge")
        self.clone.git("checkout", "--quiet", branch)

    def merge(self, branch: str, message: str) -> str:
        """Merge into main as the button does; returns the merge commit."""
        self.clone.git("checkout", "--quiet", "main")
        self.clone.git("merge", "--quiet", "--no-ff", "--message", message, branch)
        self.push("main")
        return self.clone.head

    # -- jobs -----------------------------------------------------------------------------------------

    def github(self, file: str, ref: str, expressions: Mapping[str, str]) -> list[Ran]:
        """Run the first job of a workflow, as for `ref`, with `expressions` and what GitHub makes of them."""
        workflow = load(GITHUB / file)
        job = next(iter(workflow["jobs"].values()))
        shell = workflow["defaults"]["run"]["shell"]
        assert shell == "bash"
        work = self._folder()
        steps: list[Ran] = []
        for step in job["steps"]:
            failed = any(ran.code for ran in steps)
            if failed and step.get("if") != "${{ !cancelled() }}":
                continue
            if "uses" in step:
                self._use(step, work, ref)
            elif step["run"] != INSTALL:
                given = step.get("env", {})
                env = {k: _EXPRESSION.sub(lambda m: expressions[m[1]], str(v)) for k, v in given.items()}
                if "RECONCILER_AGE_IDENTITY" in given:
                    env |= self.districts_secrets
                steps.append(self._bash(step["name"], step["run"], work, env))
        return steps

    def gitlab(self, name: str, ref: str, variables: Mapping[str, str]) -> list[Ran]:
        """Run a job of the pipeline, as for `ref`."""
        pipeline = load(GITLAB)
        job, work = pipeline[name], self._folder()
        self._checkout(work, ref, int(pipeline["variables"]["GIT_DEPTH"]))
        lines = [*pipeline["default"]["before_script"], *job["script"]]
        assert lines[0] == INSTALL
        ran = [self._bash(name, "\n".join(lines[1:]), work, variables)]
        if "after_script" in job:
            ran.append(self._bash("after", "\n".join(job["after_script"]), work, variables))
        if "artifacts" in job:
            self._keep(work / "report")
        return ran

    def _folder(self) -> Path:
        self._jobs += 1
        work = self.folder / f"job-{self._jobs}"
        work.mkdir()
        return work

    def _use(self, step: Mapping[str, Any], work: Path, ref: str) -> None:
        action = step["uses"].split("@")[0]
        given = step.get("with", {})
        if action == "actions/checkout":
            assert given["persist-credentials"] is False
            self._checkout(work, ref, given.get("fetch-depth", 1))
        elif action == "actions/upload-artifact":
            self._keep(work / given["path"])
        else:
            assert action == "actions/setup-python", action

    def _keep(self, report: Path) -> None:
        shutil.rmtree(self.artifacts, ignore_errors=True)
        shutil.copytree(report, self.artifacts)

    def _checkout(self, work: Path, ref: str, depth: int) -> None:
        """As actions/checkout does it: a detached commit with so much history; 0 is all, with branches."""
        made = repository(work)
        made.git("remote", "add", "origin", f"file://{self.origin}")
        if depth:
            made.git("fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", ref)
        else:
            made.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
            made.git("fetch", "--quiet", "origin", ref)
        made.git("checkout", "--quiet", "--detach", "FETCH_HEAD")

    def _bash(self, name: str, script: str, work: Path, environment: Mapping[str, str]) -> Ran:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=work,
            env={
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(self.folder / "home"),
                "CI": "true",
                "LANG": "C.UTF-8",
                "GITHUB_STEP_SUMMARY": str(self.summaries),
                "GITHUB_ACTOR": "ada",
                **environment,
            },
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return Ran(name, done.returncode, done.stdout)

    # -- what jobs are given --------------------------------------------------------------------------

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets of the environment `production`, by the expressions that name them."""
        given = {"RECONCILER_AGE_IDENTITY": "", **self.world.environment}
        return {f"secrets.{name}": value for name, value in given.items()}

    @property
    def districts_secrets(self) -> dict[str, str]:
        """The lines that a fleet with `env` secrets adds where the workflow says so."""
        return {k: v for k, v in self.world.environment.items() if k.startswith("SFTP_")}
