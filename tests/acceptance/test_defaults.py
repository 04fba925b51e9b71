"""A fleet whose districts say only what is theirs: connected, synced, and changed by one line for all."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.world import World, result_of, students_csv


def settle(world: World, **sync: Any) -> None:
    """Write reconciler.yaml: the server for all districts, and when they are synced."""
    sftp = {"host": "127.0.0.1", "port": world.server.port, "host_key": world.server.fingerprint}
    defaults = {"sftp": sftp, "mapper": "generic", "sync": sync}
    (world.root / "reconciler.yaml").write_text(json.dumps({"defaults": defaults}))


def least(world: World, name: str, **own: Any) -> None:
    """A district that names no server, no pin and no mapper."""
    path = world.district(name, schools=["0042"], **own)
    document = json.loads(path.read_text())
    for key in ("host", "port", "host_key"):
        del document["sftp"][key]
    del document["mapper"]
    world.write(name, document)
    world.put(name, {"students.csv": students_csv(3)})


def test_districts_on_one_server_are_synced_and_follow_the_fleets_defaults(world: World) -> None:
    settle(world)
    least(world, "elm", sync={"settle_minutes": 1})
    least(world, "oak")
    report = world.json("reconcile")
    assert report["summary"] == {"succeeded": 2, "failed": 0, "blocked": 0, "unchanged": 0}
    assert result_of(report, "oak")["rows"]["students"]["added"] == 3
    assert world.json("plan")["districts"] == []

    settle(world, settle_minutes=2)
    (planned,) = world.json("plan")["districts"]
    assert (planned["district"], planned["action"]) == ("oak", "update")
    assert planned["changes"] == [{"path": "sync.settle_minutes", "before": 0, "after": 2}]
    assert world.json("reconcile")["summary"]["succeeded"] == 1
    assert world.json("plan")["districts"] == []


def test_a_default_that_is_written_into_the_files_instead_changes_nothing(world: World) -> None:
    settle(world)
    least(world, "oak")
    assert world.run("reconcile").code == 0
    world.district("oak", schools=["0042"])
    (world.root / "reconciler.yaml").unlink()
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_a_default_pin_that_is_not_the_servers_gets_no_password(world: World) -> None:
    settle(world)
    least(world, "oak")
    text = (world.root / "reconciler.yaml").read_text()
    other = "SHA256:" + "A" * 43
    (world.root / "reconciler.yaml").write_text(text.replace(world.server.fingerprint, other))
    result = result_of(world.json("reconcile"), "oak")
    assert result["error"]["code"] == "sftp.host-key"
    assert world.server.fingerprint in result["error"]["message"]
    assert [what for what, _ in world.seen if what != "connect"] == []
