"""Everything that is installed, here and by those who copy our workflows, is locked to its hash."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.txt"))
INSTALLING = [
    ROOT / "Makefile",
    ROOT / ".ci" / "run",
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    *sorted((ROOT / "docs" / "ci").rglob("*.yml")),
]


@pytest.mark.parametrize("path", LOCKS, ids=lambda p: p.name)
def test_every_package_has_one_version_and_a_hash_and_no_place_to_fetch_it_from(path: Path) -> None:
    entries = re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").strip())
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[^\s;*]+", entry), entry
        assert "--hash=sha256:" in entry, entry
        assert "://" not in entry
        assert "index" not in entry


@pytest.mark.parametrize("path", INSTALLING, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_is_installed_without_hashes(path: Path) -> None:
    lines = re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8")).splitlines()
    installing = [line for line in lines if "pip install" in line]
    for line in installing:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation -e ." in line, line
    assert not any(re.search(r"curl[^\n]*\|\s*(ba)?sh", line) for line in lines)


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda p: p.name)
def test_what_our_workflow_uses_is_locked_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40}", one) for one in used)


# -- asking for known faults --------------------------------------------------------------------------------


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    return importlib.import_module("audit")


FAULT = {"id": "CVE-2027-1", "fix_versions": ["2.0"]}
KNOWN = {"name": "alembic", "version": "1.0", "vulns": []}
FAULTY = {"name": "mako", "version": "1.0", "vulns": [FAULT]}
UNKNOWN = {"name": "rich", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code", "says"),
    [
        pytest.param([KNOWN], 0, "1 packages, 0 known faults", id="nothing known"),
        pytest.param([KNOWN, FAULTY], 1, "ERROR: a.txt: mako 1.0: CVE-2027-1, mended in 2.0", id="a fault"),
        pytest.param(
            [KNOWN, UNKNOWN], 0, "WARNING: a.txt: NOT AUDITED: 1 of 2 packages", id="one not answered"
        ),
        pytest.param([FAULTY, UNKNOWN], 1, "NOT AUDITED: 1 of 2", id="a fault, and one not answered"),
        pytest.param(None, 0, "NOT AUDITED: its packages could not be looked up", id="nobody answers"),
    ],
)
def test_no_answer_is_loud_and_no_failure_and_a_known_fault_is_one(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packages: list[dict[str, Any]] | None,
    code: int,
    says: str,
) -> None:
    def answer(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        said = json.dumps({"dependencies": packages}) if packages is not None else ""
        return subprocess.CompletedProcess(command, 0, said, "ConnectionError: no route to host\n")

    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setattr(audit.subprocess, "run", answer)
    assert audit.main(["a.txt"]) == code
    assert says in capsys.readouterr().out
