"""What the pages on CI and on history show is what a fleet in git prints."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.acceptance.world import students_csv
from tests.ci.forge import ROOT, Forge
from tests.demo.pages import Page
from tests.demo.test_pages import checked

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_SAME = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "638aabeba7874b9b7d5b5a7f0c7c7d3f" * 2),
    (re.compile(r"\b[0-9a-f]{40}\b"), "4f2c9e1a2b3c" + "0" * 28),
    (re.compile(r"\b20\d{6}T\d{6}Z-[0-9a-f]{6}"), "20260901T020000Z-9f3a1c"),
    (re.compile(r'"seconds": [\d.]+'), '"seconds": 0.1'),
    (re.compile(r"sftp\.port: \d+"), "sftp.port: 22"),
    (re.compile(r"127\.0\.0\.1"), "sftp.example"),
    (re.compile(r"SHA256:\S+"), "SHA256:1XlUEce69p998qdHfUMQF3j++F75qGnJ2u3Y55NV/Zk"),
)


def steady(printed: str) -> str:
    """Without what is new each time."""
    for pattern, instead in _SAME:
        printed = pattern.sub(instead, printed)
    return printed


def shown(forge: Forge, name: str) -> None:
    file = ROOT / "docs" / name
    text = file.read_text(encoding="utf-8")
    page = Page(
        forge.world.root,
        {**os.environ, **forge.world.environment, "PYTHONUTF8": "1", "RECONCILER_ACTOR": "ci"},
        restore=steady,
    )
    checked(file, text, page.run(text))
    assert page.typed != []


def merged(forge: Forge, first: str = "plan") -> None:
    """oak is reconciled; then elm is onboarded and a school of oak mapped, in a pull request."""
    assert forge.world.run("reconcile").code == 0
    assert forge.world.run(first).code == 0
    forge.branch("elm")
    forge.world.district("elm", schools=["0042"])
    forge.world.put("elm", {"students.csv": students_csv(3)})
    forge.world.district("oak", schools=["0042", "0043"])
    forge.clone.commit("Onboard elm")
    forge.merge("elm", "Onboard elm, map a school of oak (#7)")


@ON_SQLITE
def test_the_page_on_history(forge: Forge) -> None:
    forge.world.environment["RECONCILER_ACTOR"] = "ci"
    merged(forge, first="sync")
    assert forge.world.run("reconcile").code == 0
    shown(forge, "history.md")


@ON_SQLITE
def test_the_page_on_pull_requests(forge: Forge) -> None:
    merged(forge)
    (forge.world.root / "districts/fir.yaml").write_text("district: fir\nname: no\n")
    forge.clone.git("add", "--all")
    forge.clone.git("commit", "--quiet", "--amend", "--no-edit")
    shown(forge, "ci/README.md")


@pytest.mark.parametrize("name", ["ci/README.md", "history.md"])
def test_links_lead_somewhere(name: str) -> None:
    page = Path(ROOT / "docs" / name)
    assert [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []
