"""OneRoster's packages: bulk is the whole truth, a delta is a change of what was known, absent says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.acceptance.world import World, csv_text, result_of

Rows = Mapping[str, tuple[str, ...]]
"""sourcedId to the cells after `status`."""

HEADERS = {
    "orgs": ("name", "type"),
    "users": ("orgSourcedIds", "role", "givenName", "familyName", "phone", "agentSourcedIds"),
    "demographics": ("birthDate", "sex"),
}
ORGS: Rows = {"S1": ("Lincoln", "school"), "S2": ("Grant", "school")}
USERS: Rows = {
    **{f"k{n}": ("S1", "student", f"Kid{n}", "Okafor", "", f"p{n}") for n in range(1, 7)},
    **{f"p{n}": ("S1", "parent", f"Parent{n}", "Okafor", f"202-555-010{n}", "") for n in range(1, 7)},
    "t1": ("S1", "teacher", "Ida", "Brown", "", ""),
}
BIRTHS: Rows = {f"k{n}": (f"2015-0{n}-03", "female") for n in range(1, 7)}
DELETED = "tobedeleted"


def table(file: str, rows: Rows, statuses: Mapping[str, str] | None = None) -> str:
    """A file of a package; the statuses are a delta's."""
    said = statuses or {}
    listed = [(key, said.get(key, ""), *cells) for key, cells in rows.items()]
    return csv_text(("sourcedId", "status", *HEADERS[file]), listed)


def manifest(**modes: str) -> str:
    rows = [("manifest.version", "1.0"), ("oneroster.version", "1.1"), ("file.classes", "absent")]
    return csv_text(("propertyName", "value"), [*rows, *((f"file.{f}", mode) for f, mode in modes.items())])


def send(world: World, files: Mapping[str, str] | None = None, **modes: str) -> None:
    """Replace the district's folder by a package; a file that no mode is said of is absent."""
    for path in world.export_of("oak").iterdir():
        path.unlink()
    listed = {"orgs": "absent", "users": "absent", "demographics": "absent", **modes}
    contents = {f"{name}.csv": content for name, content in (files or {}).items()}
    world.put("oak", {"manifest.csv": manifest(**listed), **contents})


BULK = {"orgs": "bulk", "users": "bulk", "demographics": "bulk"}
WHOLE = {
    "orgs": table("orgs", ORGS),
    "users": table("users", USERS),
    "demographics": table("demographics", BIRTHS),
}


def whole(**changed: Rows) -> dict[str, str]:
    """The files of a bulk package, some of them with other rows."""
    return {**WHOLE, **{file: table(file, rows) for file, rows in changed.items()}}


@pytest.fixture
def oak(world: World) -> World:
    """A district whose bulk package is synced."""
    world.district("oak", "oneroster-1.1", schools=["S1", "S2"])
    send(world, WHOLE, **BULK)
    assert world.run("reconcile").code == 0
    assert len(world.export("relationships")) == 6
    return world


def sync(world: World, *options: str) -> dict[str, Any]:
    return result_of(world.run("sync", "oak", *options, "--format", "json").json, "oak")


def synced(world: World, *options: str) -> dict[str, Any]:
    result = sync(world, *options)
    assert result["error"] is None, result["error"]
    return result


def refused(world: World, code: str = "csv.manifest") -> str:
    """The message of a sync that is refused, and leaves every row as it was."""
    before = world.everything()
    error = sync(world)["error"]
    assert error["code"] == code
    assert world.everything() == before
    return f"{error['message']}. {error['hint']}"


def ids(world: World, entity: str = "students") -> set[str]:
    return {row["id"] for row in world.export(entity)}


def student(world: World, key: str) -> dict[str, str]:
    (found,) = [row for row in world.export("students") if row["id"] == key]
    return found


# -- the three modes --------------------------------------------------------------------------------------


def test_a_bulk_file_is_the_whole_truth_and_who_comes_back_returns(oak: World) -> None:
    send(oak, whole(users={k: v for k, v in USERS.items() if k != "k1"}), **BULK)
    synced(oak)
    assert ids(oak) == {"k2", "k3", "k4", "k5", "k6"}
    send(oak, WHOLE, **BULK)
    synced(oak)
    assert "k1" in ids(oak)


def test_a_delta_changes_adds_and_deletes_and_leaves_the_others(oak: World) -> None:
    others = {k: student(oak, k) for k in ("k3", "k4", "k5", "k6")}
    changes = {
        "k1": ("S2", "student", "Kid1", "Brown", "", "p1"),
        "k2": ("", "student", "", "", "", ""),
        "k9": ("S2", "student", "Kid9", "Okafor", "", "p2"),
    }
    send(oak, {"users": table("users", changes, {"k1": "active", "k2": "ToBeDeleted "})}, users="Delta")
    result = synced(oak)
    assert ids(oak) == {"k1", "k3", "k4", "k5", "k6", "k9"}
    assert (student(oak, "k1")["last_name"], student(oak, "k1")["school"]) == ("Brown", "school-s2")
    assert {k: student(oak, k) for k in others} == others
    counts = result["rows"]["students"]
    assert (counts["read"], counts["added"], counts["changed"], counts["removed"]) == (6, 1, 1, 1)
    (note,) = [n for n in result["notes"] if "delta" in n]
    assert note == "users.csv is a delta: 2 rows written over the 13 that were known, 1 deleted"


