"""Non-negative factors, compared with scikit-learn and with non-negative least squares."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from skrec.models import NMFRanker


def random_events(n_users=40, n_items=15, n_events=300, seed=0):
    random = np.random.default_rng(seed)
    items = (n_items * random.random(n_events) ** 2).astype(int)
    return pd.DataFrame({"user_id": random.integers(0, n_users, n_events), "item_id": items})


EVENTS = random_events()
MATRIX = pd.crosstab(EVENTS["user_id"], EVENTS["item_id"]).to_numpy().astype(float)


@pytest.mark.parametrize("parameters", [{}, {"alpha": 0.002}, {"alpha": 0.005, "l1_ratio": 0.6}], ids=str)
def test_factors_are_those_of_scikit_learn(parameters):
    model = NMFRanker(embedding_dim=3, tol=1e-5, max_iter=5000, random_state=0, **parameters).fit(EVENTS)
    of_both = {"alpha_W": parameters.get("alpha", 0.0), "l1_ratio": parameters.get("l1_ratio", 0.0)}
    nmf = NMF(3, init="nndsvda", tol=1e-5, max_iter=5000, random_state=0, **of_both)
    users = nmf.fit_transform(MATRIX)
    np.testing.assert_allclose(model.item_embeddings_, nmf.components_.T, atol=2e-3)
    np.testing.assert_allclose(model.user_embeddings_, users, atol=2e-3)
    assert (model.item_embeddings_ >= 0).all()
    assert (model.user_embeddings_ >= 0).all()


def test_vectors_of_histories_solve_non_negative_least_squares():
    model = NMFRanker(embedding_dim=4, random_state=0).fit(EVENTS)
    items = model.item_embeddings_.astype(float)
    history = np.zeros(len(items))
    history[[1, 4]] = 1, 2
    expected = nnls(items, history)[0]
    found = model.encode_queries(history=[[4, 1, 4], [0, 2, 2, 9]])
    np.testing.assert_allclose(found[0], expected, atol=1e-4)
    np.testing.assert_allclose(found, [model.encode_queries(history=[h])[0] for h in ([1, 4, 4], [0, 2, 2, 9])])
    np.testing.assert_allclose(model.user_embeddings_[7], nnls(items, MATRIX[7])[0], atol=1e-4)


def test_groups_of_items_are_found():
    random = np.random.default_rng(0)
    users = np.repeat(np.arange(60), 5)
    items = np.where(users < 30, 0, 10) + random.integers(0, 10, len(users))
    model = NMFRanker(embedding_dim=2, random_state=0).fit(np.column_stack([users, items]))
    groups = model.item_embeddings_ > 0.02
    assert groups[model.items_ < 10].all(axis=0).sum() == 1  # one dimension has all of these items,
    assert (groups.sum(axis=1) == 1).all()  # and no item of the other group
    recommended = model.recommend(history=[[3]], k=9)["item_id"]
    assert (recommended < 10).all()


def test_passes_that_do_not_suffice_are_a_warning():
    with pytest.warns(ConvergenceWarning, match="Maximum number of iterations 2 reached"):
        model = NMFRanker(embedding_dim=5, max_iter=2, tol=1e-9, random_state=0).fit(EVENTS)
    assert model.n_iter_ == 2


def test_no_more_dimensions_than_items():
    model = NMFRanker(embedding_dim=500, alpha=1e-3, max_iter=5000).fit(EVENTS)
    assert model.item_embeddings_.shape == (15, 15)
