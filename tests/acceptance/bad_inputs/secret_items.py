"""Secrets that are not there, not readable, or not for this district (items 55 to 64; sealed ones apart)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from reconciler.demo.server import Account
from tests.acceptance.bad_inputs.case import FILE, OAK, Build, Case, both, changed, content, write
from tests.acceptance.world import Done, World, result_of, students_csv

VARIABLE = "SFTP_OAK_PASSWORD"
RECONCILE = ("reconcile",)
TEST = ("test", "oak")

PROVIDER = """
class ServerError(Exception):
    pass

def ask(reference, context):
    raise ServerError("503 for canary-token at " + reference)
"""


def two_districts(world: World) -> None:
    """`elm`, with which all is well, and `oak`."""
    for name in ("elm", "oak"):
        world.district(name, schools=["0042"])
        world.put(name, {"students.csv": students_csv(3)})


def _variable(value: str | None) -> Build:
    def build(world: World) -> None:
        world.environment.pop(VARIABLE, None)
        if value is not None:
            world.environment[VARIABLE] = value

    return build


def others_went_on(world: World) -> None:
    assert {r["district"] for r in world.export("students")} == {"elm"}
    assert ("auth", "oak") not in world.seen


def nobody_came(world: World) -> None:
    assert world.seen == []


# -- providers ----------------------------------------------------------------------------------------------


def _provider_that_is_down(world: World) -> None:
    """Both districts in sync; then oak's secret is one of a provider that answers with 503."""
    two_districts(world)
    assert world.run("reconcile").code == 0
    extra = world.root.parent / "extra"
    info = extra / "keeper-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keeper\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[reconciler.secrets]\nkeeper = keeper:ask\n")
    (extra / "keeper.py").write_text(PROVIDER)
    world.district("oak", schools=["0042"], sftp={"password": {"keeper": "kv/oak#password"}})
    world.put("elm", {"students.csv": students_csv(4)})
    world.seen.clear()


def _with_the_provider(world: World, arguments: tuple[str, ...]) -> Done:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(world.root.parent / "extra")
        return world.run(*arguments)


def _nobody_was_removed(world: World) -> None:
    rows = world.export("students")
    assert sum(r["district"] == "oak" for r in rows) == 3
    assert ("auth", "oak") not in world.seen
    assert world.run("sync", "elm").code == 0
    assert world.status("oak")["sync_status"] == "Failing"


# -- rotation -----------------------------------------------------------------------------------------------


def _rotated(*, here: bool) -> Build:
    """In sync, then the server has another password; `here`: and so has the environment."""

    def build(world: World) -> None:
        two_districts(world)
        assert world.run("reconcile").code == 0
        world.server.accounts["oak"] = Account(world.export_of("oak"), password="canary-new")
        world.put("oak", {"students.csv": students_csv(5)})
        if here:
            world.environment[VARIABLE] = "canary-new"

    return build


def rows_of_oak(count: int) -> Callable[[World], None]:
    def check(world: World) -> None:
        assert len(world.export("students", "--district", "oak")) == count

    return check


def _taken_once_it_is_known(world: World) -> None:
    rows_of_oak(3)(world)
    world.environment[VARIABLE] = "canary-new"
    assert result_of(world.json("sync", "oak"), "oak")["outcome"] == "succeeded"
    rows_of_oak(5)(world)


# -- files --------------------------------------------------------------------------------------------------


def secret_file(world: World, data: bytes, *, mode: int = 0o400) -> Path:
    """A file in the secrets folder, which the environment names."""
    path = world.root.parent / "secrets" / "oak"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    world.environment["RECONCILER_SECRETS_DIR"] = str(path.parent)
    return path


def _password_file(data: bytes) -> Build:
    def build(world: World) -> None:
        two_districts(world)
        secret_file(world, data)
        world.district("oak", schools=["0042"], sftp={"password": {"file": "oak"}})

    return build


def _private_key(encryption: KeySerializationEncryption, mode: int) -> Build:
    """A key that the server takes, in a file."""

    def build(world: World) -> None:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        world.server.accounts["oak"] = Account(world.export_of("oak"), authorized_key=public)
        world.put("oak", {"students.csv": students_csv(3)})
        secret_file(world, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption), mode=mode)
        world.district("oak", sftp={"password": None, "private_key": {"file": "oak"}})

    return build


def _is_json_all_the_same(world: World) -> None:
    assert world.json("test", "oak")[0]["ok"] is True


def _borrowed(**sftp: object) -> Build:
    """A second district whose secret is not its own."""

    def build(world: World) -> None:
        two_districts(world)
        world.district("oak", schools=["0042"], sftp=sftp)

    return build


