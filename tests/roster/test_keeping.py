"""Invalid is not missing: a row that was rejected, or could not be read, removes nobody whom it may name."""

from __future__ import annotations

import pytest

from tests.roster.running import Outcome, Stored, resolve

HEADER = "id,school,first_name,last_name,grade\n"
CONTACTS_HEADER = "id,student,name,phone\n"
ROWS = {n: f"{n},A,First{n},Last{n},{n[-1]}\n" for n in ("101", "102", "103", "104")}
CONTACTS = {n: f"c{n},{n},Parent {n},\n" for n in ROWS}


def run(
    students: list[str], contacts: list[str] | None, before: Stored | None = None, known: tuple[str, ...] = ()
) -> Outcome:
    files = {"students.csv": HEADER + "".join(students)}
    if contacts is not None:
        files["contacts.csv"] = CONTACTS_HEADER + "".join(contacts)
    return resolve("generic", files, before=before, mapping={"A": "lincoln"}, known_files=known)


@pytest.fixture(scope="module")
def stored() -> Stored:
    """101 to 104 with a contact each."""
    return run(list(ROWS.values()), list(CONTACTS.values())).stored()


def instead(of: str, row: str, *, without: str = "104") -> list[str]:
    """The rows, that of `of` written as `row`, and that of `without` left out."""
    return [row if n == of else text for n, text in ROWS.items() if n != without]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("103,A,,Last,3\n", id="a required cell is empty"),
        pytest.param("103,,First,Last,3\n", id="its school is empty"),
        pytest.param("103,A,F,L,3\n103,A,F,L,4\n", id="two rows contradict each other"),
        pytest.param("103,A,First\n", id="it is cut short"),
        pytest.param("103,A,First,Last,3,more\n", id="it is too long"),
        pytest.param('103,"A,First,Last,3\n', id="a quote is not closed"),
        pytest.param('"103,A,First,Last,3\n', id="the quote before its key is not closed"),
        pytest.param("103,A,Fi\x00rst,Last,3\n", id="it holds a NUL"),
        pytest.param("new,103,A,First,Last,3\n", id="its key has moved"),
        pytest.param("105,A,First,La103,A,First,Last,3\n", id="another row has run into it"),
        pytest.param("105,A,First,Last,3103,A,First,Last,3\n", id="its line break is lost"),
    ],
)
def test_a_row_that_is_not_taken_keeps_whom_it_names_and_others_are_removed(row: str, stored: Stored) -> None:
    result = run(instead("103", row), [CONTACTS["101"], CONTACTS["102"], CONTACTS["103"]], stored)
    assert "103" not in result.ids()
    assert result.removed() == ["104"]
    assert result.removed("contacts") == ["c104"]
    assert result.removed("relationships") == ["104-c104"]
    assert result.counts["students"].rejected > 0
    assert not result.blocked


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(",A,First,Last,3\n", id="its key is empty"),
        pytest.param("A,First,Last,3\n", id="its key is cut away"),
        pytest.param("3,A,First,3\n", id="half of its key is cut away"),
        pytest.param('1"03,A,First,Last,"x"y\n', id="a quote is in its key"),
        pytest.param("1\x0003,A,First,Last,3\n".replace("\x00", "\x00X"), id="a NUL is in its key"),
        pytest.param("105,A,F,L,3105,A,F,L,3105,A,F,L,3\n", id="three rows have run into each other"),
        pytest.param("\x00,,,,\n", id="only a NUL"),
    ],
)
def test_where_a_row_does_not_say_whose_it_is_nobody_is_removed(row: str, stored: Stored) -> None:
    result = run(instead("103", row), list(CONTACTS.values()), stored)
    assert not any(result.removals.values())
    assert "do not say whose they are" in result.blocked["students"]


def test_a_broken_row_of_somebody_new_keeps_nobody_from_being_removed(stored: Stored) -> None:
    result = run([*list(ROWS.values())[:3], "105,A,First,Last,3,more\n"], [], stored)
    assert result.removed() == ["104"]
    assert not result.blocked


def test_a_rejected_row_changes_nothing_of_what_is_stored(stored: Stored) -> None:
    result = run(
        instead("103", "103,B2,First,,9\n".replace("B2", "A"), without=""), list(CONTACTS.values()), stored
    )
    assert not any(result.upserts.values())
    assert not any(result.removals.values())


