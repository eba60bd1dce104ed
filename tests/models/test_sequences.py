"""SASRec and GRU4Rec: known right answers, the papers' equations in NumPy, explanations, composition, bad input."""

import pickle
import pydoc

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

import skrec
from skrec.datasets import make_interactions
from skrec.inspection import history_attention
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import (
    AutoIntRanker,
    DNNRanker,
    FMRanker,
    GRU4RecRanker,
    NCFRanker,
    PopularityRanker,
    SASRecRanker,
)
from skrec.preprocessing import IDEncoder

# -- a cycle: the next item follows from the last one ----------------------------------------------------------------

N_ITEMS = 12
_starts = np.random.default_rng(0).integers(0, N_ITEMS, 40)
CYCLE = pd.DataFrame(
    {"user_id": np.repeat(np.arange(40), 6), "item_id": (_starts[:, None] + np.arange(6)).ravel() % N_ITEMS}
)
LEARN = {
    "embedding_dim": 16,
    "max_history": 4,
    "epochs": 40,
    "batch_size": 16,
    "learning_rate": 0.02,
    "dropout": 0.0,
    "random_state": 0,
}
SASREC, GRU4REC = SASRecRanker(n_blocks=1, **LEARN), GRU4RecRanker(**LEARN)
BOTH = pytest.mark.parametrize("model", [SASREC, GRU4REC], ids=["SASRec", "GRU4Rec"])


def hits(model):
    """The share of sessions, some of one event, whose next item is ranked first: 1 is right, 1/12 is chance."""
    sessions = [[item] for item in range(N_ITEMS)] + [[(item - 1) % N_ITEMS, item] for item in range(N_ITEMS)]
    found = model.recommend(history=sessions, k=1, exclude_seen=False)["item_id"]
    return (found == [(session[-1] + 1) % N_ITEMS for session in sessions]).mean()


LOSSES = [
    {"loss": "auto"},
    {"loss": "softmax", "n_negatives": 8, "negative_sampling": "popularity"},
    {"loss": "log_loss", "n_negatives": 4},
    {"loss": "gbce", "n_negatives": 8},
    {"loss": "bpr", "n_negatives": 4},
    {"loss": "bpr_max", "n_negatives": 8},
    {"loss": "top1_max", "n_negatives": 8},
]
USUAL = {"SASRec": {"auto", "softmax", "log_loss", "gbce"}, "GRU4Rec": {"auto", "bpr", "bpr_max", "top1_max"}}


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        pytest.param(
            model, loss, id=f"{name}-{loss['loss']}", marks=[] if loss["loss"] in usual else pytest.mark.exhaustive
        )
        for model, (name, usual) in zip([SASREC, GRU4REC], USUAL.items(), strict=True)
        for loss in LOSSES
    ],
)
def test_every_loss_learns_what_follows(model, loss):
    fitted = clone(model).set_params(**loss).fit(CYCLE)
    assert hits(fitted) > 0.9
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]


@pytest.fixture(scope="module", params=[SASREC, GRU4REC], ids=["SASRec", "GRU4Rec"])
def learnt(request):
    return clone(request.param).fit(CYCLE)


def test_order_counts_and_not_what_is_popular(learnt):
    rows = pd.DataFrame({"user_id": np.arange(40), "item_id": (_starts + 6) % N_ITEMS})
    assert learnt.score(rows) > 0.9 > PopularityRanker().fit(CYCLE).score(rows)
    forth, back = learnt.recommend(history=[[1, 2, 3], [3, 2, 1]], k=1, exclude_seen=False)["item_id"]
    assert (forth, back) == (4, 2)


def test_what_is_known_of_users_and_items(learnt):
    assert learnt.item_embeddings_.shape[0] == N_ITEMS
    assert learnt.similar_items([3], k=2).shape == (2, 4)
    with pytest.raises(AttributeError, match="learns no embeddings of users, only of their histories"):
        learnt.user_embeddings_


