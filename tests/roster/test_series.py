"""Which file of a dated series is read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import RosterError
from reconciler.mapping.parse import parse_mapper
from reconciler.roster.delta import RemoteFile
from reconciler.roster.reading.series import choice_notices, newest, newest_by_name
from reconciler.roster.reading.tables import choose_files
from tests.roster.running import simple_mapper


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        pytest.param(["s_20261122.csv", "s_20261123.csv"], "s_20261123.csv", id="YYYYMMDD"),
        pytest.param(["s_20261231.csv", "s_20270101.csv"], "s_20270101.csv", id="over a year's end"),
        pytest.param(["s_12312026.csv", "s_01012027.csv"], "s_01012027.csv", id="MMDDYYYY"),
        pytest.param(["s_31122026.csv", "s_01012027.csv"], "s_01012027.csv", id="DDMMYYYY"),
        pytest.param(["s_123126.csv", "s_010127.csv"], "s_010127.csv", id="MMDDYY"),
        pytest.param(["s-2026-11-09.csv", "s-2026-11-10.csv"], "s-2026-11-10.csv", id="with dashes"),
        pytest.param(["s 2026.9.30.csv", "s 2026.10.1.csv"], "s 2026.10.1.csv", id="without leading zeros"),
        pytest.param(["s_12-31-2026.csv", "s_1-1-2027.csv"], "s_1-1-2027.csv", id="M-D-YYYY"),
        pytest.param(["20261123_0200_s.csv", "20261123_1400_s.csv"], "20261123_1400_s.csv", id="with a time"),
        pytest.param(["s20261123020000.csv", "s20261122230000.csv"], "s20261123020000.csv",
                     id="with a time and no space"),
        pytest.param(["s_2026-11-22_2015.csv", "s_2026-11-23_2001.csv"], "s_2026-11-23_2001.csv",
                     id="a time that looks like a year"),
        pytest.param(["s_20261123_9.csv", "s_20261123_10.csv"], "s_20261123_10.csv",
                     id="a counter of the day"),
        pytest.param(["s_9.csv", "s_10.csv"], "s_10.csv", id="a number"),
        pytest.param(["0042_s_20261122.csv", "0042_s_20261123.csv"], "0042_s_20261123.csv",
                     id="a number that is always the same"),
        pytest.param(["S_20261122.CSV", "s_20261123.csv"], "s_20261123.csv", id="whatever the case"),
        pytest.param(["s_20261123.csv", "s_20261124.csv", "s_20261122.csv"], "s_20261124.csv", id="of three"),
        pytest.param(["s_01022026.csv", "s_01032026.csv"], "s_01032026.csv",
                     id="day or month first leads to the same file"),
        pytest.param(["s_01122026.csv", "s_02012026.csv"], None, id="day or month first decides"),
        pytest.param(["s_1_20261122.csv", "s_2_20261121.csv"], None, id="another number differs as well"),
        pytest.param(["s_old.csv", "s_new.csv"], None, id="words"),
        pytest.param(["s_20261123.csv", "s_20261123 (1).csv"], None, id="a copy"),
        pytest.param(["s_20261123.csv", "S_20261123.csv"], None, id="one date twice"),
        pytest.param(["s_2026-1-5.csv", "s_2026-01-05.csv"], None, id="one date in two ways"),
    ],
)  # fmt: skip
def test_the_name_tells_which_is_the_newest(names: list[str], chosen: str | None) -> None:
    place = newest_by_name(names)
    assert (None if place is None else names[place]) == chosen
    backwards = newest_by_name(names[::-1])
    assert (None if backwards is None else names[::-1][backwards]) == chosen


DAYS = st.integers(0, 20_000).map(lambda n: date(2001, 1, 1) + timedelta(n))


@given(
    st.lists(DAYS, min_size=2, max_size=6, unique=True), st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%-m_%-d"])
)
def test_of_any_days_the_last_is_the_newest(days: list[date], form: str) -> None:
    names = [f"students_{day.strftime(form)}.csv" for day in days]
    place = newest_by_name(names)
    assert place is not None
    assert days[place] == max(days)


def test_the_name_goes_before_the_time_of_upload() -> None:
    old_again = RemoteFile("s_20261122.csv", 1, 2000.0)
    new = RemoteFile("s_20261123.csv", 1, 1000.0)
    assert newest([new, old_again], "s_*.csv").file is new


def test_without_a_date_in_the_name_the_time_of_upload_decides() -> None:
    old, new = RemoteFile("old.csv", 1, 1000.0), RemoteFile("new.csv", 1, 2000.0)
    assert newest([old, new], "*.csv").file is new


@pytest.mark.parametrize("modified", [0.0, 1000.0], ids=["no times", "equal times"])
def test_a_tie_is_an_error(modified: float) -> None:
    files = [RemoteFile("a.csv", 1, modified), RemoteFile("b.csv", 1, modified)]
    with pytest.raises(RosterError, match=r"2 files match \*\.csv, .*newest: a\.csv, b\.csv") as raised:
        newest(files, "*.csv")
    assert raised.value.code == "csv.ambiguous"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        pytest.param(["s_20261122.csv", "s_20261123.csv"], "s_20261123.csv", id="dates"),
        pytest.param(["s_1-5-2026.csv", "s_12-31-2025.csv"], "s_1-5-2026.csv", id="dates in another form"),
        pytest.param(["s_1.csv", "s_2.csv"], None, id="numbers, which may be those of parts"),
        pytest.param(["s_010126.csv", "s_010127.csv"], None, id="six digits, which may be numbers"),
        pytest.param(["s_20261123_1.csv", "s_20261123_2.csv"], None, id="parts of one day"),
        pytest.param(["s_a.csv", "s_b.csv"], None, id="words"),
    ],
)
def test_a_mapper_that_says_nothing_reads_the_newest_where_the_names_are_dated(
    names: list[str], chosen: str | None
) -> None:
    document = simple_mapper()
    document["files"]["students"] = {"pattern": "s_*.csv"}
    mapper, files = parse_mapper(document), [RemoteFile(n, 1, float(i)) for i, n in enumerate(names)]
    if chosen:
        assert [f.name for f in choose_files(mapper, files)["students"]] == [chosen]
        assert choice_notices(mapper, files)[0].startswith(f"{chosen} is read, by its name the newest of 2")
    else:
        with pytest.raises(RosterError, match="2 files match") as raised:
            choose_files(mapper, files)
        assert raised.value.code == "csv.ambiguous"


def test_a_file_that_is_not_there_is_told_with_the_one_that_is_nearest() -> None:
    files = [RemoteFile("student.csv", 1, 1.0), RemoteFile("orgs.csv", 1, 1.0)]
    with pytest.raises(
        RosterError, match=r"no file matches students\.csv.*; there is student\.csv, orgs\.csv"
    ) as raised:
        choose_files(parse_mapper(simple_mapper()), files)
    assert raised.value.hint.startswith("is it 'student.csv'?")


def test_a_notice_says_which_file_was_read() -> None:
    document = simple_mapper()
    document["files"]["students"] = {"pattern": "s_*.csv", "several": "newest"}
    mapper = parse_mapper(document)
    files = [RemoteFile(f"s_2026112{n}.csv", 1, 9.0 - n) for n in range(3)]
    assert choose_files(mapper, files)["students"] == [files[2]]
    assert choice_notices(mapper, files) == (
        "s_20261122.csv is read, by its name the newest of 3 files that match s_*.csv",
    )
    assert choice_notices(mapper, files[:1]) == ()
