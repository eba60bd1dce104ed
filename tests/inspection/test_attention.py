"""Attention weights against the paper's equation in NumPy."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from skrec.inspection import attention_weights
from skrec.models import AutoIntClassifier, AutoIntRanker, DCNClassifier

RANDOM = np.random.default_rng(0)
TABLE = pd.DataFrame({name: RANDOM.choice(list("ab"), 600) for name in ("left", "noise", "right")})
Y = TABLE["left"] == TABLE["right"]


def test_the_weights_are_those_of_the_paper():
    options = {
        "n_attention_layers": 3,
        "n_heads": 2,
        "attention_units": 6,
        "embedding_dim": 4,
        "l2": 0,
        "learning_rate": 0.01,
    }
    model = AutoIntClassifier(epochs=3, early_stopping=False, random_state=0, **options).fit(TABLE, Y)
    weights = {name: array.astype(np.float64) for name, array in model._weights.items()}
    rows = [model._query_fields.rows_of(name)[1 + (TABLE[name] == "b")] for name in TABLE]
    x, expected = weights["query_fields/embeddings"][np.stack(rows, axis=1)], []
    for layer in ("attention_1", "attention_2", "attention_3"):
        kernel = {name: weights[f"{layer}/{name}_kernel"] for name in ("query", "key", "value", "residual")}
        heads, joined = [], []
        for head in (slice(0, 3), slice(3, 6)):
            query, key, value = (x @ kernel[name][:, head] for name in ("query", "key", "value"))
            heads.append(softmax(np.einsum("nid,njd->nij", query, key), axis=2))
            joined.append(heads[-1] @ value)
        expected.append(np.stack(heads, axis=1))
        x = np.maximum(np.concatenate(joined, axis=2) + x @ kernel["residual"], 0)
    found = attention_weights(model, TABLE)
    assert found.dtype == np.float32
    assert found.shape == (600, 3, 2, 3, 3)
    assert found == pytest.approx(np.stack(expected, axis=1), abs=1e-5)
    assert found.std() > 0.01


def test_rows_sum_to_1_and_do_not_depend_on_each_other():
    events = pd.DataFrame({"user_id": RANDOM.integers(0, 6, 60), "item_id": RANDOM.integers(0, 8, 60)}).assign(
        price=lambda frame: frame["item_id"] * 1.5, hour=RANDOM.choice(["am", "pm"], 60)
    )
    model = AutoIntRanker(epochs=1, random_state=0).fit(events)
    found = attention_weights(model, events)
    assert found.shape == (60, 2, 2, 4, 4)
    assert found.sum(axis=-1) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(attention_weights(model, events[7:8]), found[7:8])


def test_other_models_have_none():
    with pytest.raises(
        TypeError,
        match=r"Only AutoInt has attention between fields .*history_attention.* got DCNClassifier",
    ):
        attention_weights(DCNClassifier(), TABLE)
