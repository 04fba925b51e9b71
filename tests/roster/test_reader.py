"""One CSV file, whatever its bytes: which rows are read, which are set apart, and on which lines."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import RosterError
from reconciler.roster.reading.lines import MAX_LINE
from reconciler.roster.reading.reader import ParsedFile, read_header, read_rows

Rows = list[list[str]]


def read(tmp_path: Path, content: str | bytes, **options: Any) -> tuple[ParsedFile, Rows]:
    """The parsed file, and its good rows: the line number as text, then the cells."""
    path, plain = tmp_path / "in.csv", tmp_path / "plain.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    parsed = read_header(path, display="in.csv", **options)
    read_rows(path, plain, parsed)
    with plain.open(encoding="utf-8", newline="") as file:
        return parsed, list(csv.reader(file, strict=True))


def refused(tmp_path: Path, content: str | bytes, **options: Any) -> RosterError:
    with pytest.raises(RosterError) as raised:
        read(tmp_path, content, **options)
    return raised.value


NAMES = "id,name\n1,José Ñandú\n2,Zoë\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        pytest.param(NAMES.encode(), "utf-8", id="UTF-8"),
        pytest.param(codecs.BOM_UTF8 + NAMES.encode(), "utf-8-sig", id="UTF-8 with a BOM"),
        pytest.param(NAMES.encode("utf-16"), "utf-16", id="UTF-16 with a BOM"),
        pytest.param(codecs.BOM_UTF16_BE + NAMES.encode("utf-16-be"), "utf-16", id="UTF-16 BE with a BOM"),
        pytest.param(NAMES.encode("utf-16-le"), "utf-16-le", id="UTF-16 LE without a BOM"),
        pytest.param(NAMES.encode("utf-16-be"), "utf-16-be", id="UTF-16 BE without a BOM"),
        pytest.param(NAMES.encode("utf-32"), "utf-32", id="UTF-32"),
        pytest.param(NAMES.encode("cp1252"), "cp1252", id="Windows-1252"),
    ],
)
def test_the_encoding_is_detected(tmp_path: Path, content: bytes, encoding: str) -> None:
    parsed, rows = read(tmp_path, content)
    assert parsed.encoding == encoding
    assert parsed.columns == ("id", "name")
    assert rows == [["2", "1", "José Ñandú"], ["3", "2", "Zoë"]]


def test_utf16_of_names_in_another_script_is_still_detected_by_its_header(tmp_path: Path) -> None:
    content = ("id,name\n" + "1,李小龙王小明\n" * 500).encode("utf-16-le")
    assert read(tmp_path, content)[0].encoding == "utf-16-le"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        pytest.param(b"id,name\n1,Jos\x81\n", {}, id="a byte that means nothing in any encoding"),
        pytest.param(NAMES.encode()[:-2], {}, id="UTF-8 that was cut within a letter"),
        pytest.param(NAMES.encode() + b"3,Jos\xe9\n", {}, id="UTF-8 with one line of something else"),
        pytest.param(NAMES.encode("utf-16")[:-1], {}, id="UTF-16 that was cut within a letter"),
        pytest.param(NAMES.encode("cp1252"), {"encoding": "utf-8"}, id="not what the mapper declares"),
        pytest.param(NAMES.encode(), {"encoding": "utf-9"}, id="an encoding that there is not"),
        pytest.param(NAMES.encode(), {"encoding": "base64"}, id="a codec that is no encoding of text"),
        pytest.param(NAMES.encode(), {"encoding": "unicode_escape"}, id="a codec that makes up characters"),
    ],
)
def test_a_file_that_cannot_be_decoded_is_refused_as_a_whole(
    tmp_path: Path, content: bytes, options: dict[str, str]
) -> None:
    error = refused(tmp_path, content, **options)
    assert error.code == "csv.encoding"
    assert "in.csv" in error.message
    assert error.hint


def test_the_byte_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "byte 11 " in refused(tmp_path, b"id,name\n1,J\x81\n").message


def test_a_file_far_longer_than_one_read_is_decoded_to_its_end(tmp_path: Path) -> None:
    content = b"id,name\n" + b"1,abcdefgh\n" * 150_000 + "2,Zoë\n".encode("cp1252")
    parsed, rows = read(tmp_path, content)
    assert (parsed.encoding, parsed.rows) == ("cp1252", 150_001)
    assert rows[-1] == ["150002", "2", "Zoë"]


def test_a_declared_encoding_is_taken_at_its_word(tmp_path: Path) -> None:
    assert read(tmp_path, "id,name\n1,Łódź\n".encode("cp1250"), encoding="cp1250")[1][0][2] == "Łódź"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"], ids=["comma", "tab", "semicolon", "pipe"])
def test_the_delimiter_is_detected(tmp_path: Path, delimiter: str) -> None:
    content = 'id,name,note\n1,Ann,"a,b;c|d"\n'.replace(",", "\0").replace("a\0b", "a,b")
    parsed, rows = read(tmp_path, content.replace("\0", delimiter))
    assert parsed.delimiter == delimiter
    assert rows == [["2", "1", "Ann", "a,b;c|d"]]


def test_the_columns_that_the_mapper_reads_decide_between_delimiters(tmp_path: Path) -> None:
    content = "id;name, first, last, middle, all\n1;Ann\n"
    assert read(tmp_path, content, wanted={"id"})[0].delimiter == ";"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR only"])
def test_every_kind_of_line_break_is_one(tmp_path: Path, newline: str) -> None:
    parsed, rows = read(tmp_path, f"id,name{newline}1,Ann{newline}{newline}2,Bob{newline}")
    assert rows == [["2", "1", "Ann"], ["4", "2", "Bob"]]
    assert parsed.ends_with_newline
    assert not parsed.broken


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        pytest.param('1,"Lee, Ann"\n', [["2", "1", "Lee, Ann"]], id="a delimiter in a quoted cell"),
        pytest.param('1,"Ann ""A"" Lee"\n', [["2", "1", 'Ann "A" Lee']], id="a doubled quote"),
        pytest.param('1,O"Brien\n', [["2", "1", 'O"Brien']], id="a quote within an unquoted cell"),
        pytest.param(
            '1,"12 Main\nApt 4"\n2,b\n', [["2", "1", "12 Main\nApt 4"], ["4", "2", "b"]], id="two lines"
        ),
        pytest.param('1,"a\r\n\r\nb"\n', [["2", "1", "a\r\n\r\nb"]], id="a blank line in a cell"),
        pytest.param('"1\nx",a\n', [["2", "1\nx", "a"]], id="two lines in the first cell"),
        pytest.param("\n\n1,a\n\n,\n  , \n2,b\n", [["4", "1", "a"], ["8", "2", "b"]], id="blank lines"),
        pytest.param("1,a,,\n", [["2", "1", "a"]], id="empty cells beyond the header"),
        pytest.param(" 1 ,\u00a0a\t\n", [["2", "1", "a"]], id="space around cells"),
        pytest.param("1,Jose\u0301\u200b\n", [["2", "1", "Jos\u00e9"]], id="decomposed letters"),
        pytest.param("1,=cmd|' /C calc'!A0\n", [["2", "1", "=cmd|' /C calc'!A0"]], id="a formula stays text"),
        pytest.param("007,1E+11\n", [["2", "007", "1E+11"]], id="numbers stay text"),
        pytest.param("1,NULL\n2,\\N\n", [["2", "1", "NULL"], ["3", "2", "\\N"]], id="words for nothing"),
        pytest.param("1,a", [["2", "1", "a"]], id="no line break at the end"),
    ],
)
def test_what_is_well_formed_is_read(tmp_path: Path, body: str, rows: Rows) -> None:
    parsed, found = read(tmp_path, "id,name\n" + body)
    assert found == rows
    assert parsed.rows == len(rows)
    assert not parsed.broken
    assert not parsed.truncated_at


@pytest.mark.parametrize(
    ("body", "ids", "broken"),
    [
        pytest.param('1,a\n2,"b\n3,c\n4,d\n', ["1", "3", "4"], [(3, "row.quote")], id="a quote never closed"),
        pytest.param('1,"a"b\n2,b\n', ["2"], [(2, "row.quote")], id="text after a closing quote"),
        pytest.param('1,"a\n2,"b"\n3,c\n', ["2", "3"], [(2, "row.quote")], id="closed by another row"),
        pytest.param('"1,a\n"2,b\n"3,c\n4,d\n', ["4"], [(2, "row.quote"), (3, "row.quote"), (4, "row.quote")],
                     id="a quote before every id"),
        pytest.param('1,a\n2,"b\n', ["1"], [(3, "row.quote")], id="never closed on the last line"),
        pytest.param("1\n2,b\n", ["2"], [(2, "row.ragged")], id="too short"),
        pytest.param("1,a,b\n2,b\n", ["2"], [(2, "row.ragged")], id="too long"),
        pytest.param("1,a\x00b\n2,b\n", ["2"], [(2, "row.nul")], id="a NUL"),
        pytest.param("1,a\nEOF\n2,b\n", ["1", "2"], [(3, "row.ragged")], id="an end that is none"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_set_apart_and_the_others_are_read(
    tmp_path: Path, body: str, ids: list[str], broken: list[tuple[int, str]]
) -> None:
    parsed, rows = read(tmp_path, "id,name\n" + body)
    assert [row[1] for row in rows] == ids
    assert [(b.line, b.code) for b in parsed.broken] == broken
    assert all(b.reason for b in parsed.broken)
    assert not parsed.truncated_at


def test_a_row_that_is_too_short_over_two_lines_is_one_row_set_apart(tmp_path: Path) -> None:
    parsed, rows = read(tmp_path, 'id,name,x\n1,"a\nb"\n4,d,e\n')
    assert [row[1] for row in rows] == ["4"]
    assert [(b.line, b.code, b.cells) for b in parsed.broken] == [(2, "row.ragged", ("1", "a", "b"))]


def test_text_inside_a_cell_never_becomes_a_row(tmp_path: Path) -> None:
    parsed, rows = read(tmp_path, 'id,who,may\n1,"Ann\n9,Mallory,yes\nx",no\n2,Bob,no\n')
    assert [row[1] for row in rows] == ["2"]
    assert [(b.line, b.code) for b in parsed.broken] == [(n, "row.quote") for n in (2, 3, 4)]
    assert parsed.broken[1].cells == ("9", "Mallory", "yes")


def test_a_row_that_was_set_apart_keeps_its_words(tmp_path: Path) -> None:
    parsed, _ = read(tmp_path, 'id,name,x\n "0042" ,"Lee, Ann",a,b\n')
    assert parsed.broken[0].cells == ("0042", "Lee", "Ann", "a", "b")


def test_a_quote_that_runs_on_for_too_long_was_never_closed(tmp_path: Path) -> None:
    body = "".join(f"{n},x\n" for n in range(2000))
    parsed, rows = read(tmp_path, f'id,name\nA,"x\n{body}Z,"y"\n')
    assert [b.line for b in parsed.broken] == [2]
    assert len(rows) == 2001


def test_a_cell_of_one_megabyte_is_read(tmp_path: Path) -> None:
    big = "é" * (1 << 20)
    assert read(tmp_path, f'id,name\n1,"{big}"\n')[1] == [["2", "1", big]]


def test_a_line_that_is_longer_than_any_row_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, "id,name\n1," + "x" * MAX_LINE + "\n")
    assert error.code == "csv.rows"
    assert "line 2" in error.message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="no byte"),
        pytest.param(codecs.BOM_UTF8, id="only a byte order mark"),
        pytest.param("\n" * 1500, id="only blank lines"),
        pytest.param(" , ,\n;;\n", id="only delimiters"),
    ],
)
def test_an_empty_file_is_no_roster(tmp_path: Path, content: str | bytes) -> None:
    error = refused(tmp_path, content, wanted={"id"})
    assert error.code == "csv.header"
    assert "empty" in error.message


def test_a_file_with_only_its_header_has_no_rows(tmp_path: Path) -> None:
    parsed, rows = read(tmp_path, "id,name\n", wanted={"id"})
    assert (parsed.columns, parsed.rows, rows) == (("id", "name"), 0, [])


@pytest.mark.parametrize(
    ("content", "options"),
    [
        pytest.param("4711,Ann,Lee\n4712,Bob,Ray\n", {}, id="it is a child's row"),
        pytest.param("Students of Lincoln\nid,name\n1,Ann\n", {}, id="a title stands there"),
        pytest.param("id;name\n1;Ann\n", {"delimiter": ","}, id="it has another delimiter than declared"),
    ],
)
def test_a_first_line_without_a_known_column_is_no_header_and_is_not_shown(
    tmp_path: Path, content: str, options: dict[str, str]
) -> None:
    error = refused(tmp_path, content, wanted={"id", "name"}, **options)
    assert error.code == "csv.header"
    assert "id, name" in error.message
    assert "Ann" not in error.message + error.hint
    assert "4711" not in error.message + error.hint


def test_the_header_may_follow_blank_lines_and_have_space_and_blank_columns(tmp_path: Path) -> None:
    parsed, rows = read(tmp_path, "\n\n \ufeffID , name,,\n1,Ann,,\n")
    assert parsed.columns == ("ID", "name")
    assert rows == [["4", "1", "Ann"]]


def test_only_the_columns_that_the_mapper_reads_are_copied(tmp_path: Path) -> None:
    parsed, rows = read(tmp_path, "x,ID,y,name\na,1,b,Ann\n", wanted={"Name", "id"})
    assert parsed.columns == ("x", "ID", "y", "name")
    assert (parsed.kept, rows) == ((1, 3), [["2", "1", "Ann"]])


@pytest.mark.parametrize(
    ("body", "line"),
    [
        pytest.param("1,a,b\n2,b", 3, id="in the middle of a row"),
        pytest.param('1,a,b\n2,"b', 3, id="in the middle of a quoted cell"),
        pytest.param('1,a,b\n2,"b\nc', 4, id="on the second line of a quoted cell"),
    ],
)
def test_a_file_that_ends_within_a_row_was_cut(tmp_path: Path, body: str, line: int) -> None:
    parsed, rows = read(tmp_path, "id,name,x\n" + body)
    assert parsed.truncated_at == line
    assert not parsed.ends_with_newline
    assert [row[1] for row in rows] == ["1"]


def test_a_whole_last_row_without_a_line_break_is_taken_and_noted(tmp_path: Path) -> None:
    parsed, rows = read(tmp_path, "id,name\n1,a\n2,b")
    assert (len(rows), parsed.truncated_at, parsed.ends_with_newline) == (2, 0, False)


@pytest.mark.parametrize(
    "trailer",
    [
        "(1 row affected)", "(3412 rows affected)", "3,412 rows selected.", "1 record", "Total: 42",
        "TOTAL,42", "Total Records: 42", "Record Count = 42", "Number of rows: 42", '"Total:","42"', "EOF",
        "end", "End of file", "END OF REPORT", "TRAILER,42", "TRL|42", "T|42", ",EOF", "EOF\n\n \n,\n",
        "EOF\x1a",
    ],
)  # fmt: skip
def test_a_last_line_that_only_says_that_the_file_ends_is_no_row(tmp_path: Path, trailer: str) -> None:
    parsed, rows = read(tmp_path, f"id,name\n1,a\n\n{trailer}")
    assert [row[1] for row in rows] == ["1"]
    assert parsed.trailer
    assert parsed.trailer[0] == 4
    assert (parsed.broken, parsed.truncated_at, parsed.ends_with_newline) == ([], 0, True)


@pytest.mark.parametrize(
    "line",
    [
        "Total",
        "42",
        "T42",
        "EO",
        "Endicott",
        "End,Ann",
        "Total:,Ann",
        "Ann 42",
        "(42)",
        "rows affected",
        "Students",
    ],
)
def test_a_last_line_that_may_be_what_is_left_of_a_row_is_not_taken_for_the_end(
    tmp_path: Path, line: str
) -> None:
    parsed, _ = read(tmp_path, f"id,name,x\n1,a,b\n{line}\n")
    assert parsed.trailer is None
    assert [b.line for b in parsed.broken] == [3]


def test_the_end_of_a_cell_is_not_the_end_of_the_file(tmp_path: Path) -> None:
    parsed, rows = read(tmp_path, 'id,name\n1,"a\nEOF"\n')
    assert (rows, parsed.trailer) == ([["2", "1", "a\nEOF"]], None)


@pytest.mark.parametrize("end", ["\x1a", "\x1a\x1a", "\n\x1a", "\n\x1a\n", "\r\n\x1a\r\n\r\n"])
def test_the_character_with_which_files_of_old_systems_end_is_dropped(tmp_path: Path, end: str) -> None:
    parsed, rows = read(tmp_path, "id,name\n1,a" + end)
    assert (rows, parsed.broken, parsed.truncated_at) == ([["2", "1", "a"]], [], 0)


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;\r", "\ufeffsep=;"])
def test_a_line_that_tells_a_spreadsheet_the_delimiter_is_not_the_header(tmp_path: Path, line: str) -> None:
    parsed, rows = read(tmp_path, f"{line}\nid;name\n1;a, b\n", wanted={"id"})
    assert (parsed.delimiter, parsed.columns, rows) == (";", ("id", "name"), [["3", "1"]])


@pytest.mark.parametrize("line", [";;;", "||", " , ,,,,", "\t\t", "\u00a0"])
def test_a_line_of_delimiters_is_blank_whichever_they_are(tmp_path: Path, line: str) -> None:
    parsed, rows = read(tmp_path, f"id,name,x\n1,a,b\n{line}\n2,c,d\n")
    assert ([row[1] for row in rows], parsed.broken) == (["1", "2"], [])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"PK\x03\x04" + bytes(99), "a zip archive or an Excel workbook", id="zip"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an Excel workbook", id="xls"),
        pytest.param(b"\x1f\x8b\x08" + bytes(99), "packed with gzip", id="gz"),
        pytest.param(b"%PDF-1.7\n", "a PDF document", id="pdf"),
    ],
)
def test_a_file_that_is_no_text_is_called_what_it_is(tmp_path: Path, content: bytes, kind: str) -> None:
    error = refused(tmp_path, content)
    assert error.code == "csv.encoding"
    assert kind in error.message


def test_a_million_blank_rows_of_a_spreadsheet_cost_no_more_than_their_lines(tmp_path: Path) -> None:
    """Looking at all that follows for each of them would take hours."""
    parsed, rows = read(tmp_path, "id,name\n1,a\n" + ",\n" * 200_000 + "2,b\n" + ",\n" * 200_000)
    assert rows == [["2", "1", "a"], ["200003", "2", "b"]]
    assert not parsed.broken
