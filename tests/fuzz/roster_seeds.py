"""Small deliveries of every kind that is read, with a canary in each cell that says something of a person."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping

from reconciler.mapping.model import Mapper
from tests.fuzz.oracles import CANARY
from tests.roster.running import make_mapper, simple_mapper

MARK = b"\n=file="

_WIDE = simple_mapper(
    students={
        "from": "students",
        "where": [{"column": "status", "not_in": ["X"], "optional": True}],
        "fields": {
            "id": "id", "school": {"column": "school", "split": ","}, "first_name": "first",
            "last_name": "last",
            "birth_date": {"column": "born", "type": "date", "formats": ["%Y-%m-%d", "%m/%d/%Y"],
                           "optional": True},
            "grade": {"column": "grade", "type": "grade", "optional": True},
            "email": {"column": "email", "type": "email", "optional": True},
        },
    },
    contacts={
        "from": "students",
        "repeat": {"n": ["1", "2"]},
        "where": [{"column": "contact{n}", "not_empty": True, "optional": True}],
        "fields": {
            "student": "id", "name": {"column": "contact{n}", "optional": True},
            "phone": {"column": "phone{n}", "type": "phone", "optional": True},
            "may_pick_up": {"column": "pickup{n}", "optional": True},
        },
    },
    staff={"from": "extra", "fields": {"id": "id", "first_name": "first", "last_name": "last"}},
)  # fmt: skip
MAPPERS: Mapping[bytes, Mapper] = {
    b"wide": make_mapper(_WIDE),
    b"generic": make_mapper("generic"),
    b"oneroster": make_mapper("oneroster-1.1"),
}

_C = CANARY
_STUDENTS = f"""\
id,school,first,last,born,grade,email,status,contact1,phone1,pickup1,contact2,phone2,pickup2
0042,007,{_C}Ann,{_C}Lee,2013-04-05,3,{_C}a@x.example,A,{_C} Pat Lee,555-123-4567,yes,"{_C}Ray, Mo",55512,no
0043,"007,008",{_C}Bo,"{_C} ""Bear"" B",4/5/2014,K,,A,{_C} Pat Lee,555-123-4567,N,,,
0044,008,Zo\u00eb{_C},{_C}Okafor,2015-02-30,PK,not an address,X,,,,,,
""".encode()
_GENERIC = {
    "students.csv": f"id,school,first_name,last_name,grade,birth_date\n"
    f"1,A,{_C},{_C}x,1,2013-04-05\n2,B,{_C}y,{_C}z,,\n",
    "contacts.csv": f"id,student,name,phone,relationship,may_pick_up,custody_alert\n"
    f"c1,1,{_C} P,555 123 4567,mother,yes,\nc2,2,{_C} Q,,aunt,,no\n",
    "schools.csv": "id,name\nA,Ash\nB,Beech\n",
    "staff.csv": f"id,first_name,last_name,school\nt1,{_C},{_C}s,A\n",
}
_ONEROSTER = {
    "manifest.csv": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.orgs,bulk\n"
    "file.users,bulk\nfile.enrollments,absent\nfile.demographics,absent\nfile.classes,absent\n"
    "file.courses,absent\nfile.academicSessions,absent\n",
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
    "o1,,,Ash,school,1,\n",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,"
    "givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
    f"s1,,,true,o1,student,u1,,{_C},{_C}F,,1,,,,p1,01,\np1,,,true,o1,parent,u2,,{_C}P,{_C}F,,2,,,555-1,s1,,\n",
}


def packed(mapper: bytes, files: Mapping[str, bytes | str]) -> bytes:
    """An input of these files."""
    listed = ((n, c.encode() if isinstance(c, str) else c) for n, c in files.items())
    return mapper + b"".join(MARK + name.encode() + b"\n" + content for name, content in listed)


def zipped(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


SEEDS = (
    packed(b"wide", {"students.csv": _STUDENTS}),
    packed(
        b"wide",
        {"students.csv": _STUDENTS.replace(b"\n", b"\r\n"), "extra.csv": f"id,first,last\n9,{_C},{_C}\n"},
    ),
    packed(b"wide", {"students.csv": b"\xef\xbb\xbf" + _STUDENTS.replace(b",", b";") + b"\x1a"}),
    packed(b"wide", {"students.csv": _STUDENTS.decode().replace(",", "\t").encode("utf-16")}),
    packed(b"wide", {"students.csv": b"sep=|\n" + _STUDENTS.decode().replace(",", "|").encode("cp1252")}),
    packed(b"wide", {"students.csv.gz": gzip.compress(_STUDENTS, mtime=0)}),
    packed(b"wide", {"export.zip": zipped({"students.csv": _STUDENTS})}),
    packed(
        b"wide", {"export.zip": zipped({"a/students.csv": _STUDENTS, "a/b.txt": "x"}, zipfile.ZIP_STORED)}
    ),
    packed(b"wide", {"students.csv": _STUDENTS + b"Total rows: 3\n"}),
    packed(
        b"wide",
        {"students.csv": b'id,school,first,last\n1,A,NULL,x\n2,A,\\N,y\n1.2E+5,A,a,b\n3,A,"x\n4,A,p,q\n'},
    ),
    packed(b"generic", _GENERIC),
    packed(b"generic", {"roster_20261123.zip": zipped(_GENERIC)}),
    packed(b"oneroster", _ONEROSTER),
)
WORDS = (
    MARK, b"students.csv\n", b"extra.csv\n", b"manifest.csv\n", b"export.zip\n", b".gz\n", b"wide",
    b"generic", b"oneroster", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x1f\x8b", b"sep=;\n", b'""',
    b'"\n', b'","', b",,,,,,,", b"id,school,first,last\n", b"NULL", b"\\N", b"1.23E+11", b"Total: 3\n",
    b"(3 rows)\n", b"\x1a", b"=HYPERLINK(1)", b"bulk", b"delta", b"absent", b"tobedeleted", b"file.users",
    b"2013-04-05", b"2/29/2013", "é".encode("cp1252"), "é".encode("utf-16-le"), "e\u0301".encode(),
    b"\xff\xfe",
)  # fmt: skip
