"""Scorers against plain loops over users, under scikit-learn's own tools, and their error messages."""

import math
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import ndcg_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skrec.metrics import get_scorer, make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import ContentRanker, PopularityRanker

NAMES = ["ndcg@3", "recall@3", "precision@3", "hit_rate@3", "map@3", "mrr@3"]
events = st.lists(st.tuples(st.integers(1, 5), st.integers(10, 17), st.integers(-1, 2)), min_size=1, max_size=25)


def frame(rows):
    return pd.DataFrame(rows, columns=["user_id", "item_id", "y"])


def by_hand(ranks, n_relevant, k=3):
    """Metrics of one user from the ranks of the relevant items that were ranked."""
    hits = sorted(rank for rank in ranks if rank <= k)
    ideal = sum(1 / math.log2(i + 2) for i in range(min(k, n_relevant)))
    return {
        "ndcg@3": sum(1 / math.log2(rank + 1) for rank in hits) / ideal,
        "recall@3": len(hits) / n_relevant,
        "precision@3": len(hits) / k,
        "hit_rate@3": float(bool(hits)),
        "map@3": sum((i + 1) / rank for i, rank in enumerate(hits)) / min(k, n_relevant),
        "mrr@3": 1 / hits[0] if hits else 0.0,
    }


def full_by_hand(model, train, test):
    result = {}
    for user, rows in test.groupby("user_id"):
        relevant = set(rows.item_id[rows.y > 0])
        if not relevant:
            continue
        seen = set(train.item_id[(train.user_id == user) & (train.y > 0)]) - set(rows.item_id)
        scores = dict(zip(model.items_.tolist(), model.score_items([user])[0], strict=True))
        order = sorted(set(scores) - seen, key=lambda item: (-scores[item], item in relevant))
        result[user] = by_hand([order.index(item) + 1 for item in relevant if item in scores], len(relevant))
    return pd.DataFrame.from_dict(result, orient="index")


@pytest.mark.filterwarnings("ignore:None of the .* is in the catalogue")
@settings(max_examples=100, deadline=None)
@given(train=events, test=events)
def test_full_ranking_equals_plain_loops(random_ranker, train, test):
    train, test = frame(train), frame(test)
    test.loc[0, "y"] = 1
    model = random_ranker().fit(train[["user_id", "item_id"]], train.y)
    report = make_ranking_scorer(NAMES).evaluate(model, test[["user_id", "item_id"]], test.y)
    expected = full_by_hand(model, train, test)
    pd.testing.assert_frame_equal(report.per_user.sort_index(), expected, check_names=False)
    assert report.metrics == pytest.approx(expected.mean().to_dict())
    assert report.n_users == len(expected)
    relevant = test[test.y > 0].drop_duplicates(["user_id", "item_id"])
    assert report.cold_user_share == pytest.approx((~expected.index.isin(train.user_id)).mean())
    assert report.cold_item_share == pytest.approx((~relevant.item_id.isin(train.item_id)).mean())


def test_new_items_alone_are_a_warning(random_ranker):
    train = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 7]})
    test = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [80, 5, 90]})
    model, y = random_ranker().fit(train), [1, 0, 1]
    message = (
        r"None of the 2 relevant items to score, such as 80, is in the catalogue of RandomRanker: each of them counts "
        r"as a miss\. If items are new by design, as with ColdItemKFold, .* such as ContentRanker"
    )
    for protocol in ("full", "sampled"):
        with pytest.warns(UserWarning, match=message):
            assert make_ranking_scorer("ndcg@10", protocol=protocol)(model, test, y) == 0
        make_ranking_scorer("ndcg@10", protocol=protocol)(model, test, [1, 1, 1])  # one of them is known
    make_ranking_scorer(["cold_items", "coverage@1"])(model, test, y)  # nothing relevant is ranked


def test_new_items_with_equal_scores_are_a_warning():
    train = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 7], "genre": ["a", "a", "b"]})
    test = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [80, 90, 80, 90], "genre": ["a", "b", "a", "b"]})
    scorer, y = make_ranking_scorer("ndcg@10", protocol="rerank"), [1, 0, 0, 1]
    with pytest.warns(UserWarning, match="catalogue of PopularityRanker: it has the same score for all rows of a user"):
        assert scorer(PopularityRanker().fit(train), test, y) == pytest.approx(1 / math.log2(3))
    assert scorer(ContentRanker(item_features=["genre"]).fit(train), test, y) == 1


