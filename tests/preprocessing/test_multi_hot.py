import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer, OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrec
from skrec.exceptions import UnknownIdError
from skrec.preprocessing import MultiHotEncoder

LISTS = [["Comedy", "Drama"], ["Drama"], None, [], ["Action", "Drama", "Action"]]
ONES = [[0, 1, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 1]]
SORTED = [["Comedy", "Drama"], ["Drama"], [], [], ["Action", "Drama"]]


@parametrize_with_checks(
    [
        MultiHotEncoder(),
        MultiHotEncoder(handle_unknown="error"),
        MultiHotEncoder(max_categories=3),
        MultiHotEncoder(sparse_output=True),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def column(values, dtype=object):
    return pd.DataFrame({"genres": pd.Series(values, dtype=dtype)})


@pytest.mark.parametrize(
    "X",
    [
        column(LISTS),
        column([cell if cell is None else tuple(cell) for cell in LISTS]),
        column([cell if cell is None else {*cell} for cell in LISTS]),
        column([cell if cell is None else np.array(cell, dtype=object) for cell in LISTS]),
        column([cell if cell is None else pd.Series(cell, dtype=object) for cell in LISTS]),
        column([["Comedy", None, "Drama"], ("Drama",), np.nan, pd.NA, frozenset({"Action", "Drama"})]),
        column(LISTS, pd.ArrowDtype(pa.list_(pa.string()))),
        column([None if cell is None else "|".join(cell) for cell in LISTS]),
        column([None if cell is None else "|".join(cell) for cell in LISTS], "string"),
        column([None if cell is None else "|".join(cell) for cell in LISTS], "category"),
        column(["Comedy||Drama|", "Drama", "", "|", ["Action", "Drama"]]),
        pl.DataFrame({"genres": LISTS}),
        pl.DataFrame({"genres": [None if cell is None else "|".join(cell) for cell in LISTS]}),
        column(LISTS).to_numpy(),
        [[cell if cell is None else "|".join(cell)] for cell in LISTS],
        [[cell if cell is None else tuple(cell)] for cell in LISTS],
    ],
)
def test_values_are_the_same_whatever_holds_them(X):
    encoder = MultiHotEncoder().fit(X)
    assert encoder.transform(X).tolist() == encoder.fit_transform(X).tolist() == ONES
    assert encoder.transform(X).dtype == np.float64
    assert [values.tolist() for values in encoder.categories_] == [["Action", "Comedy", "Drama"]]
    assert encoder.infrequent_categories_ == [None]
    assert encoder.inverse_transform(ONES)[:, 0].tolist() == SORTED


def test_a_column_of_polars_arrays():
    X = pl.DataFrame({"pair": pl.Series([[1, 2], [2, 2]], dtype=pl.Array(pl.Int64, 2))})
    assert MultiHotEncoder().fit_transform(X).tolist() == [[1, 1], [0, 1]]


def test_dates_in_arrays():
    X = column([np.array(["2020-01-01"], dtype="datetime64[ns]"), [pd.Timestamp("2020-01-01"), pd.NaT]])
    assert MultiHotEncoder().fit_transform(X).tolist() == [[1], [1]]


@pytest.mark.filterwarnings("ignore:(The|Some) values for column")  # of another kind
@given(
    X=st.lists(st.lists(st.sampled_from([1, 2, 1.0, 0.5, "1", "a", (1, 2), True, 10**18 + 1])), min_size=1),
    X_new=st.lists(st.lists(st.sampled_from([1, 2, "1", "b", (1, 2), (1,), 10**18])), min_size=1),
    min_frequency=st.sampled_from([None, 2, 0.3]),
    max_categories=st.sampled_from([None, 1, 3]),
)
def test_ones_are_where_the_values_are(X, X_new, min_frequency, max_categories):
    encoder = MultiHotEncoder(min_frequency=min_frequency, max_categories=max_categories, dtype=int)
    ones = encoder.fit_transform(column(X))
    (kept,), (left_out,) = encoder.categories_, encoder.infrequent_categories_
    left_out = [] if left_out is None else left_out.tolist()
    counts = {value: sum(value in row for row in X) for value in {value for row in X for value in row}}
    assert {*kept.tolist(), *left_out} == counts.keys()
    assert len(kept) + len(left_out) == len(counts)
    assert len(kept) <= (max_categories or np.inf)
    needed = np.ceil(0.3 * len(X)) if min_frequency == 0.3 else min_frequency or 1
    assert all(counts[value] >= needed for value in kept.tolist())
    at_least = max((counts[value] for value in left_out if counts[value] >= needed), default=0)
    assert all(counts[value] >= at_least for value in kept.tolist())
    for rows, matrix in ((X, ones), (X, encoder.transform(column(X))), (X_new, encoder.transform(column(X_new)))):
        assert matrix.tolist() == [[int(value in row) for value in kept.tolist()] for row in rows]
    restored = encoder.inverse_transform(ones)[:, 0].tolist()
    assert [{*values} for values in restored] == [{value for value in row if value not in left_out} for row in X]


def test_ones_are_those_of_multi_label_binarizer():
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, 30, length).tolist() for length in rng.integers(0, 6, 200)]
    binarizer = MultiLabelBinarizer()
    assert np.array_equal(MultiHotEncoder().fit_transform(column(rows)), binarizer.fit_transform(rows))


