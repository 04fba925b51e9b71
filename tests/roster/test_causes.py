"""Why so many rows go at once: the cause that is named, with its evidence in counts."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from reconciler.roster.causes import likely_cause
from reconciler.roster.delta import RemoteFile, SisSchool
from tests.roster.running import as_csv, make_mapper, open_roster, resolve

HEADER = "id,school,first_name,last_name\n"
IDS = [f"00{n}" for n in range(10, 30)]
SCHOOLS = [SisSchool("A", students=10), SisSchool("B", students=10)]


def roster_of(ids: Iterable[str], last: str = "Lee") -> str:
    return HEADER + "".join(f"{i},{'AB'[n % 2]},First,{last}\n" for n, i in enumerate(ids))


BEFORE = resolve("generic", {"students.csv": roster_of(IDS)}).stored()


@pytest.mark.parametrize(
    ("content", "size_before", "cause"),
    [
        pytest.param(roster_of(i.lstrip("0") for i in IDS), 1, "leading zeros: 20 of 20 removed", id="zeros"),
        pytest.param(roster_of(f"X{i}" for i in IDS), 1, "ids were changed: 20 new ids came as 20", id="ids"),
        pytest.param(HEADER + "".join(f"{i},A,First,Lee\n" for i in IDS[::2]), 1,
                     "the files have no student of school B (10 students before)", id="a school"),
        pytest.param(roster_of(IDS[:4]), 1000, "students.csv is 90 % smaller than at the last", id="size"),
        pytest.param(roster_of(IDS[:4]), 1, "the files have fewer rows than before, of every", id="rows"),
        pytest.param(roster_of(IDS, "Ray"), 1, "a column's values changed in most rows", id="values"),
    ],
)  # fmt: skip
def test_the_likeliest_cause_is_named(content: str, size_before: int, cause: str) -> None:
    def stored(entity: str) -> Iterable[bytes]:
        return (as_csv((*key, row_hash, "tf"[not on])) for key, (row_hash, on) in BEFORE[entity].items())

    with open_roster(make_mapper("generic"), {"students.csv": content}) as roster:
        counts = roster.resolve(None, stored=stored)
        before, now = RemoteFile("students.csv", size_before, 0), RemoteFile("students.csv", 100, 1)
        assert likely_cause(roster, counts, [before], [now], SCHOOLS).startswith(cause)
