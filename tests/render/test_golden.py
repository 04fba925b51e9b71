"""What people read, to the letter. A golden file that is missing is written; look at it before it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from reconciler.config.district import SchoolMapping
from reconciler.config.policy import ContactSafety
from reconciler.engine.report import Outcome, Report, Result, StepResult
from reconciler.errors import ConfigError, HoldError, SftpError
from reconciler.planning.contact_safety import ContactChanges, contact_breaches
from reconciler.planning.plan import Plan, build_plan
from reconciler.render.commits import ChangedFile, GitCommit
from reconciler.render.history import history_text
from reconciler.render.plan import plan_text
from reconciler.render.report import report_text
from reconciler.render.status import status_text
from reconciler.roster.delta import RowCounts
from reconciler.store.views import ConnectionView, LastSync, ResultView, RunView, SchoolCounts
from tests.planning.samples import NOW, connection, observed

GOLDEN = Path(__file__).parent / "golden"
HELD = HoldError(
    "30 of 120 active students would be removed (25.0 %; max_removal_percent is 10). Likely cause: the files "
    "have no student of school 0042 (30 students before)",
    hint="nothing was written; if this is right, let it through once with --allow-removals elm",
)
DEAD = SftpError("127.0.0.1:22 refused the connection", hint="check sftp.port, and that the server runs")


def plan() -> Plan:
    desired = {
        "ash": connection("ash"),
        "elm": connection(
            "elm",
            sftp={"host": "new.example"},
            schools=(SchoolMapping("0042", "lincoln"), SchoolMapping("7", "x")),
        ),
        "fir": connection("fir", sync={"state": "stopped"}),
        "oak": connection("oak"),
        "yew": connection("yew"),
    }
    before = {name: observed(connection(name)) for name in ("elm", "fir", "gum", "oak")}
    before["yew"] = observed(connection("yew"), unfinished=True)
    return build_plan(desired, before, now=NOW, retire_after=timedelta(days=30), refused=["bad"])


def report() -> Report:
    done = [StepResult("test", Outcome.SUCCEEDED, 0.31), StepResult("sync", Outcome.SUCCEEDED, 1.26)]
    rows = {
        "students": RowCounts(added=3, changed=1, unchanged=110, rejected=2, skipped=4, removed=1),
        "contacts": RowCounts(added=5, duplicate=2),
        "staff": RowCounts(),
    }
    notes = ("1 school waits to be mapped (4 students): `reconciler schools oak` lists them",)
    return Report(
        [
            Result("oak", "create", Outcome.SUCCEEDED, tuple(done), rows, notes=notes),
            Result("dead", "create", Outcome.FAILED,
                   (StepResult("test", Outcome.FAILED), StepResult("sync", Outcome.SKIPPED)), error=DEAD),
            Result("elm", "sync", Outcome.BLOCKED, (StepResult("sync", Outcome.BLOCKED, 0.4),), error=HELD),
            Result("fir", "sync", Outcome.UNCHANGED, (StepResult("sync", Outcome.SUCCEEDED),)),
        ],
        untouched=9,
    )  # fmt: skip


def views() -> list[ConnectionView]:
    common = {"name": "Oak ISD", "account": "104592", "mapper": "generic", "host": "sftp.oak.example",
              "schedule": "", "unfinished": False}  # fmt: skip
    last = LastSync(NOW, "succeeded", "0123456789abcdef0123456789abcdef01234567")
    counted = {"students": 1200, "contacts": 2304, "relationships": 2400, "staff": 80}
    nothing = dict.fromkeys(counted, 0)
    return [
        ConnectionView("dead", phase="saved", sync_status="Failing", outcome="failed", schools=SchoolCounts(),
                       rows=nothing, problem=DEAD.to_json(), **common),
        ConnectionView("oak", phase="syncing", sync_status="Started", outcome="succeeded",
                       schools=SchoolCounts(4, 1, 2), rows=counted, last_sync=last, **common),
    ]  # fmt: skip


def commits() -> dict[str, GitCommit]:
    """Of the newest run, and one that this clone does not have. A subject is anybody's text."""
    files = tuple(ChangedFile(f"districts/{name}.yaml", "changed") for name in ("ash", "fir", "gum", "yew"))
    known = GitCommit(
        True,
        "Ada <ada@example.org>",
        datetime(2026, 11, 22, 10, tzinfo=UTC),
        "Merge branch 'elm' into 'main'\x1b[2J",
        "!45",
        (ChangedFile("districts/elm.yaml", "added"), *files),
    )
    return {"0123456789abcdef" * 2: known, "7" * 40 + "-dirty": GitCommit(note="not in this repository")}