@pytest.mark.parametrize("options", [{}, {"min_frequency": 3}, {"min_frequency": 0.1}])
def test_single_values_are_those_of_one_hot_encoder(options):
    X = np.random.default_rng(0).geometric(0.3, (100, 2)).astype(float)
    theirs, ours = OneHotEncoder(**options, handle_unknown="ignore").fit(X), MultiHotEncoder(**options).fit(X)
    expected = theirs.transform(X).toarray()[:, ["infrequent" not in name for name in theirs.get_feature_names_out()]]
    assert np.array_equal(ours.transform(X), expected)


def test_the_most_frequent_values_are_kept():
    X = column(["b|a|c", "b|a", "c|b", "d", "a|c"])
    encoder = MultiHotEncoder(max_categories=2).fit(X)
    assert encoder.categories_[0].tolist() == ["a", "b"]
    assert encoder.infrequent_categories_[0].tolist() == ["c", "d"]
    strict = MultiHotEncoder(max_categories=2, handle_unknown="error").fit(X)
    assert strict.transform(column(["d|b"])).tolist() == [[0, 1]]


def test_the_separator():
    X = column(["a, b", "b", "c|d"])
    assert MultiHotEncoder(separator=", ").fit(X).categories_[0].tolist() == ["a", "b", "c|d"]
    assert MultiHotEncoder(separator=None).fit(X).categories_[0].tolist() == ["a, b", "b", "c|d"]
    with pytest.raises(ValueError, match="separator='' separates nothing: pass None"):
        MultiHotEncoder(separator="").fit(X)


def test_unknown_values():
    X, X_new = column(["Comedy|Drama", "Drama"]), column(["Drama", "Drama|Comdy", None, "Comdy"])
    assert MultiHotEncoder().fit(X).transform(X_new).tolist() == [[0, 1], [0, 1], [0, 0], [0, 0]]
    message = (
        r"^Column 'genres' has the value 'Comdy' \(str\) in row 1, which was not seen in fit \(2 such row\(s\)\)\. The "
        r"nearest known value is 'Comedy' \(str\)\. Correct it, .*, or pass handle_unknown='ignore'\.$"
    )
    strict = MultiHotEncoder(handle_unknown="error").fit(X)
    with pytest.raises(UnknownIdError, match=message):
        strict.transform(X_new)
    with pytest.raises(UnknownIdError, match=r"the value 3 \(int\) in row 1, .* \(1 such row\(s\)\)\. Correct it"):
        strict.transform(column([["Comedy"], ["Drama", 3, None]]))


def test_a_column_without_values():
    X = pd.DataFrame({"genres": [None, None], "tags": [["new"], []]})
    encoder = MultiHotEncoder().fit(X)
    assert encoder.transform(X).tolist() == [[1], [0]]
    assert encoder.inverse_transform([[1]]).tolist() == [[[], ["new"]]]
    nothing = MultiHotEncoder().fit(X[["genres"]])
    assert nothing.transform(X[["genres"]]).shape == (2, 0)
    assert nothing.inverse_transform(np.empty((2, 0))).tolist() == [[[]], [[]]]


def test_names():
    X = pd.DataFrame({"genres": ["Comedy|Drama"], "year": [1999]})
    assert MultiHotEncoder().fit(X).get_feature_names_out().tolist() == ["genres_Comedy", "genres_Drama", "year_1999"]
    encoder = MultiHotEncoder().fit([["a|b"]])
    assert encoder.get_feature_names_out().tolist() == ["x0_a", "x0_b"]
    assert encoder.get_feature_names_out(["tags"]).tolist() == ["tags_a", "tags_b"]