def test_without_labels_all_rows_are_relevant(random_ranker):
    X = pd.DataFrame({"user_id": [1, 1, 2, 3], "item_id": [5, 6, 7, 8]})
    model = random_ranker().fit(X)
    scorer = make_ranking_scorer("ndcg@2")
    assert scorer(model, X) == scorer(model, X, np.ones(4)) == scorer(model, X, [True] * 4)


def test_training_rows_can_be_scored(random_ranker):
    """They are left out of the items left out; the user's other training items stay left out."""
    X = pd.DataFrame({"user_id": [1, 1, 1], "item_id": [5, 6, 7]})
    model = random_ranker().fit(X)
    model.table_[1] = [1, 3, 2]
    assert make_ranking_scorer("hit_rate@1")(model, X.iloc[[0]]) == 1
    assert make_ranking_scorer("mrr@3")(model, X.iloc[[0, 1]], [1, 0]) == 1 / 2


def test_a_cold_item_is_a_miss_in_the_ideal_dcg(random_ranker):
    model = random_ranker().fit(pd.DataFrame({"user_id": [1, 2], "item_id": [5, 6]}))
    model.table_[:] = [[0, 1]]
    X = pd.DataFrame({"user_id": [1, 1, 1, 9], "item_id": [6, 70, 80, 5]})
    report = make_ranking_scorer(["ndcg@10", "cold_items", "cold_users"]).evaluate(model, X)
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert report.per_user["ndcg@10"].to_dict() == pytest.approx({1: 1 / ideal, 9: 1 / math.log2(3)})
    assert report.metrics["cold_items"] == report.cold_item_share == 1 / 2
    assert report.metrics["cold_users"] == report.cold_user_share == 1 / 2


def test_many_users_are_scored_in_chunks(random_ranker, monkeypatch):
    rng = np.random.default_rng(0)
    train, test = (frame(np.c_[rng.integers(0, 50, 400), rng.integers(0, 30, 400), np.ones(400)]) for _ in range(2))
    model = random_ranker().fit(train[["user_id", "item_id"]])
    scorer = make_ranking_scorer(NAMES)
    whole = scorer(model, test)
    monkeypatch.setattr("skrec.metrics._protocols._MOST_SCORES", 30 * 7)
    model.n_calls_ = 0
    assert scorer(model, test) == whole
    assert model.n_calls_ == 8


@pytest.mark.parametrize("ids", [lambda c: [f"id {i}" for i in c], lambda c: c / 2, lambda c: c.astype("uint64")])
def test_any_ids_and_containers(random_ranker, ids):
    rng = np.random.default_rng(1)
    train, test = (
        pd.DataFrame({"user_id": rng.integers(0, 9, 60), "item_id": rng.integers(0, 30, 60)}) for _ in range(2)
    )
    expected = make_ranking_scorer("ndcg@5")(random_ranker().fit(train.apply(ids)), test.apply(ids))
    for container in (lambda X: X.to_numpy(dtype=object), pl.DataFrame, lambda X: X.to_numpy().tolist()):
        model = random_ranker().fit(container(train.apply(ids)))
        assert make_ranking_scorer("ndcg@5")(model, container(test.apply(ids))) == pytest.approx(expected)


