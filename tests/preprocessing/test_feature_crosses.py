import copy
import pickle
from collections import Counter
from datetime import datetime
from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
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
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrec
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.preprocessing import FeatureCrosses

EXPECTED_FAILURES = {
    "oov": {},
    "error": {"check_fit_idempotent": "it transforms numbers that fit did not see, which is the error asked for"},
}

TABLE = {
    "genre": ["comedy", "drama", None, "comedy", "comedy"],
    "day": ["sun", "mon", "sun", "sun", None],
    "year": [1999, 2005, 1999, 2005, 1999],
}
GENRE_X_DAY = [("comedy", "sun"), ("comedy", None), ("drama", "mon"), (None, "sun")]
YEAR_X_DAY_X_GENRE = [
    (1999, "sun", "comedy"),
    (1999, "sun", None),
    (1999, None, "comedy"),
    (2005, "mon", "drama"),
    (2005, "sun", "comedy"),
]


@parametrize_with_checks(
    [
        FeatureCrosses(),
        FeatureCrosses(handle_unknown="error"),
        FeatureCrosses(min_frequency=2),
        FeatureCrosses(sparse_output=True),
        FeatureCrosses(passthrough=True),
        FeatureCrosses(encoding="hash", n_bins=50),
    ],
    expected_failed_checks=lambda crosses: EXPECTED_FAILURES[crosses.handle_unknown],
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# ----------------------------------------------------------------------------------------------------------- vocabulary


def as_array(frame):
    return frame.astype(object).to_numpy()


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE, index=[5, 5, 1, 0, 2]).astype({"genre": object, "day": "category", "year": "Int64"}),
        pd.DataFrame(TABLE).set_axis([0, 1, 2], axis=1),
        pl.DataFrame(TABLE),
        as_array(pd.DataFrame(TABLE)),
        [list(row) for row in zip(*TABLE.values(), strict=True)],
    ],
)
def test_codes_are_the_same_whatever_holds_the_values(X):
    crosses = FeatureCrosses(crosses=[(0, 1), (2, 1, 0)]).fit(X)
    codes = [[1, 1], [3, 4], [4, 2], [1, 5], [2, 3]]
    assert crosses.transform(X).tolist() == crosses.fit_transform(X).tolist() == codes
    assert crosses.transform(X).dtype == np.int64
    assert [categories.tolist() for categories in crosses.categories_] == [GENRE_X_DAY, YEAR_X_DAY_X_GENRE]


values = st.sampled_from([None, np.nan, 0, 1, 1.0, True, 0.5, "1", "a", (1, 2), 10**18 + 1, 2**63, pd.Timestamp(0)])


@pytest.mark.filterwarnings("ignore:(The|Some) values for column")  # of another kind than in fit
@given(
    X=st.lists(st.tuples(values, values, values), min_size=1, max_size=30),
    X_new=st.lists(st.tuples(values, values, values), min_size=1, max_size=30),
    min_frequency=st.sampled_from([None, 1, 2, 0.1]),
)
def test_codes_are_those_of_a_dict(X, X_new, min_frequency):
    needed = np.ceil(0.1 * len(X)) if min_frequency == 0.1 else min_frequency or 1
    crosses = FeatureCrosses(degree=(2, 3), min_frequency=min_frequency).fit(X)
    codes, codes_new = crosses.fit_transform(X), crosses.transform(X_new)
    assert np.array_equal(codes, crosses.transform(X))
    assert crosses.crosses_ == [(0, 1), (0, 2), (1, 2), (0, 1, 2)]
    for number, columns in enumerate(crosses.crosses_):
        keys, keys_new = (
            [tuple(None if row[j] is None or row[j] != row[j] else row[j] for j in columns) for row in rows]
            for rows in (X, X_new)
        )
        frequent = {key for key, count in Counter(keys).items() if count >= needed}
        codes_of = {key: code for code, key in enumerate(crosses.categories_[number], start=1)}
        assert codes_of.keys() == frequent
        assert len(crosses.categories_[number]) == len(frequent)
        assert codes[:, number].tolist() == [codes_of.get(key, 0) for key in keys]
        assert codes_new[:, number].tolist() == [codes_of.get(key, 0) for key in keys_new]


