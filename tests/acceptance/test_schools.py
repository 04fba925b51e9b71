"""Schools: what the mapping and the files call otherwise is said in reports, and never done by itself."""

from __future__ import annotations

from tests.acceptance.world import World, csv_text, result_of, students_csv

NEAR = "oak.yaml maps '42'; the files have '0042': write sis_id: \"0042\""


def test_a_near_miss_is_a_hint_in_every_report_and_takes_no_row(world: World) -> None:
    world.district("oak", schools={"42": "lincoln", "0050": "grant"})
    rows = students_csv(5) + students_csv(3, school="0050", first=6).split("\n", 1)[1]
    world.put("oak", {"students.csv": rows})
    first = result_of(world.json("reconcile"), "oak")
    assert NEAR in first["notes"]
    assert first["rows"]["students"]["skipped"] == 5
    assert {r["sis_school"] for r in world.export("students")} == {"0050"}

    listed = {s["sis_id"]: s for s in world.json("schools", "oak")["schools"]}
    assert (listed["42"]["state"], listed["42"]["suggestion"]) == ("mapped", "0042")
    assert (listed["0042"]["state"], listed["0042"]["suggestion"]) == ("unmapped", "lincoln")

    text = world.run("schools", "oak").out
    assert "lincoln (the files have '0042')" in text
    assert "(lincoln?)" in text

    world.put("oak", {"students.csv": rows.replace("First1,", "Firsty,")})
    assert NEAR in result_of(world.json("sync"), "oak")["notes"]


def test_students_at_a_school_that_is_not_in_the_list_of_schools_are_noted(world: World) -> None:
    world.district("oak", schools=["0042"])
    schools = csv_text(("id", "name"), [("0042", "Lincoln")])
    rows = students_csv(5) + students_csv(3, school="42", first=6).split("\n", 1)[1]
    world.put("oak", {"students.csv": rows, "schools.csv": schools})
    notes = result_of(world.json("reconcile"), "oak")["notes"]
    assert (
        "3 students are at schools that the files' list of schools does not have: 42 (3; the list has '0042')"
        in notes
    )
