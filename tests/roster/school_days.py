"""A small district of four schools, its ordinary days, and what may befall its export."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

Row = dict[str, str]
SCHOOLS = {"0041": range(6), "0042": range(6), "0043": range(6, 9), "0044": range(9, 13)}
"""SIS school to its grades; two are elementary."""
FIRST = (
    "Ana",
    "Ben",
    "Chloé",
    "Dai",
    "Eva",
    "Finn",
    "Gus",
    "Hana",
    "Iñigo",
    "Jo",
    "Kai",
    "Lía",
    "Max",
    "Noor",
)
LAST = ("Ash", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gum", "Hazel", "Ivy", "Juniper", "Kauri", "Larch")
STUDENT_COLUMNS = ("id", "school", "first_name", "last_name", "grade", "birth_date", "email", "homeroom")
CONTACT_COLUMNS = (
    "id", "student", "first_name", "last_name", "relationship", "phone", "email", "priority",
    "may_pick_up", "emergency", "custody_alert",
)  # fmt: skip


@dataclass
class District:
    """Its rows as its SIS has them; `write` makes the files of a night."""

    students: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    next_id: int = 1
    made_ids: bool = False
    """Whether the export has no ids for contacts."""

    def copy(self) -> District:
        return replace(
            self, students=[dict(s) for s in self.students], contacts=[dict(c) for c in self.contacts]
        )

    def write(self) -> dict[str, bytes]:
        columns = CONTACT_COLUMNS[1:] if self.made_ids else CONTACT_COLUMNS
        return {
            "students.csv": table(STUDENT_COLUMNS, self.students),
            "contacts.csv": table(columns, self.contacts),
        }

    def enroll(self, rng: random.Random, school: str, *, sibling: Row | None = None) -> None:
        """A new student with two contacts, or with those of a sibling."""
        number, self.next_id = self.next_id, self.next_id + 1
        grade = rng.choice(list(SCHOOLS[school]))
        last = sibling["last_name"] if sibling else rng.choice(LAST)
        student = {
            "id": f"{number:06d}", "school": school, "first_name": f"{rng.choice(FIRST)} {letters(number)}",
            "last_name": last, "grade": f"{grade:02d}" if grade else "KG",
            "birth_date": f"{2020 - grade}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
            "email": f"s{number}@oak.example", "homeroom": f"R{rng.randint(1, 40)}",
        }  # fmt: skip
        self.students.append(student)
        if sibling:
            theirs = [c for c in self.contacts if c["student"] == sibling["id"]]
            self.contacts += [{**c, "student": student["id"]} for c in theirs]
        else:
            self.contacts += [self._contact(rng, student, n) for n in (1, 2)]

    def _contact(self, rng: random.Random, student: Row, n: int) -> Row:
        number = 10 * int(student["id"]) + n
        return {
            "id": f"0{number}", "student": student["id"], "last_name": student["last_name"],
            "first_name": f"{rng.choice(FIRST)} {letters(number)}",
            "relationship": ("Mother", "Uncle")[n - 1],
            "phone": f"555{2_000_000 + 37 * number}", "email": f"c{number}@home.example", "priority": str(n),
            "may_pick_up": ("yes", "no")[n - 1], "emergency": ("yes", "")[n - 1],
            "custody_alert": "yes" if n == 2 and number % 7 == 0 else "",
        }  # fmt: skip

    def withdraw(self, students: Iterable[Row]) -> None:
        gone = {s["id"] for s in students}
        self.students = [s for s in self.students if s["id"] not in gone]
        self.contacts = [c for c in self.contacts if c["student"] not in gone]


def letters(number: int) -> str:
    """A number as letters, so that names differ and look like names."""
    return "".join(chr(97 + int(digit)) for digit in str(number)).title()


def table(columns: Sequence[str], rows: Iterable[Row], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows([row[c] for c in columns] for row in rows)
    return out.getvalue().encode()


def first_day(seed: int = 0, *, students: int = 200, made_ids: bool = False) -> District:
    """A district on its first day, in the order of its ids."""
    rng = random.Random(seed)
    district = District(made_ids=made_ids)
    for _ in range(students):
        sibling = rng.choice(district.students) if district.students and rng.random() < 0.15 else None
        district.enroll(rng, rng.choice(list(SCHOOLS)), sibling=sibling)
    return district


# -- ordinary days ----------------------------------------------------------------------------------------


def ordinary_day(before: District, seed: int) -> District:
    """What a school day brings: a handful of edits, each of them meant."""
    rng = random.Random(seed)
    day = before.copy()
    for edit in rng.choices(EDITS, k=rng.randint(3, 9)):
        edit(day, rng)
    return day


def _enrolls(day: District, rng: random.Random) -> None:
    day.enroll(rng, rng.choice(list(SCHOOLS)))


def _sibling_enrolls(day: District, rng: random.Random) -> None:
    day.enroll(rng, rng.choice(list(SCHOOLS)), sibling=rng.choice(day.students))


def _withdraws(day: District, rng: random.Random) -> None:
    day.withdraw([rng.choice(day.students)])


def _transfers(day: District, rng: random.Random) -> None:
    student = rng.choice(day.students)
    student["school"] = rng.choice([s for s in SCHOOLS if s != student["school"]])


def _new_phone(day: District, rng: random.Random) -> None:
    contact = rng.choice(day.contacts)
    number = f"555{rng.randint(7_000_000, 7_999_999)}"
    for row in day.contacts:
        if row["id"] == contact["id"]:
            row["phone"] = number


def _name_corrected(day: District, rng: random.Random) -> None:
    rng.choice(day.students)["last_name"] = rng.choice(LAST)


def _grade_corrected(day: District, rng: random.Random) -> None:
    student = rng.choice(day.students)
    student["grade"] = f"{rng.choice([g for g in SCHOOLS[student['school']] if g] or [1]):02d}"


def _aunt_may_pick_up(day: District, rng: random.Random) -> None:
    contact = rng.choice([c for c in day.contacts if c["relationship"] == "Uncle"])
    if rng.random() < 0.3:
        contact["may_pick_up"] = "yes"


def _alert_added(day: District, rng: random.Random) -> None:
    if rng.random() < 0.3:
        rng.choice(day.contacts)["custody_alert"] = "yes"


EDITS: tuple[Callable[[District, random.Random], None], ...] = (
    _enrolls, _sibling_enrolls, _withdraws, _transfers, _new_phone, _name_corrected, _grade_corrected,
    _aunt_may_pick_up, _alert_added,
)  # fmt: skip


# -- damage -----------------------------------------------------------------------------------------------

Damage = Callable[[District], dict[str, bytes]]


def leading_zeros(day: District) -> dict[str, bytes]:
    """A spreadsheet was here: ids and schools are numbers now."""
    for student in day.students:
        student["id"] = student["id"].lstrip("0")
    for contact in day.contacts:
        contact["student"], contact["id"] = contact["student"].lstrip("0"), contact["id"].lstrip("0")
    return day.write()


def leading_zeros_of_contacts(day: District) -> dict[str, bytes]:
    for contact in day.contacts:
        contact["id"] = contact["id"].lstrip("0")
    return day.write()


def rekeyed(day: District) -> dict[str, bytes]:
    """A new SIS: everybody has another id."""
    for student in day.students:
        student["id"] = f"N{int(student['id']) * 31 % 99991}"
    for contact in day.contacts:
        contact["student"] = f"N{int(contact['student']) * 31 % 99991}"
    return day.write()


def rekeyed_contacts(day: District) -> dict[str, bytes]:
    for contact in day.contacts:
        contact["id"] = f"P{int(contact['id']) * 17}"
    return day.write()


def school_absent(day: District) -> dict[str, bytes]:
    day.withdraw([s for s in day.students if s["school"] == "0042"])
    return day.write()


def school_renumbered(day: District) -> dict[str, bytes]:
    for student in day.students:
        student["school"] = student["school"].lstrip("0")
    return day.write()


def school_replaced(day: District) -> dict[str, bytes]:
    for student in day.students:
        student["school"] = "7100" if student["school"] == "0043" else student["school"]
    return day.write()


def cut(day: District) -> dict[str, bytes]:
    """The upload broke off, at the end of a row."""
    files = day.write()
    lines = files["students.csv"].splitlines(keepends=True)
    return files | {"students.csv": b"".join(lines[: len(lines) * 7 // 10])}


def contacts_cut(day: District) -> dict[str, bytes]:
    files = day.write()
    lines = files["contacts.csv"].splitlines(keepends=True)
    return files | {"contacts.csv": b"".join(lines[: len(lines) * 8 // 10])}


def rollover(day: District) -> dict[str, bytes]:
    """The first of July: everybody a grade higher, some in another school, seniors gone, children new."""
    day.withdraw([s for s in day.students if s["grade"] == "12"])
    rng = random.Random(1)
    for student in day.students:
        grade = 1 if student["grade"] == "KG" else int(student["grade"]) + 1
        student["grade"] = f"{grade:02d}"
        if grade not in SCHOOLS[student["school"]]:
            student["school"] = next(s for s, grades in SCHOOLS.items() if grade in grades)
    for _ in range(15):
        day.enroll(rng, "0041")
        day.students[-1]["grade"] = "KG"
    return day.write()


def rollover_without_seniors(day: District) -> dict[str, bytes]:
    for student in day.students:
        if student["school"] != "0044" and student["grade"] != "12":
            grade = 1 if student["grade"] == "KG" else int(student["grade"]) + 1
            student["grade"] = f"{grade:02d}"
    day.withdraw([s for s in day.students if s["school"] == "0044"])
    return day.write()


def dates_flipped(day: District) -> dict[str, bytes]:
    for student in day.students:
        year, month, date = student["birth_date"].split("-")
        student["birth_date"] = f"{year}-{date}-{month}"
    return day.write()


def dates_american(day: District) -> dict[str, bytes]:
    for student in day.students:
        year, month, date = student["birth_date"].split("-")
        student["birth_date"] = f"{month}/{date}/{year}"
    return day.write()


def column_emptied(day: District) -> dict[str, bytes]:
    for student in day.students[:-2]:
        student["grade"] = ""
    return day.write()


def phones_emptied(day: District) -> dict[str, bytes]:
    for contact in day.contacts:
        contact["phone"] = contact["email"] = ""
    return day.write()


def phones_shifted(day: District) -> dict[str, bytes]:
    """Every contact has the phone of the row below: a column was sorted by itself."""
    phones = [row["phone"] for row in day.contacts]
    for row, phone in zip(day.contacts, phones[1:] + phones[:1], strict=True):
        row["phone"] = phone
    return day.write()


def columns_exchanged(day: District) -> dict[str, bytes]:
    for student in day.students:
        student["first_name"], student["last_name"] = student["last_name"], student["first_name"]
    return day.write()


def mojibake(day: District) -> dict[str, bytes]:
    """UTF-8 was taken for Windows-1252 on the way, and written as UTF-8 again."""
    return {
        name: content.decode().encode().decode("cp1252").encode() for name, content in day.write().items()
    }


def question_marks(day: District) -> dict[str, bytes]:
    return {name: content.decode().encode("ascii", "replace") for name, content in day.write().items()}


def departures(day: District) -> dict[str, bytes]:
    """A true exodus, from every school and every grade."""
    rng = random.Random(7)
    day.withdraw(rng.sample(day.students, len(day.students) * 15 // 100))
    return day.write()


def another_district(day: District) -> dict[str, bytes]:
    other = first_day(99)
    for row in other.students:
        row["id"] = "9" + row["id"]
    for row in other.contacts:
        row["student"] = "9" + row["student"]
    return other.write()


def values_replaced(day: District) -> dict[str, bytes]:
    for number, student in enumerate(day.students):
        student["homeroom"] = f"Wing {number % 9}"
    return day.write()


def gone_with_another_delimiter(day: District) -> dict[str, bytes]:
    """Another program exported, and left some out."""
    random.Random(5).shuffle(day.students)
    day.withdraw(day.students[: len(day.students) // 5])
    return {
        "students.csv": table(STUDENT_COLUMNS, day.students, ";"),
        "contacts.csv": day.write()["contacts.csv"],
    }


def contact_ids_appear(day: District) -> dict[str, bytes]:
    """The export has a new column: contacts bring their own ids."""
    day.made_ids = False
    return day.write()


def preferred_names_appear(day: District) -> dict[str, bytes]:
    """A new column, which the mapper prefers to the one it read so far."""
    for student in day.students:
        student["nickname"] = student["first_name"][:2]
    files = day.write()
    return files | {"students.csv": table((*STUDENT_COLUMNS, "nickname"), day.students)}


def accented(district: District) -> District:
    """The same district, in a country whose names have accents."""
    for row in (*district.students, *district.contacts):
        row["last_name"] = row["last_name"].replace("a", "á").replace("e", "é").replace("i", "í") + "é"
    return district
