"""Losses against their formulas in NumPy, and against what an untrained network must have."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy.special import logsumexp

from skrec._engine.batches import TrainingArrays
from skrec._engine.losses import POINTWISE, catalogue_softmax, dot_softmax, pairwise
from skrec._engine.program import Program
from skrec._engine.structure import Structure
from skrec.models import GRU4RecRanker, NCFClassifier, NCFRanker, NCFRegressor, SASRecRanker
from skrec.models.factors._ncf import _NCF

RANDOM = np.random.default_rng(0)
SCORE, NEGATIVES = RANDOM.standard_normal(6), RANDOM.standard_normal((6, 4))
USABLE = (RANDOM.random((6, 4)) < 0.7).astype(float)
USABLE[2] = 0
POSITIVE = np.array([1.0, 0, 1, 1, 0, 1])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_loss(score, negatives):
    return -np.log(sigmoid(score)) - np.log(1 - sigmoid(negatives)).sum()


def bpr(score, negatives):
    return -np.log(sigmoid(score - negatives)).mean() if len(negatives) else 0.0


def softmax(score, negatives):
    return logsumexp([score, *negatives]) - score


@pytest.mark.parametrize("loss", [log_loss, bpr, softmax])
def test_a_positive_row_against_its_usable_negatives(loss):
    values = pairwise(loss.__name__, *map(tf.constant, (SCORE, NEGATIVES, USABLE, np.ones(6)))).numpy()
    expected = [loss(score, row[usable > 0]) for score, row, usable in zip(SCORE, NEGATIVES, USABLE, strict=True)]
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-12)


def test_a_row_marked_as_negative_has_the_complement():
    def of(loss):
        return pairwise(loss, *map(tf.constant, (SCORE, NEGATIVES, np.ones((6, 4)), POSITIVE))).numpy()[POSITIVE == 0]

    rows = POSITIVE == 0
    np.testing.assert_allclose(of("log_loss"), -np.log(1 - sigmoid(SCORE[rows])))
    np.testing.assert_allclose(of("bpr"), -np.log(1 - sigmoid(SCORE[rows, None] - NEGATIVES[rows])).mean(axis=1))
    chosen = np.exp(SCORE[rows] - logsumexp(np.column_stack([SCORE[rows], NEGATIVES[rows]]), axis=1))
    np.testing.assert_allclose(of("softmax"), -np.log(1 - chosen))


def test_the_softmax_over_the_catalogue():
    logits, target = RANDOM.standard_normal((6, 9)), np.array([0, 3, 8, 1, 1, 5])
    share = np.exp(logits[np.arange(6), target] - logsumexp(logits, axis=1))
    expected = np.where(POSITIVE > 0, -np.log(share), -np.log(1 - share))
    values = catalogue_softmax(tf.constant(logits), tf.constant(target), tf.constant(POSITIVE)).numpy()
    np.testing.assert_allclose(values, expected)


def gbce(score, negatives, beta=0.3):
    """Petrov and Macdonald (2023), equation 11, a sum over the negatives."""
    return -np.log(sigmoid(score) ** beta) - np.log(1 - sigmoid(negatives)).sum()


def bpr_max(score, negatives, regularisation=0.7):
    """Hidasi and Karatzoglou (2018), equation 10."""
    share = softmax_of(negatives)
    return -np.log(share @ sigmoid(score - negatives)) + regularisation * share @ negatives**2


def top1_max(score, negatives):
    """Hidasi and Karatzoglou (2018), equation 8."""
    return softmax_of(negatives) @ (sigmoid(negatives - score) + sigmoid(negatives**2))


def softmax_of(logits):
    return np.exp(logits - logsumexp(logits))


@pytest.mark.parametrize("loss", [gbce, bpr_max, top1_max])
def test_the_losses_of_sequence_models(loss):
    more = {"beta": tf.constant(0.3, tf.float64), "regularisation": tf.constant(0.7, tf.float64)}
    values = pairwise(loss.__name__, *map(tf.constant, (SCORE, NEGATIVES, USABLE, np.ones(6))), **more).numpy()
    rows = USABLE.any(axis=1)
    expected = [loss(score, row[usable > 0]) for score, row, usable in zip(SCORE, NEGATIVES, USABLE, strict=True)
                if usable.any()]  # fmt: skip
    np.testing.assert_allclose(values[rows], expected, rtol=1e-6)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("loss", ["gbce", "bpr_max", "top1_max"])
def test_a_row_without_negatives_has_no_gradient_but_its_own(loss):
    score, negatives = tf.Variable([0.5]), tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        value = pairwise(loss, score, negatives, tf.zeros([1, 2]), tf.ones([1]), beta=0.3, regularisation=0.7)
    of_score, of_negatives = tape.gradient(value, [score, negatives])
    assert not of_negatives.numpy().any()
    assert of_score.numpy() == pytest.approx([-0.3 * (1 - sigmoid(0.5)) if loss == "gbce" else 0.0], abs=1e-6)


def test_a_row_marked_as_negative_has_the_complement_in_sequence_models_too():
    def of(loss):
        beta = tf.constant(0.3, tf.float64)
        return pairwise(loss, *map(tf.constant, (SCORE, NEGATIVES, np.ones((6, 4)), POSITIVE)), beta=beta).numpy()[rows]

    rows = POSITIVE == 0
    np.testing.assert_allclose(of("gbce"), -np.log(1 - sigmoid(SCORE[rows])))  # only what is chosen is overrated
    above = SCORE[rows, None] - NEGATIVES[rows]
    share = np.exp(NEGATIVES[rows] - logsumexp(NEGATIVES[rows], axis=1, keepdims=True))
    np.testing.assert_allclose(of("bpr_max"), -np.log(1 - (share * sigmoid(above)).sum(axis=1)))
    expected = (share * (sigmoid(above) + sigmoid(NEGATIVES[rows] ** 2))).sum(axis=1)
    np.testing.assert_allclose(of("top1_max"), expected)


@pytest.mark.parametrize("n_rows", [1, 6, 40])
def test_the_softmax_of_dot_products_and_its_gradient(monkeypatch, n_rows):
    """In chunks of 16 rows it is what the whole matrix of logits gives."""
    monkeypatch.setattr("skrec._engine.losses._CHUNK", 1)
    random = np.random.default_rng(1)
    query = tf.Variable(random.standard_normal((n_rows, 5)), dtype=tf.float32)
    items = tf.Variable(random.standard_normal((9, 5)), dtype=tf.float32)
    target = random.integers(0, 9, n_rows).astype(np.int32)
    positive, weight = (random.random(n_rows) < 0.7).astype(np.float32), random.random(n_rows).astype(np.float32)

    logits = query.numpy().astype(np.float64) @ items.numpy().T.astype(np.float64)
    share = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    own = share[np.arange(n_rows), target]
    expected = weight @ np.where(positive > 0, -np.log(own), -np.log(1 - own))
    slope = weight * np.where(positive > 0, 1, -own / (1 - own))
    of_logits = slope[:, None] * (share - np.eye(9)[target])

    rows = [tf.constant(array) for array in (target, positive, weight)]

    @tf.function
    def value_and_gradients():
        with tf.GradientTape() as tape:
            value = 3.0 * dot_softmax(query + 0, items + 0, *rows)
        return value, tape.gradient(value, [query, items])

    value, (to_query, to_items) = value_and_gradients()
    assert value.numpy() / 3 == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(to_query.numpy() / 3, of_logits @ items.numpy(), atol=1e-5)
    np.testing.assert_allclose(to_items.numpy() / 3, of_logits.T @ query.numpy(), atol=1e-5)


def test_the_losses_of_labels_and_ratings():
    logits, labels = RANDOM.standard_normal((6, 1)), (RANDOM.random(6) < 0.5).astype(float)
    expected = -labels * np.log(sigmoid(logits[:, 0])) - (1 - labels) * np.log(1 - sigmoid(logits[:, 0]))
    np.testing.assert_allclose(POINTWISE["log_loss"](tf.constant(logits), tf.constant(labels)), expected)
    squares = POINTWISE["squared_error"](tf.constant(logits), tf.constant(labels))
    np.testing.assert_allclose(squares, (logits[:, 0] - labels) ** 2)
    many, classes = RANDOM.standard_normal((6, 1, 3)), np.array([0, 2, 1, 1, 0, 2])
    expected = logsumexp(many[:, 0], axis=1) - many[np.arange(6), 0, classes]
    np.testing.assert_allclose(
        POINTWISE["categorical_crossentropy"](tf.constant(many), tf.constant(classes, tf.float32)), expected
    )


EVENTS = pd.DataFrame({"user_id": np.arange(200) % 20, "item_id": np.arange(200) % 49})


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"loss": "log_loss", "n_negatives": 4}, 5 * np.log(2)),
        ({"loss": "log_loss", "n_negatives": 1}, 2 * np.log(2)),
        ({"loss": "bpr"}, np.log(2)),
        ({"loss": "softmax", "n_negatives": "all"}, np.log(50)),
        ({"loss": "softmax", "n_negatives": "auto", "architecture": "gmf"}, np.log(50)),
        ({"loss": "softmax", "n_negatives": 9, "architecture": "mlp"}, np.log(10)),
        ({"loss": "softmax", "n_negatives": 20, "architecture": "gmf", "negative_sampling": "uniform"}, np.log(21)),
    ],
    ids=str,
)
def test_what_an_untrained_ranker_loses(parameters, expected):
    """All items are equal to it; a negative that is the row's own item does not count."""
    model = NCFRanker(random_state=0, epochs=1, learning_rate=1e-12, **parameters).fit(EVENTS)
    assert model.loss_curve_ == [pytest.approx(expected, rel=0.03)]