@pytest.mark.parametrize("model", [SASRecRanker, GRU4RecRanker])
def test_help_tells_of_no_features_and_no_user_embeddings(model):
    text = pydoc.plain(pydoc.render_doc(model))
    assert "categories of features" not in text
    assert text.count("user_embeddings_") == 1
    assert "sequential models learn no user embeddings" in text


def test_options_that_change_how_it_learns():
    common = {**LEARN, "epochs": 2}
    model = SASRecRanker(n_blocks=1, loss="log_loss", n_negatives=4, **common)
    rejecting = clone(model).set_params(reject_positives=True)
    assert model.fit(CYCLE).loss_curve_ != rejecting.fit(CYCLE).loss_curve_


@pytest.mark.parametrize("penalty", [{"l2": 0.3}, {"l1": 0.1}], ids=str)
@BOTH
def test_penalties_make_vectors_shorter(model, penalty):
    plain, penalised = (clone(model).set_params(epochs=10, **more).fit(CYCLE) for more in ({}, penalty))
    assert np.linalg.norm(penalised.item_embeddings_) < np.linalg.norm(plain.item_embeddings_)


# -- the equations ---------------------------------------------------------------------------------------------------

_random = np.random.default_rng(1)
EVENTS = pd.DataFrame({"user_id": np.repeat(np.arange(12), 9), "item_id": _random.integers(0, 15, 108)})
SESSIONS = [[], [3], [3, 3, 1], [1, 2, 3, 4, 5], [*range(8)], [*range(12)], [5, 999, 6]]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights_of(model):
    return {name: array.astype(np.float64) for name, array in model._weights.items()}


def codes_of(model, session):
    known = np.append(model.items_, -1)
    return [int(np.flatnonzero(known == item)[0]) + 1 if item in model.items_ else 0 for item in session]


def normed(x, weights, name):
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-8)
    return scaled * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def sasrec(model, session, max_history):
    """Kang and McAuley (2018), equations 1 to 7 and section III-E; what it attends to and the logits of all items.

    Places are counted from the latest event; a history that fits begins with a place of its own.
    """
    weights, n_heads = weights_of(model), model.n_heads
    rows = [weights["item/embeddings"][code] for code in codes_of(model, session)][-max_history:]
    if len(rows) < max_history:
        rows = [weights["position/embeddings"][0], *rows]
    x = np.stack(rows) + weights["position/embeddings"][np.arange(len(rows), 0, -1)]
    for i in range(1, model.n_blocks + 1):
        y = normed(x, weights, f"attention_norm_{i}")
        heads, shares = [], []
        for head in np.split(np.arange(y.shape[1]), n_heads):
            kernels = (weights[f"attention_{i}/{name}_kernel"][:, head] for name in ("query", "key", "value"))
            query, key, value = (y @ kernel for kernel in kernels)
            logits = query @ key.T / np.sqrt(len(head))
            shares.append(softmax(np.where(np.tri(len(x), dtype=bool), logits, -np.inf), axis=1))
            heads.append(shares[-1] @ value)
        x = x + np.concatenate(heads, axis=1)
        inner = normed(x, weights, f"forward_norm_{i}") @ weights[f"inner_{i}/kernel"] + weights[f"inner_{i}/bias"]
        x = x + np.maximum(inner, 0) @ weights[f"outer_{i}/kernel"] + weights[f"outer_{i}/bias"]
    logits = normed(x, weights, "norm")[-1] @ weights["item/embeddings"][1:].T
    return np.mean(shares, axis=0)[-1], logits


