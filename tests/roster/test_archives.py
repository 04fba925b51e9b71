"""Archives: a zip counts as the files in it, a .gz as the file in it, and a hostile one as nothing at all."""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import RosterError
from reconciler.roster.delta import RemoteFile
from reconciler.roster.reading.archives import Contents, files_to_fetch, open_delivery
from reconciler.roster.reading.unpacking import ArchiveLimits
from tests.roster.running import make_mapper, simple_mapper

GENERIC = make_mapper("generic")
STUDENTS = b"id,school,first_name,last_name\n1,A,Ann,Lee\n"
CONTACTS = b"student,name\n1,Pat Lee\n"
ROSTER = {"students.csv": STUDENTS, "contacts.csv": CONTACTS}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def deliver(
    tmp_path: Path,
    files: Mapping[str, bytes],
    limits: ArchiveLimits = ArchiveLimits(),  # noqa: B008 – it is frozen
) -> tuple[list[str], Contents]:
    """The names that would be downloaded, and what is then read; each file is a second younger."""
    listing = [RemoteFile(name, len(content), n) for n, (name, content) in enumerate(files.items())]
    fetched = [f.name for f in files_to_fetch(GENERIC, listing)]
    paths = {}
    for number, name in enumerate(fetched):
        paths[name] = tmp_path / f"download-{number}"
        paths[name].write_bytes(files[name])
    folder = tmp_path / "archives"
    folder.mkdir()
    return fetched, open_delivery(GENERIC, listing, paths, folder, limits)


def read(contents: Contents) -> dict[str, bytes]:
    return {name: path.read_bytes() for found in contents.local().values() for name, path in found}


@pytest.mark.parametrize(
    ("files", "fetched"),
    [
        pytest.param(ROSTER | {"bus.csv": b"x"}, ["contacts.csv", "students.csv"], id="no archive"),
        pytest.param({"OneRoster.zip": zipped(ROSTER)}, ["OneRoster.zip"], id="a zip"),
        pytest.param({"X.ZIP": zipped({f"o/{n}": c for n, c in ROSTER.items()})}, ["X.ZIP"], id="folder"),
        pytest.param({"x.zip": zipped(ROSTER, zipfile.ZIP_STORED)}, ["x.zip"], id="stored as they are"),
        pytest.param({"x.zip": zipped(ROSTER | {
            "export/": b"", "__MACOSX/._students.csv": b"x", ".DS_Store": b"x", "photos/1.jpg": b"x",
        })}, ["x.zip"], id="beside what else lies in a zip"),
        pytest.param({f"{n}.gz": gzip.compress(c) for n, c in ROSTER.items()},
                     ["contacts.csv.gz", "students.csv.gz"], id="gz files"),
        pytest.param({"students.csv.gz": gzip.compress(STUDENTS[:9]) + gzip.compress(STUDENTS[9:]),
                      "contacts.csv": CONTACTS}, ["contacts.csv", "students.csv.gz"], id="a gz in two parts"),
        pytest.param({"contacts.csv": CONTACTS, "x.zip": zipped({"students.csv": STUDENTS}), "bus.csv": b"x"},
                     ["contacts.csv", "x.zip"], id="a zip beside a file"),
        pytest.param({"r_20261123.zip": zipped(ROSTER), "r_20261122.zip": b"?"}, ["r_20261123.zip"],
                     id="the newest zip of a series, by the day in its name"),
        pytest.param({"r-2026-11-23_0200.zip": b"?", "r-2026-11-23_2200.zip": zipped(ROSTER)},
                     ["r-2026-11-23_2200.zip"], id="the newest of one day"),
    ],
)  # fmt: skip
def test_a_roster_is_read_however_it_is_packed(
    tmp_path: Path, files: dict[str, bytes], fetched: list[str]
) -> None:
    names, contents = deliver(tmp_path, files)
    assert names == fetched
    assert read(contents) == ROSTER


def test_what_came_out_of_an_archive_has_its_own_size_and_the_time_of_the_archive(tmp_path: Path) -> None:
    _, contents = deliver(tmp_path, {"a.txt": b"", "x.zip": zipped(ROSTER)})
    assert contents.unpacked == (
        RemoteFile("students.csv", len(STUDENTS), 1),
        RemoteFile("contacts.csv", len(CONTACTS), 1),
    )
    assert contents.notices == ("contacts.csv, students.csv come from x.zip",)


