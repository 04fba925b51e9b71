"""`plan --since REV`: what a branch touches is planned, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run

MAPPER = {
    "files": {"students": {"pattern": "students.csv"}},
    "entities": {
        "students": {
            "from": "students",
            "fields": {"id": "id", "school": "school", "first_name": "first", "last_name": "last"},
        }
    },
}


class Checkout:
    """A git repository with a fleet in it, perhaps in a sub-folder."""

    def __init__(self, top: Path, below: str = ""):
        self.top, self.root = top, top / below
        for folder in ("districts", "mappers"):
            (self.root / folder).mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        names = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        command = ["git", *names, "-C", str(self.top), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Change")

    def district(self, name: str, /, mapper: str = "generic", folder: str = "", **more: Any) -> Path:
        variable = f"SFTP_{name.upper().replace('-', '_')}_PASSWORD"
        document = {
            "district": name, "name": name, "account": name, "mapper": mapper,
            "sftp": {"host": "127.0.0.1", "username": "x", "password": {"env": variable}}, **more,
        }  # fmt: skip
        path = self.root / "districts" / folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    def mapper(self, name: str, /, **more: Any) -> Path:
        path = self.root / "mappers" / f"{name}.json"
        path.write_text(json.dumps({"name": name, **(more if "extends" in more else {**MAPPER, **more})}))
        return path


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """On a branch, after a commit on main: oak and elm (generic), ash (acme), fir (acme-north)."""
    return branched(tmp_path / "checkout")


def branched(top: Path, below: str = "") -> Checkout:
    made = Checkout(top, below)
    made.mapper("acme")
    made.mapper("acme-north", extends="acme", files={"students": {"delimiter": "|"}})
    for name, mapper in (("oak", "generic"), ("elm", "generic"), ("ash", "acme"), ("fir", "acme-north")):
        made.district(name, mapper)
    made.commit()
    made.git("checkout", "--quiet", "-b", "branch")
    return made


def planned(checkout: Checkout, capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    code = run(["-C", str(checkout.root), "plan", "--format", "json", *more])
    out = capsys.readouterr().out
    assert code in (0, 1, 64), out
    return json.loads(out)


def names(plan: Any) -> list[str]:
    return [d["district"] for d in plan["districts"]] + [f"!{d['district']}" for d in plan["refused"]]


def rename(c: Checkout) -> None:
    c.git("mv", str(c.root / "districts/oak.yaml"), str(c.root / "districts/oaks.yaml"))
    (c.root / "districts/oaks.yaml").write_text(c.district("oaks").read_text())


CHANGES: dict[str, tuple[Callable[[Checkout], Any], list[str]]] = {
    "nothing": (lambda _: None, []),
    "a district": (lambda c: c.district("oak", name="Oak"), ["oak"]),
    "a new district": (lambda c: c.district("yew"), ["yew"]),
    "a name that needs quotes": (lambda c: c.district("yew", folder='Grüße "und" \n\t mehr'), ["yew"]),
    "a mapper": (lambda c: c.mapper("acme-north", extends="acme"), ["fir"]),
    "a mapper that another extends": (lambda c: c.mapper("acme", description="x"), ["ash", "fir"]),
    "a mapper that is gone": (lambda c: (c.root / "mappers/acme-north.json").unlink(), ["!fir"]),
    "a mapper that hides a built-in one": (lambda c: c.mapper("generic"), ["elm", "oak"]),
    "the fleet's settings": (
        lambda c: (c.root / "reconciler.yaml").write_text("policy: {retire_after_days: 9}"),
        ["ash", "elm", "fir", "oak"],
    ),
    "a district that moves": (
        lambda c: (c.district("oak", folder="tx"), (c.root / "districts/oak.yaml").unlink()), ["oak"]
    ),
    "another name": (rename, ["oaks"]),
    "a file with a mistake": (lambda c: (c.root / "districts/elm.yaml").write_text("a: ["), ["!elm"]),
    "an account that is taken": (lambda c: c.district("yew", account="oak"), ["!oak", "!yew"]),
    "a secret's name that is taken": (
        lambda c: (c.district("oak", sftp={"host": "h", "username": "u",
                                           "password": {"env": "SFTP_OAK_HILL_PASSWORD"}}),
                   c.git("add", "--all"), c.git("commit", "-qm", "x"), c.git("branch", "-f", "main"),
                   c.district("oak-hill")),
        ["oak-hill", "!oak"],
    ),
    "something else": (lambda c: (c.top / "README.md").write_text("x"), []),
    "no more than white space in another file": (
        lambda c: (c.root / "districts/notes.txt").write_text("x"), []
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "found"), CHANGES.values(), ids=CHANGES)
def test_a_plan_since_a_revision_has_what_was_touched(
    checkout: Checkout,
    change: Callable[[Checkout], Any],
    found: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(checkout)
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--allow-empty", "--message", "Change")
    assert names(planned(checkout, capsys, "--since", "main")) == found


@pytest.mark.parametrize("case", ["a name that needs quotes", "a mapper that is gone", "another name"])
@pytest.mark.parametrize("is_staged", [True, False], ids=["staged", "in the work tree"])
def test_what_is_not_committed_counts_as_well(
    tmp_path: Path, case: str, is_staged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    below = branched(tmp_path, "config/of the fleet")
    change, found = CHANGES[case]
    change(below)
    if is_staged:
        below.git("add", "--all")
    assert names(planned(below, capsys, "--since", "main")) == found


def test_what_main_did_meanwhile_is_not_of_the_branch(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.district("elm", name="Elm")
    checkout.commit()
    checkout.git("checkout", "--quiet", "main")
    checkout.district("oak", name="Oak")
    checkout.commit()
    checkout.git("checkout", "--quiet", "branch")
    plan = planned(checkout, capsys, "--since", "main")
    assert names(plan) == ["elm"]
    since = plan["since"]
    assert since["revision"] == "main"
    assert since["commit"] == checkout.git("rev-parse", "main")
    assert since["base"] == checkout.git("merge-base", "main", "branch")
    assert (since["files"], since["districts"], since["left_out"]) == (1, 1, 3)


def test_a_deleted_district_is_retired(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(checkout.root)
    assert run(["-C", root, "reconcile", "--only", "oak"]) == 1  # nobody answers; it is on record now
    capsys.readouterr()
    (checkout.root / "districts/oak.yaml").unlink()
    checkout.commit()
    plan = planned(checkout, capsys, "--since", "main")
    assert [(d["district"], d["action"]) for d in plan["districts"]] == [("oak", "retire")]


def test_only_narrows_it_further(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.mapper("acme", description="x")
    assert names(planned(checkout, capsys, "--since", "main", "--only", "fir", "--only", "oak")) == ["fir"]


def test_a_link_is_touched_with_the_file_that_it_leads_to(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.root / "shared").mkdir()
    target = checkout.root / "shared" / "oak.yaml"
    shutil.move(checkout.root / "districts/oak.yaml", target)
    (checkout.root / "districts/oak.yaml").symlink_to(target)
    checkout.commit()
    checkout.git("branch", "--force", "main")
    target.write_text(target.read_text().replace('"name": "oak"', '"name": "Oak"'))
    assert names(planned(checkout, capsys, "--since", "main")) == ["oak"]


def test_an_ignored_district_is_one_nevertheless(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.top / ".gitignore").write_text("yew.yaml\n")
    checkout.district("yew")
    assert names(planned(checkout, capsys, "--since", "main")) == ["yew"]


def test_the_text_says_what_was_left_out(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.district("oak", name="Oak")
    assert run(["-C", str(checkout.root), "plan", "--since", "main"]) == 0
    assert "1 file changed since main: 1 district touched, 3 left out." in capsys.readouterr().out


def test_markdown_is_the_same_on_every_call(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.district("oak", name="@everyone")
    checkout.commit()
    said = []
    for _ in range(2):
        assert run(["-C", str(checkout.root), "plan", "--since", "main", "--format", "markdown"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].startswith("<!-- reconciler:plan -->\n")
    assert checkout.git("rev-parse", "HEAD") in said[0]
    assert "@everyone" not in said[0]


# -- what git cannot answer ----------------------------------------------------------------------------------

UNKNOWN = {
    "no such branch": "nowhere",
    "an option": "--output=pwned",
    "a short option": "-O",
    "an empty text": "",
    "a range": "main..branch",
    "a line break": "main\nx",
    "a tree": "main^{tree}",
    "a file": "main:districts",
    "half a character": "\udc80",
}


@pytest.mark.parametrize("revision", UNKNOWN.values(), ids=UNKNOWN)
def test_a_revision_that_is_none_is_told(
    checkout: Checkout, revision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(p for p in checkout.top.rglob("*") if ".git" not in p.parts)
    assert run(["-C", str(checkout.root), "plan", f"--since={revision}", "--format", "json"]) == 64
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "usage.revision"
    assert error["hint"]
    after = sorted(p for p in checkout.top.rglob("*") if ".git" not in p.parts)
    assert [p for p in after if p not in before and ".reconciler" not in p.parts] == []


def test_a_folder_outside_of_git_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "districts").mkdir()
    assert run(["-C", str(tmp_path), "plan", "--since", "main", "--format", "json"]) == 64
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage.git"


def test_a_machine_without_git_is_told(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert run(["-C", str(checkout.root), "plan", "--since", "main"]) == 64
    assert "usage.git" in capsys.readouterr().err


def test_a_repository_without_a_commit_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Checkout(tmp_path)
    assert run(["-C", str(made.root), "plan", "--since", "main"]) == 64
    assert "usage.revision" in capsys.readouterr().err


def shallow(checkout: Checkout, to: Path) -> Path:
    """A clone of the branch's last commit alone, as CI makes it, and of main's."""
    checkout.district("oak", name="Oak")
    checkout.commit()
    url = f"file://{checkout.top}"
    command = ["git", "clone", "--quiet", "--depth=1", "--branch=branch", url, str(to)]
    subprocess.run(command, check=True, capture_output=True)
    return to / checkout.root.relative_to(checkout.top)


def test_a_shallow_clone_without_the_branch_says_how_to_get_it(
    checkout: Checkout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shallow(checkout, tmp_path / "clone")
    assert run(["-C", str(root), "plan", "--since", "origin/main"]) == 64
    assert "fetch-depth: 0" in capsys.readouterr().err


def test_a_shallow_clone_without_the_common_commit_says_how_to_get_it(
    checkout: Checkout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shallow(checkout, tmp_path / "clone")
    fetch = [
        "git",
        "-C",
        str(root),
        "fetch",
        "--quiet",
        "--depth=1",
        "origin",
        "main:refs/remotes/origin/main",
    ]
    subprocess.run(fetch, check=True, capture_output=True)
    assert run(["-C", str(root), "plan", "--since", "origin/main"]) == 64
    err = capsys.readouterr().err
    assert "have in common" in err
    assert "fetch-depth: 0" in err


def test_branches_without_a_common_commit_are_told(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.git("checkout", "--quiet", "--orphan", "alone")
    checkout.district("oak", name="Oak")
    checkout.commit()
    assert run(["-C", str(checkout.root), "plan", "--since", "main"]) == 64
    assert "have in common" in capsys.readouterr().err


# -- whoever set git up --------------------------------------------------------------------------------------

SURPRISES = {
    "an external diff": ("diff.external", "touch {canary}; false"),
    "a monitor of files": ("core.fsmonitor", "touch {canary}; false"),
    "paths of the folder only": ("diff.relative", "true"),
    "an order of files that is not there": ("diff.orderFile", "/nonexistent/order"),
    "renames and copies": ("diff.renames", "copies"),
    "colour": ("color.ui", "always"),
    "prefixes": ("diff.noprefix", "true"),
    "a pager": ("core.pager", "touch {canary}; cat"),
    "quoted paths": ("core.quotePath", "true"),
}


@pytest.mark.parametrize(("key", "value"), SURPRISES.values(), ids=SURPRISES)
def test_settings_of_git_change_nothing_and_run_nothing(
    checkout: Checkout, key: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = tmp_path / "canary"
    checkout.district("yew", folder="Grüße")
    checkout.district("oak", name="Oak")
    checkout.commit()
    checkout.git("config", key, value.format(canary=canary))
    assert names(planned(checkout, capsys, "--since", "main")) == ["oak", "yew"]
    assert not canary.exists()


def test_a_filter_for_texts_is_not_run(
    checkout: Checkout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = tmp_path / "canary"
    (checkout.root / ".gitattributes").write_text("*.yaml diff=spy\n")
    checkout.git("config", "diff.spy.textconv", f"touch {canary}; cat")
    checkout.git("config", "diff.spy.command", f"touch {canary}; true")
    checkout.district("oak", name="Oak")
    assert names(planned(checkout, capsys, "--since", "main")) == ["oak"]
    assert not canary.exists()


def test_the_variables_of_a_hook_lead_nowhere_else(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.district("oak", name="Oak")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, os.devnull)
    assert names(planned(checkout, capsys, "--since", "main")) == ["oak"]