@pytest.mark.parametrize(
    ("make", "parameters", "expected"),
    [
        (SASRecRanker, {}, np.log(50)),
        (GRU4RecRanker, {}, np.log(50)),
        (SASRecRanker, {"loss": "softmax", "n_negatives": 20, "negative_sampling": "uniform"}, np.log(21)),
        (SASRecRanker, {"loss": "log_loss"}, (1 + 48 / 49) * np.log(2)),
        (GRU4RecRanker, {"loss": "bpr"}, 48 / 49 * np.log(2)),
        (GRU4RecRanker, {"loss": "bpr_max"}, np.log(2)),
        (GRU4RecRanker, {"loss": "top1_max"}, 1.0),
        # A quarter of the items are drawn: beta = 1/4 (3/4 (1 - 4) + 4) = 7/16 at t = 3/4, and the 12 negatives' part.
        (SASRecRanker, {"loss": "gbce", "n_negatives": 12}, (7 / 16 + 12 * 48 / 49) * np.log(2)),
        (SASRecRanker, {"loss": "gbce", "n_negatives": 12, "gbce_t": 0.0}, (1 + 12 * 48 / 49) * np.log(2)),
        (SASRecRanker, {"loss": "gbce", "n_negatives": 12, "gbce_t": 1.0}, (1 / 4 + 12 * 48 / 49) * np.log(2)),
    ],
    ids=str,
)
def test_what_an_untrained_sequence_model_loses(monkeypatch, make, parameters, expected):
    """All items are equal to one whose item vectors are 0."""

    def start(self, fresh):
        return {name: 0 * array if name == "item/embeddings" else array for name, array in fresh.items()}

    monkeypatch.setattr(make, "_start_weights", start)
    model = make(
        embedding_dim=4, max_history=4, random_state=0, epochs=1, learning_rate=1e-12, **parameters
    ).fit(EVENTS)  # fmt: skip
    assert model.loss_curve_ == [pytest.approx(expected, rel=0.02)]


