"""The metric functions against loops, scikit-learn and their defining properties."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array
from sklearn.metrics import ndcg_score

from skrec import metrics


def ndcg(relevance, k):
    dcg = sum(r / math.log2(i + 2) for i, r in enumerate(relevance[:k]))
    return dcg / sum(r / math.log2(i + 2) for i, r in enumerate(sorted(relevance, reverse=True)[:k]))


def average_precision(relevance, k):
    total = sum(sum(r > 0 for r in relevance[: i + 1]) / (i + 1) for i, r in enumerate(relevance[:k]) if r > 0)
    return total / min(k, sum(r > 0 for r in relevance))


def reciprocal_rank(relevance, k):
    return next((1 / (i + 1) for i, r in enumerate(relevance[:k]) if r > 0), 0.0)


# Each takes the relevance of one user's items, best first.
BY_HAND = {
    metrics.ndcg_at_k: ndcg,
    metrics.recall_at_k: lambda relevance, k: sum(r > 0 for r in relevance[:k]) / sum(r > 0 for r in relevance),
    metrics.precision_at_k: lambda relevance, k: sum(r > 0 for r in relevance[:k]) / k,
    metrics.hit_rate_at_k: lambda relevance, k: float(any(r > 0 for r in relevance[:k])),
    metrics.average_precision_at_k: average_precision,
    metrics.reciprocal_rank_at_k: reciprocal_rank,
}
every_metric = pytest.mark.parametrize("metric", BY_HAND, ids=lambda metric: metric.__name__)
matrix = st.tuples(st.integers(1, 5), st.integers(1, 8)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.int64, shape, elements=st.integers(0, 3)),
        hnp.arrays(np.int64, shape, elements=st.integers(-3, 3)),
    )
)
few = settings(max_examples=40, deadline=None)
some_k = st.sampled_from([1, 2, 3, 7, 100])


def worst_order(relevance, scores):
    order = sorted(range(len(scores)), key=lambda j: (-scores[j], relevance[j]))
    return [max(relevance[j], 0) for j in order]


@every_metric
@few
@given(matrix, some_k)
def test_equals_plain_loops_per_user(metric, data, k):
    y_true, y_pred = data
    expected = [
        BY_HAND[metric](worst_order(r, s), k) if r.max() > 0 else np.nan for r, s in zip(y_true, y_pred, strict=True)
    ]
    np.testing.assert_allclose(metric(y_true, y_pred, k=k, per_user=True), expected)
    if not np.isnan(expected).all():
        assert metric(y_true, y_pred, k=k) == pytest.approx(np.nanmean(expected))
        assert metric(csr_array(y_true), y_pred, k=k) == pytest.approx(np.nanmean(expected))


@every_metric
@few
@given(matrix, some_k, st.randoms(use_true_random=False))
def test_rows_with_groups_equal_the_matrix(metric, data, k, random):
    y_true, y_pred = data
    assume(y_true.max() > 0)
    rows = [(f"user {u}", y_true[u, i], y_pred[u, i]) for u, i in np.ndindex(y_true.shape)]
    random.shuffle(rows)
    groups, labels, scores = zip(*rows, strict=True)
    per_user = metric(labels, scores, k=k, groups=groups, per_user=True)
    expected = metric(y_true, y_pred, k=k, per_user=True)
    np.testing.assert_allclose(per_user[[f"user {u}" for u in range(len(y_true))]], expected)
    assert per_user.index.tolist() == list(dict.fromkeys(groups))
    assert metric(labels, scores, k=k, groups=groups) == pytest.approx(np.nanmean(expected))


@pytest.mark.parametrize("k", [1, 5, 10, 1000])
def test_ndcg_equals_scikit_learn_without_ties(k):
    rng = np.random.default_rng(3)
    y_true = rng.integers(0, 5, (50, 40))
    y_pred = rng.permuted(np.tile(np.arange(40.0), (50, 1)), axis=1)
    assert metrics.ndcg_at_k(y_true, y_pred, k=k) == pytest.approx(ndcg_score(y_true, y_pred, k=k))


@every_metric
@few
@given(matrix, some_k, st.sampled_from([np.exp, np.arctan, lambda s: 3 * s - 7, lambda s: s**3]))
def test_only_the_order_of_the_scores_matters(metric, data, k, monotone):
    y_true, y_pred = data
    before = metric(y_true, y_pred, k=k, per_user=True)
    np.testing.assert_array_equal(metric(y_true, monotone(y_pred.astype(float)), k=k, per_user=True), before)


@every_metric
@few
@given(matrix, some_k)
def test_nothing_beats_the_best_order(metric, data, k):
    y_true, y_pred = data
    assume(y_true.max() > 0)
    best = metric(y_true, y_true, k=k)
    assert metric(y_true, y_pred, k=k) <= best + 1e-12
    if metric in {
        metrics.ndcg_at_k,
        metrics.hit_rate_at_k,
        metrics.reciprocal_rank_at_k,
        metrics.average_precision_at_k,
    }:
        assert best == pytest.approx(1)


@every_metric
@few
@given(matrix, some_k, st.data())
def test_a_new_tie_never_raises_a_metric(metric, data, k, draw):
    y_true, y_pred = data
    user = draw.draw(st.integers(0, len(y_true) - 1))
    assume(y_true[user].max() > 0)
    # Two neighbours in the order of scores become tied.
    levels = np.unique(y_pred[user])
    assume(len(levels) > 1)
    at = draw.draw(st.integers(1, len(levels) - 1))
    tied = y_pred.copy()
    tied[user, tied[user] == levels[at]] = levels[at - 1]
    before = metric(y_true, y_pred, k=k, per_user=True)[user]
    assert metric(y_true, tied, k=k, per_user=True)[user] <= before + 1e-12


@every_metric
def test_a_constant_score_earns_nothing_where_enough_is_irrelevant(metric):
    assert metric([[1] + [0] * 10], np.zeros((1, 11)), k=10) == 0


@every_metric
def test_infinite_scores_are_scores(metric):
    assert metric([[1, 0]], [[np.inf, -np.inf]], k=1) == 1


def test_input_is_left_alone():
    y_true = csr_array(np.array([[0.0, -1.0, 2.0]]))
    before = y_true.copy()
    metrics.ndcg_at_k(y_true, [[1, 2, 3]], k=2)
    assert (y_true != before).nnz == 0
    assert y_true.nnz == before.nnz == 2


def test_series_keep_the_users_as_index():
    frame = pd.DataFrame({"user_id": [7, 8, 7], "liked": [True, False, False], "score": [1.0, 2.0, 3.0]})
    values = metrics.hit_rate_at_k(frame["liked"], frame["score"], k=2, groups=frame["user_id"], per_user=True)
    pd.testing.assert_series_equal(
        values, pd.Series([1.0, np.nan], index=pd.Index([7, 8], name="user_id"), name="hit_rate@2")
    )


@every_metric
@pytest.mark.parametrize("k", [0, -1, 2.0, "3", None, True])
def test_k_must_be_a_positive_whole_number(metric, k):
    if k is None and metric in {metrics.average_precision_at_k, metrics.reciprocal_rank_at_k}:
        assert metric([[1]], [[1]], k=k) == 1  # the whole list
        return
    with pytest.raises(ValueError, match=f"k must be a whole number of at least 1, got {k!r}"):
        metric([[1]], [[1]], k=k)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "groups", "message"),
    [
        ([[1, 0]], [[1]], None, r"y_true has shape \(1, 2\), but y_pred has shape \(1, 1\)"),
        ([1, 0], [1, 0], None, "1 dimension.* the user of each row as groups="),
        ([[1, 0]], [[1, 0]], [1], "groups= needs one-dimensional"),
        ([1, 0], [1, 0], [1], "groups has 1 entries, but y_pred has 2"),
        ([1, 0], [1, 0], ["a", None], r"groups is missing \(None or NaN\) in row 1"),
        ([[1, np.nan]], [[1, 0]], None, r"y_true contains nan at \[0, 1\]"),
        ([[1, np.inf]], [[1, 0]], None, r"y_true contains inf at \[0, 1\]"),
        ([[1, 1]], [[np.nan, 0]], None, r"y_pred contains nan at \[0, 0\]"),
        ([["yes", "no"]], [[1, 0]], None, "y_true must hold numbers: could not convert string"),
        ([[0, -1]], [[1, 0]], None, "Nothing in y_true is above 0"),
        ([0], [1], ["a"], "Nothing in y_true is above 0"),
    ],
)
def test_bad_input(y_true, y_pred, groups, message):
    with pytest.raises(ValueError, match=message):
        metrics.ndcg_at_k(y_true, y_pred, k=1, groups=groups)


def test_pandas_labels_in_another_order_are_told_of():
    y_true = pd.DataFrame([[0, 1, 1], [1, 0, 0]], index=["ana", "bo"], columns=["x", "y", "z"])
    y_pred = y_true + 0.5
    assert metrics.ndcg_at_k(y_true, y_pred, k=2) == 1
    for other, axis in ((y_pred[["z", "y", "x"]], "columns"), (y_pred.iloc[::-1], "index")):
        with pytest.raises(ValueError, match=f"y_true and y_pred have the same {axis} in another order: at position 0"):
            metrics.ndcg_at_k(y_true, other, k=2)
        assert metrics.ndcg_at_k(y_true, other.reindex_like(y_true), k=2) == 1
        metrics.ndcg_at_k(y_true, other.to_numpy(), k=2)
    of_rows, users = pd.Series([0, 1, 1], index=[7, 8, 9]), pd.Series(["ana", "ana", "bo"], index=[9, 8, 7])
    with pytest.raises(ValueError, match="y_true and groups have the same index in another order"):
        metrics.ranking_metrics(of_rows, [0, 1, 1], ["mrr"], groups=users)
    # Other labels, such as those of predictions that were numbered anew, say nothing of the order.
    assert metrics.ndcg_at_k(of_rows, pd.Series([0, 1, 1]), k=1, groups=["ana", "ana", "bo"]) == 1