@pytest.mark.parametrize("delivered", ["students.csv.gz", "Students.CSV.GZ", "students.csv"])
def test_a_mapper_may_name_the_file_as_it_is_packed(delivered: str) -> None:
    document = simple_mapper()
    document["files"]["students"]["pattern"] = "students.csv.gz"
    listing = [RemoteFile(delivered, 1, 1)]
    assert files_to_fetch(make_mapper(document), listing) == listing


def renamed(name: str) -> bytes:
    """A zip with students.csv under a name that zipfile itself would not write."""
    place = "x" * len(name.encode())
    return zipped({place: STUDENTS}).replace(place.encode(), name.encode())


def symlink() -> bytes:
    info = zipfile.ZipInfo("students.csv")
    info.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def flagged(offset: int, value: int) -> bytes:
    """A zip in whose list of members a two-byte field of students.csv has another value."""
    data = bytearray(zipped({"students.csv": STUDENTS}))
    at = data.rindex(b"PK\x01\x02") + offset
    data[at : at + 2] = struct.pack("<H", value)
    return bytes(data)


def twice(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            archive.writestr(name, STUDENTS)
    return out.getvalue()


def flipped(data: bytes) -> bytes:
    """One bit of the last packed byte before the list of members is another one."""
    at = data.index(b"students.csv") + 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def long_list() -> bytes:
    """A zip whose list of members is nine megabytes long."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(150):
            info = zipfile.ZipInfo(f"{number}.txt")
            info.comment = b"x" * 65_000
            archive.writestr(info, b"")
    return out.getvalue()


ZIP = zipped({"students.csv": STUDENTS * 50})
SMALL = ArchiveLimits(max_bytes=500_000, ratio_counts_from=100_000)
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip at all": (lambda: STUDENTS, "is no whole zip archive"),
    "empty": (lambda: b"", "is no whole zip archive"),
    "cut in half": (lambda: ZIP[: len(ZIP) // 2], "is no whole zip archive"),
    "cut within its list of members": (lambda: ZIP[:-30], "is no whole zip archive"),
    "one bit flipped": (lambda: flipped(ZIP), "is damaged or cut: students.csv"),
    "a list of members without end": (long_list, "is no whole zip archive"),
    "a name that leads upwards": (lambda: renamed("../students.csv"), "the name '../students.csv'"),
    "a name that leads upwards later": (lambda: renamed("a/../../students.csv"), "with the name"),
    "an absolute name": (lambda: renamed("/students.csv"), "the name '/students.csv'"),
    "a drive": (lambda: renamed("C:students.csv"), "the name 'C:students.csv'"),
    "a backslash": (lambda: renamed("a\\students.csv"), "holds a file with the name"),
    "a NUL in a name": (lambda: renamed("students.csv\0.jpg"), "holds a file with the name"),
    "a name that turns its direction": (lambda: zipped({"stud\u202evsc.csv": b""}), "holds a file with the"),
    "a name of 4,400 digits": (lambda: zipped({"students.csv" + "1" * 4400: b""}), "holds a file with the"),
    "one name twice": (lambda: twice("students.csv", "students.csv"), "holds students.csv 2 times"),
    "one name in two folders": (lambda: twice("students.csv", "old/students.csv"), "students.csv 2 times"),
    "two folders deep": (lambda: zipped({"a/b/students.csv": STUDENTS}), "more than one folder deep"),
    "a symbolic link": (symlink, "holds students.csv as a symbolic link"),
    "a zip in the zip": (lambda: zipped({"x.zip": ZIP}), "holds another archive, x.zip"),
    "a gz in the zip": (lambda: zipped({"students.csv.gz": b""}), "another archive, students.csv.gz"),
    "encrypted": (lambda: flagged(8, 0x1), "is encrypted: students.csv needs a password"),
    "packed in a rare way": (lambda: flagged(10, 9), "packed in another way than DEFLATE"),
    "packed with LZMA": (lambda: zipped(ROSTER, zipfile.ZIP_LZMA), "packed in another way than DEFLATE"),
    "too many files": (lambda: zipped({f"{n}.txt": b"" for n in range(1001)}), "1001 files; the limit"),
    "a bomb": (lambda: zipped({"students.csv": bytes(400_000)}), "more than 200 times its size"),
    "too large": (lambda: zipped({"students.csv": bytes(600_000)}, zipfile.ZIP_STORED), "more than 500,000"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_zip_that_is_not_as_it_should_be_is_refused_as_a_whole(
    tmp_path: Path, content: Callable[[], bytes], message: str
) -> None:
    with pytest.raises(RosterError) as raised:
        deliver(tmp_path, {"OneRoster.zip": content()}, SMALL)
    assert raised.value.code == "csv.archive"
    assert raised.value.message.startswith("OneRoster.zip ")
    assert message in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(STUDENTS, "is damaged or cut", id="no gz at all"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(gzip.compress(STUDENTS)[:-9], "is damaged or cut", id="cut"),
        pytest.param(gzip.compress(STUDENTS) + b"x", "is damaged or cut", id="with something after it"),
        pytest.param(gzip.compress(bytes(400_000)), "more than 200 times its size", id="a bomb"),
    ],
)
def test_a_gz_that_is_not_as_it_should_be_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(RosterError, match=message) as raised:
        deliver(tmp_path, {"students.csv.gz": content}, SMALL)
    assert raised.value.code == "csv.archive"


def test_a_bomb_is_given_up_long_before_it_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="more than 200 times"):
        deliver(tmp_path, {"x.zip": zipped({"students.csv": bytes(64 << 20)})})
    (taken,) = (tmp_path / "archives").rglob("member-*")
    assert taken.stat().st_size <= 16 << 20


@given(
    st.sampled_from(["x.zip", "students.csv.gz"]), st.integers(0, 10_000), st.integers(1, 255), st.booleans()
)
@settings(max_examples=300, deadline=None)
def test_whatever_becomes_of_a_byte_the_rows_are_those_that_were_packed_or_there_are_none(
    name: str, at: int, other: int, cut: bool
) -> None:
    data = zipped({"students.csv": STUDENTS * 50}) if name == "x.zip" else gzip.compress(STUDENTS * 50)
    at %= len(data)
    damaged = data[:at] if cut else data[:at] + bytes([data[at] ^ other]) + data[at + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        try:
            found: object = read(deliver(Path(folder), {name: damaged})[1])
        except RosterError as error:
            found = error.code
    assert found in ({"students.csv": STUDENTS * 50}, "csv.archive", "sftp.no-files")


@pytest.mark.parametrize(
    ("files", "code", "named"),
    [
        pytest.param({"a.zip": ZIP, "b.zip": ZIP}, "csv.ambiguous", "a.zip, b.zip", id="two zips"),
        pytest.param({"part1.zip": ZIP, "part2.zip": ZIP}, "csv.ambiguous", "part1.zip", id="numbered zips"),
        pytest.param({"r_20261123.zip": ZIP, "x_20261122.zip": ZIP}, "csv.ambiguous", "r_", id="two series"),
        pytest.param({"r_20261341.zip": ZIP, "r_20261342.zip": ZIP}, "csv.ambiguous", "r_", id="no days"),
        pytest.param({"r_20261123.zip": ZIP, "r_2026-11-23.zip": ZIP}, "csv.ambiguous", "r_", id="one day"),
        pytest.param({"students.csv": STUDENTS, "x.zip": ZIP}, "csv.ambiguous", "students.csv", id="both"),
        pytest.param({"students.csv": STUDENTS, "students.csv.gz": b""}, "csv.ambiguous", "students.csv",
                     id="packed and as it is"),
        pytest.param({"x.zip": zipped({"contacts.csv": b""})}, "sftp.no-files", "there is contacts.csv",
                     id="a zip without a file that is needed"),
        pytest.param({"x.zip": zipped({"readme.txt": b""})}, "sftp.no-files", "there is readme.txt",
                     id="a zip of something else"),
    ],
)  # fmt: skip
def test_nothing_is_read_where_it_is_not_plain_what_counts(
    tmp_path: Path, files: dict[str, bytes], code: str, named: str
) -> None:
    with pytest.raises(RosterError) as raised:
        deliver(tmp_path, files)
    assert raised.value.code == code
    assert named in raised.value.message
