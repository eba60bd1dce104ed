"""Candidates that differ by query, the containers that ids may come in, and the vectors of queries and items."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import coo_matrix, csr_array

import skrec
from skrec.exceptions import UnknownIdError
from skrec.models import (
    DINRanker,
    FMRanker,
    NCFRanker,
    NCFRegressor,
    PopularityRanker,
    SASRecRanker,
)

EVENTS = pd.DataFrame(
    [("ann", "x"), ("ann", "y"), ("bob", "y"), ("bob", "z"), ("cy", "y"), ("cy", "w"), ("dee", "z")],
    columns=["user_id", "item_id"],
)
LISTS = {"ann": ["z", "w", "z", "y"], "dee": ["w", "x"], "bob": []}
QUERIES = ["dee", "ann", "bob", "ann"]
OF_ANN = [("ann", "z", 2, 1), ("ann", "w", 1, 2)]
ANSWER = [("dee", "w", 1, 1), ("dee", "x", 1, 2), *OF_ANN, *OF_ANN]
PAIRS = pd.DataFrame(
    {"score": 0.0, "item_id": ["z", "w", "w", "z", "y", "x"], "user_id": ["ann", "dee", "ann", "ann", "ann", "dee"]}
)


@pytest.fixture(scope="module")
def popularity():
    """Scores are counts: w 1, x 1, y 3, z 2, whoever asks."""
    return PopularityRanker().fit(EVENTS)


def rows(frame):
    return list(frame.itertuples(index=False, name=None))


def matrix(form=csr_array):
    items = ["w", "x", "y", "z"]
    return form([[item in LISTS[user] for item in items] for user in QUERIES])


class Lazy(Mapping):
    """A mapping that is no dict."""

    def __getitem__(self, key):
        return LISTS[key]

    def __iter__(self):
        return iter(LISTS)

    def __len__(self):
        return len(LISTS)


FORMS = {
    "dict": LISTS,
    "mapping": Lazy(),
    "dict of other containers": {"ann": {"z", "w", "y"}, "dee": np.array(["w", "x"]), "bob": (), "nobody": 3},
    "dict of views and generators": {"ann": dict.fromkeys("zwy").keys(), "dee": (i for i in "wx"), "bob": pd.Index([])},
    "list of lists": [LISTS[user] for user in QUERIES],
    "tuple of lists": tuple(LISTS[user] for user in QUERIES),
    "generator of lists": (LISTS[user] for user in QUERIES),
    "list of sets": [set(LISTS[user]) for user in QUERIES],
    "series by user": PAIRS.groupby("user_id")["item_id"].agg(list),
    "series by place": pd.Series([LISTS[user] for user in QUERIES]),
    "csr": matrix(),
    "coo": matrix(coo_matrix),
    "pairs": PAIRS,
    "pairs of polars": pl.from_pandas(PAIRS),
    "pairs of arrow": pa.Table.from_pandas(PAIRS),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_query_has_candidates_of_its_own(popularity, form):
    queries = [query for query in QUERIES if form != "series by user" or query != "bob"]
    assert rows(popularity.recommend(queries, candidates=FORMS[form])) == ANSWER


def test_arrays_are_as_wide_as_the_longest_list(popularity):
    items, scores = popularity.recommend(QUERIES, candidates=LISTS, as_frame=False)
    assert items.tolist() == [["w", "x", None], ["z", "w", None], [None] * 3, ["z", "w", None]]
    assert scores[2].tolist() == [-np.inf] * 3
    assert popularity.recommend(QUERIES, k=1, candidates=LISTS, as_frame=False)[0].shape == (4, 1)


def test_scores_follow_the_lists_and_are_filled_up(popularity):
    gap = -np.inf
    expected = [[1, 1, gap, gap], [2, 1, 2, 3], [gap] * 4, [2, 1, 2, 3]]
    assert popularity.score_items(QUERIES, LISTS).tolist() == expected
    assert popularity.score_items(QUERIES, matrix()).tolist()[1] == [1, 3, 2]  # w, y, z: the order of the columns


def test_exclusions_count_and_unknown_items_come_last(popularity):
    options = {"candidates": {"ann": ["new", "w", "newer", "z"], "dee": ["new", "x"]}, "exclude_seen": False}
    frame = popularity.recommend(
        ["ann", "dee"], exclude={"ann": ["z", "newer"], "dee": {"x"}, "zoe": ["new"]}, **options
    )
    assert rows(frame) == [("ann", "w", 1, 1), ("ann", "new", 0, 2), ("dee", "new", 0, 1)]


def test_ids_that_are_tuples_are_candidates():
    model = PopularityRanker().fit(EVENTS.assign(item_id=[(item, 1) for item in EVENTS["item_id"]]))
    assert model.score_items(["ann"], [("y", 1), ("x", 1)]).tolist() == [[3, 1]]


@pytest.mark.parametrize(
    "exclude",
    [pd.Series({"ann": ["z", "w"], "dee": ["y", "x"]}), pa.table({"user_id": ["ann", "ann"], "item_id": ["z", "w"]})],
)
def test_exclusions_may_be_a_series_by_user_or_an_arrow_table(popularity, exclude):
    assert popularity.recommend(["ann"], exclude=exclude, exclude_seen=False)["item_id"].tolist() == ["y", "x"]
    found = skrec.recommend(popularity, ["ann"], exclude=exclude, exclude_seen=False)
    assert found["item_id"].tolist() == ["y", "x"]


def test_unknown_candidates_of_lists_are_an_error_if_the_user_wants_so():
    model = PopularityRanker(handle_unknown="error").fit(EVENTS)
    with pytest.raises(UnknownIdError, match=r"candidates.*'yy'.*'y'"):
        model.recommend(["ann"], candidates={"ann": ["w", "yy"]})


@pytest.mark.parametrize(
    ("candidates", "error", "match"),
    [
        ({"ann": ["x"]}, ValueError, r"no list for 1 of the 2 queries, for instance 'bob' \(str\).*dict \{user"),
        ({1: ["x"], 2: ["y"]}, ValueError, r"no list for 2 of the 2 queries.*such as 1 \(int\)"),
        ({"ann": "x", "bob": ["y"]}, ValueError, r"candidates\['ann'\]='x' must be a list"),
        ({"ann": 0.5, "bob": 1.5}, ValueError, r"candidates\['ann'\]=0.5 must be a list"),
        ({"ann": ["x", None], "bob": ["y"]}, ValueError, r"candidates\['ann'\] contains NaN: .* in place 1"),
        ({"ann": {"x": 1}, "bob": ["y"]}, TypeError, r"candidates\['ann'\] is a dict, which is not a list of ids"),
        ({"ann": [["x"]], "bob": ["y"]}, TypeError, r"\['x'\] \(list\) .* not hashable"),
        ([["x"]], ValueError, r"candidates has 1 lists, but there are 2 queries"),
        ([["x"], "y"], ValueError, r"candidates\[1\]='y' must be a list"),
        ([["x"], None], ValueError, r"candidates\[1\]=None must be a list"),
        ([[], []], ValueError, "candidates is empty: it has no item for any of the queries"),
        (csr_array(np.ones((2, 3))), ValueError, r"shape \(2, 3\); it needs .* the 2 queries and a .*4 items"),
        (csr_array((2, 4)), ValueError, "candidates is empty"),
        (np.ones((2, 4), bool), ValueError, r"array of shape \(2, 4\).*candidates\.tolist\(\).*csr_array"),
        (np.array([["x", "y"], ["z", "w"]]), ValueError, r"array of shape \(2, 2\).*candidates\.tolist\(\)"),
        (pd.DataFrame({"user_id": ["zoe"], "item_id": ["x"]}), ValueError, r"none of its users, such as 'zoe' \(str\)"),
        (pd.DataFrame({"user_id": ["ann"], "item_id": [None]}), ValueError, r"candidates\['item_id'\] contains NaN"),
        (np.array([True, False, False, True]), ValueError, "candidates holds 4 booleans, a mask, which is not a"),
        ([[True, False, True], ["x"]], ValueError, r"candidates\[0\] holds 3 booleans"),
        ([("ann", "x"), ("bob", "y")], ValueError, r"candidates has the tuple \('ann', 'x'\), but .* not tuples"),
        ("x", ValueError, "candidates='x' must be a list or an array, also for a single id"),
        (3, ValueError, "candidates=3 must be a list"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["recommend", "score_items"])
def test_what_cannot_be_meant(popularity, method, candidates, error, match):
    with pytest.raises(error, match=match):
        getattr(popularity, method)(["ann", "bob"], candidates=candidates)


def test_an_array_of_recommendations_is_not_taken_as_rows_of_a_model_that_was_fitted_on_arrays():
    model = PopularityRanker().fit(EVENTS.to_numpy())
    assert model.recommend(["ann"], candidates=EVENTS.to_numpy()[3:6])["item_id"].tolist() == ["z", "w"]
    with pytest.raises(ValueError, match=r"array of shape \(1, 3\).*candidates\.tolist\(\)"):
        model.recommend(["ann"], candidates=np.array([["x", "y", "z"]]))


def test_no_queries_no_recommendations(popularity):
    for candidates in ({"ann": ["x"]}, csr_array((0, 4)), PAIRS):
        assert popularity.recommend([], candidates=candidates).empty


IDS = {
    "keys": {"bob": 1, "cy": 2}.keys(),
    "values": {1: "bob", 2: "cy"}.values(),
    "generator": (user for user in ("bob", "cy")),
    "map": map(str, ["bob", "cy"]),
    "iterator": iter(["bob", "cy"]),
    "array of objects": np.array(["bob", "cy"], dtype=object),
    "extension array": pd.array(["bob", "cy"]),
    "categorical": pd.Categorical(["bob", "cy"]),
}


@pytest.mark.parametrize("container", IDS)
def test_ids_may_come_in_any_container(popularity, container):
    assert popularity.recommend(IDS[container], k=1)["user_id"].tolist() == ["bob", "cy"]


def test_so_may_candidates_exclusions_and_histories(popularity):
    shelf = {"z": 1, "w": 2}
    for candidates in (shelf.keys(), iter(shelf), set(shelf), frozenset(shelf), pd.array(["z", "w"])):
        assert popularity.recommend(["ann"], candidates=candidates)["item_id"].tolist() == ["z", "w"]
    frame = popularity.recommend(["ann"], exclude={("ann", "z"): 1}.keys())
    assert frame["item_id"].tolist() == ["w"]
    numbers = PopularityRanker().fit(EVENTS.assign(user_id=[0, 0, 1, 1, 2, 2, 3]))
    assert numbers.recommend(range(2), k=1)["user_id"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("queries", "error", "match"),
    [
        ({"ann": 1}, TypeError, "queries is a dict, which is not a list of ids"),
        (csr_array((2, 2)), TypeError, "queries is a sparse array"),
        (np.array("ann"), ValueError, "must be a list or an array, also for a single id"),
        (b"ann", ValueError, "must be a list or an array"),
    ],
)
def test_what_is_no_list_of_queries(popularity, queries, error, match):
    for method in (popularity.recommend, popularity.score_items, popularity.seen_items):
        with pytest.raises(error, match=match):
            method(queries)


@pytest.mark.parametrize(
    ("exclude", "error", "match"),
    [
        ({"ann": "x"}, ValueError, r"exclude\['ann'\]='x' must be a list"),
        ([{"ann", "x"}], ValueError, r"exclude must hold \(user, item\) pairs"),
        (csr_array((2, 2)), ValueError, r"exclude must hold .* a dict \{user"),
        ("ab", ValueError, r"exclude must hold"),
    ],
)
def test_what_is_no_list_of_exclusions(popularity, exclude, error, match):
    with pytest.raises(error, match=match):
        popularity.recommend(["ann"], exclude=exclude)


# -- every kind of model --------------------------------------------------------------------------------------------

FAST = {"epochs": 1, "random_state": 0, "batch_size": 64}


def labelled(model):
    return model, (np.random.default_rng(1).integers(0, 2, 240).astype(float),)


MODELS = {
    "dot": (NCFRanker(architecture="gmf", embedding_dim=4, **FAST), ()),
    "network": (NCFRanker(embedding_dim=4, hidden_units=(8,), **FAST), ()),
    "regressor": labelled(NCFRegressor(architecture="gmf", embedding_dim=4, **FAST)),
    "features": (FMRanker(embedding_dim=4, **FAST), ()),
    "history": (SASRecRanker(embedding_dim=4, max_history=16, early_stopping=False, **FAST), ()),
    "history and features": (DINRanker(embedding_dim=4, max_history=8, hidden_units=(8,), **FAST), ()),
}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": random.integers(0, 20, 240), "item_id": random.integers(0, 30, 240)})
    return X.assign(genre=np.array(["a", "b", "c"])[X["item_id"] % 3], timestamp=np.arange(240))


@pytest.fixture(scope="module")
def fitted(table):
    """Fit a model when it is first asked for by name."""

    @cache
    def fit(name):
        model, target = MODELS[name]
        return model.fit(table, *target)

    return fit


@pytest.mark.parametrize("name", MODELS)
def test_lists_are_ranked_as_each_query_alone_would_be(name, fitted):
    model, random = fitted(name), np.random.default_rng(2)
    users = [3, 19, 3, 7, 99]
    lists = {user: random.choice(34, 7, replace=False).tolist() for user in set(users)}  # items from 30 on are unknown
    together = model.recommend(users, 5, candidates=lists, exclude={3: lists[3][:1]})
    alone = [model.recommend([user], 5, candidates=lists[user], exclude={3: lists[3][:1]}) for user in users]
    expected = pd.concat(alone, ignore_index=True)
    pd.testing.assert_frame_equal(together.drop(columns="score"), expected.drop(columns="score"))
    np.testing.assert_allclose(together["score"], expected["score"], rtol=1e-5, atol=1e-6)
    scores = model.score_items(users, [lists[user] for user in users])
    assert scores.shape == (5, 7)
    np.testing.assert_allclose(scores[1], model.score_items([19], lists[19])[0], rtol=1e-5, atol=1e-6)


def test_pairs_bring_the_features_of_their_own_rows(fitted):
    model = fitted("features")
    pairs = pd.DataFrame({"user_id": [3, 5], "item_id": [40, 40], "genre": ["a", "b"]})
    together = model.recommend([3, 5], candidates=pairs, exclude_seen=False)
    for user, row in ((3, pairs[:1]), (5, pairs[1:])):
        alone = model.recommend([user], candidates=row.drop(columns="user_id"))
        assert together.loc[together["user_id"] == user, "score"].item() == pytest.approx(alone["score"].item(), 1e-5)


def test_sessions_have_candidates_by_their_number(fitted):
    model = fitted("history")
    history = [[1, 2], [3]]
    frame = model.recommend(history=history, candidates=[[5, 6], [7]])
    assert sorted(rows(frame[["user_id", "item_id"]])) == [(0, 5), (0, 6), (1, 7)]
    pd.testing.assert_frame_equal(model.recommend(history=history, candidates={0: [5, 6], 1: {7}}), frame)
    assert model.score_items(history=history, candidates=[[5, 6], [7]]).shape == (2, 2)


def test_what_a_first_stage_recommends_a_second_ranks(table, fitted):
    first, second = PopularityRanker().fit(table), fitted("dot")
    shortlist = first.recommend([1, 2, 3], k=6)
    frame = second.recommend([1, 2, 3], k=2, candidates=shortlist)
    assert frame["user_id"].tolist() == [1, 1, 2, 2, 3, 3]
    assert set(rows(frame[["user_id", "item_id"]])) <= set(rows(shortlist[["user_id", "item_id"]]))


@dataclass(eq=False, repr=False, kw_only=True)
class CityRanker(PopularityRanker):
    """Recommends what was bought in the user's own city: its candidates differ by query."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        users, items = self.role_ids(X)
        self.shelves_ = pd.Series(items).groupby(X["city"].to_numpy()).agg(set).to_dict()
        self.cities_ = dict(zip(users.tolist(), X["city"], strict=True))
        return self

    def recommend(self, queries=None, k=10, *, candidates=None, **options):
        if candidates is None:
            candidates = {user: self.shelves_.get(self.cities_.get(user), set(self.items_)) for user in queries}
        return super().recommend(queries, k, candidates=candidates, **options)


