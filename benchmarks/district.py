"""A generated district: students with 20 columns, and two contacts each. The same for the same size."""

from __future__ import annotations

import csv
from pathlib import Path

SCHOOLS = 40
_STUDENT = (
    "id", "school", "first_name", "last_name", "middle_name", "preferred_name", "grade", "birth_date",
    "gender", "email", "homeroom", "student_number", "status",
)  # fmt: skip
_EXTRA = 7
"""Columns that no field is read from: exports have them, and a reader has to pass over them."""


def write_district(folder: Path, students: int, *, changed_percent: float = 0) -> None:
    """Write students.csv and contacts.csv of the generic layout; some students in another homeroom."""
    step = round(100 / changed_percent) if changed_percent else 0
    with (folder / "students.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_STUDENT, *(f"extra_{n}" for n in range(_EXTRA))])
        for n in range(students):
            homeroom = f"H{n % 90}" + ("-new" if step and n % step == 0 else "")
            writer.writerow(
                (f"{n:07d}", f"{n % SCHOOLS:04d}", f"First{n % 5003}", f"Last{n % 7001}", "M", "",
                 f"{n % 12 + 1:02d}", f"2012-{n % 12 + 1:02d}-{n % 28 + 1:02d}", "F", f"s{n}@d.example",
                 homeroom, n, "active", *("some text" for _ in range(_EXTRA)))
            )  # fmt: skip
    with (folder / "contacts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("student", "name", "relationship", "phone", "may_pick_up", "priority"))
        for n in range(students):
            for place, kin in ((1, "Mother"), (2, "Father")):
                phone = f"555{n // 2:07d}"
                writer.writerow((f"{n:07d}", f"{kin}{n // 2} Last{n % 7001}", kin, phone, "yes", place))
