"""A secret is rotated without a failed night, and without a failed login more than there must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyrage
import pytest

from reconciler.secrets.context import SecretContext
from reconciler.secrets.sealing import seal
from tests.acceptance.world import World, result_of, students_csv

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""tests/store holds both databases to what is on record of a rotation."""

OLD, NEW = "canary-old-Pa55", "canary-new-Pa55"
BOTH = {"env": "SFTP_OAK_PASSWORD", "next": "SFTP_OAK_PASSWORD_2"}


@pytest.fixture
def oak(world: World) -> World:
    """A district that is synced with its old password."""
    world.environment["SFTP_OAK_PASSWORD_2"] = NEW
    world.district("oak", schools=["0042"], password=OLD)
    world.put("oak", {"students.csv": students_csv(3)})
    assert world.run("reconcile").code == 0
    world.seen.clear()
    return world


def write(world: World, password: Mapping[str, str], **sftp: Any) -> None:
    world.district("oak", schools=["0042"], password=OLD, sftp={"password": password, **sftp})


def take(world: World, password: str) -> None:
    """From now on the server takes this password and no other."""
    world.server.accounts["oak"] = replace(world.server.accounts["oak"], password=password)


def logins(world: World) -> int:
    """How often a password was sent since this was asked last."""
    count = [what for what, _ in world.seen].count("password")
    world.seen.clear()
    return count


def notes(world: World, command: str = "sync") -> list[str]:
    report = world.json(command)
    result = result_of(report, "oak")
    assert result["error"] is None
    return list(result["notes"])


def test_until_the_server_takes_the_new_one_the_old_one_is_used_in_the_same_visit(oak: World) -> None:
    write(oak, BOTH)
    (note,) = notes(oak, "reconcile")
    assert "was not taken" in note
    assert logins(oak) == 2
    assert "the old one was used" in notes(oak)[0]
    assert logins(oak) == 2
    assert oak.status("oak")["problem"] is None


def test_once_the_server_has_taken_the_new_one_it_alone_is_tried(oak: World) -> None:
    write(oak, BOTH)
    oak.run("reconcile")
    take(oak, NEW)
    logins(oak)
    assert "the old one can go" in notes(oak)[0]
    assert logins(oak) == 1
    del oak.environment["SFTP_OAK_PASSWORD"]
    assert "the old one can go" in notes(oak)[0]
    assert logins(oak) == 1
    assert "the old one can go" in oak.json("test", "oak")[0]["notes"][0]
    take(oak, OLD)
    oak.environment["SFTP_OAK_PASSWORD"] = OLD
    logins(oak)
    error = result_of(oak.json("sync"), "oak")["error"]
    assert error["code"] == "sftp.auth"
    assert "the old one was not tried" in error["hint"]
    assert logins(oak) == 1


def test_the_plan_shows_the_rotation_and_is_empty_after_each_of_its_steps(oak: World) -> None:
    write(oak, BOTH)
    (change,) = oak.json("plan")["districts"]
    assert change["changes"] == [
        {"path": "sftp.password.next", "before": None, "after": "env:SFTP_OAK_PASSWORD_2"}
    ]
    assert change["steps"] == ["test", "sync"]
    take(oak, NEW)
    assert oak.run("reconcile").code == 0
    assert oak.json("plan")["districts"] == []
    write(oak, {"env": "SFTP_OAK_PASSWORD_2"})
    assert [c["path"] for c in oak.json("plan")["districts"][0]["changes"]] == [
        "sftp.password", "sftp.password.next",
    ]  # fmt: skip
    assert notes(oak, "reconcile") == []
    assert oak.json("plan")["districts"] == []


def test_what_is_known_of_the_secrets_is_forgotten_when_the_file_names_others(oak: World) -> None:
    write(oak, BOTH)
    take(oak, NEW)
    oak.run("reconcile")
    third = "canary-third-Pa55"
    oak.environment["SFTP_OAK_PASSWORD_3"] = third
    write(oak, {"env": "SFTP_OAK_PASSWORD_2", "next": "SFTP_OAK_PASSWORD_3"})
    logins(oak)
    assert "was not taken" in notes(oak, "reconcile")[0]
    assert logins(oak) == 2
    take(oak, third)
    assert "the old one can go" in notes(oak)[0]


def test_a_new_secret_that_is_not_there_yet_keeps_nobody_from_syncing(oak: World) -> None:
    del oak.environment["SFTP_OAK_PASSWORD_2"]
    write(oak, BOTH)
    (note,) = notes(oak, "reconcile")
    assert "is not there yet" in note
    assert logins(oak) == 1


