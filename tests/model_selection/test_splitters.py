"""What all splitters have in common: tables, groups, cold rows, reports, and scikit-learn's tools."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import BaseCrossValidator, GridSearchCV, cross_val_predict, cross_validate

from skrec.exceptions import ColumnError
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import (
    ColdItemKFold,
    ColdUserKFold,
    LeaveLastOut,
    TemporalSplit,
    UserHoldout,
    WarmKFold,
    WithinUserKFold,
)
from skrec.models import PopularityRanker

MAKERS = {
    "last": LeaveLastOut,
    "temporal": lambda **options: TemporalSplit(3, **options),
    "temporal, rolling": lambda **options: TemporalSplit(2, horizon=20, gap=5, window=30, **options),
    "within": lambda **options: WithinUserKFold(3, random_state=0, **options),
    "within, in order": lambda **options: WithinUserKFold(3, shuffle=False, **options),
    "cold users": lambda **options: ColdUserKFold(3, **options),
    "cold users, by chance": lambda **options: ColdUserKFold(3, shuffle=True, random_state=0, **options),
    "users held out": UserHoldout,
    "cold items": lambda **options: ColdItemKFold(3, **options),
    "warm": lambda **options: WarmKFold(3, random_state=0, **options),
    "warm, in order": lambda **options: WarmKFold(3, shuffle=False, **options),
}
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def as_lists(splits):
    return [(train.tolist(), test.tolist()) for train, test in splits]


@every
def test_splits_whatever_holds_the_table(make, log, splits_of):
    expected = as_lists(splits_of(make(), log))
    text = log.assign(user_id="u" + log.user_id.astype(str), item_id="i" + log.item_id.astype(str))
    for X in (
        log.set_index(log.index[::-1] * 7),
        log[["timestamp", "item_id", "user_id"]],
        log.astype({"user_id": "category", "item_id": float, "timestamp": "Int64"}),
        text,
        text.astype(object),
        pl.DataFrame({name: log[name].to_list() for name in log}),
    ):
        assert as_lists(splits_of(make(), X)) == expected
    for X in (log.to_numpy(), text.to_numpy(dtype=object)):
        assert as_lists(splits_of(make(time=2), X)) == expected
        assert as_lists(splits_of(make(user=2, item=1, time=0), X[:, ::-1])) == expected
    other_names = log.set_axis(["customer", "sku", "bought"], axis=1)
    assert as_lists(splits_of(make(user="customer", item="sku", time="bought"), other_names)) == expected


@every
def test_groups_take_the_place_of_the_user_column(make, log, splits_of):
    expected, report = as_lists(splits_of(make(cold="drop"), log)), make().fold_report(log)
    X, users = log.drop(columns="user_id"), log.user_id.to_list()
    assert as_lists(splits_of(make(cold="drop"), X, groups=users)) == expected
    for series in (pd.Series(users, index=X.index + 9), pl.Series(users)):
        assert as_lists(splits_of(make(cold="drop"), X, groups=series)) == expected
    pd.testing.assert_frame_equal(make().fold_report(X, groups=users), report)
    y = np.arange(len(X)) % 2
    with config_context(enable_metadata_routing=True):
        found = cross_validate(
            DummyClassifier(), X, y, cv=make(cold="drop"), params={"groups": users}, return_indices=True
        )
    assert [rows.tolist() for rows in found["indices"]["test"]] == [test for _, test in expected]


@every
def test_is_a_scikit_learn_splitter(make, log):
    splitter = make(cold="drop", user="user_id")
    assert isinstance(splitter, BaseCrossValidator)
    for copy in (pickle.loads(pickle.dumps(splitter)), clone(splitter, safe=False)):
        assert repr(copy) == repr(splitter)
        assert as_lists(copy.split(log)) == as_lists(splitter.split(log))
    X, y = log[["item_id", "user_id", "timestamp"]], np.arange(len(log)) % 2
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "uniform"]}, cv=splitter).fit(X, y)
    assert search.n_splits_ == splitter.get_n_splits() == len(as_lists(splitter.split(log)))


@every
def test_repr_shows_the_parameters_as_scikit_learn_does(make):
    splitter = make(cold="drop", item="sku", time=3)
    parameters = dict(sorted(vars(splitter).items()))
    text = f"{type(splitter).__name__}({', '.join(f'{name}={value!r}' for name, value in parameters.items())})"
    assert " ".join(repr(splitter).split()) == text
    assert eval(repr(splitter)).__dict__ == vars(splitter)


small = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 4), st.integers(-2, 6)), min_size=4, max_size=16)


@settings(max_examples=150)
@given(rows=small, name=st.sampled_from([name for name in MAKERS if name != "temporal, rolling"]))
def test_dropping_leaves_out_the_cold_test_rows_and_nothing_else(rows, name):
    X = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    roles = {"cold items": [0], "cold users": [1], "cold users, by chance": [1], "users held out": [1]}.get(
        name, [0, 1]
    )
    try:
        folds = as_lists(MAKERS[name]().split(X))
    except ValueError:
        assume(False)
    known = [[{rows[row][role] for row in train} for role in (0, 1)] for train, _ in folds]
    left = [
        (train, [row for row in test if all(rows[row][role] in ids[role] for role in roles)])
        for (train, test), ids in zip(folds, known, strict=True)
    ]
    empty = next((number for number, (_, test) in enumerate(left) if not test), None)
    if empty is None:
        assert as_lists(MAKERS[name](cold="drop").split(X)) == left
        report = MAKERS[name](cold="drop").fold_report(X)
        assert report["dropped_rows"].tolist() == [
            len(test) - len(kept) for (_, test), (_, kept) in zip(folds, left, strict=True)
        ]
    else:
        with pytest.raises(ValueError, match=f"test rows of fold {empty} are cold: .* Pass cold='keep'"):
            list(MAKERS[name](cold="drop").split(X))


def report_by_hand(X, train, test):
    a, b = X.iloc[train], X.iloc[test]
    pairs = b[["user_id", "item_id"]].drop_duplicates()
    users = b.user_id.drop_duplicates()
    return {
        "train_rows": len(a),
        "test_rows": len(b),
        "train_users": a.user_id.nunique(),
        "test_users": b.user_id.nunique(),
        "train_items": a.item_id.nunique(),
        "test_items": b.item_id.nunique(),
        "cold_user_share": 1 - users.isin(a.user_id).mean(),
        "cold_item_share": 1 - pairs.item_id.isin(a.item_id).mean(),
        "train_start": a.timestamp.min(),
        "train_end": a.timestamp.max(),
        "test_start": b.timestamp.min(),
        "test_end": b.timestamp.max(),
        "overlap": a.timestamp.max() >= b.timestamp.min(),
    }


@every
@pytest.mark.parametrize("cold", ["keep", "drop"])
def test_report_tells_of_the_folds_that_split_makes(make, cold, log):
    report = make(cold=cold).fold_report(log)
    expected = pd.DataFrame([report_by_hand(log, *fold) for fold in make(cold=cold).split(log)]).rename_axis("fold")
    pd.testing.assert_frame_equal(report.drop(columns="dropped_rows"), expected)
    n_kept = np.array([len(test) for _, test in make().split(log)])
    assert (report["dropped_rows"] + report["test_rows"]).tolist() == n_kept.tolist()


@every
def test_report_has_the_shares_of_the_scorers(make, log):
    names = ["cold_users", "cold_items"]
    scores = cross_validate(PopularityRanker(), log, cv=make(), scoring=make_ranking_scorer(names))
    report = make().fold_report(log)
    np.testing.assert_allclose(scores["test_cold_users"], report["cold_user_share"])
    np.testing.assert_allclose(scores["test_cold_items"], report["cold_item_share"])


DAYS = [dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (4, 1, 3, 2)]


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (pd.Series(DAYS).dt.tz_localize(None), pd.Timestamp("2024-01-01")),
        (pd.Series(DAYS).dt.tz_convert("Asia/Tokyo"), pd.Timestamp("2024-01-01T09", tz="Asia/Tokyo")),
        (pd.Series(DAYS).dt.as_unit("s"), pd.Timestamp("2024-01-01", tz="UTC")),
        (pd.Series([day.date() for day in DAYS], dtype=object), dt.date(2024, 1, 1)),
        (pd.Series([4, 1, 3, 2], dtype="Int16"), 1),
        (pd.Series([0.4, 0.1, 0.3, 0.2], dtype="float32"), np.float32(0.1)),
        (pd.to_timedelta([4, 1, 3, 2], unit="D").to_series(index=range(4)), pd.Timedelta(days=1)),
        (pl.Series(DAYS), pd.Timestamp("2024-01-01", tz="UTC")),
        (pl.Series([day.date() for day in DAYS]), dt.date(2024, 1, 1)),
        (pl.Series([4, 1, 3, 2]), 1),
    ],
    ids=["datetime", "zone", "seconds", "date", "Int16", "float32", "timedelta", "pl.Datetime", "pl.Date", "pl.Int64"],
)
def test_times_in_the_report_stay_what_they_are(times, first):
    is_polars = isinstance(times, pl.Series)
    frame, dtype = (pl.DataFrame, pd.Series(times.to_list()).dtype) if is_polars else (pd.DataFrame, times.dtype)
    X = frame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 2], "timestamp": times})
    report = TemporalSplit(1).fold_report(X)
    assert report["train_start"].tolist() == [first]
    assert report["overlap"].tolist() == [False]
    columns = ["train_start", "train_end", "test_start", "test_end"]
    assert {report[name].dtype for name in columns} == {dtype}


def test_report_of_an_array():
    X = np.array([["ana", "x", 3], ["bo", "x", 1], ["ana", "y", 2], ["bo", "y", 4]], dtype=object)
    report = LeaveLastOut(time=2).fold_report(X)
    assert report.loc[0, ["train_start", "test_end"]].tolist() == [1, 4]
    assert report["test_start"].dtype == np.int64
    assert "train_start" not in LeaveLastOut().fold_report(X)
    assert "overlap" not in WarmKFold(2).fold_report(X)


@pytest.mark.parametrize("splitter", [WithinUserKFold(3), ColdUserKFold(3), ColdItemKFold(3), WarmKFold(3)])
def test_predictions_for_partitions(splitter):
    users, items = np.divmod(np.random.default_rng(0).permutation(30), 6)
    X = pd.DataFrame({"user_id": users, "item_id": items})
    y = (users + items) % 2
    assert cross_val_predict(DummyClassifier(), X, y, cv=splitter).shape == (30,)
    assert np.concatenate([test for _, test in splitter.split(X)]).size == 30


@pytest.mark.parametrize("kind", [WithinUserKFold, ColdUserKFold, ColdItemKFold, WarmKFold])
def test_chance_follows_random_state_alone(kind, log, splits_of):
    options = {"n_splits": 4, "shuffle": True}
    np.random.seed(0)  # noqa: NPY002
    untouched = np.random.RandomState(0)
    first, again = (as_lists(splits_of(kind(random_state=7, **options), log)) for _ in range(2))
    assert first == again
    assert first != as_lists(splits_of(kind(random_state=8, **options), log))
    generator = np.random.RandomState(7)
    assert first == as_lists(splits_of(kind(random_state=generator, **options), log))
    assert first != as_lists(splits_of(kind(random_state=generator, **options), log))
    assert np.random.random() == untouched.random()  # noqa: NPY002


@pytest.mark.parametrize("kind", [WithinUserKFold, ColdUserKFold, ColdItemKFold, WarmKFold])
@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_splits": 1}, ValueError, "n_splits=2 or more, got n_splits=1"),
        ({"n_splits": 2.5}, ValueError, "must be of Integral type"),
        ({"shuffle": "yes"}, TypeError, "shuffle must be True or False"),
        ({"shuffle": False, "random_state": 0}, ValueError, "random_state has no effect since shuffle is False"),
        ({"cold": "warm"}, ValueError, "The 'cold' parameter of .*KFold must be a str among .* Got 'warm' instead"),
    ],
)
def test_parameters_that_are_none(kind, parameters, error, message):
    with pytest.raises(error, match=message):
        kind(**parameters)


@pytest.mark.parametrize("kind", [LeaveLastOut, TemporalSplit])
def test_cold_is_keep_or_drop(kind):
    with pytest.raises(ValueError, match="The 'cold' parameter of .* must be a str among .* Got None instead"):
        kind(cold=None)


TINY = pd.DataFrame(
    {"user_id": list("abc") * 3, "item_id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "timestamp": range(10, 100, 10)}
)


def with_value(column, row, value):
    values = TINY[column].astype(object)
    values[row] = value
    return TINY.assign(**{column: values})


@every
@pytest.mark.parametrize(
    ("X", "groups", "error", "message"),
    [
        (TINY.drop(columns="item_id"), None, ColumnError, "no column 'item_id' for the item"),
        (TINY.rename(columns={"user_id": "userid"}), None, ColumnError, "no column 'user_id'.* Did you mean 'userid'"),
        (TINY, [1, 2], ValueError, "groups has 2 entries, but X has 9 rows"),
        (with_value("user_id", 1, None), None, ValueError, r"user is missing .* row 1 of column 'user_id': drop it"),
        (with_value("item_id", 2, np.nan), None, ValueError, "item is missing .* row 2 of column 'item_id'"),
        (TINY, ["a", "a", None, *"bbbccc"], ValueError, "user is missing .* row 2 of groups"),
        (TINY, [["a"], *"aabbbccc"], TypeError, r"groups has \['a'\] \(list\) in place 0, which is not hashable"),
        (with_value("timestamp", 1, None), None, ValueError, "time column 'timestamp' has none in row 1"),
        (TINY.assign(timestamp="now"), None, ValueError, "neither numbers nor dates, for instance 'now' in row 0"),
        (with_value("item_id", 4, ["x"]), None, TypeError, r"'item_id' has \['x'\] \(list\) in row 4, which"),
    ],
)
def test_bad_tables(make, X, groups, error, message):
    with pytest.raises(error, match=message):
        make().fold_report(X, groups=groups)


def test_columns_that_are_not_needed_are_not_read():
    bad_time, no_item = TINY.assign(timestamp=None), TINY.drop(columns="item_id")
    for splitter in (ColdUserKFold(3), WithinUserKFold(3), WarmKFold(3)):
        assert list(splitter.split(bad_time))
    assert list(ColdItemKFold(3).split(TINY.drop(columns="user_id")))
    assert list(TemporalSplit().split(TINY[["timestamp"]]))
    for kind in (ColdUserKFold, WithinUserKFold, LeaveLastOut, TemporalSplit):
        assert list(kind(2).split(no_item))
        with pytest.raises(ColumnError, match="no column 'item_id' for the item"):
            list(kind(2, cold="drop").split(no_item))


@pytest.fixture(scope="module")
def movielens(real_data):
    return pd.read_csv(
        real_data / "ml-100k" / "u.data.gz", sep="\t", names=["user_id", "item_id", "rating", "timestamp"]
    )


def test_movielens(movielens, splits_of):
    """100,000 ratings of 943 users, 1,682 items of which 141 have one rating, 20 ratings a user at least."""
    X = movielens
    assert len(splits_of(LeaveLastOut(), X)[0][1]) == 943
    warm = np.concatenate([test for _, test in splits_of(WarmKFold(random_state=0), X)])
    assert len(warm) == len(set(warm)) == 100_000 - (X.groupby("item_id").size() == 1).sum() == 99_859
    within = WithinUserKFold(random_state=0).fold_report(X)
    assert within["test_rows"].tolist() == [20_000] * 5
    assert within["test_users"].tolist() == [943] * 5
    assert within["cold_user_share"].tolist() == [0.0] * 5
    cold = ColdItemKFold().fold_report(X)
    assert cold["test_items"].sum() == 1682
    assert cold["cold_item_share"].tolist() == [1.0] * 5
    assert np.ptp(cold["test_rows"]) <= 1
    dates = X.assign(timestamp=pd.to_datetime(X["timestamp"], unit="s"))
    weeks = TemporalSplit(4, horizon="7D", gap="1D").fold_report(dates)
    seconds = TemporalSplit(4, horizon=7 * 86_400, gap=86_400).fold_report(X)
    assert weeks["test_rows"].tolist() == seconds["test_rows"].tolist()
    assert (weeks["test_start"] - weeks["train_end"] >= pd.Timedelta(days=1)).all()
    by_hand = [report_by_hand(X, *fold)["cold_user_share"] for fold in TemporalSplit(4, horizon=604_800).split(X)]
    assert TemporalSplit(4, horizon=604_800).fold_report(X)["cold_user_share"].tolist() == pytest.approx(by_hand)
    assert not weeks["overlap"].any()
