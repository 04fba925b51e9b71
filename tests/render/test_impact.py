"""What a mapper's change does, as it is read. A golden file that is missing is written; look at it first."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from reconciler.mapping.effect import Effect, Kind
from reconciler.planning.impact import DistrictImpact, Impact, Verdict, impact_of
from reconciler.render.impact import impact_markdown, impact_text

GOLDEN = Path(__file__).parent / "golden"
FAILS = Effect(
    Kind.FAILS, "students.csv has no column 'Room', which entities.students.fields.homeroom reads",
    "students", "homeroom", "mapper.column", "did you mean 'Rm'? students.csv has: 'Number', 'Rm'",
)  # fmt: skip
REKEYS = Effect(Kind.REKEYS, "students.id: 'Number' → 'State ID'", "students", "id")
ALTERS = Effect(Kind.ALTERS, "students.homeroom: not read → 'Room'", "students", "homeroom")
HOLD = "1200 of 1200 active students would be removed (100.0 %; max_removal_percent is 10)"


def impact() -> Impact:
    return impact_of(
        "acme",
        [
            DistrictImpact("elm", Verdict.FAILS, (FAILS,), rows={"students": 90}),
            DistrictImpact("oak", Verdict.REKEYS, (REKEYS, ALTERS), (HOLD,), rows={"students": 1200}),
            *(
                DistrictImpact(f"d{n:02d}", Verdict.CHANGES, (ALTERS,), rows={"students": n})
                for n in range(14)
            ),
            DistrictImpact("new", Verdict.UNKNOWN, reason="never synced"),
            DistrictImpact("yew", Verdict.NONE),
        ],
    )


CASES = {
    "impact.txt": lambda: click.unstyle(impact_text(impact())),
    "impact-none.txt": lambda: impact_text(impact_of("acme", [])),
    "impact.md": lambda: impact_markdown(impact()),
    "impact-none.md": lambda: impact_markdown(impact_of("acme", [])),
}


@pytest.mark.parametrize("name", CASES)
def test_the_report_is_as_it_was(name: str) -> None:
    text = CASES[name]() + "\n"
    if not (GOLDEN / name).exists():
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


def test_a_comment_is_never_too_long() -> None:
    many = impact_of(
        "acme",
        [DistrictImpact(f"d{n}", Verdict.REKEYS, (REKEYS,), (f"{n} of {n}",)) for n in range(3_000)],
    )
    text = impact_markdown(many)
    assert len(text.encode()) <= 65_000
    assert text.count("<details>") == text.count("</details>")
    assert "Cut to the length" in text
