import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import make_column_selector

from skrec._data import as_rows, categorical_columns
from skrec._data.features.column_kinds import kind_of
from skrec.exceptions import ColumnError

CATEGORICAL = {
    "str": pd.Series(["a", None], dtype="str"),
    "string": pd.Series(["1", "2"], dtype="string"),
    "arrow_string": pd.Series(["1", "2"], dtype=pd.ArrowDtype(pa.string())),
    "category": pd.Series([1, 2], dtype="category"),
    "object": pd.Series(["a", 1], dtype=object),
    "object_numbers": pd.Series([1, 2.5], dtype=object),
    "nothing": pd.Series([None, None], dtype=object),
    "bool": pd.Series([True, False]),
    "boolean": pd.Series([True, None], dtype="boolean"),
    "arrow_bool": pd.Series([True, None], dtype=pd.ArrowDtype(pa.bool_())),
    "period": pd.Series(pd.period_range("2020", periods=2)),
    "interval": pd.cut(pd.Series([1, 2]), 2),
}
NUMERIC = {
    "int": pd.Series([1, 2], dtype="int8"),
    "float": pd.Series([1.0, None], dtype="float32"),
    "nullable": pd.Series([1, None], dtype="Int64"),
    "arrow": pd.Series([1, None], dtype=pd.ArrowDtype(pa.int32())),
    "arrow_decimal": pd.Series([decimal.Decimal("1.5"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    "arrow_date": pd.Series([dt.date(2020, 1, 1), None], dtype=pd.ArrowDtype(pa.date32())),
    "datetime": pd.Series(pd.to_datetime(["2020-01-01", None])),
    "zoned": pd.Series(pd.to_datetime(["2020-01-01", None]).tz_localize("UTC")),
    "timedelta": pd.Series(pd.to_timedelta(["1s", None])),
}
MULTIVALUED = {
    "lists": pd.Series([None, ["a"], []], dtype=object),
    "tuples": pd.Series([("a", "b"), None], dtype=object),
    "sets": pd.Series([np.nan, {1, 2}], dtype=object),
    "arrays_of_lengths": pd.Series([np.zeros(2), np.zeros(3)]),
    "arrays_of_strings": pd.Series([np.array(["a"]), np.array(["b"])]),
    "arrays_and_lists": pd.Series([np.zeros(2), [1, 2]]),
    "arrow_list": pd.Series([[1.0], None], dtype=pd.ArrowDtype(pa.list_(pa.float64()))),
    "matrices": pd.Series([np.zeros((2, 2)), None], dtype=object),
}
ARRAYS = {
    "arrays": pd.Series([None, np.zeros(3), np.ones(3, dtype=int)], dtype=object),
    "arrow_fixed": pd.Series([[1.0, 2.0], None], dtype=pd.ArrowDtype(pa.list_(pa.float64(), 2))),
}
KINDS = {"categorical": CATEGORICAL, "numeric": NUMERIC, "multivalued": MULTIVALUED, "array": ARRAYS}


@pytest.mark.parametrize(
    ("kind", "name", "column"),
    [(kind, name, column) for kind, columns in KINDS.items() for name, column in columns.items()],
)
def test_kinds_of_pandas_columns(kind, name, column):
    assert kind_of(as_rows(pd.DataFrame({"a": 0.5, name: column})), 1) == kind


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("categorical", pl.Series(["a", None])),
        ("categorical", pl.Series(["a"], dtype=pl.Categorical)),
        ("categorical", pl.Series(["a"], dtype=pl.Enum(["a"]))),
        ("categorical", pl.Series([True, None])),
        ("categorical", pl.Series([None, None])),
        ("categorical", pl.Series([1, 2.5], dtype=pl.Object)),
        ("numeric", pl.Series([1, None], dtype=pl.UInt8)),
        ("numeric", pl.Series([1.5, None])),
        ("numeric", pl.Series(["1.5"]).cast(pl.Decimal(5, 2))),
        ("numeric", pl.Series([dt.date(2020, 1, 1)])),
        ("numeric", pl.Series([dt.datetime(2020, 1, 1)])),  # noqa: DTZ001
        ("numeric", pl.Series([dt.timedelta(1)])),
        ("multivalued", pl.Series([["a"], None])),
        ("multivalued", pl.Series([["a", "b"]], dtype=pl.Array(pl.String, 2))),
        ("array", pl.Series([[1.0, 2.0], None], dtype=pl.Array(pl.Float32, 2))),
    ],
)
def test_kinds_of_polars_columns(kind, column):
    assert kind_of(as_rows(pl.DataFrame({"a": column})), 0) == kind


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("numeric", [1, 2.5]),
        ("numeric", [1, pd.NA]),
        ("numeric", [decimal.Decimal(1), None]),
        ("numeric", [2**70, 1]),
        ("numeric", [dt.datetime(2020, 1, 1), None]),  # noqa: DTZ001
        ("categorical", ["a", 1]),
        ("categorical", ["1", "2"]),
        ("categorical", [True, False]),
        ("categorical", [True, None]),
        ("multivalued", [["a"], None]),
        ("array", [np.zeros(2), None]),
    ],
)
def test_objects_without_a_frame_are_numbers_if_all_of_them_are(kind, values, as_list):
    array = np.empty((2, 2), dtype=object)
    array[:, 0] = "a"
    array[0, 1], array[1, 1] = values
    X = [list(row) for row in array] if as_list else array
    assert kind_of(as_rows(X), 1) == kind