# ------------------------------------------------------------------------------------------------------------- rerank


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(1, 3), st.integers(-2, 2), st.integers(0, 3)), min_size=4, max_size=25))
def test_rerank_equals_plain_loops(rows):
    rows = pd.DataFrame([*rows, (9, 0, 1), (9, 1, 0)], columns=["user_id", "score", "y"])
    model = Ridge().fit([[0.0, 1.0], [1.0, 2.0], [5.0, 3.0]], [1.0, 2.0, 3.0])  # predicts column 1
    report = make_ranking_scorer(NAMES, protocol="rerank").evaluate(
        model, rows[["user_id", "score"]].to_numpy(), rows.y
    )
    scores = model.predict(rows[["user_id", "score"]].to_numpy())
    for user, group in rows.groupby("user_id"):
        order = sorted(group.index, key=lambda row: (-scores[row], rows.y[row]))
        ranks = [order.index(row) + 1 for row in group.index[group.y > 0]]
        if group.y.nunique() == 1:
            assert user not in report.per_user.index
            continue
        expected = by_hand(ranks, len(ranks))
        if len(ranks) == len(group):  # all are relevant, though not alike
            expected = dict.fromkeys(expected, np.nan)
        gains = rows.y[order].to_numpy()
        discount = 1 / np.log2(np.arange(3) + 2)
        expected["ndcg@3"] = (gains[:3] @ discount[: len(gains)]) / (np.sort(gains)[::-1][:3] @ discount[: len(gains)])
        assert report.per_user.loc[user].to_dict() == pytest.approx(expected, nan_ok=True)
    assert report.metrics == pytest.approx(report.per_user.mean().to_dict())


def test_rerank_leaves_out_users_who_cannot_be_ordered():
    X = pd.DataFrame({"user_id": np.repeat(np.arange(1, 11), 2), "item_id": [1, 2] * 10})
    model = Ridge().fit(X, [-1, 0] * 10)
    report = make_ranking_scorer("ndcg@1", protocol="rerank").evaluate(model, X, [1, 0] + [1, 1] * 9)
    assert report.per_user["ndcg@1"].to_dict() == {1: 0.0}
    assert (report.metrics, report.n_users) == ({"ndcg@1": 0.0}, 1)


def test_rerank_takes_ratings_as_gains_like_scikit_learn():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": np.repeat(np.arange(8), 6), "x": rng.permutation(np.arange(48.0))})
    y = rng.integers(1, 6, 48)
    model = Ridge().fit(X, y)
    scores = model.predict(X).reshape(8, 6)
    value = make_ranking_scorer("ndcg@4", protocol="rerank")(model, X, y)
    assert value == pytest.approx(ndcg_score(y.reshape(8, 6), scores, k=4))


@pytest.mark.parametrize("model", [LogisticRegression(), GaussianNB()])
def test_rerank_uses_the_scores_of_classifiers(model):
    X = pd.DataFrame({"user_id": [1, 1, 1, 2, 2, 2], "x": [0.0, 1.0, 2.0, 0.0, 1.5, 2.0]})
    y = np.array(["no", "no", "yes", "no", "yes", "yes"])
    model.fit(X, y)
    # By predict some rows would be tied.
    assert make_ranking_scorer("map@3", protocol="rerank")(model, X, y) == 1


def test_rerank_finds_the_user_column():
    X = np.array([[0.0, 5, 7], [1.0, 6, 7], [0.0, 5, 8], [1.0, 6, 8]])
    model = Ridge().fit(X, [0, 1, 0, 1])
    scorer = make_ranking_scorer("mrr@1", protocol="rerank", user=2)
    report = scorer.evaluate(model, X, [0, 1, 0, 1])
    assert report.per_user.index.tolist() == [7, 8]
    assert report.metrics == {"mrr@1": 1}
    named = pd.DataFrame(X, columns=["x", "item_id", "customer"])
    by_name = make_ranking_scorer("mrr@1", protocol="rerank", user="customer")
    assert by_name.evaluate(Ridge().fit(named, [0, 1, 0, 1]), named, [0, 1, 0, 1]).per_user.index.name == "customer"
    with pytest.raises(ValueError, match="no column 'user_id' for the user"):
        make_ranking_scorer("mrr@1", protocol="rerank")(model, named, [0, 1, 0, 1])


def test_the_user_may_be_column_1_of_an_array():
    X = np.array([[0.0, 7], [1.0, 7], [0.0, 8], [1.0, 8]])
    scorer = make_ranking_scorer("mrr@1", protocol="rerank", user=1)
    assert scorer(Ridge().fit(X, [0, 1, 0, 1]), X, [0, 1, 0, 1]) == 1


