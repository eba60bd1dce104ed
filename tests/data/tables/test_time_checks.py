"""Doubts about times."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrec._data import as_rows, resolve_roles
from skrec._data.tables.time_checks import are_codes, warn_encoded_times, warn_row_order
from skrec.model_selection import LeaveLastOut, WithinUserKFold

DAYS = pd.date_range("2026-01-01", periods=4)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([1], True),
        ([3, 1, 2, 2], True),
        ([1.0, 2.0], True),
        ([0, 1, 2], False),
        ([1, 3], False),
        ([1, 1, 4], False),
        ([1.0, 1.5, 2.0], False),
        ([10, 20], False),
        ([-1, 1, 2], False),
        ([], False),
    ],
)
def test_codes_are_the_integers_from_1_without_a_gap(times, expected):
    assert are_codes(np.array(times)) is expected


def test_rows_at_time_0_are_counted():
    with pytest.warns(UserWarning, match=r"^2 of 3 row\(s\) have the time 0.*IDEncoder\(time='when'\)\.$"):
        warn_encoded_times(np.array([0, 5, 0]), "when")


def doubts(frame, **roles):
    rows = as_rows(frame)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_encoded_times(np.array([1, 2]), "when")
        warn_encoded_times(None, "when")
        users, items = np.array([1, 1, 2, 2], np.int32), np.array([1, 2, 1, 2], np.int32)
        warn_row_order(rows, resolve_roles(rows, **roles), users, items)
    return [str(warning.message) for warning in caught]


EVENTS = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [5, 6, 5, 6], "ts": DAYS})


@pytest.mark.parametrize(
    "frame",
    [EVENTS, EVENTS.assign(ts=DAYS.tz_localize("UTC")), pl.from_pandas(EVENTS)],
    ids=["pandas", "zone", "polars"],
)
def test_a_column_of_dates_that_is_not_the_time_is_told_of(frame):
    (message,) = doubts(frame)
    assert "'ts' holds dates" in message
    assert "pass time='ts'" in message


SECONDS = [881250949, 891717742, 878887116, 880606923]


@pytest.mark.parametrize("name", ["ts", "event_time", "Timestamp_ms", "date"])
def test_numbers_that_look_like_unix_times_are_told_of(name):
    frame = EVENTS.assign(ts=SECONDS).rename(columns={"ts": name})
    (message,) = doubts(frame)
    assert f"'{name}' holds numbers that look like Unix times" in message
    assert doubts(pl.from_pandas(frame)) == [message]


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("position", [2, 3])
def test_arrays_warn_as_frames_do(unit, position):
    columns = [[1, 1, 2, 2], [5, 6, 5, 6], [4, 5, 3, 4]]
    columns.insert(position, np.array(SECONDS) * unit)
    array = np.stack(columns, axis=1)
    expected = (
        "X has no time column, so the order of a user's rows is taken as their order in time; but column "
        f"{position} holds numbers that look like Unix times. If these are the times of the events, pass "
        f"time={position} to every estimator and splitter."
    )
    for table in (array, array.astype(float), array.tolist(), pd.DataFrame(array), array.astype(object)):
        assert doubts(table) == [expected]
        assert doubts(table, time=position) == []


def test_dates_in_an_array_or_held_as_objects_or_periods_are_told_of():
    for table in (EVENTS.to_numpy(), EVENTS.to_numpy().tolist(), EVENTS.set_axis([0, 1, 2], axis=1)):
        (message,) = doubts(table)
        assert "column 2 holds dates" in message
    for ts in (DAYS.to_period("D"), DAYS.tz_localize("UTC").astype(object), DAYS.date):
        (message,) = doubts(EVENTS.assign(ts=ts))
        assert "column 'ts' holds dates" in message


@pytest.mark.parametrize("splitter", [LeaveLastOut(), WithinUserKFold(2, shuffle=False)])
def test_splitters_that_go_by_the_order_of_the_rows_warn_as_well(splitter):
    for table, time in ((EVENTS, "ts"), (EVENTS.assign(ts=SECONDS).to_numpy(), 2)):
        with pytest.warns(UserWarning, match=f"pass time={time!r} to every estimator and splitter"):
            next(splitter.split(table))


@pytest.mark.parametrize(
    ("frame", "roles"),
    [
        (EVENTS, {"time": "ts"}),
        (EVENTS.rename(columns={"ts": "timestamp"}), {}),
        (EVENTS.assign(ts=[1, 2, 3, 4]), {}),
        (EVENTS.assign(ts=list("abcd")), {}),
        (EVENTS.assign(ts=[None, *SECONDS[1:]]), {}),
        (EVENTS.assign(hits=SECONDS).drop(columns="ts"), {}),
        (EVENTS.assign(ts=DAYS[[0, 0, 1, 1]]), {}),
        (EVENTS.assign(ts=DAYS[[0, 1, 0, 1]]), {}),
        (EVENTS.assign(ts=[5, 4, 3, 5]).to_numpy(), {}),
        (EVENTS.assign(ts=[10**8, 10**12, 10**15, 10**18]).to_numpy(), {}),
        (EVENTS.to_numpy(), {"time": 2}),
        (EVENTS.drop(columns="ts"), {}),
    ],
    ids=[
        "named",
        "its usual name",
        "numbers",
        "text",
        "gaps",
        "no name of a time",
        "of the user",
        "of the item",
        "ratings without a name",
        "large numbers of no unit",
        "its position",
        "none",
    ],
)
def test_other_columns_are_not(frame, roles):
    assert doubts(frame, **roles) == []


@pytest.mark.parametrize("times", [[7, 7, 7, 7], [7, 7, 8, 8], DAYS[[0, 0, 0, 0]]])
def test_times_that_leave_no_row_a_past_are_told_of(times):
    (message,) = doubts(EVENTS.assign(ts=times), time="ts")
    assert message.startswith("All rows of a user have one and the same time in column 'ts'")
    assert message.endswith("or leave the column out, so that the order of a user's rows counts.")


def test_users_of_one_event_have_no_past_anyhow():
    rows = as_rows(EVENTS.assign(ts=7))
    users, items = np.array([1, 2, 3, 4], np.int32), np.array([1, 2, 1, 2], np.int32)
    warn_row_order(rows, resolve_roles(rows, time="ts"), users, items)
