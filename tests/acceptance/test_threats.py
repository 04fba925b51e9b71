"""The threat: a pull request points a secret elsewhere. Nothing connects, and the canaries see nobody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from reconciler.demo.server import LocalSftpServer
from reconciler.secrets.context import SecretContext
from reconciler.secrets.sealing import seal
from tests.acceptance.test_secrecy import forms
from tests.acceptance.world import Done, World, result_of, students_csv

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The kind of database has no part in this."""

PASSWORD = "kw/Zeta+Canary=77"
SECRETS = {"oak": PASSWORD + "-oak", "elm": PASSWORD + "-elm"}
IDENTITY = pyrage.x25519.Identity.generate()
OFFLINE = (["validate"], ["plan"], ["plan", "--format", "json"])


class Canary:
    """Listens where a secret must never go, and counts who comes."""

    def __init__(self, address: str, port: int):
        self._socket = socket.create_server((address, port))
        self.port = int(self._socket.getsockname()[1])
        self.visitors = 0
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visitors += 1
            visitor.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


class Trap:
    """A fleet of two districts that were synced once, and canaries wherever a change could lead to.

    The districts' own server has gone then, and a canary sits in its place as well: all who connect count.
    """

    def __init__(self, world: World, secrets_dir: Path, provider: str):
        self.world = world
        self.port = world.server.port
        self.secrets_dir = secrets_dir
        world.environment |= {"RECONCILER_AGE_IDENTITY": str(IDENTITY),
                              "RECONCILER_SECRETS_DIR": str(secrets_dir)}  # fmt: skip
        secrets_dir.mkdir()
        self.refs = {name: self._reference(name, provider) for name in SECRETS}
        for name, secret in SECRETS.items():
            (secrets_dir / name).write_text(secret)
            world.put(name, {"students.csv": students_csv(3)})
            self.write(name, self.refs[name])
        assert world.run("reconcile").code == 0
        world.server.stop()
        places = (("127.0.0.1", self.port), ("127.0.0.2", self.port), ("127.0.0.1", 0))
        self.canaries = [Canary(*place) for place in places]

    def _reference(self, name: str, provider: str) -> dict[str, str]:
        login = SecretContext(name, "127.0.0.1", self.port, name)
        sealed = seal(SECRETS[name], login, [IDENTITY.to_public()])
        texts = {"env": f"SFTP_{name.upper()}_PASSWORD", "file": name, "age": sealed}
        return {provider: texts[provider]}

    def write(self, name: str, password: dict[str, Any] | None = None, **sftp: Any) -> None:
        """The district's file as a pull request has it; what is not said stays as it was."""
        reference = password or self.refs[name]
        self.world.district(
            name, schools=["0042"], password=SECRETS.get(name), sftp={"password": reference, **sftp}
        )

    def offline(self, *commands: list[str]) -> list[Done]:
        """Run commands; nothing is printed of a secret, and nobody is visited."""
        done = [self.world.run("--log-level", "debug", *command) for command in commands]
        said = "".join(d.out + d.err for d in done)
        assert {form for secret in SECRETS.values() for form in forms(secret) if form in said} == set()
        assert "BEGIN AGE" not in said
        assert [canary.visitors for canary in self.canaries] == [0, 0, 0]
        return done

    def close(self) -> None:
        for canary in self.canaries:
            canary.close()


@pytest.fixture
def trap(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Trap]:
    made = Trap(world, tmp_path / "secrets", getattr(request, "param", "age"))
    yield made
    made.close()


def only_host(trap: Trap) -> str:
    trap.write("oak", host="127.0.0.2")
    return "oak"


def host_and_pin(trap: Trap) -> str:
    trap.write("oak", host="127.0.0.2", host_key="SHA256:" + "A" * 43)
    return "oak"


def only_port(trap: Trap) -> str:
    trap.write("oak", port=trap.canaries[2].port)
    return "oak"


def only_username(trap: Trap) -> str:
    trap.write("oak", username="admin")
    return "oak"


def only_the_secret(trap: Trap) -> str:
    trap.write("oak", trap.refs["elm"])
    return "oak"


def the_secret_and_its_user(trap: Trap) -> str:
    trap.write("oak", trap.refs["elm"], username="elm")
    return "oak"


def a_next_of_another(trap: Trap) -> str:
    trap.write("oak", {**trap.refs["oak"], "next": next(iter(trap.refs["elm"].values()))})
    return "oak"


def a_second_district(trap: Trap) -> str:
    trap.write("fir", trap.refs["oak"], host="127.0.0.2", username="oak")
    return "fir"


