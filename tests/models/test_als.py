"""Factors without a network: alternating least squares and singular vectors, recomputed with dense arrays."""

import numpy as np
import pandas as pd
import pytest

from skrec.models import ALSRanker, PureSVDRanker
from skrec.models.factors import _least_squares


def random_events(n_users=40, n_items=15, n_events=300, seed=0):
    random = np.random.default_rng(seed)
    items = (n_items * random.random(n_events) ** 2).astype(int)
    return pd.DataFrame({"user_id": random.integers(0, n_users, n_events), "item_id": items})


EVENTS = random_events()
MATRIX = pd.crosstab(EVENTS["user_id"], EVENTS["item_id"]).to_numpy().astype(float)


def loss(matrix, users, items, unobserved_weight, l2, scaling):
    """The loss of the paper, term by term."""
    scores = users @ items.T
    fit = (matrix * (scores - 1) ** 2).sum() + unobserved_weight * (scores**2).sum()
    of_users = l2 * (matrix.sum(axis=1) + unobserved_weight * matrix.shape[1]) ** scaling
    of_items = l2 * (matrix.sum(axis=0) + unobserved_weight * matrix.shape[0]) ** scaling
    return fit + of_users @ (users**2).sum(axis=1) + of_items @ (items**2).sum(axis=1)


def solved(matrix, items, unobserved_weight, l2, scaling):
    """User vectors for fixed item vectors, user by user."""
    n, dim = items.shape
    vectors = []
    for row in matrix:
        penalty = l2 * (row.sum() + unobserved_weight * n) ** scaling
        left = unobserved_weight * items.T @ items + penalty * np.eye(dim)
        left += sum(weight * np.outer(y, y) for weight, y in zip(row, items, strict=True))
        vectors.append(np.linalg.solve(left, row @ items))
    return np.array(vectors)


@pytest.mark.parametrize("scaling", [0.0, 0.5, 1.0])
def test_vectors_of_users_and_histories_solve_their_least_squares(scaling):
    parameters = {"unobserved_weight": 0.2, "l2": 0.03, "frequency_scaling": scaling}
    model = ALSRanker(embedding_dim=5, random_state=0, **parameters).fit(EVENTS)
    expected = solved(MATRIX, model.item_embeddings_.astype(float), 0.2, 0.03, scaling)
    np.testing.assert_allclose(model.user_embeddings_, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        model.score_items(model.users_), expected @ model.item_embeddings_.T, rtol=1e-3, atol=1e-5
    )
    history = np.zeros((1, MATRIX.shape[1]))
    history[0, [1, 4]] = 1, 2
    expected = solved(history, model.item_embeddings_.astype(float), 0.2, 0.03, scaling)
    np.testing.assert_allclose(model.encode_queries(history=[[4, 1, 4]]), expected, rtol=1e-3, atol=1e-5)


def test_the_loss_falls_to_a_stationary_point():
    losses = []
    for epochs in (1, 2, 4, 60):
        parameters = {"unobserved_weight": 0.1, "l2": 0.05}
        model = ALSRanker(embedding_dim=4, epochs=epochs, random_state=0, **parameters).fit(EVENTS)
        users, items = model.user_embeddings_.astype(float), model.item_embeddings_.astype(float)
        losses.append(loss(MATRIX, users, items, 0.1, 0.05, 1.0))
    assert losses == sorted(losses, reverse=True)
    again = solved(MATRIX.T, users, 0.1, 0.05, 1.0)
    np.testing.assert_allclose(items, again, atol=2e-2)
    random = np.random.default_rng(0)
    for _ in range(5):
        other = items + 0.1 * random.normal(size=items.shape)
        assert loss(MATRIX, users, other, 0.1, 0.05, 1.0) > losses[-1]


