"""Published sample rosters, served by OpenSSH's sshd, onboarded by YAML alone, into both databases."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.acceptance.independent import READERS, Expected
from tests.acceptance.world import World
from tests.servers import Sshd

SAMPLES = {
    "cedar-ridge": ("clever", "clever-genai-district/CedarRidge_Data"),
    "summit-heights": ("clever", "clever-genai-district/SummitHeights_Data"),
    "one": ("microsoft-sds-1", "ms-sds/SDS Format/100 Users"),
    "two-dot-one": ("microsoft-sds-2.1", "ms-sds/SDS v2.1"),
}
SNAPSHOTS = ("", "Step1-UpdateCourse", "Step2-AddCourse", "Step3-DeleteCourse", "Step4-AddClass")
EVERY_SCHOOL = ("d7f2a", "9c1e5b", "110001", "110002", "110003", "110004", "Sch_000001", "Sch_000002")


@pytest.fixture
def onboard(world: World, sshd: Sshd, tmp_path: Path):
    """Writes a district whose files sshd serves, with a key for its login."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key").write_text(sshd.private_key)
    world.environment["RECONCILER_SECRETS_DIR"] = str(secrets)

    def write(name: str, mapper: str, schools: list[str]) -> None:
        (sshd.root / name).mkdir(exist_ok=True)
        world.district(
            name,
            mapper,
            schools,
            sftp={
                "port": sshd.port,
                "username": sshd.username,
                "password": None,
                "private_key": {"file": str(secrets / "key")},
                "host_key": list(sshd.fingerprints()),
                "remote_path": str(sshd.root / name),
            },
        )

    return write


def serve(sshd: Sshd, world: World, name: str, folder: Path) -> None:
    for path in folder.glob("*.csv"):
        shutil.copyfile(path, sshd.root / name / path.name)
        world.age(sshd.root / name / path.name)


def stored(world: World, district: str) -> Expected:
    """What the program has, in the shape of the independent reading."""

    def rows(entity: str) -> list[dict[str, str]]:
        return world.export(entity, "--district", district)

    return {
        "students": {(r["id"], r["sis_school"], r["first_name"], r["last_name"]) for r in rows("students")},
        "contacts": {(r["id"],) for r in rows("contacts")},
        "relationships": {(r["student"], r["contact"]) for r in rows("relationships")},
        "staff": {(r["id"],) for r in rows("staff")},
    }


def every_school(expected: Expected, folder: Path) -> list[str]:
    listed = {school for _, school, *_ in expected["students"]}
    for name in ("orgs.csv", "schools.csv"):
        if (folder / name).exists():
            listed |= {line.split(",")[0] for line in (folder / name).read_text().splitlines()[1:]}
    return sorted(s.strip("\ufeff") for s in listed)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_stored_as_an_independent_reading_has_it(
    world: World, sshd: Sshd, onboard, shared_data: Path, name: str
) -> None:
    mapper, folder = SAMPLES[name]
    expected = READERS[mapper](shared_data / folder)
    onboard(name, mapper, every_school(expected, shared_data / folder))
    serve(sshd, world, name, shared_data / folder)

    done = world.run("reconcile", "--format", "json")

    assert done.code == 0, done.out
    assert stored(world, name) == expected
    assert world.status(name)["rows"] == {e: len(rows) for e, rows in expected.items()}


def test_five_successive_snapshots_leave_what_the_fifth_alone_does(
    world: World, sshd: Sshd, onboard, shared_data: Path
) -> None:
    base = shared_data / "oneroster11-snapshots" / "CSVSample"
    expected = READERS["oneroster-1.1"](base)
    onboard("summit", "oneroster-1.1", every_school(expected, base))
    for snapshot in SNAPSHOTS:
        serve(sshd, world, "summit", base / snapshot)
        done = world.run(*(["sync", "summit"] if snapshot else ["reconcile"]), "--format", "json")
        assert done.code == 0, done.out
        assert stored(world, "summit") == READERS["oneroster-1.1"](base / snapshot)
    successive = world.everything()

    document = json.loads((world.root / "districts" / "summit.yaml").read_text())
    (world.root / "districts" / "summit.yaml").unlink()
    fresh = {**document, "district": "fresh", "account": "fresh"}
    world.write("fresh", fresh)
    assert world.run("reconcile").code == 0

    alone = {e: world.export(e, "--district", "fresh") for e in successive}
    for entity, rows in alone.items():
        assert [{**r, "district": "summit"} for r in rows] == successive[entity]
    assert len(alone["students"]) == 4


def test_the_second_run_plans_nothing_and_logs_in_nowhere(world: World, shared_data: Path) -> None:
    folder = shared_data / SAMPLES["two-dot-one"][1]
    world.district("two-dot-one", "microsoft-sds-2.1", EVERY_SCHOOL[2:6])
    world.copy("two-dot-one", folder)
    assert world.run("reconcile").code == 0
    before, logins = world.everything(), len(world.seen)

    assert world.run("plan", "--detailed-exitcode").code == 0
    again = world.run("reconcile", "--format", "json")

    assert again.code == 0
    assert again.json["results"] == []
    assert again.json["summary"] == {"succeeded": 0, "failed": 0, "blocked": 0, "unchanged": 1}
    assert len(world.seen) == logins
    assert world.everything() == before
