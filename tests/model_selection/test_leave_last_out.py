"""The last events of each user are held out, whatever holds the table."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate

from skrec.exceptions import ColumnError
from skrec.model_selection import LeaveLastOut


def split(X, *, groups=None, **parameters):
    [(train, test)] = LeaveLastOut(**parameters).split(X, groups=groups)
    assert sorted([*train, *test]) == list(range(len(X)))
    assert train.tolist() == sorted(train)
    return test.tolist()


def last_by_loop(users, times, n):
    test = []
    for user in dict.fromkeys(users):
        rows = [row for row, other in enumerate(users) if other == user]
        rows.sort(key=lambda row: times[row])
        test += rows[-n:] if len(rows) > n else []
    return sorted(test)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-3, 3)), min_size=1, max_size=20), st.integers(1, 3))
def test_equals_a_loop_over_users(events, n):
    users, times = zip(*events, strict=True)
    expected = last_by_loop(users, times, n)
    X = pd.DataFrame({"timestamp": times, "item_id": 0, "user_id": users})
    if expected:
        assert split(X, n=n) == expected
    else:
        with pytest.raises(ValueError, match=f"No user has more than n={n} events"):
            split(X, n=n)


EVENTS = {"user_id": [7, 8, 7, 8, 7, 9], "item_id": list("abcdef"), "timestamp": [3, 1, 1, 2, 2, 1]}


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame(EVENTS, index=list("zyxwvu")),
        pl.DataFrame(EVENTS),
        pd.DataFrame(EVENTS).astype({"user_id": "category", "timestamp": "Int64"}),
        pd.DataFrame(EVENTS).assign(timestamp=pd.to_datetime(EVENTS["timestamp"], unit="D")),
        pd.DataFrame(EVENTS).assign(timestamp=pd.to_datetime(EVENTS["timestamp"], unit="D", utc=True)),
        pd.DataFrame(EVENTS).assign(timestamp=[dt.date(2020, 1, t) for t in EVENTS["timestamp"]]),
        pd.DataFrame(EVENTS).assign(timestamp=np.array(EVENTS["timestamp"]) / 7),
    ],
    ids=["pandas", "polars", "extension", "datetime", "zone", "date", "float"],
)
def test_reads_frames(X):
    assert split(X) == [0, 3]


def test_reads_arrays_by_position():
    X = pd.DataFrame(EVENTS).to_numpy(dtype=object)
    assert split(X) == [3, 4]  # without names there is no time
    assert split(X, time=2) == [0, 3]
    assert split(X[:, [2, 1, 0]], user=2, time=0) == [0, 3]
    assert split(X.tolist(), time=2) == [0, 3]


def test_the_time_may_be_column_1_of_an_array():
    assert split(pd.DataFrame(EVENTS)[["user_id", "timestamp"]].to_numpy(), time=1) == [0, 3]


def test_reads_other_names():
    X = pd.DataFrame(EVENTS).rename(columns={"user_id": "customer", "timestamp": "bought"})
    assert split(X, user="customer") == [3, 4]
    assert split(X, user="customer", time="bought") == [0, 3]


def test_groups_take_the_place_of_the_user_column():
    X = pd.DataFrame(EVENTS).drop(columns="user_id")
    assert split(X, groups=EVENTS["user_id"]) == [0, 3]
    assert split(X, groups=pd.Series(list("aaabbb"))) == [0, 4]


def test_ties_in_time_keep_the_order_of_rows():
    assert split(pd.DataFrame({"user_id": [1, 1, 1], "timestamp": [5, 5, 4]})) == [1]


def test_short_histories_stay_in_training():
    assert split(pd.DataFrame({"user_id": [1, 2, 2, 3, 3, 3]}), n=2) == [4, 5]


def test_is_a_scikit_learn_splitter():
    X, y = pd.DataFrame(EVENTS), [0, 1, 0, 1, 0, 1]
    splitter = LeaveLastOut(n=1, time="timestamp")
    assert repr(splitter) == "LeaveLastOut(cold='keep', item=None, n=1, time='timestamp', user=None)"
    assert splitter.get_n_splits() == splitter.get_n_splits(X, y, y) == 1
    assert len(cross_val_score(DummyClassifier(), X, y, cv=splitter)) == 1
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "stratified"]}, cv=splitter).fit(X, y)
    assert search.n_splits_ == 1
    assert repr(pickle.loads(pickle.dumps(splitter))) == repr(splitter)


def test_groups_through_metadata_routing():
    X, y = pd.DataFrame(EVENTS).drop(columns="user_id"), [0, 1, 0, 1, 0, 1]
    with config_context(enable_metadata_routing=True):
        groups = {"groups": EVENTS["user_id"]}
        result = cross_validate(DummyClassifier(), X, y, cv=LeaveLastOut(), params=groups, return_indices=True)
    assert result["indices"]["test"][0].tolist() == [0, 3]


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", None, True])
def test_n_must_be_a_positive_whole_number(n):
    with pytest.raises(ValueError, match=f"n must be a whole number of at least 1, got {n!r}"):
        LeaveLastOut(n)


@pytest.mark.parametrize(
    ("X", "parameters", "message"),
    [
        (pd.DataFrame({"userid": [1, 1]}), {}, "no column 'user_id'.*Did you mean 'userid'"),
        (pd.DataFrame({"user_id": [1, 1]}), {"time": "when"}, "no column 'when' for the time"),
        (np.ones((2, 2)), {"user": "user_id"}, "X has no column names"),
        (pd.DataFrame({"user_id": [1, 1]}), {"user": 4}, "user=4 is not a position"),
    ],
)
def test_columns_that_are_not_there(X, parameters, message):
    with pytest.raises(ColumnError, match=message):
        split(X, **parameters)


@pytest.mark.parametrize(
    ("X", "groups", "message"),
    [
        (
            pd.DataFrame({"user_id": [1, 1], "timestamp": [1, np.nan]}),
            None,
            "time column 'timestamp' has none in row 1",
        ),
        (pd.DataFrame({"user_id": [1, 1], "timestamp": pd.to_datetime(["2020", None])}), None, "'timestamp' .* row 1"),
        (pd.DataFrame({"user_id": [1, 1], "timestamp": ["2", "10"]}), None, "neither numbers nor dates"),
        (pd.DataFrame({"user_id": [1, None]}), None, r"user is missing \(None or NaN\) in row 1 of column 'user_id'"),
        (pd.DataFrame({"item_id": [1, 2]}), ["a", None], "missing .* in row 1 of groups"),
        (pd.DataFrame({"item_id": [1, 2]}), ["a"], "groups has 1 entries, but X has 2 rows"),
        (pd.DataFrame({"user_id": [1, 2, 3]}), None, r"No user has more than n=1 events \(the longest history has 1\)"),
        (np.empty((0, 2)), None, r"Found array with 0 sample\(s\)"),
        (np.ones(3), None, "Expected 2D array, got 1D array"),
    ],
)
def test_bad_input(X, groups, message):
    with pytest.raises(ValueError, match=message):
        split(X, groups=groups)
