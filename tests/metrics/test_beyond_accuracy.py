"""Metrics beyond accuracy: functions and scorers against plain loops and tables computed by hand."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

import skrec
from skrec import metrics
from skrec.exceptions import ColumnError
from skrec.metrics import make_ranking_scorer
from skrec.models import PopularityRanker
from skrec.preprocessing import IDEncoder

PER_USER = ["novelty", "diversity", "serendipity", "neg_popularity"]
NAMES = [f"{name}@{k}" for k in (2, 3, 9) for name in [*PER_USER, "coverage", "neg_gini"]]
GENRES = pd.DataFrame(np.random.default_rng(0).integers(-1, 3, (10, 3)), index=np.arange(10, 20), columns=[*"abc"])
VECTORS = dict(zip(GENRES.index, GENRES.to_numpy(), strict=True))
events = st.lists(st.tuples(st.integers(1, 5), st.integers(10, 17)), min_size=2, max_size=25)


def frame(rows):
    return pd.DataFrame(rows, columns=["user_id", "item_id"])


# ------------------------------------------------------------------------------------------------------- by plain loops


def distance(a, b):
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return 1 - (a @ b / norms if norms else 0)


def mean(values):
    values = [value for value in values if not math.isnan(value)]
    return sum(values) / len(values) if values else math.nan


def by_hand(lists, train, test, catalogue, k):
    """All metrics of lists (user: items): those of users as dicts, and those of all lists."""
    n_users = train.user_id.nunique()
    share = {item: train.user_id[train.item_id == item].nunique() / n_users for item in catalogue}
    popular = sorted(set(train.item_id), key=lambda item: (-share[item], item))
    values = {name: {} for name in PER_USER}
    for user, items in ((user, items[:k]) for user, items in lists.items()):
        values["novelty"][user] = mean([-math.log2(max(share[item], 1 / n_users)) for item in items])
        values["neg_popularity"][user] = -mean([share[item] for item in items])
        values["diversity"][user] = mean([distance(VECTORS[a], VECTORS[b]) for a, b in combinations(items, 2)])
        relevant = set(test.item_id[test.user_id == user])
        seen = set(train.item_id[train.user_id == user]) - relevant
        expected = [item for item in popular if item not in seen][:k]
        unexpected = [item for item in items if item in relevant and item not in expected]
        values["serendipity"][user] = len(unexpected) / k if relevant else math.nan
    counts = Counter(item for items in lists.values() for item in items[:k])
    counts = [counts[item] for item in catalogue]
    gini = (
        sum(abs(a - b) for a in counts for b in counts) / (2 * len(counts) * sum(counts)) if sum(counts) else math.nan
    )
    return values, {"coverage": np.mean(np.array(counts) > 0), "neg_gini": -gini}


def check_report(report, lists, train, test, catalogue):
    for k in (2, 3, 9):
        values, overall = by_hand(lists, train, test, catalogue, k)
        for name in PER_USER:
            assert report.per_user[f"{name}@{k}"].to_dict() == pytest.approx(values[name], nan_ok=True, abs=1e-12)
            assert report.metrics[f"{name}@{k}"] == pytest.approx(mean(values[name].values()), abs=1e-12)
        for name, value in overall.items():
            assert name not in report.per_user
            assert report.metrics[f"{name}@{k}"] == pytest.approx(value, abs=1e-12)


@settings(max_examples=30)
@given(train=events, test=events, levels=st.sampled_from([2, 1000]))
def test_scorers_equal_plain_loops(random_ranker, train, test, levels):
    """Lists are cut from the same ranking: without what was chosen in training, ties in the order of the catalogue."""
    train, test = frame([*train, (9, 18), (9, 19), (8, 18)]), frame([*test, (8, 19)])
    model = random_ranker(levels=levels).fit(train)
    report = make_ranking_scorer(["ndcg@3", *NAMES], item_features=GENRES).evaluate(model, test)
    lists = {}
    for user, rows in test.groupby("user_id"):
        scores = dict(zip(model.items_.tolist(), model.score_items([user])[0], strict=True))
        seen = set(train.item_id[train.user_id == user]) - set(rows.item_id)
        lists[user] = sorted(set(scores) - seen, key=lambda item: (-scores[item], item))
    check_report(report, lists, train, test, model.items_.tolist())
    assert list(report.metrics) == ["ndcg@3", *NAMES]


@settings(max_examples=20)
@given(st.dictionaries(st.integers(1, 6), st.permutations(range(10, 20)), min_size=1), events, events, st.data())
def test_functions_equal_plain_loops(orders, train, test, draw):
    """Items 18 and 19 are new to the training data."""
    train, test = frame([*train, (9, 10)]), frame([*test, (min(orders), 11)])
    lists = {user: items[: draw.draw(st.integers(1, 10))] for user, items in orders.items()}
    some = next(iter(lists))
    lists[some] = [10, 11, *[item for item in lists[some] if item > 11]]
    rows = [(user, item, rank) for user, items in lists.items() for rank, item in enumerate(items, start=1)]
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "rank"]).sample(frac=1, random_state=0)
    catalogue = [*range(10, 20)]
    for k in (2, 9):
        values, overall = by_hand(lists, train, test, catalogue, k)
        found = {
            "novelty": metrics.novelty_at_k(table, train, k=k, per_user=True),
            "neg_popularity": -metrics.popularity_at_k(table, train, k=k, per_user=True),
            "diversity": metrics.diversity_at_k(table, GENRES, k=k, per_user=True),
            "serendipity": metrics.serendipity_at_k(table, train, test, k=k, per_user=True),
        }
        for name, series in found.items():
            assert series.to_dict() == pytest.approx(values[name], nan_ok=True, abs=1e-12)
            assert series.index.name == "user_id"
        assert metrics.novelty_at_k(table, train, k=k) == pytest.approx(mean(values["novelty"].values()))
        assert metrics.coverage_at_k(table, catalogue, k=k) == pytest.approx(overall["coverage"])
        assert metrics.gini_at_k(table, catalogue, k=k) == pytest.approx(-overall["neg_gini"])


# -------------------------------------------------------------------------------------------------------------- by hand


TRAIN = frame([*zip("aabbcd", "xyxzxw", strict=True), ("a", "x")])  # four users; x: 3 of them, the others 1


def test_a_table_computed_by_hand():
    lists = [["x", "y"], ["w", None], ["z", "x"]]
    quarter, three = math.log2(4), math.log2(4 / 3)
    novelty = metrics.novelty_at_k(lists, TRAIN, k=2, per_user=True)
    np.testing.assert_allclose(novelty, [(three + quarter) / 2, quarter, (quarter + three) / 2], rtol=0, atol=1e-12)
    popularity = metrics.popularity_at_k(lists, TRAIN, k=2, per_user=True)
    np.testing.assert_allclose(popularity, [0.5, 0.25, 0.5], rtol=0, atol=1e-12)
    assert metrics.novelty_at_k(lists, TRAIN, k=1) == pytest.approx((three + 2 * quarter) / 3, abs=1e-12)
    vectors = pd.DataFrame([[1, 0], [1, 1], [0, 2], [0, 0]], index=[*"xyzw"])
    diversity = metrics.diversity_at_k([*lists[:2], ["y", "z"], ["w", "x"]], vectors, k=2, per_user=True)
    np.testing.assert_allclose(diversity, [1 - math.sqrt(0.5), np.nan, 1 - math.sqrt(0.5), 1], rtol=0, atol=1e-12)
    assert metrics.diversity_at_k([["x", "y", "z"]], vectors, k=3) == pytest.approx((3 - math.sqrt(2)) / 3, abs=1e-12)
    assert metrics.coverage_at_k(lists, [*"wxyz"], k=1) == 0.75
    assert metrics.coverage_at_k(lists, [*"vwxyz"], k=2) == 0.8
    # Counts 0, 1, 1, 1, 2: (-4*0 - 2*1 + 0*1 + 2*1 + 4*2) / (5 * 5).
    assert metrics.gini_at_k(lists, [*"vwxyz"], k=2) == pytest.approx(8 / 25, abs=1e-12)


def test_serendipity_by_hand():
    """For d popularity would recommend x, then y (of y and z, which are tied, the first)."""
    lists = frame([("d", "z"), ("d", "y"), ("d", "x"), ("new", "x"), ("idle", "z")])
    test = [("d", "z"), ("d", "x"), ("new", "x")]
    values = metrics.serendipity_at_k(lists, TRAIN, test, k=2, per_user=True)
    assert values.to_dict() == pytest.approx({"d": 1 / 2, "new": 0, "idle": math.nan}, nan_ok=True)
    assert metrics.serendipity_at_k(lists, TRAIN, test, k=2) == 1 / 4
    assert metrics.serendipity_at_k(lists, TRAIN, test, k=3) == 0  # popularity would have recommended all three
    # What is held out stays in the list that popularity would give, though it was chosen in training.
    assert metrics.serendipity_at_k(frame([("a", "x")]), TRAIN, [("a", "x")], k=1) == 0


def test_popularity_itself_is_never_serendipitous(log):
    train, test = log.iloc[:400].drop_duplicates(), log.iloc[400:]
    model = PopularityRanker().fit(train)
    lists = model.recommend(test.user_id.unique(), k=5, exclude_seen=False)
    assert metrics.serendipity_at_k(lists[lists["rank"] == 1], train, test, k=1) == 0
    values = make_ranking_scorer(["serendipity@5", "precision@5"])(model, test)
    assert values["serendipity@5"] == 0 < values["precision@5"]


# --------------------------------------------------------------------------------------- what recommend returns, models


def test_scorers_equal_functions_of_what_is_recommended(log):
    """Through an encoder, with features by raw id; arrays and polars frames are lists too."""
    train = log.iloc[:400]
    test = log.iloc[400:].merge(train, how="left", indicator=True).query("_merge == 'left_only'").drop(columns="_merge")
    features = pd.DataFrame(np.random.default_rng(0).random((40, 4)), index=[f"i{item}" for item in range(40)])
    pipeline = make_pipeline(IDEncoder().set_output(transform="pandas"), PopularityRanker()).fit(train)
    names = ["coverage@5", "novelty@5", "diversity@5", "serendipity@5", "neg_gini@5", "neg_popularity@5"]
    scorer = make_ranking_scorer(names, item_features=features)
    users, items = test.user_id.unique(), train.item_id.unique()
    table = skrec.recommend(pipeline, users, k=5)
    array, _ = skrec.recommend(pipeline, users, k=5, as_frame=False)
    expected = scorer(PopularityRanker().fit(train), test)
    assert scorer(pipeline, test) == pytest.approx(expected)
    for lists in (table, array, pl.from_pandas(table), array.tolist()):
        assert {
            "coverage@5": metrics.coverage_at_k(lists, items, k=5),
            "novelty@5": metrics.novelty_at_k(lists, train, k=5),
            "diversity@5": metrics.diversity_at_k(lists, features, k=5),
            "serendipity@5": metrics.serendipity_at_k(table, train, test, k=5),
            "neg_gini@5": -metrics.gini_at_k(lists, items, k=5),
            "neg_popularity@5": -metrics.popularity_at_k(lists, pl.from_pandas(train), k=5),
        } == pytest.approx(expected)


def test_codes_that_stand_for_no_item_are_not_of_the_catalogue(log):
    pipeline = make_pipeline(IDEncoder(min_frequency=8), PopularityRanker()).fit(log)
    assert 0 in pipeline[-1].items_  # the rare ones
    assert make_ranking_scorer("coverage@40")(pipeline, log) == 1


def test_diversity_by_what_a_model_learnt(random_ranker, log):
    model = random_ranker().fit(log)
    with pytest.raises(
        ValueError, match="RandomRanker learns no embeddings of items: pass item_features=, a DataFrame"
    ):
        make_ranking_scorer("diversity@5")(model, log)
    model.item_embeddings_ = np.random.default_rng(0).standard_normal((len(model.items_), 8)).astype(np.float32)
    features = pd.DataFrame(model.item_embeddings_, index=model.items_).sample(frac=1, random_state=0)
    value = make_ranking_scorer("diversity@5")(model, log)
    assert value == make_ranking_scorer("diversity@5", item_features=features)(model, log)
    assert 0.5 < value < 1.5


def test_one_ranking_pass_in_parts(random_ranker, monkeypatch, log):
    train, test = log.iloc[:400], log.iloc[400:]
    model = random_ranker(bonus=0.1).fit(train)
    features = pd.DataFrame(np.eye(len(model.items_)), index=model.items_)
    names = ["ndcg@5", "auc", *(f"{name}@5" for name in [*PER_USER, "coverage", "neg_gini"])]
    scorer = make_ranking_scorer(names, item_features=features)
    whole = scorer.evaluate(model, test)
    assert model.n_calls_ == 1
    monkeypatch.setattr("skrec.metrics._protocols._MOST_SCORES", len(model.items_) * 7)
    monkeypatch.setattr("skrec.metrics._list_metrics._USERS_AT_ONCE", 4)
    parts = scorer.evaluate(model, test)
    assert model.n_calls_ == 1 + math.ceil(whole.n_users / 7)
    pd.testing.assert_frame_equal(parts.per_user, whole.per_user)
    assert parts.metrics == pytest.approx(whole.metrics)


def test_bounds(random_ranker, log):
    """All items alike: nobody's list is diverse; everybody's the same: one item takes all."""
    model = random_ranker(levels=1).fit(log)
    same = pd.DataFrame(np.ones((len(model.items_), 2)), index=model.items_)
    assert make_ranking_scorer("diversity@3", item_features=same)(model, log) == pytest.approx(0, abs=1e-12)
    assert metrics.gini_at_k([["x"]] * 5, [*"wxyz"], k=1) == 0.75
    assert metrics.gini_at_k([["x"], ["w"], ["y"], ["z"]], [*"wxyz"], k=1) == 0
    assert metrics.novelty_at_k([["x"]], [["a", "x"], ["b", "x"]], k=1) == 0
    assert metrics.popularity_at_k([["x"]], [["a", "x"], ["b", "x"]], k=1) == 1


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("lists", "k", "error", "message"),
    [
        ([["x", "x"]], 2, ValueError, "recommendations has the item 'x' twice for row 0"),
        (frame([("a", "x"), ("b", "y"), ("b", "y")]), 2, ValueError, "the item 'y' twice for user 'b'"),
        ([["x"], ["y", "z"]], 2, ValueError, r"must be a DataFrame .*, or an array of item ids .*got .* shape \(2,\)"),
        ((np.array([["x"]]), np.array([[1.0]])), 2, ValueError, r"got an array of shape \(2, 1, 1\)"),
        (["x", "y"], 2, ValueError, r"got an array of shape \(2,\)"),
        ([[None, None]], 2, ValueError, "recommendations does not contain any items"),
        ([["x", "y"]], 0, ValueError, "k must be a whole number of at least 1, got 0"),
        (frame([("a", "x")]).rename(columns={"item_id": "itemid"}), 2, ColumnError, "Did you mean 'itemid'"),
        (frame([("a", None)]), 2, ValueError, "recommendations contains NaN"),
        ([[5, 6]], 2, ValueError, "No recommended item, such as 5, is in train, whose first item is 'w'"),
    ],
)
def test_lists_are_checked(lists, k, error, message):
    with pytest.raises(error, match=message):
        metrics.novelty_at_k(lists, TRAIN, k=k)


def test_columns_may_have_other_names():
    table = frame([("a", "x"), ("b", "y")]).set_axis(["customer", "sku"], axis=1)
    train = TRAIN.set_axis(["customer", "sku"], axis=1)
    named = metrics.popularity_at_k(table, train, k=1, user="customer", item="sku", per_user=True)
    assert named.to_dict() == {"a": 0.75, "b": 0.25}
    assert (named.name, named.index.name) == ("popularity@1", "customer")
    with pytest.raises(ColumnError, match="train has no column 'user_id'"):
        metrics.popularity_at_k(frame([("a", "x")]), train, k=1)


@pytest.mark.parametrize("metric", [metrics.coverage_at_k, metrics.gini_at_k])
def test_what_is_recommended_must_be_in_the_catalogue(metric):
    with pytest.raises(
        ValueError, match=r"1 recommended item\(s\), such as 'v', are not in the catalogue.*model.items_"
    ):
        metric([["x", "v"]], [*"wxyz"], k=2)


def test_serendipity_needs_to_know_whose_lists_they_are():
    with pytest.raises(TypeError, match="an array has no user ids"):
        metrics.serendipity_at_k([["x"]], TRAIN, TRAIN, k=1)
    with pytest.raises(
        ValueError, match="No user of the recommendations, such as 7, has an event in test, whose first"
    ):
        metrics.serendipity_at_k(frame([(7, "x")]), TRAIN, TRAIN, k=1)


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ([[1, 0]], TypeError, "item_features must be a pandas DataFrame .* indexed by item id, got a list"),
        (pd.DataFrame({"a": [1, 2]}, index=["x", "x"]), ValueError, "more than one row for the item 'x'"),
        (
            pd.DataFrame({"a": [1, 2]}, index=["x", "Y"]),
            ValueError,
            r"no row for 1 of 2 items, for instance 'y' \(str\)",
        ),
        (pd.DataFrame({"a": [1, 2]}, index=["x", "yy"]), ValueError, r"The nearest id of its index is 'yy' \(str\)"),
        (
            pd.DataFrame({"a": ["p", "q"]}, index=["x", "y"]),
            ValueError,
            "'a' of item_features is not numeric.*dummies",
        ),
        (pd.DataFrame({"a": [1, None]}, index=["x", "y"]), ValueError, "contains nan in column 'a' for the item 'y'"),
    ],
)
def test_features_are_checked(features, error, message):
    with pytest.raises(error, match=message):
        metrics.diversity_at_k([["x", "y"]], features, k=2)


def test_diversity_needs_pairs():
    features = pd.DataFrame({"a": [1, 2]}, index=["x", "y"])
    with pytest.raises(ValueError, match="k must be a whole number of at least 2, got 1"):
        metrics.diversity_at_k([["x", "y"]], features, k=1)
    with pytest.raises(ValueError, match="diversity@2 has no value for any list: no list has two items"):
        metrics.diversity_at_k([["x"], ["y"]], features, k=2)


@pytest.mark.parametrize("metric", ["novelty@3", "coverage@3"])
def test_nan_scores_are_refused(random_ranker, log, metric):
    model = random_ranker().fit(log)
    model.table_[:] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        make_ranking_scorer(metric)(model, log)


def test_a_catalogue_of_which_nothing_is_left_is_told_of(random_ranker):
    model = random_ranker().fit(frame([(1, 10)]))
    features = pd.DataFrame({"a": [1.0]}, index=[10])
    with pytest.raises(ValueError, match="'diversity@3' has no value for any of the 1 users"):
        make_ranking_scorer("diversity@3", item_features=features)(model, frame([(1, 10)]))


# ---------------------------------------------------------------------------------------------------- published figures


def test_popularity_on_the_official_split_of_movielens_100k(real_data):
    """.1331, .1215 and .7306: NDCG, precision and hit rate of what is recommended (skrecsys 0.9.0, MostPopular).

    There ties are broken by id, as ``recommend`` does. Scorers count them against the model: a little less.
    """
    read = {"sep": "\t", "header": None, "usecols": [0, 1], "names": ["user_id", "item_id"]}
    train, test = (pd.read_csv(real_data / "ml-100k" / f"ua.{part}.gz", **read) for part in ("base", "test"))
    model = PopularityRanker().fit(train)
    names = ["ndcg@10", "precision@10", "hit_rate@10"]
    published = [0.1331, 0.1215, 0.7306]
    lists = model.recommend(test.user_id.unique(), k=10)
    rows = lists.merge(test.assign(liked=1), "outer", on=["user_id", "item_id"]).fillna({"liked": 0, "rank": 11})
    values = metrics.ranking_metrics(rows.liked, -rows["rank"], names, groups=rows.user_id)
    assert [*values.values()] == pytest.approx(published, abs=0.00005)
    scores = make_ranking_scorer(names)(model, test)
    assert [*scores.values()] == pytest.approx(published, abs=0.0003)
    assert all(scores[name] <= values[name] for name in names)