def test_what_an_untrained_classifier_or_regressor_loses():
    y = np.arange(200) % 2
    settings = {"random_state": 0, "epochs": 1, "learning_rate": 1e-12}
    assert NCFClassifier(**settings).fit(EVENTS, y).loss_curve_ == [pytest.approx(np.log(2), rel=0.01)]
    assert NCFClassifier(**settings).fit(EVENTS, np.arange(200) % 5).loss_curve_ == [pytest.approx(np.log(5), rel=0.01)]
    assert NCFRegressor(**settings).fit(EVENTS, 7.0 * y).loss_curve_ == [pytest.approx(1, rel=0.01)]


# -- one step of sampled softmax, by hand --------------------------------------------------------------------------

USERS, ITEMS, DRAWN = np.array([1, 2, 2]), np.array([3, 1, 4]), np.array([1, 4, 2, 4])
COUNTS, WEIGHT = np.array([0, 5, 1, 20, 4]), np.array([1.0, 2.0, 0.5])


def corrected_softmax(user_table, item_table):
    """Weighted mean of the rows' losses; the log of an item's share of the draws is taken off its logit."""
    log_share = np.log(COUNTS[1:] ** 0.75 / np.sum(COUNTS[1:] ** 0.75))
    losses = []
    for user, item in zip(USERS, ITEMS, strict=True):
        rivals = [drawn for drawn in DRAWN if drawn != item]
        logits = [user_table[user] @ item_table[code] - log_share[code - 1] for code in (item, *rivals)]
        losses.append(logsumexp(logits) - logits[0])
    return np.average(losses, weights=WEIGHT)