def test_sparse_output():
    encoder = MultiHotEncoder(sparse_output=True, dtype=np.int8).fit(column(LISTS))
    for matrix in (encoder.transform(column(LISTS)), encoder.fit_transform(column(LISTS))):
        assert isinstance(matrix, sparse.csr_array)
        assert (matrix.dtype, matrix.indices.dtype, matrix.indptr.dtype) == (np.int8, np.int32, np.int32)
        assert matrix.toarray().tolist() == ONES
        assert encoder.inverse_transform(matrix)[:, 0].tolist() == SORTED
    encoder.set_output(transform="polars")
    for method in (encoder.transform, encoder.fit_transform):
        with pytest.raises(ValueError, match=r"Polars output does not support sparse data\. Pass sparse_output=False"):
            method(column(LISTS))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    X = column(LISTS).set_axis([3, 1, 4, 1, 5])
    encoder = MultiHotEncoder(dtype=np.int32).set_output(transform=library)
    for out in (encoder.fit_transform(X), encoder.transform(X)):
        assert list(out.columns) == ["genres_Action", "genres_Comedy", "genres_Drama"]
        assert out.to_numpy().tolist() == ONES
        assert {str(dtype).lower() for dtype in out.dtypes} == {"int32"}
        assert encoder.inverse_transform(out)[:, 0].tolist() == SORTED
        if library == "pandas":
            assert list(out.index) == [3, 1, 4, 1, 5]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("sparse_output", [False, True])
def test_in_a_column_transformer_and_a_pipeline(make, sparse_output):
    X = make({"genres": LISTS, "tags": ["new", None, "old|new", "", "old"], "price": [1.0, 2.0, 3.0, 4.0, 5.0]})
    lists = MultiHotEncoder(sparse_output=sparse_output)
    columns = ColumnTransformer([("lists", lists, ["tags", "genres"]), ("price", StandardScaler(), ["price"])])
    assert columns.fit(X).get_feature_names_out().tolist() == [
        "lists__tags_new", "lists__tags_old", "lists__genres_Action", "lists__genres_Comedy", "lists__genres_Drama",
        "price__price",
    ]  # fmt: skip
    pipeline = make_pipeline(columns, LogisticRegression())
    search = GridSearchCV(pipeline, {"columntransformer__lists__min_frequency": [None, 2]}, cv=2)
    assert search.fit(X, [0, 1, 0, 1, 1]).predict(X).shape == (5,)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (column([["a"], None, ["b", ["c"]]]), TypeError, r"'genres' has \['c'\] \(list\) in row 2, .* not hashable"),
        (column(["a", "a", np.array([["b"]])]), TypeError, r"'genres' has \['b'\] \(list\) in row 2"),
        (column(["a", {"b": 1}]), TypeError, r"'genres' has \{'b': 1\} \(dict\) in row 1.* or of lists of them"),
        (
            column([[1], [2, np.inf]]),
            ValueError,
            r"column 'genres' has inf in row 1, which is not a category",
        ),
        (column(["a", "a", -np.inf]), ValueError, r"infinity: column 'genres' has -inf in row 2"),
        (pd.Series([["a"]], name="genres"), ValueError, r"Pass a DataFrame containing .* a single column"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, r"more than one column named 'a'"),
    ],
)
def test_a_failed_fit_changes_nothing(X, error, message):
    encoder = MultiHotEncoder().fit(column(LISTS))
    before = copy.deepcopy(encoder)
    for method in (encoder.fit, encoder.fit_transform):
        with pytest.raises(error, match=message):
            method(X)
    assert vars(encoder).keys() == vars(before).keys()
    assert encoder.get_feature_names_out().tolist() == before.get_feature_names_out().tolist()
    with pytest.raises(error):
        encoder.transform(X)


def test_an_encoder_that_is_not_fitted():
    for method in ("transform", "inverse_transform", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(MultiHotEncoder(), method)([["a"]])
    with pytest.raises(ValueError, match=r"X has 2 column\(s\), but this encoder returns 3: pass what transform"):
        MultiHotEncoder().fit(column(LISTS)).inverse_transform([[0, 1]])


def test_copies_encode_alike(tmp_path):
    encoder = MultiHotEncoder(min_frequency=2).fit(column(LISTS))
    skrec.save(encoder, tmp_path / "encoder.skrec")
    for other in (pickle.loads(pickle.dumps(encoder)), skrec.load(tmp_path / "encoder.skrec")):
        assert other.transform(column(LISTS)).tolist() == [row[2:] for row in ONES]
        assert other.infrequent_categories_[0].tolist() == ["Action", "Comedy"]
    assert clone(encoder).get_params() == encoder.get_params()
    assert not hasattr(clone(encoder), "categories_")
    assert repr(encoder) == "MultiHotEncoder(min_frequency=2)"


def test_values_of_another_kind_than_in_fit_are_told_of():
    with pytest.warns(UserWarning, match="The values for column 'genres' are strings .*Convert them as in fit"):
        assert MultiHotEncoder().fit(column([[3, 4]])).transform(column([["3"]])).tolist() == [[0, 0]]
    with pytest.warns(UserWarning, match="The values for column 'genres' are numbers .*Convert them as in fit"):
        MultiHotEncoder().fit(column(["3|4"])).transform(column([3]))
    with pytest.raises(UnknownIdError, match="The nearest known value is '3'"):
        MultiHotEncoder(handle_unknown="error").fit(column(["3|4"])).transform(column([3]))
    MultiHotEncoder().fit(column(["3|4"])).transform(column([None, [], "5"]))
