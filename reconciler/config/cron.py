"""Whether a schedule and a time zone mean what they seem to."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from reconciler.documents.wording import did_you_mean

# R is a random minute: two runs would not agree on it. H needs a key that a district file cannot give.
_RANDOM = re.compile(r"(?<![a-z])[rh](?![a-z])", re.IGNORECASE)
_DAILY_OR_WEEKLY = re.compile(r"[1-5]?[0-9] (?:1?[0-9]|2[0-3]) \* \* (?:\*|[0-6]|1-5)", re.ASCII)
"""At one time of every day, of one day of the week, or of its five working days: nothing is wrong with it."""
_ANY_DAY = datetime(2027, 1, 1)  # noqa: DTZ001 - whether a day exists at all does not depend on the zone


@lru_cache(maxsize=1024)
def schedule_fault(expression: str) -> str:
    """What is wrong with a cron expression of five fields; empty if nothing is."""
    if _DAILY_OR_WEEKLY.fullmatch(expression):
        return ""
    from croniter import croniter  # noqa: PLC0415 – slow to import, and most schedules need it not

    if _RANDOM.search(expression):
        return "the cron expression is random (R, H): name the minute and the hour"
    try:
        croniter(expression, _ANY_DAY).get_next(datetime)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        # Its messages quote the expression in full; ours says where to look.
        return _kind_of_fault(expression)
    return ""


def _kind_of_fault(expression: str) -> str:
    from croniter import croniter  # noqa: PLC0415 – as above

    if croniter.is_valid(expression):
        return "the cron expression names a day that never comes"
    return "is not a cron expression: minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7"


@lru_cache(maxsize=1024)
def timezone_fault(name: str) -> tuple[str, str]:
    """Message and hint for a time zone that does not exist; empty texts if it does."""
    import zoneinfo  # noqa: PLC0415 – looks through the system's folders when it is loaded

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zones = zoneinfo.available_timezones()
        hint = did_you_mean(name, zones) or 'for example "America/Chicago"'
        return "is not the IANA name of a time zone", hint
    return "", ""
