"""Target: names from a server, and from archives: listed, matched, chosen, unpacked, and shown.

An input is pieces between `\\n`: the district's pattern, the mapper's pattern, then names as bytes.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import struct
import tempfile
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from html import unescape
from pathlib import Path

from reconciler.cli.terminal.endings import ending_of, say
from reconciler.cli.test import _text as test_text
from reconciler.engine.connection_test import ConnectionTest
from reconciler.engine.report import Outcome, Report, Result
from reconciler.errors import Problem, ReconcilerError
from reconciler.mapping.model import Mapper
from reconciler.render.markdown import MAX_VALUE, code, cut
from reconciler.render.problems import problems_github, problems_sarif
from reconciler.render.report import report_text
from reconciler.roster.delta import RemoteFile
from reconciler.roster.reading.archives import files_to_fetch, open_delivery
from reconciler.roster.reading.series import newest_by_name
from reconciler.roster.reading.unpacking import ArchiveLimits
from reconciler.sftp.errors import printable
from reconciler.sftp.listing import MAX_NAME, readable_name, roster_files
from reconciler.sftp.wire import Entry
from tests.fuzz.oracles import expect, expect_showable, in_time, result_or_refusal, same
from tests.roster.running import make_mapper, simple_mapper

LIMITS = ArchiveLimits(max_bytes=1 << 20, ratio_counts_from=1 << 20, max_members=30, max_directory=1 << 17)
_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_MAX_NAMES = 24
_CONTENT = b"id,school,first,last\n1,A,x,y\n"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What we write ourselves."""

SEEDS = tuple(
    "\n".join(lines).encode()
    for lines in (
        (
            "*.csv",
            "students*.csv",
            "students.csv",
            "Students_2.CSV",
            "contacts.csv",
            ".hidden.csv",
            "a.csv.part",
        ),
        ("*", "students_*.csv", "students_20261122.csv", "students_20261123.csv", "students_2026-11-24.csv"),
        ("*", "*.csv", "export-12-31-2025.csv", "export-01-01-2026.csv", "export 9.csv", "export 10.csv"),
        (
            "*.[cz]*",
            "a/b*.csv",
            "../../etc/cron.d/x.csv",
            "/etc/passwd.csv",
            "..",
            ".",
            "a\\b.csv",
            "C:\\x.csv",
        ),
        (
            "[!a]*",
            "[]x]*.csv",
            "\x1b[2J\x1b]0;own\x07.csv",
            "a\rb.csv",
            "caf\u00e9.csv",
            "cafe\u0301.csv",
            "x\u202evsc.csv",
        ),
        (
            "*",
            "*",
            "<script>alert(1)</script>.csv",
            "@all.csv",
            "a|b.csv",
            "[x](http://x).csv",
            "`a`.csv",
            "*_x_*.csv",
        ),
        (
            "roster_*.zip",
            "students.csv",
            "roster_20261122.zip",
            "roster_20261123_0200.zip",
            "students.csv.gz",
        ),
        ("*", "students*.csv", "students" + "1" * 300 + ".csv", "students" + "2" * 300 + ".csv", "x" * 256),
        (
            "*",
            "\u0130*.csv",
            "\u0130\u0131.csv",
            "STRASSE.csv",
            "stra\u00dfe.csv",
            "\ufb01le.csv",
            "\U0001f600.csv",
        ),
        (
            "*",
            "*",
            "%0A::error::x.csv",
            "::set-output name=a::b.csv",
            "a,b:c.csv",
            "a%0d.csv",
            " .csv",
            "a .csv",
        ),
    )
)
WORDS = tuple(
    word.encode("utf-8", "surrogatepass")
    for word in (
        "\n", "*", "?", "[", "]", "[!", "[a-", "students", ".csv", ".zip", ".gz", "/", "../", "\\", "\x00",
        "\x1b[31m",
        "\x9b2J", "\x85", "\u2028", "\u202e", "\u200b", "\ufeff", "\ud800", "\u0130", "20261123",
        "2026-11-23",
        "11232026", "_0200", "1" * 40, "9" * 4400, "<b>", "-->", "@", "|", "`", "$(x)", "&amp;", "&#64;",
        "://", "www.",
        "mailto:", "__MACOSX/", "a/", "a/a/", "C:", ".part", "\u0661\u0662",
    )
)  # fmt: skip


