"""Cuts in time: which events fall where, ties, horizons, gaps and windows."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import TimeSeriesSplit, cross_val_predict

from skrec.exceptions import ColumnError
from skrec.model_selection import TemporalSplit


def frame(times):
    return pd.DataFrame({"user_id": 1, "item_id": 1, "timestamp": times})


def times_of(X, splitter):
    """Return the sorted times of the training and the test part of each fold."""
    times = X["timestamp"].to_numpy()
    return [(sorted(times[train].tolist()), sorted(times[test].tolist())) for train, test in splitter.split(X)]


times = st.lists(st.integers(-4, 12) | st.integers(3, 4), min_size=2, max_size=25)
length = st.sampled_from([1, 2, 3.5])


@settings(max_examples=150)
@given(times, st.integers(1, 4), st.none() | length, st.just(0) | length, st.none() | length)
def test_no_test_event_is_at_or_before_a_training_event(times, n_splits, horizon, gap, window):
    X = frame(times)
    splitter = TemporalSplit(n_splits, horizon=horizon, gap=gap, window=window)
    try:
        folds = times_of(X, splitter)
    except ValueError:
        assume(False)
    assert len(folds) == n_splits
    cuts = [max(time for time in times if time < test[0]) for _, test in folds]
    if horizon is not None:
        cuts = [max(times) - number * horizon for number in range(n_splits, 0, -1)]
    ends = [*cuts[1:], max(times)]
    for (train, test), cut, end in zip(folds, cuts, ends, strict=True):
        assert train[-1] < test[0]
        assert test == sorted(time for time in times if cut < time <= end)
        first = min(times) if window is None else cut - gap - window + 0.1  # times and lengths are halves at least
        assert train == sorted(time for time in times if first <= time <= cut - gap)


@settings(max_examples=100)
@given(times, st.integers(1, 4))
def test_even_parts_are_as_even_as_ties_allow(times, n_splits):
    distinct = sorted(set(times))
    assume(len(distinct) > n_splits)
    folds = times_of(frame(times), TemporalSplit(n_splits))
    assert sorted(folds[-1][0] + folds[-1][1]) == sorted(times)  # with no gap and no window nothing is left out
    assert [train for train, _ in folds[1:]] == [train + test for train, test in folds[:-1]]
    if n_splits == 1:
        middle = min(abs(sum(time <= cut for time in times) - len(times) / 2) for cut in distinct[:-1])
        assert abs(len(folds[0][0]) - len(times) / 2) == middle


def test_even_parts_without_ties_are_those_of_time_series_split():
    order = np.random.default_rng(0).permutation(24)
    for n_splits in (2, 3, 5):
        expected = [(train.tolist(), test.tolist()) for train, test in TimeSeriesSplit(n_splits).split(order)]
        assert times_of(frame(order), TemporalSplit(n_splits)) == expected


def test_one_big_tie_leaves_a_part_for_every_fold():
    folds = times_of(frame([1, *[2] * 50, 3, 4]), TemporalSplit(3))
    assert [len(test) for _, test in folds] == [50, 1, 1]
    folds = times_of(frame([1, 2, 3, *[4] * 50]), TemporalSplit(3))
    assert [len(test) for _, test in folds] == [1, 1, 50]


def test_an_event_at_a_cut_is_for_training_alone():
    X = frame([9, 3, 6, 6, 0, 9, 10, 12])
    assert times_of(X, TemporalSplit(2, horizon=3)) == [([0, 3, 6, 6], [9, 9]), ([0, 3, 6, 6, 9, 9], [10, 12])]
    assert times_of(X, TemporalSplit(1, horizon=3, gap=3)) == [([0, 3, 6, 6], [10, 12])]
    assert times_of(X, TemporalSplit(1, horizon=3, gap=3, window=3)) == [([6, 6], [10, 12])]
    assert times_of(X, TemporalSplit(1, horizon=2.5, window=6)) == [([6, 6, 9, 9], [10, 12])]
    assert times_of(X, TemporalSplit(1, gap=3)) == [([0, 3], [9, 9, 10, 12])]


DATES = pd.to_datetime(["2024-03-01", "2024-03-03", "2024-03-02", "2024-03-08", "2024-03-10", "2024-03-10"])


@pytest.mark.parametrize(
    "week",
    [
        "4D",
        "4 days",
        "96:00:00",
        dt.timedelta(days=4),
        pd.Timedelta(days=4),
        np.timedelta64(4, "D"),
        np.timedelta64(96, "h"),
    ],
)
@pytest.mark.parametrize(
    "dates",
    [
        DATES,
        DATES.as_unit("s"),
        DATES.tz_localize("Europe/Zurich"),
        pd.Index(DATES.date, dtype=object),
        DATES - DATES[0],
    ],
    ids=["datetime", "seconds", "zone", "date", "duration"],
)
def test_durations_cut_dates(week, dates):
    X = frame(dates)
    [(train, test)] = TemporalSplit(1, horizon=week).split(X)
    assert (train.tolist(), test.tolist()) == ([0, 1, 2], [3, 4, 5])
    [(train, test)] = TemporalSplit(1, horizon=pd.Timedelta(days=3), gap=week, window="2D").split(X)
    assert (train.tolist(), test.tolist()) == ([1, 2], [3, 4, 5])
    report = TemporalSplit(2, horizon=week).fold_report(frame(dates).drop(index=[3]).assign(item_id=1))
    assert report["test_end"].tolist() == [dates[1], dates[4]]


def test_large_numbers_are_exact():
    late = 2**62
    X = frame([late, late + 1, late + 2])
    assert times_of(X, TemporalSplit(2, horizon=1)) == [([late], [late + 1]), ([late, late + 1], [late + 2])]
    X = frame(np.array([2**63, 2**63 + 1, 2**63 + 2], dtype=np.uint64))
    assert [len(train) for train, _ in TemporalSplit(2, horizon=1.0, window=1e20).split(X)] == [1, 2]


def test_dates_far_away_have_their_order():
    X = frame(np.array(["2024-01-01", "9999-12-31", "2024-01-02", "0001-01-01"], dtype="datetime64[s]"))
    [(train, test)] = TemporalSplit(1).split(X)
    assert (train.tolist(), test.tolist()) == ([0, 3], [1, 2])
    with pytest.raises(ValueError, match="horizon='7D' cannot be measured in the time column 'timestamp', which has t"):
        list(TemporalSplit(1, horizon="7D").split(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_splits": 0}, r"The 'n_splits' parameter of TemporalSplit must be an int in the range \[1, inf\)"),
        ({"n_splits": 1.5}, "The 'n_splits' parameter of TemporalSplit must be an int"),
        ({"horizon": 0}, "horizon must be longer than 0, or None, got 0"),
        ({"window": "-1D"}, "window must be longer than 0, or None, got '-1D'"),
        ({"gap": -1}, "gap must be 0 or longer, got -1"),
        ({"gap": None}, "gap must be a number .* got None"),
        ({"gap": np.inf}, "gap must be a number .* got inf"),
        ({"gap": True}, "gap must be a number .* got True"),
        ({"horizon": "week"}, "horizon must be a number in the unit of the time column, or a duration .* got 'week'"),
        ({"horizon": "7"}, "a duration with a unit, such as '7D' .* got '7'"),
        ({"horizon": np.timedelta64(1, "M")}, "horizon must be a number"),
        ({"horizon": "999999999D"}, "horizon must be a number"),
        ({"window": pd.NaT}, "window must be a number"),
    ],
)
def test_parameters_that_are_none(parameters, message):
    with pytest.raises(ValueError, match=message):
        TemporalSplit(**parameters)


@pytest.mark.parametrize(
    ("times", "parameters", "message"),
    [
        (DATES, {"horizon": 7}, "horizon=7 is a number, but the time column 'timestamp' holds dates: .*'7D'"),
        (DATES - DATES[0], {"gap": 1.5}, "gap=1.5 is a number, but .* holds durations"),
        ([1, 2], {"window": "7D"}, "window='7D' is a duration, but .* holds numbers: .* unit='s'"),
        ([1, 2], {"n_splits": 2}, "n_splits=2 needs at least 3 different times, but the time column .* has 2"),
        (
            DATES,
            {"n_splits": 3, "horizon": "4D"},
            "no event to train .* from 2024-03-01 00:00:00 to 2024-03-10 .*, and n_splits=3, horizon='4D' and ",
        ),
        (
            [1, 2, 3],
            {"n_splits": 1, "gap": 2},
            "from 1 to 3, and n_splits=1, horizon=None and gap=2 leave no part",
        ),
        (DATES - DATES[0], {"horizon": "2D"}, "ranges from 0 days 00:00:00 to 9 days 00:00:00"),
        (
            [1, 9, 10],
            {"n_splits": 1, "horizon": 2, "gap": 1, "window": 3},
            "Fold 0 has no event to train on: .* none in the window=3 up to 7. Choose a longer window",
        ),
        ([1, 9, 10], {"n_splits": 3, "horizon": 2}, "Fold 0 has no event to test on: .* none after 4 and up to 6"),
    ],
)
def test_times_that_cannot_be_cut_so(times, parameters, message):
    with pytest.raises(ValueError, match=message):
        list(TemporalSplit(**parameters).split(frame(times)))


@pytest.mark.parametrize(
    ("X", "parameters", "message"),
    [
        (
            frame([1, 2]).rename(columns={"timestamp": "time_stamp"}),
            {},
            "no column 'timestamp' for the time.*time_stam",
        ),
        (np.ones((3, 3)), {}, "X has no column names, so that the position of the time has to be given. Pass time="),
        (frame([1, 2]), {"time": "when"}, "no column 'when' for the time"),
    ],
)
def test_a_time_column_must_be_there(X, parameters, message):
    with pytest.raises(ColumnError, match=message):
        list(TemporalSplit(1, **parameters).split(X))


def test_folds_are_no_partition():
    X = frame(range(8))
    with pytest.raises(ValueError, match="cross_val_predict only works for partitions"):
        cross_val_predict(DummyClassifier(), X, [0, 1] * 4, cv=TemporalSplit(2))
