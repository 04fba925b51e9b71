"""SQL that tells an id from what a spreadsheet, or a damaged export, made of one.

`1.23E+11` stands for a thousand million ids, and a control character or an invisible one makes two ids out of
what people read as one. Such a text identifies nobody: it is read as no id, and its row is rejected.
"""

from __future__ import annotations

from reconciler.mapping.sql import literal

KEY_FIELDS = ("id", "school", "student", "contact")
"""Fields with an id that says whose row it is: one that cannot be read rejects the row."""
ID_FIELDS = (*KEY_FIELDS, "student_number")
"""Fields whose text is an id."""
SCIENTIFIC, UNREADABLE = "scientific", "unreadable-id"
"""What can be wrong with an id, as `_problems` of a row name it."""
MAX_ID = 256
"""Characters; what is longer is text that slipped into the wrong column."""

_PLAIN = r"[A-Za-z0-9_.@{}-]*"
"""What nearly every id is made of: for these no more has to be looked at."""
_SPREADSHEET = r"(?:^|\x1f)[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,3}(?:$|\x1f)"
"""As spreadsheets write a number of many digits. \x1f stands between the items of a list."""
_HIDDEN = r"[\x00-\x1e\x7f-\x9f\p{Cf}\x{2028}\x{2029}]"


def id_fault(value: str) -> str:
    """An expression for what is wrong with the id `value`; NULL where nothing is, or there is none."""
    return (
        f"CASE WHEN regexp_full_match({value}, {literal(_PLAIN)}) AND strlen({value}) <= {MAX_ID} THEN NULL "
        f"WHEN regexp_matches({value}, {literal(_SPREADSHEET)}) THEN {literal(SCIENTIFIC)} "
        f"WHEN ({_has_long_item(value)}) OR regexp_matches({value}, {literal(_HIDDEN)}) "
        f"THEN {literal(UNREADABLE)} END"
    )


def _has_long_item(value: str) -> str:
    """Whether an item is longer than an id may be. No pattern: one that counts so far is slow to compile."""
    items = f"list_filter(string_split({value}, chr(31)), lambda item: length(item) > {MAX_ID})"
    return f"length({value}) > {MAX_ID} AND len({items}) > 0"


def fitting_id(raw: str, value: str) -> str:
    """The value that was made of the id `raw`; NULL for a text that identifies nobody."""
    return f"CASE WHEN ({id_fault(raw)}) IS NULL THEN {value} END"
