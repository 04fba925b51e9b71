"""A password that somebody pasted is found by `validate` wherever it stands, and shown by no command."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.world import World, students_csv

SECRET = "zeta-Canary77"
PLACES = {
    "a district's comment": ("districts/oak.yaml", f"# password: {SECRET}\n"),
    "a district's key": ("districts/oak.yaml", f"token: {SECRET}\n"),
    "a broken file": ("districts/oak.yaml", f"password: '{SECRET}\n"),
    "a file of its own name": ("districts/elm.yaml", f"password: {SECRET}\n"),
    "the rules": ("reconciler.yaml", f"# sftp://roster:{SECRET}@sftp.example\npolicy: {{}}\n"),
    "the rules' database": ("reconciler.yaml", f"database_url: postgresql://u:{SECRET}@db.example/x\n"),
    "a mapper": ("mappers/acme.json", json.dumps({"name": "acme", "description": f"password: {SECRET}"})),
    "a mapper in YAML": ("mappers/acme.yaml", f"# password: {SECRET}\nname: acme\n"),
}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The kind of database has no part in this."""


@pytest.mark.parametrize(("file", "text"), PLACES.values(), ids=PLACES)
def test_a_pasted_secret_is_an_error_and_no_output_repeats_it(world: World, file: str, text: str) -> None:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(3)})
    path = world.root / file
    path.parent.mkdir(exist_ok=True)
    whole = path.read_text().removesuffix("}") if file.endswith("oak.yaml") and "#" not in text else ""
    path.write_text(f"{whole}{text}" if whole else text + (path.read_text() if path.exists() else ""))
    done = world.run("validate", "--format", "json")
    assert done.code == 1
    found = [p for p in done.json["problems"] if p["code"] == "secret.literal"]
    assert [(p["file"], p["severity"]) for p in found] == [(file, "error")]
    said = done.out + done.err
    for command in (["validate"], ["validate", "--format", "github"], ["validate", "--format", "sarif"],
                    ["plan"], ["plan", "--format", "json"], ["reconcile"], ["status"]):  # fmt: skip
        done = world.run("--log-level", "debug", *command)
        said += done.out + done.err
    assert SECRET not in said
    assert "zeta" not in said.lower()
