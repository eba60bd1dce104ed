"""Models of features learn what a linear model cannot, from every kind of field, missing values too."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skrec import models

FAST = {
    "embedding_dim": 8,
    "batch_size": 32,
    "learning_rate": 0.01,
    "l2": 0,
    "random_state": 0,
    "early_stopping": False,
}
DEEP = {**FAST, "hidden_units": (16,)}
CROSSED = {**FAST, "hidden_units": (), "crosses": [("left", "right")], "wide_learning_rate": 0.3}
MODELS = {
    "FM": FAST,
    "DNN": DEEP,
    "DCN": {**DEEP, "hidden_units": ()},
    "NFM": DEEP,
    "DeepFM": DEEP,
    "AutoInt": {**FAST, "hidden_units": (), "attention_units": 8},
    "WideDeep": CROSSED,
}


# What all tasks share is asked of one network of each kind in the usual run.
OF_EACH_KIND = [
    pytest.param(name, marks=[] if name in {"FM", "DCN", "WideDeep"} else pytest.mark.exhaustive) for name in MODELS
]


def make(name, task, **parameters):
    return getattr(models, f"{name}{task}")(**{**MODELS[name], **parameters})


# -- products of features ------------------------------------------------------------------------------------------

_draw = np.random.default_rng(0)
XOR = pd.DataFrame({"left": _draw.choice(list("abcdef"), 600), "right": _draw.choice(list("uvwxyz"), 600)})
TRAIN, TEST = XOR[:400], XOR[400:]


def differ(X):
    """Whether exactly one of the two is in the first half of its alphabet: neither alone says anything of it."""
    return (X["left"].isin(list("abc")) != X["right"].isin(list("uvw"))).to_numpy()


def test_a_linear_model_does_not_learn_the_xor():
    linear = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(TRAIN, differ(TRAIN))
    assert linear.score(TEST, differ(TEST)) < 0.7
    wide = make("WideDeep", "Classifier", crosses=None).fit(TRAIN, differ(TRAIN))
    assert wide.score(TEST, differ(TEST)) < 0.7


@pytest.mark.parametrize("name", MODELS)
def test_a_classifier_learns_the_xor_of_two_features(name):
    labels = np.where(differ(XOR), "yes", "no")
    model = make(name, "Classifier").fit(TRAIN, labels[:400])
    assert model.score(TEST, labels[400:]) > 0.97
    assert model.field_names_ == ("left", "right")


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_a_classifier_tells_three_classes_apart_by_two_features(name):
    y = (XOR["left"].map("abcdef".index) + XOR["right"].map("uvwxyz".index)).to_numpy() % 3
    model = make(name, "Classifier", epochs=40).fit(TRAIN, y[:400])
    assert model.score(TEST, y[400:]) > 0.95
    probabilities = model.predict_proba(TEST)
    assert probabilities.shape == model.decision_function(TEST).shape == (200, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_a_regressor_learns_the_xor_of_two_features(name):
    y = 100.0 + 4 * differ(XOR)
    model = make(name, "Regressor").fit(TRAIN, y[:400])
    assert model.score(TEST, y[400:]) > 0.9


def test_the_wide_part_and_the_deep_part_may_have_fields_of_their_own():
    """The deep part sees the product, the wide part alone sees the rest; each target needs one of the two."""
    X = XOR.assign(side=np.random.default_rng(1).choice(["in", "out"], 600))
    options = {"hidden_units": (16,), "crosses": None, "wide_features": ["side"], "deep_features": ["left", "right"]}
    for y in (differ(X), (X["side"] == "in").to_numpy()):
        assert make("WideDeep", "Classifier", **options).fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.97
    blind = {**options, "wide_features": ["left"], "deep_features": ["left", "right"]}
    y = (X["side"] == "in").to_numpy()
    assert make("WideDeep", "Classifier", **blind).fit(X[:400], y[:400]).score(X[400:], y[400:]) < 0.7


def test_an_l1_penalty_keeps_weights_of_the_wide_part_at_exactly_0():
    y = (XOR["left"] < "d").to_numpy()
    options = {"hidden_units": (), "crosses": [("left", "right")]}
    free = make("WideDeep", "Classifier", **options, wide_l1=0.0).fit(XOR, y)
    sparse = make("WideDeep", "Classifier", **options, wide_l1=3.0).fit(XOR, y)
    useless = "query_wide_fields/embeddings"  # the values of "right" say nothing
    rows = free._query_fields.rows_of("right")[1:]
    assert (free._weights[useless][rows] != 0).all()
    assert (sparse._weights[useless][rows] == 0).all()
    assert (sparse._weights[useless][sparse._query_fields.rows_of("left")[1:]] != 0).any()
    assert sparse.score(XOR, y) == 1


# -- every kind of field -------------------------------------------------------------------------------------------

N = 480


def _table():
    """Six values of each kind of column, drawn on their own; the last one is missing."""
    draw = np.random.default_rng(2)
    numbers = {name: draw.integers(0, 6, N) for name in ("city", "age", "genres", "tags", "image")}
    genres = [["War"], ["War", "Drama"], ["Drama"], ["War", "War"], [], None]
    tags = ["new", "new|hot", "hot", "hot|new|new", "", None]
    table = {
        "city": [["Bern", "Rome", "Oslo", "Kyiv", "Lima", None][n] for n in numbers["city"]],
        "age": [[-2.0, -1.0, 0.0, 1.0, 2.0, np.nan][n] for n in numbers["age"]],
        "genres": [genres[n] for n in numbers["genres"]],
        "tags": [tags[n] for n in numbers["tags"]],
        "image": [None if n == 5 else np.array([n - 2.0, (n % 2) * 2.0 - 1]) for n in numbers["image"]],
    }
    return pd.DataFrame(table), pd.DataFrame(numbers)


FRAME, CHOSEN = _table()
LABELS = {
    "city": CHOSEN["city"].isin([1, 3]),
    "city, missing": CHOSEN["city"] == 5,
    "age": CHOSEN["age"].isin([3, 4]),
    "age, missing": CHOSEN["age"] == 5,
    "genres": CHOSEN["genres"].isin([0, 1, 3]),
    "genres, missing": CHOSEN["genres"].isin([4, 5]),
    "tags": CHOSEN["tags"].isin([0, 1, 3]),
    "tags, missing": CHOSEN["tags"].isin([4, 5]),
    "image": CHOSEN["image"].isin([1, 3]),
    "image, missing": CHOSEN["image"] == 5,
}


@pytest.mark.parametrize("name", ["DNN", pytest.param("FM", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("target", LABELS)
def test_every_kind_of_field_is_learnt_from(name, target):
    y = LABELS[target].to_numpy()
    model = make(name, "Classifier", multivalued_features=["tags"], epochs=30).fit(FRAME[:400], y[:400])
    assert model.score(FRAME[400:], y[400:]) > 0.95
    assert model.field_names_ == ("city", "genres", "tags", "age", "age_missing", "image_missing", "image")


@pytest.mark.parametrize(
    ("name", "options"), [("WideDeep", {"crosses": None, "hidden_units": (16,)}), ("DCN", {}), ("FM", {})]
)
def test_every_kind_of_field_reaches_the_other_networks(name, options):
    """One target of all fields together."""
    y = sum(LABELS[target].to_numpy().astype(float) for target in ("city", "age", "genres", "tags", "image"))
    model = make(name, "Regressor", multivalued_features=["tags"], epochs=40, **options).fit(FRAME[:400], y[:400])
    assert model.score(FRAME[400:], y[400:]) > 0.9


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
def test_every_pooling_learns_from_lists(pooling):
    X, y = FRAME[["genres"]], CHOSEN["genres"].isin([0, 3])  # War and nothing else
    assert make("DNN", "Classifier", pooling=pooling, epochs=40).fit(X, y).score(X, y) == 1


def test_bins_learn_what_is_no_line():
    X = pd.DataFrame({"x": np.random.default_rng(0).standard_normal(400)})
    y = (X["x"].abs() < 0.7).to_numpy()
    linear = make("DNN", "Classifier", hidden_units=(), epochs=40, numeric_embedding="linear")
    assert linear.fit(X, y).score(X, y) < 0.7
    assert clone(linear).set_params(numeric_embedding="piecewise", n_bins=16).fit(X, y).score(X, y) > 0.95


def test_numbers_may_be_of_any_size():
    """They are standardised inside, in double precision."""
    X = pd.DataFrame({"year": 1e15 + np.arange(200.0), "constant": 7.0})
    y = X["year"] > 1e15 + 100
    assert make("DNN", "Classifier").fit(X, y).score(X, y) > 0.95


@pytest.mark.parametrize(("size", "shift"), [(1e-6, 0), (1e6, 0), (1, 1e6)])
def test_arrays_may_be_of_any_size(size, shift):
    """Embeddings of texts have a length of 1 over hundreds of places: they are standardised as numbers are."""
    vectors = np.random.default_rng(0).standard_normal((400, 4))
    y = vectors[:, 0] * vectors[:, 1] > 0
    X = pd.DataFrame({"text": list(shift + size * vectors)})
    assert make("DNN", "Classifier", epochs=30).fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.85


def test_categories_may_be_named_by_position_mask_or_function():
    X = np.random.default_rng(0).integers(0, 6, (400, 2))
    y = X[:, 0] % 2
    base = make("FM", "Classifier")
    expected = clone(base).set_params(categorical_features=[0]).fit(X, y).predict_proba(X)
    assert (expected.argmax(axis=1) == y).all()
    for given in ([True, False], lambda X: [0]):
        same = clone(base).set_params(categorical_features=given).fit(X, y)
        np.testing.assert_array_equal(same.predict_proba(X), expected)


def test_polars_and_pandas_make_the_same_model():
    plain = FRAME[["city", "age", "genres", "tags"]]
    theirs = pl.from_pandas(plain)
    y = LABELS["city"].to_numpy()
    model = make("FM", "Classifier", multivalued_features=["tags"], epochs=2)
    one, other = clone(model).fit(plain, y), clone(model).fit(theirs, y)
    np.testing.assert_array_equal(one.predict_proba(plain), other.predict_proba(theirs))


def test_rare_categories_count_as_unknown():
    X = pd.DataFrame({"city": ["Bern"] * 30 + ["Rome"] * 30 + ["Oslo"]})
    model = make("FM", "Classifier", min_frequency=2, epochs=2).fit(X, np.arange(61) % 2)
    rare, unseen = model.predict_proba(pd.DataFrame({"city": ["Oslo", "Lima"]}))
    assert (rare == unseen).all()


# -- widths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DNN", "DCN", "WideDeep"])
def test_fields_may_have_vectors_of_their_own_width(name):
    options = {"hidden_units": (16,), **({"crosses": None} if name == "WideDeep" else {})}
    y = differ(XOR)
    model = make(name, "Classifier", embedding_dim={"left": 3, "right": 5}, **options).fit(TRAIN, y[:400])
    assert model.score(TEST, y[400:]) > 0.97
    first = "cross_1/kernel" if name == "DCN" else "hidden_1/kernel"
    assert model._weights[first].shape[0] == 8


def test_fields_are_chosen_as_columns_are_by_name_by_its_ending_or_by_position():
    def probabilities(X, left, right, **roles):
        model = make(
            "WideDeep", "Classifier", embedding_dim={left: 3, right: 5}, crosses=[(left, right)], wide_features=[left],
            deep_features=[right, left], hidden_units=(16,), epochs=1, **roles,
        ).fit(X, differ(XOR))  # fmt: skip
        assert model._weights["hidden_1/kernel"].shape[0] == 8
        return model.predict_proba(X).tobytes()

    encoded = XOR.add_prefix("codes__")
    for roles in ({}, {"user": 0, "item": 1}):
        by_name = probabilities(XOR, "left", "right", **roles)
        assert probabilities(encoded, "left", "right", **roles) == by_name
        assert probabilities(XOR, 0, 1, **roles) == by_name
        assert probabilities(XOR.to_numpy(), 0, 1, **roles) == by_name


@pytest.mark.parametrize("name", ["FM", "NFM", "DeepFM", "AutoInt"])
def test_models_that_multiply_fields_refuse_widths_of_their_own(name, unchanged):
    model = make(name, "Classifier", embedding_dim={"left": 3})
    with unchanged(model), pytest.raises(TypeError, match=f"embedding_dim of {name}Classifier.*one number.*DCN"):
        model.fit(XOR, differ(XOR))


@pytest.mark.parametrize(
    "options",
    [
        {"version": 1},
        {"version": 2, "rank": 4},
        {"version": 2, "structure": "stacked", "hidden_units": (16,)},
        {"version": 1, "structure": "parallel", "hidden_units": (16,), "n_cross_layers": 1},
    ],
    ids=str,
)
def test_every_form_of_dcn_learns_the_xor(options):
    y = differ(XOR)
    model = make("DCN", "Classifier", **{"epochs": 40, "n_cross_layers": 3, **options}).fit(TRAIN, y[:400])
    assert model.score(TEST, y[400:]) > 0.97
