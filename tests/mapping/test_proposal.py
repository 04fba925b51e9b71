"""Which mapper is proposed for which headers: by name, never by guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.mapping.library import MapperLibrary
from reconciler.mapping.proposal import Headers, fits, proposed
from reconciler.roster.reading.reader import read_header

LIBRARY = MapperLibrary(None)
MAPPERS = [LIBRARY.get(name) for name in sorted(LIBRARY.names())]

ONEROSTER_USERS = ["sourcedId", "status", "orgSourcedIds", "role", "username", "givenName", "familyName"]
CASES: dict[str, tuple[Headers, list[str]]] = {
    "our own headers": (
        {"students.csv": ["id", "school", "first_name", "last_name", "grade", "birth_date"]},
        ["generic"],
    ),
    "our own headers in another case, with a file that nobody reads": (
        {"Students.CSV": ["ID", " School ", "First_Name", "LAST_NAME"], "buses.csv": ["bus", "stop"]},
        ["generic"],
    ),
    "OneRoster 1.1": (
        {
            "orgs.csv": ["sourcedId", "status", "name", "type", "identifier", "parentSourcedId"],
            "users.csv": ONEROSTER_USERS,
            "manifest.csv": ["propertyName", "value"],
        },
        ["oneroster-1.1"],
    ),
    "somebody else's": ({"export.txt": ["foo", "bar"]}, []),
    "no file at all": ({}, []),
    "students without their school": ({"students.csv": ["id", "first_name", "last_name"]}, []),
}


@pytest.mark.parametrize(("headers", "names"), CASES.values(), ids=CASES.keys())
def test_the_mapper_that_is_proposed(headers: Headers, names: list[str]) -> None:
    assert proposed(fits(MAPPERS, headers)) == names


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("clever-genai-district/CedarRidge_Data", ["clever"]),
        ("clever-genai-district/SummitHeights_Data", ["clever"]),
        ("edfi-earthmover/09_edfi/sources", ["ed-fi"]),
        ("ms-sds/SDS Format/100 Users", ["microsoft-sds-1"]),
        ("ms-sds/SDS v2", ["oneroster-1.1"]),
        ("ms-sds/SDS v2.1", ["microsoft-sds-2.1"]),
        ("oneroster11-snapshots/CSVSample", ["oneroster-1.1"]),
        ("ms-sds/UK Format/100 Users", []),
        ("nces-schools/ca", []),
    ],
)
def test_the_samples_of_real_systems_are_recognised(shared_data: Path, folder: str, names: list[str]) -> None:
    files = sorted((shared_data / folder).glob("*.csv"))
    headers = {path.name: read_header(path, display=path.name).columns for path in files}
    assert proposed(fits(MAPPERS, headers)) == names


def test_two_mappers_that_fit_alike_are_both_named() -> None:
    headers = CASES["our own headers"][0]
    twin = LIBRARY.get("generic")
    tied = proposed(fits([*MAPPERS, twin], headers))
    assert tied == ["generic", "generic"]


def test_what_a_mapper_lacks_is_said() -> None:
    by_name = {f.mapper: f for f in fits(MAPPERS, CASES["students without their school"][0])}
    assert by_name["generic"].missing[0] == "students.csv has no column 'school'"
    assert by_name["oneroster-1.1"].missing[:2] == ("a file orgs.csv", "a file users.csv")
    assert (by_name["generic"].reads, by_name["generic"].files) == (False, ("students.csv",))


def test_a_score_says_how_much_of_both_sides_meets() -> None:
    headers = CASES["our own headers"][0]
    (exact,) = [f for f in fits(MAPPERS, headers) if f.mapper == "generic"]
    (wider,) = [f for f in fits(MAPPERS, {**headers, "other.csv": ["c"] * 6}) if f.mapper == "generic"]
    assert exact.found == wider.found == 6
    assert exact.score - wider.score == round(100 * (1 - 0.5) / 3)