def a_second_district_at_the_same_login(trap: Trap) -> str:
    trap.write("fir", trap.refs["oak"], username="oak")
    return "fir"


def a_link_out_of_the_folder(trap: Trap) -> str:
    (trap.secrets_dir / "link").symlink_to(trap.secrets_dir.parent / "elsewhere")
    (trap.secrets_dir.parent / "elsewhere").write_text(SECRETS["elm"])
    trap.write("oak", {"file": "link"})
    return "oak"


def a_path_out_of_the_folder(trap: Trap) -> str:
    trap.write("oak", {"file": "../elsewhere"})
    return "oak"


Attack = Callable[[Trap], str]
BORROWED: list[Attack] = [
    only_the_secret, the_secret_and_its_user, a_next_of_another, a_second_district,
    a_second_district_at_the_same_login,
]  # fmt: skip
MOVED: list[Attack] = [only_host, host_and_pin, only_port, only_username]


@pytest.mark.parametrize("attack", [*MOVED, *BORROWED], ids=lambda f: f.__name__)
def test_a_sealed_secret_goes_to_no_login_but_its_own(trap: Trap, attack: Attack) -> None:
    district = attack(trap)
    validated, planned, _ = trap.offline(*OFFLINE)
    assert validated.code == planned.code == 0
    assert district in planned.out
    tested, reconciled, synced, again = trap.offline(
        ["test", district, "--format", "json"], ["reconcile", "--format", "json"],
        ["sync", district, "--format", "json"], ["reconcile", "--format", "json"],
    )  # fmt: skip
    assert (tested.code, reconciled.code, again.code) == (1, 1, 1)
    assert tested.json[0]["error"]["code"] == "secret.bound"
    for report in (reconciled.json, again.json):
        assert result_of(report, district)["error"]["code"] == "secret.bound"
    assert result_of(synced.json, district)["outcome"] in ("failed", "unchanged")


@pytest.mark.parametrize("trap", ["env", "file"], indirect=True)
@pytest.mark.parametrize("attack", BORROWED, ids=lambda f: f.__name__)
def test_a_secret_that_bears_anothers_name_is_refused_in_the_pull_request_already(
    trap: Trap, attack: Attack
) -> None:
    district = attack(trap)
    validated, planned, tested, reconciled = trap.offline(
        ["validate", "--format", "json"], ["plan"], ["test", district, "--format", "json"],
        ["reconcile", "--format", "json"],
    )  # fmt: skip
    assert [done.code for done in (validated, planned, tested, reconciled)] == [1, 1, 1, 1]
    (problem,) = validated.json["problems"]
    assert (problem["code"], problem["file"]) == ("secret.bound", f"districts/{district}.yaml")
    assert tested.json[0]["error"]["code"] == "secret.bound"
    assert result_of(reconciled.json, district)["error"]["code"] == "secret.bound"


@pytest.mark.parametrize("trap", ["file"], indirect=True)
@pytest.mark.parametrize(
    "attack", [a_link_out_of_the_folder, a_path_out_of_the_folder], ids=lambda f: f.__name__
)
def test_no_file_outside_the_secrets_folder_is_sent_anywhere(trap: Trap, attack: Attack) -> None:
    district = attack(trap)
    trap.offline(*OFFLINE)
    tested, reconciled = trap.offline(
        ["test", district, "--format", "json"], ["reconcile", "--format", "json"]
    )
    assert tested.json[0]["error"]["code"] == "secret.bound"
    assert result_of(reconciled.json, district)["error"]["code"] == "secret.bound"


@pytest.mark.parametrize("trap", ["env", "file"], indirect=True)
@pytest.mark.parametrize("attack", MOVED, ids=lambda f: f.__name__)
def test_what_a_pull_request_runs_connects_nowhere_whatever_it_changes(trap: Trap, attack: Attack) -> None:
    """env and file secrets are bound by name, not to the host: the merge decides, and the pin holds."""
    attack(trap)
    validated, planned, _ = trap.offline(*OFFLINE)
    assert (validated.code, planned.code) == (0, 0)


def test_a_host_that_is_changed_without_its_pin_gets_no_password_after_the_merge_either(
    world: World,
) -> None:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(3)})
    assert world.run("reconcile").code == 0
    asked: list[tuple[str, str]] = []
    accounts = {"oak": world.server.accounts["oak"]}
    with LocalSftpServer(accounts, observer=lambda what, who: asked.append((what, who))) as other:
        pin = world.server.fingerprint
        world.district("oak", schools=["0042"], sftp={"port": other.port, "host_key": pin})
        error = result_of(world.json("reconcile"), "oak")["error"]
    assert error["code"] == "sftp.host-key"
    assert asked == []
