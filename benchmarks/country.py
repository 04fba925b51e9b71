"""A configuration repository of the size of the country: 13,000 districts with 99,000 schools.

How many schools a district has follows the public school directory of the NCES (California, Florida,
Michigan and Washington: 3,342 districts with 20,637 schools): every second district has one school, one in a
hundred has 65 or more, the largest 785. The table holds that distribution and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

_SHAPE = (
    (0.0, 785), (0.0003, 537), (0.0006, 325), (0.001, 305), (0.002, 210), (0.003, 153), (0.005, 101),
    (0.01, 65), (0.02, 41), (0.05, 22), (0.1, 13), (0.2, 7), (0.3, 4), (0.4, 3), (0.5, 1), (1.0, 1),
)  # fmt: skip
"""Share of districts, largest first, and the schools of the district that stands there."""
_STUDENTS = (
    (0.0, 427_795), (0.0006, 334_090), (0.001, 224_538), (0.002, 128_657), (0.003, 93_893), (0.005, 65_554),
    (0.01, 42_802), (0.02, 25_744), (0.05, 14_171), (0.1, 7_086), (0.2, 3_009), (0.3, 1_590), (0.4, 919),
    (0.5, 605), (0.6, 451), (0.7, 330), (0.8, 221), (0.9, 118), (1.0, 3),
)  # fmt: skip
"""The same for students: 3,254 districts with 11.2 million."""
_MAPPERS = ("oneroster-1.1", "oneroster-1.2", "clever", "powerschool", "infinite-campus", "skyward")
_STATES = ("ca", "fl", "mi", "ny", "pa", "tx", "wa")
SCHOOLS_EACH = 99_000 / 13_000


def sizes(districts: int) -> list[int]:
    """How many schools each district has, largest first: the shape, filled up to 7.6 on average."""
    found = [_size((number + 0.5) / districts) for number in range(districts)]
    lacking = round(districts * SCHOOLS_EACH) - sum(found)
    for number in range(max(lacking, 0)):
        # The four states have more charter schools that are districts than most: the middle is filled up.
        found[districts // 20 + number % (districts * 3 // 4)] += 1
    return found


def enrolments(districts: int) -> list[int]:
    """How many students each district has, largest first. 13,318 have some 47 million."""
    return [_size((number + 0.5) / districts, _STUDENTS) for number in range(districts)]


def _size(share: float, shape: Sequence[tuple[float, int]] = _SHAPE) -> int:
    for (left, high), (right, low) in pairwise(shape):
        if share <= right:
            return round(high + (low - high) * (share - left) / (right - left))
    return 1


def write_country(root: Path, districts: int) -> None:
    """The repository; the same for the same number."""
    for state in _STATES:
        (root / "districts" / state).mkdir(parents=True, exist_ok=True)
    for number, schools in enumerate(sizes(districts)):
        path(root, number).write_text("\n".join(_lines(number, schools)) + "\n", encoding="utf-8")


def path(root: Path, number: int) -> Path:
    """The file of one district."""
    return root / "districts" / _STATES[number % len(_STATES)] / f"{name(number)}.yaml"


def name(number: int) -> str:
    return f"district-{number:05d}-isd"


def _lines(number: int, schools: int) -> Iterator[str]:
    district = name(number)
    variable = f"SFTP_{district.upper().replace('-', '_')}_PASSWORD"
    yield f"district: {district}"
    yield f"name: District {number} Independent Schools"
    yield f'account: "{100_000 + number}"'
    yield "sftp:"
    yield f"  host: sftp.{district}.example"
    yield "  username: roster"
    yield (
        f"  password: {{env: {variable}}}"
        if number % 4
        else f"  private_key: {{file: /run/secrets/{district}}}"
    )
    yield f"  host_key: SHA256:{number:043d}"
    yield "  remote_path: /data/uploads/"
    yield f"mapper: {_MAPPERS[number % len(_MAPPERS)]}"
    yield "schools:"
    for school in range(schools):
        yield f'  - sis_id: "{number * 7 + school:06d}"'
        yield f"    school: school-{number:05d}-{school:04d}"
        yield f"    name: Lincoln Elementary {school}"
    yield f'ignored_schools: ["9{number:05d}"]'
    yield "sync:"
    yield "  state: stopped" if number % 50 == 7 else "  state: started"
    yield f'  schedule: "{number % 60} {number % 24} * * *"'
    yield "  timezone: America/Chicago"
    if number % 10 == 3:
        yield "  pause: [{from: 2027-06-01, until: 2027-08-15}]"
