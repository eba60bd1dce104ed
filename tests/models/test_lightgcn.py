"""LightGCN: propagation over the graph, against NumPy; friends and knowledge; bad graphs; the estimator."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skrec
from skrec.exceptions import ColumnError
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import LightGCNRanker, NCFRanker, PopularityRanker
from skrec.testing import check_recommender

EVENTS = pd.DataFrame({"user_id": list("aabbbcc"), "item_id": list("xyyzxzw")})
XSIMGCL = {"n_layers": 2, "layer_weights": (0, 0.5, 0.5), "contrastive_weight": 0.1}
LARGER = {"embedding_dim": 16, "batch_size": 64, "learning_rate": 0.03, "random_state": 0}
SMALL = {"epochs": 3, "embedding_dim": 4, "batch_size": 8, "random_state": 0}


def matrix(events, users, items):
    found = np.zeros((len(users), len(items)))
    found[np.searchsorted(users, events["user_id"]), np.searchsorted(items, events["item_id"])] = 1
    return found


def propagated(model, further=(), n_entities=0):
    """Compute the embeddings as in the paper, from those that were trained; row 0 of each table is without edges."""
    own = [model._weights[f"own/{name}/embeddings"] for name in ("user", "item", "entity")[: 2 + bool(n_entities)]]
    nodes, n_users, n_items = np.concatenate(own), len(own[0]), len(own[1])
    weights = np.zeros((len(nodes), len(nodes)))
    weights[1:n_users, n_users + 1 : n_users + n_items] = matrix(EVENTS, model.users_, model.items_)
    for one, other, weight in further:
        weights[one, other] = weight
    weights = np.maximum(weights, weights.T)
    degrees = weights.sum(axis=1)
    scale = np.where(degrees > 0, 1 / np.sqrt(np.maximum(degrees, 1e-9)), 0)
    step = scale[:, None] * weights * scale + np.diag(degrees == 0)
    shares = model.layer_weights or [1 / (model.n_layers + 1)] * (model.n_layers + 1)
    found = sum(share * np.linalg.matrix_power(step, layer) @ nodes for layer, share in enumerate(shares))
    return found[1:n_users], found[n_users + 1 : n_users + n_items]


def agrees(model, expected):
    np.testing.assert_allclose(model.user_embeddings_, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.item_embeddings_, expected[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.score_items(model.users_), expected[0] @ expected[1].T, rtol=1e-4, atol=1e-5)
    return True


@pytest.mark.parametrize("layers", [{"n_layers": 1}, {"n_layers": 3}, {"n_layers": 2, "layer_weights": (0, 0.5, 2)}])
def test_the_embeddings_are_those_of_the_paper(layers):
    model = LightGCNRanker(**SMALL, **layers).fit(EVENTS)
    assert agrees(model, propagated(model))


def test_the_contrastive_term_adds_noise_only_in_training():
    model = LightGCNRanker(**SMALL, **XSIMGCL).fit(EVENTS)
    assert agrees(model, propagated(model))
    without = LightGCNRanker(**SMALL, n_layers=2, layer_weights=(0, 0.5, 0.5)).fit(EVENTS)
    assert not np.allclose(model.user_embeddings_, without.user_embeddings_)


def test_friends_and_knowledge_are_edges():
    friends = pd.DataFrame({"source": ["a", "c"], "target": ["b", "a"], "weight": [2.0, 0.5]})
    knowledge = pd.DataFrame({"head": ["x", "x", "film"], "relation": list("rst"), "tail": ["film", "y", "art"]})
    model = LightGCNRanker(
        **SMALL, user_graph=friends, item_graph=knowledge, user_graph_weight=3.0, item_graph_weight=0.5
    ).fit(EVENTS)
    x, y, art, film = 4 + 2, 4 + 3, 4 + 5 + 1, 4 + 5 + 2  # users 1 to 3; items w, x, y, z; entities art and film
    edges = [(1, 2, 6.0), (3, 1, 1.5), (x, film, 0.5), (x, y, 0.5), (film, art, 0.5)]
    assert agrees(model, propagated(model, edges, n_entities=2))


class WithoutBias(NCFRanker):
    def _network_config(self, n_outputs):
        return {**super()._network_config(n_outputs), "biased": False}


def test_without_layers_it_is_matrix_factorization():
    common = {"embedding_dim": 8, "epochs": 4, "random_state": 0, "loss": "bpr", "n_negatives": 1}
    common |= {"reject_positives": True, "learning_rate": 0.01, "l2": 0.001, "batch_size": 8, "id_dropout": 0.0}
    graph = LightGCNRanker(n_layers=0, **common).fit(EVENTS)
    factors = WithoutBias(architecture="mf", **common).fit(EVENTS)
    np.testing.assert_array_equal(graph.user_embeddings_, factors.user_embeddings_)
    np.testing.assert_array_equal(graph.item_embeddings_, factors.item_embeddings_)


def test_a_step_follows_the_gradient_through_the_graph():
    """Compare one step of gradient descent with the numerical gradient of the softmax over the catalogue."""
    settings = {"embedding_dim": 3, "n_layers": 2, "optimizer": "sgd", "loss": "softmax", "n_negatives": "all"}
    settings |= {"epochs": 1, "batch_size": 7, "l2": 0.0, "id_dropout": 0.0, "random_state": 0, "warm_start": True}
    before = LightGCNRanker(**settings, learning_rate=1e-9).fit(EVENTS)
    start = [before._weights[f"own/{name}/embeddings"].astype(float) for name in ("user", "item")]
    after = clone(before).set_params(learning_rate=0.1).fit(EVENTS)
    users = np.searchsorted(before.users_, EVENTS["user_id"])
    items = np.searchsorted(before.items_, EVENTS["item_id"])

    def loss(tables):
        before._weights["own/user/embeddings"], before._weights["own/item/embeddings"] = tables
        _, found_items = propagated(before)
        found_users = propagated(before)[0]
        unknown = tables[1][:1]  # the unknown item is in the catalogue, too
        scores = found_users @ np.concatenate([unknown, found_items]).T
        return np.mean(np.log(np.exp(scores).sum(axis=1))[users] - scores[users, items + 1])

    for table, name in enumerate(("user", "item")):
        step = start[table] - after._weights[f"own/{name}/embeddings"]
        for place in [(0, 0), (1, 0), (2, 1), (3, 2)]:
            moved = [each.copy() for each in start], [each.copy() for each in start]
            moved[0][table][place] += 1e-5
            moved[1][table][place] -= 1e-5
            slope = (loss(moved[0]) - loss(moved[1])) / 2e-5
            assert step[place] == pytest.approx(0.1 * slope, abs=2e-5)


@pytest.fixture(scope="module")
def groups():
    """Few events of 60 users in 3 groups, most with items of their group; friends of a group, and the items' groups."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(60), 3)
    items = 3 * rng.integers(0, 15, len(users)) + (users + rng.choice([0, 1, 2], len(users), p=[0.8, 0.1, 0.1])) % 3
    events = pd.DataFrame({"user_id": users, "item_id": items}).drop_duplicates(ignore_index=True)
    test = pd.DataFrame({"user_id": np.arange(60), "item_id": 3 * rng.integers(0, 15, 60) + np.arange(60) % 3})
    test = test[test["item_id"].isin(events["item_id"])]
    source = rng.integers(0, 60, 400)
    friends = pd.DataFrame({"source": source, "target": (source + 3 * rng.integers(1, 20, 400)) % 60})
    known = np.unique(events["item_id"])
    knowledge = pd.DataFrame({"head": known, "relation": "genre", "tail": [f"genre {item % 3}" for item in known]})
    return events, test, friends, knowledge