def test_a_ranker_may_give_each_query_candidates_of_its_own():
    X = EVENTS.assign(city=EVENTS["user_id"].map({"ann": "Rome", "bob": "Rome", "cy": "Oslo", "dee": "Oslo"}))
    model = CityRanker().fit(X)
    frame = model.recommend(["ann", "dee", "new"], k=2)
    assert rows(frame[["user_id", "item_id"]]) == [("ann", "z"), ("dee", "y"), ("dee", "w"), ("new", "y"), ("new", "z")]


# -- vectors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dot", "features", "history"])
def test_inner_products_of_vectors_rank_as_recommend_does(name, fitted):
    model = fitted(name)
    queries, items = model.encode_queries([3, 19, 99]), model.encode_items()
    scores = model.score_items([3, 19, 99])
    difference = scores - queries @ items.T
    np.testing.assert_allclose(difference, difference[0, 0], atol=1e-5)
    np.testing.assert_allclose(model.encode_items([4, 2]), items[[4, 2]], atol=1e-6)
    if name == "history":
        of_session = model.encode_queries(history=[[1, 2]]) @ items.T
        expected = model.score_items(history=[[1, 2]]) - difference[0, 0]
        np.testing.assert_allclose(of_session, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["network", "history and features"])
def test_a_model_without_vectors_says_what_to_use(name, fitted, popularity):
    for model in (fitted(name), popularity):
        for method in (model.encode_queries, model.encode_items):
            with pytest.raises(AttributeError, match=r"not inner products.*recommend or score_items.*'gmf'"):
                method(model.users_[:1])
