"""The configuration repository is data: nothing in it is run, imported or taken as settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.bad_inputs.case import OAK

PROGRAMS = {
    "command": (str(Path(sys.executable).parent / "reconciler"),),
    "module": (sys.executable, "-m", "reconciler"),
    "isolated-module": (sys.executable, "-I", "-m", "reconciler"),
}
MODULES = (
    "conftest", "sitecustomize", "usercustomize", "setup", "yaml", "click", "jsonschema", "referencing",
    "rich", "duckdb", "paramiko", "sqlmodel", "sqlalchemy", "alembic", "croniter", "pyrage", "hvac", "tzdata",
    "json", "tempfile", "resource", "tomllib", "trap",
)  # fmt: skip
"""Modules that the program imports, or that Python and its tools run by themselves when they find them."""
COMMANDS = (["validate"], ["explain", "oak"], ["reconcile"])
SETTINGS = "sqlite:///taken-from-the-repository.db"


def trapped(root: Path) -> Path:
    """A repository with a right district and everything in it that a pull request could hope to be run."""
    (root / "districts").mkdir(parents=True)
    (root / "districts" / "oak.yaml").write_text(OAK.replace("file: oak", "trap: x"))
    (root / "reconciler.yaml").write_text("policy: {hosts: [sftp.oak.example]}\n")
    trap = "import pathlib\npathlib.Path(__file__).with_name('RAN').write_text(__name__)\n"
    for folder in (root, root / "districts", root / "mappers"):
        folder.mkdir(exist_ok=True)
        for module in MODULES:
            (folder / f"{module}.py").write_text(trap)
    (root / "zzz.pth").write_text("import trap\n")
    (root / ".env").write_text(f"RECONCILER_DATABASE_URL={SETTINGS}\nRECONCILER_AGE_IDENTITY=x\n")
    (root / "pyproject.toml").write_text(f'[tool.reconciler]\ndatabase_url = "{SETTINGS}"\n')
    (root / "alembic.ini").write_text(f"[alembic]\nsqlalchemy.url = {SETTINGS}\nscript_location = .\n")
    plugin = root / "evil-1.0.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (plugin / "entry_points.txt").write_text(
        "[reconciler.secrets]\nenv = trap:provider\ntrap = trap:provider\n"
    )
    return root


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_in_the_repository_is_run_imported_or_taken_as_settings(
    tmp_path: Path, program: str, command: list[str]
) -> None:
    root = trapped(tmp_path / "repository")
    database = tmp_path / "ours.db"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "RECONCILER_DATABASE_URL": f"sqlite:///{database}",
        "SFTP_OAK_PASSWORD": "x",
    }
    done = subprocess.run(
        [*PROGRAMS[program], *command], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert [path.name for path in root.rglob("RAN")] == []
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1, 3), done.stderr
    assert not (root / "taken-from-the-repository.db").exists()
    assert "trap" not in done.stdout + done.stderr