def test_rerank_reports_cold_shares_of_a_skrec_model(random_ranker):
    X = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 7]})
    model = random_ranker().fit(X)
    test = pd.DataFrame({"user_id": [1, 1, 3, 3], "item_id": [5, 9, 6, 8]})
    report = make_ranking_scorer("mrr@1", protocol="rerank").evaluate(model, test, [0, 1, 1, 0])
    assert (report.cold_user_share, report.cold_item_share) == (0.5, 0.5)
    with pytest.raises(ValueError, match="'cold_users' needs a skrec model.*Ridge is not one"):
        make_ranking_scorer(["mrr@1", "cold_users"], protocol="rerank")(
            Ridge().fit(test, [0, 1, 1, 0]), test, [0, 1, 1, 0]
        )


# ------------------------------------------------------------------------------------------- under scikit-learn's tools


def test_grid_search_and_cross_validate(random_ranker, log):
    search = GridSearchCV(random_ranker(), {"bonus": [0.0, 1.0]}, cv=LeaveLastOut(), scoring=get_scorer("ndcg@10")).fit(
        log
    )
    assert search.best_params_ == {"bonus": 1.0}
    assert make_ranking_scorer("ndcg@10")(search, log) == make_ranking_scorer("ndcg@10")(search.best_estimator_, log)
    several = make_ranking_scorer(["ndcg@10", "recall@5", "cold_items"])
    search = GridSearchCV(random_ranker(), {"bonus": [0.0, 1.0]}, cv=3, scoring=several, refit="recall@5").fit(log)
    assert search.best_params_ == {"bonus": 1.0}
    result = cross_validate(random_ranker(), log, cv=KFold(3), scoring=several)
    assert {"test_ndcg@10", "test_recall@5", "test_cold_items"} <= set(result)
    assert cross_val_score(random_ranker(), log, cv=KFold(3), scoring=get_scorer("ndcg@10")) == pytest.approx(
        result["test_ndcg@10"]
    )


def test_permutation_importance(random_ranker, log):
    model = random_ranker().fit(log)
    model.table_[1:] = model.seen_items(model.users_).toarray()  # knows everybody's items
    importance = permutation_importance(model, log, None, scoring=get_scorer("ndcg@40"), n_repeats=2, random_state=0)
    assert (importance.importances_mean > 0).all()


def test_scorers_have_parameters_and_can_be_copied(random_ranker, log):
    scorer = make_ranking_scorer(["ndcg@5"], protocol="sampled", n_candidates=7)
    assert repr(scorer) == "RankingScorer(metrics=['ndcg@5'], n_candidates=7, protocol='sampled')"
    model = random_ranker().fit(log)
    for copied in (clone(scorer), pickle.loads(pickle.dumps(scorer))):
        assert copied.get_params() == scorer.get_params()
        assert copied(model, log) == scorer(model, log)


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"metrics": "ndgc@10"}, r"no ranking metric 'ndgc@10'. Did you mean 'ndcg@10'\?"),
        ({"metrics": ["ndcg@10", "recall"]}, "Metric 'recall' lacks the length of the list"),
        ({"metrics": "ndcg@0"}, "it must be a whole number of at least 1"),
        ({"metrics": []}, "metrics is empty"),
        ({"protocol": "Full"}, "protocol must be one of 'full', 'rerank' and 'sampled', got 'Full'"),
        ({"protocol": "sampled", "n_candidates": 0}, "n_candidates must be a whole number of at least 1, got 0"),
        ({"n_candidates": 5}, "n_candidates needs protocol='sampled', got protocol='full'"),
        (
            {"protocol": "sampled", "n_candidates": 5, "candidates": {1: [2]}},
            "Pass either n_candidates or candidates, not both",
        ),
        ({"candidates": {1: [2]}}, "candidates needs protocol='sampled', got protocol='full'"),
        ({"user": "customer"}, "user needs protocol='rerank'"),
        (
            {"metrics": "novelty@5", "protocol": "sampled"},
            "'novelty@5' describes lists of the whole catalogue: use proto",
        ),
        (
            {"metrics": ["map", "coverage@5"], "protocol": "rerank"},
            "'coverage@5' describes lists of the whole catalogue",
        ),
        ({"item_features": pd.DataFrame()}, "item_features is only used by the metric 'diversity@k'"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_ranking_scorer(**parameters)


def test_candidates_must_be_a_mapping():
    with pytest.raises(TypeError, match="must map user ids to item ids, got a list"):
        make_ranking_scorer(protocol="sampled", candidates=[[1, 2]])


X = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 7]})


