"""The direct way into the database gives what the careful one gives, or is not taken."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.roster.database import open_database
from reconciler.roster.reading import bulk
from reconciler.roster.reading.reader import ParsedFile, read_header
from reconciler.roster.reading.regular import regularity

Table = tuple[list[tuple[Any, ...]], ParsedFile]


def loaded(content: bytes, *, carefully: bool = False) -> Table:
    """The rows of the table, and what was found out about the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "in.csv"
        path.write_bytes(content)
        parsed = read_header(path, display="in.csv")
        with open_database(folder) as db:
            load = bulk._load_carefully if carefully else bulk.load_part
            load(db, "t", path, parsed, folder)
            return db.execute("SELECT * FROM t ORDER BY line").fetchall(), parsed


def is_direct(content: bytes) -> bool:
    """Whether the bulk loader takes the file as it is."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "in.csv"
        path.write_bytes(content)
        parsed = read_header(path, display="in.csv")
        regular = regularity(path, parsed.encoding, parsed.delimiter) if parsed.is_plain else None
        with open_database(Path(name)) as db:
            return regular is not None and bulk._load_directly(db, "t", path, parsed, regular)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"id,name\n1,Ada\n2,Bo\n", id="LF"),
        pytest.param(b"id,name\r\n1,Ada\r\n2,Bo\r\n", id="CRLF"),
        pytest.param(b"id,name\n1,Ada\n2,Bo", id="no line break at the end"),
        pytest.param(b'"id","name"\n"1","Ash, Ada"\n"2","Bo ""Bear"" B"\n', id="every cell quoted"),
        pytest.param(b'id,name\n1,""\n2,""""\n', id="an empty quoted cell, and a cell that is a quote"),
        pytest.param("id;name\n1;Zoë\n".encode(), id="semicolon and accents"),
        pytest.param(b"\xef\xbb\xbfid,name\n1,Ada\n", id="byte order mark"),
        pytest.param("id,name\n1,\u00a0Ada\u2003\n".encode(), id="spaces beyond ASCII"),
        pytest.param(b"id\tname\n 1 \t Ada\x0b\n", id="padded cells"),
        pytest.param(b"id,name\n1,#x\n#2,Bo\n", id="what looks like a comment"),
    ],
)
def test_a_regular_file_is_loaded_directly_and_reads_the_same(content: bytes) -> None:
    assert is_direct(content)
    assert loaded(content) == loaded(content, carefully=True)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"id,name\n1,Ada\n2\n", id="a short row"),
        pytest.param(b"id,name\n1,Ada,x\n", id="a long row"),
        pytest.param(b"id,name\n1,Ada\n\n2,Bo\n", id="a blank line"),
        pytest.param(b'id,name\n1,Ada\n"",\n', id="a row of empty cells"),
        pytest.param(b"\nid,name\n1,Ada\n", id="a header further down"),
        pytest.param(b"id,name,\n1,Ada,\n", id="a blank column at the end"),
        pytest.param(b"id,name\r\n1,Ada\n", id="two kinds of line break"),
        pytest.param(b"id,name\r1,Ada\r", id="CR only"),
        pytest.param(b"id,name\n1,A\0da\n", id="a NUL"),
        pytest.param(b'id,name\n1,"Ada\nAsh"\n', id="a line break in a cell"),
        pytest.param(b'id,name\n1,"Ada\n2,Bo\n', id="an open quote"),
        pytest.param(b'id,name\n1,"Ada"x\n', id="text after a quote"),
        pytest.param(b'id,name\n1,"Ada" \n', id="a space after a quote"),
        pytest.param(b'id,name\n1, "Ada"\n', id="a space before a quote"),
        pytest.param(b"id,height\n1,5'10\"\n2,6'2\"\n", id="quotes within cells"),
        pytest.param(b'id,height\n1,5""\n', id="two quotes within a cell"),
        pytest.param("id,name\n1,Zoe\u0308\n".encode(), id="not composed"),
        pytest.param("id,name\n1,Zoë\n".encode("cp1252"), id="Windows-1252"),
        pytest.param("id,name\n1,Zoë\n".encode("utf-16"), id="UTF-16"),
        pytest.param(b"id,name\n1,Ada\nTotal,1\n", id="a trailer as wide as a row"),
        pytest.param(b"id,name\n1,Ada\n\x1a", id="Ctrl-Z at the end"),
        pytest.param(b"sep=,\nid,name\n1,Ada\n", id="a line for a spreadsheet"),
        pytest.param(b"id,name\n", id="a header and nothing else"),
    ],
)
def test_any_other_file_goes_the_careful_way(content: bytes) -> None:
    if content.count(b"\n") > 1 or b"\r" in content:
        assert not is_direct(content)
    assert loaded(content) == loaded(content, carefully=True)


CELLS = st.text(st.sampled_from('ab0 ,;"\t\n\r\0\x0b\x1cëe\u0308\u00a0\ufeff#\\'), max_size=5)


@settings(deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=6),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    raw=st.booleans(),
    tail=st.sampled_from(["", "\n", "\n\n", '"', ",", "x"]),
)
def test_both_ways_give_the_same_table(
    rows: list[list[str]], newline: str, quoting: Any, raw: bool, tail: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=newline, quoting=quoting)
    text.write(f"id,name,x{newline}")
    for row in rows:
        if raw:
            text.write(",".join(row) + newline)
        else:
            writer.writerow(row)
    content = (text.getvalue() + tail).encode()
    assert loaded(content) == loaded(content, carefully=True)


@settings(deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(st.sampled_from('ab0 "ë,'), max_size=4), min_size=3, max_size=3), max_size=6
    ),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_files_as_programs_write_them_read_the_same_both_ways(rows: list[list[str]], newline: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=newline).writerows([["id", "name", "x"], *rows])
    content = text.getvalue().encode()
    assert loaded(content) == loaded(content, carefully=True)


def test_lines_are_numbered_in_the_order_of_the_file_however_many_threads_read_it() -> None:
    count = 400_000
    body = "".join(f"{n},{'x' * (n % 50)}\n" for n in range(count))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "in.csv"
        path.write_text("id,name\n" + body)
        parsed = read_header(path, display="in.csv")
        with open_database(Path(name)) as db:
            bulk.load_part(db, "t", path, parsed, Path(name))
            tables = {row[0] for row in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
            misplaced = db.execute("SELECT count(*) FROM t WHERE c0 <> (line - 2)::VARCHAR")
            assert tables == {"t_rows"}
            assert misplaced.fetchone() == (0,)
            assert parsed.rows == count