def check(data: bytes) -> None:
    """Every promise of what becomes of these names."""
    pattern, mapper, names = _input(data)
    with in_time(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = _check_listing(names, pattern)
        _check_shown([file.name for file in listed])
        _check_delivery(mapper, listed, folder / "listed")
        _check_archive(mapper, names, folder / "packed")
        _check_words_of_server(names)
        same("nothing lies elsewhere", sorted(p.name for p in folder.iterdir()), ["listed", "packed"])


def _input(data: bytes) -> tuple[str, Mapper, list[bytes]]:
    pattern, glob, *names = [*data.split(b"\n"), b"*", b"*"] if data.count(b"\n") < 2 else data.split(b"\n")
    document = simple_mapper()
    document["files"] = {
        "students": {"pattern": _text(glob) or "*", "several": "newest"},
        "others": {"pattern": "students*.csv", "optional": True},
    }
    return _text(pattern), make_mapper(document), names[:_MAX_NAMES]


def _text(raw: bytes) -> str:
    """As the schemas let a pattern through: text of some characters, none of them hidden, no folder."""
    text = raw.decode("utf-8", errors="ignore")
    return (
        "".join(c for c in text if unicodedata.category(c)[0] != "C" and c not in "/\u2028\u2029")[:200]
        or "*"
    )


def _check_listing(names: Iterable[bytes], pattern: str) -> list[RemoteFile]:
    """What is listed is a name of one file of that folder, and can be shown; twice gives the same."""
    entries = [
        Entry(name, (0o100644, 0o120777, None, 0o40755)[len(name) % 4], len(name), 1_700_000_000 + number)
        for number, name in enumerate(names)
    ]

    def closer(name: str) -> Entry:
        return Entry(name.encode(), 0o100644, 1, 1)

    listed = roster_files(entries, pattern, closer)
    same("a listing is the same when read again", roster_files(entries, pattern, closer), listed)
    for file in listed:
        expect(
            "/" not in file.name and file.name not in ("", ".", ".."),
            f"a name is of its folder: {file.name!r}",
        )
        expect(len(file.name) <= MAX_NAME, "a name is no longer than names are")
        expect_showable([file.name])
        expect(file.name.encode() in {entry.name for entry in entries}, "a name is as the server wrote it")
    expect(len({f.name for f in listed}) == len(listed), "each name is listed once")
    return listed


def _check_delivery(mapper: Mapper, listed: Sequence[RemoteFile], folder: Path) -> None:
    """The files are chosen the same way whatever the order of the listing, and lie under names of ours."""
    folder.mkdir()
    local = {file.name: folder / f"download-{number}" for number, file in enumerate(listed)}
    for path in local.values():
        path.write_bytes(_CONTENT)
    chosen, refused = result_or_refusal(lambda: [f.name for f in files_to_fetch(mapper, listed)])
    turned, _ = result_or_refusal(lambda: [f.name for f in files_to_fetch(mapper, listed[::-1])])
    same("the order of a listing decides nothing", chosen, turned)
    _check_told(refused)
    if chosen is None:
        return
    out = folder / "archives"
    out.mkdir()
    fetched = {name: local[name] for name in chosen}
    contents, refused = result_or_refusal(lambda: open_delivery(mapper, listed, fetched, out, LIMITS))
    _check_told(refused)
    if contents is not None:
        expect_showable(contents.notices)
        _check_report(contents.notices)
    _check_inside(folder)


def _check_archive(mapper: Mapper, names: Sequence[bytes], folder: Path) -> None:
    """No member's name becomes a path, and none is shown that cannot be."""
    folder.mkdir()
    (folder / "archives").mkdir()
    path = folder / "download-0"
    for flag in (0, 0x800):
        path.write_bytes(_zip([name[:0xFFFF] for name in names], flag))
        file = RemoteFile("roster.zip", path.stat().st_size, 1_700_000_000.0)
        fetched = {file.name: path}
        call = partial(open_delivery, mapper, [file], fetched, folder / "archives", LIMITS)
        contents, refused = result_or_refusal(call)
        _check_told(refused)
        if contents is not None:
            expect_showable(contents.notices)
            for found in contents.chosen.values():
                expect_showable(f.name for f in found)
            expect(
                all(p.is_relative_to(folder / "archives") for p in contents.paths.values()), "a path is ours"
            )
        _check_inside(folder)


def _zip(names: Sequence[bytes], flag: int) -> bytes:
    """An archive with these very names, whatever zipfile would make of them."""
    out, directory = io.BytesIO(), io.BytesIO()
    crc, size = zlib.crc32(_CONTENT), len(_CONTENT)
    for name in names:
        offset = out.tell()
        common = struct.pack("<HHHHHIIIHH", 20, flag, 0, 0, 33, crc, size, size, len(name), 0)
        out.write(b"PK\x03\x04" + common + name + _CONTENT)
        directory.write(
            b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
        )
    start, listed = out.tell(), directory.getvalue()
    out.write(
        listed + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(listed), start, 0)
    )
    return out.getvalue()