@pytest.mark.parametrize("n_values", [3, 5000])
def test_many_columns_of_many_values_do_not_overflow(n_values):
    X = np.random.default_rng(0).integers(0, n_values, (5000, 8))
    X = np.concatenate([X, X[:100]])
    codes = FeatureCrosses(degree=8).fit_transform(X)
    assert np.array_equal(codes[:, 0], np.unique(X, axis=0, return_inverse=True)[1].ravel() + 1)


def test_a_new_combination_of_known_values_is_unknown():
    crosses = FeatureCrosses().fit([["comedy", "sun"], ["drama", "mon"]])
    assert crosses.transform([["comedy", "mon"], ["drama", "mon"], ["horror", "sun"], [None, "sun"]]).tolist() == [
        [0], [2], [0], [0],
    ]  # fmt: skip


def test_degree_chooses_the_crosses():
    X = np.zeros((1, 4))
    for degree in (2, 3, (2, 4), [4, 2]):
        degrees = [degree] if isinstance(degree, int) else degree
        expected = [cross for d in degrees for cross in combinations(range(4), d)]
        assert FeatureCrosses(degree=degree).fit(X).crosses_ == expected


def test_crosses_by_name_and_position():
    X = pd.DataFrame({f"cat__{name}": values for name, values in TABLE.items()})
    crosses = FeatureCrosses(crosses=(["cat__year", "genre"], (np.int64(1), 0))).fit(X)
    assert crosses.crosses_ == [("cat__year", "cat__genre"), ("cat__day", "cat__genre")]
    assert crosses.get_feature_names_out().tolist() == ["cat__year_x_cat__genre", "cat__day_x_cat__genre"]


def test_unknown_combinations_are_refused():
    crosses = FeatureCrosses(handle_unknown="error", min_frequency=2).fit(pd.DataFrame(TABLE)[["genre", "day"]])
    assert crosses.transform(pd.DataFrame({"genre": ["drama", "comedy"], "day": ["mon", "sun"]})).tolist() == [[0], [1]]
    message = (
        r"^The cross 'genre_x_day' has \(None, 'mon'\) in row 1, a combination that was not seen in fit "
        r"\(2 such row\(s\)\)\. Fit on data that has it, or pass handle_unknown='oov'\.$"
    )
    with pytest.raises(UnknownIdError, match=message):
        crosses.transform(pd.DataFrame({"genre": ["drama", None, "comedy"], "day": ["mon", "mon", "mon"]}))
    with pytest.raises(UnknownIdError, match=r"Column 'genre' has the id 'comdy' \(str\) in row 1.*id is 'comedy'"):
        crosses.transform(pd.DataFrame({"genre": ["drama", "comdy"], "day": ["mon", "mon"]}))


# --------------------------------------------------------------------------------------------------------------- output


def test_names():
    X = pd.DataFrame(TABLE)
    assert FeatureCrosses().fit(X).get_feature_names_out().tolist() == ["genre_x_day", "genre_x_year", "day_x_year"]
    assert FeatureCrosses(degree=3).fit(X.to_numpy()).get_feature_names_out().tolist() == ["x0_x_x1_x_x2"]
    crosses = FeatureCrosses(crosses=[("day", "year")], passthrough=True).fit(X)
    assert crosses.get_feature_names_out().tolist() == ["genre", "day", "year", "day_x_year"]
    assert crosses.feature_names_in_.tolist() == ["genre", "day", "year"]
    sparse_ones = FeatureCrosses(crosses=[("genre", "day")], sparse_output=True).fit(X)
    assert sparse_ones.get_feature_names_out().tolist() == [
        "genre_x_day_comedy_x_sun", "genre_x_day_comedy_x_None", "genre_x_day_drama_x_mon", "genre_x_day_None_x_sun",
    ]  # fmt: skip
    sparse_ones.set_params(encoding="hash", n_bins=2).fit(X)
    assert sparse_ones.get_feature_names_out().tolist() == ["genre_x_day_1", "genre_x_day_2"]


