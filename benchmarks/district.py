"""A generated district: students with 20 columns, and two contacts each. The same for the same size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SCHOOLS = 40
STUDENT = (
    "id", "school", "first_name", "last_name", "middle_name", "preferred_name", "grade", "birth_date",
    "gender", "email", "homeroom", "student_number", "status",
    "bus", "locker", "lunch", "track", "counselor", "entry_code", "remarks",
)  # fmt: skip
"""The last seven are read by no field: exports have them, and a reader has to pass over them."""
CONTACT = ("student", "name", "relationship", "phone", "may_pick_up", "priority")

_FAMILIES = tuple(
    family for family, children in enumerate([1] * 11 + [2] * 6 + [3] * 3) for _ in range(children)
)
"""Of 20 families 11 have one child, 6 have two and 3 have three: 32 children, each with its family."""
_FIRST = tuple(
    head + tail
    for head in ("Al", "Be", "Ca", "Da", "Eli", "Fa", "Ga", "Ha", "Isa", "Jo", "Ka", "Lu", "Ma")
    for tail in ("bel", "den", "ra", "mon", "na", "riel", "so", "ter", "van")
)
_LAST = tuple(
    head + middle + tail
    for head in ("Ander", "Brook", "Carl", "Diaz", "Ever", "Frank", "Gomez", "Hol", "Ivers")
    for middle in ("", "ha", "ing", "la", "ma", "ri")
    for tail in ("", "berg", "by", "man", "s", "son", "ton")
)
_STEP = 7919
"""Prime: siblings stand far apart in the files, as in an export ordered by id."""


def write_district(folder: Path, students: int, *, changed_percent: float = 0) -> None:
    """Writes students.csv and contacts.csv of the generic layout; of some rows one cell is another."""
    folder.mkdir(parents=True, exist_ok=True)
    step = round(100 / changed_percent) if changed_percent else 0
    _write(folder / "students.csv", STUDENT, (_student(n, step) for n in range(students)))
    _write(folder / "contacts.csv", CONTACT, (_contacts(n, students, step) for n in range(students)))


def _write(path: Path, header: tuple[str, ...], lines: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\n")
        file.writelines(lines)


def _student(n: int, step: int) -> str:
    room = f"H{n % 90}-new" if step and n % step == 0 else f"H{n % 90}"
    day = f"{2006 + n % 12}-{n % 11 + 1:02d}-{n % 28 + 1:02d}"
    return (
        f"{n:07d},{n % SCHOOLS:04d},{_FIRST[n % len(_FIRST)]},{_LAST[n * 31 % len(_LAST)]},M,,"
        f"{n % 12 + 1:02d},{day},F,s{n}@d.example,{room},{n},active,"
        f"B{n % 300},{n % 5000},free,A,Counselor {n % 70},E{n % 9},some text\n"
    )


def _contacts(n: int, students: int, step: int) -> str:
    family = _family(n, students)
    kin = ("Guardian", "Guardian") if step and n % step == 0 else ("Mother", "Father")
    return "".join(
        f"{n:07d},{_FIRST[(family * 7 + place) % len(_FIRST)]} {_LAST[family % len(_LAST)]},{kin[place]},"
        f"{_phone(2 * family + place)},yes,{place + 1}\n"
        for place in (0, 1)
    )


def _family(n: int, students: int) -> int:
    place = n * _STEP % students if students % _STEP else n
    return place // len(_FAMILIES) * 20 + _FAMILIES[place % len(_FAMILIES)]


def _phone(n: int) -> str:
    """One number a contact, always written in the same one of the usual ways."""
    digits = str(2_015_550_000 + n)
    area, exchange, line = digits[:3], digits[3:6], digits[6:]
    return (f"{area}-{exchange}-{line}", f"({area}) {exchange}-{line}", digits)[n // 2 % 3]
