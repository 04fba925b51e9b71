"""Causes in the values: a column is empty, two columns are exchanged, letters are garbled."""

from __future__ import annotations

import re
from collections import Counter

from reconciler.mapping.entities import ENTITIES, RIGHTS
from reconciler.mapping.sql import name
from reconciler.roster.causes.cause import Cause
from reconciler.roster.causes.evidence import Evidence
from reconciler.roster.causes.files import changed_fields, format_changes

_SAMPLE = 5_000
"""Rows that are looked at one by one."""
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_MISREADINGS = (
    ("utf-8", "cp1252"), ("utf-8", "latin-1"), ("utf-8", "mac_roman"), ("utf-8", "cp437"),
    ("cp1252", "mac_roman"), ("cp1252", "cp437"), ("mac_roman", "cp1252"), ("cp1252", "utf-8"),
)  # fmt: skip
"""How a text was written, and as what it was read."""


def emptied(evidence: Evidence) -> Cause | None:
    """A field that most stored rows had is empty in most of the changed rows."""
    return _emptied(evidence, [f for f, n in changed_fields(evidence) if evidence.is_most(n)])


def emptied_reach(evidence: Evidence) -> Cause | None:
    """Contacts without an id are known by name with phone or e-mail: empty columns make others of them."""
    if evidence.entity != "contacts" or not evidence.is_most(evidence.count("SELECT count(*) FROM came")):
        return None
    return _emptied(evidence, ["phone", "phone_2", "email", "first_name", "last_name"])


def _emptied(evidence: Evidence, fields: list[str]) -> Cause | None:
    for field in fields:
        before, now = (_filled(evidence, f"{t}_{evidence.entity}", field) for t in ("was", "new"))
        if before >= 30 and now <= before / 4:
            return Cause(
                "column-emptied",
                f"an empty column: {evidence.place(field)} was filled in {before:.0f} % of the stored "
                f"{evidence.entity} and is filled in {now:.0f} % now",
            )
    return None


def _filled(evidence: Evidence, table: str, field: str) -> float:
    """Percent of a table's rows in which a field says something."""
    said = f"nullif({name(field)}, 'unknown')" if field in RIGHTS else name(field)
    return 100 * float(evidence.row(f"SELECT coalesce(count({said}) / count(*), 0) FROM {table}")[0])


def swapped(evidence: Evidence) -> Cause | None:
    """A field holds what another one held: columns of the header are exchanged or shifted."""
    columns = [c for c in ENTITIES[evidence.entity].columns if c not in ENTITIES[evidence.entity].key]
    pairs = [(to, source) for to in columns for source in columns if to != source]
    moved = ", ".join(
        f"count(*) FILTER ({name('n_' + to)} = {source} AND {name('w_' + to)} <> {source})"
        for to, source in ((to, name("w_" + source)) for to, source in pairs)
    )
    counts = zip(pairs, evidence.row(f"SELECT {moved} FROM changed"), strict=True)
    found = [(to, source, n) for (to, source), n in counts if evidence.is_most(n)]
    if not found:
        return None
    to, source, n = max(found, key=lambda one: one[2])
    return Cause(
        "columns-swapped",
        f"exchanged columns: {evidence.place(to)} holds what {source} held in {evidence.of_total(n)}",
    )


def garbled(evidence: Evidence) -> Cause | None:
    """Letters beyond ASCII came out as others in most of the changed rows."""
    columns = [f for f, _ in changed_fields(evidence)]
    cells = ", ".join(f"{name('w_' + c)}, {name('n_' + c)}" for c in columns)
    rows = evidence.rows(f"SELECT {cells} FROM changed USING SAMPLE {_SAMPLE}") if columns else []
    found = sum(any(_is_misread(row[i], row[i + 1]) for i in range(0, len(row), 2)) for row in rows)
    if not rows or found < 0.7 * len(rows):
        return None
    return _misread(evidence, round(found * evidence.total / len(rows)))


def garbled_names(evidence: Evidence) -> Cause | None:
    """Contacts without an id are known by their names: garbled, they are taken for others."""
    if evidence.entity != "contacts":
        return None
    whole = "SELECT concat_ws(' ', first_name, last_name), count(*) FROM {0} GROUP BY 1"
    came = Counter(dict(evidence.rows(whole.format("came"))))
    repaired: Counter[str] = Counter()
    for text, n in came.items():
        repaired.update(dict.fromkeys(_misreadings(text), n))
    found = 0
    for text, n in evidence.rows(whole.format("lost")):
        found += min(n, max(repaired[text], sum(came[form] for form in _misreadings(text))))
    return _misread(evidence, found) if evidence.is_most(found) else None


def _misread(evidence: Evidence, rows: int) -> Cause:
    formats = "".join(f"; {change}" for change in format_changes(evidence))
    return Cause(
        "encoding-changed",
        f"the encoding: letters beyond ASCII came out as others in {evidence.of_total(rows)}{formats}",
    )


def _is_misread(before: str | None, now: str | None) -> bool:
    if before is None or now is None or before == now:
        return False
    return now in _misreadings(before) or before in _misreadings(now)


def _misreadings(text: str) -> set[str]:
    """What becomes of a text that is read in another encoding than it was written in."""
    if text.isascii():
        return set()
    forms = {_BEYOND_ASCII.sub(to, text).strip() for to in ("?", "\ufffd", "\ufffd\ufffd", "??", "")}
    for written, read in _MISREADINGS:
        try:
            forms.add(text.encode(written).decode(read, "replace").strip())
        except UnicodeEncodeError:
            continue
    return forms - {text}


def differing(evidence: Evidence) -> Cause:
    """The bare fact: which fields differ, and in how many rows."""
    listed = ", ".join(
        f"{field} in {n}{_how(evidence, field, n)}"
        for field, n in changed_fields(evidence)
        if 2 * n >= evidence.total
    )
    said = f": {listed} of {evidence.total} changed {evidence.entity}" if listed else ""
    return Cause("values-changed", f"a column's values changed in most rows{said}")


def _how(evidence: Evidence, field: str, rows: int) -> str:
    """` (letter case only)` where that is all that differs."""
    case = f"lower({name('w_' + field)}) = lower({name('n_' + field)})"
    differs = f"{name('w_' + field)} <> {name('n_' + field)}"
    same = evidence.count(f"SELECT count(*) FILTER ({differs} AND {case}) FROM changed")
    return " (letter case only)" if same == rows else ""
