"""Several labels in each row: a network with a shared bottom and a head for each task, on the public bases alone."""

import pickle
from dataclasses import dataclass
from typing import Any

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrec.base import FieldModel, NetworkMultilabelClassifier
from skrec.models import DNNClassifier


@dataclass(eq=False, repr=False, kw_only=True)
class SharedBottomClassifier(FieldModel, NetworkMultilabelClassifier):
    """Hidden layers that all tasks share, and a tower for each task (Caruana, 1997, doi:10.1023/A:1007379606734)."""

    hidden_units: Any = (32,)
    tower_units: int = 16

    def _network_config(self, n_outputs):
        own = {"hidden_units": tuple(self.hidden_units), "tower_units": self.tower_units, "heads": self._task_outputs}
        return {**super()._network_config(n_outputs), **own}

    @staticmethod
    def _build_network(keras, layers, *, fields, n_outputs, hidden_units, tower_units, heads):
        pair, parts = layers.Fields(*fields), {}
        vectors = pair.embed(parts)
        bottom = layers.mlp(parts, hidden_units)
        towers = [layers.mlp(parts, (tower_units,), name=f"tower_{task}") for task in range(len(heads))]
        for task, n in enumerate(heads):
            parts[f"head_{task}"] = keras.layers.Dense(n)

        def core(inputs):
            shared = bottom(layers.flatten(inputs["vectors"]))
            logits = [parts[f"head_{task}"](tower(shared)) for task, tower in enumerate(towers)]
            return keras.ops.concatenate(logits, axis=-1)

        return layers.field_network(core, parts, {"vectors": vectors}, n_outputs=n_outputs, width=pair.width)


STOCHASTIC = {
    f"check_sample_weight_equivalence_on_{kind}_data": "training is stochastic" for kind in ("dense", "sparse")
}
SMALL = {"epochs": 6, "learning_rate": 0.01, "embedding_dim": 4, "n_bins": 8, "hidden_units": (16,), "tower_units": 8}


@pytest.mark.exhaustive
@parametrize_with_checks([SharedBottomClassifier(**SMALL)], expected_failed_checks=lambda _: STOCHASTIC)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_scikit_learns_check(estimator, check):
    check(estimator)


RANDOM = np.random.default_rng(0)
X = pd.DataFrame({name: RANDOM.normal(size=600) for name in ("age", "price", "noise")})
X["genre"] = RANDOM.choice(["drama", "crime", "war"], 600)
Y = pd.DataFrame({"clicked": (X["age"] > 0.3).astype(int), "bought": (X["genre"] == "war").astype(int)})


