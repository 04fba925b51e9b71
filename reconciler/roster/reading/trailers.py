"""The last line of an export that is no row: `(3412 rows affected)`, `Total: 3412`, `EOF`.

Only a known form counts, only on the last line, and only where nothing else stands on it: a row that was cut,
or a child's, must never be taken for one.
"""

from __future__ import annotations

import re

from reconciler.mapping.columns import SPACES

CTRL_Z = "\x1a"
"""With which files of old systems end."""
_EDGES = SPACES + CTRL_Z + ',;|"'
_COUNT = r"(?P<count>[0-9][0-9,.]*)"
_BETWEEN = r"[\s:=,;|\"-]*"
_FORMS = (
    rf"\(?{_COUNT}\s+(?:rows?|records?|lines?)(?:\s+(?:affected|selected|returned|exported|written|found))?\)?\.?",
    rf"(?:eof|end|end of (?:file|report|data|export)|trailer|trl){_BETWEEN}(?:{_COUNT})?",
    rf"(?:total|count|(?:total )?(?:number of )?(?:rows?|records?|students|contacts)(?: count)?)"
    rf"{_BETWEEN}{_COUNT}",
    rf"t\|{_COUNT}",
)
_LONGEST = 100
_TRAILERS = [re.compile(form, re.IGNORECASE) for form in _FORMS]


def is_trailer(line: str) -> bool:
    """Whether a line, if it is the file's last, says that the file ends here."""
    return len(line) <= _LONGEST and _match(line) is not None


def count_in(line: str) -> int | None:
    """How many rows a trailer says that there are; None where it does not."""
    found = _match(line)
    digits = re.sub("[^0-9]", "", found["count"] or "") if found and "count" in found.groupdict() else ""
    return int(digits) if digits else None


def _match(line: str) -> re.Match[str] | None:
    text = line.strip(_EDGES)
    return next((found for form in _TRAILERS if (found := form.fullmatch(text))), None)
