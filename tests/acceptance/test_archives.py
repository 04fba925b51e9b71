"""A OneRoster package as the standard has it, one zip, over a real SFTP server, into both databases."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pytest

from reconciler.sftp.session import Session
from tests.acceptance.world import World, result_of

ORGS = "sourcedId,name,type\nA,Lincoln,school\n"
USERS = "sourcedId,orgSourcedIds,role,givenName,familyName,email,agentSourcedIds\n"
MANIFEST = "propertyName,value\nfile.orgs,bulk\nfile.users,bulk\n"


def students(*numbers: int) -> str:
    return USERS + "".join(
        f"{n},A,student,First{n},Last{n},,p{n}\np{n},A,parent,Pat,Last{n},,\n" for n in numbers
    )


def zipped(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def package(*numbers: int, **more: str) -> dict[str, bytes]:
    files = {"manifest.csv": MANIFEST, "orgs.csv": ORGS, "users.csv": students(*numbers)}
    return {"OneRoster.zip": zipped(files | {f"{name}.csv": text for name, text in more.items()})}


@pytest.fixture
def elm(world: World) -> World:
    """A district that delivers a zip with twelve students and a parent each, synced."""
    world.district("elm", "oneroster-1.1", ["A"], sftp={"file_pattern": "*.zip"})
    world.put("elm", package(*range(12)))
    done = world.run("reconcile")
    assert done.code == 0, done.err
    assert "manifest.csv, orgs.csv, users.csv come from OneRoster.zip" in done.out + done.err
    return world


def test_a_package_is_read_and_a_student_who_is_no_longer_in_it_leaves(elm: World) -> None:
    assert len(elm.export("students")) == len(elm.export("relationships")) == 12
    elm.put("elm", package(*range(11)))
    rows = result_of(elm.json("sync"), "elm")["rows"]["students"]
    assert (rows["removed"], rows["unchanged"]) == (1, 11)


def test_an_unchanged_package_is_not_downloaded(elm: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Session, "download")
    assert result_of(elm.json("sync"), "elm")["outcome"] == "unchanged"


def test_a_package_uploaded_again_as_it_was_changes_nothing(elm: World) -> None:
    elm.put("elm", package(*range(12)))
    assert result_of(elm.json("sync"), "elm")["outcome"] == "unchanged"


def test_the_connection_test_lists_the_archive_and_schools_are_those_in_it(elm: World) -> None:
    (tested,) = elm.json("test", "elm")
    assert [f["name"] for f in tested["files"]] == ["OneRoster.zip"]
    assert [s["sis_id"] for s in elm.json("schools", "elm")["schools"]] == ["A"]


def test_a_rejected_row_is_named_by_the_file_in_the_archive(elm: World) -> None:
    elm.put("elm", package(*range(30)))
    assert elm.run("sync").code == 0
    text = students(*range(30)).replace("First7,", ",")
    elm.put("elm", {"OneRoster.zip": zipped({"manifest.csv": MANIFEST, "orgs.csv": ORGS, "users.csv": text})})
    assert elm.run("sync").code == 0
    (reject,) = elm.json("rejects", "elm")
    assert (reject["file"], reject["row"], reject["column"]) == ("users.csv", 16, "givenName")
    assert len(elm.export("students")) == 30


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(package(*range(12))["OneRoster.zip"][:-40], "csv.archive", id="cut"),
        pytest.param(zipped({"orgs.csv": ORGS}), "sftp.no-files", id="without its users"),
        pytest.param(zipped({"orgs.csv": ORGS, "users.csv": USERS}), "csv.empty", id="nobody in it"),
    ],
)
def test_a_spoiled_package_removes_nobody(elm: World, content: bytes, code: str) -> None:
    before = elm.everything()
    elm.put("elm", {"OneRoster.zip": content})
    assert result_of(elm.json("sync"), "elm")["error"]["code"] == code
    assert elm.everything() == before


def test_a_joined_file_in_a_package_that_lost_its_rows_empties_no_field(elm: World) -> None:
    header = "sourcedId,birthDate,sex\n"
    elm.put(
        "elm", package(*range(12), demographics=header + "".join(f"{n},2013-01-02,F\n" for n in range(12)))
    )
    assert elm.run("sync", "--allow-removals", "elm").code == 0
    before = elm.everything()
    assert {s["birth_date"] for s in before["students"]} == {"2013-01-02"}
    elm.put("elm", package(*range(12), demographics=header))
    assert result_of(elm.json("sync"), "elm")["error"]["code"] == "csv.empty"
    assert elm.everything() == before
