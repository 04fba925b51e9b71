"""Names in one column, and the made id by which a contact without one is known again."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.mapping import people
from reconciler.mapping.people import first_and_last, made_contact_id, single_spaced
from tests.roster.running import resolve


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Pat Lee", "Pat", "Lee"),
        ("Lee, Pat", "Pat", "Lee"),
        ("Lee,Pat", "Pat", "Lee"),
        ("  Pat   Lee ", "Pat", "Lee"),
        ("Mary Ann Lee", "Mary Ann", "Lee"),
        ("Mary-Ann O'Brien-Smith", "Mary-Ann", "O'Brien-Smith"),
        ("Ana de la Cruz", "Ana", "de la Cruz"),
        ("de la Cruz, Ana", "Ana", "de la Cruz"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Van Nguyen", "Van", "Nguyen"),
        ("Al Smith", "Al", "Smith"),
        ("John Smith Jr", "John", "Smith Jr"),
        ("John Smith, Jr.", "John", "Smith, Jr."),
        ("Smith, John III", "John III", "Smith"),
        ("Cher", "", "Cher"),
        ("Smith,", "", "Smith"),
        (",", "", ""),
        ("李小龙", "", "李小龙"),
        ("Зоя Космодемьянская", "Зоя", "Космодемьянская"),
    ],
)
def test_a_whole_name_is_split(db: duckdb.DuckDBPyConnection, name: str, first: str, last: str) -> None:
    expressions = ", ".join(first_and_last("n"))
    whole = f"SELECT {single_spaced('c')} AS n FROM (SELECT ? AS c)"
    assert db.execute(f"SELECT {expressions} FROM ({whole})", [name]).fetchone() == (first, last)


def made_id(db: duckdb.DuckDBPyConnection, name: str, phone: str | None = None, email: str | None = None,
            student: str | None = "1", phone_2: str | None = None) -> str:  # fmt: skip
    first, _, last = name.rpartition(" ")
    query = (
        f"SELECT {made_contact_id('t')} FROM (SELECT ? AS first_name, ? AS last_name, ?::VARCHAR AS phone, "
        f"?::VARCHAR AS phone_2, ?::VARCHAR AS email, ?::VARCHAR AS student) t"
    )
    row = db.execute(query, [first, last, phone, phone_2, email, student]).fetchone()
    assert row
    return str(row[0])


PAT = {"name": "Pat Lee", "phone": "(555) 123-4567", "student": "1"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"student": "2"}, id="on a sibling's row"),
        pytest.param({"phone": "555.123.4567"}, id="phone with other punctuation"),
        pytest.param({"phone": "+1 555 123 4567"}, id="phone with the country code"),
        pytest.param({"phone": "15551234567"}, id="phone with the country code run in"),
        pytest.param({"phone": "555-123-4567 x12"}, id="phone with an extension"),
        pytest.param({"phone": "5551234567 ext. 9"}, id="phone with another extension"),
        pytest.param({"phone": None, "phone_2": "5551234567"}, id="phone in the second column"),
        pytest.param({"name": "PAT  LEE"}, id="name in other case"),
        pytest.param({"name": "Pát Lee"}, id="name with an accent"),
        pytest.param({"name": "Pat Lee."}, id="name with punctuation"),
        pytest.param({"email": "pat@lee.example"}, id="an e-mail beside the same phone"),
    ],
)
def test_one_person_has_one_id(db: duckdb.DuckDBPyConnection, other: dict[str, str | None]) -> None:
    assert made_id(db, **PAT | other) == made_id(db, **PAT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"name": "Pat Ray"}, id="another name on the same phone"),
        pytest.param({"phone": "555 123 4568"}, id="another phone under the same name"),
        pytest.param({"phone": None}, id="no phone under the same name"),
        pytest.param({"name": "か", "phone": "5551234567"}, id="another script"),
    ],
)
def test_two_people_have_two_ids(db: duckdb.DuckDBPyConnection, other: dict[str, str | None]) -> None:
    assert made_id(db, **PAT | other) != made_id(db, **PAT)  # type: ignore[arg-type]


@pytest.mark.parametrize(("one", "two"), [("か", "が"), ("हिना", "हीना"), ("Øst", "Ost Ra")])
def test_marks_that_are_letters_of_their_own_tell_people_apart(
    db: duckdb.DuckDBPyConnection, one: str, two: str
) -> None:
    assert made_id(db, one, "5551234567") != made_id(db, two, "5551234567")


@pytest.mark.parametrize(
    "phone",
    [
        None,
        "0000000000",
        "999-999-9999",
        "1 000 000 0000",
        "555",
        "911",
        "n/a",
        "1234567",
        "123-456-7890",
        "x1234567",
    ],
)
def test_a_name_alone_and_a_number_that_is_none_belong_to_one_student(
    db: duckdb.DuckDBPyConnection, phone: str | None
) -> None:
    assert made_id(db, "Pat Lee", phone, student="1") != made_id(db, "Pat Lee", phone, student="2")
    assert made_id(db, "Pat Lee", phone, student="1") == made_id(db, "Pat Lee", phone, student="1")


def test_an_email_stands_in_for_a_phone(db: duckdb.DuckDBPyConnection) -> None:
    one = made_id(db, "Pat Lee", "n/a", "Pat@Lee.example", student="1")
    assert one == made_id(db, "Pat Lee", None, "pat@lee.example", student="2")
    assert one != made_id(db, "Pat Lee", None, "none", student="1")


def test_a_made_id_is_the_same_in_every_release(db: duckdb.DuckDBPyConnection) -> None:
    assert made_id(db, "Pat Lee", "555 123 4567") == "c-b5412fa0a9fb05bc99e6c494b78bd3d6"


STUDENTS = "id,school,first_name,last_name\n1,A,Ann,Lee\n2,A,Bob,Lee\n3,A,Cy,Ray\n"


def test_siblings_share_a_parent_with_a_relationship_each_however_the_rows_are_typed() -> None:
    contacts = (
        "student,name,phone,email,relationship,may_pick_up\n"
        "1,Pat Lee,(555) 123-4567,Pat@lee.example,Mother,yes\n"
        '2,"LEE, PAT",555.123.4567 x9,pat@lee.example,Stepmother,no\n'
        "3,Pat Lee,,,Aunt,\n"
    )
    result = resolve("generic", {"students.csv": STUDENTS, "contacts.csv": contacts})
    assert not result.rejects
    assert len({row["id"] for row in result.contacts}) == 2
    mother = [row for row in result.contacts if row["phone"]]
    assert {row["phone"] for row in mother} == {"555.123.4567 x9"}
    assert [(r["student"], r["relationship"], r["may_pick_up"]) for r in mother] == [
        ("1", "Mother", "yes"),
        ("2", "Stepmother", "no"),
    ]


def test_rows_with_one_made_id_that_contradict_each_other_are_rejected() -> None:
    contacts = "student,name,phone,address\n1,Pat Lee,5551234567,1 Main St\n2,Pat Lee,5551234567,9 Elm St\n"
    result = resolve("generic", {"students.csv": STUDENTS, "contacts.csv": contacts})
    assert not result.contacts
    assert {(code, column) for entity, _, code, column in result.rejected() if entity == "contacts"} == {
        ("row.conflict", "address")
    }


def test_an_unchanged_file_changes_nothing_although_no_contact_has_an_id() -> None:
    contacts = "student,name,phone\n1,Pat Lee,555-123-4567\n2,Mo Ray,\n3,,\n"
    files = {"students.csv": STUDENTS, "contacts.csv": contacts}
    before = resolve("generic", files).stored()
    again = resolve("generic", files, before=before)
    assert not any(again.upserts.values())
    assert not any(again.removals.values())


TEXTS = st.text(st.sampled_from("aB de lJr.,-'19()+x \t\u00a0é\u0301ßΣ李"), max_size=14)
PHONES = st.from_regex(r"\(?[0-29]{3}[) -]{0,2}[0-29]{3}[ -]?[0-29]{4}( x9)?", fullmatch=True)


@settings(deadline=None, max_examples=300)
@given(st.one_of(TEXTS, PHONES))
@example("Pat Jr.")
@example("222-222-2222")
@example("1\u00a0 1")
@example("1 \u00a01")
def test_what_is_quick_for_most_texts_gives_what_is_right_for_any(
    db: duckdb.DuckDBPyConnection, text: str
) -> None:
    pairs = [
        *zip(first_and_last("n"), people._first_and_last_of_any("n"), strict=True),
        (people._plain("c"), people._plain_of_any("c")),
        (people._phone("c"), people._phone_of_any("c")),
        (single_spaced("c"), r"trim(regexp_replace(c, '\s+', ' ', 'g'))"),
    ]
    columns = ", ".join(expression for pair in pairs for expression in pair)
    row = db.execute(
        f"SELECT {columns} FROM (SELECT c, {single_spaced('c')} AS n FROM (SELECT ? AS c))", [text]
    ).fetchone()
    assert row is not None
    assert row[::2] == row[1::2]