def model(**parameters):
    return SharedBottomClassifier(**{**SMALL, "epochs": 15, "early_stopping": False, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return model().fit(X[:400], Y[:400])


def test_it_learns_labels_that_depend_on_different_features(fitted):
    assert fitted.task_names_.tolist() == ["clicked", "bought"]
    assert [classes.tolist() for classes in fitted.classes_] == [[0, 1], [0, 1]]
    clicked, bought = fitted.predict_proba(X[400:])
    assert clicked.shape == bought.shape == (200, 2)
    assert roc_auc_score(Y["clicked"][400:], clicked[:, 1]) > 0.97
    assert roc_auc_score(Y["bought"][400:], bought[:, 1]) > 0.97
    assert abs(roc_auc_score(Y["bought"][400:], clicked[:, 1]) - 0.5) < 0.15
    predicted = fitted.predict(X[400:])
    assert predicted.shape == (200, 2)
    assert predicted.dtype.kind == "i"
    assert fitted.score(X[400:], Y[400:]) == accuracy_score(Y[400:], predicted) > 0.9
    logs = fitted.predict_log_proba(X[400:])
    np.testing.assert_allclose(np.exp(logs[1]), bought)
    assert not hasattr(fitted, "decision_function")


def test_repeats_are_equal_and_files_predict_the_same(fitted, tmp_path):
    expected = np.stack(fitted.predict_proba(X))
    again = clone(fitted).fit(X[:400].copy(), Y[:400].to_numpy())
    assert again.task_names_.tolist() == ["y0", "y1"]
    np.testing.assert_array_equal(np.stack(again.predict_proba(X)), expected)
    np.testing.assert_array_equal(np.stack(pickle.loads(pickle.dumps(fitted)).predict_proba(X)), expected)
    joblib.dump(fitted, tmp_path / "model.joblib")
    np.testing.assert_array_equal(np.stack(joblib.load(tmp_path / "model.joblib").predict_proba(X)), expected)


def test_the_loss_is_the_weighted_mean_over_the_tasks():
    """One epoch without steps of any size: the loss of the weights at the start."""
    fixed = {"epochs": 1, "learning_rate": 1e-12, "l2": 0.0, "id_dropout": 0.0, "batch_size": 1024}
    weight = np.arange(1.0, 601.0)
    for given, shares in ((None, (0.5, 0.5)), ([3, 1], (0.75, 0.25)), ({"bought": 2, "clicked": 0}, (0.0, 1.0))):
        one = model(**fixed, loss_weights=given).fit(X, Y, sample_weight=weight)
        losses = [log_loss(Y[task], p, sample_weight=weight) for task, p in zip(Y, one.predict_proba(X), strict=True)]
        assert one.loss_curve_ == pytest.approx([np.average(losses, weights=shares)], rel=1e-5)


def test_a_task_without_weight_is_not_learnt():
    alone = model(loss_weights={"clicked": 1.0, "bought": 0.0}).fit(X[:400], Y[:400])
    clicked, bought = alone.predict_proba(X[400:])
    assert roc_auc_score(Y["clicked"][400:], clicked[:, 1]) > 0.97
    assert roc_auc_score(Y["bought"][400:], bought[:, 1]) < 0.8


@pytest.mark.parametrize("given", ["held out", "passed"])
def test_early_stopping_watches_the_mean_loss_over_the_tasks(given):
    weights = [1.0, 3.0]
    rows = {"X_val": X[400:], "y_val": Y[400:]} if given == "passed" else {}
    one = model(epochs=4, early_stopping=given == "held out", loss_weights=weights)
    one.fit(X[:400], Y[:400], **rows)
    assert len(one.validation_scores_) == one.n_iter_ == 4
    assert one.best_validation_score_ == max(one.validation_scores_)
    if given == "passed":
        losses = [log_loss(Y[task][400:], p) for task, p in zip(Y, one.predict_proba(X[400:]), strict=True)]
        assert one.best_validation_score_ == pytest.approx(-np.average(losses, weights=weights), rel=1e-5)


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one:UserWarning")  # neg_log_loss, of any labels
def test_scorers_of_scikit_learn_take_the_labels():
    scoring = ["roc_auc", "average_precision", "neg_log_loss", "f1_macro", "accuracy"]
    scores = cross_validate(model(epochs=8), X, Y, cv=2, scoring=scoring, error_score="raise")
    assert scores["test_roc_auc"].min() > 0.9
    assert scores["test_average_precision"].min() > 0.8
    assert scores["test_neg_log_loss"].max() < 0
    search = GridSearchCV(model(epochs=2), {"tower_units": [8, 16]}, cv=2, scoring="roc_auc", error_score="raise")
    assert search.fit(X, Y).predict(X).shape == Y.shape


def test_tasks_may_have_several_classes_and_labels_of_any_kind():
    y = pd.DataFrame({"level": np.digitize(X["age"], [-0.5, 0.5]), "war": np.where(X["genre"] == "war", "yes", "no")})
    mixed = model(epochs=20).fit(X, y)
    assert [classes.tolist() for classes in mixed.classes_] == [[0, 1, 2], ["no", "yes"]]
    assert [p.shape for p in mixed.predict_proba(X)] == [(600, 3), (600, 2)]
    predicted = mixed.predict(X)
    assert predicted[0].tolist()[0] in {0, 1, 2}
    assert predicted[0].tolist()[1] in {"no", "yes"}
    assert mixed.score(X, y) == np.mean((predicted == y.to_numpy()).all(axis=1)) > 0.85


def test_a_single_label_is_that_of_a_classifier():
    one = model(epochs=2).fit(X, Y["clicked"])
    assert one.classes_.tolist() == [0, 1]
    assert not hasattr(one, "task_names_")
    assert one.predict_proba(X).shape == (600, 2)
    assert one.decision_function(X).shape == (600,)
    assert one.fit(X, Y).predict(X).shape == (600, 2)
    assert not hasattr(one.fit(X, Y["clicked"]), "task_names_")


def test_partial_fit_goes_on_and_knows_the_announced_labels():
    part = model().partial_fit(X[:100], Y[:100].assign(bought=0), classes=[[0, 1], [0, 1]])
    for _ in range(15):
        part.partial_fit(X[:400], Y[:400])
    assert part.score(X[400:], Y[400:]) > 0.8
    with pytest.raises(ValueError, match=r"y\['bought'\] contains the label 2"):
        part.partial_fit(X, Y.assign(bought=2))


def test_classes_are_weighted_by_task():
    rare = Y.assign(bought=(X["noise"] > 1.6).astype(int))
    plain, balanced = (
        model(epochs=2, class_weight=weight).fit(X, rare).predict_proba(X)[1][:, 1].mean()
        for weight in (None, [None, "balanced"])
    )
    assert balanced > 2 * plain
    with pytest.raises(ValueError, match=r"class_weight is .* 2 tasks \('clicked', 'bought'\)"):
        model(class_weight={0: 1, 1: 2}).fit(X, Y)


EVENTS = pd.DataFrame({"user_id": np.arange(400) % 20, "item_id": np.arange(400) // 20 % 10})
LABELS = pd.DataFrame({"seen": EVENTS["item_id"] < 5, "liked": EVENTS["item_id"] % 2 == 0}).astype(int)


def test_items_are_ranked_by_the_task_that_is_named():
    ranks = model(user="user_id", item="item_id", epochs=30).fit(EVENTS, LABELS)
    with pytest.raises(ValueError, match="tasks 'seen', 'liked'.*set_params\\(rank_by='seen'\\)"):
        ranks.recommend([3])
    for task, best in (("seen", {0, 1, 2, 3, 4}), (1, {0, 2, 4, 6, 8})):
        top = ranks.set_params(rank_by=task).recommend([3], k=5, exclude_seen=False)
        assert set(top["item_id"]) == best
    pairs = pd.DataFrame({"user_id": 3, "item_id": np.arange(10)})
    odds = ranks.predict_proba(pairs)[1]
    logits = np.log(odds[:, 1] / odds[:, 0])
    np.testing.assert_allclose(ranks.score_items([3])[0], logits, rtol=1e-4, atol=1e-5)
    # A row counts as seen where any of its labels is positive.
    assert set(ranks.seen_items([0]).indices) <= {0, 1, 2, 3, 4, 6, 8}
    with pytest.raises(ValueError, match="Did you mean 'liked'"):
        ranks.set_params(rank_by="like").recommend([3])


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        ({"loss_weights": [1.0]}, Y, r"loss_weights has 1 values for 2 task"),
        ({"loss_weights": [1.0, -1.0]}, Y, r"The loss weight of task 'bought' is -1.0"),
        ({"loss_weights": [0, 0]}, Y, r"All values of loss_weights are 0"),
        ({"loss_weights": {"click": 1, "bought": 1}}, Y, r"Did you mean 'clicked'\?"),
        ({"loss_weights": {"clicked": 1}}, Y, r"lacks the task\(s\) 'bought'"),
        ({}, Y.assign(bought=1), r"y\['bought'\] contains 1 class"),
        ({}, Y.to_numpy() * [1, 0], r"y\[:, 1\] contains 1 class"),
        ({}, [[0, 1], [1]] * 300, r"different numbers of labels"),
        ({}, Y[:300], r"inconsistent numbers of samples|must be one value for each row"),
    ],
)
def test_bad_labels_and_weights_are_refused(unchanged, parameters, y, message):
    one = model(**parameters)
    with unchanged(one), pytest.raises(ValueError, match=message):
        one.fit(X, y)


def test_labels_of_other_tasks_are_refused(fitted, unchanged):
    with unchanged(fitted):
        with pytest.raises(ValueError, match="columns of y are 'bought', 'clicked', but were 'clicked', 'bought'"):
            fitted.partial_fit(X, Y[["bought", "clicked"]])
        with pytest.raises(ValueError, match="same columns in the same order"):
            fitted.score(X, Y[["bought", "clicked"]])
        with pytest.raises(ValueError, match=r"1 column\(s\), but had 2 in fit \('clicked', 'bought'\)"):
            fitted.partial_fit(X, Y["clicked"])


def test_a_loss_of_ones_own_is_that_of_each_task(fitted):
    def own(logits, targets):
        return keras.ops.softplus(logits) - targets * logits

    same = model(loss=own).fit(X[:400], Y[:400])
    for one, other in zip(same.predict_proba(X), fitted.predict_proba(X), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_a_classifier_of_one_label_names_the_way_out():
    with pytest.raises(ValueError, match=r"NetworkMultilabelClassifier.*MultiOutputClassifier"):
        DNNClassifier(epochs=1).fit(X, Y)