def gru4rec(model, session, max_history):
    """Hidasi et al. (2016): gated recurrent units (Cho et al., 2014); item vectors and biases on the way out."""
    weights = weights_of(model)
    table = weights["item/embeddings"]
    rows = [table[code, :-1] for code in codes_of(model, session)][-max_history:]
    if len(rows) < max_history:
        rows = [weights["start/embeddings"][0], *rows]
    for i in range(1, model.n_layers + 1):
        kernel, bias = weights[f"gru_{i}/kernel"], weights[f"gru_{i}/bias"]
        state, states = np.zeros(kernel.shape[1] // 3), []
        for x in rows:
            update, reset, new = np.split(x @ kernel + bias, 3)
            of_update, of_reset = np.split(state @ weights[f"gru_{i}/gates_kernel"], 2)
            update, reset = sigmoid(update + of_update), sigmoid(reset + of_reset)
            new = np.tanh(new + (reset * state) @ weights[f"gru_{i}/candidate_kernel"])
            state = update * state + (1 - update) * new
            states.append(state)
        rows = states
    return rows[-1] @ table[1:, :-1].T + table[1:, -1]


QUICK = {"embedding_dim": 8, "epochs": 3, "max_history": 8, "learning_rate": 0.02, "random_state": 0}


@pytest.fixture(scope="module")
def attentive():
    """Two blocks, two heads."""
    return SASRecRanker(n_heads=2, **QUICK).fit(EVENTS)


def test_sasrec_computes_what_the_paper_says(attentive):
    one_block = clone(SASREC).set_params(epochs=3).fit(EVENTS)
    for model in (attentive, one_block):
        expected = np.stack([sasrec(model, session, model.max_history)[1] for session in SESSIONS])
        assert model.score_items(history=SESSIONS) == pytest.approx(expected, abs=1e-4)
        assert expected.std(axis=0).min() > 0.01


@pytest.mark.parametrize("n_layers", [1, 2])
def test_gru4rec_computes_what_the_paper_says(n_layers):
    model = GRU4RecRanker(n_layers=n_layers, **QUICK).fit(EVENTS)
    expected = np.stack([gru4rec(model, session, 8) for session in SESSIONS])
    assert model.score_items(history=SESSIONS) == pytest.approx(expected, abs=1e-4)
    assert expected.std(axis=0).min() > 0.001


def test_histories_of_all_lengths_are_ranked_together():
    """Short histories are scored in short windows: in the order of the queries, with the scores they have alone."""
    lengths = np.array([40, 1, 3, 20, 9, 33, 2, 15])
    events = pd.DataFrame({"user_id": np.repeat(np.arange(8), lengths)})
    events["item_id"] = _random.integers(0, 15, len(events))
    model = SASRecRanker(**{**QUICK, "max_history": 64, "epochs": 1}).fit(events)
    together = model.score_items(np.arange(8))
    for user in range(8):
        alone = model.score_items([user])[0]
        np.testing.assert_allclose(alone, together[user], rtol=0, atol=1e-6 * np.abs(together).max())
        session = events.loc[events["user_id"] == user, "item_id"].tolist()
        assert together[user] == pytest.approx(sasrec(model, session, 64)[1], abs=1e-4)
    top = model.recommend(np.arange(8), k=1, exclude_seen=False)
    assert top["item_id"].tolist() == model.items_[together.argmax(axis=1)].tolist()


# -- explanations ----------------------------------------------------------------------------------------------------


def test_attention_is_that_of_the_last_block(attentive):
    found = history_attention(attentive, history=SESSIONS)
    for row, session in enumerate(SESSIONS):
        shown = session[-8:]
        shares = sasrec(attentive, session, 8)[0]
        weights = found.weights[row, found.weights.shape[1] - len(shown) :]
        assert weights == pytest.approx(shares[len(shares) - len(shown) :], abs=1e-5)
        assert found.past_items[row].tolist()[8 - len(shown) :] == [None if item == 999 else item for item in shown]
        assert weights.sum() <= 1 + 1e-6
        if len(session) < 8:
            assert weights.sum() < 1  # the place where a history starts has the rest


@pytest.mark.parametrize("make", [SASRecRanker, GRU4RecRanker])
def test_contributions_are_what_removing_an_event_takes_from_the_score(make):
    X = make_interactions(40, 30, 900, random_state=0)
    model = make(epochs=2, max_history=8, embedding_dim=8, random_state=0).fit(X)
    events = {user: part["item_id"].tolist() for user, part in X.sort_values("timestamp").groupby("user_id")}
    best = model.recommend([3, 99, 5], k=2)  # of user 99 nothing is known
    found = model.explain(best)
    assert list(found.columns) == ["query", "user_id", "item_id", "past_item", "age", "contribution"]
    roles = ["user_id", "item_id"]
    assert (best.loc[found["query"], roles].to_numpy() == found[roles].to_numpy()).all()
    assert found.groupby("query").size().to_dict() == {0: 8, 1: 8, 4: 8, 5: 8}
    for _, mine in found.groupby("query"):
        history, item = events[mine["user_id"].iloc[0]], mine["item_id"].iloc[0]
        assert len(history) > 9  # an older event moves up
        assert mine["contribution"].is_monotonic_decreasing
        for row in mine.itertuples():
            place = len(history) - row.age
            assert history[place] == row.past_item
            others = history[:place] + history[place + 1 :]
            whole, without = model.score_items(history=[history, others], candidates=[item])[:, 0]
            assert row.contribution == pytest.approx(whole - without, abs=2e-5)
    by_item = found[found["query"] < 2].pivot_table("contribution", "age", "query")
    assert not np.allclose(by_item[0], by_item[1], atol=1e-3)  # each item has reasons of its own


def test_explain_reads_what_recommend_reads(attentive):
    best = attentive.recommend([3, 5], k=1)
    found = attentive.explain(best)
    given = attentive.explain([3], items=best["item_id"][:1])
    pd.testing.assert_frame_equal(given, found[found["query"] == 0])
    session = attentive.explain(history=[[1, 999, 2], [3]], items=[7, 8])
    assert session[["query", "age"]].value_counts().max() == 1
    assert session.loc[session["query"] == 0].sort_values("age")["past_item"].tolist() == [2, None, 1]
    assert session.loc[session["query"] == 1, ["past_item", "age"]].to_numpy().tolist() == [[3, 1]]
    assert attentive.explain(history=[[]], items=[3]).empty
    assert attentive.explain([], items=[]).empty
    with pytest.raises(ValueError, match="There are 1 queries, but 2 items: pass one for each query"):
        attentive.explain([3], items=[1, 2])
    with pytest.raises(ValueError, match="SASRecRanker.explain needs the items to explain: pass items=, one for each"):
        attentive.explain([3])
    with pytest.raises(NotFittedError):
        SASRecRanker().explain([1], [2])


def test_many_queries_are_explained_in_parts(attentive, monkeypatch):
    from skrec.base import contributions

    best = attentive.recommend([1, 2, 3, 4, 5], k=2)
    expected = attentive.explain(best)
    monkeypatch.setattr(contributions, "_CELLS", 100)  # a query or two at a time
    found = attentive.explain(best)
    pd.testing.assert_frame_equal(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "instead"),
    [
        (NCFRanker(), "similar_items returns the items"),
        (PopularityRanker(), "item_counts_"),
        (FMRanker(), r"skrec\.inspection\.cross_strengths"),
        (AutoIntRanker(), r"skrec\.inspection\.attention_weights"),
        (DNNRanker(), r"skrec\.inspection\.field_importance"),
    ],
)
def test_models_that_do_not_explain_say_what_to_use(model, instead):
    assert not hasattr(model, "explain")
    with pytest.raises(AttributeError, match=f"{type(model).__name__} has no explain: .*{instead}.*SASRecRanker"):
        model.explain([1], [2])