def mixed_softmax(user_table, item_table):
    """The same among drawn items and those of other rows, corrected for their expected number among all."""
    expected = len(ITEMS) * COUNTS[1:] / COUNTS.sum() + len(DRAWN) / 4
    losses = []
    for user, item in zip(USERS, ITEMS, strict=True):
        rivals = [code for code in (*DRAWN, *ITEMS) if code != item]
        logits = [user_table[user] @ item_table[code] - np.log(expected[code - 1]) for code in (item, *rivals)]
        losses.append(logsumexp(logits) - logits[0])
    return np.average(losses, weights=WEIGHT)


@pytest.mark.parametrize("negatives", ["shared", "rows", "mixed"])
def test_a_step_of_sampled_softmax_with_log_q_correction(monkeypatch, negatives):
    mixed = negatives == "mixed"
    network = (("gmf_dim", 2), ("hidden_units", ()), ("mlp_dim", 0), ("n_outputs", 1), ("weighted", True))
    program = Program(
        Structure(
            _NCF._build_network,
            network,
            losses=("softmax",),
            negatives="shared" if mixed else negatives,
            optimizer="sgd",
            batch_size=4,
            popularity=not mixed,
            in_batch=mixed,
        )
    )
    expected = mixed_softmax if mixed else corrected_softmax
    tables = {"user/embeddings": RANDOM.standard_normal((3, 2)), "item/embeddings": RANDOM.standard_normal((5, 2))}
    start = {name: tables.get(name, variable.value.numpy()) for name, variable in program.named.items()}
    program.load(start)
    data = program.data
    columns = {"user": USERS.astype(np.int32), "item": ITEMS.astype(np.int32)}
    data.fill(TrainingArrays(columns, np.ones((3, 1), np.float32), WEIGHT.astype(np.float32), 4, COUNTS), 0.75)
    data.shuffle(0, 0)
    program.n_negatives.assign(4)
    program.optimizer.learning_rate = 1.0
    monkeypatch.setattr(data, "draw", lambda step, shape: tf.broadcast_to(tf.constant(DRAWN, tf.int32), shape))
    assert float(program.train_step(tf.constant(0))["loss"]) == pytest.approx(expected(*tables.values()), rel=1e-5)
    for name, table in tables.items():
        gradient = np.zeros_like(table)
        for place in np.ndindex(*table.shape):
            moved = {key: value.copy() for key, value in tables.items()}
            moved[name][place] += 1e-6
            up = expected(*moved.values())
            moved[name][place] -= 2e-6
            gradient[place] = (up - expected(*moved.values())) / 2e-6
        np.testing.assert_allclose(program.state()[name], table - gradient, atol=1e-4)
