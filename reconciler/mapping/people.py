"""SQL for people: names given in one column, and a stable id for a contact that has none."""

from __future__ import annotations

from reconciler.mapping.sql import literal
from reconciler.mapping.values import digits

_PARTICLES = "de|del|della|der|den|da|di|dos|du|la|las|los|le|van|von|st\\.?|bin|ibn|al"
_SUFFIXES = "jr|sr|ii|iii|iv"
_FAMILY = rf"(?i)(?:^| )((?:(?:{_PARTICLES}) )*[^ ]+(?:,? (?:{_SUFFIXES})\.?)?)$"
"""The end of a name: its last word, with the particles before it and the suffix after it."""
_SUFFIX_AFTER_COMMA = rf"(?i)[^,]+, *(?:{_SUFFIXES}|md|phd|esq)\.?"


def first_and_last(column: str) -> tuple[str, str]:
    """Expressions for the first and the last name in a column of whole names.

    `Last, First` is split at the comma; else the last word is the last name, with particles (`de la Cruz`)
    and suffixes (`Smith Jr`); a name of one word is a last name.
    """
    whole = rf"trim(regexp_replace({column}, '\s+', ' ', 'g'))"
    has_comma = f"contains({whole}, ',')"
    reversed_ = f"{has_comma} AND NOT regexp_full_match({whole}, {literal(_SUFFIX_AFTER_COMMA)})"
    family = f"regexp_extract({whole}, {literal(_FAMILY)}, 1)"
    last = f"CASE WHEN {reversed_} THEN trim(split_part({whole}, ',', 1)) ELSE {family} END"
    given = f"trim(left({whole}, length({whole}) - length({family})))"
    first = f"CASE WHEN {reversed_} THEN trim(substr({whole}, instr({whole}, ',') + 1)) ELSE {given} END"
    return first, last


def made_contact_id(table: str) -> str:
    """A stable id for a row of `table`: its name with phone or e-mail, else its name with its one student.

    Two people may share a name, so a name alone identifies nobody; nor does a phone that is no number
    (fewer than seven digits, or all of them equal).
    """
    plain = f"lower(strip_accents(concat_ws(' ', {table}.first_name, {table}.last_name)))"
    person = rf"trim(regexp_replace({plain}, '[^\p{{L}}\p{{N}}]+', ' ', 'g'))"
    phone = f"coalesce({_phone(table + '.phone')}, {_phone(table + '.phone_2')})"
    email = f"CASE WHEN contains({table}.email, '@') THEN lower({table}.email) END"
    reach = f"coalesce('phone ' || {phone}, 'email ' || {email}, 'student ' || {table}.student)"
    return f"'c-' || md5(concat_ws(chr(31), {person}, {reach}))"


def _phone(column: str) -> str:
    """The digits that tell one phone from another, without country code and extension; NULL for none."""
    number = digits(f"regexp_replace(lower({column}), '(x|ext|#).*$', '')")
    local = rf"regexp_replace({number}, '^1([0-9]{{10}})$', '\1')"
    return f"CASE WHEN length({local}) >= 7 AND replace({local}, left({local}, 1), '') <> '' THEN {local} END"
