"""Ranks of positives and the metrics from them, against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from skrec.metrics._ranks import metrics_from_ranks, positive_ranks


def ranks_by_sorting(scores, positives, excluded):
    """Sort every row: score downwards, non-positives before positives, then by column."""
    result = []
    for row, scored in enumerate(scores):
        columns = [j for j in range(len(scored)) if positives[row, j] or not excluded[row, j]]
        order = sorted(columns, key=lambda j: (-scored[j], positives[row, j], j))
        result += [1 + order.index(j) for j in range(len(scored)) if positives[row, j]]
    return result


@st.composite
def problems(draw):
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 14)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 2, 5, 1000]))
    scores = rng.integers(0, levels, shape).astype(draw(st.sampled_from([np.float32, np.float64])))
    scores[rng.random(shape) < 0.05] = -np.inf
    scores[rng.random(shape) < 0.05] = np.inf
    positives = rng.random(shape) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    excluded = rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 1.0]))
    return scores, positives, excluded


@settings(max_examples=150, deadline=None)
@given(problems())
def test_ranks_are_those_of_a_plain_sort(problem):
    scores, positives, excluded = problem
    before = scores.copy()
    indptr, ranks = positive_ranks(scores, csr_array(positives), csr_array(excluded))
    assert ranks.tolist() == ranks_by_sorting(scores, positives, excluded)
    assert np.diff(indptr).tolist() == positives.sum(axis=1).tolist()
    np.testing.assert_array_equal(scores, before)


@settings(max_examples=100, deadline=None)
@given(problems(), st.sampled_from([1, 2, 5, 13]))
def test_ranks_down_to_a_depth(problem, depth):
    """Many positives a row are ranked in another way; what comes later need only be known to."""
    scores, positives, excluded = problem
    exact = np.array(ranks_by_sorting(scores, positives, excluded), dtype=int)
    _, ranks = positive_ranks(scores, csr_array(positives), csr_array(excluded), depth=depth)
    np.testing.assert_array_equal(np.minimum(ranks, depth + 1), np.minimum(exact, depth + 1))


def test_ranks_over_several_chunks(monkeypatch):
    monkeypatch.setattr("skrec.metrics._ranks._CHUNK_ELEMENTS", 50)
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 20, (57, 30)).astype(float)
    positives, excluded = rng.random((2, 57, 30)) < rng.random((57, 1)) / 2
    _, ranks = positive_ranks(scores, csr_array(positives), csr_array(excluded))
    assert ranks.tolist() == ranks_by_sorting(scores, positives, excluded)


def test_whole_numbers_are_scores_too():
    _, ranks = positive_ranks(np.array([[3, 2, 1]]), csr_array([[0, 0, 1]]))
    assert ranks.tolist() == [3]


def test_rows_and_columns_may_be_empty():
    assert positive_ranks(np.empty((0, 3)), csr_array((0, 3)))[0].tolist() == [0]
    assert positive_ranks(np.empty((2, 0)), csr_array((2, 0)))[0].tolist() == [0, 0, 0]


def test_lower_gain_first_among_tied_positives():
    _, ranks = positive_ranks(np.zeros((1, 3)), csr_array([[3, 1, 2]]))
    assert ranks.tolist() == [3, 1, 2]


def test_nan_scores_are_refused():
    scores = np.zeros((3, 4))
    scores[2, 1] = np.nan
    with pytest.raises(ValueError, match="Score of row 2, column 1 is NaN"):
        positive_ranks(scores, csr_array((3, 4)))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"positives has shape \(1, 3\), but scores has shape \(1, 2\)"):
        positive_ranks(np.zeros((1, 2)), csr_array((1, 3)))
    with pytest.raises(ValueError, match=r"excluded has shape \(2, 2\)"):
        positive_ranks(np.zeros((1, 2)), csr_array((1, 2)), csr_array((2, 2)))


def test_hand_computed_metrics():
    # Ranks 2 and 5 of three relevant items; a user who missed all; one without relevant items.
    names = ["ndcg@5", "recall@5", "precision@5", "hit_rate@5", "map@5", "mrr@5", "ndcg@1", "mrr@1", "map@2"]
    values = metrics_from_ranks(names, np.array([0, 2, 2, 2]), np.array([5, 2]), np.array([3, 1, 0]))
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    expected = {
        "ndcg@5": (1 / np.log2(3) + 1 / np.log2(6)) / ideal,
        "recall@5": 2 / 3,
        "precision@5": 2 / 5,
        "hit_rate@5": 1,
        "map@5": (1 / 2 + 2 / 5) / 3,
        "mrr@5": 1 / 2,
        "ndcg@1": 0,
        "mrr@1": 0,
        "map@2": (1 / 2) / 2,
    }
    assert list(values) == names
    for name, value in values.items():
        np.testing.assert_allclose(value, [expected[name], 0, np.nan], err_msg=name)


def test_k_above_everything():
    values = metrics_from_ranks(["ndcg@1000000000000"], np.array([0, 1]), np.array([1]), np.array([1]))
    np.testing.assert_allclose(values["ndcg@1000000000000"], 1)


def test_whole_lists():
    # Ranks 2 and 400 of three relevant items, of which one is not in the catalogue; a user who has only such.
    values = metrics_from_ranks(["map", "mrr"], np.array([0, 2, 2]), np.array([400, 2]), np.array([3, 1]))
    np.testing.assert_allclose(values["map"], [(1 / 2 + 2 / 400) / 3, 0])
    np.testing.assert_allclose(values["mrr"], [1 / 2, 0])
