"""What holds for every roster, however it is ordered and whatever has become of its bytes."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.errors import ReconcilerError
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.roster import database
from reconciler.roster.delta import Reject
from tests.roster.running import Outcome, Stored, make_mapper, resolve

MAPPER = make_mapper("generic")
MAPPING = {"A": "lincoln", "B": "lincoln", "C": "grant"}
FEW = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # The examples are small as they are, and to shrink one further takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)

STUDENT_COLUMNS = ("id", "school", "first_name", "last_name", "grade", "birth_date")
CONTACT_COLUMNS = ("id", "student", "name", "phone", "email", "relationship", "may_pick_up", "custody_alert")

IDS = st.sampled_from(["1", "01", "2", "3", "10", "S-7", "é", ""])
WORDS = st.sampled_from(["Ann", "Lee, Jr", 'O"Brien', "Zoë", "", "two\r\nlines", "  pad ", "1"])
STUDENTS = st.tuples(
    IDS, st.sampled_from(["A", "B", "C", "Z", ""]), WORDS, WORDS, st.sampled_from(["1", "K", ""]),
    st.sampled_from(["2013-04-05", "4/5/2013", "nonsense", ""]),
)  # fmt: skip
NAMES = st.sampled_from(["Pat Lee", "LEE, PAT", "Mo Ray", ""])
PHONES = st.sampled_from(["555-123-4567", "+1 (555) 123 4567", "000", ""])
RIGHT = st.sampled_from(["yes", "N", "perhaps", ""])
CONTACTS = st.tuples(
    st.sampled_from(["c1", "c2", "c3", ""]), IDS, NAMES, PHONES, st.sampled_from(["p@x.example", ""]),
    st.sampled_from(["mother", ""]), RIGHT, st.sampled_from(["", "no", "see office"]),
)  # fmt: skip
ROSTERS = st.tuples(st.lists(STUDENTS, min_size=1, max_size=10), st.lists(CONTACTS, max_size=10))


def written(columns: tuple[str, ...], rows: list[tuple[str, ...]], order: list[int] | None = None) -> str:
    """A CSV file, its columns in this order."""
    out = io.StringIO()
    order = order or list(range(len(columns)))
    csv.writer(out, lineterminator="\n").writerows([[row[i] for i in order] for row in [columns, *rows]])
    return out.getvalue()


def files_of(roster: tuple[list[Any], list[Any]]) -> dict[str, str]:
    students, contacts = roster
    return {
        "students.csv": written(STUDENT_COLUMNS, students),
        "contacts.csv": written(CONTACT_COLUMNS, contacts),
    }


def run(files: dict[str, str | bytes], before: Stored | None = None) -> Outcome:
    return resolve(MAPPER, files, before=before, mapping=MAPPING)


def assert_accounted(result: Outcome) -> None:
    """The parts add up, and what is written and removed is what the counts say."""
    for entity in STORED:
        counts = result.counts[entity]
        assert len(result.upserts[entity]) == counts.added + counts.changed
        assert len(result.removals[entity]) == counts.removed
        taken = {tuple(row[k] for k in ENTITIES[entity].key) for row in result.rows[entity]}
        assert len(taken) == counts.added + counts.changed + counts.unchanged
        assert min(counts.to_json().values()) >= 0


@given(ROSTERS, st.randoms(use_true_random=False))
@FEW
def test_the_order_of_rows_and_columns_decides_nothing(
    roster: tuple[list[Any], list[Any]], chance: random.Random
) -> None:
    students, contacts = roster
    orders = [list(range(len(c))) for c in (STUDENT_COLUMNS, CONTACT_COLUMNS)]
    one = run(files_of(roster))
    for items in (students, contacts, *orders):
        chance.shuffle(items)
    other = run(
        {
            "students.csv": written(STUDENT_COLUMNS, students, orders[0]),
            "contacts.csv": written(CONTACT_COLUMNS, contacts, orders[1]),
        }
    )
    assert other.upserts == one.upserts
    assert other.counts == one.counts
    assert other.rows == one.rows


@given(ROSTERS)
@FEW
def test_the_same_files_again_change_nothing(roster: tuple[list[Any], list[Any]]) -> None:
    first = run(files_of(roster))
    again = run(files_of(roster), before=first.stored())
    assert_accounted(first)
    assert_accounted(again)
    assert not any(again.upserts.values())
    assert not any(again.removals.values())
    assert [r.severity for r in again.rejects] == [r.severity for r in first.rejects]


# -- damage -------------------------------------------------------------------------------------------------

WHOLE_STUDENTS = [
    (f"{n}", "ABCZ"[n % 4], f"First{n}", f"Last, {n}" if n % 3 else f"Läst{n}", str(n % 5), "2013-04-05")
    for n in range(100, 116)
]
WHOLE_CONTACTS = [
    ("" if n % 2 else f"c{n}", f"{n}", f"Parent {n // 2}", f"555 123 4{n // 2}", "", "mother", "yes", "no")
    for n in range(100, 116)
]
WHOLE = files_of((WHOLE_STUDENTS, WHOLE_CONTACTS))
STORED_BEFORE = run(WHOLE).stored()

POSITION = st.floats(0, 1, exclude_max=True)
DAMAGE = st.one_of(
    st.tuples(st.just("cut"), POSITION, st.integers(1, 60)),
    st.tuples(
        st.just("put"),
        POSITION,
        st.sampled_from([b'"', b",", b"\n", b"\0", b"\r", b'""', b'",', b"\xff", b"junk\n"]),
    ),
    st.tuples(st.just("set"), POSITION, st.binary(min_size=1, max_size=3)),
    st.tuples(st.just("end"), POSITION, st.none()),
    st.tuples(st.just("column"), st.integers(0, 5), st.none()),
)


def damaged(content: bytes, damage: list[tuple[str, Any, Any]]) -> bytes:
    """The bytes after cuts, insertions, changes, a cut end, and a deleted column."""
    for kind, where, what in damage:
        if kind == "column":
            rows = [line.split(b",") for line in content.split(b"\n")]
            content = b"\n".join(b",".join(row[:where] + row[where + 1 :]) for row in rows)
            continue
        at = int(where * len(content))
        if kind == "cut":
            content = content[:at] + content[at + what :]
        elif kind == "put":
            content = content[:at] + what + content[at:]
        elif kind == "set":
            content = content[:at] + what + content[at + len(what) :]
        else:
            content = content[:at]
    return content


def attempt(files: dict[str, str | bytes]) -> Outcome | ReconcilerError:
    """What comes of the files after STORED_BEFORE: an outcome, or a refusal; anything else is a fault."""
    try:
        return run(files, STORED_BEFORE)
    except ReconcilerError as error:
        return error


def named_by(reject: Reject, content: bytes) -> set[str]:
    """The words of the line of a rejected row: whom it may be about."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    text = lines[reject.row - 1].decode("utf-8", "replace") if reject.row else ""
    return {word.strip().strip('"').strip() for word in text.split(",")}