def test_conjugate_gradients_come_as_far_as_exact_solutions():
    weight = np.random.default_rng(1).integers(1, 4, len(EVENTS))
    losses = []
    for solver in ("exact", "cg"):
        model = ALSRanker(embedding_dim=4, epochs=30, l2=0.05, solver=solver, random_state=0)
        model.fit(EVENTS, sample_weight=weight)
        matrix = EVENTS.assign(weight=weight).pivot_table(
            index="user_id", columns="item_id", values="weight", aggfunc="sum", fill_value=0
        )
        users, items = model.user_embeddings_.astype(float), model.item_embeddings_.astype(float)
        losses.append(loss(matrix.to_numpy(), users, items, 0.1, 0.05, 1.0))
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


def test_further_fits_start_from_the_vectors():
    model = ALSRanker(embedding_dim=4, random_state=0).fit(EVENTS)
    before = model.item_embeddings_.copy()
    more = pd.DataFrame({"user_id": [0, 99, 99], "item_id": [3, 3, 77]})
    model.partial_fit(more)
    assert model.items_[-1] == 77
    old, new = model.item_embeddings_[:-1], model.item_embeddings_[-1]
    assert np.linalg.norm(old - before) < 0.1 * np.linalg.norm(before)
    assert np.linalg.norm(new) > 0
    whole = ALSRanker(embedding_dim=4, random_state=0).fit(EVENTS)
    np.testing.assert_array_equal(whole.item_embeddings_, before)  # fit starts anew
    np.testing.assert_array_equal(model.fit(EVENTS).item_embeddings_, before)


def test_stacks_change_nothing(monkeypatch):
    whole = ALSRanker(embedding_dim=4, random_state=0).fit(EVENTS)
    monkeypatch.setattr(_least_squares, "_CELLS", 1)
    parts = ALSRanker(embedding_dim=4, random_state=0).fit(EVENTS)
    np.testing.assert_allclose(parts.item_embeddings_, whole.item_embeddings_, atol=1e-4)


def test_parameters_set_after_fit_do_not_change_scores():
    model = ALSRanker(embedding_dim=4, random_state=0).fit(EVENTS)
    before = model.score_items([1, 2])
    np.testing.assert_array_equal(model.set_params(l2=5.0, unobserved_weight=3.0).score_items([1, 2]), before)


def test_equal_seeds_give_equal_bits():
    first, second = (ALSRanker(embedding_dim=4, random_state=3).fit(EVENTS) for _ in range(2))
    np.testing.assert_array_equal(first.item_embeddings_, second.item_embeddings_)
    other = ALSRanker(embedding_dim=4, random_state=4, epochs=1).fit(EVENTS)
    assert not np.allclose(other.item_embeddings_, first.item_embeddings_)


def test_singular_vectors():
    model = PureSVDRanker(embedding_dim=3, random_state=0).fit(EVENTS)
    _, values, right = np.linalg.svd(MATRIX, full_matrices=False)
    np.testing.assert_allclose(model.singular_values_, values[:3], rtol=1e-4)
    np.testing.assert_allclose(model.score_items(model.users_), MATRIX @ right[:3].T @ right[:3], atol=1e-3)
    np.testing.assert_allclose(model.user_embeddings_, MATRIX @ model.item_embeddings_, atol=1e-3)
    assert PureSVDRanker(embedding_dim=500).fit(EVENTS).item_embeddings_.shape == (15, 15)


def test_the_weight_of_unobserved_pairs_goes_by_the_density():
    n_pairs = len(EVENTS.drop_duplicates(["user_id", "item_id"]))
    density = n_pairs / (EVENTS["user_id"].nunique() * EVENTS["item_id"].nunique())
    model = ALSRanker(embedding_dim=4, random_state=0).fit(EVENTS)
    assert model.unobserved_weight_ == pytest.approx(min(1.0, 3 * density))
    named = ALSRanker(embedding_dim=4, random_state=0, unobserved_weight=model.unobserved_weight_).fit(EVENTS)
    np.testing.assert_array_equal(model.item_embeddings_, named.item_embeddings_)
