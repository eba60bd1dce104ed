"""EASE and SLIM, recomputed item by item, and what they refuse."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Ridge

from skrec.models import EASERanker, SLIMRanker
from skrec.models.linear import _gram, _slim


def random_events(n_users=60, n_items=15, n_events=400, seed=0):
    random = np.random.default_rng(seed)
    items = (n_items * random.random(n_events) ** 2).astype(int)
    return pd.DataFrame({"user_id": random.integers(0, n_users, n_events), "item_id": items})


EVENTS = random_events()
MATRIX = pd.crosstab(EVENTS["user_id"], EVENTS["item_id"]).to_numpy().astype(float)


def item_by_item(regressor, matrix=MATRIX):
    """Coefficients of a regression of each item on all others."""
    n = matrix.shape[1]
    weights = np.zeros((n, n))
    for item in range(n):
        others = np.delete(np.arange(n), item)
        weights[others, item] = regressor.fit(matrix[:, others], matrix[:, item]).coef_
    return weights


def test_ease_is_a_ridge_regression_of_each_item():
    model = EASERanker(l2=3.0).fit(EVENTS)
    expected = item_by_item(Ridge(alpha=3.0, fit_intercept=False, tol=1e-10))
    np.testing.assert_allclose(model.item_weights_, expected, atol=1e-5)
    np.testing.assert_allclose(model.score_items(model.users_), MATRIX @ expected, atol=1e-4)
    found = model.similar_items([4], k=20)
    assert found["score"].tolist() == pytest.approx(np.sort(np.delete(expected[4], 4))[::-1].tolist(), abs=1e-5)


@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.05, 0.5), (0.3, 0.01), (0.02, 1.0)])
def test_slim_is_an_elastic_net_of_each_item(alpha, l1_ratio):
    model = SLIMRanker(alpha=alpha, l1_ratio=l1_ratio, tol=1e-6, max_iter=1000).fit(EVENTS)
    net = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, fit_intercept=False, positive=True, tol=1e-10, max_iter=10_000)
    expected = item_by_item(net)
    np.testing.assert_allclose(model.item_weights_.toarray(), expected, atol=1e-4)
    assert (model.item_weights_.data > 0).all()
    assert 1 <= model.n_iter_ <= 1000


@pytest.mark.parametrize("n_items", [15, 90])
def test_sparse_and_dense_dot_products_give_the_same_weights(monkeypatch, n_items):
    events = random_events(n_users=200, n_items=n_items, n_events=700, seed=1)
    expected = SLIMRanker().fit(events).item_weights_.toarray()
    monkeypatch.setattr(_gram, "_DENSE_ITEMS", 0)
    monkeypatch.setattr(_slim, "_ITEMS_AT_A_TIME", 7)
    np.testing.assert_allclose(SLIMRanker().fit(events).item_weights_.toarray(), expected, atol=2e-3)


@pytest.mark.parametrize("speed", [0, 10**9])
def test_dot_products_of_all_items(monkeypatch, speed):
    """Both ways to compute them, in several blocks."""
    monkeypatch.setattr(_gram, "_DENSE_SPEED", speed)
    monkeypatch.setattr(_gram, "_CELLS", 200)
    np.testing.assert_allclose(
        EASERanker(l2=3.0).fit(EVENTS).item_weights_,
        item_by_item(Ridge(alpha=3.0, fit_intercept=False, tol=1e-10)),
        atol=1e-5,
    )


def test_slim_keeps_the_largest_weights_of_each_item():
    whole = SLIMRanker(alpha=0.01).fit(EVENTS).item_weights_.toarray()
    kept = SLIMRanker(alpha=0.01, n_neighbors=2).fit(EVENTS).item_weights_.toarray()
    for item in range(whole.shape[1]):
        np.testing.assert_array_equal(np.sort(kept[:, item])[-2:], np.sort(whole[:, item])[-2:])
        assert np.count_nonzero(kept[:, item]) <= 2


def test_automatic_regularization_follows_the_frequency_of_items_and_the_scale_of_weights():
    frequency = (EVENTS.drop_duplicates()["item_id"].map(EVENTS.drop_duplicates()["item_id"].value_counts())).mean()
    model = EASERanker().fit(EVENTS.drop_duplicates())
    assert model.l2_ == pytest.approx(11 * frequency**0.7)
    weighted = EASERanker().fit(EVENTS.drop_duplicates(), sample_weight=np.full(len(EVENTS.drop_duplicates()), 3.0))
    assert weighted.l2_ == pytest.approx(9 * model.l2_)
    np.testing.assert_allclose(weighted.item_weights_, model.item_weights_, atol=1e-5)
    slim = SLIMRanker().fit(EVENTS.drop_duplicates())
    assert slim.alpha_ == pytest.approx(_slim._PART * model.l2_ / len(slim.users_))


def test_weights_of_many_items_are_refused_before_they_are_allocated():
    events = pd.DataFrame({"user_id": np.arange(60_000) // 6, "item_id": np.arange(60_000)})
    with pytest.raises(ValueError, match="60,000 by 60,000 items, 13.4 GiB in float32") as error:
        EASERanker().fit(events)
    assert "Use SLIMRanker, ItemKNNRanker or ALSRanker" in str(error.value)
    with pytest.raises(ValueError, match="more than memory_limit=1e-09 GiB"):
        EASERanker(memory_limit=1e-9).fit(EVENTS)


def test_a_penalty_that_is_too_small_is_refused():
    events = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 2]})
    with pytest.raises(ValueError, match="l2=1e-12 is too small"):
        EASERanker(l2=1e-12).fit(events)


def test_slim_warns_if_items_did_not_converge():
    with pytest.warns(
        ConvergenceWarning, match=r"to tol=1e-09 within max_iter=2 passes for 1\d of 15 items.*alpha=0.001"
    ):
        model = SLIMRanker(alpha=0.001, tol=1e-9, max_iter=2).fit(EVENTS)
    assert model.n_iter_ == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert SLIMRanker(alpha=0.05).fit(EVENTS).n_iter_ < 100


@pytest.mark.parametrize("n", [100, 60_000])
def test_slim_of_rare_items_is_known_without_a_solver(monkeypatch, n):
    monkeypatch.setattr("sklearn.linear_model.enet_path", None)
    alone = SLIMRanker().fit(pd.DataFrame({"user_id": np.arange(n), "item_id": np.arange(n)}))
    assert alone.item_weights_.nnz == 0
    assert alone.n_iter_ == 0
    pairs = SLIMRanker(alpha=1 / n, l1_ratio=0.25).fit(
        pd.DataFrame({"user_id": np.arange(n) // 2, "item_id": np.arange(n)}), sample_weight=2.0
    )
    rows, columns = pairs.item_weights_.nonzero()
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(i, i ^ 1) for i in range(n)]
    # min (2 - 2 w)**2 / 2 + penalty * (w / 4 + 3 * w**2 / 8), with n / 2 users: the penalty is 1/2
    assert pairs.item_weights_.data == pytest.approx((4 - 0.5 / 4) / (4 + 0.5 * 3 / 4))
