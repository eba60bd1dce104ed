"""The networks of the models of features, computed again in NumPy from the fitted weights and the papers' formulas."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.base import clone

from skrec import models

N = 96
_draw = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "city": _draw.choice(["Bern", "Rome", "Oslo", None], N),
        "genres": [[["War"], ["War", "Drama"], ["Drama", "Drama", "Comedy"], None][n] for n in _draw.integers(0, 4, N)],
        "age": np.where(_draw.random(N) < 0.2, np.nan, _draw.normal(40, 10, N).round()),
        "size": _draw.integers(0, 3, N),
        "image": list(_draw.standard_normal((N, 3)).astype(np.float32)),
    }
)
Y = (_draw.random(N) < 0.5).astype(int)
CLASSES = _draw.integers(0, 3, N)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
FAST = {"embedding_dim": 4, "n_bins": 5, "batch_size": 16, "learning_rate": 0.05, "epochs": 4, "random_state": 0}


def numbers(fields):
    """Standardised numbers with 0 for the missing ones, and whether the age is missing."""
    columns = X[["age", "size"]].to_numpy(float)
    standard = (columns - np.nanmean(columns, axis=0)) / np.nanstd(columns, axis=0)
    return np.nan_to_num(standard), np.isnan(columns[:, :1]).astype(float)


def images():
    """Standardised images: of length 1, on average, whatever their scale and their width."""
    columns = np.stack(X["image"]).astype(float)
    return (columns - columns.mean(axis=0)) / columns.std(axis=0) / np.sqrt(columns.shape[1])


def piecewise(x, edges):
    """Gorishniy et al. (2022), equation 1, written out for one number and its bins."""
    encoded = []
    for low, high in pairwise(edges):
        if high <= low:
            encoded.append(float(x >= low))
        else:
            encoded.append(min(max((x - low) / (high - low), 0.0), 1.0))
    return np.array(encoded)


def vectors(model, name="", pooling="mean", n_bins=5):
    """Vectors of the fields (N, 6, dim): city, genres, age, size, whether the age is missing, image."""
    weights, fields = model._weights, model._query_fields
    table = weights[f"query{name}_fields/embeddings"]
    cities, genres = fields.vocabularies["city"], fields.vocabularies["genres"]
    rows = []
    pool = {"mean": np.mean, "sum": np.sum, "max": np.max}[pooling]
    standard, missing = numbers(fields)
    for i, (city, listed, image) in enumerate(zip(X["city"], X["genres"], images(), strict=True)):
        place = fields.missing[0] if pd.isna(city) else fields.rows_of("city")[cities.encode([city])[0]]
        values = fields.rows_of("genres")[genres.encode(sorted(set(listed)))] if listed else fields.bag_unknown
        row = [table[place], pool(table[values], axis=0)]
        for j in range(2):
            kernel, bias = (weights[f"query{name}_numbers/{part}"][j] for part in ("numeric_kernel", "bias"))
            x = standard[i, j]
            encoded = piecewise(x, weights["query_numbers/edges"][j]) if n_bins else np.array([x])
            row.append(encoded @ kernel + bias)
        row.append(missing[i, 0] * weights[f"query{name}_numbers/flag_kernel"][0, 0])
        row.append(image @ weights[f"query{name}_array_0/kernel"] + weights[f"query{name}_array_0/bias"])
        rows.append(row)
    return np.array(rows)


def dense(x, model, name):
    return x @ model._weights[f"{name}/kernel"] + model._weights.get(f"{name}/bias", 0)


def flat(v):
    return v.reshape(len(v), -1)


def linear(model):
    return vectors(model, "_linear", pooling="sum").sum(axis=1)


def pairs(v):
    """Sum of the products of all pairs of fields, pair by pair."""
    n = v.shape[1]
    return sum(v[:, i] * v[:, j] for i in range(n) for j in range(i + 1, n))


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
def test_fm_is_the_sum_of_weights_and_of_the_dot_products_of_all_pairs(pooling):
    model = models.FMClassifier(**FAST, pooling=pooling).fit(X, Y)
    expected = model._weights["bias/bias"][0] + linear(model)[:, 0] + pairs(vectors(model, pooling=pooling)).sum(axis=1)
    np.testing.assert_allclose(model.decision_function(X), expected, **CLOSE)


def test_fm_with_several_outputs_weighs_the_products():
    model = models.FMClassifier(**FAST).fit(X, CLASSES)
    expected = model._weights["bias/bias"] + linear(model) + dense(pairs(vectors(model)), model, "pairs")
    np.testing.assert_allclose(model.decision_function(X), expected, **CLOSE)


def relu_stack(x, model, n_layers=1):
    for i in range(1, n_layers + 1):
        x = np.maximum(dense(x, model, f"hidden_{i}"), 0)
    return x


def test_nfm_and_deepfm_are_a_network_over_products_and_beside_them():
    nfm = models.NFMClassifier(**FAST, hidden_units=(6,)).fit(X, Y)
    expected = linear(nfm) + dense(relu_stack(pairs(vectors(nfm)), nfm), nfm, "output")
    np.testing.assert_allclose(nfm.decision_function(X), expected[:, 0], **CLOSE)
    deepfm = models.DeepFMClassifier(**FAST, hidden_units=(6,)).fit(X, Y)
    v = vectors(deepfm)
    deep = dense(relu_stack(flat(v), deepfm), deepfm, "output")
    expected = linear(deepfm) + pairs(v).sum(axis=1, keepdims=True) + deep
    np.testing.assert_allclose(deepfm.decision_function(X), expected[:, 0], **CLOSE)


def cross_layer(x0, x, weights, version):
    """Version 1: equation 3 of Wang et al. (2017); version 2: equations 1 and 2 of Wang et al. (2021)."""
    kernel = weights["kernel"] if "inner_kernel" not in weights else weights["inner_kernel"] @ weights["kernel"]
    if version == 1:
        return np.array([a * (b @ kernel[:, 0]) + weights["bias"] + b for a, b in zip(x0, x, strict=True)])
    return x0 * (x @ kernel + weights["bias"]) + x


@pytest.mark.parametrize("options", [{"version": 1}, {"version": 2}, {"version": 2, "rank": 2}], ids=str)
def test_dcn_is_its_cross_layers_beside_a_network(options):
    model = models.DCNClassifier(**FAST, hidden_units=(6,), **options).fit(X, Y)
    x0 = x = flat(vectors(model))
    for layer in ("cross_1", "cross_2"):
        names = [name for name in model._weights if name.startswith(f"{layer}/")]
        x = cross_layer(x0, x, {name.partition("/")[2]: model._weights[name] for name in names}, options["version"])
    both = np.concatenate([x, relu_stack(x0, model)], axis=1)
    np.testing.assert_allclose(model.decision_function(X), dense(both, model, "output")[:, 0], **CLOSE)


def test_a_stacked_dcn_has_the_network_over_the_crosses():
    model = models.DCNClassifier(**FAST, hidden_units=(6,), n_cross_layers=1, structure="stacked").fit(X, Y)
    x0 = flat(vectors(model))
    x = cross_layer(x0, x0, {part: model._weights[f"cross_1/{part}"] for part in ("kernel", "bias")}, 2)
    np.testing.assert_allclose(model.decision_function(X), dense(relu_stack(x, model), model, "output")[:, 0], **CLOSE)


def test_autoint_is_multi_head_self_attention_with_a_residual():
    """Song et al. (2019), equations 5 to 8, head by head and field by field."""
    model = models.AutoIntClassifier(**FAST, attention_units=6, n_heads=2, n_attention_layers=2, hidden_units=())
    model.fit(X, Y)
    x = vectors(model)
    for layer in ("attention_1", "attention_2"):
        query, key, value, residual = (
            model._weights[f"{layer}/{part}_kernel"] for part in ("query", "key", "value", "residual")
        )
        heads = []
        for head in (slice(0, 3), slice(3, 6)):
            similarity = np.einsum("nik,njk->nij", x @ query[:, head], x @ key[:, head])
            heads.append(softmax(similarity, axis=2) @ (x @ value[:, head]))
        x = np.maximum(np.concatenate(heads, axis=2) + x @ residual, 0)
    np.testing.assert_allclose(model.decision_function(X), dense(flat(x), model, "output")[:, 0], **CLOSE)


def test_the_edges_of_bins_are_quantiles_and_their_encoding_is_piecewise_linear():
    numeric = X[["age"]].dropna()
    y = Y[numeric.index]
    model = models.DNNClassifier(**FAST, hidden_units=()).fit(numeric, y)
    age = numeric["age"].to_numpy()
    standard = (age - age.mean()) / age.std()
    edges = model._weights["query_numbers/edges"][0]
    np.testing.assert_allclose(edges, np.quantile(standard, np.linspace(0, 1, 6)), **CLOSE)
    encoded = np.array([piecewise(x, edges) for x in standard])
    v = encoded @ model._weights["query_numbers/numeric_kernel"][0] + model._weights["query_numbers/bias"][0]
    np.testing.assert_allclose(model.decision_function(numeric), dense(v, model, "output")[:, 0], **CLOSE)


def test_wide_and_deep_adds_the_weights_of_fields_and_crosses_to_a_network():
    plain = models.WideDeepClassifier(**FAST, hidden_units=(6,)).fit(X, Y)
    wide = vectors(plain, "_wide", pooling="sum").sum(axis=1)
    deep = dense(relu_stack(flat(vectors(plain)), plain), plain, "output")
    expected = (plain._weights["bias/bias"] + wide + deep)[:, 0]
    np.testing.assert_allclose(plain.decision_function(X), expected, **CLOSE)
    pair = X[["city", "size"]].assign(city=X["city"].fillna("none"))
    crossed = models.WideDeepClassifier(
        **FAST, categorical_features=["city", "size"], crosses=[("city", "size")], wide_features=[], hidden_units=()
    ).fit(pair, Y)  # only the weights of crosses are left
    of_pair = crossed.decision_function(pair)
    assert len(np.unique(of_pair)) == len(pair.drop_duplicates()) == 12
    used = crossed._weights["crosses/embeddings"][:, 0]
    found = (of_pair - crossed._weights["bias/bias"][0]).astype(np.float32)
    assert set(np.round(found, 4)) <= set(np.round(used[used != 0], 4))


def test_a_model_scores_a_catalogue_as_it_scores_rows():
    """The two paths through the network, side by side and pair by pair, are one function."""
    events = X.assign(user_id=np.arange(N) % 7, item_id=np.arange(N) % 5)
    events["kind"] = events["item_id"] % 2
    for name in ("FM", "DCN", "WideDeep"):
        options = {} if name == "FM" else {"hidden_units": (6,)}
        ranker = clone(getattr(models, f"{name}Ranker")(**{**FAST, "epochs": 1}, **options)).fit(events)
        assert set(ranker._item_fields.names) == {"kind"}
        grid = events[:6].drop(columns=["item_id", "kind"]).merge(
            events[["item_id", "kind"]].drop_duplicates(), how="cross"
        )[events.columns]  # fmt: skip
        scores = ranker.score_items(events[:6])
        order = grid["item_id"].to_numpy().reshape(6, 5).argsort(axis=1)
        by_row = np.take_along_axis(ranker.predict(grid).reshape(6, 5), order, axis=1)
        np.testing.assert_allclose(scores, by_row, **CLOSE)
