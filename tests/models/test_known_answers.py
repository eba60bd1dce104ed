"""Every task, architecture and loss finds the groups of a checkerboard, also for pairs that it has not seen."""

import numpy as np
import pandas as pd
import pytest

from skrec.models import PopularityRanker

ARCHITECTURES = ["gmf", "mlp", "neumf"]
# NeuMF has the other two for parts: what is not about an architecture is asked of it in the usual run.
MOSTLY_NEUMF = [
    *(pytest.param(architecture, marks=pytest.mark.exhaustive) for architecture in ("gmf", "mlp")),
    "neumf",
]
NETWORK = {"mlp_embedding_dim": 8, "hidden_units": (16, 8)}


def liked(frame):
    return (frame["user_id"] % 3 == frame["item_id"] % 3).to_numpy()


LOSSES = {
    "log_loss": {"loss": "log_loss"},
    "bpr": {"loss": "bpr"},
    "softmax": {"loss": "softmax", "n_negatives": 20},
    "softmax-all": {"loss": "softmax", "n_negatives": "all"},
}


def architectures_and_losses():
    """All of them; in the usual run, GMF has further losses below, and those of an MLP are NeuMF's."""
    usual = {("gmf", "log_loss"), ("gmf", "softmax-all"), ("mlp", "log_loss"), *(("neumf", loss) for loss in LOSSES)}
    for architecture in ARCHITECTURES:
        for loss, parameters in LOSSES.items():
            marks = [] if (architecture, loss) in usual else pytest.mark.exhaustive
            yield pytest.param(architecture, parameters, id=f"{loss}-{architecture}", marks=marks)


@pytest.mark.parametrize(("architecture", "parameters"), [*architectures_and_losses()])
def test_a_ranker_recommends_the_unseen_items_of_the_users_own_group(board, ranker, architecture, parameters):
    model = ranker(architecture=architecture, **NETWORK, **parameters).fit(board.events)
    assert board.own_share(model) > 0.9
    assert board.own_share(PopularityRanker().fit(board.events)) < 0.5
    assert model.score(board.held_out, liked(board.held_out)) > 0.8


@pytest.mark.parametrize("negative_sampling", ["uniform", "popularity", 0.5])
@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"loss": "log_loss"}, id="of-each-row"),
        pytest.param({"loss": "softmax", "n_negatives": 16}, id="shared"),
        pytest.param({"loss": "bpr", "n_negatives": 2, "reject_positives": True}, id="rejecting-positives"),
    ],
)
def test_every_way_of_drawing_negatives_leads_to_the_right_answer(board, ranker, negative_sampling, parameters):
    model = ranker(negative_sampling=negative_sampling, **parameters).fit(board.events)
    assert board.own_share(model) > 0.9


@pytest.mark.parametrize(("optimizer", "learning_rate"), [("adam", 0.01), ("adagrad", 0.3), ("sgd", 3)])
def test_every_optimizer_leads_to_the_right_answer(board, ranker, optimizer, learning_rate):
    model = ranker(optimizer=optimizer, learning_rate=learning_rate).fit(board.events)
    assert board.own_share(model) > 0.9


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_classifier_tells_liked_from_disliked_pairs(board, classifier, architecture):
    labels = np.where(liked(board.train), "yes", "no")
    model = classifier(architecture=architecture, **NETWORK).fit(board.train, labels)
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.score(board.held_out, np.where(liked(board.held_out), "yes", "no")) > 0.95
    assert model.decision_function(board.held_out).shape == (len(board.held_out),)
    assert board.own_share(model) > 0.9


@pytest.mark.parametrize("architecture", MOSTLY_NEUMF)
def test_a_classifier_tells_three_classes_apart(board, classifier, architecture):
    def labels(frame):
        return np.array(["a", "b", "c"])[(frame["user_id"] + frame["item_id"]) % 3]

    model = classifier(architecture=architecture, **NETWORK).fit(board.train, labels(board.train))
    assert model.score(board.held_out, labels(board.held_out)) > 0.95
    probabilities = model.predict_proba(board.held_out)
    assert probabilities.shape == model.decision_function(board.held_out).shape == (len(board.held_out), 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(board.held_out)).all()


@pytest.mark.parametrize("architecture", MOSTLY_NEUMF)
def test_a_regressor_predicts_the_rating_of_unseen_pairs(board, regressor, architecture):
    ratings = 100.0 + 4 * liked(board.train)
    model = regressor(architecture=architecture, **NETWORK).fit(board.train, ratings)
    assert model.score(board.held_out, 100.0 + 4 * liked(board.held_out)) > 0.9
    assert model.predict(board.held_out) == pytest.approx(100.0 + 4 * liked(board.held_out), abs=2)


@pytest.mark.parametrize("loss", ["log_loss", "bpr", "softmax"])
def test_explicit_negatives_repel_and_rows_of_weight_0_do_nothing(board, ranker, loss):
    """Every user strongly dislikes item 100, has a row of weight 0 with item 101, and likes item 102."""
    users = np.unique(board.train["user_id"])
    more = pd.DataFrame({"user_id": np.tile(users, 3), "item_id": np.repeat([100, 101, 102], len(users))})
    X = pd.concat([board.events, more], ignore_index=True)
    y, weight = np.ones(len(X)), np.ones(len(X))
    y[X["item_id"] == 100], weight[X["item_id"] == 100] = -1, 30
    weight[X["item_id"] == 101] = 0
    model = ranker(loss=loss, n_negatives=1).fit(X, y, sample_weight=weight)
    disliked, weightless, liked_by_all = model.score_items(users, [100, 101, 102]).T
    assert np.mean(disliked < weightless) > 0.9
    assert np.mean(weightless < liked_by_all) > 0.9
    assert model.seen_items(users).sum(axis=0)[model.items_ == 100] == 0


def test_a_classifiers_probability_follows_the_weights_of_rows_and_classes(classifier):
    X, y = np.tile([[0, 0], [0, 0], [0, 1], [0, 1]], (50, 1)), np.tile([0, 1, 0, 1], 50)
    row, pair = np.array([[0, 0]]), np.array([[0, 0], [0, 1]])
    fit = classifier(epochs=100).fit
    assert fit(X, y).predict_proba(row)[0, 1] == pytest.approx(0.5, abs=0.05)
    weighted = fit(X, y, sample_weight=np.where((X[:, 1] == 1) & (y == 1), 9, 1)).predict_proba(pair)[:, 1]
    assert weighted == pytest.approx([0.5, 0.9], abs=0.07)
    by_class = classifier(epochs=100, class_weight={0: 1, 1: 9}).fit(X, y)
    assert by_class.predict_proba(row)[0, 1] == pytest.approx(0.9, abs=0.05)
    rare = (np.arange(len(y)) % 10 == 0).astype(int)
    balanced = classifier(epochs=100, class_weight="balanced").fit(X, rare)
    assert balanced.predict_proba(X)[:, 1].mean() == pytest.approx(0.5, abs=0.1)
    assert fit(X, rare).predict_proba(X)[:, 1].mean() == pytest.approx(0.1, abs=0.05)


def test_a_regressor_predicts_the_weighted_mean(regressor):
    X, y = np.tile([[0, 0], [0, 0], [0, 1]], (50, 1)), np.tile([1.0, 5.0, 2.0], 50)
    model = regressor(epochs=100).fit(X, y, sample_weight=np.tile([1, 3, 1], 50))
    assert model.predict([[0, 0], [0, 1]]) == pytest.approx([4, 2], abs=0.1)
