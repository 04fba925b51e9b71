"""Bad files, one after the other: which rows are taken, what is told of the others, and who is removed.

Students 1, 2 and 3 are stored. Each file has them but for the third, who has left, and one thing is wrong
with it. Whatever it is, either the third student leaves, or nobody does.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.errors import ReconcilerError
from tests.roster.running import Stored, make_mapper, resolve, simple_mapper

HEADER = "id,school,first,last,grade\n"
ANN, BOB, CY = "1,A,Ann,Lee,3\n", "2,A,Bob,Ray,4\n", "3,A,Cy,Kay,5\n"
BOTH = HEADER + ANN + BOB
DOCUMENT: dict[str, Any] = simple_mapper()
DOCUMENT["entities"]["students"]["fields"]["grade"] = "grade"
MAPPER = make_mapper(DOCUMENT)


@pytest.fixture(scope="module")
def stored() -> Stored:
    return resolve(MAPPER, {"students.csv": BOTH + CY}).stored()


@dataclass(frozen=True)
class Taken:
    """The file is taken, but for the rejected rows: (line, code, column)."""

    ids: str = "1 2"
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    removed: str = "3"
    notice: str = ""


@dataclass(frozen=True)
class Refused:
    """The file is refused as a whole."""

    code: str
    says: str


FILES: dict[str, tuple[str | bytes, Taken | Refused]] = {
    # -- bytes ----------------------------------------------------------------------------------------------
    "103 a BOM": (codecs.BOM_UTF8 + BOTH.encode(), Taken()),
    "a BOM before each part of a joined file": (HEADER + ANN + "\ufeff" + BOB, Taken()),
    "a whole file after another": (
        HEADER + ANN + "\ufeff" + HEADER + BOB,
        Taken(notice="students.csv has its header again on line 3"),
    ),
    "107 UTF-16 with a BOM": (BOTH.encode("utf-16"), Taken(notice="is read as utf-16")),
    "107 UTF-16 without one": (BOTH.encode("utf-16-le"), Taken(notice="is read as utf-16-le")),
    "18 Windows-1252": (BOTH.replace("Ann", "Zoë").encode("cp1252"), Taken(notice="is read as cp1252")),
    "18 neither UTF-8 nor Windows-1252": (
        BOTH.encode() + b"4,A,J\x81,Lee,3\n",
        Refused("csv.encoding", "byte 60"),
    ),
    "18 UTF-8 with a few other bytes": (
        (BOTH + "4,A,Zoë,Núñez,3\n").encode() + b"5,A,J\xe9,Lee,3\n",
        Refused("csv.encoding", "is not utf-8"),
    ),
    "a workbook under a wrong name": (
        b"PK\x03\x04" + bytes(60),
        Refused("csv.encoding", "an Excel workbook"),
    ),
    "a login page": (
        "<html><body>log in</body></html>\n",
        Refused("csv.header", "does not start with a header"),
    ),
    "109 a NUL in a cell": (HEADER + ANN + "2,A,B\0b,Ray,4\n", Taken("1", [(3, "row.nul", "")])),
    "28 a control character in a name": (BOTH.replace("Bob", "B\x07b"), Taken()),
    "a file padded with NULs": (BOTH + "\0" * 30, Refused("csv.truncated", "line 4")),
    "the end of a file in DOS": (BOTH + "\x1a", Taken()),
    # -- delimiters and line breaks -------------------------------------------------------------------------
    "105 semicolons": (BOTH.replace(",", ";"), Taken(notice="is delimited by semicolon")),
    "105 tabs": (BOTH.replace(",", "\t"), Taken(notice="is delimited by tab")),
    "105 pipes": (BOTH.replace(",", "|"), Taken(notice="is delimited by pipe")),
    "105 a delimiter that nobody uses": (BOTH.replace(",", "#"), Refused("csv.header", "(first, grade, id")),
    "a line for spreadsheets": ("sep=,\n" + BOTH, Taken()),
    "110 CR alone": (BOTH.replace("\n", "\r"), Taken()),
    "110 three kinds of line breaks": (f"{HEADER.strip()}\r\n{ANN.strip()}\r{BOB}", Taken()),
    "20 no line break at the end": (BOTH.strip(), Taken()),
    "27 blank lines": (HEADER + "\n" + ANN + ",,,,\n;;;;\n  \n" + BOB + "\n\n", Taken()),
    # -- quotes ---------------------------------------------------------------------------------------------
    "100 a quote that is never closed": (
        HEADER + '2,A,"Bob,Ray,4\n' + ANN,
        Taken("1", [(2, "row.quote", "")], removed="3"),
    ),
    "24 a quote inside a name": (BOTH.replace("Bob", 'B"ob'), Taken()),
    "24 a quote after a backslash": (
        HEADER + ANN + '2,A,"B\\"ob",Ray,4\n',
        Taken("1", [(3, "row.quote", "")]),
    ),
    "24 a comma that nobody quoted": (
        HEADER + ANN + "2,A,Bob,Ray, Jr,4\n",
        Taken("1", [(3, "row.ragged", "")]),
    ),
    "24 smart quotes": (BOTH.replace("Bob", "“Bob”").replace("Ray", "O’Ray"), Taken()),
    "24 a header in single quotes": (
        "'id','school','first','last','grade'\n" + ANN,
        Refused("csv.header", ""),
    ),
    "25 an address on two lines": (BOTH.replace("Bob", '"Bob\nJo"'), Taken()),
    "100 a cell that runs over rows": (
        HEADER + '1,A,"Ann,Lee,3\n2,A,Bob,Ray,4\n9,B",Lee,3\n',
        Taken("", [(n, "row.quote", "") for n in (2, 3, 4)], removed=""),
    ),
    # -- rows -----------------------------------------------------------------------------------------------
    "102 a short row": (HEADER + ANN + "2,A,Bob,Ray\n", Taken("1", [(3, "row.ragged", "")], removed="3")),
    "102 a row that says not whose it is": (
        HEADER + ANN + "Ray,4\n",
        Taken("1", [(3, "row.ragged", "")], ""),
    ),
    "102 a long row": (HEADER + ANN + "2,A,Bob,Ray,4,x\n", Taken("1", [(3, "row.ragged", "")])),
    "26 empty cells after each row": (BOTH.replace("\n", ",,\n"), Taken()),
    "26 cells after the header": (BOTH.replace("4\n", "4,,\n"), Taken()),
    "3 a row cut in the middle": (
        HEADER + ANN + "2,A,Bo",
        Refused("csv.truncated", "in the middle of line 3"),
    ),
    "3 a cut within quotes": (HEADER + ANN + '2,A,"Bo', Refused("csv.truncated", "in the middle of line 3")),
    "108 a cell of a megabyte": (BOTH.replace("Bob", "B" * (1 << 20)), Taken()),
    "108 a line of more than four": (
        BOTH.replace("Bob", "B" * (5 << 20)),
        Refused("csv.rows", "line 3 is longer"),
    ),
    "27 a count at the end": (
        BOTH + "(3412 rows affected)\n",
        Taken(notice="line 4 of students.csv is its end and no row: it counts 3412 rows, and 2 were read"),
    ),
    "27 the right count at the end": (
        BOTH + "\nTotal: 2\n",
        Taken(notice="line 5 of students.csv is its end"),
    ),
    "27 a count with empty cells": (
        BOTH + "TOTAL 2,,,,\n",
        Taken(notice="line 4 of students.csv is its end"),
    ),
    "27 a word at the end": (BOTH + "EOF", Taken(notice="line 4 of students.csv is its end and no row")),
    "27 a sentence at the end": (
        BOTH + "Printed by admin\n",
        Taken(rejected=[(4, "row.ragged", "")], removed=""),
    ),
    "111 one row twice": (BOTH + ANN, Taken()),
    "111 two rows that differ": (
        BOTH + "1,A,Ann,Lee,9\n",
        Taken("2", [(2, "row.conflict", "grade"), (4, "row.conflict", "grade")]),
    ),
    # -- headers --------------------------------------------------------------------------------------------
    "104 no byte": ("", Refused("csv.header", "is empty")),
    "22 no header": (ANN + BOB, Refused("csv.header", "does not start with a header")),
    "23 a title": ("Students of Lincoln\n" + BOTH, Refused("csv.header", "does not start with a header")),
    "23 blank lines before the header": ("\n ,,\n" + BOTH, Taken()),
    "29 other case, space and order": (
        " LAST ,First,SCHOOL,ID,Grade\nLee,Ann,A,1,3\nRay,Bob,A,2,4\n",
        Taken(),
    ),
    "30 a column twice that is read": (
        "id,school,first,last,grade,last\n1,A,Ann,Lee,3,x\n",
        Refused("csv.header", "the column 'last' 2 times"),
    ),
    "30 a column twice that is not": (
        "id,school,first,last,grade,x,x\n1,A,Ann,Lee,3,,\n2,A,Bob,Ray,4,,\n",
        Taken(),
    ),
    "blank headers in the middle": (
        "id,,school,first,,last,grade\n1,x,A,Ann,,Lee,3\n2,,A,Bob,y,Ray,4\n",
        Taken(),
    ),
    "blank headers at the end": ("id,school,first,last,grade,,\n1,A,Ann,Lee,3,,\n2,A,Bob,Ray,4\n", Taken()),
    "29 a column that is gone": ("id,school,first,last\n1,A,Ann,Lee\n", Refused("mapper.column", "'grade'")),
    # -- values ---------------------------------------------------------------------------------------------
    "31 NULL": (BOTH.replace(",4\n", ",NULL\n"), Taken(notice="1 cell of students.csv says NULL or \\N")),
    "32 an id from a spreadsheet": (
        BOTH + "1.23E+11,A,Cy,Kay,5\n",
        Taken(rejected=[(4, "row.scientific", "id")], removed=""),
    ),
    "34 padded cells": (BOTH.replace(",", " ,\u00a0").replace("2 ", "\u200e2\u200b"), Taken()),
    "33 a formula": (BOTH.replace("Bob", "=cmd|' /C calc'!A0"), Taken()),
    "112 an id with a zero in front is another": (BOTH.replace("2,A", "02,A"), Taken("02 1", removed="2 3")),
    "112 digits of another script are another id": (
        BOTH.replace("2,A", "２,A"),
        Taken("1 ２", removed="2 3"),
    ),
    "10 a required cell is empty": (
        BOTH + ",A,Cy,Kay,5\n",
        Taken(rejected=[(4, "row.required", "id")], removed=""),
    ),
    "10 a name is missing": (
        BOTH + "3,A,,Kay,5\n",
        Taken(rejected=[(4, "row.required", "first")], removed=""),
    ),
}


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES)
def test_of_a_bad_file_either_the_good_rows_are_taken_or_nothing(
    stored: Stored, content: str | bytes, expected: Taken | Refused
) -> None:
    if isinstance(expected, Refused):
        with pytest.raises(ReconcilerError) as raised:
            resolve(MAPPER, {"students.csv": content}, before=stored)
        assert raised.value.code == expected.code
        assert raised.value.message.startswith("students.csv")
        assert expected.says in raised.value.message
        assert raised.value.hint
        return
    result = resolve(MAPPER, {"students.csv": content}, before=stored)
    assert " ".join(sorted(result.ids())) == expected.ids
    assert [(r.row, r.code, r.column) for r in result.rejects] == expected.rejected
    assert {r.file for r in result.rejects} <= {"students.csv"}
    assert " ".join(sorted(result.removed())) == expected.removed
    assert any(expected.notice in notice for notice in result.notices or [""])
    if not expected.notice:
        assert not result.notices
