"""Mult-VAE and Mult-DAE: known right answers, forward pass and loss in NumPy, histories, state, bad input."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skrec
from skrec.base import AutoencoderRanker
from skrec.datasets import make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut, search_space
from skrec.models import MultDAERanker, MultVAERanker, PopularityRanker, RecVAERanker
from skrec.preprocessing import IDEncoder
from skrec.testing import check_recommender

SMALL = {"hidden_units": (16,), "embedding_dim": 8, "learning_rate": 0.01, "batch_size": 16, "random_state": 0}
MODELS = [MultVAERanker(**SMALL), MultDAERanker(**SMALL)]
ALL = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
EVENTS = make_interactions(60, 20, 500, random_state=0)[["user_id", "item_id"]].astype(str)


@pytest.fixture(scope="module")
def fitted():
    return MultVAERanker(epochs=3, **SMALL).fit(EVENTS)


@pytest.mark.parametrize("model", [MODELS[0], pytest.param(MODELS[1], marks=pytest.mark.exhaustive)])
def test_it_is_a_recommender(model):
    check_recommender(clone(model).set_params(epochs=30, hidden_units=(32,), embedding_dim=16))


# -- the equations of the paper in NumPy -----------------------------------------------------------------------------


def encoder(model, sets):
    """What the encoder returns for sets of positions in ``items_``: a dense row of length 1 times dense matrices."""
    w = model._weights
    x = np.zeros((len(sets), len(model.items_)))
    for row, items in zip(x, sets, strict=True):
        row[items] = 1 / np.sqrt(max(len(items), 1))
    x = x @ w["encoder_1/embeddings"][1:] + w["encoder_1_bias/bias"]
    return np.tanh(x) @ w["encoder_2/kernel"] + w["encoder_2/bias"]


def decoder(model, z):
    w = model._weights
    h = np.tanh(z @ w["decoder_1/kernel"] + w["decoder_1/bias"])
    return h @ w["item/embeddings"][1:, :-1].T + w["item/embeddings"][1:, -1]


SETS = [[0, 3, 7], [5], list(range(12))]


def test_vae_scores_with_the_mean(fitted):
    expected = decoder(fitted, encoder(fitted, SETS)[:, :8])
    scores = fitted.score_items(history=[fitted.items_[items].tolist() for items in SETS])
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_dae_has_a_bounded_latent_vector():
    model = MultDAERanker(epochs=3, **SMALL).fit(EVENTS)
    expected = decoder(model, np.tanh(encoder(model, SETS)))
    scores = model.score_items(history=[model.items_[items].tolist() for items in SETS])
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("hidden_units", [(), (12, 6)])
def test_any_number_of_hidden_layers(hidden_units):
    model = MultVAERanker(**{**SMALL, "hidden_units": hidden_units}, epochs=2).fit(EVENTS)
    w, items = model._weights, [0, 3, 7]
    x = w["encoder_1/embeddings"][1:][items].sum(axis=0) / np.sqrt(3) + w["encoder_1_bias/bias"]
    for i in range(2, len(hidden_units) + 2):
        x = np.tanh(x) @ w[f"encoder_{i}/kernel"] + w[f"encoder_{i}/bias"]
    x = x[:8]
    for i in range(1, len(hidden_units) + 1):
        x = np.tanh(x @ w[f"decoder_{i}/kernel"] + w[f"decoder_{i}/bias"])
    expected = w["item/embeddings"][1:, :-1] @ x + w["item/embeddings"][1:, -1]
    np.testing.assert_allclose(model.score_items(history=[model.items_[items].tolist()])[0], expected, atol=1e-5)


def initial_loss(model, X, sample_weight=None):
    """The multinomial loss of a model before its first step, from its scores: a rate of almost 0 changes nothing."""
    model = clone(model).set_params(epochs=1, learning_rate=1e-12, dropout=0.0, id_dropout=0.0, early_stopping=False)
    model.fit(X, sample_weight=sample_weight)
    scores = model.score_items(model.users_).astype(float)
    unknown = model.score_items(model.users_, candidates=["an unknown item"]).astype(float)  # has a row in the softmax
    log_sum = np.log(np.exp(scores).sum(axis=1) + np.exp(unknown[:, 0]))
    targets = np.zeros_like(scores)
    positions = np.searchsorted(model.users_, X["user_id"]), np.searchsorted(model.items_, X["item_id"])
    np.add.at(targets, positions, 1.0 if sample_weight is None else sample_weight)
    return model.loss_curve_[0], (targets * (log_sum[:, None] - scores)).sum(axis=1).mean()


def test_the_loss_sums_over_the_items_of_a_user():
    X = EVENTS.drop_duplicates()
    loss, expected = initial_loss(MultDAERanker(**SMALL), X)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_targets_are_weighted():
    X = EVENTS
    weights = np.random.default_rng(0).uniform(0.5, 3, len(X))
    for sample_weight in (weights, None):  # EVENTS has repeated pairs
        loss, expected = initial_loss(MultDAERanker(**SMALL), pd.concat([X, X[:9]])[: len(X)], sample_weight)
        assert loss == pytest.approx(expected, rel=1e-5)


def test_the_divergence_is_added_with_its_weight():
    """Without annealing and with an enormous weight, the posterior is the prior; without weight it is not."""
    X = EVENTS
    settings = {**SMALL, "epochs": 60, "anneal_steps": 0, "early_stopping": False}
    free = MultVAERanker(kl_weight=0.0, **settings).fit(X)
    bound = MultVAERanker(kl_weight=100.0, **settings).fit(X)
    kl = []
    for model in (free, bound):
        found = encoder(model, SETS)
        mean, log_variance = found[:, :8], found[:, 8:]
        kl.append(0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(axis=1).mean())
    assert kl[1] < 0.1 < 1 < kl[0]


def test_annealing_counts_steps():
    X = EVENTS
    settings = {**SMALL, "kl_weight": 10.0, "early_stopping": False}
    late = MultVAERanker(anneal_steps=10**9, epochs=2, **settings).fit(X)
    none = MultVAERanker(anneal_steps=0, epochs=2, **{**settings, "kl_weight": 0.0}).fit(X)
    np.testing.assert_allclose(late.score_items(["1"]), none.score_items(["1"]), atol=1e-4)
    # the second fit of a warm start continues to count: two fits are one
    twice = MultVAERanker(anneal_steps=10, epochs=1, warm_start=True, **settings).fit(X).fit(X)
    once = MultVAERanker(anneal_steps=10, epochs=2, **settings).fit(X)
    assert twice.score_items(["1"]).tobytes() == once.score_items(["1"]).tobytes()


# -- histories -------------------------------------------------------------------------------------------------------


@ALL
def test_users_are_their_items(model):
    model = clone(model).set_params(epochs=2).fit(EVENTS)
    user = EVENTS["user_id"][0]
    items = EVENTS.loc[EVENTS["user_id"] == user, "item_id"].tolist()
    own = model.score_items([user])
    np.testing.assert_allclose(own, model.score_items(history=[items]), atol=1e-6)
    np.testing.assert_allclose(own, model.score_items(history=[items[::-1] * 2 + ["unknown"]]), atol=1e-6)
    other = model.score_items(history=[items[:1]])
    assert abs(own - other).max() > 1e-3
    stranger = pd.DataFrame({"user_id": "-1", "item_id": items})
    model.append_history(stranger)
    np.testing.assert_allclose(model.score_items(["-1"]), own, atol=1e-6)
    assert set(model.recommend(["-1"], k=20)["item_id"]).isdisjoint(items)
    predicted = model.predict(EVENTS[:3])
    expected = [model.score_items([u], candidates=[i])[0, 0] for u, i in EVENTS[:3].to_numpy()]
    np.testing.assert_allclose(predicted, expected, atol=1e-5)


@ALL
def test_users_without_items_get_what_is_popular(model):
    model = clone(model).set_params(epochs=2).fit(EVENTS)
    popular = PopularityRanker().fit(EVENTS)
    for query in ({"queries": ["new"]}, {"history": [[]]}, {"history": [["unknown item"]]}):
        assert (
            model.recommend(k=20, **query)["item_id"].tolist() == popular.recommend(["new"], k=20)["item_id"].tolist()
        )
    queries, items = model.encode_queries(history=[[], ["3", "5"]]), model.encode_items()
    np.testing.assert_allclose(queries @ items.T, model.score_items(history=[[], ["3", "5"]]), atol=1e-5)


def test_a_history_longer_than_all_of_fit():
    few = EVENTS.groupby("user_id").head(2)
    model = MultVAERanker(epochs=1, **SMALL).fit(few)
    assert model.recommend(history=[model.items_.tolist()], exclude_seen=False)["score"].notna().all()
    functions = model.network_functions()
    inputs = model.query_inputs(history=[model.items_.tolist(), ["3"]])
    scores = functions.interact(functions.query(inputs), functions.item(model.item_inputs())).numpy()
    np.testing.assert_allclose(scores, model.score_items(history=[model.items_.tolist(), ["3"]]), atol=1e-5)


def test_contributions_are_differences_of_scores(fitted):
    history, item = fitted.items_[[0, 3, 7]].tolist(), fitted.items_[9]
    found = fitted.explain(history=[history], items=[item]).set_index("past_item")["contribution"]
    whole = fitted.score_items(history=[history], candidates=[item])[0, 0]
    for past in history:
        without = fitted.score_items(history=[[i for i in history if i != past]], candidates=[item])[0, 0]
        assert found[past] == pytest.approx(whole - without, abs=1e-5)
    assert found.is_monotonic_decreasing
    with pytest.raises(ValueError, match="needs the items to explain"):
        fitted.explain(history=[history])


def test_similar_items_and_vectors(fitted):
    assert fitted.item_embeddings_.shape == (len(fitted.items_), 16)
    assert len(fitted.similar_items(fitted.items_[:2].tolist(), k=3)) == 6
    with pytest.raises(AttributeError, match="no embeddings of users"):
        fitted.user_embeddings_


# -- training and state ----------------------------------------------------------------------------------------------


@ALL
def test_the_same_seed_gives_the_same_bits(model):
    one, other = (clone(model).set_params(epochs=2).fit(EVENTS).score_items(EVENTS["user_id"][:9]) for _ in range(2))
    assert one.tobytes() == other.tobytes()
    third = clone(model).set_params(epochs=2, random_state=1).fit(EVENTS).score_items(EVENTS["user_id"][:9])
    assert one.tobytes() != third.tobytes()


def test_partial_fit_learns_new_users_and_items():
    model = MultVAERanker(epochs=2, **SMALL).fit(EVENTS)
    longer = pd.DataFrame({"user_id": "late", "item_id": [*map(str, range(100, 140)), "1", "2"]})
    model.partial_fit(longer)
    assert {*map(str, range(100, 140))} <= {*model.items_}
    assert model.seen_items(["late"]).nnz == 42
    assert np.isfinite(model.score_items(["late", EVENTS["user_id"][0]])).all()
    before = model.seen_items(model.users_).nnz
    model.partial_fit(longer, seen=True)
    assert model.seen_items(model.users_).nnz == before


def test_early_stopping_returns_held_out_events_to_the_histories():
    model = MultVAERanker(epochs=3, early_stopping=True, **SMALL).fit(EVENTS)
    assert len(model.validation_scores_) == 3
    assert model.seen_items(model.users_).nnz == len(EVENTS.drop_duplicates())


def test_it_can_be_saved_searched_and_used_behind_an_encoder(fitted, tmp_path):
    skrec.save(fitted, tmp_path / "model")
    loaded = skrec.load(tmp_path / "model")
    assert loaded.score_items(history=[["3", "5"]]).tobytes() == fitted.score_items(history=[["3", "5"]]).tobytes()
    assert loaded.append_history(EVENTS[:1]).users_.tolist() == fitted.users_.tolist()
    assert {"dropout", "kl_weight", "learning_rate"} <= search_space(MultVAERanker()).keys()
    named = EVENTS.assign(item_id=EVENTS["item_id"].map("item {}".format))
    pipe = make_pipeline(IDEncoder(), MultVAERanker(epochs=1, **SMALL))
    search = GridSearchCV(
        pipe, {"multvaeranker__dropout": [0.3, 0.5]}, scoring=make_ranking_scorer("ndcg@10"), cv=LeaveLastOut()
    ).fit(named)
    assert skrec.recommend(search, history=[["item 3"]], k=1)["item_id"].str.startswith("item ").all()


def test_negative_rows_are_ignored():
    y = np.arange(len(EVENTS)) % 3 > 0
    with_negatives = MultVAERanker(epochs=1, **SMALL).fit(EVENTS, y)
    assert with_negatives.seen_items(with_negatives.users_).nnz == len(EVENTS[y].drop_duplicates())


@pytest.mark.parametrize(
    ("arguments", "parameters", "message"),
    [
        ({"y": np.zeros(len(EVENTS))}, {}, "No value of y is above 0"),
        ({"sample_weight": 1.0 * (np.arange(500) == 3), "y": np.arange(500) == 4}, {}, "None of the 500 rows"),
        ({}, {"kl_weight": -1}, "'kl_weight'"),
        ({}, {"hidden_units": 600}, "'hidden_units'"),
        ({}, {"hidden_units": (0,)}, "must contain a whole number of at least 1"),
    ],
)
def test_bad_input_changes_nothing(arguments, parameters, message):
    model = MultVAERanker(epochs=1, **SMALL).fit(EVENTS)
    before = model.score_items(history=[["3", "5"]])
    model.set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(EVENTS, **arguments)
    assert model.score_items(history=[["3", "5"]]).tobytes() == before.tobytes()


def test_one_item_and_one_event():
    model = MultVAERanker(epochs=1, **SMALL).fit(pd.DataFrame({"user_id": [1, 2], "item_id": ["a", "a"]}))
    assert model.recommend([1], exclude_seen=False)["item_id"].tolist() == ["a"]


def test_the_base_is_public():
    assert issubclass(MultVAERanker, AutoencoderRanker)


# -- RecVAE ------------------------------------------------------------------------------------------------------------

REC = {"hidden_units": (12, 12), "embedding_dim": 8, "learning_rate": 0.01, "batch_size": 16, "random_state": 0}


def dense_encoder(weights, name, x):
    """The densely connected encoder of RecVAE for rows of length 1: the means."""
    layer, earlier = x @ weights[f"{name}_1/embeddings"][1:] + weights[f"{name}_1_bias/bias"], []
    for i in (1, 2):
        if i > 1:
            layer = layer @ weights[f"{name}_{i}/kernel"] + weights[f"{name}_{i}/bias"]
        total = sum(earlier, layer)
        total = total / (1 + np.exp(-total))
        centred = total - total.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt(centred.var(axis=1, keepdims=True) + 0.1)
        layer = scaled * weights[f"{name}_{i}_norm/gamma"] + weights[f"{name}_{i}_norm/beta"]
        earlier.append(layer)
    return (layer @ weights[f"{name}_output/kernel"] + weights[f"{name}_output/bias"])[:, :8]


def test_recvae_scores_are_a_product_with_the_mean():
    model = RecVAERanker(epochs=5, **REC).fit(EVENTS)
    x = np.zeros((len(SETS), len(model.items_)))
    for row, items in zip(x, SETS, strict=True):
        row[items] = 1 / np.sqrt(len(items))
    z = dense_encoder(model._weights, "encoder", x)
    expected = z @ model._weights["item/embeddings"][1:, :-1].T + model._weights["item/embeddings"][1:, -1]
    scores = model.score_items(history=[model.items_[items].tolist() for items in SETS])
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_recvae_trains_encoder_and_decoder_in_turn():
    """Two epochs of the encoder, then one of the decoder, before which the encoder becomes the prior."""
    model = RecVAERanker(epochs=1, n_encoder_epochs=2, warm_start=True, early_stopping=False, **REC)
    states = [dict(model.fit(EVENTS)._weights) for _ in range(4)]
    changed = [
        {name for name in before if not np.array_equal(before[name], after[name])} for before, after in pairwise(states)
    ]
    parts = [{name.partition("_")[0].partition("/")[0] for name in names} for names in changed]
    assert parts == [{"encoder"}, {"item", "prior"}, {"encoder"}]
    for name in states[1]:
        if name.startswith("encoder"):
            np.testing.assert_array_equal(states[2][name.replace("encoder", "prior")], states[1][name])


def test_recvae_layers_are_equal():
    with pytest.raises(ValueError, match=r"hidden_units is \(8, 4\), but the layers of RecVAE are added up"):
        RecVAERanker(hidden_units=(8, 4)).fit(EVENTS)


def test_recvae_learns_repeats_and_grows():
    one, other = (RecVAERanker(epochs=4, **REC).fit(EVENTS) for _ in range(2))
    assert one.score_items(["3"]).tobytes() == other.score_items(["3"]).tobytes()
    late = pd.DataFrame({"user_id": "late", "item_id": ["new item", "1", "2"]})
    assert "new item" in one.partial_fit(late).recommend(history=[["1"]], k=30)["item_id"].tolist()