def many_runs() -> list[RunView]:
    """One with more districts than are listed, and one of a commit that is gone."""
    at = datetime(2026, 11, 23, 2, tzinfo=UTC)
    names = [(f"district-{n:02d}", "failed" if n == 24 else "succeeded") for n in range(25)]
    results = tuple(ResultView(name, "create", outcome, (), (), {}, None, at) for name, outcome in names)
    summary = {"succeeded": 12_999, "failed": 1, "blocked": 0, "unchanged": 0}
    author, first = "Ada <ada@example.org>", "0123456789abcdef" * 2
    return [
        RunView(
            "2", "reconcile", first, author, "ci", at, at, "failed", summary, results, "8d969eef6ecad3c29a3a"
        ),
        RunView("1", "sync", "7" * 40 + "-dirty", author, "", at, at, "succeeded"),
    ]


def runs() -> list[RunView]:
    at = datetime(2026, 11, 23, 2, tzinfo=UTC)
    rows = {"students": {"added": 3, "changed": 1, "removed": 0}, "schools": {"added": 2}}
    changes = ({"path": "sftp.host", "before": "a", "after": "b"},)
    results = (
        ResultView("elm", "update", "failed", (), changes, {}, DEAD.to_json(), at),
        ResultView("oak", "create", "succeeded", (), (), rows, None, at),
    )
    return [
        RunView(
            "2",
            "reconcile",
            "0123456789abcdef" * 2,
            "Ada <ada@example.org>",
            "ci",
            at,
            at,
            "failed",
            {},
            results,
        ),
        RunView("1", "sync", "", "", "", at, None, None),
    ]


def holds() -> Report:
    """Every limit of contact safety broken at once, and each of them alone."""
    limits = ContactSafety()
    broken = ContactChanges(
        relationships=800, students=400, emptied=("may_pick_up", "custody_alert"), alerts_lifted=1,
        loosened=5, moved=6, without_emergency=7, without_contact=2, shared_phones=1, most_students=40,
    )  # fmt: skip
    found = contact_breaches(broken, limits)
    hint = "nothing was written; if this is right, let it through once with --allow-removals elm"
    errors = [
        HoldError("contact safety: " + "; ".join(map(str, some)), code="sync.contacts", hint=hint,
                  cause=some[0].code)
        for some in (found, *([one] for one in found))
    ]  # fmt: skip
    step = (StepResult("sync", Outcome.BLOCKED, 0.4),)
    return Report([Result("elm", "sync", Outcome.BLOCKED, step, error=e) for e in errors])


REFUSED = {"bad": ConfigError("districts/bad.yaml:3:1 sftp: is required", hint="see docs/district-file.md")}
CASES: dict[str, Callable[[], str]] = {
    "plan": lambda: plan_text(plan(), REFUSED),
    "plan-empty": lambda: plan_text(Plan((), 3), {}),
    "plan.json": lambda: json.dumps(plan().to_json(), indent=2),
    "report": lambda: report_text(report()),
    "report.json": lambda: json.dumps(report().to_json(), indent=2),
    "holds": lambda: report_text(holds()),
    "holds.json": lambda: json.dumps(holds().to_json()["results"][1], indent=2),
    "status": lambda: status_text(views(), detailed=False),
    "status-one": lambda: status_text(views()[1:], detailed=True),
    "status-none": lambda: status_text([], detailed=False),
    "history": lambda: history_text(runs()),
    "history-git": lambda: history_text(many_runs(), commits()),
    "history-none": lambda: history_text([]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_people_read_is_as_it_was(name: str) -> None:
    text = click.unstyle(CASES[name]()) + "\n"
    golden = GOLDEN / f"{name}{'' if '.' in name else '.txt'}"
    if not golden.exists():
        golden.write_text(text)
    assert text == golden.read_text()
