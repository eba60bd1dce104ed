"""Models in closed form, written on the public base alone: popularity and EASE."""

import subprocess
import sys
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrec.base import ClosedFormRanker, Interval
from skrec.model_selection import search_space
from skrec.models import PopularityRanker
from skrec.testing import check_recommender


@dataclass(eq=False, repr=False, kw_only=True)
class Popularity(ClosedFormRanker):
    """Items by the weight of their events."""

    item_counts_: Any = field(init=False, repr=False)

    def _solve(self, matrix):
        self.item_counts_ = matrix.sum(axis=0)

    def _scores(self, histories):
        return self.item_counts_[None, :]


@dataclass(eq=False, repr=False, kw_only=True)
class EASE(ClosedFormRanker):
    """Embarrassingly shallow autoencoder (Steck, 2019, doi:10.1145/3308558.3313710)."""

    l2: float = 10.0

    _parameter_constraints: ClassVar[dict] = {"l2": [Interval(Real, 0, None, closed="neither")]}

    def _solve(self, matrix):
        inverse = np.linalg.inv((matrix.T @ matrix).toarray() + self.l2 * np.eye(matrix.shape[1]))
        self.weights_ = inverse / -np.diag(inverse)
        np.fill_diagonal(self.weights_, 0)

    def _scores(self, histories):
        return histories @ self.weights_

    def _similarities(self, items):
        return self.weights_[items]

    def _search_space(self, distributions):
        return {"l2": distributions.FloatDistribution(1.0, 1e4, log=True)}


EVENTS = pd.DataFrame(
    {
        "user_id": ["ann", "ann", "bob", "bob", "cy", "cy", "cy", "dee"],
        "item_id": ["a", "b", "b", "c", "a", "b", "d", "d"],
    }
)
ITEMS = ["a", "b", "c", "d"]
MATRIX = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 0, 1], [0, 0, 0, 1.0]])


def dense_ease(matrix, l2=10.0):
    """Solve each column by itself: minimise ||x_j - X b||^2 + l2 ||b||^2 with b_j = 0, as the paper defines it."""
    n = matrix.shape[1]
    weights = np.zeros((n, n))
    for j in range(n):
        others = np.delete(np.arange(n), j)
        X = matrix[:, others]
        weights[others, j] = np.linalg.solve(X.T @ X + l2 * np.eye(n - 1), X.T @ matrix[:, j])
    return weights