@given(st.sampled_from(["students.csv", "contacts.csv"]), st.lists(DAMAGE, min_size=1, max_size=3))
@settings(FEW, max_examples=20)
def test_damage_never_loses_whom_a_bad_row_names_nor_breaks_the_sums(
    file: str, damage: list[tuple[str, Any, Any]]
) -> None:
    content = damaged(WHOLE[file].encode(), damage)
    result = attempt(WHOLE | {file: content})
    if isinstance(result, ReconcilerError):
        assert result.code.startswith(("csv.", "mapper."))
        assert "First1" not in result.message + result.hint
        return
    assert_accounted(result)
    bad = [r for r in result.rejects if r.severity == "error"]
    named = {word for r in bad if r.file == file for word in named_by(r, content)} | {r.key for r in bad}
    for entity in ("students", "contacts"):
        assert not named & set(result.removed(entity))
    texts = [content.decode(encoding, "replace") for encoding in ("utf-8", "cp1252")]
    assert all(any(row[0] in text for text in texts) for row in result.upserts["students"])


def test_a_byte_changed_anywhere_in_a_row_adds_and_removes_at_most_that_row() -> None:
    chance = random.Random(7)
    content = WHOLE["students.csv"].encode()
    body = content.index(b"\n") + 1
    for _ in range(6):
        at = chance.randrange(body, len(content) - 1)
        changed = content[:at] + b"x" + content[at + 1 :]
        result = attempt(WHOLE | {"students.csv": changed})
        if isinstance(result, ReconcilerError):
            assert result.code in ("csv.encoding", "csv.truncated")
            continue
        assert_accounted(result)
        assert result.counts["students"].removed <= 1
        assert result.counts["students"].added <= 1
        assert result.counts["students"].changed <= 1


@FEW
@given(ROSTERS, st.integers(1, 3))
def test_rows_fold_the_same_in_one_piece_and_slice_by_slice(
    roster: tuple[list[Any], list[Any]], size: int
) -> None:
    files = files_of(roster)
    whole = resolve(MAPPER, files, mapping=MAPPING)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "SLICE", size)
        sliced = resolve(MAPPER, files, mapping=MAPPING)
    assert (sliced.counts, sliced.rows) == (whole.counts, whole.rows)
    assert {e: sorted(rows, key=str) for e, rows in sliced.upserts.items()} == {
        e: sorted(rows, key=str) for e, rows in whole.upserts.items()
    }
    assert sorted(map(str, sliced.rejects)) == sorted(map(str, whole.rejects))
