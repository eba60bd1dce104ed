"""make_interactions: what it draws is what its truth says."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrec.datasets import make_interactions
from skrec.exceptions import UnknownIdError


def _groups_of_events(X, truth):
    users = truth.users.set_index("user_id")["group"].loc[X["user_id"]].to_numpy()
    items = truth.items.set_index("item_id")["group"].loc[X["item_id"]].to_numpy()
    return users, items


def test_columns_types_and_order_of_time():
    X = make_interactions(random_state=0)

    assert X.shape == (5_000, 3)
    assert X.dtypes.astype(str).tolist() == ["int32", "int32", "int64"]
    assert X["timestamp"].is_monotonic_increasing
    assert X["timestamp"].is_unique
    times = pd.to_datetime(X["timestamp"], unit="s")
    assert (times.dt.year == 2020).all()
    assert times.dt.month.nunique() == 12
    assert X["user_id"].between(0, 199).all()
    assert X["item_id"].between(0, 99).all()
    assert X.index.equals(pd.RangeIndex(5_000))


@pytest.mark.parametrize("options", [{}, {"ids": "str", "target": "label", "n_categorical": 1, "sequential": 0.3}])
def test_the_same_random_state_gives_the_same_rows(options):
    def frame(seed):
        made = make_interactions(random_state=seed, **options)
        return made if isinstance(made, pd.DataFrame) else made[0].join(made[1])

    pd.testing.assert_frame_equal(frame(3), frame(3))
    assert not frame(3).equals(frame(4))


def test_a_random_state_instance_moves_on_and_the_global_one_does_not():
    random = np.random.RandomState(0)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (make_interactions(random_state=random) for _ in range(2))
    assert not first.equals(second)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_features_do_not_change_the_events():
    bare = make_interactions(random_state=0)
    rich = make_interactions(random_state=0, n_categorical=2, n_numeric=1)
    pd.testing.assert_frame_equal(bare, rich[bare.columns.tolist()])


@pytest.mark.parametrize("affinity", [0.0, 0.25, 0.9, 1.0])
def test_affinity_is_the_share_of_events_in_the_own_group(affinity):
    X, truth = make_interactions(300, 80, 40_000, affinity=affinity, random_state=0, return_truth=True)
    users, items = _groups_of_events(X, truth)
    assert np.mean(users == items) == pytest.approx(affinity, abs=0.01)
    counts = pd.crosstab(users[users != items], items[users != items]).to_numpy()
    if counts.size:  # the other groups share the rest alike
        others = counts[~np.eye(4, dtype=bool)]
        assert others.min() > 0.8 * others.max()


def test_groups_are_of_equal_size():
    _, truth = make_interactions(10, 11, 50, n_groups=3, random_state=0, return_truth=True)
    assert sorted(truth.users["group"].value_counts()) == [3, 3, 4]
    assert sorted(truth.items["group"].value_counts()) == [3, 4, 4]


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_popularity_within_a_group_follows_zipf(exponent):
    X, truth = make_interactions(50, 30, 60_000, n_groups=3, popularity=exponent, random_state=1, return_truth=True)
    expected = np.arange(1, 11) ** -exponent
    expected /= expected.sum()
    for group in range(3):
        items = truth.items.loc[truth.items["group"] == group, "item_id"]
        shares = X["item_id"].value_counts(normalize=True).reindex(items, fill_value=0)
        shares /= shares.sum()
        np.testing.assert_allclose(np.sort(shares)[::-1], expected, atol=0.01)
        np.testing.assert_allclose(np.sort(truth.popularity[items])[::-1], expected)
        np.testing.assert_allclose(shares, truth.popularity[items], atol=0.01)


def test_activity_of_users_follows_zipf():
    X = make_interactions(20, 10, 60_000, activity=1.0, random_state=0)
    expected = 1 / np.arange(1, 21)
    shares = np.sort(X["user_id"].value_counts(normalize=True))[::-1]
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.01)
    # the most active user is not simply the first id
    assert make_interactions(20, 10, 9_000, activity=1.0, random_state=2)["user_id"].mode()[0] != 0


@pytest.mark.parametrize("ids", ["int", "str"])
def test_item_probabilities_are_the_frequencies_of_events(ids):
    X, truth = make_interactions(6, 12, 90_000, n_groups=3, affinity=0.7, ids=ids, random_state=0, return_truth=True)
    probabilities = truth.item_probabilities(truth.users["user_id"])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    observed = pd.crosstab(X["user_id"], X["item_id"], normalize="index")
    assert observed.columns.tolist() == truth.items["item_id"].tolist()
    np.testing.assert_allclose(observed, probabilities, atol=0.015)


def test_a_sequence_follows_the_successors():
    X, truth = make_interactions(
        5, 12, 60_000, n_groups=3, affinity=0.8, popularity=0.5, sequential=0.6, random_state=0, return_truth=True
    )
    previous = X.groupby("user_id")["item_id"].shift()
    known = previous.notna()
    next_in_group = truth.successors[previous[known].astype(int)]
    by_chance = (1 - 0.6) * truth.item_probabilities([0]).max()
    assert 0.6 <= np.mean(X.loc[known, "item_id"] == next_in_group) <= 0.6 + by_chance
    # conditional frequencies of one user's next item, against the truth
    pairs = pd.crosstab(previous[known & (X["user_id"] == 2)], X["item_id"], normalize="index")
    expected = truth.item_probabilities(np.full(12, 2), previous_items=truth.items["item_id"])
    np.testing.assert_allclose(expected.sum(axis=1), 1)
    np.testing.assert_allclose(pairs, expected, atol=0.06)
    # successors go round each group
    groups = truth.items["group"].to_numpy()
    assert sorted(truth.successors) == list(range(12))
    np.testing.assert_array_equal(groups[truth.successors], groups)


def test_labels_have_the_stated_best_accuracy():
    X, y, truth = make_interactions(
        n_interactions=40_000, target="label", affinity=0.8, random_state=0, return_truth=True
    )
    users, items = _groups_of_events(X, truth)
    assert y.name == "label"
    assert np.mean(users == items) == pytest.approx(0.25, abs=0.01)  # impressions do not depend on the user
    probability = truth.expected_target(X["user_id"], X["item_id"])
    np.testing.assert_allclose(probability, np.where(users == items, 0.8, 0.2))
    assert np.mean((probability > 0.5) == y) == pytest.approx(0.8, abs=0.01)
    np.testing.assert_allclose(y.groupby(users == items).mean(), [0.2, 0.8], atol=0.02)


def test_ratings_have_the_stated_mean_and_variance():
    X, y, truth = make_interactions(
        n_interactions=40_000, target="rating", affinity=0.9, random_state=0, return_truth=True
    )
    expected = truth.expected_target(X["user_id"], X["item_id"])
    assert y.name == "rating"
    assert sorted(y.unique()) == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(y.groupby(expected).mean(), [1.4, 4.6], atol=0.02)
    assert np.mean((y - expected) ** 2) == pytest.approx(4 * 0.9 * 0.1, abs=0.01)


def test_features_tell_the_group_with_noise():
    X, truth = make_interactions(
        2_000, 1_000, 4_000, n_categorical=2, n_numeric=1, feature_noise=0.4, random_state=0, return_truth=True
    )
    names = ["category_0", "category_1", "number_0"]
    assert X.columns[3:].tolist() == [f"user_{name}" for name in names] + [f"item_{name}" for name in names]
    assert X.dtypes[["user_category_0", "item_number_0"]].astype(str).tolist() == ["category", "float32"]
    for side, table in (("user", truth.users), ("item", truth.items)):
        codes = table[f"{side}_category_0"].cat.codes
        assert np.mean(codes == table["group"]) == pytest.approx(0.6 + 0.4 / 4, abs=0.04)
        spread = table.groupby("group")[f"{side}_number_0"].std()
        np.testing.assert_allclose(spread, 0.4, atol=0.05)
        # an event carries the features of its user and item
        columns = [f"{side}_id", *(f"{side}_{name}" for name in names)]
        joined = X[[f"{side}_id"]].merge(table[columns], on=f"{side}_id", how="left")
        pd.testing.assert_frame_equal(X[columns], joined)


def test_string_ids_sort_as_their_numbers():
    X, truth = make_interactions(120, 11, 500, ids="str", random_state=0, return_truth=True)
    assert truth.users["user_id"].iloc[7] == "u007"
    assert truth.items["item_id"].tolist() == [f"i{i:02d}" for i in range(11)]
    assert truth.users["user_id"].is_monotonic_increasing
    assert set(truth.successors) == set(truth.items["item_id"])
    numbers = make_interactions(120, 11, 500, random_state=0)
    assert (X["user_id"].str[1:].astype(int) == numbers["user_id"]).all()
    assert (X["item_id"].str[1:].astype(int) == numbers["item_id"]).all()


@settings(max_examples=40, deadline=None)
@given(
    n_users=st.integers(1, 30),
    n_items=st.integers(1, 30),
    n=st.integers(1, 200),
    n_groups=st.integers(1, 30),
    popularity=st.floats(0, 300),
    sequential=st.floats(0, 1),
    seed=st.integers(0, 100),
)
def test_any_sizes_work(n_users, n_items, n, n_groups, popularity, sequential, seed):
    n_groups = min(n_groups, n_users, n_items)
    X, truth = make_interactions(
        n_users,
        n_items,
        n,
        n_groups=n_groups,
        affinity=1.0,
        popularity=popularity,
        sequential=sequential,
        random_state=seed,
        return_truth=True,
    )
    users, items = _groups_of_events(X, truth)
    assert len(X) == n
    np.testing.assert_array_equal(users, items)
    np.testing.assert_allclose(truth.item_probabilities(X["user_id"]).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_users": 0}, "'n_users' parameter of make_interactions must be an int in the range"),
        ({"affinity": 1.1}, "'affinity' parameter"),
        ({"popularity": -1}, "'popularity' parameter"),
        ({"target": "clicks"}, "'target' parameter of make_interactions must be a str among"),
        ({"ids": "uuid"}, "'ids' parameter"),
        (
            {"n_groups": 101},
            r"n_groups=101 is larger than the number of users \(200\) or items \(100\): lower",
        ),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make_interactions(**options)


def test_the_truth_names_unknown_ids_and_a_missing_target():
    _, truth = make_interactions(10, 10, 10, ids="str", random_state=0, return_truth=True)
    with pytest.raises(UnknownIdError, match=r"user_id 'ana' is not one of the 10 generated ids \('u0' to 'u9'\)"):
        truth.item_probabilities(["u1", "ana"])
    with pytest.raises(ValueError, match='no target: generate them with target="label"'):
        truth.expected_target(["u1"], ["i1"])
    assert repr(truth) == "InteractionTruth(10 users, 10 items, 4 groups)"


def test_a_million_rows_are_lean():
    make_interactions(random_state=0)
    tracemalloc.start()
    X = make_interactions(100_000, 50_000, 1_000_000, n_groups=50, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert X.memory_usage(index=False).sum() == 16_000_000
    assert peak < 120e6
