"""Names of metrics, and what is said of those that are none."""

import pytest

from skrec.metrics import get_scorer, make_ranking_scorer, ranking_metrics


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndgc@10", r"no ranking metric 'ndgc@10'. Did you mean 'ndcg@10'\?"),
        ("NDCG@5", r"Did you mean 'ndcg@5'\?"),
        ("hitrate@3", r"Did you mean 'hit_rate@3'\?"),
        ("novlety@3", r"Did you mean 'novelty@3'\?"),
        ("coverge", r"Did you mean 'coverage@10'\?"),
        ("AUC", r"Did you mean 'auc'\?"),
        (
            "zzz",
            "no ranking metric 'zzz'. Known: ndcg@k, recall@k, capped_recall@k, precision@k, hit_rate@k, map@k, mrr@k,",
        ),
        ("ndcg", "lacks the length of the list: write, for example, 'ndcg@10'"),
        ("novelty", "lacks the length of the list: write, for example, 'novelty@10'"),
        ("ndcg@0", "k of metric 'ndcg@0' is '0'; it must be a whole number of at least 1"),
        ("ndcg@-1", "is '-1'; it must be a whole number"),
        ("ndcg@1.5", "is '1.5'; it must be a whole number"),
        ("ndcg@", "is ''; it must be a whole number"),
        ("diversity@1", "is '1'; it must be a whole number of at least 2"),
        ("auc@10", "no ranking metric 'auc@10': the AUC evaluates the whole list. Write 'auc'"),
        ("gini@5", "scores must be better when greater, but a lower Gini index is better. Write 'neg_gini@5'"),
        ("popularity", "but a lower mean popularity is better. Write 'neg_popularity@10'"),
    ],
)
def test_names_that_are_no_metric(name, message):
    for take in (make_ranking_scorer, get_scorer, lambda name: ranking_metrics([[1]], [[1]], [name])):
        with pytest.raises(ValueError, match=message):
            take(name)


def test_names_are_strings():
    with pytest.raises(TypeError, match="named by a string such as 'ndcg@10', got 10"):
        make_ranking_scorer([10])


def test_aliases():
    y_true, y_pred = [[0, 1, 1]], [[3, 2, 1]]
    for alias, name in (("hr@2", "hit_rate@2"), ("average_precision@2", "map@2"), ("reciprocal_rank", "mrr")):
        values = ranking_metrics(y_true, y_pred, [alias, name])
        assert list(values) == [alias, name]
        assert values[alias] == values[name] > 0


def test_get_scorer():
    assert repr(get_scorer("hit_rate@10")) == "RankingScorer(metrics='hit_rate@10')"
    for name in ("cold_users", "auc", "map", "novelty@5", "neg_gini@10"):
        assert get_scorer(name).metrics == name
    assert "roc_auc" in repr(get_scorer("roc_auc"))
    assert get_scorer(len) is len
    for name, guess in (("acuracy", "accuracy"), ("cold_user", "cold_users")):
        with pytest.raises(ValueError, match=f"no scorer '{name}'. Did you mean '{guess}'\\?"):
            get_scorer(name)
