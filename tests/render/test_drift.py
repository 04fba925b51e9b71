"""A plan with what somebody altered in the database, to the letter. A missing golden file is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.planning.change import FieldChange
from reconciler.planning.hand_edit import HandEdit
from reconciler.planning.plan import Plan, build_plan
from reconciler.render.plan import plan_text
from reconciler.render.plan_markdown import plan_markdown
from tests.planning.samples import NOW, connection, observed

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


def plan() -> Plan:
    """One altered as a role that is markup and moves the cursor, one by somebody, one not at all."""
    desired = {
        "elm": connection("elm"),
        "oak": connection("oak", sync={"max_removal_percent": 20}),
        "yew": connection("yew"),
    }
    host = connection("oak", sftp={"host": "elsewhere.example"})
    key = FieldChange("host_key_seen", "ssh-ed25519 AAAA", None)
    seen = {
        "elm": observed(desired["elm"], edit=HandEdit(AT, "", "update", None, ())),
        "oak": observed(connection("oak"), edit=HandEdit(AT, "|<b>rosa\x1b[2J", "update", host, (key,))),
        "yew": observed(desired["yew"]),
    }
    return build_plan(desired, seen, now=NOW, retire_after=timedelta(days=30))


@pytest.mark.parametrize(
    ("name", "show"),
    [
        ("drift.txt", lambda p: plan_text(p, {})),
        ("drift.md", lambda p: plan_markdown(p, {})),
        ("drift.json", lambda p: json.dumps(p.to_json(), indent=2)),
    ],
)
def test_drift_is_shown_as_it_was(name: str, show: object) -> None:
    text = show(plan()) + "\n"  # type: ignore[operator]
    golden = GOLDEN / name
    if not golden.exists():
        golden.write_text(text)
    assert text == golden.read_text()
