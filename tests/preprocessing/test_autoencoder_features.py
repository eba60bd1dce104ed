"""AutoencoderFeatures: losses against NumPy, known answers, columns there and back, composition, errors, files."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrec
from skrec.datasets import make_interactions
from skrec.exceptions import ColumnError
from skrec.model_selection import search_space
from skrec.models import DNNRanker
from skrec.preprocessing import AutoencoderFeatures

SMALL = {"n_components": 2, "hidden_units": (8,), "epochs": 3, "batch_size": 32, "random_state": 0}
N = 256
KIND = np.arange(N) % 4  # what all columns of MIXED depend on
MIXED = pd.DataFrame(
    {
        "city": np.array(["Bern", "Oslo", "Rome", "Wien"], dtype=object)[KIND],
        "maybe": np.array(["a", None, "b", "c"], dtype=object)[KIND],
        "old": KIND > 1,
        "age": KIND * 20.0 + 10,
        "income": np.where(KIND == 3, np.nan, 1000.0 * KIND),
        "born": pd.Timestamp("2000-01-01") + pd.to_timedelta(KIND * 100, unit="D"),
        "likes": pd.Series([["war"], ["art", "war"], [], ["art"]])[KIND].tolist(),
        "image": [[kind * 0.5, 1.5 - kind] for kind in KIND],
    },
    index=np.arange(N)[::-1],
)
EXPECTED_FAILURES = {}


@parametrize_with_checks([AutoencoderFeatures(**SMALL)], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@parametrize_with_checks(
    [AutoencoderFeatures(**{**SMALL, "hidden_units": ()}, noise=0)],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_scikit_learn_checks_of_a_linear_one(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def mixed():
    return AutoencoderFeatures(
        n_components=3, hidden_units=(32,), epochs=60, batch_size=16, noise=0.1, learning_rate=0.01, random_state=0
    ).fit(MIXED)


# -- the losses, and known answers -------------------------------------------------------------------------------------


def bag(kind):
    rng = np.random.default_rng(0)
    matrix = sparse.random(60, 9, density=0.3, random_state=0, format="csr")
    values = {"binary": np.ones, "multinomial": lambda n: rng.integers(1, 4, n), "squared_error": rng.normal}
    matrix.data[:] = values[kind](len(matrix.data)) if kind != "squared_error" else rng.normal(size=len(matrix.data))
    return matrix


@pytest.mark.parametrize("loss", ["binary", "multinomial", "squared_error"])
def test_the_error_of_sparse_rows_is_that_of_their_reconstruction(loss):
    X = bag(loss)
    coder = AutoencoderFeatures(**SMALL, sparse_loss=loss).fit(X)
    scale = np.abs(X).max(axis=0).toarray().ravel()
    values, found = X.toarray() / scale, coder.inverse_transform(coder.transform(X))
    if loss == "binary":
        expected = -(values * np.log(found) + (1 - values) * np.log1p(-found)).sum(axis=1)
    elif loss == "multinomial":
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
        expected = -(values * np.log(found)).sum(axis=1)
    else:
        expected = ((values - found / scale) ** 2).sum(axis=1)
    np.testing.assert_allclose(coder.reconstruction_error(X), expected, rtol=1e-4)
    assert coder.score(X) == pytest.approx(-expected.mean(), rel=1e-4)


def test_the_loss_of_a_sparse_matrix_is_chosen_by_its_values():
    for kind in ("binary", "squared_error"):
        by_default, named = (AutoencoderFeatures(**SMALL, sparse_loss=loss).fit(bag(kind)) for loss in ("auto", kind))
        assert by_default.loss_curve_ == named.loss_curve_


def test_the_losses_of_groups_and_a_bag_side_by_side():
    from skrec._engine.backend import tf
    from skrec._engine.layers import ColumnDecoder

    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 7)).astype(np.float32)
    groups = np.array([0, 0, 1, 1, 1, 2, 2], np.int32)  # two fields, and two columns of a bag
    columns = np.array([[-1, 1, 4, 6], [2, 3, 6, 7], [-1, -1, 0, 5]], np.int32)  # the third row has one known category
    decoder = ColumnDecoder(4, n_groups=2, bag="binary")
    found = decoder.losses(tf.constant(logits), tf.constant(groups), tf.constant(columns)).numpy()

    def of_row(row, chosen, present):
        parts = [logits[row, groups == group] for group in (0, 1)]
        loss = sum(np.log(np.exp(parts[groups[column]]).sum()) - logits[row, column] for column in chosen)
        targets = np.isin([5, 6], present)
        return loss + sum(np.log1p(np.exp(np.where(targets, -1, 1) * logits[row, 5:])))

    expected = [of_row(0, [0, 3], [5]), of_row(1, [1, 2], [5, 6]), of_row(2, [4], [])]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    decoded = decoder.decoded(tf.constant(logits), tf.constant(groups)).numpy()
    np.testing.assert_allclose(decoded[:, :2].sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(decoded[:, 5:], 1 / (1 + np.exp(-logits[:, 5:])), rtol=1e-6)


def test_missing_numbers_have_no_error_but_their_flag_has():
    from skrec._engine.backend import tf
    from skrec._engine.layers import number_losses

    outputs, numbers = np.array([[1.0, 2.0, 0.5, 3.0, 4.0]]), np.array([[0.0, 9.0, 1.0, 1.0, 4.0]])
    options = {"n_numeric": 2, "n_flags": 1, "absent": [(1, 2)]}  # the flag hides the second number; an array follows
    found = number_losses(tf.constant(outputs, tf.float32), tf.constant(numbers, tf.float32), **options).numpy()
    np.testing.assert_allclose(found, [1.0 + np.log1p(np.exp(-0.5)) + 4.0], rtol=1e-6)


def test_a_linear_autoencoder_reaches_the_error_of_pca():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 6)) + 0.3 * rng.normal(size=(400, 6))
    scaled = StandardScaler().fit_transform(X)
    pca = PCA(2).fit(scaled)
    best = ((scaled - pca.inverse_transform(pca.transform(scaled))) ** 2).sum(axis=1).mean()
    coder = AutoencoderFeatures(
        n_components=2, hidden_units=(), noise=0, epochs=100, batch_size=50, learning_rate=0.01, random_state=0
    ).fit(X)
    assert best <= -coder.score(X) < 1.03 * best
    back = coder.inverse_transform(coder.transform(X))
    assert back.dtype == np.float64
    np.testing.assert_allclose(((back - X) ** 2 / X.var(axis=0)).sum(axis=1), coder.reconstruction_error(X), rtol=1e-3)


def test_noise_and_penalties_change_training_and_unlike_rows_have_a_large_error():
    losses = [
        AutoencoderFeatures(**SMALL, **more).fit(MIXED).loss_curve_[-1] for more in ({}, {"noise": 0}, {"l2": 0.1})
    ]
    assert len(set(losses)) == 3
    rare = MIXED.assign(city=MIXED["city"].to_numpy()[::-1])
    coder = AutoencoderFeatures(n_components=3, epochs=20, batch_size=16, random_state=0).fit(MIXED)
    assert coder.reconstruction_error(rare).min() > coder.reconstruction_error(MIXED).max()


# -- there and back ----------------------------------------------------------------------------------------------------


def test_columns_of_a_table_come_back_in_their_units(mixed):
    back = mixed.inverse_transform(pd.DataFrame(mixed.transform(MIXED), index=MIXED.index))
    assert list(back) == list(MIXED)
    pd.testing.assert_index_equal(back.index, MIXED.index)
    assert back["city"].tolist() == MIXED["city"].tolist()
    assert back["maybe"].isna().tolist() == MIXED["maybe"].isna().tolist()
    assert back["maybe"].dropna().tolist() == MIXED["maybe"].dropna().tolist()
    assert back["old"].tolist() == MIXED["old"].tolist()
    np.testing.assert_allclose(back["age"], MIXED["age"], atol=4)
    assert back["income"].isna().tolist() == MIXED["income"].isna().tolist()
    np.testing.assert_allclose(back["income"].dropna(), MIXED["income"].dropna(), atol=200)
    assert abs(back["born"] - MIXED["born"]).max() < pd.Timedelta(days=25)
    likely = [sorted(value for value, chance in cell.items() if chance > 0.5) for cell in back["likes"]]
    assert likely == MIXED["likes"].tolist()
    for cell in back["likes"]:
        assert sorted(cell) == ["art", "war"]
        assert list(cell.values()) == sorted(cell.values(), reverse=True)
    np.testing.assert_allclose(np.stack(back["image"]), np.stack(MIXED["image"]), atol=0.25)


def test_an_array_comes_back_as_an_array():
    X = MIXED[["city", "age"]].to_numpy(dtype=object)
    coder = AutoencoderFeatures(
        n_components=2, noise=0, epochs=40, batch_size=16, learning_rate=0.01, random_state=0
    ).fit(X)
    back = coder.inverse_transform(coder.transform(X))
    assert back.dtype == object
    assert back[:, 0].tolist() == X[:, 0].tolist()
    assert np.abs(back[:, 1].astype(float) - X[:, 1].astype(float)).max() < 5


def test_repeated_extreme_values_and_missing_arrays_come_back():
    is_odd = np.arange(200) % 10 == 0
    X = pd.DataFrame(
        {
            "left": np.where(is_odd, -999.0, np.linspace(0, 10, 200)),
            "image": [None if odd else [0.5, 1.0 * row] for row, odd in enumerate(is_odd)],
        }
    )
    coder = AutoencoderFeatures(n_components=2, epochs=60, batch_size=16, learning_rate=0.01, random_state=0).fit(X)
    back = coder.inverse_transform(coder.transform(X))
    assert ((back["left"] == -999) == is_odd).all()
    assert (back["image"].isna() == is_odd).all()


def test_numbers_of_a_sparse_matrix_keep_their_unit():
    one_hot = OneHotEncoder().fit_transform(MIXED[["city"]])
    X = sparse.hstack([one_hot, MIXED[["age"]].to_numpy(), np.zeros((N, 2))], format="csr")
    coder = AutoencoderFeatures(n_components=3, epochs=60, batch_size=16, learning_rate=0.01, random_state=0).fit(X)
    back = coder.inverse_transform(coder.transform(X))
    assert (back.dtype, back.shape) == (np.float32, X.shape)
    np.testing.assert_allclose(back[:, :4], X[:, :4].toarray(), atol=0.2)
    np.testing.assert_allclose(back[:, 4], MIXED["age"], atol=8)
    assert not back[:, 5:].any()
    np.testing.assert_array_equal(coder.transform(X.toarray()), coder.transform(X))


def test_a_wide_matrix_takes_no_more_than_its_columns_with_values():
    narrow = bag("binary")
    wide = sparse.csr_matrix((narrow.data, narrow.indices * 1_000_000, narrow.indptr), shape=(60, 10_000_000))
    codes = [AutoencoderFeatures(**SMALL).fit_transform(X) for X in (narrow, wide)]
    np.testing.assert_array_equal(*codes)


# -- unknown values ----------------------------------------------------------------------------------------------------


def test_unknown_values_are_left_out(mixed):
    row = MIXED.iloc[[0]].assign(likes=[["war"]])
    new = [row.assign(city=[city], likes=[likes]) for city, likes in (("Paris", ["war", "new"]), ("Ulm", ["war"]))]
    codes, errors = mixed.transform(pd.concat(new)), mixed.reconstruction_error(pd.concat(new))
    np.testing.assert_array_equal(codes[0], codes[1])
    assert errors[0] == errors[1]
    assert (codes[0] != mixed.transform(row)[0]).any()


def test_rare_values_are_unknown():
    X = MIXED[["city"]].copy()
    X.iloc[0, 0] = "Rare"
    coder = AutoencoderFeatures(**SMALL, min_frequency=2).fit(X)
    codes = coder.transform(pd.DataFrame({"city": ["Rare", "Never", "Bern"]}))
    np.testing.assert_array_equal(codes[0], codes[1])
    assert "Rare" not in coder.inverse_transform(codes)["city"].tolist()


def test_missing_values_that_fit_did_not_see_are_the_mean_or_left_out():
    X = MIXED[["city", "age"]]
    coder = AutoencoderFeatures(**SMALL).fit(X)
    found = coder.transform(pd.DataFrame({"city": [None, "Ulm"], "age": [None, X["age"].mean()]}))
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


# -- training ----------------------------------------------------------------------------------------------------------


def test_early_stopping_keeps_the_best_epoch():
    logs = []
    coder = AutoencoderFeatures(
        n_components=2,
        hidden_units=(8,),
        epochs=40,
        batch_size=16,
        learning_rate=0.05,
        early_stopping=True,
        validation_fraction=0.25,
        n_iter_no_change=2,
        callbacks=lambda epoch, logs_: logs.append(logs_["val_score"]),
        random_state=0,
    ).fit(MIXED)
    assert coder.best_validation_score_ == max(coder.validation_scores_)
    assert logs == coder.validation_scores_
    assert len(coder.loss_curve_) == len(coder.validation_scores_) == coder.n_iter_


def test_equal_seeds_give_equal_codes_and_fits_are_independent_of_the_container():
    X = MIXED[["city", "age", "old"]]
    first = AutoencoderFeatures(**SMALL).fit_transform(X)
    for again in (X, pl.from_pandas(X)):
        np.testing.assert_array_equal(AutoencoderFeatures(**SMALL).fit_transform(again), first)
    assert (AutoencoderFeatures(**{**SMALL, "random_state": 1}).fit_transform(X) != first).any()


def test_a_failed_fit_leaves_the_transformer_as_it_was(mixed):
    coder = pickle.loads(pickle.dumps(mixed))
    before = coder.transform(MIXED)
    with pytest.raises(FloatingPointError, match="diverged"):
        coder.set_params(learning_rate=1e30, optimizer="sgd").fit(MIXED[["age"]])
    np.testing.assert_array_equal(coder.transform(MIXED), before)


@pytest.mark.parametrize("X", [pd.DataFrame({"likes": [[]] * 20}), sparse.csr_array((20, 30))], ids=["lists", "sparse"])
def test_rows_without_any_value_are_an_error(X):
    with pytest.raises(ValueError, match="X has nothing to encode"):
        AutoencoderFeatures(**SMALL).fit(X)


# -- composition -------------------------------------------------------------------------------------------------------


def test_output_containers_and_names(mixed):
    coder = clone(mixed).set_params(epochs=1)
    frame = coder.set_output(transform="pandas").fit_transform(MIXED)
    assert list(frame) == [f"autoencoderfeatures{number}" for number in range(3)]
    assert list(frame) == coder.get_feature_names_out().tolist()
    assert set(map(str, frame.dtypes)) == {"float32"}
    pd.testing.assert_index_equal(frame.index, MIXED.index)
    assert isinstance(coder.set_output(transform="polars").transform(MIXED), pl.DataFrame)
    assert coder.feature_names_in_.tolist() == list(MIXED)


def test_a_grid_search_tunes_it_alone_and_before_a_classifier():
    X = MIXED[["city", "age", "likes", "old"]]
    alone = GridSearchCV(AutoencoderFeatures(**{**SMALL, "epochs": 10}), {"noise": [0.95, 0.01]}, cv=2).fit(X)
    assert alone.best_params_ == {"noise": 0.01}
    columns = make_column_transformer((AutoencoderFeatures(**SMALL), ["city", "likes"]), ("passthrough", ["age"]))
    model = make_pipeline(columns, StandardScaler(), LogisticRegression())
    grid = {"columntransformer__autoencoderfeatures__n_components": [1, 2]}
    assert GridSearchCV(model, grid, cv=2).fit(X, X["old"]).best_score_ > 0.9


def test_its_codes_are_features_of_a_ranker():
    events = make_interactions(n_users=40, n_items=20, n_interactions=300, random_state=0)
    events = events.assign(genre=events["item_id"] % 3, length=events["item_id"] * 1.5)
    columns = make_column_transformer(
        ("passthrough", ["user_id", "item_id"]),
        (AutoencoderFeatures(**SMALL), ["genre", "length"]),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = make_pipeline(columns, DNNRanker(epochs=1, hidden_units=(8,), random_state=0)).fit(events)
    assert len(skrec.recommend(model, events["user_id"].unique()[:2], 3)) == 6


def test_a_search_finds_its_space():
    space = search_space(make_pipeline(AutoencoderFeatures(), LogisticRegression()))
    assert set(space) == {"autoencoderfeatures__learning_rate", "autoencoderfeatures__noise"}


@pytest.mark.parametrize("X", [MIXED, bag("binary")], ids=["table", "sparse"])
def test_it_survives_files(tmp_path, X):
    coder = AutoencoderFeatures(**SMALL).fit(X)
    skrec.save(coder, tmp_path / "coder.zip")
    codes = coder.transform(X)
    for again in (skrec.load(tmp_path / "coder.zip"), pickle.loads(pickle.dumps(coder))):
        np.testing.assert_array_equal(again.transform(X), codes)
        assert again.score(X) == coder.score(X)
        assert again.get_feature_names_out().tolist() == coder.get_feature_names_out().tolist()


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "parameters", "error", "message"),
    [
        (MIXED, {"categorical_features": ["citi"]}, ColumnError, "citi"),
        (MIXED.assign(age=np.inf), {}, ValueError, "column 'age' has it in row 0"),
        (MIXED[["city"]], {"categorical_features": []}, ColumnError, "'city' is one of numbers, but has 'Bern'"),
        (MIXED, {"hidden_units": (0,)}, ValueError, "hidden_units is"),
        (MIXED, {"noise": 1.0}, ValueError, "'noise' parameter"),
        (MIXED, {"optimizer": "adamw"}, ValueError, "must be 'adam'"),
        (MIXED[:1], {"early_stopping": True}, ValueError, "holds out 1 of 1 rows: too many to train on"),
        (bag("squared_error"), {"sparse_loss": "binary"}, ValueError, "sparse_loss='binary' needs values of at least"),
        (bag("binary"), {"multivalued_features": [0]}, ColumnError, "cannot be used with a sparse X"),
        (bag("binary") * np.nan, {}, ValueError, "contains NaN"),
    ],
)
def test_bad_input_is_an_error_that_says_where(X, parameters, error, message):
    with pytest.raises(error, match=message):
        AutoencoderFeatures(**{**SMALL, **parameters}).fit(X)


def test_other_columns_than_those_of_fit_are_an_error(mixed):
    with pytest.raises(ColumnError, match=r"'age' is one of numbers, but has 'old' \(str\) in row 1"):
        mixed.transform(MIXED[:2].assign(age=[1, "old"]))
    with pytest.raises(ValueError, match="feature names"):
        mixed.transform(MIXED.rename(columns={"age": "Age"}))
    with pytest.raises(TypeError, match="X is sparse, but was dense in fit"):
        mixed.transform(bag("binary"))
    with pytest.raises(ValueError, match=r"X has 2 column\(s\), but this transformer returns 3"):
        mixed.inverse_transform(np.zeros((1, 2)))