# -- with scikit-learn -----------------------------------------------------------------------------------------------


@BOTH
def test_a_search_over_a_sequence_model(model):
    search = GridSearchCV(
        model, {"epochs": [1, 40]}, scoring=make_ranking_scorer("ndcg@10"), cv=LeaveLastOut(), error_score="raise"
    )
    search.fit(CYCLE)
    assert search.best_params_ == {"epochs": 40}
    assert search.best_score_ > 0.9
    expected = search.best_estimator_.recommend([0, 1], k=2)
    pd.testing.assert_frame_equal(skrec.recommend(search, [0, 1], k=2), expected)


@BOTH
def test_a_pipeline_of_ids_and_a_sequence_model(model):
    names = CYCLE.assign(item_id="item " + CYCLE["item_id"].astype(str).str.zfill(2))
    pipe = make_pipeline(IDEncoder(), model).fit(names)
    found = skrec.recommend(pipe, [0, 1], k=1, exclude_seen=False)
    plain = clone(model).fit(names).recommend([0, 1], k=1, exclude_seen=False)
    assert found["item_id"].tolist() == plain["item_id"].tolist() == [f"item {(s + 6) % 12:02}" for s in _starts[:2]]
    scores = cross_validate(make_pipeline(IDEncoder(), model), names, cv=LeaveLastOut(), scoring=None)
    assert scores["test_score"][0] > 0.9


