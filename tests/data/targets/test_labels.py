"""How y, sample_weight and groups are read: whatever the container, exactly, or with an error that names the row."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import DataConversionWarning

from skrec._data.targets.classes import class_codes, class_labels, warn_of_missing_as_text
from skrec._data.targets.labels import check_aligned, read_labels
from skrec._data.targets.numbers import numeric_labels, positive_labels, read_weights

X = np.zeros((4, 1))
INTS = [0, 1, 1, 0]
TEXT = ["no", "yes", "yes", "no"]
INT_CONTAINERS = {
    "list": INTS,
    "tuple": tuple(INTS),
    "array": np.array(INTS),
    "int8": np.array(INTS, np.int8),
    "objects": np.array(INTS, dtype=object),
    "Series of objects": pd.Series(INTS, dtype=object),
    "Int64": pd.Series(INTS, dtype="Int64"),
    "Arrow": pd.Series(INTS, dtype="int64[pyarrow]"),
    "categorical": pd.Series(INTS, dtype="category"),
    "Index": pd.Index(INTS),
    "extension array": pd.array(INTS),
    "polars": pl.Series(INTS),
}
TEXT_CONTAINERS = {
    "list": TEXT,
    "array": np.array(TEXT),
    "objects": np.array(TEXT, dtype=object),
    "str": pd.Series(TEXT),
    "string": pd.Series(TEXT, dtype="string"),
    "Arrow": pd.Series(TEXT, dtype="string[pyarrow]"),
    "categorical": pd.Categorical(TEXT, categories=["yes", "no", "never"]),
    "polars": pl.Series(TEXT),
    "polars categorical": pl.Series(TEXT, dtype=pl.Categorical),
}
BOOL_CONTAINERS = {
    "list": [False, True, True, False],
    "objects": np.array([False, True, True, False], dtype=object),
    "boolean": pd.Series([False, True, True, False], dtype="boolean"),
    "Arrow": pd.Series([False, True, True, False], dtype="bool[pyarrow]"),
    "polars": pl.Series([False, True, True, False]),
}


@pytest.mark.parametrize("container", INT_CONTAINERS)
def test_integers_in_any_container(container):
    y = INT_CONTAINERS[container]
    labels = class_labels(y, X)
    assert labels.dtype.kind == "i"
    assert labels.tolist() == INTS
    assert numeric_labels(y, X, what="numbers", cure="").tolist() == [0.0, 1.0, 1.0, 0.0]
    assert positive_labels(y, X).tolist() == [False, True, True, False]
    assert read_weights(y, X).tolist() == [0.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("container", TEXT_CONTAINERS)
def test_strings_in_any_container(container):
    labels = class_labels(TEXT_CONTAINERS[container], X)
    assert labels.tolist() == TEXT
    assert np.unique(labels).tolist() == ["no", "yes"]


@pytest.mark.parametrize("container", BOOL_CONTAINERS)
def test_bools_in_any_container(container):
    labels = class_labels(BOOL_CONTAINERS[container], X)
    assert labels.dtype == bool
    assert labels.tolist() == [False, True, True, False]
    assert positive_labels(BOOL_CONTAINERS[container], X).tolist() == labels.tolist()


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"y": TEXT}),
        pl.DataFrame({"y": TEXT}),
        np.array(TEXT)[:, None],
        np.array(TEXT, dtype=object)[:, None],
        [[label] for label in TEXT],
    ],
    ids=["pandas", "polars", "array", "objects", "list"],
)
def test_a_table_of_one_column_is_that_column(table):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        assert class_labels(table, X).tolist() == TEXT
    assert read_labels(table, X).tolist() == TEXT


def test_large_integers_are_exact():
    big = [2**60 + 1, 2**60, 2**60 + 1, 2**60]
    for y in (big, pd.Series(big, dtype="Int64"), np.array(big, dtype=object)):
        assert class_labels(y, X).tolist() == big


def test_numbers_of_other_types():
    for y in ([Decimal("0.5"), 1, 2, 3], np.array([0.5, 1, 2, 3]), ["0.5", "1", "2", "3"], pd.Series([0.5, 1, 2, 3])):
        assert numeric_labels(y, X, what="numbers", cure="").tolist() == [0.5, 1, 2, 3]


MISSING = {
    "None": ["no", "yes", None, "no"],
    "NaN in objects": np.array(["no", "yes", np.nan, "no"], dtype=object),
    "str": pd.Series(["no", "yes", None, "no"]),
    "string": pd.Series(["no", "yes", pd.NA, "no"], dtype="string"),
    "categorical": pd.Series(["no", "yes", None, "no"], dtype="category"),
    "float": [0.0, 1.0, np.nan, 0.0],
    "Int64": pd.Series([0, 1, pd.NA, 0], dtype="Int64"),
    "Float64": pd.Series([0, 1, pd.NA, 0], dtype="Float64"),
    "Arrow": pd.Series([0, 1, None, 0], dtype="int64[pyarrow]"),
    "boolean": pd.Series([False, True, pd.NA, False], dtype="boolean"),
    "categorical integers": pd.Series([0, 1, None, 0], dtype="category"),
    "polars": pl.Series([0, 1, None, 0]),
    "polars text": pl.Series(["no", "yes", None, "no"]),
    "frame": pd.DataFrame({"y": pd.Series([0, 1, pd.NA, 0], dtype="Int64")}),
    "NaT": pd.Series(pd.to_datetime(["2020-01-01", "2020-01-01", None, "2020-01-01"])),
    "masked": np.ma.masked_array([0, 1, 1, 0], mask=[False, False, True, False]),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("container", MISSING)
def test_a_missing_value_names_its_row(container):
    for read in (
        class_labels,
        positive_labels,
        read_labels,
        lambda y, X: numeric_labels(y, X, what="numbers", cure=""),
    ):
        with pytest.raises(ValueError, match=r"Input y contains NaN: its value in row 2 is missing \(1 of 4 are\)"):
            read(MISSING[container], X)
    with pytest.raises(ValueError, match="Input sample_weight contains NaN: its value in row 2"):
        read_weights(MISSING[container], X)


@pytest.mark.parametrize(
    ("y", "error", "match"),
    [
        ("label", TypeError, r"y is the string 'label': pass the values themselves, such as X\.pop\('label'\)"),
        ({0: 1}, TypeError, "y is a dict, which is not array-like: pass a list"),
        ({0, 1, 2, 3}, TypeError, "y is a set, which has no order: pass a list"),
        (iter(INTS), TypeError, "y is a list_iterator, which is not array-like: pass a list"),
        (dict.fromkeys(range(4)).keys(), TypeError, "y is a dict_keys, which has no order"),
        (5, TypeError, "y is a int, which is not array-like"),
        (np.array(5), ValueError, "y is a single value"),
        (csr_array(np.ones((4, 1))), TypeError, r"y is a sparse array: pass a dense one, y\.toarray\(\)\.ravel\(\)"),
        (np.zeros((4, 2)), ValueError, r"1d array, got an array of shape \(4, 2\).*MultiOutputClassifier"),
        (pd.DataFrame({"a": INTS, "b": INTS}), ValueError, r"of shape \(4, 2\) instead\. Pass one column"),
        (pl.DataFrame({"a": INTS, "b": INTS}), ValueError, r"of shape \(4, 2\) instead"),
        ([[0, 1]] * 4, ValueError, r"of shape \(4, 2\) instead"),
        ([[0, 1, 1, 0]], ValueError, r"of shape \(1, 4\) instead\. It looks like one row: pass y\.ravel\(\)"),
        (
            [[0], [1, 2], [0], [1]],
            ValueError,
            r"y has a list in row 0, \[0\], and lists of other lengths.*[Ss]everal labels",
        ),
        (
            pd.Series([["a"], ["a", "b"], [], ["b"]]),
            ValueError,
            r"y has a list in row 0, \['a'\]: it must have one value",
        ),
        (np.array([0, 1j, 0, 0]), ValueError, "y cannot be read. Complex data not supported"),
        ([0, 1, 1], ValueError, "y has 3 values, but X has 4 rows: there must be one value for each row"),
    ],
)
def test_what_is_not_one_value_a_row(y, error, match):
    for read in (class_labels, positive_labels):
        with pytest.raises(error, match=match):
            read(y, X)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([0.5, 1, 2, 3], r"Unknown label type: continuous\. y has 0\.5 in row 0.*Regressor.*y >= 4"),
        ([0, np.inf, 1, 0], "Input y contains infinity: inf in row 1"),
        (
            [0, "a", 1, 0],
            r"y mixes labels of several kinds: 0 \(number\) in row 0 and 'a' \(str\) in row 1.*astype\(str\)",
        ),
        (["a", "b", True, "a"], r"'a' \(str\) in row 0 and True \(bool\) in row 2"),
        ([True, 1, 0, 2], r"True \(bool\) in row 0 and 1 \(number\) in row 1"),
        ([b"a", b"b", b"a", b"b"], r"y has b'a' \(bytes\) in row 0.*decode\('utf-8'\)"),
        ([2**70] * 4, r"y has 1180591620717411303424 \(int\) in row 0.*use astype\(str\)"),
        (np.arange(4).astype("datetime64[D]"), r"y holds dates or times, such as 1970-01-01 in row 0"),
        (pd.Series(pd.date_range("2020", periods=4, tz="UTC")), "(y holds dates|Timestamp)"),
    ],
)
def test_what_is_not_a_label_of_a_class(y, match):
    with pytest.raises(ValueError, match=match):
        class_labels(y, X)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (["1", "2", "x", "4"], r"y must be numbers, but it has 'x' \(str\) in row 2\. Convert\."),
        (["1,5", "2", "3", "4"], r"has '1,5' \(str\) in row 0"),
        ([1, np.inf, 2, 3], "Input y contains infinity or NaN: inf in row 1"),
        (["1", "nan", "2", "3"], "Input y contains infinity or NaN: nan in row 1"),
        ([2**2000, 1, 1, 1], r"in row 0"),
        (
            np.arange(4).astype("datetime64[D]"),
            "y must be numbers, but it holds dates or times, such as 1970-01-01 in row 0",
        ),
        (np.arange(4).astype("timedelta64[s]"), "it holds dates or times"),
        (pd.Series(pd.date_range("2020", periods=4, tz="UTC")), "y must be numbers, but it"),
    ],
)
def test_what_is_not_a_number(y, match):
    with pytest.raises(ValueError, match=match):
        numeric_labels(y, X, what="numbers", cure="Convert.")


def test_values_are_not_taken_for_those_of_other_rows():
    frame = pd.DataFrame({"a": range(4)}, index=[3, 1, 0, 2])
    labels = pd.Series(INTS, index=[0, 1, 2, 3])
    match = r"X and y have the same index in another order: at position 0, X has 3 and y has 0.*reindex.*NumPy arrays"
    for y in (labels, labels.to_frame()):
        with pytest.raises(ValueError, match=match):
            read_labels(y, frame)
    with pytest.raises(ValueError, match="X and sample_weight have the same index in another order"):
        read_weights(labels, frame)
    assert read_labels(labels.reindex(frame.index), frame).tolist() == [0, 1, 0, 1]
    assert read_labels(labels.to_numpy(), frame).tolist() == INTS
    assert read_labels(labels.rename({0: 10}), frame).tolist() == INTS  # other labels say nothing of the order
    twice = frame.iloc[[0, 0, 1, 1]]
    assert read_labels(labels.reindex(twice.index), twice).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ([1, -0.5, 1, 1], r"Negative values in data passed to sample_weight: -0\.5 in row 1"),
        ([1, np.inf, 1, 1], "Input sample_weight contains infinity or NaN: inf in row 1"),
        ([1, 1e39, 1, 1], r"sample_weight is too large: 1e\+39 in row 1"),
        ([0, 0, 0, 0], "Each weight in sample_weight is zero"),
        ([1e-60] * 4, "Each weight in sample_weight is zero"),
        (["1", "a", "1", "1"], r"sample_weight must be numbers of at least 0, but it has 'a' \(str\) in row 1"),
        ([1, 1], "sample_weight has 2 values, but X has 4 rows"),
        (np.ones((4, 2)), r"sample_weight should be a 1d array, got an array of shape \(4, 2\)"),
    ],
)
def test_weights_that_are_none(weights, match):
    with pytest.raises(ValueError, match=match):
        read_weights(weights, X)


def test_one_number_weighs_all_rows_alike():
    assert read_weights(2, X).tolist() == [2.0, 2.0, 2.0, 2.0]
    assert read_weights(None, X) is None


def test_positives():
    assert positive_labels([-1, 0, 1, 2], X).tolist() == [False, False, True, True]
    with pytest.raises(ValueError, match="No value of y is above 0"):
        positive_labels([0, -1, 0, 0], X)
    with pytest.warns(UserWarning, match=r"All values of y are above 0, from 1 to 5.*y >= 4.*sample_weight"):
        assert positive_labels([1, 5, 3, 2], X).all()
    assert positive_labels([1, 1, 1, 1], X).all()


def test_codes_of_labels():
    assert class_codes(np.array([3, 1]), np.array([1, 3]), "{!r} in row {}".format).tolist() == [1, 0]
    for labels, classes, match in (
        (["a", "c"], ["a", "b"], "'c' in row 1"),
        ([1, 2], ["a", "b"], "1 in row 0"),
        (["1", "2"], [1, 2], "'1' in row 0"),
    ):
        with pytest.raises(ValueError, match=match):
            class_codes(np.array(labels), np.array(classes), "{!r} in row {}".format)


def test_a_missing_label_that_became_text_is_doubted():
    with pytest.warns(UserWarning, match=r"y has the class 'nan': a missing value that astype\(str\) made a string"):
        warn_of_missing_as_text(np.array(["nan", "no", "yes"]))
    warn_of_missing_as_text(np.array([0, 1]))


def test_lengths():
    with pytest.raises(ValueError, match="groups has 3 values, but events has 4 rows"):
        check_aligned(X, {"y": None, "groups": [1, 2, 3]}, rows="events")
