"""What `fmt` makes of a file, to the letter; and what it leaves alone."""

from __future__ import annotations

import pytest

from reconciler.authoring.comments import comments_of
from reconciler.authoring.formatting import format_text
from reconciler.documents.schema import load_schema
from reconciler.errors import ConfigError

BEFORE = """\


# yaml-language-server: $schema=../schemas/district.schema.json
# about the account
account: 0042   # leading zeros count
name:    'Foo, Bar & Co'


mapper: "clever"
sync: {state: "started", schedule: '0 2 * * *',
  pause: [{until: "2027-01-02", from: 2027-01-01}]   # spring
  }  # how often
schools:
- school: a
  # the name on the door
  name: "X: y"
  sis_id: 7   # seven
# between
-   # opened this year
    sis_id: '8'
    school: no
- {school: c, sis_id: '9'}
  # the last word on schools
sftp:   # the server
    username: u
    password:
        env: SFTP_ODD_PASSWORD
    host: h.example
    # private_key: {file: x}
ignored_schools: [1, # summer
  # and one more
  "2"
  ]
district: odd
unknown: kept

# the end
"""
AFTER = """\
# yaml-language-server: $schema=../schemas/district.schema.json
district: odd
name: Foo, Bar & Co
# about the account
account: "0042"  # leading zeros count
sftp:   # the server
  host: h.example
  username: u
  password:
    env: SFTP_ODD_PASSWORD
  # private_key: {file: x}

mapper: clever
schools:
  - sis_id: "7"  # seven
    school: a
    # the name on the door
    name: "X: y"
  # between
  # opened this year
  - sis_id: "8"
    school: "no"
  - {sis_id: "9", school: c}
  # the last word on schools
ignored_schools:
  - "1"  # summer
  # and one more
  - "2"
sync:  # how often
  state: started
  schedule: "0 2 * * *"
  pause: [{from: 2027-01-01, until: 2027-01-02}]  # spring
unknown: kept

# the end
"""


def formatted(text: str, schema: str = "district.schema.json") -> str:
    return format_text(text.encode(), file="odd.yaml", schema=load_schema(schema))


def test_a_file_in_disorder_is_put_in_order_with_its_comments() -> None:
    assert formatted(BEFORE) == AFTER
    assert formatted(AFTER) == AFTER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("account: 1_000", 'account: "1_000"', id="an id as it is written, not as it is read"),
        pytest.param("account: a-1", 'account: "a-1"', id="an id that needs no quotes has them too"),
        pytest.param("ignored_schools: [0042]", 'ignored_schools: ["0042"]', id="ids of a list"),
        pytest.param("account:", "account:", id="nothing is not an id"),
        pytest.param("name: 'it''s'", "name: it's", id="quotes that are not needed go"),
        pytest.param('name: "0042"', 'name: "0042"', id="quotes that are needed stay"),
        pytest.param("sftp: {port: 22}", "sftp: {port: 22}", id="numbers stay numbers"),
        pytest.param("sftp: {port: '22'}", 'sftp: {port: "22"}', id="a text stays a text"),
        pytest.param("sync: {max_change_percent: 1.50}", "sync: {max_change_percent: 1.50}", id="as written"),
        pytest.param("name: >-\n  one\n  line", "name: one line", id="a folded text is one line"),
        pytest.param("x: |\n  a\n  b\n", "x: |\n  a\n  b", id="a text of several lines stays a block"),
        pytest.param("x: |+\n  a\n\n", 'x: "a\\n\\n\\n"', id="line ends that only quotes show"),
        pytest.param("schools: []", "schools: []", id="an empty list"),
    ],
)
def test_a_value_is_written_in_one_way(before: str, after: str) -> None:
    assert formatted(f"{before}\n") == f"{after}\n"


def test_the_fleets_settings_have_their_own_order() -> None:
    text = "policy: {hosts: [a.example], host_keys: pinned}\ndatabase_url: 'sqlite:///x.db'\n"
    assert formatted(text, "fleet.schema.json") == (
        "database_url: sqlite:///x.db\npolicy: {host_keys: pinned, hosts: [a.example]}\n"
    )


def test_braces_that_do_not_fit_on_a_line_are_opened() -> None:
    key = "A" * 60
    text = f"sftp: {{host_key: ['{key}', '{key}']}}\n"
    assert formatted(text) == f"sftp:\n  host_key:\n    - {key}\n    - {key}\n"


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: 1\na: 2\n", "a: &x 1\nb: *x\n", "a: !x 1\n", "", "# only words\n", "a: 1\n---\nb: 2\n"],
)
def test_what_is_not_valid_yaml_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        formatted(text)
    assert refused.value.code in ("config.syntax", "config.duplicate")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("? a # why\n# still\n: b # so\n", id="an explicit key"),
        pytest.param("a: # one\n  # two\n  b # three\n", id="between a key and its value"),
        pytest.param("a: [ # one\n  # two\n  ] # three\n", id="in an empty list"),
        pytest.param(
            "a: {b: # one\n  # two\n  [c # three\n  ] # four\n  } # five\n", id="in braces in braces"
        ),
        pytest.param("- # one\n  - # two\n    a: b # three\n    # four\n  # five\n# six\n", id="in lists"),
        pytest.param("a: | # one\n  x\n  y\n# two\nb: >- # three\n  z\n", id="beside a block"),
        pytest.param("a: b # one\nc: |", id="before a block without an end"),
        pytest.param("a:\n# one\n- b\n# two\n\n# three\nc: d\n\n\n# four\n\n", id="without an indent"),
    ],
)
def test_no_comment_is_lost_wherever_it_stands(text: str) -> None:
    after = formatted(text)
    assert sorted(comments_of(after)) == sorted(comments_of(text))
    assert formatted(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{district: oak}  # Oak\n", "district: oak\n# Oak\n"),
        ("{district: oak, sftp: {host: x} # one\n} # two\n# three\n",
         "district: oak\nsftp: {host: x}  # one\n# two\n# three\n"),
    ],
    ids=["behind its brace", "behind it, and one behind a value's"],
)  # fmt: skip
def test_a_comment_behind_a_file_in_braces_ends_it(before: str, after: str) -> None:
    schema = load_schema("district.schema.json")
    assert format_text(before.encode(), file="oak.yaml", schema=schema) == after
