"""A fleet that shares one mistake reads it once; a mistake of one district is told as it is."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from reconciler.engine.report import Outcome, Report, Result, StepResult
from reconciler.errors import ConfigError, ReconcilerError
from reconciler.planning.plan import Plan
from reconciler.render.plan import plan_text
from reconciler.render.report import report_text
from reconciler.render.shared import named

WRONG = ConfigError("reconciler.yaml:2:11 defaults.mapper: no mapper has this name", hint="known: clever")
SAME = ConfigError(WRONG.message, hint=WRONG.hint)
OTHER = ConfigError("districts/elm.yaml:3:1 sftp: is missing", hint="add sftp:")
DISTRICTS = [f"d-{number}" for number in range(1, 9)]


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "d-1"), (2, "d-1, d-2"), (5, "d-1, d-2, d-3, d-4, d-5"), (6, "d-1, d-2, d-3, d-4, d-5 and 1 more")],
)
def test_a_few_are_named_and_the_rest_is_counted(count: int, words: str) -> None:
    assert named(DISTRICTS[:count]) == words


def test_a_plan_tells_a_shared_error_once() -> None:
    refused: dict[str, ReconcilerError] = {**dict.fromkeys(DISTRICTS, WRONG), "d-2": SAME, "elm": OTHER}
    assert click.unstyle(plan_text(Plan((), 0), refused)).splitlines()[:6] == [
        "✘ d-1, d-2, d-3, d-4, d-5 and 3 more  cannot be planned",
        "    config.schema: reconciler.yaml:2:11 defaults.mapper: no mapper has this name",
        "    → known: clever",
        "✘ elm  cannot be planned",
        "    config.schema: districts/elm.yaml:3:1 sftp: is missing",
        "    → add sftp:",
    ]


def test_a_report_tells_a_shared_error_once_and_counts_every_district() -> None:
    refused = [Result(d, "update", Outcome.FAILED, error=WRONG) for d in DISTRICTS]
    tested = replace(refused[0], district="ash", steps=(StepResult("test", Outcome.FAILED),))
    lines = click.unstyle(report_text(Report([*refused, tested]))).splitlines()
    assert lines[0] == "✘ ash  update  test ✘"
    assert lines[3:] == [
        "✘ d-1, d-2, d-3, d-4, d-5 and 3 more  update",
        "    config.schema: reconciler.yaml:2:11 defaults.mapper: no mapper has this name",
        "    → known: clever",
        "0 succeeded, 9 failed, 0 blocked, 0 unchanged.",
    ]
