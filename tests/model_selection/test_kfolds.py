"""Folds within users, of whole users and items, and without cold starts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from skrec.model_selection import ColdItemKFold, ColdUserKFold, WarmKFold, WithinUserKFold

rows = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 6), st.integers(0, 5)), min_size=3, max_size=30)


def frame(events):
    return pd.DataFrame(events, columns=["user_id", "item_id", "timestamp"])


def folds_of(splitter, X):
    """Return the fold in whose test part each row is, -1 for none; all other rows must be for training."""
    folds = np.full(len(X), -1)
    for fold, (train, test) in enumerate(splitter.split(X)):
        assert sorted([*train, *test]) == list(range(len(X)))
        assert (folds[test] == -1).all()
        folds[test] = fold
    assert set(range(splitter.n_splits)) <= set(folds)
    return folds


def sizes(values, n):
    return np.bincount(values, minlength=n)


@settings(max_examples=150)
@given(rows, st.integers(2, 5), st.booleans())
def test_each_user_is_dealt_evenly_over_the_folds(events, n_splits, shuffle):
    X = frame(events)
    many = X.groupby("user_id")["user_id"].transform("size").to_numpy() > 1
    splitter = WithinUserKFold(n_splits, shuffle=shuffle)
    if many.sum() < n_splits:
        with pytest.raises(
            ValueError, match=f"n_splits={n_splits} leaves a fold without a test row: only {many.sum()} row"
        ):
            folds_of(splitter, X)
        return
    folds = folds_of(splitter, X)
    assert ((folds >= 0) == many).all()
    assert np.ptp(sizes(folds[many], n_splits)) <= 1
    for _, part in X[many].groupby("user_id"):
        assert np.ptp(sizes(folds[part.index], n_splits)) <= 1
        if not shuffle:
            assert np.all(np.diff(folds[part.sort_values("timestamp", kind="stable").index]) >= 0)


def test_parts_in_order_of_time():
    X = pd.DataFrame({"user_id": list("abaabbab"), "timestamp": [3, 1, 3, 2, 1, 0, 1, 9]})
    assert folds_of(WithinUserKFold(2, shuffle=False), X).tolist() == [1, 0, 1, 0, 1, 0, 0, 1]
    without_times = folds_of(WithinUserKFold(2, shuffle=False), X[["user_id"]])
    assert without_times.tolist() == [0, 0, 0, 1, 0, 1, 1, 1]


def test_chance_also_deals_who_shares_a_fold():
    X = pd.DataFrame({"user_id": np.repeat(np.arange(100), 2)})
    together = [folds_of(WithinUserKFold(5, random_state=seed), X)[[0, 2]] for seed in range(20)]
    assert 0 < sum(first == second for first, second in together) < 20


@settings(max_examples=250)
@given(rows, st.integers(2, 5), st.booleans())
def test_warm_folds_have_every_test_user_and_item_in_training(events, n_splits, shuffle):
    X = frame(events)
    alone = [X.groupby(role)[role].transform("size").to_numpy() == 1 for role in ("user_id", "item_id")]
    can_be_tested = ~(alone[0] | alone[1])
    try:
        folds = folds_of(WarmKFold(n_splits, shuffle=shuffle), X)
    except ValueError:
        assert can_be_tested.sum() < 3 * n_splits  # too few for a row in every fold
        assume(False)
    for fold in range(n_splits):
        for role in ("user_id", "item_id"):
            assert set(X[role][folds == fold]) <= set(X[role][folds != fold])
    assert not (folds[~can_be_tested] >= 0).any()
    if n_splits > 2:
        assert (folds[can_be_tested] >= 0).all()


def test_warm_folds_are_even_and_lose_few_rows():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": random.integers(0, 3000, 10_000), "item_id": random.integers(0, 3000, 10_000)})
    counts = [X.groupby(role)[role].transform("size").to_numpy() for role in X]
    possible = ((counts[0] > 1) & (counts[1] > 1)).sum()
    for n_splits in (3, 5, 10):
        n_rows = sizes(folds_of(WarmKFold(n_splits, random_state=0), X) + 1, n_splits + 1)[1:]
        assert n_rows.sum() == possible
        assert np.ptp(n_rows) < 0.05 * n_rows.mean()
    tested = (folds_of(WarmKFold(2, random_state=0), X) >= 0).sum()
    assert 0.99 * possible < tested <= possible


def test_a_row_moves_where_its_user_has_fewest():
    X = pd.DataFrame({"user_id": [1, 1, 1, 2, 2, 2], "item_id": [1, 2, 3, 1, 2, 3]})
    for seed in range(30):
        folds = folds_of(WarmKFold(3, random_state=seed), X)
        assert all(len(set(folds[[row, row + 3]])) == 2 for row in range(3))


@pytest.mark.parametrize(("kind", "role"), [(ColdUserKFold, "user_id"), (ColdItemKFold, "item_id")])
@settings(max_examples=100)
@given(events=rows, n_splits=st.integers(2, 4), shuffle=st.booleans())
def test_whole_users_or_items_are_held_out(kind, role, events, n_splits, shuffle):
    X = frame(events)
    if X[role].nunique() < n_splits:
        with pytest.raises(
            ValueError, match=f"n_splits={n_splits} needs at least one {role[:4]} per fold, .* column '{role}' holds"
        ):
            folds_of(kind(n_splits, shuffle=shuffle), X)
        return
    folds = folds_of(kind(n_splits, shuffle=shuffle), X)
    assert (folds >= 0).all()
    assert (X.assign(fold=folds).groupby(role)["fold"].nunique() == 1).all()
    per_fold = sizes(X.assign(fold=folds).groupby(role)["fold"].first(), n_splits)
    if shuffle:
        assert np.ptp(per_fold) <= 1
    else:
        assert np.ptp(sizes(folds, n_splits)) <= X[role].value_counts().iloc[0]


@pytest.mark.parametrize(("kind", "role"), [(ColdUserKFold, "user_id"), (ColdItemKFold, "item_id")])
def test_users_and_items_are_dealt_as_groups_are(kind, role, log):
    first_seen = pd.factorize(log[role])[0]
    for options in ({}, {"shuffle": True, "random_state": 3}):
        expected = [test.tolist() for _, test in GroupKFold(4, **options).split(log, groups=first_seen)]
        assert [test.tolist() for _, test in kind(4, **options).split(log)] == expected


def test_cold_folds_take_any_ids():
    mixed = pd.DataFrame({"user_id": ["a", 1, ("b", 2), "a", 1.0, True], "item_id": [1, 2, 3, 1, 2, 3]}, dtype=object)
    folds = folds_of(ColdUserKFold(3), mixed)
    assert folds[0] == folds[3]
    assert folds[1] == folds[4] == folds[5]
    assert len(set(folds)) == 3


def test_groups_that_are_too_few_are_named():
    with pytest.raises(
        ValueError, match="n_splits=5 needs at least one user per fold, .* groups holds 2. Lower n_splits"
    ):
        list(ColdUserKFold().split(pd.DataFrame({"item_id": [1, 2]}), groups=["a", "b"]))
    with pytest.raises(
        ValueError,
        match="only 0 row.* have a user and item with other rows.* check that groups and column 'item_id' hold",
    ):
        list(WarmKFold().split(pd.DataFrame({"item_id": [1, 2]}), groups=["a", "b"]))
