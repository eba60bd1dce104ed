"""The network as functions of query, item and pairs: what they return is what the model scores."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from skrec.models import DCNClassifier, DeepFMRanker, DINRegressor, DNNClassifier, NCFRanker, SASRecRanker

RANDOM = np.random.default_rng(0)
EVENTS = pd.DataFrame({"user_id": np.arange(300) % 15, "item_id": RANDOM.integers(0, 20, 300)})
EVENTS["timestamp"] = np.arange(300)
FEATURES = EVENTS.assign(
    age=EVENTS["user_id"] * 2.5,
    price=EVENTS["item_id"] / 4,
    genres=[["drama", "war", "crime"][: 1 + item % 3] for item in EVENTS["item_id"]],
)
ONCE = {"epochs": 1, "random_state": 0, "batch_size": 64}
DEEP = {**ONCE, "hidden_units": (8,), "embedding_dim": 4, "n_bins": 4, "user": "user_id", "item": "item_id"}
LIKED = (EVENTS["item_id"] % 3).to_numpy()
CASES = {
    "mf": (NCFRanker(architecture="mf", embedding_dim=8, **ONCE), EVENTS, None),
    "neumf": (NCFRanker(embedding_dim=4, mlp_embedding_dim=4, hidden_units=(8, 4), **ONCE), EVENTS, None),
    "features": (DeepFMRanker(**{k: v for k, v in DEEP.items() if k not in {"user", "item"}}), FEATURES, None),
    "labels": (DCNClassifier(n_cross_layers=1, **DEEP), FEATURES, LIKED > 0),
    "history and features": (DINRegressor(attention_units=4, max_history=8, **DEEP), FEATURES, 10.0 + 5 * LIKED),
    "sequence": (SASRecRanker(embedding_dim=8, n_blocks=1, max_history=8, **ONCE), EVENTS, None),
}


# Two cases add no kind of input to those of the others.
ALL_CASES = [
    pytest.param(case, id=name, marks=pytest.mark.exhaustive if name in {"neumf", "features"} else [])
    for name, case in CASES.items()
]


@pytest.fixture(scope="module", params=ALL_CASES)
def fitted(request):
    model, X, y = request.param
    return model.fit(X, y), X


def numpy(tensors):
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), tensors)


def expected_rows(model, X):
    return model.decision_function(X) if hasattr(model, "decision_function") else model.predict(X)


def assert_close(scores, expected):
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6)


def test_scores_from_the_functions_are_those_of_the_model(fitted):
    model, X = fitted
    functions = model.network_functions()
    users = [3, 5, -1, 14]  # one of them unknown
    queries, items = functions.query(model.query_inputs(users)), functions.item(model.item_inputs())
    assert_close(functions.interact(queries, items).numpy(), model.score_items(users))
    chosen = functions.item(model.item_inputs([7, 2]))
    assert_close(functions.interact(queries, chosen).numpy(), model.score_items(users, [7, 2]))
    assert_close(functions.pairs(model.pair_inputs(X[:50])).numpy(), expected_rows(model, X[:50]))
    if functions.dot:
        order = np.argsort(queries.numpy() @ items.numpy().T)
        np.testing.assert_array_equal(order, np.argsort(model.score_items(users)))


def test_inputs_are_as_their_specs_say(fitted):
    model, X = fitted
    functions = model.network_functions()
    inputs = {"query": model.query_inputs([3, 5]), "item": model.item_inputs(), "pairs": model.pair_inputs(X[:5])}
    for name, arrays in inputs.items():
        spec = getattr(functions, name).input_spec
        assert arrays.keys() == spec.keys()
        for key, array in arrays.items():
            assert str(array.dtype) == spec[key].dtype
            assert len(array.shape) == len(spec[key].shape)
            assert spec[key].shape[0] is None
            assert all(size in {None, n} for size, n in zip(spec[key].shape, array.shape, strict=True))
    assert inputs["pairs"].keys() == inputs["query"].keys() | inputs["item"].keys()


def test_they_are_traced_and_saved_with_their_signatures(fitted, tmp_path):
    model, X = fitted
    functions = model.network_functions()
    signature = [functions.query.tensor_spec, functions.item.tensor_spec]
    both = tf.function(
        lambda query, item: functions.interact(functions.query(query), functions.item(item)), input_signature=signature
    )
    asked = {name: tf.constant(array) for name, array in model.query_inputs([3, 5]).items()}
    offered = {name: tf.constant(array) for name, array in model.item_inputs().items()}
    assert_close(both(asked, offered).numpy(), model.score_items([3, 5]))
    tf.saved_model.save(functions.module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert_close(loaded.interact(loaded.query(asked), loaded.item(offered)).numpy(), model.score_items([3, 5]))
    pairs = {name: tf.constant(array) for name, array in model.pair_inputs(X[:9]).items()}
    assert_close(loaded.pairs(pairs).numpy(), expected_rows(model, X[:9]))


def test_a_later_fit_changes_nothing():
    model = NCFRanker(architecture="mf", embedding_dim=8, **ONCE).fit(EVENTS)
    functions, before = model.network_functions(), model.score_items([3])
    inputs = model.query_inputs([3]), model.item_inputs()
    other = NCFRanker(architecture="mf", embedding_dim=8, **{**ONCE, "random_state": 1}).fit(EVENTS)
    model.partial_fit(EVENTS)
    after = functions.interact(functions.query(inputs[0]), functions.item(inputs[1])).numpy()
    assert_close(after, before)
    assert np.abs(model.score_items([3]) - before).max() > 1e-3
    assert np.abs(other.score_items([3]) - before).max() > 1e-3


def test_rows_and_histories_become_inputs():
    ranker, X, _ = CASES["features"]
    ranker = ranker.fit(X)
    functions = ranker.network_functions()
    context = pd.DataFrame({"user_id": [3, 3], "age": [1.0, 90.0]})
    new = pd.DataFrame({"item_id": [98, 99], "price": [0.5, 4.0], "genres": [["war"], ["drama", "crime"]]})
    scores = functions.interact(functions.query(ranker.query_inputs(context)), functions.item(ranker.item_inputs(new)))
    assert_close(scores.numpy(), ranker.score_items(context, new))

    sequence = CASES["sequence"][0].fit(EVENTS)
    functions = sequence.network_functions()
    sessions = [[3, 4, 5], [], [7] * 20]
    queries = functions.query(sequence.query_inputs(history=sessions))
    scores = functions.interact(queries, functions.item(sequence.item_inputs()))
    assert_close(scores.numpy(), sequence.score_items(history=sessions))
    with pytest.raises(TypeError, match="histor"):
        ranker.query_inputs([3], history=[[1]])


def test_a_model_of_a_plain_table_has_pairs_alone():
    X = FEATURES[["age", "price", "genres"]]
    model = DNNClassifier(hidden_units=(8,), embedding_dim=4, n_bins=4, **ONCE).fit(X, LIKED)
    functions = model.network_functions()
    assert functions.query is functions.item is functions.interact is None
    assert_close(functions.pairs(model.pair_inputs(X[:9])).numpy(), model.decision_function(X[:9]))
    assert functions.pairs(model.pair_inputs(X[:9])).shape == (9, 3)
    with pytest.raises(AttributeError, match="fitted without items"):
        model.item_inputs()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "query lacks the input 'user'; its inputs are 'user'"),
        ({"usr": [1]}, "query has no input 'usr'.*Did you mean 'user'"),
        ({"user": [1], "item": [1]}, "query has no input 'item'"),
        ({"user": [1.5]}, "'user' is of type float64, but the network takes int32"),
        ({"user": [[1]]}, r"'user' has shape \(1, 1\), but the network takes \(None,\)"),
        ({"user": [2**40]}, "'user' has values out of range for int32"),
        ({"user": tf.constant([1.0])}, "'user' is of type float32, but the network takes int32"),
    ],
)
def test_wrong_inputs_are_refused(inputs, message):
    model = NCFRanker(architecture="mf", embedding_dim=8, **ONCE).fit(EVENTS)
    with pytest.raises(ValueError, match=message):
        model.network_functions().query(inputs)


def test_pairs_need_as_many_queries_as_items():
    model = NCFRanker(architecture="mf", embedding_dim=8, **ONCE).fit(EVENTS)
    with pytest.raises(ValueError, match="different numbers of rows"):
        model.network_functions().pairs({"user": [1, 2], "item": [1]})
