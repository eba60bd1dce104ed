"""``loss=`` a function of logits and targets: built-in formulas give the built-in fits, and errors say what to do."""

import pickle
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.base import clone

from skrec._engine import program_cache as program
from skrec.models import GRU4RecRanker, NCFRanker


def log_loss(logits, targets):
    return ops.logaddexp(0.0, logits) - targets * logits


def squared_error(logits, targets):
    return ops.square(logits - targets)


def cross_entropy(logits, targets):
    return ops.logsumexp(logits, axis=1) - ops.take_along_axis(logits, targets[:, None], axis=1)[:, 0]


def every_pair(logits, targets):
    """The log loss of the row's item and of each negative: a Ranker's ``log_loss``."""
    return ops.sum(log_loss(logits, targets), axis=1)


def every_pair_once(logits, targets):
    """The same for a row that is marked as negative: nothing is drawn for it."""
    return log_loss(logits, targets)[:, 0] + targets[:, 0] * ops.sum(log_loss(logits, targets)[:, 1:], axis=1)


def sampled_softmax(logits, targets):
    return ops.logsumexp(logits, axis=1) - logits[:, 0]


def labels(board, n_classes=2):
    return (board.train["user_id"] + board.train["item_id"]).to_numpy() % n_classes


def same(one, other, but=()):
    assert one.loss_curve_ == pytest.approx(other.loss_curve_, rel=1e-4)
    for name, array in one._weights.items():
        if name in but:
            continue
        np.testing.assert_allclose(array, other._weights[name], rtol=1e-3, atol=2e-5, err_msg=name)


@pytest.mark.parametrize(("n_classes", "loss"), [(2, log_loss), (3, cross_entropy)])
def test_a_classifiers_own_formula(board, classifier, n_classes, loss):
    weight = np.linspace(0.1, 2.0, len(board.train))
    one, other = (
        classifier(epochs=2, **more).fit(board.train, labels(board, n_classes), sample_weight=weight)
        for more in ({"loss": loss}, {})
    )
    same(one, other)
    assert one.predict_proba(board.held_out) == pytest.approx(other.predict_proba(board.held_out), abs=1e-4)


def test_a_regressors_own_formula(board, regressor):
    weight = np.linspace(0.1, 2.0, len(board.train))
    one, other = (
        regressor(epochs=2, **more).fit(board.train, 3.0 * labels(board, 5), sample_weight=weight)
        for more in ({"loss": squared_error}, {})
    )
    same(one, other)


@pytest.mark.parametrize(
    ("loss", "name"), [(every_pair, "log_loss"), (every_pair_once, "log_loss"), (sampled_softmax, "softmax")]
)
def test_a_rankers_own_formula(board, ranker, loss, name):
    settings = {"epochs": 2, "architecture": "neumf", "mlp_embedding_dim": 4, "hidden_units": (8,), "n_negatives": 3}
    weight = np.linspace(0.1, 2.0, len(board.events))
    one, other = (ranker(loss=of, **settings).fit(board.events, sample_weight=weight) for of in (loss, name))
    same(one, other, but={"bias/bias"} if name == "softmax" else {})  # whose gradient is 0, but for rounding


def test_a_row_marked_as_negative_has_the_target_0(board, ranker):
    y = np.arange(len(board.events)) % 3 - 0.5
    one, other = (ranker(loss=of, epochs=2).fit(board.events, y) for of in (every_pair_once, "log_loss"))
    same(one, other)


def test_a_sequence_models_own_formula(board):
    settings = {"embedding_dim": 8, "epochs": 1, "dropout": 0, "random_state": 0, "max_history": 8}
    one, other = (GRU4RecRanker(loss=of, **settings).fit(board.events) for of in (every_pair, "log_loss"))
    same(one, other)


def huber(logits, targets, delta=1.0):
    return keras.losses.huber(targets[:, None], logits[:, None], delta=delta)


def test_a_loss_that_is_not_built_in_is_learnt_from(board, regressor):
    """Ratings of 0 and 1 with one of a million: the square follows it, Huber's loss does not."""
    y = (board.train["user_id"] % 3 == board.train["item_id"] % 3).to_numpy().astype(float)
    model = regressor(epochs=15, loss=huber, early_stopping=True).fit(board.train, y)
    assert model.score(board.train, y) > 0.8
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_fits_with_one_function_share_a_program(board, regressor, monkeypatch):
    monkeypatch.setattr(program, "_CACHE", program._Cache())
    y = 3.0 * labels(board, 5)
    models = [regressor(epochs=1, loss=huber).fit(board.train, y) for _ in range(2)]
    models += [clone(models[0]).fit(board.train, y), pickle.loads(pickle.dumps(models[0])).fit(board.train, y)]
    assert len(program._CACHE._idle) == 1
    partials = regressor(epochs=1, loss=partial(huber, delta=0.5)).fit(board.train, y)
    clone(partials).fit(board.train, y).predict(board.train)
    pickle.loads(pickle.dumps(partials)).predict(board.train)
    assert len(program._CACHE._idle) == 2
    regressor(epochs=1, loss=partial(huber, delta=2.0)).fit(board.train, y)
    assert len(program._CACHE._idle) == 3


def mean(logits, targets):
    return ops.mean(squared_error(logits, targets))


def column(logits, targets):
    return squared_error(logits, targets)[:, None]


def of_numpy(logits, targets):
    return np.square(np.asarray(logits) - np.asarray(targets))


def of_one(logits):
    return logits


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (mean, r"one loss per row, of shape \(3,\).*returned shape \(\)\. Omit the mean"),
        (column, r"returned shape \(3, 1\)\. Reduce it"),
        (of_numpy, "has no gradient"),
        (of_one, "positional argument"),
        (keras.losses.Huber(), r"keras.losses.Huber takes \(y_true, y_pred\)\. Write it as a function"),
        (keras.losses.Huber, r"keras.losses.Huber takes \(y_true, y_pred\)"),
        (keras.losses.mean_squared_error, r"returned shape \(\)"),
        ("mse", r"among \{'squared_error'\} or a callable. Got 'mse'"),
    ],
    ids=["mean", "column", "NumPy", "one argument", "Huber()", "Huber", "function of Keras", "name"],
)
def test_what_is_no_loss_is_refused_before_training(board, regressor, loss, message):
    model = regressor(loss=loss)
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(board.train, 1.0 * labels(board))
    assert not hasattr(model, "n_iter_")


def test_a_ranker_says_which_negatives_there_are(board):
    with pytest.raises(ValueError, match="n_negatives='all' needs loss='softmax'"):
        NCFRanker(loss=every_pair, n_negatives="all").fit(board.events)
    with pytest.raises(ValueError, match=r"logits of shape \(3, 3\) and targets of shape \(3, 3\).* Reduce it"):
        NCFRanker(loss=log_loss).fit(board.events)
