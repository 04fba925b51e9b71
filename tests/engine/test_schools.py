"""What becomes of each SIS school, and what its mapping might say."""

from __future__ import annotations

import pytest

from reconciler.config.district import SchoolMapping
from reconciler.engine.schools import absent_notes, school_states, unlisted_notes
from reconciler.roster.delta import SisSchool
from tests.planning.samples import connection

LINCOLN = SchoolMapping("0042", "lincoln-elementary", "Lincoln Elementary")


@pytest.mark.parametrize(
    ("mapping", "files", "states"),
    [
        pytest.param([], [SisSchool("0042", "Lincoln Elementary")],
                     [("0042", "unmapped", None, "lincoln-elementary")], id="a new school by its name"),
        pytest.param([], [SisSchool("0042")], [("0042", "unmapped", None, "school-0042")], id="or by its id"),
        pytest.param([], [SisSchool("1", "École Élémentaire"), SisSchool("2", "Ecole Elementaire")],
                     [("1", "unmapped", None, "ecole-elementaire"),
                      ("2", "unmapped", None, "ecole-elementaire-2")],
                     id="two of one name are two"),
        pytest.param([LINCOLN], [SisSchool("0042", "Lincoln"), SisSchool("43", "Lincoln Elementary")],
                     [("0042", "mapped", "lincoln-elementary", None),
                      ("43", "unmapped", None, "lincoln-elementary-43")], id="a mapped school's name"),
        pytest.param([SchoolMapping("42", "lincoln-elementary")], [SisSchool("0042", "Lincoln Elementary")],
                     [("0042", "unmapped", None, "lincoln-elementary"),
                      ("42", "mapped", "lincoln-elementary", "0042")], id="another spelling of an id"),
        pytest.param([SchoolMapping("7", "b-12", "Lincoln Elementary")], [SisSchool("0042", "LINCOLN ELEM.")],
                     [("0042", "unmapped", None, "b-12"), ("7", "mapped", "b-12", None)],
                     id="the name of a mapped school that is not there"),
        pytest.param([SchoolMapping("42", "a"), SchoolMapping("0042", "b")], [SisSchool("0042", "Lincoln")],
                     [("0042", "mapped", "b", None), ("42", "mapped", "a", None)],
                     id="an id that is mapped itself is not another's spelling"),
    ],
)  # fmt: skip
def test_suggestions(mapping: list[SchoolMapping], files: list[SisSchool], states: list[object]) -> None:
    district = connection("oak", schools=tuple(mapping)).district
    found = school_states(district, files)
    assert [(s.sis_id, s.state, s.school, s.suggestion) for s in found] == states


def test_a_mapped_id_that_the_files_spell_otherwise_comes_with_what_to_write() -> None:
    district = connection("oak", schools=(SchoolMapping("42", "a"), SchoolMapping("77", "b"))).district
    assert absent_notes(district, [SisSchool("0042"), SisSchool("0043")]) == [
        "oak.yaml maps '42'; the files have '0042': write sis_id: \"0042\"",
        "the mapped school '77' is not in the files",
    ]


def test_students_at_schools_that_are_not_listed_are_counted_by_school() -> None:
    listed = [SisSchool("Sch_S00002", "Lincoln"), SisSchool("Sch_000002", students=3)]
    assert unlisted_notes({"Sch_000002": 3, "99": 1}, listed) == [
        "4 students are at schools that the files' list of schools does not have: "
        "Sch_000002 (3; the list has 'Sch_S00002'), 99 (1)"
    ]
    assert unlisted_notes({}, listed) == []
