"""Metrics of one's own in ranking scorers: functions of the ranks of a user's relevant items."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate

from skrec.inspection import compare
from skrec.metrics import get_scorer, make_ranking_scorer, ndcg_at_k
from skrec.models import PopularityRanker

# Items by popularity: a (4 events), b (3), c (2), d (1).
TRAIN = pd.DataFrame({"user_id": list("vwxyvwxvwv"), "item_id": list("aaaabbbccd")})
TEST = pd.DataFrame({"user_id": ["y", "y", "z", "x"], "item_id": ["c", "d", "b", "new"]})
MODEL = PopularityRanker().fit(TRAIN)


def seen_by(calls):
    def record(ranks, n_relevant, n_items):
        calls.append((ranks.tolist(), n_relevant, n_items))
        return float(len(ranks))

    return record


def reciprocal(ranks, n_relevant, n_items):
    return 1 / ranks[0] if len(ranks) else 0.0


def hits(ranks, n_relevant, n_items, k=1):
    return float((ranks <= k).sum())


def test_what_a_function_is_told():
    calls = []
    scorer = make_ranking_scorer(seen_by(calls))
    # y has had a, so that b, c, d are ranked; z is new; x has had a and b, and "new" is not in the catalogue.
    assert scorer(MODEL, TEST) == pytest.approx((2 + 1 + 0) / 3)
    assert calls == [([2, 3], 2, 3), ([2], 1, 4), ([], 1, 2)]


def test_it_equals_the_metric_of_the_same_definition():
    scorer = make_ranking_scorer([reciprocal, "mrr", "ndcg@2"])
    values = scorer(MODEL, TEST)
    assert list(values) == ["reciprocal", "mrr", "ndcg@2"]
    assert values["reciprocal"] == values["mrr"] == make_ranking_scorer(reciprocal)(MODEL, TEST)
    report = scorer.evaluate(MODEL, TEST)
    assert report.per_user["reciprocal"].tolist() == report.per_user["mrr"].tolist() == [0.5, 0.5, 0.0]
    labels = [0, 1, 1, 0]
    for protocol in ("rerank", "sampled"):
        values = make_ranking_scorer([reciprocal, "mrr"], protocol=protocol)(MODEL, TEST, labels)
        assert values["reciprocal"] == values["mrr"]


def test_lengths_of_lists_of_other_protocols():
    calls = []
    make_ranking_scorer(seen_by(calls), protocol="rerank")(MODEL, TEST[:2], [0, 1])
    assert calls == [([2], 1, 2)]
    calls.clear()
    make_ranking_scorer(seen_by(calls), protocol="sampled", n_candidates=2)(MODEL, TEST[2:3])
    assert calls[0][1:] == (1, 3)


def test_names_in_dicts():
    scorer = make_ranking_scorer({"first": partial(hits, k=1), "three": partial(hits, k=3), "main": "ndcg@2"})
    values = scorer(MODEL, TEST)
    assert list(values) == ["first", "three", "main"]
    assert values["three"] == pytest.approx(1.0)
    assert values["main"] == make_ranking_scorer("ndcg@2")(MODEL, TEST)
    assert scorer.evaluate(MODEL, TEST).per_user.columns.tolist() == ["first", "three", "main"]
    assert make_ranking_scorer([partial(hits, k=2)]).__name__ == "hits"


def test_it_works_in_tools_of_scikit_learn():
    scorer = make_ranking_scorer([reciprocal, "mrr"])
    X = pd.concat([TRAIN, TEST])
    for copy in (clone(scorer), pickle.loads(pickle.dumps(scorer))):
        assert copy(MODEL, TEST) == scorer(MODEL, TEST)
    assert "reciprocal" in repr(scorer)
    results = cross_validate(PopularityRanker(), X, cv=KFold(2), scoring=scorer)
    np.testing.assert_array_equal(results["test_reciprocal"], results["test_mrr"])
    single = cross_val_score(PopularityRanker(), X, cv=KFold(2), scoring=make_ranking_scorer(reciprocal))
    np.testing.assert_array_equal(single, results["test_mrr"])
    grid = {"handle_unknown": ["oov"]}
    search = GridSearchCV(PopularityRanker(), grid, scoring=scorer, refit="reciprocal", cv=KFold(2)).fit(X)
    assert search.best_score_ == pytest.approx(results["test_mrr"].mean())
    assert get_scorer(scorer) is scorer
    table = compare(PopularityRanker(), X, cv=KFold(2), scoring=scorer, baseline=False).table
    assert table["reciprocal"].iloc[0] == table["mrr"].iloc[0]


@pytest.mark.parametrize(
    ("metrics", "error", "match"),
    [
        (ndcg_at_k, TypeError, r"'ndcg_at_k' cannot be called as f\(ranks, n_relevant, n_items\).*such as 'ndcg@10'"),
        ([lambda ranks: 1.0], TypeError, "'<lambda>' cannot be called as"),
        ([hits, partial(hits, k=3)], ValueError, "Two metrics are called 'hits': name them in a dict"),
        (make_scorer(accuracy_score), TypeError, "is a scorer already: pass it as scoring"),
        (make_ranking_scorer("auc"), TypeError, "is a scorer already"),
        (dict, TypeError, "The metric 'dict' is a class"),
        ({}, ValueError, "metrics is empty"),
        ({1: hits}, TypeError, "keys of metrics must be strings, got 1"),
        (10, TypeError, "metrics is 10; it must be a name"),
        ([10], TypeError, "A metric is named by a string such as 'ndcg@10', got 10"),
    ],
)
def test_what_is_no_metric(metrics, error, match):
    with pytest.raises(error, match=match):
        make_ranking_scorer(metrics)


def test_what_a_function_must_return():
    with pytest.raises(TypeError, match=r"The metric 'lists' returned \[1, 2\] for the ranks \[2, 3\]"):
        make_ranking_scorer({"lists": lambda ranks, n_relevant, n_items: [1, 2]})(MODEL, TEST)
    with pytest.raises(ValueError, match="The metric nothing returned NaN for each of the 3 users"):
        make_ranking_scorer({"nothing": lambda ranks, n_relevant, n_items: np.nan})(MODEL, TEST)
