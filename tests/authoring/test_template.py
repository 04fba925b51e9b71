"""What `new` writes of schools as comments: no more than a person reads, nothing that could break a line."""

from __future__ import annotations

from reconciler.authoring.formatting import format_text
from reconciler.authoring.template import MAX_LISTED, Learned, template
from reconciler.config.district import SchoolMapping
from reconciler.documents.schema import load_schema
from tests.authoring.test_district_text import LONG, SHORT

SCHEMA = load_schema("district.schema.json")


def text_of(*schools: tuple[SchoolMapping, int]) -> str:
    return template(SHORT, Learned(schools=schools), {}, schema=SCHEMA, schema_path="x.json")


def test_a_suggestion_becomes_a_mapping_when_its_signs_are_taken_away() -> None:
    text = text_of(
        (SchoolMapping("0042", "lincoln", "Lincoln: #1, really"), 1), (SchoolMapping("7", "no"), 5)
    )
    assert (
        '\n# schools:\n#   - {sis_id: "0042", school: lincoln, name: "Lincoln: #1, really"}  # 1 student\n'
        in text
    )
    taken = text.replace("# schools:\n", "schools:\n").replace("#   -", "  -")
    formatted = format_text(taken.encode(), file="oak.yaml", schema=SCHEMA)
    assert '  - {sis_id: "7", school: "no"}  # 5 students\n' in formatted


def test_a_hostile_name_stays_in_its_comment() -> None:
    text = text_of(
        (SchoolMapping("1", "a", "x\nsftp: {host: evil}"), 1), (SchoolMapping("2\nhost: evil", "b"), 1)
    )
    assert "evil" not in "".join(line for line in text.splitlines() if not line.startswith("#"))
    assert "2\nhost" not in text


def test_of_very_many_schools_some_are_listed() -> None:
    text = text_of(*((SchoolMapping(str(n), f"s-{n}"), 1) for n in range(MAX_LISTED + 7)))
    assert text.count("# 1 student") == MAX_LISTED
    assert text.endswith("# … and 7 more\n")


def test_the_template_of_a_district_that_says_everything_is_in_canonical_form() -> None:
    text = template(LONG, Learned(), {}, schema=SCHEMA, schema_path="x.json")
    assert format_text(text.encode(), file="oak.yaml", schema=SCHEMA) == text