# -- bad and extreme input -------------------------------------------------------------------------------------------

TINY = {"embedding_dim": 4, "epochs": 1, "random_state": 0}
EXTREMES = {
    "users with one event": CYCLE[::6],
    "one event": CYCLE[:1],
    "one user": CYCLE[:6],
    "one item": CYCLE.assign(item_id=1),
    "one instant": CYCLE.assign(timestamp=5),
}


@pytest.mark.filterwarnings("ignore:All rows of a user have one and the same time")
@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("max_history", [1, 4])
@pytest.mark.parametrize("make", [SASRecRanker, GRU4RecRanker])
def test_extreme_data(make, max_history, name):
    model = make(max_history=max_history, **TINY).fit(EXTREMES[name])
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.score_items([0, 99])).all()
    assert np.isfinite(model.predict(EXTREMES[name])).all()
    assert len(model.recommend([0], k=99, exclude_seen=False)) == len(model.items_)


@pytest.mark.parametrize("loss", ["log_loss", "gbce", "bpr", "bpr_max", "top1_max"])
def test_a_catalogue_of_one_item_has_no_negatives(loss):
    model = clone(SASREC if loss in USUAL["SASRec"] else GRU4REC).set_params(loss=loss, epochs=1)
    model.fit(CYCLE.assign(item_id=1))
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (SASRecRanker, {"max_history": 0}, "'max_history' parameter of SASRecRanker must be an int in the range"),
        (GRU4RecRanker, {"max_history": 2.5}, "'max_history' parameter of GRU4RecRanker must be an int"),
        (SASRecRanker, {"embedding_dim": 10, "n_heads": 4}, "embedding_dim=10 is not a multiple of n_heads=4"),
        (SASRecRanker, {"n_blocks": 0}, "'n_blocks' parameter"),
        (GRU4RecRanker, {"n_layers": 0}, "'n_layers' parameter"),
        (GRU4RecRanker, {"bpreg": -1}, "'bpreg' parameter"),
        (SASRecRanker, {"gbce_t": 1.5}, "'gbce_t' parameter"),
        (SASRecRanker, {"loss": "hinge"}, "'loss' parameter"),
        (SASRecRanker, {"loss": "gbce", "n_negatives": "all"}, "n_negatives='all' needs loss='softmax', not 'gbce'"),
    ],
    ids=str,
)
def test_bad_parameters(make, parameters, message):
    model = make(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(CYCLE)
    assert not [name for name in vars(model) if name.startswith("_") or name.endswith("_")]


def test_a_failed_fit_leaves_the_estimator_as_it_was(attentive, unchanged):
    copy = pickle.loads(pickle.dumps(attentive)).set_params(n_heads=3)
    for fit in (copy.fit, copy.partial_fit):
        with unchanged(copy), pytest.raises(ValueError, match="embedding_dim=8 is not a multiple of n_heads=3"):
            fit(EVENTS)


def test_nobody_has_an_event_to_hold_out(unchanged):
    model = SASRecRanker(early_stopping=True, **TINY)
    with (
        unchanged(model),
        pytest.raises(ValueError, match="no user has two positive events.*X_val, or set early_stopping=False"),
    ):
        model.fit(CYCLE[::6])