@pytest.mark.parametrize("options", [{}, {"min_frequency": 2}, {"encoding": "hash", "n_bins": 5}])
def test_sparse_output_is_one_hot(options):
    X, X_new = (np.random.default_rng(seed).integers(0, size, (50, 3)) for seed, size in ((0, 3), (1, 4)))
    codes = FeatureCrosses(**options).fit(X)
    ones = FeatureCrosses(**options, sparse_output=True, dtype=np.float32).fit(X)
    n_codes = [codes.n_bins] * 3 if options.get("encoding") else [len(categories) for categories in codes.categories_]
    expected = OneHotEncoder(categories=[range(1, n + 1) for n in n_codes], handle_unknown="ignore")
    for rows in (X, X_new):
        matrix = ones.transform(rows)
        assert isinstance(matrix, sparse.csr_array)
        assert (matrix.dtype, matrix.indices.dtype, matrix.indptr.dtype) == (np.float32, np.int32, np.int32)
        assert matrix.shape == (50, len(ones.get_feature_names_out()))
        assert np.array_equal(matrix.toarray(), expected.fit_transform(codes.transform(rows)).toarray())
    assert (ones.fit_transform(X) != ones.transform(X)).nnz == 0


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    X = pd.DataFrame(TABLE, index=[3, 1, 4, 0, 2])
    crosses = FeatureCrosses(dtype=np.int32).set_output(transform=library)
    for out in (crosses.fit_transform(X), crosses.transform(X)):
        assert list(out.columns) == ["genre_x_day", "genre_x_year", "day_x_year"]
        assert {str(dtype).lower() for dtype in out.dtypes} == {"int32"}
        assert out.to_numpy()[:, 0].tolist() == [1, 3, 4, 1, 2]
        if library == "pandas":
            assert list(out.index) == [3, 1, 4, 0, 2]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_passthrough_keeps_the_type_of_every_column(make, library):
    table = {**TABLE, "price": [1.5, 2.0, None, 0.0, 1.0], "time": [datetime(2020, 1, 1)] * 5}  # noqa: DTZ001
    X = make(table)
    if make is pd.DataFrame:
        X = X.astype({"genre": "category", "year": "int16"}).set_axis([3, 1, 4, 1, 2])
    crosses = FeatureCrosses(crosses=[("genre", "day")], passthrough=True).set_output(transform=library)
    before = X.copy() if make is pd.DataFrame else X.clone()
    out = crosses.fit_transform(X)
    assert X.equals(before)
    assert list(out.columns) == [*table, "genre_x_day"]
    assert out["genre_x_day"].to_list() == [1, 3, 4, 1, 2]
    inputs = out[[*table]]
    if library == "pandas":
        pd.testing.assert_frame_equal(inputs, X if make is pd.DataFrame else X.to_pandas())
    else:
        assert inputs.equals(X if make is pl.DataFrame else pl.from_pandas(X))
        assert inputs.dtypes == (X if make is pl.DataFrame else pl.from_pandas(X)).dtypes


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_passthrough_of_an_array(library):
    X = [["a", 1], ["b", 2]]
    out = FeatureCrosses(passthrough=True).set_output(transform=library).fit_transform(X)
    assert {name: out[name].to_list() for name in out.columns} == {"x0": ["a", "b"], "x1": [1, 2], "x0_x_x1": [1, 2]}
    assert str(out["x1"].dtype).lower() == "int64"


def test_passthrough_in_an_array():
    mixed = FeatureCrosses(passthrough=True).fit_transform(
        pd.DataFrame({"a": ["x", "y"], "t": pd.to_datetime(["2020"] * 2)})
    )
    assert mixed.dtype == object
    assert mixed.tolist() == [["x", pd.Timestamp("2020"), 1], ["y", pd.Timestamp("2020"), 2]]
    assert FeatureCrosses(passthrough=True).fit_transform([[5, 7], [1, 7]]).tolist() == [[5, 7, 2], [1, 7, 1]]
    assert FeatureCrosses(passthrough=True).fit_transform([[5, 7], [1, 7]]).dtype == np.int64
    assert FeatureCrosses(passthrough=True).fit_transform([[0.5, 7], [1, 7]]).dtype == np.float64


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_in_a_column_transformer_and_a_pipeline(make):
    X = make({**TABLE, "price": [1.0, 2.0, 3.0, 4.0, 5.0]})
    parts = [("crosses", FeatureCrosses(), ["genre", "day"]), ("price", StandardScaler(), ["price"])]
    columns = ColumnTransformer(parts).set_output(transform="pandas" if make is pd.DataFrame else "polars")
    out = columns.fit_transform(X)
    assert list(out.columns) == ["crosses__genre_x_day", "price__price"]
    assert out["crosses__genre_x_day"].to_list() == [1, 3, 4, 1, 2]
    parts = [("wide", FeatureCrosses(sparse_output=True), ["genre", "day"]), ("price", StandardScaler(), ["price"])]
    pipeline = make_pipeline(ColumnTransformer(parts, sparse_threshold=1), LogisticRegression(solver="liblinear"))
    search = GridSearchCV(pipeline, {"columntransformer__wide__encoding": ["vocabulary", "hash"]}, cv=2)
    assert search.fit(X, [0, 1, 0, 1, 1]).predict(X).shape == (5,)


