"""MKR: the network against NumPy, knowledge that helps, the estimator, and bad graphs."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

import skrec
from skrec.exceptions import ColumnError
from skrec.models import MKRClassifier, MKRRanker

EVENTS = pd.DataFrame({"user_id": list("aabbbcc"), "item_id": list("xyyzxzw")})
FACTS = pd.DataFrame({"head": ["x", "y", "x"], "relation": ["r", "r", "s"], "tail": ["e", "e", "z"]})
SMALL = {"epochs": 2, "embedding_dim": 4, "batch_size": 8, "random_state": 0}


def test_scores_are_those_of_the_paper():
    model = MKRRanker(**SMALL, item_graph=FACTS, n_low_layers=2).fit(EVENTS)
    weights = model._weights
    user = weights["user/embeddings"][1:]
    for layer in (1, 2):
        name = f"user_hidden_{layer}"
        user = np.maximum(user @ weights[f"{name}/kernel"] + weights[f"{name}/bias"], 0)
    ids = ["e", "x", "y", "z"]  # of the entities; w has none
    item = weights["item/embeddings"][1:]
    entity = weights["entity/embeddings"][[1 + ids.index(i) if i in ids else 0 for i in "wxyz"]]
    for layer in (1, 2):
        kernels = {name: weights[f"cross_{layer}/{name}_kernel"] for name in ("vv", "ev", "ve", "ee")}
        matrix = item[:, :, None] * entity[:, None, :]
        other = matrix.transpose(0, 2, 1)
        item, entity = (
            (matrix @ kernels["v" + to] + other @ kernels["e" + to])[:, :, 0] + weights[f"cross_{layer}/{to}_bias"]
            for to in "ve"
        )
    np.testing.assert_allclose(
        model.score_items(list("abc")), user @ item.T + weights["bias/bias"], rtol=1e-4, atol=1e-5
    )


@pytest.fixture(scope="module")
def groups():
    """Few labels of pairs, which agree with the group of the user and that of the item; triples with the groups."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 60, 800), rng.integers(0, 300, 800)
    X = pd.DataFrame({"user_id": users, "item_id": items})
    facts = pd.DataFrame({"head": range(300), "relation": "genre", "tail": [f"genre {i % 3}" for i in range(300)]})
    return X, (users % 3 == items % 3).astype(int), facts


def test_the_graph_changes_what_is_learned(groups):
    X, y, facts = groups
    settings = {"epochs": 30, "batch_size": 64, "learning_rate": 0.01, "early_stopping": False, "random_state": 0}
    plain = MKRClassifier(**settings).fit(X, y)
    informed = MKRClassifier(**settings, item_graph=facts).fit(X, y)
    assert informed.score(X, y) > 0.8
    assert plain.score(X, y) > 0.8
    assert not np.allclose(plain.predict_proba(X), informed.predict_proba(X))
    without = clone(informed).set_params(kge_weight=0.0).fit(X, y)
    entity = "entity/embeddings"
    assert not np.allclose(without._weights[entity], informed._weights[entity])


@pytest.mark.parametrize("library", [pd, pl])
def test_copies(groups, library, tmp_path):
    X, y, facts = groups
    facts = library.DataFrame({name: facts[name].to_list() for name in facts.columns})
    model = MKRClassifier(**SMALL, item_graph=facts).fit(X, y)
    skrec.save(model, tmp_path / "model.skrec")
    copies = clone(model).fit(X, y), skrec.load(tmp_path / "model.skrec"), pickle.loads(pickle.dumps(model))
    for copy in copies:
        np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))


def test_partial_fit_adds_items_with_their_entities():
    model = MKRRanker(**SMALL, item_graph=FACTS).fit(EVENTS)
    model.partial_fit(pd.DataFrame({"user_id": ["d"], "item_id": ["e"]}))  # an entity becomes an item
    assert len(model.recommend(["d"], k=9)) == 4
    more = pd.concat([FACTS, pd.DataFrame({"head": ["q"], "relation": ["t"], "tail": ["x"]})])
    model.set_params(item_graph=more).partial_fit(pd.DataFrame({"user_id": ["d"], "item_id": ["q"]}))
    assert np.isfinite(model.score_items(["d"])).all()


def test_several_classes():
    X, y = EVENTS, ["no", "yes", "maybe", "no", "yes", "no", "maybe"]
    model = MKRClassifier(**SMALL, item_graph=FACTS).fit(X, y)
    assert model.predict_proba(X).shape == (7, 3)


BAD = {
    "misspelt": (FACTS.rename(columns={"relation": "relatoin"}), ColumnError, "'relation'.*Did you mean 'relatoin'"),
    "two columns": (FACTS[["head", "tail"]].to_numpy(), ColumnError, "needs head, relation, tail"),
    "empty": (FACTS[:0], ValueError, "item_graph has no edges"),
    "other ids": (FACTS.replace({"x": 1, "y": 2, "z": 3}), ValueError, "No id in item_graph is known"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_graphs_change_nothing(case, unchanged):
    graph, error, message = BAD[case]
    model = MKRRanker(**SMALL, item_graph=FACTS).fit(EVENTS).set_params(item_graph=graph)
    with unchanged(model), pytest.raises(error, match=f"(?s){message}"):
        model.fit(EVENTS)
