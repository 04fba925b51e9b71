"""What a newcomer copies is right, and explains itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.config.fleet import load_fleet
from reconciler.demo.exports import first_exports
from reconciler.demo.fleet import Address, example_fleet, redirected

DISTRICTS = sorted((example_fleet() / "districts").rglob("*.yaml"))
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "district.schema.json").read_text())


def test_the_example_fleet_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["-C", str(example_fleet()), "validate", "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert (code, report["problems"]) == (0, [])
    assert report["files"] == len(DISTRICTS) + 1


@pytest.mark.parametrize("file", DISTRICTS, ids=lambda file: file.stem)
def test_every_district_names_its_schema_for_editors(file: Path) -> None:
    first = file.read_text().splitlines()[0]
    name, _, target = first.removeprefix("# yaml-language-server: ").partition("=")
    assert (name, (file.parent / target).resolve()) == (
        "$schema",
        example_fleet() / "schemas/district.schema.json",
    )


def test_every_district_has_an_export_and_a_login_of_its_own() -> None:
    districts = load_fleet(example_fleet(), mappers=None).districts
    assert set(first_exports()) == set(districts)
    assert len({d.sftp.username for d in districts.values()}) == len(districts)


@pytest.mark.parametrize(
    "key", [*SCHEMA["properties"], *(f"  {k}" for k in SCHEMA["$defs"]["sync"]["properties"])]
)
def test_the_first_file_explains_every_key(key: str) -> None:
    text = (example_fleet() / "districts/tx/riverbend-isd.yaml").read_text()
    assert f"\n{key}:" in text


@pytest.mark.parametrize("file", DISTRICTS, ids=lambda file: file.stem)
def test_a_copied_district_leads_nowhere_but_to_the_local_server(file: Path) -> None:
    text = redirected(file.read_text(), Address(2022, "ssh-ed25519 AAAA"))
    assert ".example" not in text
    assert text.count("  host: 127.0.0.1\n  port: 2022\n") == 1
    assert text.count("  port:") == text.count("  host_key: ssh-ed25519 AAAA\n") == 1
    assert "pause:" not in text