def share_of_own_group(model):
    found = model.recommend(np.arange(60), k=5)
    return (found["user_id"] % 3 == found["item_id"] % 3).mean()


def test_friends_and_knowledge_help_where_events_are_few(groups):
    events, _, friends, knowledge = groups
    settings = {**LARGER, "epochs": 20}
    plain = share_of_own_group(LightGCNRanker(**settings).fit(events))
    social = share_of_own_group(LightGCNRanker(**settings, user_graph=friends).fit(events))
    informed = share_of_own_group(LightGCNRanker(**settings, item_graph=knowledge, item_graph_weight=3.0).fit(events))
    assert plain < 0.5
    assert social > plain + 0.05
    assert informed > plain + 0.05


def test_a_history_is_propagated_from_its_items(groups):
    events = groups[0]
    model = LightGCNRanker(**LARGER, epochs=20).fit(events)
    assert model.reads_histories
    counts = events["item_id"].value_counts()
    given = [[3, 6, 9], [4]]
    vectors = []
    for known in ([item for item in items if item in counts] for items in given):
        of_items = model.item_embeddings_[np.searchsorted(model.items_, known)]
        vectors.append((of_items / np.sqrt(counts[known].to_numpy())[:, None]).sum(axis=0) / np.sqrt(len(known)))
    scores = model.score_items(history=given)
    np.testing.assert_allclose(scores, np.array(vectors) @ model.item_embeddings_.T, rtol=1e-4, atol=1e-5)
    unknown = model.score_items([-1])
    np.testing.assert_array_equal(model.score_items(history=[[]]), unknown)
    np.testing.assert_array_equal(model.score_items(history=[[-5]]), unknown)


