"""Sparse rows: weighted bags of columns, the same as dense ones, and as good."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skrec
from skrec import models
from skrec.models import DCNClassifier, DNNRegressor, FMClassifier, FMRanker, FMRegressor, NCFClassifier, SASRecRanker

N = 400
SMALL = {"early_stopping": False, "epochs": 3, "embedding_dim": 4, "batch_size": 64, "random_state": 0}


@pytest.fixture(scope="module")
def matrix():
    X = sparse.random_array((N, 30), density=0.2, rng=np.random.default_rng(0), format="csr")
    X.data -= 0.5
    return X


@pytest.fixture(scope="module")
def target(matrix):
    return np.asarray(matrix[:, [0]].toarray().ravel() - matrix[:, [1]].toarray().ravel())


@pytest.fixture(scope="module")
def fitted(matrix, target):
    return FMRegressor(**SMALL).fit(matrix, target)


@pytest.mark.parametrize("name", ["FM", pytest.param("DNN", marks=pytest.mark.exhaustive), "WideDeep"])
def test_sparse_and_dense_rows_give_the_same_model(matrix, target, name):
    model = getattr(models, f"{name}Regressor")(**SMALL, numeric_embedding="bag")
    of_sparse = model.fit(matrix, target).predict(matrix)
    of_dense = model.fit(matrix.toarray(), target).predict(matrix.toarray())
    np.testing.assert_allclose(of_sparse, of_dense, rtol=0, atol=1e-5)
    of_frame = model.fit(pd.DataFrame(matrix.toarray()).add_prefix("x"), target)
    np.testing.assert_allclose(of_sparse, of_frame.predict(pd.DataFrame(matrix.toarray()).add_prefix("x")), atol=1e-5)


def test_a_factorisation_machine_is_that_of_libfm(matrix, target):
    labels = target > 0
    model = FMClassifier(**SMALL).fit(matrix, labels)
    values = matrix.toarray()[:, model._bag_columns] / model._bag_scales
    vectors, linear = (model._weights[f"query{part}_sparse/embeddings"][1:] for part in ("", "_linear"))
    pairs = ((values @ vectors) ** 2 - values**2 @ vectors**2).sum(axis=1) / 2
    expected = model._weights["bias/bias"][0] + (values @ linear)[:, 0] + pairs
    np.testing.assert_allclose(model.decision_function(matrix), expected, atol=1e-5)


@pytest.mark.parametrize("form", ["csc_array", "coo_matrix", "csr_matrix", "lil_array"])
def test_every_format_is_predicted_alike(matrix, fitted, form):
    np.testing.assert_array_equal(fitted.predict(getattr(sparse, form)(matrix)), fitted.predict(matrix))


def test_dense_rows_can_be_predicted_after_sparse_ones(matrix, fitted):
    np.testing.assert_array_equal(fitted.predict(matrix.toarray()), fitted.predict(matrix))
    by_rows = np.concatenate([fitted.predict(matrix[[row]]) for row in range(20)])
    np.testing.assert_allclose(by_rows, fitted.predict(matrix)[:20], atol=1e-6)


def test_state_is_kept(matrix, target, fitted, tmp_path):
    expected = fitted.predict(matrix)
    skrec.save(fitted, tmp_path / "model")
    for copy in (skrec.load(tmp_path / "model"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(copy.predict(matrix), expected)
        assert copy.field_names_ == ("sparse_columns",)
    first = sparse.csr_array(matrix.toarray() * (np.arange(30) < 10))
    model = FMRegressor(**SMALL).partial_fit(first, target)
    assert len(model._bag_columns) == 10
    np.testing.assert_array_equal(model.predict(first), model.predict(matrix))  # columns never seen tell nothing
    model.partial_fit(matrix, target)
    assert sorted(model._bag_columns) == list(range(30))
    assert not np.array_equal(model.predict(first), model.predict(matrix))
    roles = model.column_roles_
    assert (set(roles["role"]), set(roles["kind"]), len(roles)) == ({"feature"}, {"numeric"}, 30)


def test_bad_rows_are_refused(matrix, target, fitted, unchanged):
    broken = matrix.copy()
    broken.data[0] = np.nan
    with unchanged(fitted):
        with pytest.raises(ValueError, match="contains NaN: the sparse matrix has it in row 0, column"):
            fitted.predict(broken)
        with pytest.raises(ValueError, match="X has 29 features, but FMRegressor is expecting 30 features"):
            fitted.predict(matrix[:, :29])
        with pytest.raises(ValueError, match="could not convert|is one of numbers"):
            fitted.predict(np.full((2, 30), "a", dtype=object))
    with pytest.raises(ValueError, match="user=0 cannot be used with a sparse X.*events_from_matrix"):
        FMRegressor(**SMALL, user=0, item=1).fit(matrix, target)
    with pytest.raises(TypeError, match=r"X is sparse, but was dense in fit"):
        FMRegressor(**SMALL).fit(matrix[:, :4].toarray(), target).predict(matrix[:, :4])
    with pytest.raises(ValueError, match="numeric_embedding='bag' .* FMRanker needs users and items"):
        FMRanker(**SMALL, numeric_embedding="bag", user=0, item=1).fit(matrix.toarray())


@pytest.mark.parametrize("model", [NCFClassifier(), FMRanker(), SASRecRanker(), models.PopularityRanker()], ids=repr)
def test_models_of_ids_say_what_to_do(matrix, target, model):
    with pytest.raises(TypeError, match=r"skrec.datasets.events_from_matrix"):
        model.fit(matrix, target > 0)


def recipe(model, **options):
    """Scale numbers and one-hot encode categories; what comes out is sparse, unless ``options`` say otherwise."""
    encoder = OneHotEncoder(handle_unknown="ignore", **options)
    return make_pipeline(make_column_transformer((encoder, ["city"]), (StandardScaler(), ["x"])), model)


def test_the_standard_recipe_is_as_good_as_with_dense_data():
    draw = np.random.default_rng(0)
    X = pd.DataFrame({"city": draw.choice([f"c{i}" for i in range(30)], 3000), "x": draw.normal(size=3000)})
    y = (X["city"].str[1:].astype(int) % 2 == 0) ^ (np.abs(X["x"]) > 0.7)
    model = DCNClassifier(epochs=10, embedding_dim=8, learning_rate=0.005, early_stopping=False, random_state=0)
    scores = {sparse: recipe(model, sparse_output=sparse).fit(X[:2000], y[:2000]).score(X[2000:], y[2000:])
              for sparse in (True, False)}  # fmt: skip
    assert scores[True] > max(0.9, scores[False] - 0.02)


@pytest.mark.parametrize("vectorizer", [CountVectorizer(), TfidfVectorizer(), HashingVectorizer(n_features=2**20)])
def test_texts_are_classified(vectorizer):
    draw = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(40)])
    labels = draw.integers(0, 2, N)
    texts = [" ".join(draw.choice(words[20 * label : 20 * label + 20], 5)) for label in labels]
    pipeline = make_pipeline(vectorizer, FMClassifier(**{**SMALL, "epochs": 10, "learning_rate": 0.02}))
    assert pipeline.fit(texts[:300], labels[:300]).score(texts[300:], labels[300:]) > 0.95
    assert pipeline[-1]._weights["query_sparse/embeddings"].shape == (41, 4)  # memory goes with what is there


def test_memory_goes_with_the_entries():
    draw = np.random.default_rng(0)
    columns = draw.integers(0, 100_000, 5 * N)
    X = sparse.csr_array((np.ones(5 * N), (np.repeat(np.arange(N), 5), columns)), shape=(N, 100_000))
    model = DNNRegressor(**SMALL, hidden_units=(8,)).fit(X, np.arange(N) % 7)
    assert len(model._weights["query_sparse/embeddings"]) == len(np.unique(columns)) + 1
    assert model.predict(X).shape == (N,)
