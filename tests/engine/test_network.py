"""The whole engine against NumPy: the networks' outputs, and training that padding and batches do not disturb."""

import numpy as np
import pandas as pd
import pytest

from skrec.models import NCFClassifier, NCFRanker, NCFRegressor

RANDOM = np.random.default_rng(0)
EVENTS = pd.DataFrame({"user_id": RANDOM.integers(0, 20, 150), "item_id": RANDOM.integers(0, 30, 150)})
Y = RANDOM.integers(0, 3, 150)
NETWORK = {
    "embedding_dim": 5,
    "mlp_embedding_dim": 4,
    "hidden_units": (8, 6, 3),
    "random_state": 0,
    "epochs": 3,
    "l2": 0,
}


def neumf(model, users, items):
    """He et al. (2017), equations 7 to 12, the concatenation of user and item written as a sum of two products."""
    weights = {name: array.astype(np.float64) for name, array in model._weights.items()}
    width = {"gmf": None, "mlp": 0}.get(model.architecture, model.embedding_dim)
    user, item = weights["user/embeddings"][users], weights["item/embeddings"][items]
    logits = weights["bias/bias"]
    if model.architecture != "mlp":
        logits = logits + np.einsum("nd,nd,cd->nc", user[:, :width], item[:, :width], weights["gmf_output/scale"])
    if model.architecture != "gmf":
        hidden = user[:, width:] @ weights["first_user/kernel"] + item[:, width:] @ weights["first_item/kernel"]
        hidden = np.maximum(hidden + weights["first_item/bias"], 0)
        for layer in ("hidden_2", "hidden_3"):
            hidden = np.maximum(hidden @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"], 0)
        logits = logits + hidden @ weights["mlp_output/kernel"]
    if isinstance(model, NCFRanker):  # known users have biases of items besides, unknown users nothing but popularity
        known = np.asarray(users)[:, None] > 0
        popular = weights["bias/bias"] + weights["popularity/embeddings"][items]
        logits = np.where(known, logits + weights["item_bias/embeddings"][items], popular)
    return logits


def codes(model, rows):
    return 1 + np.searchsorted(model.users_, rows["user_id"]), 1 + np.searchsorted(model.items_, rows["item_id"])


@pytest.mark.parametrize("architecture", ["gmf", "mlp", "neumf"])
def test_a_network_computes_what_the_paper_says(architecture):
    parameters = {**NETWORK, "architecture": architecture}
    ranker = NCFRanker(**parameters).fit(EVENTS)
    assert ranker.predict(EVENTS) == pytest.approx(neumf(ranker, *codes(ranker, EVENTS))[:, 0], abs=1e-5)
    unknown = pd.DataFrame({"user_id": [-1, 3, -1], "item_id": [4, -1, -1]})
    expected = neumf(ranker, [0, *codes(ranker, unknown[1:2])[0], 0], [*codes(ranker, unknown[:1])[1], 0, 0])
    assert ranker.predict(unknown) == pytest.approx(expected[:, 0], abs=1e-5)

    classifier = NCFClassifier(**parameters).fit(EVENTS, Y)
    logits = neumf(classifier, *codes(classifier, EVENTS))
    assert classifier.decision_function(EVENTS) == pytest.approx(logits, abs=1e-5)
    assert classifier.predict_proba(EVENTS) == pytest.approx(
        np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), abs=1e-5
    )

    regressor = NCFRegressor(**parameters).fit(EVENTS, 10.0 * Y)
    expected = neumf(regressor, *codes(regressor, EVENTS))[:, 0] * np.std(10.0 * Y) + np.mean(10.0 * Y)
    assert regressor.predict(EVENTS) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("architecture", ["gmf", "mlp", "neumf"])
def test_the_catalogue_is_scored_as_pair_by_pair(architecture):
    """2,500 items are three chunks, 300 users are three; the parts of users and items are computed once each."""
    X = np.column_stack([np.arange(2500) % 300, np.arange(2500)])
    model = NCFRanker(**{**NETWORK, "architecture": architecture, "epochs": 1}).fit(X)
    users, items = np.arange(300), np.arange(2500)
    table = model.score_items(users)
    rows = RANDOM.integers(0, 300, 4000), RANDOM.integers(0, 2500, 4000)
    assert table[rows] == pytest.approx(model.predict(np.column_stack(rows)), abs=1e-5)
    order = RANDOM.permutation(2500)[:1500]
    limit = 1e-6 * float(np.abs(table).max())  # matrix products of another size round otherwise on some processors
    assert model.score_items(users[::-1], items[order]) == pytest.approx(table[::-1][:, order], rel=1e-6, abs=limit)


@pytest.mark.parametrize("penalty", [{}, {"l2": 0.1}, {"l1": 0.01}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_padding_does_not_disturb(penalty, weighted):
    """A batch as large as the data, and one that is half padding, take the same step."""
    weight = RANDOM.random(150) if weighted else None
    parameters = {**NETWORK, "optimizer": "sgd", "learning_rate": 0.5, "id_dropout": 0, **penalty}
    models = [NCFClassifier(batch_size=size, **parameters).fit(EVENTS, Y, sample_weight=weight) for size in (150, 256)]
    for name, array in models[0]._weights.items():
        np.testing.assert_allclose(models[1]._weights[name], array, rtol=1e-3, atol=1e-5)
    assert models[1].loss_curve_ == pytest.approx(models[0].loss_curve_, rel=1e-4)


def test_the_reported_loss_is_the_weighted_mean_over_rows():
    """Batches of different total weight, the last one padded, add up to the mean."""
    weight = np.where(np.arange(150) < 10, 50.0, 0.01)
    settings = {**NETWORK, "epochs": 1, "learning_rate": 1e-12, "id_dropout": 0, "architecture": "gmf"}
    model = NCFRegressor(batch_size=16, **settings).fit(EVENTS, 10.0 * Y, sample_weight=weight)
    standardised = (10.0 * Y - np.average(10.0 * Y, weights=weight)) / model._scale
    assert model.loss_curve_[0] == pytest.approx(np.average(standardised**2, weights=weight), rel=1e-2)


def test_one_step_of_gradient_descent_by_hand():
    """Logistic loss of dot products, all rows in one batch."""
    model = NCFClassifier(
        architecture="gmf", embedding_dim=3, optimizer="sgd", batch_size=256, id_dropout=0, l2=0, epochs=1,
        random_state=0,
    )  # fmt: skip
    start = model.set_params(learning_rate=1e-30).fit(EVENTS, Y > 0)._weights
    model.set_params(learning_rate=2.0).fit(EVENTS, Y > 0)
    users, items = codes(model, EVENTS)
    p, q, h = (start[name].astype(np.float64) for name in ("user/embeddings", "item/embeddings", "gmf_output/scale"))
    logits = np.einsum("nd,nd,d->n", p[users], q[items], h[0])
    error = (1 / (1 + np.exp(-logits)) - (Y > 0))[:, None] / len(Y)
    gradients = np.zeros_like(p), np.zeros_like(q)
    np.add.at(gradients[0], users, error * h[0] * q[items])
    np.add.at(gradients[1], items, error * h[0] * p[users])
    np.testing.assert_allclose(model._weights["user/embeddings"], p - 2 * gradients[0], atol=1e-6)
    np.testing.assert_allclose(model._weights["item/embeddings"], q - 2 * gradients[1], atol=1e-6)
    np.testing.assert_allclose(
        model._weights["gmf_output/scale"], h - 2 * (error * p[users] * q[items]).sum(0), atol=1e-6
    )
    np.testing.assert_allclose(model._weights["bias/bias"], -2 * error.sum(), atol=1e-6)
