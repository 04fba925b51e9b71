"""A preview as people read it, to the letter; and names from a server that would like to be markup."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from reconciler.engine.preview import Preview, RejectCount, SchoolPreview
from reconciler.engine.schools import SchoolState
from reconciler.engine.seen import Seen, SeenFile
from reconciler.errors import HoldError, SecretError
from reconciler.render.preview import preview_lines_markdown, preview_lines_text
from reconciler.roster.delta import RowCounts
from reconciler.roster.effect import ColumnChange, SchoolEffect

GOLDEN = Path(__file__).parent / "golden"
SEEN = Seen(
    (SeenFile("students.csv", 1_234_567, 1.7e9, "ab" * 32), SeenFile("contacts.csv", 9, 1.7e9)), "d", ""
)
ROWS = {
    "students": RowCounts(added=3, changed=40, unchanged=60, rejected=2, skipped=120, removed=1),
    "contacts": RowCounts(added=5, duplicate=2),
    "staff": RowCounts(),
}


def school(sis_id: str, state: str, students: int, **rows: int) -> SchoolPreview:
    platform = f"school-{sis_id}" if state == "mapped" else None
    suggested = f"maple-{sis_id}" if state == "unmapped" else None
    name = f"School {sis_id}"
    return SchoolPreview(
        SchoolState(sis_id, name, students, state, platform, suggested), SchoolEffect(sis_id, **rows)
    )


HELD = Preview(
    "elm", SEEN, "SHA256:abc", syncs=True, rows=ROWS,
    schools=(
        school("0042", "mapped", 100, added=3, changed=40, unchanged=57, removed=1),
        school("0043", "mapped", 3, unchanged=3),
        school("7", "unmapped", 20),
        school("8", "unmapped", 100),
        school("9", "ignored", 50),
    ),
    columns=(ColumnChange("students", "grade", 40, 100), ColumnChange("contacts", "phone", 30, 40, 30)),
    rejects=(
        RejectCount("students", "students.csv", "last_name", "row.required", "error", 2),
        RejectCount("students", "students.csv", "birth_date", "row.value", "warning", 5),
    ),
    notes=("students.csv: the encoding is Windows-1252 (detected)",),
    error=HoldError(
        "40 of 101 active students would be changed (39.6 %; max_change_percent is 30)",
        code="sync.changes", hint="let it through once with --allow-removals elm",
    ),
)  # fmt: skip
PREVIEWS = {
    "preview-held": HELD,
    "preview-unchanged": Preview("oak", SEEN, "SHA256:abc", syncs=True, unchanged=True),
    "preview-schools": Preview("fir", SEEN, "SHA256:abc", schools=(school("7", "unmapped", 20),)),
    "preview-refused": Preview(
        "ash", error=SecretError("a preview does not send it", code="secret.bound", hint="seal it")
    ),
    "preview-many": Preview(
        "yew", SEEN, syncs=True, schools=tuple(school(f"{n:03d}", "unmapped", n) for n in range(25))
    ),
}


@pytest.mark.parametrize("form", ["txt", "md"])
@pytest.mark.parametrize("name", PREVIEWS)
def test_a_preview_reads_as_its_golden_file_has_it(name: str, form: str) -> None:
    lines = preview_lines_text if form == "txt" else preview_lines_markdown
    shown = click.unstyle("\n".join(lines(PREVIEWS[name]))) + "\n"
    file = GOLDEN / f"{name}.{form}"
    if not file.exists():
        file.write_text(shown, encoding="utf-8")
        pytest.fail(f"{file.name} was not there and is written: look at it")
    assert shown == file.read_text(encoding="utf-8")


HOSTILE = {
    "a row of a table": "Lincoln | 9 | 9 |",
    "a code span's end": "``` `` ` `",
    "HTML": "</details><script>alert(1)</script><img src=x>",
    "a mention": "@admin and @org/team",
    "a reference": "#1 fixes GH-1",
    "a link": "[x](http://evil.example) https://evil.example www.evil.example",
    "lines": "a\n\n# heading\r\n- list\u2028x\u0085y",
    "a terminal": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "bidi": "\u202eevil\u2066\u200b",
    "an end of escapes": "x\\",
    "an endless name": "n" * 5000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_name_from_outside_is_markup(text: str) -> None:
    preview = Preview(
        "elm", SEEN, syncs=True, rows=ROWS,
        schools=(SchoolPreview(SchoolState(text, text, 5, "unmapped", None, text), SchoolEffect(text)),),
        rejects=(RejectCount("students", text, text, "row.required", "error", 2),),
        notes=(text,),
        error=HoldError(text, hint=text),
    )  # fmt: skip
    plain = preview_lines_text(preview)
    assert not [c for line in plain for c in click.unstyle(line) if not c.isprintable() and c != "\ufffd"]
    marked = preview_lines_markdown(preview)
    (row,) = [line for line in marked if line.startswith("| ") and "unmapped" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 10
    written = [line for line in marked if not line.startswith("| ")]
    outside = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(written))
    assert not re.search(r"(?<!\\)[<\[\]`*_|]", outside.replace("**would be held**", ""))
    assert not re.search(r"[@#]\w|://|www\.", outside)
    assert all("\n" not in line for line in (*plain, *marked))
    assert max(map(len, marked)) < 10_000
