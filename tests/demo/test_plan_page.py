"""docs/plan.md is run on the example fleet, after everything in it was reconciled."""

from __future__ import annotations

import re
import subprocess
import sys

from reconciler.demo.stage import Stage, stage
from tests.demo.pages import Page
from tests.demo.test_pages import ROOT, checked, connected


def _reconciled(there: Stage) -> None:
    subprocess.run(
        [sys.executable, "-m", "reconciler", "reconcile"],
        cwd=there.repository, env=dict(there.environment), check=True, capture_output=True,
    )  # fmt: skip
    git = ["git", "-C", str(there.repository), "branch", "--move", "--force", "main"]
    subprocess.run(git, env=dict(there.environment), check=True, capture_output=True)


def _page(there: Stage, text: str) -> Page:
    page = connected(there, text)
    restore = page.restore

    def shown(printed: str) -> str:
        said = restore(printed).replace("sftp.riverbend.example", "sftp.oak-hill.example")
        return re.sub(r"^.*<code>sftp.port</code>.*\n", "", said, flags=re.MULTILINE)

    page.folder, page.restore = there.repository, shown
    return page


def test_the_page_on_plans_shows_what_is_printed() -> None:
    file = ROOT / "docs/plan.md"
    text = file.read_text(encoding="utf-8")
    with stage() as there:
        _reconciled(there)
        page = _page(there, text)
        now = page.run(text)
    checked(file, text, now)
    assert "reconciler plan --impact drafts/acme.json" in page.typed
