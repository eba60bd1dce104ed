"""Small tables: the number of epochs is chosen by cross-validation, and the network is trained on all rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skrec.base.small_tables import best_epoch, hold_out_in_turn, mean_curve, most_bins
from skrec.models import (
    AutoRecRegressor,
    DCNClassifier,
    DNNClassifier,
    DNNRanker,
    DNNRegressor,
    FMClassifier,
    NCFClassifier,
)

SMALL = {"embedding_dim": 4, "hidden_units": (8,), "epochs": 6, "learning_rate": 0.01, "random_state": 0}


def table(n_rows, seed=0):
    """Rows with labels of known log odds, from numbers and categories of which most are rare."""
    random = np.random.default_rng(seed)
    town = random.zipf(1.6, n_rows) % 300
    X = pd.DataFrame({"age": random.normal(40, 12, n_rows), "pay": random.lognormal(3, 1, n_rows)})
    X["job"] = random.choice(list("abcdef"), n_rows)
    X["town"] = town.astype(str)
    of_town = np.random.default_rng(99).normal(0, 0.5, 300)
    odds = 0.06 * (X["age"] - 45) + 0.8 * np.log(X["pay"]) - 3 + X["job"].isin(["a", "b"]) + of_town[town]
    return X, (random.random(n_rows) < 1 / (1 + np.exp(-odds))).to_numpy().astype(int)


X, Y = table(240)


# -- folds and the choice ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_rows", "n_folds"), [(200, 5), (999, 5), (1000, 3), (9999, 3)])
def test_every_row_is_held_out_once_in_the_proportions_of_the_labels(n_rows, n_folds):
    labels = np.random.default_rng(0).choice(3, n_rows, p=[0.7, 0.29, 0.01])
    folds = np.array(hold_out_in_turn(n_rows, np.random.RandomState(0), labels=labels))
    assert folds.shape == (n_folds, n_rows)
    assert np.all(folds.sum(axis=0) == 1)
    counts = np.array([np.bincount(labels[fold], minlength=3) for fold in folds])
    assert np.all(np.ptp(counts, axis=0) <= 1)


def test_with_times_the_latest_fifth_is_held_out():
    time = np.random.default_rng(0).permutation(300)
    (fold,) = hold_out_in_turn(300, np.random.RandomState(0), labels=time % 2, time=time)
    assert sorted(time[fold]) == list(range(240, 300))


def test_the_fewest_epochs_within_a_standard_error_of_the_best_are_chosen():
    # The second epoch is behind the fourth by 0.01 and 0.03, on average by 0.02 with a standard error of 0.01; the
    # third by 0.03 and -0.01, on average by 0.01 with a standard error of 0.02.
    curves = [[-0.9, -0.51, -0.53, -0.50], [-0.9, -0.43, -0.39, -0.40]]
    assert mean_curve(curves) == pytest.approx([-0.9, -0.47, -0.46, -0.45])
    assert best_epoch(curves) == 3
    assert best_epoch(curves[:1]) == 4
    assert best_epoch([[-0.3, -0.4], [-0.5, -0.6, -0.7]]) == 1
    assert mean_curve([[-0.3, -0.4], [-0.5, -0.6, -0.7]]) == pytest.approx([-0.4, -0.5, -0.55])


@pytest.mark.parametrize(
    ("n_rows", "n_numbers", "n_bins"),
    [(200, 1, 8), (200, 2, 0), (768, 6, 8), (767, 6, 0), (9999, 6, 64), (9999, 0, 512)],
)
def test_all_numbers_together_have_at_most_a_bin_for_16_rows(n_rows, n_numbers, n_bins):
    assert most_bins(n_rows, n_numbers) == n_bins


# -- fits -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chosen():
    return DNNClassifier(**SMALL).fit(X, Y)


def test_the_network_is_trained_on_all_rows_for_the_chosen_epochs(chosen):
    assert 1 <= chosen.n_iter_ == len(chosen.loss_curve_) <= len(chosen.validation_scores_) <= 6
    assert chosen.best_validation_score_ == max(chosen.validation_scores_)
    settings = {"epochs": chosen.n_iter_, "early_stopping": False, "min_frequency": 2, "id_dropout": 0.1}
    expected = DNNClassifier(**SMALL).set_params(**settings, numeric_embedding="linear").fit(X, Y)
    np.testing.assert_array_equal(chosen.predict_proba(X), expected.predict_proba(X))


def test_a_choice_is_reproducible(chosen):
    again = DNNClassifier(**SMALL).fit(X, Y)
    assert again.validation_scores_ == chosen.validation_scores_
    np.testing.assert_array_equal(again.predict_proba(X), chosen.predict_proba(X))


@pytest.mark.parametrize("cls", [DNNClassifier, DNNRegressor])
def test_with_times_the_scores_are_those_of_a_fit_that_never_saw_the_latest_rows(cls):
    frame = pd.DataFrame({"job": X["job"], "timestamp": np.arange(len(X))})
    last = np.arange(240) >= 192
    y = Y.astype(float) - Y.mean() * (cls is DNNRegressor)
    y[last] = np.resize(y[~last], last.sum())  # a Regressor standardizes by all rows, which makes no difference here
    settings = {**SMALL, "batch_size": 16, "id_dropout": 0.1}
    model = cls(**settings).fit(frame, y)
    apart = cls(**settings).fit(frame[~last], y[~last], X_val=frame[last], y_val=y[last])
    tolerance = 0.02 if cls is DNNRegressor else 1e-6
    assert model.validation_scores_[:3] == pytest.approx(apart.validation_scores_[:3], rel=tolerance)


def test_rows_of_weight_0_have_no_say_in_the_choice():
    frame = pd.concat([X[["age"]], X[["age"]]], ignore_index=True)
    y, wrong = np.where(frame["age"] > 40, 1, 0), np.arange(480) >= 240
    model = DNNClassifier(**SMALL).fit(frame, np.where(wrong, 1 - y, y), sample_weight=1.0 - wrong)
    assert model.best_validation_score_ > -0.4


def test_rows_of_weight_0_do_not_count_as_rows(chosen):
    ignored = table(20_000, seed=1)
    frame, y = pd.concat([X, ignored[0]], ignore_index=True), np.concatenate([Y, ignored[1]])
    weight = np.repeat([1.0, 0.0], [240, 20_000])
    model = DNNClassifier(**{**SMALL, "epochs": 2}).fit(frame, y, sample_weight=weight)
    assert len(model.validation_scores_) == 2
    assert n_bins(model) == n_bins(chosen)
    few = DNNClassifier(**{**SMALL, "epochs": 2}).fit(X, Y, sample_weight=(np.arange(240) < 199).astype(float))
    assert few.validation_scores_ == []
    assert n_bins(few) == 64


def test_one_number_has_bins_and_two_have_none():
    one, two = (DNNClassifier(**SMALL).fit(X[columns], Y) for columns in (["age"], ["age", "pay"]))
    assert (n_bins(one), n_bins(two)) == (8, 0)
    assert n_bins(two.partial_fit(X[["age", "pay"]], Y)) == 0


def test_a_table_of_many_numbers_is_learned_as_well_as_by_logistic_regression():
    cancer, benign = load_breast_cancer(return_X_y=True, as_frame=True)
    losses = []
    for seed in (1, 2):
        rows = np.random.default_rng(seed).permutation(len(cancer))
        train, test = rows[:250], rows[250:]
        for model in (FMClassifier(random_state=seed), make_pipeline(StandardScaler(), LogisticRegression())):
            proba = model.fit(cancer.iloc[train], benign.iloc[train]).predict_proba(cancer.iloc[test])
            losses.append(log_loss(benign.iloc[test], proba))
    assert np.mean(losses[::2]) < np.mean(losses[1::2]) + 0.02


def test_a_class_may_be_missing_from_the_rows_that_a_fold_trains_on():
    labels = np.where(np.arange(240) == 7, "rare", np.where(Y, "yes", "no"))
    model = DNNClassifier(**{**SMALL, "epochs": 2}).fit(X, labels)
    assert model.predict_proba(X).shape == (240, 3)
    assert np.isfinite(model.validation_scores_).all()


def test_categories_of_a_single_row_train_the_unknown_one():
    frame = X.assign(town=[*map(str, range(40)), *["big", "mid"] * 100])
    model = DNNClassifier(**{**SMALL, "epochs": 1}).fit(frame, Y)
    proba = model.predict_proba(frame[:1].assign(town=["0"]))
    assert np.array_equal(proba, model.predict_proba(frame[:1].assign(town=["never seen"])))
    assert not np.array_equal(proba, model.predict_proba(frame[:1].assign(town=["big"])))
    model.partial_fit(frame[:1].assign(town=["new"]), Y[:1], classes=[0, 1])
    known = model.predict_proba(frame[:1].assign(town=["new"]))
    assert not np.array_equal(known, model.predict_proba(frame[:1].assign(town=["never seen"])))


def test_callbacks_see_only_the_training_on_all_rows():
    logs = []
    model = DNNClassifier(**SMALL, callbacks=lambda epoch, values: logs.append((epoch, *values))).fit(X, Y)
    assert logs == [(epoch, "loss") for epoch in range(model.n_iter_)]


def fail(epoch, logs):
    raise RuntimeError("stop here")


def test_a_callback_that_fails_after_the_choice_changes_nothing(unchanged):
    model = DNNClassifier(**SMALL, callbacks=fail)
    with unchanged(model), pytest.raises(RuntimeError, match="stop here"):
        model.fit(X, Y)


def test_a_cross_network_learns_the_xor_of_two_numbers():
    xor = pd.DataFrame(np.random.default_rng(0).normal(size=(800, 2)), columns=["left", "right"])
    labels = (xor["left"] > 0) != (xor["right"] > 0)
    model = DCNClassifier(rank=4, hidden_units=(), learning_rate=0.01, random_state=0).fit(xor[:600], labels[:600])
    assert model.score(xor[600:], labels[600:]) > 0.9


# -- who does not choose ----------------------------------------------------------------------------------------------


def n_bins(model):
    return model._bins()


@pytest.mark.parametrize(
    "parameters", [{"early_stopping": False}, {"warm_start": True}, {"epochs": 1, "early_stopping": False}], ids=str
)
def test_a_fit_that_says_so_trains_for_all_epochs_with_all_bins(parameters):
    model = DNNClassifier(**{**SMALL, "epochs": 2, **parameters}).fit(X, Y)
    assert model.validation_scores_ == []
    assert model.n_iter_ == model.epochs
    assert n_bins(model) == 64


def test_nor_does_early_stopping_on_given_or_held_out_rows_choose():
    given = DNNClassifier(**SMALL).fit(X, Y, X_val=X[:50], y_val=Y[:50])
    held_out = DNNClassifier(**SMALL, early_stopping=True).fit(X, Y)
    for model in (given, held_out):
        assert model.n_iter_ == len(model.validation_scores_)
        assert n_bins(model) == 64


def test_nor_do_partial_fit_few_rows_and_rankers():
    part = DNNClassifier(**SMALL).partial_fit(X, Y)
    few = DNNClassifier(**{**SMALL, "epochs": 2}).fit(X[:199], Y[:199])
    events = X.assign(user_id=np.arange(240) % 20, item_id=np.arange(240) % 7)
    ranker = DNNRanker(**{**SMALL, "epochs": 2}).fit(events)
    assert [model.n_iter_ for model in (part, few, ranker)] == [1, 2, 2]
    assert part.validation_scores_ == few.validation_scores_ == ranker.validation_scores_ == []
    assert n_bins(part) == n_bins(few) == 64


def test_models_of_ids_alone_train_for_all_epochs():
    ids = pd.DataFrame({"user_id": np.arange(240) % 30, "item_id": np.arange(240) // 12})
    liked = (ids["user_id"] + ids["item_id"]) % 2
    assert not NCFClassifier(embedding_dim=4, epochs=3, random_state=0).fit(ids, liked).validation_scores_
    assert not AutoRecRegressor(embedding_dim=4, epochs=3, random_state=0).fit(ids, liked).validation_scores_


def test_y_val_needs_x_val(unchanged):
    model = DNNClassifier(**SMALL)
    with unchanged(model), pytest.raises(ValueError, match="y_val was passed without X_val"):
        model.fit(X, Y, y_val=Y)


# -- what it is for ---------------------------------------------------------------------------------------------------


def test_the_defaults_keep_up_with_logistic_regression():
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    X_test, y_test = table(4000, seed=100)
    models = {
        "linear": make_pipeline(columns, LogisticRegression()),
        "chosen": DCNClassifier(random_state=0),
        "all epochs": DCNClassifier(random_state=0, early_stopping=False),
    }
    losses = {name: [] for name in models}
    for seed in (1, 2):  # one table would be luck
        for name, model in models.items():
            losses[name].append(log_loss(y_test, model.fit(*table(1000, seed=seed)).predict_proba(X_test)))
    mean = {name: np.mean(values) for name, values in losses.items()}
    assert mean["chosen"] < mean["linear"] + 0.02
    assert mean["all epochs"] > mean["linear"] + 0.1