def test_crosses_make_an_exclusive_or_linear():
    X = pd.DataFrame(np.random.default_rng(0).integers(0, 2, (200, 2)), columns=["a", "b"])
    y = X["a"] != X["b"]
    assert LogisticRegression().fit(X, y).score(X, y) < 0.8
    assert make_pipeline(FeatureCrosses(sparse_output=True), LogisticRegression()).fit(X, y).score(X, y) == 1


# --------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"crosses": []}, ValueError, r"crosses=\[\] contains no cross\. Pass tuples .*None for every pair"),
        ({"crosses": ("genre", "day")}, ValueError, r"crosses has 'genre', which is not a tuple of columns"),
        ({"crosses": [("genre",)]}, ValueError, r"cross \('genre',\) has 1 column\(s\).*passthrough=True"),
        ({"crosses": [("genre", 0)]}, ValueError, r"cross \('genre', 0\) has the same column twice"),
        ({"crosses": [(0, 1), ("day", "genre")]}, ValueError, r"has the cross \('day', 'genre'\) twice"),
        ({"crosses": [("Genres", "day")]}, ColumnError, r"'Genres', which is not a column of X; .* you mean 'genre'\?"),
        ({"crosses": [("zzz", "day")]}, ColumnError, r"'zzz', which is not a column .*'genre', 'day' and 'year'\.$"),
        ({"crosses": [(0, 3)]}, ColumnError, r"3, which is not a position in X: it has 3 column\(s\), from 0 to 2"),
        ({"crosses": [(0, True)]}, ColumnError, r"crosses has True, which is neither a column name nor a position"),
        ({"degree": 4}, ValueError, r"3 feature\(s\) .* while a minimum of 4 is required"),
        ({"degree": (2, 1)}, ValueError, r"degree=\(2, 1\) is neither a whole number from 2 on nor a tuple"),
        ({"degree": ()}, ValueError, r"degree=\(\) is neither"),
        ({"degree": 1}, ValueError, r"'degree' parameter of FeatureCrosses must be an int in the range \[2, inf\)"),
        ({"sparse_output": True, "passthrough": True}, ValueError, r"contradict each other.*Use a ColumnTransformer"),
        ({"encoding": "hash", "min_frequency": 2}, ValueError, r"min_frequency=2 needs encoding='vocabulary'"),
        ({"encoding": "hash", "handle_unknown": "error"}, ValueError, r"handle_unknown='error' needs encoding='voc"),
        ({"encoding": "hash", "dtype": np.int16}, ValueError, r"int16 cannot hold .* cross 'genre_x_day', .* to 65536"),
    ],
)
def test_parameters_that_cannot_be(options, error, message):
    crosses = FeatureCrosses(**options)
    with pytest.raises(error, match=message):
        crosses.fit(pd.DataFrame(TABLE))
    assert vars(crosses) == vars(FeatureCrosses(**options))