def test_a_parent_who_is_in_no_delta_stays_tied_to_a_child_who_is(oak: World) -> None:
    changed = {"k1": ("S1", "student", "Kid1", "Okafor-Hill", "", "p1,p2")}
    send(oak, {"users": table("users", changed)}, users="delta")
    synced(oak)
    tied = {(r["student"], r["contact"]) for r in oak.export("relationships")}
    assert {("k1", "p1"), ("k1", "p2")} <= tied
    assert len(tied) == 7


def test_a_deleted_parent_goes_with_the_relationships_and_comes_back_with_them(oak: World) -> None:
    parent = {"p1": USERS["p1"]}
    send(oak, {"users": table("users", parent, {"p1": DELETED})}, users="delta")
    synced(oak)
    assert "p1" not in ids(oak, "contacts")
    assert "p1" not in {r["contact"] for r in oak.export("relationships")}
    send(oak, {"users": table("users", parent, {"p1": "active"})}, users="delta")
    synced(oak)
    assert "p1" in ids(oak, "contacts")
    assert ("k1", "p1") in {(r["student"], r["contact"]) for r in oak.export("relationships")}


def test_demographics_may_come_without_the_users_that_they_are_of(oak: World) -> None:
    send(oak, {"demographics": table("demographics", {"k3": ("2014-12-31", "male")})}, demographics="delta")
    synced(oak)
    assert (student(oak, "k3")["birth_date"], student(oak, "k3")["gender"]) == ("2014-12-31", "male")
    assert student(oak, "k4")["birth_date"] == "2015-04-03"
    assert student(oak, "k3")["first_name"] == "Kid3"


def test_a_manifest_alone_is_no_update(oak: World) -> None:
    before = oak.everything()
    send(oak)
    assert synced(oak)["outcome"] == "unchanged"
    assert oak.everything() == before
    # and the next delta finds what it changes
    send(oak, {"users": table("users", {"k1": USERS["k1"]}, {"k1": DELETED})}, users="delta")
    synced(oak)
    assert len(ids(oak)) == 5


def test_a_file_that_the_manifest_calls_absent_is_not_read(oak: World) -> None:
    users = table("users", {"k1": USERS["k1"]})
    send(oak, {"orgs": WHOLE["orgs"], "users": users}, orgs="bulk", users="absent")
    result = synced(oak)
    assert len(ids(oak)) == 6
    assert "users.csv was not read: manifest.csv says that it is absent" in result["notes"]


def test_a_delta_with_a_header_alone_changes_nothing(oak: World) -> None:
    before = oak.everything()
    send(oak, {"users": table("users", {}), "demographics": table("demographics", {})},
         users="delta", demographics="delta")  # fmt: skip
    synced(oak)
    assert oak.everything() == before


def test_bulk_and_delta_mix_in_one_package(oak: World) -> None:
    births = {**BIRTHS, "k1": ("2013-01-01", "male")}
    send(oak, {"users": table("users", {"k2": USERS["k2"]}, {"k2": DELETED}),
               "demographics": table("demographics", births)}, users="delta", demographics="bulk")  # fmt: skip
    synced(oak)
    assert "k2" not in ids(oak)
    assert student(oak, "k1")["birth_date"] == "2013-01-01"


def test_the_same_delta_twice_is_the_same_as_once(oak: World) -> None:
    delta = table("users", {"k1": ("S2", "student", "K", "O", "", "p1"), "k2": USERS["k2"]}, {"k2": DELETED})
    send(oak, {"users": delta}, users="delta")
    synced(oak)
    once = oak.everything()
    assert synced(oak)["outcome"] == "unchanged"
    send(oak, {"users": delta, "orgs": table("orgs", {})}, users="delta", orgs="delta")
    synced(oak)
    assert oak.everything() == once


def test_an_unchanged_listing_reads_nothing_after_a_delta(oak: World) -> None:
    send(oak, {"users": table("users", {"k1": USERS["k1"]})}, users="delta")
    synced(oak)
    oak.seen.clear()
    assert synced(oak)["outcome"] == "unchanged"
    assert {what for what, _ in oak.seen} & {"open", "read"} == set()


def test_a_package_without_a_manifest_is_bulk_again(oak: World) -> None:
    send(oak, {**whole(users={k: v for k, v in USERS.items() if k != "k1"})})
    (oak.export_of("oak") / "manifest.csv").unlink()
    synced(oak)
    assert len(ids(oak)) == 5
    send(oak, {"users": table("users", {"k2": USERS["k2"]}, {"k2": DELETED})}, users="delta")
    assert "bulk export first" in refused(oak)


def test_a_file_that_is_not_listed_is_read_as_bulk_and_told(oak: World) -> None:
    send(oak, WHOLE)
    oak.put("oak", {"manifest.csv": manifest(orgs="bulk", demographics="bulk")})
    oak.put("oak", {"users.csv": table("users", {k: v for k, v in USERS.items() if k != "k1"})})
    assert "users.csv is not listed in manifest.csv; it is read as all of its rows" in synced(oak)["notes"]
    assert len(ids(oak)) == 5


