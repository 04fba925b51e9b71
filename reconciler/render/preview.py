"""A preview: what a plan would do to a district's rows, by entity, by school and by column. Counts only.

Names of schools, files and columns come from the district's server: here none of them is markup, nor moves
the cursor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from reconciler.engine.report import Outcome
from reconciler.render.text import coloured, plural, table

if TYPE_CHECKING:
    from reconciler.engine.preview import Preview, SchoolPreview

_COUNTS = ("read", "added", "changed", "removed", "unchanged", "rejected", "skipped", "duplicate")
_FATES = ("added", "changed", "removed", "unchanged")
_SHOWN = 20
"""Lines of a list, of schools say, before the rest is counted."""
_LONGEST = 80
"""Characters of a name."""
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&$])")
_REFERENCE = re.compile(r"([@#!~%&$^])(?=\w|[\"'])|(:/|\bwww)(?=[/.])", re.IGNORECASE)
"""What GitHub or GitLab make a link of, wherever it stands: mentions, numbers, labels, addresses."""
_SAID = {
    Outcome.SUCCEEDED: "would succeed",
    Outcome.BLOCKED: "would be held",
    Outcome.FAILED: "would fail",
}

Row = tuple[object, ...]


def preview_lines_text(preview: Preview) -> list[str]:
    """The lines below a district's change in a plan as text."""
    word = "succeeded" if preview.outcome is Outcome.SUCCEEDED else str(preview.outcome)
    lines = [f"preview: {coloured(word, _said(preview))}{_looked_at(preview)}"]
    rows = _rows(preview)
    if rows:
        lines += table(_ROWS, rows).splitlines()
    schools = _schools(preview, _clean)
    if schools:
        lines += table(_SCHOOLS, schools).splitlines()
    lines += _sentences(preview, _clean)
    lines += [f"note: {_clean(note, 1000)}" for note in preview.notes]
    if preview.error:
        lines.append(f"{coloured('error', preview.error.code)}: {_clean(preview.error.message, 4000)}")
        lines += [f"→ {_clean(preview.error.hint, 1000)}"] if preview.error.hint else []
    return [f"    {line}" for line in lines]


def preview_remark(preview: Preview) -> str:
    """A few words for the line of a district that would not go through; empty where it would."""
    if preview.outcome is Outcome.SUCCEEDED or preview.error is None:
        return ""
    return f"{_said(preview)} ({preview.error.code})"


def preview_lines_markdown(preview: Preview) -> list[str]:
    """The same as GitHub and GitLab Markdown, to stand in a fold of its own; ends with an empty line."""
    lines = [f"Preview: **{_said(preview)}**{_looked_at(preview)}", ""]
    if preview.error:
        lines += [f"> `{preview.error.code}` {_plain(preview.error.message, 4000)}"]
        lines += [">", f"> {_plain(preview.error.hint, 1000)}"] if preview.error.hint else []
        lines.append("")
    lines += _markdown_table(_ROWS, _rows(preview))
    lines += _markdown_table(_SCHOOLS, _schools(preview, _code))
    listed = [*_sentences(preview, _code), *(f"note: {_plain(note, 1000)}" for note in preview.notes)]
    lines += [*(f"- {line}" for line in listed), ""] if listed else []
    return lines


_ROWS = ("ENTITY", *(c.upper() for c in _COUNTS))
_SCHOOLS = ("SIS ID", "NAME", "STATE", "SCHOOL", "STUDENTS", *(f.upper() for f in _FATES))


def _said(preview: Preview) -> str:
    if preview.outcome is Outcome.FAILED and preview.seen is None:
        return "could not be made"
    return _SAID[preview.outcome]


def _looked_at(preview: Preview) -> str:
    if preview.seen is None:
        return ""
    size = sum(f.size for f in preview.seen.files)
    said = f" ({plural(len(preview.seen.files), 'file')}, {size:,} bytes"
    if preview.unchanged:
        return f"{said}; they are those of the stored rows: no row changes)"
    return f"{said})" if preview.syncs else f"{said}; no sync in this plan)"


