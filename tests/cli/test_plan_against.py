"""`plan --against REV`: a branch read as a plan, where no database, network or secret may be reached."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run
from tests.cli.repositories import Repository, repository

KEY = "SHA256:1XlUEce69p998qdHfUMQF3j++F75qGnJ2u3Y55NV/Zk"


def district(name: str, host: str = "sftp.example", mapper: str = "generic", state: str = "started") -> str:
    return json.dumps(
        {
            "district": name,
            "name": name.title(),
            "account": f"1-{name}",
            "sftp": {
                "host": host, "username": "roster", "host_key": KEY,
                "password": {"env": f"SFTP_{name.upper()}_PASSWORD"},
            },
            "mapper": mapper,
            "schools": [{"sis_id": "0042", "school": "lincoln"}],
            "sync": {"state": state},
        }
    )  # fmt: skip


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Three districts on main. Whoever opens a socket fails."""
    monkeypatch.setattr(socket.socket, "connect", None)
    made = repository(tmp_path / "fleet")
    made.commit("Onboard", oak=district("oak"), elm=district("elm"), ash=district("ash"))
    return made


def plan(fleet: Repository, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    run(["-C", str(fleet.root), "plan", "--against", "main", *options, "--format", "json"])
    return dict(json.loads(capsys.readouterr().out))


def actions(planned: dict[str, Any]) -> dict[str, str]:
    return {d["district"]: d["action"] for d in planned["districts"]}


def test_nothing_differs_on_main_itself(fleet: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    planned = plan(fleet, capsys)
    assert (planned["districts"], planned["summary"]["unchanged"]) == ([], 3)
    assert planned["against"] == {"revision": "main", "commit": fleet.head}


def test_a_branch_shows_what_it_creates_changes_stops_and_retires(
    fleet: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.git("checkout", "--quiet", "-b", "feature")
    fleet.commit("x", fir=district("fir"), oak=district("oak", host="new.example"), elm=None)
    fleet.commit("y", ash=district("ash", state="stopped"))
    planned = plan(fleet, capsys)
    assert actions(planned) == {"ash": "stop", "elm": "retire", "fir": "create", "oak": "update"}
    (oak,) = [d for d in planned["districts"] if d["district"] == "oak"]
    assert oak["changes"] == [{"path": "sftp.host", "before": "sftp.example", "after": "new.example"}]
    assert oak["steps"] == ["test", "sync"]


def test_what_is_not_committed_is_planned_too(fleet: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    (fleet.root / "districts/oak.yaml").write_text(district("oak", host="new.example"))
    assert actions(plan(fleet, capsys)) == {"oak": "update"}
    assert actions(plan(fleet, capsys, "--only", "elm")) == {}


def test_a_shared_mapper_fans_out_to_the_districts_that_use_it(
    fleet: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    mappers = fleet.root / "mappers"
    mappers.mkdir()
    (mappers / "acme.json").write_text(json.dumps({"name": "acme", "description": "a", "extends": "generic"}))
    fleet.commit("Use acme", oak=district("oak", mapper="acme"), elm=district("elm", mapper="acme"))
    fleet.git("checkout", "--quiet", "-b", "feature")
    pattern = {"students": {"pattern": "pupils.csv"}}
    (mappers / "acme.json").write_text(
        json.dumps({"name": "acme", "description": "a", "extends": "generic", "files": pattern})
    )
    assert actions(plan(fleet, capsys)) == {"elm": "update", "oak": "update"}


def test_a_file_that_is_wrong_now_is_refused_and_retires_nobody(
    fleet: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet.root / "districts/oak.yaml").write_text("district: oak\n")
    assert run(["-C", str(fleet.root), "plan", "--against", "main", "--format", "json"]) == 1
    planned = json.loads(capsys.readouterr().out)
    assert (planned["districts"], [r["district"] for r in planned["refused"]]) == ([], ["oak"])


def test_a_fleet_in_a_folder_of_a_larger_repository_compares_its_own_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = repository(tmp_path / "whole")
    inner = Repository(whole.root / "fleet")
    (inner.root / "districts").mkdir(parents=True)
    inner.commit("Onboard", oak=district("oak"))
    assert actions(plan(inner, capsys)) == {}


def test_links_are_read_as_links_and_lead_nowhere_else(
    fleet: Repository, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text(district("gum"))
    (fleet.root / "districts/gum.yaml").symlink_to(secret)
    fleet.commit("A link that leads out of the repository")
    (fleet.root / "districts/gum.yaml").unlink()
    assert actions(plan(fleet, capsys)) == {}


@pytest.mark.parametrize(
    "revision", ["gone", "--output=x", "-h", "", " ", "a\x1bb", "main:districts", "HEAD^9"]
)
def test_a_revision_that_git_does_not_know_is_said_so(
    fleet: Repository, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    code = run(["-C", str(fleet.root), "plan", f"--against={revision}", "--format", "json"])
    said = json.loads(capsys.readouterr().out)["error"]
    assert (code, said["code"]) == (64, "usage.revision")
    assert "\x1b" not in said["message"]


def test_without_a_repository_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "districts").mkdir()
    assert run(["-C", str(tmp_path), "plan", "--against", "main"]) == 64
    assert "usage.git" in capsys.readouterr().err


def test_nothing_is_left_behind(fleet: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(fleet.root.rglob("*"))
    assert run(["-C", str(fleet.root), "plan", "--against", "HEAD"]) == 0
    assert "no database was asked" in capsys.readouterr().out
    assert sorted(fleet.root.rglob("*")) == before


def test_settings_that_were_wrong_then_are_told_with_the_commit(
    fleet: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet.root / "reconciler.yaml").write_text("policy: [\n")
    wrong = fleet.commit("Break the settings")
    (fleet.root / "reconciler.yaml").unlink()
    assert run(["-C", str(fleet.root), "plan", "--against", "main"]) == 1
    assert f"the files at {wrong[:12]} are not valid" in capsys.readouterr().err
