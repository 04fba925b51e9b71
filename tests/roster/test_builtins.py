"""Built-in mappers on exports small enough to read: what each file's rows become."""

from __future__ import annotations

from pathlib import Path

from reconciler.mapping.library import builtin
from reconciler.roster.delta import RemoteFile
from reconciler.roster.roster import Roster
from reconciler.roster.tables import choose_files

ONEROSTER_1_2 = {
    "orgs.csv": """\
sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId
S1,,,Lincoln,school,,D
D,,,District,district,,
""",
    "users.csv": """\
sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,email,sms,phone,agentSourcedIds,grades,preferredGivenName
1,,,true,a,Ada,Ash,,,,"g1,g9",05,Addie
2,,,true,b,Bo,Birch,,,,,04,
g1,,,true,g,Gil,Ash,g@x.example,5551,5552,"1,2",,
g2,tobedeleted,,true,h,Hal,Gone,,,,2,,
t1,,,true,t,Tom,Teach,,,,,,
""",
    "roles.csv": """\
sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId
r1,,,1,secondary,student,,,D
r2,,,1,primary,student,,,S1
r3,,,2,primary,student,,,S1
r4,,,g1,primary,guardian,,,S1
r5,,,g2,primary,guardian,,,S1
r6,,,t1,primary,teacher,,,S1
""",
}
SDS_1 = {
    "School.csv": "SIS ID,Name\n10001,Contoso High\n",
    "Student.csv": """\
SIS ID,School SIS ID,First Name,Last Name,Username,Birthdate
13001,10001,Ora,Klein,OKlein,4/2/2010
13002,10001,Ada,Klein,AKlein,11/12/2011
""",
    "user.csv": "Email,First Name,Last Name,Phone,SIS ID\nmum@x.example,Mia,Klein,5550100,\n",
    "guardianrelationship.csv": """\
SIS ID,Email,Role
13001,mum@x.example,Parent
13002,mum@x.example,Guardian
13002,nobody@x.example,Parent
""",
}


def taken(tmp_path: Path, mapper_name: str, files: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """The taken rows of every entity, empty fields left out."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    mapper = builtin(mapper_name).mapper
    assert mapper is not None
    chosen = choose_files(mapper, [RemoteFile(name, 1, 1) for name in files])
    paths = {k: [(f.name, tmp_path / f.name) for f in v] for k, v in chosen.items()}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Roster(mapper, paths, scratch) as roster:
        roster.resolve(None)
        entities = ("students", "contacts", "relationships", "staff")
        return {e: [{k: v for k, v in r.items() if v} for r in roster.rows(e)] for e in entities}


def test_oneroster_1_2_reads_schools_and_roles_from_the_roles_file(tmp_path: Path) -> None:
    rows = taken(tmp_path, "oneroster-1.2", ONEROSTER_1_2)
    assert [(r["id"], r["school"], r.get("preferred_name")) for r in rows["students"]] == [
        ("1", "S1", "Addie"), ("2", "S1", None),
    ]  # fmt: skip
    assert [(r["id"], r["phone"], r["phone_2"]) for r in rows["contacts"]] == [("g1", "5552", "5551")]
    assert [(r["student"], r["contact"], r["relationship"]) for r in rows["relationships"]] == [
        ("1", "g1", "guardian"), ("2", "g1", "guardian"),
    ]  # fmt: skip
    assert [(r["id"], r["role"]) for r in rows["staff"]] == [("t1", "teacher")]
    assert {r["may_pick_up"] for r in rows["relationships"]} == {"unknown"}


def test_sds_1_recognizes_a_guardian_of_siblings_by_email(tmp_path: Path) -> None:
    rows = taken(tmp_path, "microsoft-sds-1", SDS_1)
    assert [(r["id"], r["birth_date"]) for r in rows["students"]] == [
        ("13001", "2010-04-02"), ("13002", "2011-11-12"),
    ]  # fmt: skip
    (one,) = {r["id"] for r in rows["contacts"]}
    assert [(r["student"], r["contact"], r["relationship"]) for r in rows["relationships"]] == [
        ("13001", one, "Parent"), ("13002", one, "Guardian"),
    ]  # fmt: skip
