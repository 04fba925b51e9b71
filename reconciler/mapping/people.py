"""SQL for people: names given in one column, and a stable id for a contact that has none."""

from __future__ import annotations

from reconciler.mapping.sql import literal
from reconciler.mapping.values import digits

_PARTICLES = "de|del|della|der|den|da|di|dos|du|la|las|los|le|van|von|st\\.?|bin|ibn|al"
_SUFFIXES = "jr|sr|ii|iii|iv"
_SUFFIX = rf"(?:,? (?:{_SUFFIXES})\.?)?"
_FAMILY = rf"(?i)(?:^([^ ]+{_SUFFIX})| ((?:(?:{_PARTICLES}) )*[^ ]+{_SUFFIX}))$"
"""The end of a name: its last word, with the particles before it and the suffix after it.

A particle that begins the name is a first name (`Van Nguyen`, `Al Smith`)."""
_SUFFIX_ALONE = rf"(?i)(?:{_SUFFIXES})\.?"
_SUFFIX_AFTER_COMMA = rf"(?i)[^,]+, *(?:{_SUFFIXES}|md|phd|esq)\.?"
_ONE_DIGIT = "|".join(f"{digit}+" for digit in range(10))
_NO_PHONE = f"^(.{{1,6}}|{_ONE_DIGIT}|0?1234567(89?0?)?)$"
"""Digits that tell nobody from another: too few, one of them repeated, or counting up."""


def first_and_last(column: str) -> tuple[str, str]:
    """Expressions for the first and the last name in a column of whole names, spaces between words single.

    `Last, First` is split at the comma; else the last word is the last name, with particles (`de la Cruz`)
    and suffixes (`Smith Jr`); a name of one word is a last name.
    """
    first, last = _first_and_last_of_any(column)
    words = f"trim(split_part({column}, ' ', 1))", f"trim(split_part({column}, ' ', 2))"
    # The names of most people are two words, and a pattern costs ten times a split.
    plain = (
        f"length({column}) - length(replace({column}, ' ', '')) = 1 AND NOT contains({column}, ',') "
        f"AND NOT (length({words[1]}) <= 4 AND regexp_full_match({words[1]}, {literal(_SUFFIX_ALONE)}))"
    )
    return _either(plain, words[0], first), _either(plain, words[1], last)


def _first_and_last_of_any(whole: str) -> tuple[str, str]:
    has_comma = f"contains({whole}, ',')"
    reversed_ = f"{has_comma} AND NOT regexp_full_match({whole}, {literal(_SUFFIX_AFTER_COMMA)})"
    family = " || ".join(f"regexp_extract({whole}, {literal(_FAMILY)}, {group})" for group in (1, 2))
    family = f"({family})"
    last = f"CASE WHEN {reversed_} THEN trim(split_part({whole}, ',', 1)) ELSE trim({family}) END"
    given = f"trim(left({whole}, length({whole}) - length({family})))"
    first = f"CASE WHEN {reversed_} THEN trim(substr({whole}, instr({whole}, ',') + 1)) ELSE {given} END"
    return first, last


def _either(test: str, plain: str, any_: str) -> str:
    """What is quick to compute where the test holds, and the same for any text elsewhere."""
    return f"CASE WHEN {test} THEN {plain} ELSE {any_} END"


def single_spaced(column: str) -> str:
    """A text with one space for every run of white space, and none at its ends."""
    closed = rf"trim(regexp_replace({column}, '\s+', ' ', 'g'))"
    return _either(rf"NOT regexp_matches({column}, '^\s|\s\s|[\t\n\r\f]|\s$')", f"trim({column})", closed)


def made_contact_id(table: str) -> str:
    """A stable id for a row of `table`: its name with phone or e-mail, else its name with its one student.

    Two people may share a name, so a name alone identifies nobody; nor does a phone that is no number
    (fewer than seven digits, all of them equal, or counting up).
    """
    person = _plain(f"concat_ws(' ', {table}.first_name, {table}.last_name)")
    phone = f"coalesce({_phone(table + '.phone')}, {_phone(table + '.phone_2')})"
    email = f"CASE WHEN contains({table}.email, '@') THEN lower({table}.email) END"
    reach = f"coalesce('phone ' || {phone}, 'email ' || {email}, 'student ' || {table}.student)"
    return f"'c-' || md5(concat_ws(chr(31), {person}, {reach}))"


def comparable(column: str) -> str:
    """A contact's column as it is held against another row's: the same number, or the same words."""
    if column in ("phone", "phone_2"):
        return f"coalesce({_phone(column)}, {_plain(column)})"
    return f"lower({column})" if column == "email" else _plain(column)


def _plain(text: str) -> str:
    """Words without case and punctuation, and in Latin script without accents: elsewhere they are letters."""
    is_plain = f"regexp_full_match({text}, '[A-Za-z0-9]+( [A-Za-z0-9]+)*')"
    return _either(is_plain, f"lower({text})", _plain_of_any(text))


def _plain_of_any(text: str) -> str:
    latin = rf"regexp_full_match({text}, '[\p{{Latin}}\p{{Common}}]*')"
    bare = f"lower(CASE WHEN {latin} THEN strip_accents({text}) ELSE {text} END)"
    return rf"trim(regexp_replace({bare}, '[^\p{{L}}\p{{M}}\p{{N}}]+', ' ', 'g'))"


def _phone(column: str) -> str:
    """The digits that tell one phone from another, without country code and extension; NULL for none."""
    bare = f"replace(replace(replace(replace({column}, '-', ''), ' ', ''), '(', ''), ')', '')"
    is_plain = (
        rf"regexp_full_match({column}, '\(?[2-9][0-9]{{2}}[) -]{{0,2}}[0-9]{{3}}[ -]?[0-9]{{4}}') "
        f"AND {bare} <> repeat(left({bare}, 1), 10)"
    )
    return _either(is_plain, bare, _phone_of_any(column))


def _phone_of_any(column: str) -> str:
    number = digits(f"regexp_replace(lower({column}), '(x|ext|#).*$', '')")
    local = rf"regexp_replace({number}, '^1([0-9]{{10}})$', '\1')"
    return f"nullif(regexp_replace({local}, {literal(_NO_PHONE)}, ''), '')"
