"""DIN: interest in what is like the past, the paper's equations in NumPy, explanations, histories with features."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV

from skrec.inspection import history_attention
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import DINClassifier, DINRanker, DINRegressor

# -- a user clicks on what is of a group that they clicked on before -------------------------------------------------

N_USERS, N_ITEMS, N_GROUPS = 60, 24, 4
SMALL = {"embedding_dim": 8, "hidden_units": (16,), "attention_units": 8, "random_state": 0}


def interests(seed, n_users=N_USERS):
    """Three clicks on items of two groups, then 12 items shown, of which those of the two groups are clicked on."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        groups = random.choice(N_GROUPS, 2, replace=False)
        liked = [item for item in range(N_ITEMS) if item % N_GROUPS in groups]
        first = [*random.choice(liked[::2], 2), random.choice(liked[1::2])]
        rows += [(user, item, time, 1) for time, item in enumerate(first)]
        rows += [(user, item, 10, int(item in liked)) for item in random.choice(N_ITEMS, 12, replace=False)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "label"])
    return frame.drop(columns="label"), frame["label"].to_numpy()


@pytest.fixture(scope="module")
def clicks():
    X, y = interests(0)
    return DINClassifier(epochs=40, batch_size=32, learning_rate=0.01, l2=0, early_stopping=False, **SMALL).fit(X, y)


def test_a_label_that_depends_on_the_history(clicks):
    """Of new users, whose clicks are added without training: what they were interested in tells."""
    X, y = interests(1)
    X["user_id"] += 1000
    shown = (X["timestamp"] == 10).to_numpy()
    copy = pickle.loads(pickle.dumps(clicks)).append_history(X[~shown], y[~shown])
    assert roc_auc_score(y[shown], copy.predict_proba(X[shown])[:, 1]) > 0.9
    assert roc_auc_score(y[shown], clicks.predict_proba(X[shown])[:, 1]) < 0.65  # without a history


def test_past_items_of_the_candidates_group_weigh_more():
    """Where the network behind it is too narrow to tell; the sign is not given, for the layers behind may turn it."""
    X, y = interests(0, 200)
    narrow = {**SMALL, "embedding_dim": 4, "hidden_units": (2,)}
    model = DINClassifier(epochs=30, batch_size=64, learning_rate=0.01, l2=0, early_stopping=False, **narrow).fit(X, y)
    groups = [(one, other) for one in range(N_GROUPS) for other in range(N_GROUPS) if one != other]
    asked = {"history": [[one, 4 + other] for one, other in groups], "items": [8 + one for one, _ in groups]}
    strength = np.abs(history_attention(model, **asked).weights)
    assert (strength[:, 0] > strength[:, 1]).mean() > 0.75
    found = model.explain(**asked)  # and speak for it
    same = found["past_item"] % N_GROUPS == found["item_id"] % N_GROUPS
    contribution = found.assign(same=same).pivot_table("contribution", "query", "same")
    assert (contribution[True] > contribution[False]).mean() > 0.9


