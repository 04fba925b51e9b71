"""What the fuzzers found, each as an input with a name; it must never do again what it did once."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.fuzz import file_names, rosters, yaml_files
from tests.fuzz.roster_seeds import packed

_HEADLESS = (
    "0042,007,ZqvxcanaryAnn,ZqvxcanaryLee,2013-04-05,3,id,school,first\n0043,007,a,b,2013-04-05,3,1,1,1\n"
)

CASES = {
    # The message had two lines.
    "key-with-a-line-break-twice": (yaml_files, b"? |\n c\n: 1\n? |\n c\n: 2\n"),
    # The place that was told was below the end of the file.
    "last-line-without-a-colon": (yaml_files, b"a: 1\nb"),
    # `fmt` ended with a fault.
    "comment-behind-a-file-in-braces": (yaml_files, b"{vault: a#b}#"),
    # A row in the place of the header was told, names and all, with the column that is missing.
    "row-in-the-place-of-the-header": (rosters, packed(b"wide", {"students.csv": _HEADLESS})),
    # They were read as numbers, which Python refuses: a fault ended the sync.
    "names-of-4400-digits-in-an-archive": (
        file_names,
        b"*\n*\n" + b"\n".join(b"students" + digit * 4400 + b".csv" for digit in (b"1", b"2")),
    ),
}


@pytest.mark.parametrize(("target", "data"), CASES.values(), ids=CASES)
def test_what_broke_a_promise_once_keeps_it_now(target: ModuleType, data: bytes) -> None:
    getattr(target, "check_deeply", target.check)(data)
