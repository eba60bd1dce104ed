"""GraphFeatures: against NumPy's decomposition, unknown ids, other transformers, bad graphs and saved files."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrec
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.preprocessing import GraphFeatures

FRIENDS = pd.DataFrame({"source": list("aabcd"), "target": list("bccde"), "weight": [1.0, 2, 1, 1, 3]})
X = pd.DataFrame({"user_id": list("ecz"), "item_id": [1, 2, 3]})


@pytest.mark.filterwarnings("ignore:No id in column:UserWarning")  # the checks know nothing of the graph
@parametrize_with_checks([GraphFeatures(graph=[[0, 1], [1, 2]], n_components=2)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def averaged(powers):
    adjacency = np.zeros((5, 5))
    for source, target, weight in FRIENDS.itertuples(index=False):
        adjacency["abcde".index(source), "abcde".index(target)] = weight
    adjacency += adjacency.T
    scale = 1 / np.sqrt(adjacency.sum(axis=1))
    step = scale[:, None] * adjacency * scale
    return sum(np.linalg.matrix_power(step, power) for power in powers) / len(powers)


@pytest.mark.parametrize("powers", [(1,), (1, 2), (2, 4)])
def test_the_features_are_a_truncated_decomposition(powers):
    features = GraphFeatures(graph=FRIENDS, columns="user_id", n_components=5, powers=powers).fit(X)
    matrix = averaged(powers)
    np.testing.assert_allclose(features.singular_values_, np.linalg.svd(matrix, compute_uv=False), atol=1e-12)
    np.testing.assert_allclose(features.components_ @ features.components_.T, matrix @ matrix.T, atol=1e-12)
    assert features.nodes_.tolist() == list("abcde")
    np.testing.assert_array_equal(features.transform(X)[:2], features.components_[[4, 2]])
    np.testing.assert_array_equal(features.transform(X)[2], 0)
    few = GraphFeatures(graph=FRIENDS, columns=["user_id"], n_components=2, powers=powers).fit(X)
    np.testing.assert_allclose(few.components_, features.components_[:, :2], atol=1e-12)


def test_a_large_graph_is_decomposed_in_the_same_way(monkeypatch):
    rng = np.random.default_rng(0)
    graph = pd.DataFrame(rng.integers(0, 600, (3000, 2)), columns=["source", "target"])
    graph = graph[graph["source"] != graph["target"]]
    ids = pd.DataFrame({"user_id": [1, 2]})
    sparse = GraphFeatures(graph=graph, n_components=3, random_state=0).fit(ids)
    again = GraphFeatures(graph=graph, n_components=3, random_state=0).fit(ids)
    np.testing.assert_array_equal(sparse.components_, again.components_)
    monkeypatch.setattr("skrec.preprocessing._graph_features._DENSE", 10_000)
    dense = GraphFeatures(graph=graph, n_components=3).fit(ids)
    np.testing.assert_allclose(sparse.singular_values_, dense.singular_values_)
    np.testing.assert_allclose(np.abs(sparse.components_), np.abs(dense.components_), atol=1e-8)


def test_fewer_nodes_than_components_leave_zeros():
    features = GraphFeatures(graph=[["a", "b"]], n_components=4, powers=(2,)).fit([["a"]])
    assert (features.singular_values_ > 0).tolist() == [True, True, False, False]
    assert features.transform([["a"]]).shape == (1, 4)


def test_names_and_frames():
    features = GraphFeatures(graph=FRIENDS, columns="user_id", n_components=2).set_output(transform="pandas")
    assert features.fit_transform(X).columns.tolist() == ["user_id_0", "user_id_1"]
    polars = features.set_output(transform="polars").fit_transform(pl.DataFrame(dict(X)))
    assert polars.columns == ["user_id_0", "user_id_1"]
    both = GraphFeatures(graph=FRIENDS, n_components=1).fit(pd.DataFrame({"user": ["a"], "friend": ["b"]}))
    assert both.get_feature_names_out().tolist() == ["user_0", "friend_0"]


def test_unknown_ids():
    mean = GraphFeatures(graph=FRIENDS, columns="user_id", n_components=2, handle_unknown="mean").fit(X)
    np.testing.assert_allclose(mean.transform(X)[2], mean.components_.mean(axis=0))
    strict = GraphFeatures(graph=FRIENDS, columns="user_id", handle_unknown="error").fit(X[:2])
    with pytest.raises(UnknownIdError, match="'z'"):
        strict.transform(X)
    with pytest.warns(UserWarning, match="No id in column 'item_id' is in the graph.*encoder before GraphFeatures"):
        GraphFeatures(graph=FRIENDS, columns="item_id").fit(X)


def test_a_linear_model_learns_from_friends():
    rng = np.random.default_rng(0)
    source = rng.integers(0, 200, 2000)
    graph = pd.DataFrame({"source": source, "target": (source + 2 * rng.integers(1, 100, 2000)) % 200})
    users = pd.DataFrame({"user_id": rng.permutation(200)})
    y = users["user_id"] % 2
    columns = make_column_transformer((GraphFeatures(graph=graph, n_components=4, random_state=0), ["user_id"]))
    pipeline = make_pipeline(columns, LogisticRegression(C=1000))
    assert cross_val_score(pipeline, users, y).mean() > 0.95
    name = "columntransformer__graphfeatures__n_components"
    assert GridSearchCV(pipeline, {name: [1, 4]}, cv=3).fit(users, y).best_score_ > 0.95


@pytest.mark.parametrize("library", [pd, pl])
def test_clones_and_saved_files(library, tmp_path):
    features = GraphFeatures(graph=library.DataFrame(dict(FRIENDS)), columns="user_id", n_components=2).fit(X)
    skrec.save(features, tmp_path / "features.skrec")
    for copy in (clone(features).fit(X), skrec.load(tmp_path / "features.skrec")):
        np.testing.assert_array_equal(copy.transform(X), features.transform(X))
        assert type(copy.graph) is library.DataFrame


BAD = {
    "none": ({"graph": None}, ValueError, "needs a graph"),
    "empty": ({"graph": FRIENDS[:0]}, ValueError, "graph has no edges"),
    "misspelt": ({"graph": FRIENDS.rename(columns={"target": "tarjet"})}, ColumnError, "Did you mean 'tarjet'"),
    "triples": ({"graph": pd.DataFrame({"head": [1], "tial": [2]})}, ColumnError, "'tail'.*Did you mean 'tial'"),
    "powers": ({"powers": (0, 1)}, ValueError, "powers must be whole numbers of at least 1"),
    "columns": ({"columns": "user"}, ColumnError, "columns has 'user', which is not a column of X"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters_change_nothing(case):
    parameters, error, message = BAD[case]
    features = GraphFeatures(graph=FRIENDS, columns="user_id", n_components=2).fit(X)
    before = features.transform(X)
    with pytest.raises(error, match=message):
        features.set_params(**parameters).fit(X)
    np.testing.assert_array_equal(features.transform(X), before)


@pytest.mark.parametrize("column", ["source", "target"])
def test_missing_nodes_are_named(column):
    graph = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"]})
    graph.loc[1, column] = None
    with pytest.raises(ValueError, match=rf"graph\['{column}'\] contains NaN: there is no id in place 1 \(1 such"):
        GraphFeatures(graph=graph, n_components=1).fit(pd.DataFrame({"node": ["a", "b"]}))
