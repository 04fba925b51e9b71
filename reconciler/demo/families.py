"""Invented families: the same ones on every machine, for there is no chance in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_GIRLS = ("Zoë", "Maya", "Inés", "Clara", "Amara", "Lucía", "Noor", "Freya", "Elena", "Ruth", "Ida")
_BOYS = ("Luis", "Noah", "Søren", "Omar", "Théo", "Kofi", "Ravi", "Jonas", "André", "Caleb", "Hugo")
_MOTHERS = ("Rosa", "Helen", "Fatima", "Chloé", "Grace", "Mei", "Ana", "Dana", "Ingrid")
_FATHERS = ("Paul", "José", "Samuel", "Björn", "Malik", "Viktor", "Daniel")
_LAST = (
    "García", "Okafor", "Smith", "Núñez", "Lindström", "Patel", "Müller", "O'Neill", "Haddad", "Brown",
    "de la Cruz", "Kowalski", "Tran", "Johnson", "Ferreira", "Adeyemi", "Larsen", "Moreau", "Young",
)  # fmt: skip
_FIRST_GRADE_YEAR = 2020
"""In which a child was born who is in grade 1 now."""


@dataclass(frozen=True, slots=True)
class School:
    """A school as the SIS has it, and how many students to invent for it."""

    id: str
    name: str
    grades: tuple[int, int]
    students: int


@dataclass(frozen=True, slots=True)
class Contact:
    """A parent, the same for all children of the family."""

    id: str
    first: str
    last: str
    relationship: str
    phone: str
    email: str
    may_pick_up: str = "yes"
    custody_alert: str = ""


@dataclass(frozen=True, slots=True)
class Student:
    """A child with its parents, the first one to call first."""

    id: str
    school: str
    first: str
    last: str
    gender: str
    grade: int
    birth_date: str
    """YYYY-MM-DD."""
    contacts: tuple[Contact, ...]

    @property
    def email(self) -> str:
        return f"s{self.id}@students.example"


def invent(schools: Sequence[School], *, seed: int) -> list[Student]:
    """The students of all schools in the schools' order; every third has a sister or brother beside it.

    `seed` makes one district's families differ from another's. Ids are four digits with leading zeros.
    """
    places = [(s, n) for s in schools for n in range(s.students)]
    return [_student(number, school, n, seed) for number, (school, n) in enumerate(places, 1)]


def _student(number: int, school: School, place: int, seed: int) -> Student:
    low, high = school.grades
    grade = low + place % (high - low + 1)
    family = seed + number - (number % 3 == 0)  # the third child of each three is of the second one's family
    names, gender = (_GIRLS, "F") if number % 2 else (_BOYS, "M")
    born = f"{_FIRST_GRADE_YEAR - grade + 1}-{number % 12 + 1:02d}-{number * 7 % 28 + 1:02d}"
    last = _LAST[family * 7 % len(_LAST)]
    first = names[(seed + number * 5) % len(names)]
    parents = tuple(_parents(family, last))
    return Student(f"{seed + number:04d}", school.id, first, last, gender, grade, born, parents)


def _parents(family: int, last: str) -> Iterator[Contact]:
    """A mother; in three families of four a father too, who in one of nine may not take the child.

    The numbers are of the block that is kept free for invented ones.
    """
    mother = _MOTHERS[family * 3 % len(_MOTHERS)]
    yield Contact(
        f"G{family:04d}1",
        mother,
        last,
        "mother",
        f"202-555-01{family % 100:02d}",
        f"family{family}@home.example",
    )
    if family % 4:
        barred = family % 9 == 0
        father = _FATHERS[family * 5 % len(_FATHERS)]
        yield Contact(
            f"G{family:04d}2", father, last, "father", f"303-555-01{family % 100:02d}", "",
            may_pick_up="no" if barred else "yes",
            custody_alert="court order on file in the office" if barred else "",
        )  # fmt: skip