@pytest.mark.parametrize(
    ("X", "options", "error", "message"),
    [
        (
            [["a", "b"]],
            {"crosses": [("a", "b")]},
            ColumnError,
            r"column name 'a', but X has no column names.*positions",
        ),
        (
            pd.DataFrame({"x__a": [1], "y__a": [1]}),
            {"crosses": [("a", 0)]},
            ColumnError,
            r"several columns end in it: 'x__a' and 'y__a'",
        ),
        (pd.DataFrame({"a": [1], "b": [1], "a_x_b": [1]}), {"passthrough": True}, ColumnError, r"2 columns .*'a_x_b'"),
        (pd.DataFrame({"a": ["x", "y"], "b": [1, np.inf]}), {}, ValueError, r"infinity: column 'b' has inf in row 1"),
        (pd.DataFrame({"a": ["x", np.inf, None], "b": [1, 2, 3]}), {}, ValueError, r"infinity: column 'a' .* row 1"),
        (pd.DataFrame({"a": ["x", ["y"]], "b": [1, 2]}), {}, TypeError, r"'a' has \['y'\] \(list\) in row 1"),
        (
            pd.DataFrame({"a": ["x", frozenset()], "b": [1, 2]}),
            {"encoding": "hash"},
            TypeError,
            r"'a' has frozenset\(\) \(frozenset\), which has no stable hash.*map\(str\), or pass encoding='vocabulary'",
        ),
        (np.zeros((1, 10_000)), {}, ValueError, r"10000 columns have 49995000 crosses of degree 2: pass the crosses"),
        (np.arange(300).reshape(-1, 2), {"dtype": np.int8, "crosses": [(0, 1)]}, ValueError, r"int8 cannot hold"),
    ],
)
def test_a_failed_fit_changes_nothing(X, options, error, message):
    crosses = FeatureCrosses().fit(pd.DataFrame(TABLE)).set_params(**options)
    before = copy.deepcopy(crosses)
    for method in (crosses.fit, crosses.fit_transform):
        with pytest.raises(error, match=message):
            method(X)
    assert vars(crosses).keys() == vars(before).keys()
    assert crosses.feature_names_in_.tolist() == before.feature_names_in_.tolist()
    assert crosses.crosses_ == before.crosses_


def test_sparse_output_in_a_data_frame_is_refused():
    crosses = FeatureCrosses(sparse_output=True).set_output(transform="pandas")
    message = (
        r"Pandas output does not support sparse data\. Pass sparse_output=False .*set_output\(transform='default'\)"
    )
    for method in (crosses.fit_transform, crosses.fit(pd.DataFrame(TABLE)).transform):
        with pytest.raises(ValueError, match=message):
            method(pd.DataFrame(TABLE))


def test_columns_must_be_those_of_fit():
    crosses = FeatureCrosses().fit(pd.DataFrame(TABLE))
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        crosses.transform(pd.DataFrame(TABLE)[["day", "genre", "year"]])
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        crosses.get_feature_names_out(["a", "b", "c"])
    for method in ("transform", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(FeatureCrosses(), method)([[1, 2]])


@pytest.mark.parametrize("options", [{}, {"encoding": "hash"}, {"min_frequency": 2, "degree": 3}])
def test_copies_encode_alike(options, tmp_path):
    X = pd.DataFrame(TABLE)
    crosses = FeatureCrosses(**options).fit(X)
    skrec.save(crosses, tmp_path / "crosses.skrec")
    for other in (pickle.loads(pickle.dumps(crosses)), skrec.load(tmp_path / "crosses.skrec")):
        assert other.transform(X).tolist() == crosses.transform(X).tolist()
        assert other.get_feature_names_out().tolist() == crosses.get_feature_names_out().tolist()
    assert clone(crosses).get_params() == crosses.get_params()
    assert not hasattr(clone(crosses), "crosses_")
    assert repr(FeatureCrosses(crosses=[("a", "b")])) == "FeatureCrosses(crosses=[('a', 'b')])"


def test_values_of_another_kind_than_in_fit_are_told_of():
    numbers, text = pd.DataFrame({"a": [3, 4], "b": ["x", "y"]}), pd.DataFrame({"a": ["3", "4"], "b": ["x", "y"]})
    for there, here, kind in ((numbers, text, "strings"), (text, numbers, "numbers")):
        crosses = FeatureCrosses().fit(there)
        with pytest.warns(UserWarning, match=f"The values for column 'a' are {kind} .*Convert them as in fit") as seen:
            assert crosses.transform(here).tolist() == [[0], [0]]
        assert len(seen) == 1
        with pytest.raises(UnknownIdError, match="not seen in fit"):
            FeatureCrosses(handle_unknown="error").fit(there).transform(here)
    assert FeatureCrosses().fit(numbers).transform(numbers.assign(a=[9, None])).tolist() == [[0], [0]]