def test_the_contacts_of_a_student_who_is_kept_are_kept(stored: Stored) -> None:
    result = run(instead("103", "103,A,,Last,3\n"), [CONTACTS["101"], CONTACTS["102"]], stored)
    assert result.removed("contacts") == ["c104"]
    assert result.removed("relationships") == ["104-c104"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("c103,103,,\n", id="its name is empty"),
        pytest.param("c103,103\n", id="it is cut short"),
        pytest.param("c103,404,Parent 103,\n", id="its student is nobody"),
        pytest.param(",103,,\n", id="it has no id and no name"),
        pytest.param("c103,103,One Name,\nc103,103,Other Name,\n", id="two rows contradict each other"),
    ],
)
def test_a_contact_row_that_is_not_taken_keeps_its_contact_and_relationship(row: str, stored: Stored) -> None:
    contacts = [CONTACTS["101"], CONTACTS["102"], row]
    result = run(list(ROWS.values()), contacts, stored)
    assert result.removed("contacts") == ["c104"]
    assert result.removed("relationships") == ["104-c104"]
    assert not result.upserts["relationships"]


def test_a_contact_row_that_names_neither_itself_nor_a_student_keeps_all(stored: Stored) -> None:
    result = run(list(ROWS.values()), [CONTACTS["101"], ",,Parent 103,\n"], stored)
    assert not any(result.removals.values())
    assert set(result.blocked) == {"contacts"}


def test_a_contact_without_an_id_is_still_known_by_its_made_one() -> None:
    rows, contact = list(ROWS.values()), ",101,Pat Lee,555 123 4567\n"
    before = run(rows, [contact, ",102,Mo Ray,555 765 4321\n"]).stored()
    result = run(rows, [",,Pat Lee,555 123 4567\n"], before)
    assert not result.blocked
    assert len(result.removed("contacts")) == 1


def test_an_optional_file_that_is_not_there_today_says_nothing(stored: Stored) -> None:
    result = run(list(ROWS.values())[:3], None, stored, known=("students", "contacts"))
    assert result.removed() == ["104"]
    assert result.removed("contacts") == []
    assert result.removed("relationships") == ["104-c104"]
    assert result.blocked == {
        "contacts": "a file that it is read from is not there",
        "relationships": "a file that it is read from is not there",
    }


def test_relationships_that_are_rejected_are_kept_with_their_contact() -> None:
    files = {
        "students.csv": HEADER + "".join(ROWS.values()),
        "contacts.csv": "id,name\nc1,Pat Lee\nc2,Mo Ray\n",
        "relationships.csv": "student,contact,relationship\n101,c1,mother\n102,c2,aunt\n103,c1,aunt\n",
    }
    before = resolve("generic", files).stored()
    dangling = files | {"contacts.csv": "id,name\nc1,Pat Lee\n"}
    result = resolve("generic", dangling, before=before)
    assert not result.removed("relationships")
    assert not result.removed("contacts")
    broken = files | {"relationships.csv": "student,contact,relationship\n101,c1,mother\n102,c2\n"}
    assert resolve("generic", broken, before=before).removed("relationships") == ["103-c1"]
    nameless = files | {"relationships.csv": "student,contact,relationship\n101,c1,mother\n,c2,aunt\n"}
    assert not resolve("generic", nameless, before=before).removed("relationships")


ROLES = "userSourcedId,orgSourcedId,role,grade\n"


def test_a_broken_line_in_a_file_that_decides_who_is_read_keeps_whom_it_names() -> None:
    files = {
        "orgs.csv": "sourcedId,name,type\nA,Lincoln,school\n",
        "users.csv": "sourcedId,givenName,familyName,email\n101,Ann,Lee,\n102,Bob,Ray,\n103,Cy,Kay,\n",
        "roles.csv": ROLES + "101,A,student,1\n102,A,student,2\n103,A,student,3\n",
    }
    before = resolve("microsoft-sds-2.1", files).stored()
    named = files | {"roles.csv": ROLES + "101,A,student,1\n102,A\n"}
    result = resolve("microsoft-sds-2.1", named, before=before)
    assert result.removed() == ["103"]
    nameless = files | {"roles.csv": ROLES + "101,A,student,1\nA,student\n"}
    assert not resolve("microsoft-sds-2.1", nameless, before=before).removed()


def test_a_student_whose_line_in_a_joined_file_could_not_be_read_keeps_what_it_said() -> None:
    files = {
        "orgs.csv": "sourcedId,name,type\nA,Lincoln,school\n",
        "users.csv": "sourcedId,orgSourcedIds,role,givenName,familyName,email\n101,A,student,Ann,Lee,\n",
        "demographics.csv": "sourcedId,birthDate,sex\n101,2013-01-02,F\n",
    }
    before = resolve("oneroster-1.1", files).stored()
    damaged = files | {"demographics.csv": "sourcedId,birthDate,sex\n101,2013-01-02\n"}
    result = resolve("oneroster-1.1", damaged, before=before)
    assert not any(result.upserts.values())
    assert not any(result.removals.values())
