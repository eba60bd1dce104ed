"""Cross strengths: known right answers, and the layers computed in NumPy."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrec.inspection import cross_strengths
from skrec.models import (
    AutoIntClassifier,
    DCNClassifier,
    DeepFMClassifier,
    DeepFMRegressor,
    FMClassifier,
    FMRanker,
    FMRegressor,
)

RANDOM = np.random.default_rng(0)
TABLE = pd.DataFrame({name: RANDOM.choice(list("ab"), 800) for name in ("left", "noise", "right")})
XOR = TABLE["left"] == TABLE["right"]
SMALL = {"epochs": 2, "embedding_dim": 3, "early_stopping": False, "random_state": 0}


def vectors(model, table=TABLE):
    """The embedding of each field in each row: (n_rows, n_fields, dim)."""
    weights = model._weights["query_fields/embeddings"].astype(np.float64)
    rows = [model._query_fields.rows_of(name)[1 + (table[name] == "b")] for name in table]
    return weights[np.stack(rows, axis=1)]


@pytest.mark.parametrize("rank", [None, 4])
def test_dcn_finds_the_one_pair_that_matters(rank):
    model = DCNClassifier(
        rank=rank,
        n_cross_layers=1,
        hidden_units=(),
        epochs=20,
        learning_rate=0.01,
        early_stopping=False,
        embedding_dim=4,
        random_state=0,
    )
    strengths = cross_strengths(model.fit(TABLE, XOR))
    assert model.score(TABLE, XOR) == 1
    both_ways = strengths + strengths.T
    others = [both_ways.loc["left", "noise"], both_ways.loc["right", "noise"]]
    assert both_ways.loc["left", "right"] > 2 * max(others)


@pytest.mark.parametrize(("rank", "dims"), [(None, {"left": 2, "noise": 5, "right": 3}), (2, {"noise": 2})])
def test_dcn_blocks_are_those_of_the_paper(rank, dims):
    """Compute the network by blocks, field by field; the same blocks must have the norms."""
    parameters = {**SMALL, "embedding_dim": dims, "rank": rank}
    model = DCNClassifier(n_cross_layers=1, hidden_units=(), **parameters).fit(TABLE, XOR)
    weights = {name: array.astype(np.float64) for name, array in model._weights.items()}
    W = weights["cross_1/kernel"].T if rank is None else (weights["cross_1/inner_kernel"] @ weights["cross_1/kernel"]).T
    ends = np.cumsum([0] + [dims.get(name, 16) for name in TABLE])
    spans = [slice(*ends[i : i + 2]) for i in range(3)]
    fields = [vectors(model)[:, i, : dims.get(name, 16)] for i, name in enumerate(TABLE)]
    logits = weights["output/bias"]
    for i, x in enumerate(fields):
        crossed = sum(y @ W[spans[i], spans[j]].T for j, y in enumerate(fields)) + weights["cross_1/bias"][spans[i]]
        logits = logits + (x * crossed + x) @ weights["output/kernel"][spans[i]]
    assert model.decision_function(TABLE) == pytest.approx(logits[:, 0], abs=1e-4)

    strengths = cross_strengths(model)
    assert strengths.index.tolist() == strengths.columns.tolist() == list(model.field_names_)
    for i, left in enumerate(TABLE):
        for j, right in enumerate(TABLE):
            assert strengths.loc[left, right] == pytest.approx(np.linalg.norm(W[spans[i], spans[j]]))


@pytest.mark.parametrize("model", [FMClassifier, FMRegressor, DeepFMClassifier, DeepFMRegressor])
def test_fm_terms_are_dot_products_of_the_fields(model):
    y = 9.0 * np.arange(len(TABLE)) if "Regressor" in model.__name__ else XOR
    fitted = model(**SMALL).fit(TABLE, y)
    v = vectors(fitted)
    terms = np.abs(np.einsum("nid,njd->nij", v, v)).mean(axis=0) * (np.std(y) if y is not XOR else 1)
    np.fill_diagonal(terms, 0)
    assert cross_strengths(fitted, TABLE).to_numpy() == pytest.approx(terms, rel=1e-4)


def test_fm_finds_the_one_pair_that_matters():
    model = FMClassifier(epochs=12, early_stopping=False, l2=0.003, random_state=0).fit(TABLE, XOR)
    strengths = cross_strengths(model, TABLE)
    assert strengths.loc["left", "right"] > 5 * strengths.loc["noise"].max()
    assert np.array_equal(strengths, strengths.T)


def test_the_terms_of_several_classes_are_centred():
    y = np.arange(len(TABLE)) % 3
    model = FMClassifier(**SMALL).fit(TABLE, y)
    v, kernel = vectors(model), model._weights["pairs/kernel"].astype(np.float64)
    terms = np.einsum("nid,njd,dc->nijc", v, v, kernel)
    terms = np.abs(terms - terms.mean(axis=-1, keepdims=True)).mean(axis=(0, 3))
    np.fill_diagonal(terms, 0)
    assert cross_strengths(model, TABLE).to_numpy() == pytest.approx(terms, rel=1e-4)


def test_rankers_have_the_fields_of_both_sides_and_pipelines_are_unwrapped():
    events = pd.DataFrame({"user_id": RANDOM.integers(0, 6, 60), "item_id": RANDOM.integers(0, 8, 60)}).assign(
        price=lambda frame: frame["item_id"] * 1.5, hour=RANDOM.choice(["am", "pm"], 60)
    )
    pipe = make_pipeline(FunctionTransformer(), FMRanker(epochs=1, random_state=0)).fit(events)
    strengths = cross_strengths(pipe, events)
    assert list(strengths) == ["user_id", "hour", "item_id", "price"]
    pd.testing.assert_frame_equal(strengths, cross_strengths(pipe[-1], events))


def test_errors_say_what_to_do():
    with pytest.raises(TypeError, match=r"cross_strengths supports DCN, FM and DeepFM: .* got AutoIntClassifier"):
        cross_strengths(AutoIntClassifier())
    with pytest.raises(ValueError, match="crosses of FMClassifier are means over rows: pass rows as X"):
        cross_strengths(FMClassifier(**SMALL).fit(TABLE, XOR))
    with pytest.raises(ValueError, match="version=1, whose cross layers .* Fit a model with version=2"):
        cross_strengths(DCNClassifier(version=1, **SMALL).fit(TABLE, XOR))