def _rows(preview: Preview) -> list[Row]:
    """A line for each entity of which something was read, or would be removed."""
    said = ((e, c) for e, c in preview.rows.items() if c.read or c.removed)
    return [(entity, *(getattr(counts, c) for c in _COUNTS)) for entity, counts in said]


def _schools(preview: Preview, show: Callable[[str], str]) -> list[Row]:
    """The schools that somebody has to look at; those with the most students without a school first."""
    listed = sorted((s for s in preview.schools if _matters(s)), key=_weight)
    return [_school(s, show) for s in listed[:_SHOWN]]


def _matters(school: SchoolPreview) -> bool:
    rows = school.rows
    moved = rows.added or rows.changed or rows.removed
    return bool(moved or school.state.state == "unmapped" or school.state.suggestion)


def _weight(school: SchoolPreview) -> tuple[bool, int, str]:
    return school.state.state != "unmapped", -school.state.students, school.state.sis_id


def _school(school: SchoolPreview, show: Callable[[str], str]) -> Row:
    state = school.state
    suggested = f"({state.suggestion}?)" if state.suggestion else ""
    named = " ".join(filter(None, (state.school, suggested)))
    return (
        show(state.sis_id), show(state.name) if state.name else "", state.state, show(named) if named else "",
        state.students, *(getattr(school.rows, fate) for fate in _FATES),
    )  # fmt: skip


def _sentences(preview: Preview, show: Callable[[str], str]) -> list[str]:
    """What the tables leave out or do not say."""
    more = sum(map(_matters, preview.schools)) - _SHOWN
    lines = [f"and {plural(more, 'school')} more"] if more > 0 else []
    if preview.unmapped:
        lost = sum(s.students for s in preview.unmapped)
        lines.append(
            f"{plural(len(preview.unmapped), 'school')} not mapped: {plural(lost, 'student')} left out"
        )
    lines += [
        f"column {show(c.column)} of {c.entity} differs in {c.rows} of {c.of} rows "
        f"({100 * c.rows / c.of:.0f} %){f'; {c.emptied} of them become empty' if c.emptied else ''}"
        for c in preview.columns
    ]
    return lines + _rejected(preview, show)


def _rejected(preview: Preview, show: Callable[[str], str]) -> list[str]:
    lines = [
        f"{'rejected' if r.severity == 'error' else 'left out'}: "
        f"{plural(r.rows, 'row' if r.severity == 'error' else 'value')} of {r.entity} in {show(r.file)}"
        f"{f', column {show(r.column)}' if r.column else ''} ({r.code})"
        for r in preview.rejects[:_SHOWN]
    ]
    more = len(preview.rejects) - _SHOWN
    return [*lines, f"and {plural(more, 'reason')} more"] if more > 0 else lines


# --- names that come from outside --------------------------------------------------------------------------


def _clean(text: str, longest: int = _LONGEST) -> str:
    """On one line, without characters that control anything."""
    shown = "".join(" " if c.isspace() else c if _is_plain(c) else "\ufffd" for c in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _is_plain(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _code(text: str, longest: int = _LONGEST) -> str:
    """As a code span that no text in it ends, in a table too."""
    shown = _clean(text, longest).strip() or " "
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    space = " " if "`" in shown else ""
    return f"{fence}{space}{shown}{space}{fence}".replace("\\", "\\\u200b").replace("|", "\\|")


def _plain(text: str, longest: int) -> str:
    """As text without markup; the sign of a reference is kept apart from what follows it."""
    apart = _REFERENCE.sub(lambda m: m[0] + "\u200b", _clean(text, longest))
    return _MARKUP.sub(r"\\\1", apart)


def _markdown_table(header: Sequence[str], rows: Iterable[Row]) -> list[str]:
    listed = list(rows)
    if not listed:
        return []
    right = [all(isinstance(row[i], int) for row in listed) for i in range(len(header))]
    return [
        _markdown_row(tuple(h.lower() for h in header)),
        _markdown_row(tuple("--:" if r else "---" for r in right)),
        *map(_markdown_row, listed),
        "",
    ]


def _markdown_row(cells: Row) -> str:
    return f"| {' | '.join(map(str, cells))} |"