def _moved_to_another_host(world: World) -> None:
    """A shared secret, and a district that would have it sent to a host that the policy does not name."""
    two_districts(world)
    world.policy(shared_secrets={"COUNTY_PASSWORD": ["sftp.county.example"]})
    world.environment["COUNTY_PASSWORD"] = "canary-county"
    world.district("oak", schools=["0042"], sftp={"password": {"env": "COUNTY_PASSWORD"}})


_BLOCK = (
    "|\n    -----BEGIN OPENSSH PRIVATE KEY-----\n    b3BlbnNzaCanary\n    -----END OPENSSH PRIVATE KEY-----"
)

CASES = [
    Case("secret-55-variable-not-set", both(two_districts, _variable(None)), "secret.missing",
         f"the environment variable {VARIABLE} of district oak is not set", command=RECONCILE,
         after=others_went_on),
    Case("secret-55-file-not-there", both(two_districts, _borrowed(password={"file": "none"})),
         "secret.missing", "the secret file none of district oak cannot be read", command=RECONCILE,
         after=others_went_on),
    Case("secret-55-provider-not-installed", _borrowed(password={"keeper": "kv/oak"}), "secret.missing",
         "no provider named keeper is installed", command=RECONCILE, after=others_went_on),
    Case("secret-56-provider-that-is-down", _provider_that_is_down, "secret.missing",
         "the provider keeper failed with ServerError for district oak", command=RECONCILE,
         way=_with_the_provider, after=_nobody_was_removed),
    Case("secret-57-empty-variable", both(two_districts, _variable("")), "secret.missing",
         f"the environment variable {VARIABLE} of district oak is empty", command=RECONCILE,
         after=others_went_on),
    Case("secret-57-empty-file", _password_file(b"\n"), "secret.missing",
         "the secret file oak of district oak is empty", command=RECONCILE, after=others_went_on),
    Case("secret-58-newline-after-a-variable", both(two_districts, _variable("canary-oak-Pa55\n")), "", "oak",
         exit=0, command=TEST),
    Case("secret-58-newline-after-a-file", _password_file(b"canary-oak-Pa55\r\n"), "", "oak", exit=0,
         command=TEST),
    Case("secret-60-of-another-district", _borrowed(password={"env": "SFTP_ELM_PASSWORD"}), "secret.bound",
         "the variable's name must begin with SFTP_OAK_", command=TEST, after=nobody_came),
    Case("secret-60-of-another-host", _moved_to_another_host, "secret.bound",
         "this shared secret may not go to this host", command=TEST, after=nobody_came),
    Case("secret-60-file-outside-the-folder", _borrowed(password={"file": "/etc/hostname"}), "secret.bound",
         "the secret file /etc/hostname does not lie under", command=TEST, after=nobody_came),
    Case("secret-61-rotated-here-and-there", _rotated(here=True), "", "oak", exit=0, command=("sync", "oak"),
         after=rows_of_oak(5)),
    Case("secret-61-rotated-at-the-server-alone", _rotated(here=False), "sftp.auth", "refused the login",
         command=("sync", "oak"), after=_taken_once_it_is_known),
    Case("secret-62-encrypted-key-without-passphrase",
         _private_key(BestAvailableEncryption(b"canary-phrase"), 0o400), "sftp.auth", "is encrypted",
         command=TEST, after=nobody_came),
    Case("secret-63-key-that-everyone-can-read", _private_key(NoEncryption(), 0o644), "",
         "the secret file oak can be read by every user of this machine (mode 0644)", exit=0, command=TEST,
         json=False, after=_is_json_all_the_same),
    Case("secret-64-password-in-the-file", changed("{env: SFTP_OAK_PASSWORD}", "hunter2-canary"),
         "config.schema", "a password is never written here", f"{FILE}:8:13"),
    Case("secret-64-key-in-the-file",
         content(OAK.replace("password: {env: SFTP_OAK_PASSWORD}", f"private_key: {_BLOCK}")),
         "config.schema", "a private key is never written here", f"{FILE}:8:16"),
    Case("secret-64-password-under-a-key-of-its-own",
         changed("  username:", "  passwd: canary7\n  username:"), "config.schema",
         'unknown key "passwd"', f"{FILE}:7:3"),
    Case("secret-64-password-of-the-database",
         lambda w: write(w, "reconciler.yaml",
                         json.dumps({"database_url": "postgresql://u:canary7@db.example/x"})),
         "secret.literal", "the database's password stands in a file that git keeps", "reconciler.yaml:1:18"),
]  # fmt: skip