def test_an_unknown_user_gets_about_what_is_popular():
    rng = np.random.default_rng(0)
    items = np.minimum(rng.geometric(0.15, 3000), 30)
    events = pd.DataFrame({"user_id": rng.integers(0, 300, 3000), "item_id": items})
    model = LightGCNRanker(**LARGER, epochs=30).fit(events)
    popular = PopularityRanker().fit(events).recommend([-1], k=5)["item_id"]
    assert len({*model.recommend([-1], k=5)["item_id"]} & {*popular}) >= 4


def test_it_learns_the_checkerboard(board):
    model = LightGCNRanker(**LARGER, epochs=20).fit(board.events)
    assert board.own_share(model) > 0.95
    with_contrast = LightGCNRanker(**LARGER, epochs=20, **XSIMGCL).fit(board.events)
    assert board.own_share(with_contrast) > 0.95


# -- as an estimator ---------------------------------------------------------------------------------------------------


def test_equal_seeds_give_equal_models(groups):
    settings = {**SMALL, "contrastive_weight": 0.1, "user_graph": groups[2], "item_graph": groups[3]}
    one, other = (LightGCNRanker(**settings).fit(groups[0]).score_items(np.arange(60)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_two_fits_with_warm_start_equal_one(tmp_path):
    one = LightGCNRanker(**{**SMALL, "epochs": 6}).fit(EVENTS)
    two = LightGCNRanker(**SMALL, warm_start=True).fit(EVENTS)
    skrec.save(two, tmp_path / "model.skrec")
    two = skrec.load(tmp_path / "model.skrec").fit(EVENTS)
    np.testing.assert_array_equal(one.user_embeddings_, two.user_embeddings_)
    averaged = LightGCNRanker(**{**SMALL, "epochs": 6}, ema_momentum=0.5).fit(EVENTS)
    again = LightGCNRanker(**SMALL, ema_momentum=0.5, warm_start=True).fit(EVENTS).fit(EVENTS)
    np.testing.assert_array_equal(averaged.user_embeddings_, again.user_embeddings_)


@pytest.mark.parametrize("library", [pd, pl])
def test_graphs_of_any_library_are_parameters(groups, library, tmp_path):
    events, _, friends, knowledge = groups
    frames = {"user_graph": library.DataFrame(dict(friends)), "item_graph": library.DataFrame(dict(knowledge))}
    model = LightGCNRanker(**SMALL, **frames).fit(events)
    plain = LightGCNRanker(**SMALL, user_graph=friends, item_graph=knowledge).fit(events)
    skrec.save(model, tmp_path / "model.skrec")
    copies = [clone(model).fit(events), skrec.load(tmp_path / "model.skrec"), pickle.loads(pickle.dumps(model))]
    for copy in [model, *copies]:
        np.testing.assert_array_equal(copy.score_items([3]), plain.score_items([3]))
        assert type(copy.get_params()["user_graph"]) is library.DataFrame
    assert "LightGCNRanker" in repr(model)


def test_arrays_are_graphs_too(groups):
    events, _, friends, knowledge = groups
    frame = LightGCNRanker(**SMALL, user_graph=friends, item_graph=knowledge[["head", "tail"]]).fit(events)
    array = LightGCNRanker(**SMALL, user_graph=friends.to_numpy(), item_graph=knowledge.to_numpy()).fit(events)
    np.testing.assert_array_equal(frame.score_items([3]), array.score_items([3]))


def test_a_search_chooses_a_graph(groups):
    events, _, friends, _ = groups
    search = GridSearchCV(
        LightGCNRanker(**LARGER, epochs=10),
        {"user_graph": [None, friends]},
        cv=LeaveLastOut(),
        scoring=make_ranking_scorer("ndcg@10"),
    )
    search.fit(events)
    assert isinstance(search.best_params_["user_graph"], pd.DataFrame)
    assert skrec.recommend(search, [3], k=2).shape == (2, 4)


def test_partial_fit_adds_nodes_and_edges(groups):
    events, _, _, knowledge = groups
    model = LightGCNRanker(**LARGER, epochs=20, item_graph=knowledge)
    old = events[(events["user_id"] != 59) & (events["item_id"] != events["item_id"].iloc[-1])]
    new = pd.DataFrame({"user_id": [59, 59, 59, 59], "item_id": [2, 5, 8, 1000]})
    model.fit(old)
    before = model.score_items([0])
    model.partial_fit(new)
    assert {*model.users_} == {*range(60)}
    assert 1000 in model.items_
    scores = model.score_items([59])[0]
    assert scores[np.isin(model.items_, new["item_id"])].min() > np.median(scores)
    assert not np.array_equal(before[0], model.score_items([0], candidates=old["item_id"].unique())[0])


def test_early_stopping_scores_propagated_embeddings(groups):
    events = groups[0]
    model = LightGCNRanker(**LARGER, epochs=8, early_stopping=True)
    held = events.groupby("user_id").tail(1)
    rest = events.drop(held.index)
    model.fit(rest, X_val=held)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(held) == pytest.approx(model.best_validation_score_, abs=1e-6)


def test_its_functions_can_be_exported(groups):
    model = LightGCNRanker(**SMALL).fit(groups[0])
    functions = model.network_functions()
    assert functions.dot
    found = functions.interact(functions.query(model.query_inputs([3])), functions.item(model.item_inputs()))
    np.testing.assert_allclose(found, model.score_items([3]), atol=1e-6)
    np.testing.assert_allclose(model.encode_queries([3]) @ model.encode_items().T, model.score_items([3]), atol=1e-6)
    assert len(model.similar_items([model.items_[0]], k=3)) == 3


@pytest.mark.exhaustive
def test_it_is_a_recommender():
    check_recommender(LightGCNRanker(epochs=30, n_layers=2, embedding_dim=16))


def test_one_item_and_a_user_without_positives():
    model = LightGCNRanker(**SMALL).fit([["a", "x"], ["b", "x"]])
    assert model.recommend(["a"], exclude_seen=False)["item_id"].tolist() == ["x"]
    model = LightGCNRanker(**SMALL).fit(EVENTS, [1, 1, 1, 1, 1, 0, 0])
    assert np.isfinite(model.score_items(["c"])).all()


# -- bad graphs --------------------------------------------------------------------------------------------------------

FRIENDS = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"]})
FACTS = pd.DataFrame({"head": ["x", "y"], "relation": ["r", "r"], "tail": ["e", "e"]})
BAD = {
    "misspelt": ({"user_graph": FRIENDS.rename(columns={"source": "sorce"})}, "column 'source'.*you mean 'sorce'"),
    "no columns": ({"user_graph": FRIENDS[["source"]]}, "no column 'target'; its columns are"),
    "no tail": ({"item_graph": FACTS[["head", "relation"]]}, "item_graph has no column 'tail'"),
    "one column": ({"user_graph": [["a"], ["b"]]}, "1 column"),
    "no edges": ({"user_graph": FRIENDS[:0]}, "user_graph has no edges. Pass user_graph=None"),
    "a loop": ({"user_graph": pd.DataFrame({"source": ["a"], "target": ["a"]})}, "no edges but self-loops"),
    "unknown": ({"user_graph": FRIENDS.replace({"a": 1, "b": 2, "c": 3})}, "No id in user_graph.*encoder before"),
    "no items": ({"item_graph": FACTS.replace({"x": "q", "y": "p"})}, "No id in item_graph.*encoder before"),
    "half known": ({"user_graph": FRIENDS.replace({"b": "zoe"})}, "No edge in user_graph.*'zoe' in row 0"),
    "missing id": ({"user_graph": FRIENDS.assign(source=["a", None])}, "source"),
    "weights": ({"user_graph": FRIENDS.assign(weight=[1, -1])}, "numbers above 0, but row 1 has -1.0"),
    "text weights": ({"user_graph": FRIENDS.assign(weight=["much", "less"])}, "must be numbers above 0"),
    "misspelt weight": ({"user_graph": FRIENDS.assign(wieght=[1, 2])}, "column 'wieght'. Did you mean 'weight'"),
    "four columns": ({"user_graph": [["a", "b", 1, 2]]}, "4 columns without names, but 3 are the most"),
    "weights of facts": ({"item_graph": FACTS.assign(weight=[1, 2])}, "'weight', but the edges of a knowledge graph"),
    "misspelt relation": ({"item_graph": FACTS.rename(columns={"relation": "relations"})}, "Did you mean 'relation'"),
    "no layers": ({"user_graph": FRIENDS, "n_layers": 0}, "user_graph has no effect with n_layers=0"),
    "no contrast": ({"contrastive_weight": 0.1, "n_layers": 0}, "contrastive_weight has no effect with n_layers=0"),
    "layer weights": ({"layer_weights": (1, 1)}, "layer_weights must be 4 numbers"),
    "contrast layer": ({"contrastive_weight": 0.1, "contrast_layer": 5}, "contrast_layer=5, but there are n_layers=3"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_graphs_are_refused_and_change_nothing(case, unchanged):
    parameters, message = BAD[case]
    model = LightGCNRanker(**SMALL).fit(EVENTS).set_params(**parameters)
    with unchanged(model), pytest.raises((ValueError, ColumnError), match=f"(?s){message}"):
        model.fit(EVENTS)
    with unchanged(model), pytest.raises((ValueError, ColumnError), match=f"(?s){message}"):
        model.partial_fit(EVENTS)


def test_a_graph_is_no_text():
    with pytest.raises(
        TypeError, match="user_graph must be a DataFrame with the columns source and target, got 'friends'"
    ):
        LightGCNRanker(user_graph="friends").fit(EVENTS)


def test_unknown_ids_and_self_loops_are_ignored_with_a_warning():
    plain = LightGCNRanker(**SMALL, user_graph=FRIENDS).fit(EVENTS)
    more = pd.concat([FRIENDS, pd.DataFrame({"source": ["a", "zoe"], "target": ["a", "b"]})], ignore_index=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = LightGCNRanker(**SMALL, user_graph=more).fit(EVENTS)
    texts = [str(one.message) for one in caught]
    assert len(texts) == 2
    assert "1 of 4 edges in user_graph connect an id with itself, for instance 'a' in row 2" in texts[0]
    assert "1 of 3 edges" in texts[1]
    assert "for instance 'zoe' in row 3" in texts[1]
    np.testing.assert_array_equal(plain.score_items(["a"]), model.score_items(["a"]))
