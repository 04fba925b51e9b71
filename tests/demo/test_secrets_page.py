"""The page on secrets works as it is written: its files are made and its commands run, in order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reconciler.config.district import SecretRef
from reconciler.secrets import SecretResolver

PAGE = Path(__file__).parents[2] / "docs" / "secrets.md"
_BLOCK = re.compile(r"^```(sh|yaml (?P<path>\S+))\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="the page makes an SSH key")
def test_the_page_leads_to_a_sealed_and_a_rotating_secret(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["path"]:
            (tmp_path / block["path"]).parent.mkdir()
            (tmp_path / block["path"]).write_text(block["text"])
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block["text"]], cwd=tmp_path, env={**os.environ, "PATH": path},
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    sftp = yaml.safe_load((tmp_path / "districts/riverbend-isd.yaml").read_text())["sftp"]
    resolver = SecretResolver({}, tmp_path, {}, "", tmp_path / "identity")
    opened = [
        resolver.resolve(
            SecretRef("age", text), district="riverbend-isd", host=sftp["host"], port=22, username="roster"
        ).reveal()
        for text in (sftp["password"]["age"], sftp["password"]["next"])
    ]
    assert opened == ["the password", "the new password"]
