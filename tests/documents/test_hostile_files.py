"""Files that are not what they seem are refused in words, at a place, without waiting and without a crash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents.document import Document
from reconciler.documents.reader import open_document, parse_document, read_document
from reconciler.errors import ConfigError, Problem


def refused(data: bytes, display: str = "x.yaml", max_bytes: int = 64 * 1024) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        parse_document(data, display=display, max_bytes=max_bytes)
    return list(caught.value.problems)


HIDDEN = [
    ("\x00", "U+0000 NULL"),
    ("\x07", "U+0007 control character"),
    ("\x1b", "U+001B ESCAPE"),
    ("\x7f", "U+007F control character"),
    ("\r", "U+000D CARRIAGE RETURN without a line feed"),
    ("\x85", "U+0085 NEXT LINE"),
    ("\x9b", "U+009B control character"),
    ("\u00ad", "U+00AD SOFT HYPHEN"),
    ("\u200b", "U+200B ZERO WIDTH SPACE"),
    ("\u200d", "U+200D ZERO WIDTH JOINER"),
    ("\u2028", "U+2028 LINE SEPARATOR"),
    ("\u2029", "U+2029 PARAGRAPH SEPARATOR"),
    ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
    ("\u2066", "U+2066 LEFT-TO-RIGHT ISOLATE"),
    ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
    ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
]


@pytest.mark.parametrize(("character", "name"), HIDDEN, ids=[name for _, name in HIDDEN])
@pytest.mark.parametrize("display", ["x.yaml", "x.json"])
def test_a_hidden_character_is_named_with_its_place(character: str, name: str, display: str) -> None:
    text = f'{{"a": "é",\n "host": "good{character}host: evil"}}\n'
    (problem,) = refused(text.encode(), display)
    assert problem.message == f"{name} is not allowed: it hides or changes what a reader sees"
    assert (problem.code, problem.line, problem.column) == ("config.syntax", 2, 15)


@pytest.mark.parametrize(("character", "name"), HIDDEN, ids=[name for _, name in HIDDEN])
def test_a_hidden_character_is_found_behind_an_escape_too(character: str, name: str) -> None:
    escaped = f'a: "x\\U{ord(character):08X}y"\n'.encode()
    (problem,) = refused(escaped)
    assert problem.message.startswith(name)
    assert (problem.line, problem.column) == (1, 4)


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        pytest.param(b"a: caf\xe9\n", "is not UTF-8", (1, 7), id="latin-1"),
        pytest.param("é: 1\nb: é".encode() + b"\xc3", "is not UTF-8", (2, 5), id="cut inside a character"),
        pytest.param(b"a: \xed\xa0\x80\n", "is not UTF-8", (1, 4), id="a surrogate in UTF-8"),
        pytest.param("a: 1\n".encode("utf-16"), "is UTF-16", (0, 0), id="utf-16"),
        pytest.param(b"", "is empty", (0, 0), id="empty"),
        pytest.param(b"\xef\xbb\xbf", "is empty", (0, 0), id="only a byte order mark"),
        pytest.param(b"# todo\n\n", "holds nothing but comments", (0, 0), id="comments only"),
        pytest.param(b"---\n", "holds nothing but comments", (0, 0), id="an empty document"),
        pytest.param(b"just text\n", "holds one bare value", (1, 1), id="a bare text"),
        pytest.param(b"null\n", "holds one bare value", (1, 1), id="a bare null"),
        pytest.param(b"[" * 25_000, "is nested deeper than 20 levels", (1, 21), id="25 kB of brackets"),
        pytest.param(b"{a: " * 9_000, "is nested deeper than 20 levels", (1, 81), id="braces"),
        pytest.param(b"- " * 9_000, "is nested deeper than 20 levels", (1, 41), id="block lists"),
        pytest.param(
            b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n",
            "this file has an unresolved merge conflict",
            (2, 1),
            id="a merge conflict",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_document_says_why(data: bytes, message: str, place: tuple[int, int]) -> None:
    problem = refused(data)[0]
    assert problem.message == message
    assert (problem.line, problem.column) == place


def test_a_byte_order_mark_is_dropped() -> None:
    assert parse_document(b"\xef\xbb\xbfa: 1\n", display="x.yaml").value == {"a": 1}


def test_windows_line_ends_are_layout() -> None:
    document = parse_document('a: "é"\r\nb: 1\r\n'.encode(), display="x.yaml")
    assert document.value == {"a": "é", "b": 1}
    assert document.position(("b",)) == (2, 4)


def test_expanding_aliases_are_refused_before_they_expand() -> None:
    bomb = b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (c, c, b"*a," * 9) for c in b"bcdefg")
    messages = {problem.message for problem in refused(bomb)}
    assert messages == {"anchors (&name) are not used here", "aliases (*name) are not used here"}


def test_a_list_that_holds_itself_is_refused() -> None:
    assert refused(b"a: &a [*a]\n")


def test_a_file_over_the_limit_is_refused() -> None:
    assert refused(b"a: 12345\n", max_bytes=8)[0].message.startswith("is larger than")
    assert parse_document(b"a: 1234\n", display="x.yaml", max_bytes=8).value == {"a": 1234}


@pytest.mark.parametrize("literal", ["9" * 5_000, "1e999", "-" + "9" * 5_000, "1" * 400 + ".5"])
def test_a_huge_number_is_no_number_in_yaml_and_refused_in_json(literal: str) -> None:
    assert parse_document(f"a: {literal}\n".encode(), display="x.yaml").value == {"a": literal}
    if literal != "1e999":
        assert refused(f'{{"a": {literal}}}'.encode(), "x.json")[0].message == "a number is too large"


def _told(path: Path, root: Path | None = None) -> str:
    document, problems = open_document(path, display="x.yaml", root=root, max_bytes=1024)
    assert document is None
    (problem,) = problems
    return problem.message


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as stream:
        stream.truncate(10 * 1024**3)
    assert _told(path) == "is larger than 1 KiB"


def test_a_pipe_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    assert _told(tmp_path / "x.yaml") == "is not a regular file"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").mkdir()
    assert _told(tmp_path / "x.yaml") in ("is a folder, not a file", "is not a regular file")


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert _told(tmp_path / "x.yaml") == "cannot be read: no such file or directory"


@pytest.mark.parametrize("target", ["/proc/self/environ", "/dev/zero", "../outside.yaml"])
def test_a_link_out_of_the_repository_is_not_followed(target: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    (root / "x.yaml").symlink_to(target)
    assert _told(root / "x.yaml", root) == "is a symbolic link that leads out of the repository"


def test_a_link_inside_the_repository_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("a: 1\n")
    (tmp_path / "x.yaml").symlink_to("real.yaml")
    assert read_document(tmp_path / "x.yaml", display="x.yaml", root=tmp_path).value == {"a": 1}


@pytest.mark.parametrize("target", ["x.yaml", "gone.yaml"], ids=["loop", "dangling"])
def test_a_link_to_nowhere_is_a_problem(target: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").symlink_to(target)
    assert _told(tmp_path / "x.yaml", tmp_path).startswith("cannot be read")


_YAMLISH = st.lists(
    st.sampled_from(["a", ":", " ", "\n", "- ", "{", "}", "[", "]", ",", "&a", "*a", "!t", '"', "'", "|",
                     ">", "#", "%", "@", "?", "<<", "\t", "0x1", "2024-02-30", "---\n", "\\u202e", "é"])
).map(lambda parts: "".join(parts).encode())  # fmt: skip


@settings(deadline=None)
@given(data=st.binary() | _YAMLISH, display=st.sampled_from(["x.yaml", "x.json"]))
def test_any_bytes_give_a_document_or_problems_and_nothing_else(data: bytes, display: str) -> None:
    document, problems = _outcome(data, display)
    assert document is not None or problems
    assert all(problem.message and problem.file == display for problem in problems)


def _outcome(data: bytes, display: str) -> tuple[Document | None, tuple[Problem, ...]]:
    try:
        return parse_document(data, display=display), ()
    except ConfigError as error:
        return None, error.problems


@pytest.mark.parametrize(
    ("data", "display"),
    [(b"? |\n a\n b\n: 1\n? |\n a\n b\n: 2\n", "x.yaml"), (b'{"a\\nb\\n": 1, "a\\nb\\n": 2}', "x.json")],
    ids=["YAML", "JSON"],
)
def test_a_key_with_a_line_break_is_named_on_one_line(data: bytes, display: str) -> None:
    (problem,) = refused(data, display)
    assert problem.message == 'the key "a\\nb\\n" is written twice: first on line 1'


def test_what_is_wrong_at_the_end_of_a_file_stands_on_its_last_line() -> None:
    (problem,) = refused(b"a: 1\nbc")
    assert (problem.line, problem.column) == (2, 3)