# -- what is refused --------------------------------------------------------------------------------------

ONE = {"users": table("users", {"k1": USERS["k1"]})}
BAD: dict[str, tuple[Mapping[str, str], Mapping[str, str], str]] = {
    "bulk, and not there": ({"orgs": WHOLE["orgs"]}, {"orgs": "bulk", "users": "bulk"}, "there is no such file"),
    "delta, and not there": ({}, {"users": "delta"}, "there is no such file"),
    "an optional file is bulk, and not there": ({}, {"demographics": "bulk"}, "there is no such file"),
    "an unknown word": (ONE, {"users": "full"}, "'full', which is none of bulk, delta and absent"),
    "a delta without its key": (
        {"users": ONE["users"].replace("sourcedId", "id", 1)}, {"users": "delta"}, "without the column 'sourcedId'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "modes", "said"), BAD.values(), ids=BAD)
def test_a_package_that_disagrees_with_its_manifest_is_refused(
    oak: World, files: Mapping[str, str], modes: Mapping[str, str], said: str
) -> None:
    send(oak, files, **modes)
    assert said in refused(oak)


def test_a_manifest_that_contradicts_itself_is_refused(oak: World) -> None:
    send(oak, ONE)
    oak.put("oak", {"manifest.csv": "propertyName,value\nfile.users,delta\nFILE.Users,bulk\n"})
    assert "both delta and bulk" in refused(oak)


@pytest.mark.parametrize("mode", ["delta", "absent"])
def test_without_a_bulk_file_before_it_nothing_is_known_to_change(world: World, mode: str) -> None:
    world.district("oak", "oneroster-1.1", schools=["S1", "S2"])
    send(world, WHOLE, **{**BULK, "users": mode})
    error = result_of(world.run("reconcile", "--format", "json").json, "oak")["error"]
    assert (error["code"], "bulk export first" in error["hint"]) == ("csv.manifest", True)
    send(world, WHOLE, **BULK)
    assert world.run("reconcile").code == 0
    assert len(ids(world)) == 6


def test_an_optional_file_that_never_came_may_be_absent(world: World) -> None:
    world.district("oak", "oneroster-1.1", schools=["S1", "S2"])
    send(world, WHOLE, orgs="bulk", users="bulk")
    assert world.run("reconcile").code == 0
    assert {row["birth_date"] for row in world.export("students")} == {""}


def test_a_bulk_file_with_a_header_alone_is_refused_also_after_a_delta_like_it(oak: World) -> None:
    send(oak, {"demographics": table("demographics", {})}, demographics="delta")
    synced(oak)
    send(oak, whole(demographics={}), **BULK)
    refused(oak, "csv.empty")


def test_a_delta_that_lost_a_column_empties_no_field(oak: World) -> None:
    users = csv_text(("sourcedId", "status", "orgSourcedIds", "role", "givenName", "familyName"),
                     [("k1", "", "S1", "student", "Kid1", "Okafor")])  # fmt: skip
    send(oak, {"users": users}, users="delta")
    assert "no longer has the column 'agentSourcedIds'" in refused(oak, "mapper.column")


def test_a_delta_that_lost_its_last_line_break_was_cut(oak: World) -> None:
    send(oak, {"users": table("users", {"k1": USERS["k1"], "p1": USERS["p1"]}).rstrip("\n")}, users="delta")
    refused(oak, "csv.truncated")


def test_a_column_that_was_not_kept_needs_a_bulk_file(oak: World) -> None:
    def with_username(rows: Rows) -> str:
        lines = table("users", rows).splitlines()
        return (
            "\n".join([lines[0] + ",username", *(f"{line},u{n}" for n, line in enumerate(lines[1:]))]) + "\n"
        )

    send(oak, {**WHOLE, "users": with_username(USERS)}, **BULK)
    synced(oak)
    own_mapper(oak)
    send(oak, {"users": with_username({"k1": USERS["k1"]})}, users="delta")
    error = result_of(oak.run("reconcile", "--format", "json").json, "oak")["error"]
    assert (error["code"], "the column 'username'" in error["message"]) == ("csv.manifest", True)
    send(oak, {**WHOLE, "users": with_username(USERS)}, **BULK)
    assert oak.run("reconcile").code == 0
    assert student(oak, "k1")["student_number"] == "u0"


def own_mapper(world: World) -> None:
    """The built-in, with the student's number read from another column."""
    import json  # noqa: PLC0415

    from reconciler.mapping.library import builtin  # noqa: PLC0415

    mapper = builtin("oneroster-1.1").mapper
    assert mapper
    document = json.loads(json.dumps(mapper.document)) | {"name": "oneroster-1.1"}
    document["entities"]["students"]["fields"]["student_number"] = {"column": "username", "optional": True}
    (world.root / "mappers").mkdir()
    (world.root / "mappers" / "oneroster-1.1.json").write_text(json.dumps(document))