@pytest.mark.parametrize(
    ("array", "kind"),
    [(np.ones((2, 1)), "numeric"), (np.ones((2, 1), dtype=bool), "categorical"), (np.array([["a"]]), "categorical")],
)
def test_kinds_of_plain_arrays(array, kind):
    assert kind_of(as_rows(array), 0) == kind


TABLE = pd.DataFrame({"user_id": [1], "city": ["a"], "age": [30]})


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (["city"], [False, True, False]),
        (["age", 0], [True, False, True]),
        (np.array([1]), [False, True, False]),
        ([True, False, True], [True, False, True]),
        (np.array([False, True, False]), [False, True, False]),
        (None, [False] * 3),
        ([], [False] * 3),
        (make_column_selector(dtype_include=["number"]), [True, False, True]),
        (lambda X: list(X.dtypes == "int64"), [True, False, True]),
    ],
)
def test_categorical_columns_are_names_positions_a_mask_or_a_function(spec, expected):
    assert categorical_columns(as_rows(TABLE), spec).tolist() == expected


def test_the_type_tells_by_default_and_a_function_gets_the_table():
    assert categorical_columns(as_rows(TABLE)) is None
    seen = []
    for X in (TABLE, pl.from_pandas(TABLE), TABLE.to_numpy(), [[1, "a", 30]]):
        categorical_columns(as_rows(X), lambda table: seen.append(table) or [])
    assert seen[0] is TABLE
    assert isinstance(seen[1], pl.DataFrame)
    assert isinstance(seen[2], np.ndarray)
    assert seen[3].shape == (1, 3)


@pytest.mark.parametrize(
    ("X", "spec", "message"),
    [
        (
            TABLE,
            ["City"],
            r"categorical_features has 'City', which is not a column of X; its columns are 'user_id', 'city' ",
        ),
        (TABLE, "city", r"has to be a list of columns: pass categorical_features=\['city'\]"),
        (TABLE, 1, r"pass categorical_features=\[1\]"),
        (TABLE, [3], r"categorical_features has 3, which is not a position in X: it has 3 column\(s\), from 0 to 2"),
        (TABLE, [-1], r"-1, which is not a position"),
        (TABLE, [1.5], r"1.5, which is neither a column name nor a position"),
        (TABLE, [True, False], r"mask of 2 column\(s\), but X has 3"),
        (TABLE.to_numpy(), ["city"], r"'city', but X has no column names. Pass a DataFrame .*or give positions"),
    ],
)
def test_columns_that_are_not_there_are_refused(X, spec, message):
    with pytest.raises(ColumnError, match=message):
        categorical_columns(as_rows(X), spec)