def _check_inside(folder: Path) -> None:
    ours = re.compile(r"download-\d+|archives(/unpacked-\d+(/member-\d+)?)?")
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        expect(
            ours.fullmatch(name) and not path.is_symlink(), f"only names of ours become paths: {name[:100]!r}"
        )


# -- showing ------------------------------------------------------------------------------------------------


def _check_shown(names: Sequence[str]) -> None:
    files = tuple(RemoteFile(name, 10, 1_700_000_000.0) for name in names)
    found = ConnectionTest("oak", ok=True, files=files)
    said = json.loads(json.dumps(found.to_json()))
    same("JSON has the names as they are", [f["name"] for f in said["files"]], list(names))
    lines = _COLOUR.sub("", test_text([found], _NOW)).split("\n")
    expect_showable(lines)
    same("each name has one line", len(lines), 1 + (1 + len(names) if names else 0))
    for name in names:
        _check_markdown(name)
        _check_annotation(name)
    numbers = newest_by_name(list(names)) if len(names) > 1 else None
    expect(numbers is None or 0 <= numbers < len(names), "the newest is one of them")


def _check_markdown(name: str) -> None:
    shown = code(name)
    inner = re.fullmatch(r"<code>(.*)</code>", shown, re.DOTALL)
    expect(inner, "a name in Markdown is code")
    bare = (inner[1] if inner else "").replace("@<!-- -->", "")
    text = re.sub(r"&#\d+;<!-- -->", lambda m: unescape(m[0].removesuffix("<!-- -->")), bare)
    seen = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut(name, MAX_VALUE)
    )
    same("a name in Markdown reads as it is written", unescape(text), seen)
    left = re.sub(r"&(?:#\d+|amp|lt|gt);|<!-- -->", "", bare)
    expect(not re.search(r"[&<>`*\[\]|\\~$#@\n]", left), f"nothing in a name is markup: {left[:200]!r}")


def _check_annotation(name: str) -> None:
    """In the commands of a workflow a name begins no other command."""
    problem = Problem("csv.header", "error", name, 1, 1, "", f"{name} is wrong", name)
    line = problems_github([problem])
    expect("\n" not in line and line.startswith("::error "), "one problem is one command")
    properties = line.removeprefix("::error ").split("::")[0]
    same(
        "a problem has its five properties",
        [p.split("=")[0] for p in properties.split(",")],
        ["file", "line", "col", "title"],
    )
    expect(json.loads(json.dumps(problems_sarif([problem]))), "SARIF is JSON")


def _check_report(notes: Sequence[str]) -> None:
    result = Result("oak", "update", Outcome.SUCCEEDED, notes=tuple(notes))
    lines = _COLOUR.sub("", report_text(Report((result,)))).split("\n")
    same("each note has one line", len(lines), 2 + len(notes))


def _check_told(error: ReconcilerError | None) -> None:
    """An error is told on as many lines as it has parts, with no escapes but our own."""
    if error is None:
        return
    out = io.StringIO()
    with contextlib.redirect_stderr(out), contextlib.redirect_stdout(out):
        say(ending_of(error), "text")
    lines = _COLOUR.sub("", out.getvalue()).split("\n")
    expect_showable(lines)
    same("an error has its lines", len(lines), 2 + bool(error.hint))
    expect_showable([error.message, error.hint])


def _check_words_of_server(names: Iterable[bytes]) -> None:
    """Whatever a server says is shown as one short line."""
    for raw in names:
        text = raw.decode("utf-8", errors="replace")
        expect_showable([printable(text)])
        expect(len(printable(text)) <= 81, "what a server says is cut")
        name = readable_name(raw)
        expect(name is None or name.encode() == raw, "a name is read as it is, or not at all")