@parametrize_with_checks([PopularityRanker(), Popularity(), EASE()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("model", [PopularityRanker(), Popularity()], ids=lambda model: type(model).__name__)
def test_counting_is_a_recommender(model):
    check_recommender(model, personalised=False)


def test_it_is_a_recommender():
    check_recommender(EASE())


def test_ease_is_the_solution_of_its_definition():
    model = EASE(l2=2.0).fit(EVENTS)
    weights = dense_ease(MATRIX, 2.0)
    np.testing.assert_allclose(model.score_items(["ann", "bob", "cy", "dee"]), MATRIX @ weights, atol=1e-6)
    best = np.argsort(-np.where(MATRIX > 0, -np.inf, MATRIX @ weights), axis=1)[:, 0]
    assert model.recommend(["ann", "bob", "cy", "dee"], k=1)["item_id"].tolist() == [ITEMS[i] for i in best]


def test_weights_and_repeated_events_add_up():
    X = pd.concat([EVENTS, EVENTS[:2]])
    weight = np.array([1, 2, 1, 0.5, 1, 3, 1, 1, 4, 5])
    matrix = MATRIX.copy()
    matrix[0, :2], matrix[1, 2], matrix[2, 1] = (5, 7), 0.5, 3
    model = EASE(l2=2.0).fit(X, sample_weight=weight)
    np.testing.assert_allclose(model.score_items(["ann", "cy"]), (matrix @ dense_ease(matrix, 2.0))[[0, 2]], atol=1e-5)
    assert PopularityRanker().fit(X, sample_weight=weight).item_counts_.tolist() == matrix.sum(axis=0).tolist()


def test_rows_that_are_not_positive_are_not_used():
    shown = pd.concat([EVENTS, pd.DataFrame({"user_id": ["dee"], "item_id": ["b"]})])
    model = EASE().fit(shown, [1] * len(EVENTS) + [0])
    assert (model.score_items(["dee"]) == EASE().fit(EVENTS).score_items(["dee"])).all()
    assert "b" in model.recommend(["dee"])["item_id"].tolist()


@pytest.mark.parametrize("model", [PopularityRanker(), EASE()], ids=lambda model: type(model).__name__)
def test_fits_in_parts_are_one_fit(model):
    weight = np.arange(1.0, 9.0)
    for part in (slice(0, 3), slice(3, 4), slice(4, 8)):
        model.partial_fit(EVENTS[part], sample_weight=weight[part])
    users = ["ann", "bob", "cy", "dee"]
    whole = type(model)().fit(EVENTS, sample_weight=weight)
    np.testing.assert_allclose(model.score_items(users, ITEMS), whole.score_items(users, ITEMS), rtol=1e-6)
    assert (model.seen_items(users)[:, np.argsort(model.items_)].toarray() == (MATRIX > 0)).all()


def test_similar_items():
    model = EASE(l2=2.0).fit(EVENTS)
    weights = dense_ease(MATRIX, 2.0)
    found = model.similar_items(["a"], k=10)
    assert found["similar_item"].tolist() == [ITEMS[i] for i in np.argsort(-weights[0]) if i != 0]
    np.testing.assert_allclose(found["score"], np.sort(weights[0][1:])[::-1], atol=1e-6)
    with pytest.raises(AttributeError, match="PopularityRanker does not support similar items"):
        PopularityRanker().fit(EVENTS).similar_items(["a"])


@dataclass(eq=False, repr=False, kw_only=True)
class Factors(EASE):
    """A model with vectors of items."""

    def _solve(self, matrix):
        super()._solve(matrix)
        self.item_embeddings_ = np.linalg.svd(matrix.toarray())[2].T[:, :2]

    _similarities = ClosedFormRanker._similarities


def test_similar_items_by_their_vectors():
    model = Factors().fit(EVENTS)
    vectors = model.item_embeddings_ / np.linalg.norm(model.item_embeddings_, axis=1, keepdims=True)
    found = model.similar_items(["c"], k=3)
    np.testing.assert_allclose(found["score"], np.sort((vectors @ vectors[2])[[0, 1, 3]])[::-1], rtol=1e-5, atol=1e-6)


def test_explanations_are_the_change_of_the_score_by_removal():
    model, weights = EASE(l2=2.0).fit(EVENTS), dense_ease(MATRIX, 2.0)
    found = model.explain(["cy", "bob"], ["c", "a"])
    assert found.columns.tolist() == ["query", "user_id", "item_id", "past_item", "contribution"]
    assert found["query"].tolist() == [0, 0, 0, 1, 1]
    expected = [weights[[ITEMS.index(i) for i in past], j] for past, j in (("abd", 2), ("bc", 0))]
    for query, values in enumerate(expected):
        part = found[found["query"] == query]
        assert np.abs(part["contribution"]).is_monotonic_decreasing
        np.testing.assert_allclose(np.sort(part["contribution"]), np.sort(values), atol=1e-6)
    whole = model.score_items(["cy"], ["c"])[0, 0]
    assert found["contribution"][:3].sum() == pytest.approx(whole, abs=1e-6)
    given = model.explain(history=[["a", "b", "d"]], items=["c"])
    assert given["contribution"].tolist() == found["contribution"][:3].tolist()
    pd.testing.assert_frame_equal(model.explain(model.recommend(["cy"], k=1))[["past_item"]], found[:3][["past_item"]])
    one = model.explain(["dee"], ["a"])
    assert one["contribution"].tolist() == pytest.approx([weights[3, 0] - 2 / 8])  # without it, "a" has 2 of 8 events
    assert model.explain(["nobody"], ["a"]).empty
    with pytest.raises(ValueError, match="pass items="):
        model.explain(["cy"])


def test_popularity_has_nothing_to_explain_and_reads_no_histories():
    model = PopularityRanker().fit(EVENTS)
    assert not hasattr(model, "explain")
    with pytest.raises(TypeError, match="PopularityRanker reads no histories"):
        model.recommend(history=[["a"]])


def test_a_counter_from_an_older_version_goes_on_counting():
    model = PopularityRanker().fit(EVENTS, sample_weight=np.arange(8.0))
    before = model.item_counts_
    model._log = type(model._log)(model._log.indptr, model._log.items, model._log.item_counts)  # kept no weights
    model.partial_fit(pd.DataFrame({"user_id": ["ann"], "item_id": ["e"]}), sample_weight=[3])
    np.testing.assert_allclose(model.item_counts_, [*before, 3])
    assert model.seen_items(["ann"]).toarray().tolist() == [[True, True, False, False, True]]


def test_the_search_space_is_the_models():
    assert list(search_space(EASE())) == ["l2"]
    with pytest.raises(ValueError, match="declares no search space"):
        search_space(Popularity())


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="'l2' parameter of EASE"):
        EASE(l2=-1.0).fit(EVENTS)


def test_no_tensorflow_is_imported():
    code = (
        "import sys; from skrec.base import ClosedFormRanker; from skrec.models import PopularityRanker; "
        "model = PopularityRanker().fit([[1, 5], [2, 5], [2, 6]]); model.recommend([1]); model.predict([[1, 5]]); "
        "model.partial_fit([[1, 6]]); print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
