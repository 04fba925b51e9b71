"""A secret that changes is a change that tests and syncs, and no plan shows what is sealed."""

from __future__ import annotations

import json

import pytest

from reconciler.config.district import District, SecretRef, ref_from_json
from reconciler.planning.diff import diff
from reconciler.planning.steps import steps_for
from tests.planning.samples import connection

SEALED, ANEW = "YWdlLWVuY3J5cHRpb24-one", "YWdlLWVuY3J5cHRpb24-two"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (SecretRef("env", "A"), SecretRef("env", "B"), [("sftp.password", "env:A", "env:B")]),
        (SecretRef("env", "A"), SecretRef("age", SEALED), [("sftp.password", "env:A", "age (sealed)")]),
        (
            SecretRef("age", SEALED), SecretRef("age", ANEW),
            [("sftp.password", "age (sealed)", "age (sealed anew)")],
        ),
        (SecretRef("age", SEALED), SecretRef("file", "b"), [("sftp.password", "age (sealed)", "file:b")]),
        (SecretRef("env", "A"), SecretRef("env", "A", "B"), [("sftp.password.next", None, "env:B")]),
        (
            SecretRef("age", SEALED), SecretRef("age", SEALED, ANEW),
            [("sftp.password.next", None, "age (sealed)")],
        ),
        (
            SecretRef("env", "A", "B"), SecretRef("env", "B"),
            [("sftp.password", "env:A", "env:B"), ("sftp.password.next", "env:B", None)],
        ),
        (
            SecretRef("kms", "x" * 300), SecretRef("kms", "y" * 300),
            [("sftp.password", "kms (…)", "kms (…) anew")],
        ),
    ],
    ids=["another name", "sealed", "sealed anew", "unsealed", "next", "a sealed next", "rotated", "long"],
)  # fmt: skip
def test_what_a_plan_shows_of_secrets(
    before: SecretRef, after: SecretRef, shown: list[tuple[str, str | None, str | None]]
) -> None:
    fields = diff(connection(sftp={"password": before}), connection(sftp={"password": after}))
    assert [(f.path, f.before, f.after) for f in fields] == shown
    assert {str(step) for step in steps_for(fields)} == {"test", "sync"}
    told = json.dumps([f.to_json() for f in fields])
    assert not [text for text in (SEALED, ANEW, "xxx", "yyy") if text in told]


def test_the_same_secret_is_no_change() -> None:
    same = connection(sftp={"password": SecretRef("age", SEALED, ANEW)})
    assert diff(same, same) == ()


def test_a_district_on_record_without_a_rotation_is_read_as_before() -> None:
    assert ref_from_json({"env": "A"}) == SecretRef("env", "A")
    assert ref_from_json({"env": "A", "next": {"env": "B"}}) == SecretRef("env", "A", "B")
    assert ref_from_json({"env": "A", "next": {"age": "B"}}) == SecretRef("env", "A", "B", "age")
    for ref in (SecretRef("env", "A", "B"), SecretRef("env", "A", "B", "age")):
        district = connection(sftp={"password": ref}).district
        assert District.from_json(district.to_json()) == district
