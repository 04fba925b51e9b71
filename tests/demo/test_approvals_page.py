"""docs/approvals.md is run on the example fleet, whose Cedar Hill sends an export without its high school."""

from __future__ import annotations

import re
import subprocess
import sys

from reconciler.demo.exports import cedar_hill
from reconciler.demo.stage import Stage, stage
from tests.demo.pages import Page
from tests.demo.test_pages import ROOT, checked

_AUTHOR = {
    "GIT_AUTHOR_NAME": "Rosa Diaz", "GIT_AUTHOR_EMAIL": "rosa@example.org",
    "GIT_COMMITTER_NAME": "Rosa Diaz", "GIT_COMMITTER_EMAIL": "rosa@example.org",
}  # fmt: skip


def _held(there: Stage) -> Page:
    """The fleet reconciled, with an export that a limit will hold."""
    subprocess.run(
        [sys.executable, "-m", "reconciler", "reconcile"],
        cwd=there.repository, env=dict(there.environment), check=True, capture_output=True,
    )  # fmt: skip
    there.upload("cedar-hill-isd", cedar_hill(cut=True))
    return Page(there.repository, {**there.environment, **_AUTHOR}, restore=_of_any_day)


def _of_any_day(printed: str) -> str:
    """Days follow from today; the digest is another one in every database."""
    days = re.sub(r"(expires: |until )\d{4}-\d\d-\d\d", r"\g<1>2026-12-07", printed)
    return re.sub(r"\b[0-9a-f]{64}\b", "5f1c" * 16, days)


def test_the_page_on_approvals_shows_what_is_printed() -> None:
    file = ROOT / "docs/approvals.md"
    text = file.read_text(encoding="utf-8")
    with stage() as there:
        page = _held(there)
        now = page.run(text)
    checked(file, text, now)
    assert "reconciler approve cedar-hill-isd" in page.typed[1]
