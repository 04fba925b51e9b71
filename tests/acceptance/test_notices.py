"""What was read although it is not as it should be, and which file it was read from, is told to people."""

from __future__ import annotations

import json

from tests.acceptance.world import World, result_of

ORGS = "sourcedId,name,type\nS1,Lincoln,school\n"
USERS = """\
sourcedId,orgSourcedIds,role,givenName,familyName,agents
1,S1,student,Ada,Ash,g1
g1,S1,parent,Gail,Ash,
"""


def test_a_sync_tells_which_names_stand_for_the_standards(world: World) -> None:
    world.district("oak", "oneroster-1.1", ["S1"])
    world.put("oak", {"orgs.csv": ORGS, "users.csv": USERS})
    result = result_of(world.json("reconcile"), "oak")
    assert result["notes"] == ["users.csv: 'agents' is read for agentSourcedIds"]
    assert [(r["student"], r["contact"]) for r in world.export("relationships")] == [("1", "g1")]
    mapped = world.run("map", "oneroster-1.1", str(world.export_of("oak")))
    assert "notice: users.csv: 'agents' is read for agentSourcedIds" in mapped.err


def test_the_file_of_the_latest_date_is_read_and_named(world: World) -> None:
    series = {"pattern": "s_*.csv", "several": "newest"}
    own = {"name": "own", "extends": "generic", "files": {"students": series}}
    (world.root / "mappers").mkdir()
    (world.root / "mappers" / "own.json").write_text(json.dumps(own))
    world.district("oak", "own", ["S1"])
    header = "id,school,first_name,last_name\n"
    world.put("oak", {"s_20261123.csv": header + "1,S1,Ada,Ash\n2,S1,Ben,Birch\n"})
    world.put("oak", {"s_20261122.csv": header + "1,S1,Ada,Ash\n"})
    result = result_of(world.json("reconcile"), "oak")
    assert [s["id"] for s in world.export("students")] == ["1", "2"]
    assert result["notes"] == ["s_20261123.csv is read, by its name the newest of 2 files that match s_*.csv"]