# -- the equations ---------------------------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def din(model, user, session, item):
    """Zhou et al. (2018), equation 3 with the activation unit of figure 2; weights of the past, and the logits."""
    weights = {name: array.astype(np.float64) for name, array in model._weights.items()}
    user_vector = weights["user/embeddings"][user]
    history, candidate = weights["item/embeddings"][session], weights["item/embeddings"][item]
    joined = np.concatenate([history, np.tile(candidate, (len(session), 1)), history * candidate], axis=1)
    kernel = np.concatenate([weights[f"activation/{name}_kernel"] for name in ("past", "candidate", "product")])
    hidden = sigmoid(joined @ kernel + weights["activation/bias"])
    attention = (hidden @ weights["activation/output_kernel"] + weights["activation/output_bias"])[:, 0]
    interest = attention @ history
    x = np.concatenate([user_vector, interest, candidate, interest * candidate])
    for layer in ("hidden_1", "hidden_2"):
        x = np.maximum(x @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"], 0)
    return attention, x @ weights["output/kernel"] + weights["output/bias"]


EVENTS = pd.DataFrame({"user_id": np.repeat(np.arange(10), 6), "item_id": np.arange(60) * 7 % 12})
Y = np.random.default_rng(0).integers(0, 3, 60)
DEEP = {**SMALL, "hidden_units": (8, 6), "epochs": 4, "learning_rate": 0.02, "max_history": 4}


def test_din_computes_what_the_paper_says():
    ranker = DINRanker(**DEEP).fit(EVENTS)
    for session in ([], [3], [3, 3, 1], [1, 2, 3, 4, 5, 6], [5, 999]):
        codes = [item + 1 if item in ranker.items_ else 0 for item in session][-4:]
        expected = [din(ranker, 3, codes, code)[1][0] for code in range(1, 13)]
        assert ranker.score_items([2], history=[session])[0] == pytest.approx(expected, abs=1e-4)
        attention = din(ranker, 3, codes, 8)[0]
        found = history_attention(ranker, [2], items=[7], history=[session]).weights[0]
        assert found == pytest.approx(attention, abs=1e-4)
    classifier = DINClassifier(**DEEP).fit(EVENTS, Y)
    logits = classifier.decision_function(EVENTS[:6])
    items, labels = EVENTS["item_id"].to_numpy()[:6], Y[:6]
    for i, item in enumerate(items):  # without times a row sees what its user chose before
        past = [code + 1 for code, label in zip(items[:i], labels[:i], strict=True) if label > 0][-4:]
        assert logits[i] == pytest.approx(din(classifier, 1, past, item + 1)[1], abs=1e-4)
    y = 3.0 * Y
    regressor = DINRegressor(**DEEP).fit(EVENTS, y)
    past = [item + 1 for item in items[:5]][-4:]  # whatever the rating
    expected = din(regressor, 1, past, items[5] + 1)[1][0] * y.std() + y.mean()
    assert regressor.predict(EVENTS[5:6]) == pytest.approx([expected], abs=1e-3)


# -- no leak ---------------------------------------------------------------------------------------------------------


def test_what_comes_later_does_not_change_what_is_predicted(clicks):
    """Not the later events of the user, nor others of the same instant, nor those of others."""
    X, _ = interests(0)
    rows = X[X["user_id"] == 3]
    before = clicks.predict_proba(rows)
    copy = pickle.loads(pickle.dumps(clicks)).append_history(
        pd.DataFrame({"user_id": [3, 3, 4], "item_id": [1, 2, 3], "timestamp": [10, 11, 0]})
    )
    assert (copy.predict_proba(rows) == before).all()
    later = rows.assign(timestamp=12)
    assert (copy.predict_proba(later) != clicks.predict_proba(later)).any()
    # A row sees no other row of the call.
    assert (clicks.predict_proba(rows[::-1])[::-1] == before).all()
    assert (clicks.predict_proba(rows[4:5]) == before[4:5]).all()


def test_the_rows_that_choose_the_epoch_are_no_history():
    """Their score is that of a model which never saw them, nor has one of them another for its history."""
    X, y = interests(2)
    X["timestamp"] = X["timestamp"] * 1000 + np.random.default_rng(0).permutation(len(X))
    stopped = DINClassifier(epochs=1, early_stopping=True, **SMALL).fit(X, y)
    held_out = np.sort(np.argsort(X["timestamp"], kind="stable")[-round(0.1 * len(X)) :])
    train = np.setdiff1d(np.arange(len(X)), held_out)
    apart = DINClassifier(epochs=1, early_stopping=False, **SMALL).fit(X.iloc[train], y[train])
    expected = -log_loss(y[held_out], apart.predict_proba(X.iloc[held_out]))
    assert stopped.validation_scores_ == [pytest.approx(expected, abs=1e-6)]


# -- histories with features -----------------------------------------------------------------------------------------

FEATURES = EVENTS.assign(
    age=20.0 + EVENTS["user_id"],
    city=np.where(EVENTS["user_id"] % 2, "a", "b"),
    price=1.5 * EVENTS["item_id"],
    genre=np.where(EVENTS["item_id"] % 3, "x", "y"),
)


def test_past_items_have_their_features():
    """Two items with the same features that training dropped the ids of are the same past."""
    X = FEATURES.assign(item_id=FEATURES["item_id"] + 100)
    model = DINRanker(item_features=["price", "genre"], **{**SMALL, "epochs": 1}).fit(X)
    cheap, dear = model.score_items(history=[[100], [111]])
    assert (cheap != dear).any()
    frame = model.recommend(X[:2].drop(columns=["item_id", "price", "genre"]), k=3)
    assert frame.shape == (6, 4)
    assert len(model.explain(frame)) > 0


@pytest.mark.parametrize("make", [DINClassifier, pytest.param(DINRegressor, marks=pytest.mark.exhaustive), DINRanker])
def test_new_users_with_features_can_be_appended(make):
    model = make(item_features=["price", "genre"], **{**SMALL, "epochs": 1}).fit(FEATURES, Y > 0)
    more = FEATURES[:3].assign(user_id=77, city="a", age=33.0)
    model.append_history(more)
    assert model.recommend([77, 0], k=2)["user_id"].tolist() == [77, 77, 0, 0]
    assert np.isfinite(model.predict(more.assign(item_id=5))).all()
    model.partial_fit(more, [True, True, False])
    assert model.recommend([77], k=2).shape == (2, 4)


def test_explain_needs_items():
    model = DINRanker(**{**SMALL, "epochs": 1}).fit(EVENTS)
    with pytest.raises(ValueError, match="DINRanker.explain needs the items to explain: pass items=, one for each"):
        model.explain([1])
    with pytest.raises(ValueError, match="There are 1 queries, but 2 items"):
        model.explain([1], items=[3, 4])
    best = model.recommend([1, 99], k=3)
    found = model.explain(best)
    assert set(found["query"]) == {0, 1, 2}  # of user 99 nothing is known
    assert found.groupby("query")["contribution"].apply(lambda values: values.is_monotonic_decreasing).all()
    assert found.groupby("query").size().eq(6).all()
    pd.testing.assert_frame_equal(model.explain([1], items=best["item_id"][:1]), found[found["query"] == 0])


def test_contributions_are_what_removing_an_event_takes_from_the_score():
    for make, y in ((DINRanker, None), (DINRegressor, 3.0 * Y), (DINClassifier, Y > 0)):
        model = make(**DEEP).fit(EVENTS, y)
        sessions, items = [[3, 5, 3, 7, 1, 2], [6]], [4, 9]
        found = model.explain([1, 2], items, history=sessions)
        assert found.groupby("query").size().tolist() == [4, 1]
        for row in found.itertuples():
            history, item = sessions[row.query], items[row.query]
            others = history[: len(history) - row.age] + history[len(history) - row.age + 1 :]
            asked = {"queries": [row.user_id] * 2, "candidates": [item], "history": [history, others]}
            whole, without = model.score_items(**asked)[:, 0]
            assert row.contribution == pytest.approx(whole - without, abs=1e-5)
    with pytest.raises(ValueError, match="was fitted with 3 classes, but items can only be ranked with two"):
        DINClassifier(**DEEP).fit(EVENTS, Y).explain([1], [2])


def test_a_search_over_din():
    events = EVENTS.assign(item_id=(EVENTS["item_id"] + EVENTS["user_id"]) % 12)  # the last ones are known of others
    search = GridSearchCV(
        DINRanker(**SMALL), {"epochs": [1, 2]}, scoring=make_ranking_scorer("ndcg@10"), cv=LeaveLastOut(),
        error_score="raise",
    ).fit(events)  # fmt: skip
    assert search.best_estimator_.recommend([1], k=2).shape == (2, 4)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_history": 0}, "'max_history' parameter of DINRanker must be an int in the range"),
        ({"attention_units": 0}, "'attention_units' parameter"),
        ({"hidden_units": (8, 0)}, "hidden_units"),
    ],
    ids=str,
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        DINRanker(**parameters).fit(EVENTS)


@pytest.mark.filterwarnings("ignore:All rows of a user have one and the same time")
@pytest.mark.parametrize("max_history", [1, 3])
@pytest.mark.parametrize(
    "frame",
    [EVENTS[::6], EVENTS[:1], EVENTS[:6], EVENTS.assign(item_id=1), EVENTS.assign(timestamp=5)],
    ids=["users with one event", "one event", "one user", "one item", "one instant"],
)
def test_extreme_data(frame, max_history):
    model = DINRanker(max_history=max_history, **{**SMALL, "epochs": 1}).fit(frame)
    assert np.isfinite(model.score_items([0, 99])).all()
    assert np.isfinite(clone(model).fit(frame).predict(frame)).all()