@pytest.mark.parametrize("protocol", ["full", "sampled"])
def test_a_catalogue_is_needed(protocol):
    with pytest.raises(
        TypeError, match=f"protocol='{protocol}' ranks a catalogue, and Ridge has none.*protocol='rerank'"
    ):
        make_ranking_scorer(protocol=protocol)(make_pipeline(Ridge()).fit(X, [1, 0, 1]), X)


def test_estimators_must_be_fitted(random_ranker):
    with pytest.raises(NotFittedError):
        make_ranking_scorer()(random_ranker(), X)


@pytest.mark.parametrize(
    ("protocol", "y", "message"),
    [
        ("full", [0, 0, -1], r"None of the 3 rows to score is relevant \(y > 0\)"),
        ("sampled", [0, 0, 0], "None of the 3 rows"),
        ("full", [1, np.nan, 1], "Input y contains NaN: its value in row 1 is missing"),
        ("full", [1, None, 1], "Input y contains NaN: its value in row 1 is missing"),
        ("full", [1, 1, np.inf], "Input y contains infinity or NaN: inf in row 2"),
        ("full", [1, 1], "y has 2 values, but X has 3 rows"),
        (
            "full",
            ["a", "b", "a"],
            r"y must be numbers, above 0 for the relevant rows, but it has 'a' \(str\) in row 0\. .*y == 'click'",
        ),
        ("rerank", None, "needs their labels, but y is None. Pass y, or use protocol='full'"),
        ("rerank", [1, 1, 0], "all labels of each user are equal. Hold out rows of both kinds .* protocol='full'"),
        ("rerank", [1, np.nan, 0], "Input y contains NaN: its value in row 1 is missing"),
    ],
)
def test_labels_are_checked(random_ranker, protocol, y, message):
    with pytest.raises(ValueError, match=message):
        make_ranking_scorer("ndcg@5", protocol=protocol)(random_ranker().fit(X), X, y)


def test_rerank_refuses_ratings_for_binary_metrics(random_ranker):
    with pytest.raises(ValueError, match=r"recall@5 uses only whether a label is above 0.*rating >= 4"):
        make_ranking_scorer(["ndcg@5", "recall@5"], protocol="rerank")(random_ranker().fit(X), X, [1, 2, 1])


def test_missing_users_and_items_are_refused(random_ranker):
    model = random_ranker().fit(X)
    with pytest.raises(ValueError, match="contains NaN: the user of row 1 is missing"):
        make_ranking_scorer()(model, X.assign(user_id=[1, None, 2]))
    with pytest.raises(ValueError, match="contains NaN: the item of row 0 is missing"):
        make_ranking_scorer()(model, X.assign(item_id=[None, 6, 7]))


@pytest.mark.parametrize("score", [make_ranking_scorer(), make_ranking_scorer(protocol="sampled"), "score"])
def test_held_out_ids_of_another_kind_are_told_of_once(score):
    train = pd.DataFrame({"user_id": [1, 1, 2, 3], "item_id": [5, 6, 7, 8]})
    model = PopularityRanker().fit(train)
    for columns in (["item_id"], ["user_id", "item_id"]):
        test = train.astype(dict.fromkeys(columns, str))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            assert (model.score(test) if score == "score" else score(model, test)) == 0
        messages = sorted(str(warning.message) for warning in caught)
        assert [message.split("'")[1] for message in messages] == sorted(columns)
        assert all("are strings (object), but those of fit are numbers (int64)" in message for message in messages)


@pytest.mark.parametrize("protocol", ["full", "sampled", "rerank"])
def test_nan_scores_are_refused(random_ranker, protocol):
    model = random_ranker().fit(X)
    model.table_[:] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        make_ranking_scorer(protocol=protocol)(model, X, [0, 1, 1])


def test_scores_must_be_one_number_a_row():
    model = LogisticRegression().fit(X, ["a", "b", "c"])
    with pytest.raises(ValueError, match="predict of LogisticRegression returned an array of shape .* type <U1"):
        make_ranking_scorer(protocol="rerank")(model, X, [0, 1, 1])