def test_an_old_secret_that_is_gone_already_keeps_nobody_from_syncing(oak: World) -> None:
    write(oak, BOTH)
    del oak.environment["SFTP_OAK_PASSWORD"]
    take(oak, NEW)
    assert "the old one can go" in notes(oak, "reconcile")[0]


def test_with_neither_there_the_report_names_the_one_in_use(oak: World) -> None:
    write(oak, BOTH)
    del oak.environment["SFTP_OAK_PASSWORD"]
    del oak.environment["SFTP_OAK_PASSWORD_2"]
    error = result_of(oak.json("reconcile"), "oak")["error"]
    assert error["code"] == "secret.missing"
    assert "SFTP_OAK_PASSWORD " in error["message"]
    assert oak.seen == []


def test_two_sealed_secrets_take_turns_as_well(oak: World) -> None:
    identity = pyrage.x25519.Identity.generate()
    oak.environment["RECONCILER_AGE_IDENTITY"] = str(identity)
    login = SecretContext("oak", "127.0.0.1", oak.server.port, "oak")
    sealed = [seal(secret, login, [identity.to_public()]) for secret in (OLD, NEW)]
    write(oak, {"age": sealed[0], "next": sealed[1]})
    assert "was not taken" in notes(oak, "reconcile")[0]
    take(oak, NEW)
    assert "the old one can go" in notes(oak)[0]


def test_a_variable_gives_way_to_a_sealed_secret(oak: World) -> None:
    identity = pyrage.x25519.Identity.generate()
    oak.environment["RECONCILER_AGE_IDENTITY"] = str(identity)
    login = SecretContext("oak", "127.0.0.1", oak.server.port, "oak")
    sealed = seal(OLD, login, [identity.to_public()])
    write(oak, {"env": "SFTP_OAK_PASSWORD", "next": {"age": sealed}})
    assert oak.json("plan")["districts"][0]["changes"][0]["after"] == "age (sealed)"
    assert "the old one can go" in notes(oak, "reconcile")[0]
    assert oak.json("plan")["districts"] == []


def test_a_next_that_is_sealed_for_another_login_stops_before_any_connection(oak: World) -> None:
    identity = pyrage.x25519.Identity.generate()
    oak.environment["RECONCILER_AGE_IDENTITY"] = str(identity)
    login = SecretContext("oak", "127.0.0.1", oak.server.port, "oak")
    elsewhere = replace(login, host="sftp.elsewhere.example")
    write(oak, {"age": seal(OLD, login, [identity.to_public()]),
                "next": seal(NEW, elsewhere, [identity.to_public()])})  # fmt: skip
    assert result_of(oak.json("reconcile"), "oak")["error"]["code"] == "secret.bound"
    assert oak.seen == []


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ({"env": "SFTP_OAK_A", "next": "SFTP_ELM_A"}, "secret.bound"),
        ({"next": "SFTP_OAK_A"}, "config.schema"),
        ({"env": "SFTP_OAK_A", "next": {"env": "SFTP_ELM_B"}}, "secret.bound"),
        ({"file": "oak", "next": {"env": "SFTP_ELM_B"}}, "secret.bound"),
        ({"env": "SFTP_OAK_A", "next": {"age": "hello"}}, "config.schema"),
        ({"env": "SFTP_OAK_A", "next": {"env": "SFTP_OAK_B", "file": "x"}}, "config.schema"),
        ({"env": "SFTP_OAK_A", "next": {"env": "SFTP_OAK_B", "next": "x"}}, "config.schema"),
        ({"env": "SFTP_OAK_A", "next": ["SFTP_OAK_B"]}, "config.schema"),
        ({"env": "SFTP_OAK_A", "next": ""}, "config.schema"),
        ({"env": "SFTP_OAK_A", "file": "x", "next": "SFTP_OAK_B"}, "config.schema"),
        ({"vault": "a/oak#b", "other": "x"}, "config.schema"),
    ],
    ids=[
        "another district's",
        "next alone",
        "another's in a mapping",
        "another's of another provider",
        "a broken seal",
        "a mapping of two",
        "a next of a next",
        "a list",
        "empty",
        "two providers",
        "two others",
    ],
)
def test_a_rotation_that_cannot_be_meant_is_found_in_the_file(
    world: World, password: dict[str, Any], code: str
) -> None:
    write(world, password)
    said = world.json("validate")
    assert said["problems"][0]["code"] == code
    assert said["problems"][0]["path"].startswith("sftp.password")
