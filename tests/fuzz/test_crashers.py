"""What the fuzzers found, each as an input with the name of what it did once; it must never do so again."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.fuzz import file_names, yaml_files

CASES = [
    pytest.param(
        yaml_files,
        b"? |\n c\n: 1\n? |\n c\n: 2\n",
        id="a key with a line break, written twice: the message had two lines",
    ),
    pytest.param(
        yaml_files, b"a: 1\nb", id="a last line without a colon: its place was below the file's end"
    ),
    pytest.param(
        yaml_files,
        b"{vault: a#b}#",
        id="a comment behind a file in braces: `fmt` ended with a fault",
    ),
    pytest.param(
        file_names,
        b"*\n*\n" + b"\n".join(b"students" + digit * 4400 + b".csv" for digit in (b"1", b"2")),
        id="names of 4400 digits in an archive: they were read as numbers, which ended the program",
    ),
]


@pytest.mark.parametrize(("target", "data"), CASES)
def test_what_broke_a_promise_once_keeps_it_now(target: ModuleType, data: bytes) -> None:
    getattr(target, "check_deeply", target.check)(data)
