"""AutoRec: known right answers, the equations in NumPy, ids without ratings, state."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import skrec
from skrec.models import AutoRecRegressor

SMALL = {"embedding_dim": 12, "learning_rate": 0.01, "batch_size": 8, "random_state": 0}
_user, _item = np.divmod(np.random.default_rng(0).permutation(30 * 24)[:500], 24)
X = pd.DataFrame({"user_id": _user, "item_id": _item})
Y = np.where(_user % 3 == _item % 3, 5.0, 1.0)
BOTH = pytest.mark.parametrize("by", ["item", "user"])


@BOTH
def test_it_learns_and_repeats(by):
    fits = [AutoRecRegressor(by=by, epochs=40, l2=0.001, **SMALL).fit(X[:400], Y[:400]) for _ in range(2)]
    assert fits[0].score(X[400:], Y[400:]) > 0.5
    assert fits[0].predict(X).tobytes() == fits[1].predict(X).tobytes()


@BOTH
def test_predictions_are_those_of_the_equations(by):
    model = AutoRecRegressor(by=by, epochs=2, **SMALL).fit(X, Y)
    other, w = "user" if by == "item" else "item", model._weights
    mean, scale = Y.mean(), Y.std()
    ratings = np.zeros((24, 30) if by == "item" else (30, 24))
    ratings[(X[f"{by}_id"], X[f"{other}_id"])] = (Y - mean) / scale + 3
    hidden = expit(ratings @ w["encoder/embeddings"][1:] + w["encoder_bias/bias"])
    output = hidden @ w[f"{other}/embeddings"][1:].T + w[f"{other}_bias/embeddings"][1:, 0]
    expected = (output if by == "user" else output.T)[X["user_id"], X["item_id"]] * scale + mean
    np.testing.assert_allclose(model.predict(X), np.clip(expected, 1, 5), atol=1e-4)
    rows = model.score_items([3, 7])[:, [2, 5]]
    expected = (output if by == "user" else output.T)[[3, 7]][:, [2, 5]] * scale + mean
    np.testing.assert_allclose(rows, expected, atol=1e-4)


@BOTH
def test_penalties_count_users_alike_and_items_by_their_ratings(by):
    often = np.repeat(np.arange(500), np.where(X["user_id"] < 5, 3, 1))  # other ids are rare
    rated, y = X.iloc[often], Y[often]
    options = {
        "by": by,
        "optimizer": "sgd",
        "epochs": 1,
        "l2": 1e5,
        "batch_size": 32 if by == "item" else 30,
        "embedding_dim": 4,
    }
    start, moved = (
        AutoRecRegressor(**options, learning_rate=rate, random_state=0).fit(rated, y)._weights for rate in (1e-30, 1e-7)
    )
    other = "user" if by == "item" else "item"
    share = np.bincount(X["item_id"])[:, None] / len(X) if by == "user" else 1 / 30
    for name in ("encoder", other):
        rows = [weights[f"{name}/embeddings"][1:] for weights in (start, moved)]
        np.testing.assert_allclose(rows[1], rows[0] * (1 - 2 * 1e-7 * 1e5 * share), atol=1e-5)
    bias = [weights[f"{other}_bias/embeddings"][1:] for weights in (start, moved)]
    np.testing.assert_allclose(bias[1], bias[0], atol=1e-5)


@BOTH
def test_unknown_ids_have_the_mean_rating(by, tmp_path):
    model = AutoRecRegressor(by=by, epochs=2, **SMALL).fit(X, Y)
    new = pd.DataFrame({"user_id": [99, 3, 99], "item_id": [3, 99, 99]})
    np.testing.assert_allclose(model.predict(new), Y.mean(), rtol=1e-6)
    skrec.save(model, tmp_path / "model")
    assert skrec.load(tmp_path / "model").predict(X).tobytes() == model.predict(X).tobytes()
    model.partial_fit(pd.DataFrame({"user_id": [99] * 3, "item_id": [0, 3, 6]}), [5.0, 5.0, 1.0])
    assert model.predict(new)[0] != pytest.approx(Y.mean(), rel=1e-6)


def test_held_out_ratings_choose_the_epochs_and_are_then_trained_on():
    user, item = np.divmod(np.arange(100 * 110), 110)
    X, y = pd.DataFrame({"user_id": user, "item_id": item}), (user % 3 == item % 3) * 4 + 1.0
    small = {"embedding_dim": 4, "learning_rate": 0.1, "random_state": 0}
    model = AutoRecRegressor(epochs=4, n_iter_no_change=1, **small).fit(X, y)
    assert model.n_iter_ == np.argmax(model.validation_scores_) + 1
    again = AutoRecRegressor(epochs=model.n_iter_, early_stopping=False, **small).fit(X, y)
    assert again.predict(X).tobytes() == model.predict(X).tobytes()


def test_repeated_ratings_are_averaged_in_the_input():
    model = AutoRecRegressor(epochs=1, **SMALL).fit(pd.concat([X, X[:1]]), np.append(Y, 6 - Y[0]))
    assert model._ratings()[X["item_id"][0] + 1, X["user_id"][0] + 1] == pytest.approx((3 - model._mean) / model._scale)


def test_bad_parameters():
    with pytest.raises(ValueError, match="'by'"):
        AutoRecRegressor(by="rating").fit(X, Y)
