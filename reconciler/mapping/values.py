"""SQL for one value: transforms, and the types that a field may be declared to have.

A type never invents: text that is not of its type becomes NULL and is reported, with the row kept unless
the field is required. The result of every type is text again.
"""

from __future__ import annotations

from reconciler.mapping.entities import RIGHTS
from reconciler.mapping.model import DATE_FORMATS, Field
from reconciler.mapping.sql import literal, literal_list

OLDEST = 120
"""Years; nobody on a roster was born earlier."""
YES = ("y", "yes", "true", "t", "1", "x")
NO = ("n", "no", "false", "f", "0")

_TIME = (
    r"[T ] ?([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d([.,]\d{1,9})?)?( ?[AaPp]\.?[Mm]\.?)?"
    r"( ?(Z|UTC|GMT|[+-]\d\d(:?\d\d)?))?$"
)
"""A time of day after a date, in 24 or 12 hours, with a time zone or without."""

_GRADES = {
    "IT": ("it", "infant", "infant/toddler"),
    "PR": ("pr", "preschool", "-2"),
    "PK": ("pk", "prek", "pre-k", "prekindergarten", "pre-kindergarten", "-1"),
    "TK": ("tk", "transitional kindergarten"),
    "KG": ("kg", "k", "kindergarten", "0", "00"),
    "PS": ("ps", "postsecondary"),
    "UG": ("ug", "ungraded"),
    "Other": ("other",),
}
"""CEDS grade codes (OneRoster 1.1 and 1.2, `grades`) and the spellings met in exports."""


def transformed(field: Field, value: str) -> str:
    """The expression `value` after the field's transforms, its map and its default."""
    for step in field.transform:
        value = _transform(step, value)
    if field.map:
        value = _mapped(field, value)
    if field.default is not None:
        value = f"coalesce({value}, {literal(field.default)})"
    return value


def typed(field: Field, value: str) -> str | None:
    """The expression of `value` as the field's type; NULL where it is not; None for text of any kind."""
    if field.name in RIGHTS:
        return _right(field.name, value)
    if field.type == "date":
        day = any_date(field, value)
        return _birth_date(day) if field.name == "birth_date" else day
    patterns = {
        "integer": r"[+-]?[0-9]+",
        "email": r"[^@\s,;]+@[^@\s,;]+",
    }
    if field.type in patterns:
        return f"CASE WHEN regexp_full_match({value}, {literal(patterns[field.type])}) THEN {value} END"
    if field.type == "phone":
        return f"CASE WHEN length({digits(value)}) >= 7 THEN {value} END"
    if field.type == "boolean":
        return _boolean(value)
    return _grade(value) if field.type == "grade" else None


def digits(value: str) -> str:
    """Only the digits of a text."""
    return f"regexp_replace({value}, '[^0-9]', '', 'g')"


def _transform(step: str | tuple[str, str], value: str) -> str:
    if isinstance(step, tuple):
        return f"nullif(replace({value}, {literal(step[0])}, {literal(step[1])}), '')"
    if step == "title":
        pieces = rf"regexp_extract_all(lower({value}), '\p{{L}}+|[^\p{{L}}]+')"
        return f"array_to_string(list_transform({pieces}, lambda w: upper(w[1]) || w[2:]), '')"
    if step == "digits":
        return f"nullif({digits(value)}, '')"
    return {
        "trim": f"nullif(trim({value}), '')",
        "upper": f"upper({value})",
        "lower": f"lower({value})",
    }[step]


def _mapped(field: Field, value: str) -> str:
    """A value that the map does not name passes as it is; the key "" stands for an empty cell."""
    subject = f"coalesce({value}, '')"
    keys = dict(field.map)
    if field.map_ignores_case:
        subject = f"lower({subject})"
        keys = {key.lower(): to for key, to in keys.items()}
    cases = " ".join(f"WHEN {literal(key)} THEN nullif({literal(to)}, '')" for key, to in keys.items())
    return f"CASE {subject} {cases} ELSE {value} END"


def any_date(field: Field, value: str) -> str:
    """The expression of a text as a day, ISO 8601.

    Years outside 1900 to 2100 are typing errors, such as `08/02/13` read with %Y.
    """
    listed = "[" + ", ".join(literal(f) for f in field.formats or DATE_FORMATS) + "]"
    value = value if field.formats else _day(value)
    parsed = f"try_strptime({value}, {listed})"
    # Words such as `infinity` and `epoch` count as dates there, whatever the format.
    plausible = f"regexp_matches({value}, '[0-9]') AND year({parsed}) BETWEEN 1900 AND 2100"
    return f"CASE WHEN {plausible} THEN strftime({parsed}, '%Y-%m-%d') END"


def _day(value: str) -> str:
    """A text without the time of day at its end: the day as written, whatever the time zone."""
    return f"regexp_replace({value}, {literal(_TIME)}, '')"


def _birth_date(day: str) -> str:
    """A day on which somebody may have been born who is alive today; two digits of a year can say 2031.

    The day of the sync is the database's variable `today`; where it is not set, any day counts.
    """
    today = "getvariable('today')::DATE"
    alive = (
        f"{day} <= coalesce(strftime({today}, '%Y-%m-%d'), '9999') "
        f"AND {day} >= coalesce(strftime({today} - INTERVAL {OLDEST} YEAR, '%Y-%m-%d'), '')"
    )
    return f"CASE WHEN {alive} THEN {day} END"


def _boolean(value: str) -> str:
    return (
        f"CASE WHEN lower({value}) IN {literal_list(YES)} THEN 'true' "
        f"WHEN lower({value}) IN {literal_list(NO)} THEN 'false' END"
    )


def _right(name: str, value: str) -> str:
    """`yes` or `no`; NULL for any other text, which the caller turns into `unknown`.

    A custody alert is often free text ("court order in the office"): any text but a plain no is an alert,
    for that is the side on which an error harms no child.
    """
    other = f"WHEN {value} IS NOT NULL AND lower({value}) <> 'unknown' THEN 'yes'"
    return (
        f"CASE WHEN lower({value}) IN {literal_list(YES)} THEN 'yes' "
        f"WHEN lower({value}) IN {literal_list(NO)} THEN 'no' "
        f"{other if name == 'custody_alert' else ''} END"
    )


def _grade(value: str) -> str:
    word = f"regexp_replace(lower({value}), '^grade |(st|nd|rd|th)?( grade)?$', '', 'g')"
    cases = " ".join(
        f"WHEN {word} IN {literal_list(names)} THEN {literal(g)}" for g, names in _GRADES.items()
    )
    number = f"CASE WHEN regexp_full_match({word}, '0?[1-9]|1[0-3]') THEN lpad({word}, 2, '0') END"
    return f"CASE {cases} ELSE {number} END"
