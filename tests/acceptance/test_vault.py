"""Secrets in Vault, through the command line: refused to others, and nothing is lost while it is down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.world import World, result_of, students_csv
from tests.secrets.vault_server import TOKEN, Vault, vault_server

PASSWORD = "kw/Zeta+Canary=77"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The kind of database has no part in this."""


@pytest.fixture
def vault(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A Vault, the provider registered as an installed package does it, and a district that uses it."""
    info = tmp_path / "site" / "vaultprovider-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vaultprovider\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[reconciler.secrets]\nvault = reconciler.secrets.vault:provider\n"
    )
    monkeypatch.syspath_prepend(info.parent)
    with vault_server(Vault({"secret": {"districts/oak": {"password": PASSWORD}}})) as running:
        world.environment |= {"VAULT_ADDR": running.address, "VAULT_TOKEN": TOKEN}
        for name in ("oak", "elm"):
            world.put(name, {"students.csv": students_csv(3)})
        write(world, "secret/districts/oak#password")
        world.district("elm", schools=["0042"])
        yield running


def write(world: World, reference: str) -> None:
    world.district("oak", schools=["0042"], password=PASSWORD, sftp={"password": {"vault": reference}})


def test_a_district_logs_in_with_a_secret_in_vault(world: World, vault: Vault) -> None:
    done = world.run("--log-level", "debug", "reconcile", "--format", "json")
    assert done.code == 0
    assert len(world.export("students")) == 6
    assert PASSWORD not in done.out + done.err
    assert TOKEN not in done.out + done.err
    assert world.json("plan")["districts"] == []


def test_while_vault_is_down_the_district_fails_alone_and_keeps_its_rows(world: World, vault: Vault) -> None:
    world.run("reconcile")
    before = world.everything()
    vault.status = 503
    world.put("elm", {"students.csv": students_csv(4)})
    report = world.json("sync")
    assert result_of(report, "oak")["error"]["code"] == "secret.missing"
    assert result_of(report, "elm")["outcome"] == "succeeded"
    assert world.json("plan")["summary"]["retire"] == 0
    assert [s for s in world.export("students") if s["district"] == "oak"] == [
        s for s in before["students"] if s["district"] == "oak"
    ]
    vault.status = 200
    assert result_of(world.json("sync"), "oak")["error"] is None


@pytest.mark.parametrize("path", ["secret/districts/elm#password", "secret/county#password"])
def test_anothers_path_is_refused_in_the_pull_request_already(world: World, vault: Vault, path: str) -> None:
    write(world, path)
    assert [p["code"] for p in world.json("validate")["problems"]] == ["secret.bound"]
    assert world.run("reconcile").code == 1
    assert vault.asked == []
    world.policy(shared_secrets={f"vault:{path}": ["127.0.0.1"]})
    assert world.json("validate")["ok"]
