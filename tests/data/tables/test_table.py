import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from skrec._data.tables.table import as_rows
from skrec.exceptions import ColumnError

TABLE = {"user_id": [3, 1, 2], "item_id": ["a", "b", "a"], "price": [0.5, 1.0, 2.0]}
ROWS = [list(row) for row in zip(*TABLE.values(), strict=True)]


@pytest.mark.parametrize(
    ("X", "named"),
    [
        (pd.DataFrame(TABLE), True),
        (pd.DataFrame(TABLE, dtype=object), True),
        (pd.DataFrame(TABLE).astype({"user_id": "Int64", "item_id": "category", "price": "Float32"}), True),
        (pd.DataFrame(TABLE).convert_dtypes(dtype_backend="pyarrow"), True),
        (pl.DataFrame(TABLE), True),
        (pl.DataFrame(TABLE, schema_overrides={"item_id": pl.Categorical, "user_id": pl.UInt8}), True),
        (pl.DataFrame(TABLE).to_arrow(), True),
        (pd.DataFrame(TABLE).set_axis([0, 1, 2], axis=1), False),
        (np.array(ROWS, dtype=object), False),
        (ROWS, False),
        (tuple(map(tuple, ROWS)), False),
    ],
)
def test_columns_are_the_same_whatever_holds_them(X, named):
    rows = as_rows(X)
    assert rows.names == (tuple(TABLE) if named else None)
    assert (rows.n_rows, rows.n_columns, len(rows)) == (3, 3, 3)
    for position, expected in enumerate(TABLE.values()):
        column = rows.column(position)
        assert column.tolist() == expected
        assert column.dtype == np.asarray(expected, dtype=object if position == 1 else None).dtype


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.int8, np.int64),
        (np.uint32, np.int64),
        (np.uint64, np.uint64),
        (np.float32, np.float64),
        (np.float16, np.float64),
        (np.bool_, np.bool_),
        ("U3", np.object_),
        ("S3", np.object_),
    ],
)
def test_columns_have_one_of_a_few_types(dtype, expected):
    column = as_rows(np.array([[0, 1], [1, 0]]).astype(dtype)).column(1)
    assert column.dtype == expected
    assert column.ndim == 1


def test_object_arrays_of_numbers_become_numbers_only_if_exact():
    X = np.array([[1, 10**18 + 1, 2**63, 2**70, True, 1], [2.5, 0.5, 1, 1, False, "x"]], dtype=object)
    dtypes = [as_rows(X).column(position).dtype for position in range(6)]
    assert dtypes == [np.float64, object, np.uint64, object, np.bool_, object]
    assert as_rows(X).column(1).tolist() == [10**18 + 1, 0.5]


def test_missing_values_stay_missing():
    frame = pd.DataFrame(
        {
            "string": pd.Series(["a", None], dtype="string"),
            "integer": pd.Series([1, None], dtype="Int64"),
            "boolean": pd.Series([True, None], dtype="boolean"),
            "category": pd.Series(["a", None], dtype="category"),
            "date": pd.to_datetime(["2020-01-01", None]),
            "object": pd.Series([1, None], dtype=object),
        }
    )
    rows = as_rows(frame)
    for position in range(rows.n_columns):
        assert pd.isna(rows.column(position)).tolist() == [False, True]
    assert rows.column(1).dtype == np.float64
    polars = as_rows(pl.DataFrame({"a": [1, None], "b": ["x", None], "c": [True, None]}))
    assert all(pd.isna(polars.column(position)).tolist() == [False, True] for position in range(3))


def test_a_frame_of_mixed_types_is_not_copied_whole():
    frame = pd.DataFrame({"user_id": np.arange(4), "text": list("abcd")})
    assert np.shares_memory(as_rows(frame).column(0), frame["user_id"].to_numpy())
    array = np.arange(6.0).reshape(3, 2)
    assert np.shares_memory(as_rows(array).column(1), array)


def test_the_table_and_its_columns_are_there_as_they_came():
    frame = pd.DataFrame(TABLE).astype({"item_id": "category"})
    assert as_rows(frame).table is frame
    assert as_rows(frame).raw(1).dtype == "category"
    assert as_rows(pl.DataFrame(TABLE)).raw(1).dtype == pl.String
    assert as_rows(np.ones((2, 2), dtype=np.float32)).raw(1).dtype == np.float32


def test_there_is_no_column_beyond_the_last_nor_a_negative_one():
    rows = as_rows([[1, 2]])
    for position in (2, -1):
        with pytest.raises(IndexError, match=rf"no column {position}: the table has the columns 0 to 1"):
            rows.column(position)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (sparse.csr_array(np.eye(2)), TypeError, r"Sparse data was passed for X.*events_from_matrix.*toarray"),
        (np.arange(3), ValueError, r"(?s)Expected 2D array, got 1D array instead.*Reshape your data"),
        ([1, 2, 3], ValueError, r"(?s)Expected 2D array, got 1D array instead.*Reshape your data"),
        (["ab", "cd"], ValueError, r"Expected 2D array, got 1D array instead"),
        (np.array(3.0), ValueError, r"Expected 2D array, got scalar array instead"),
        (np.zeros((2, 2, 2)), ValueError, r"Found array with dim 3, while dim <= 2 is required"),
        ([[[1, 2]], [[3, 4]]], ValueError, r"Found array with dim 3"),
        (np.ones((2, 2)) * 1j, ValueError, r"Complex data not supported"),
        (pd.DataFrame({"a": [1j]}), ValueError, r"Complex data not supported"),
        ([[1j, 2]], ValueError, r"Complex data not supported"),
        (pd.Series([1, 2]), ValueError, r"2-dimensional container but got .*Series.*Pass a DataFrame"),
        (pl.Series([1, 2]), ValueError, r"2-dimensional container but got .*Series.*Pass a DataFrame"),
        (pl.LazyFrame({"a": [1]}), TypeError, r"LazyFrame.*pass X.collect\(\)"),
        ({"user_id": [1]}, TypeError, r"got dict instead.*pandas.DataFrame\(X\)"),
        ("user_id", TypeError, r"got str instead"),
        ([{"user_id": 1}], TypeError, r"list of dicts: pass pandas.DataFrame\(X\)"),
        ([[1, 2], [3]], ValueError, r"differ in length: row 0 has 2 values and row 1 1"),
        (np.empty((0, 3)), ValueError, r"Found array with 0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1"),
        (pd.DataFrame({"a": []}), ValueError, r"Found array with 0 sample\(s\)"),
        (np.empty((3, 0)), ValueError, r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required."),
    ],
)
def test_what_is_not_a_table_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        as_rows(X)


def test_too_few_columns_are_refused():
    with pytest.raises(ValueError, match=r"1 feature\(s\) \(shape=\(2, 1\)\) while a minimum of 2 is required."):
        as_rows([[1], [2]], min_columns=2)


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame([[1, 2, 3]], columns=["user_id", "item_id", "user_id"])
    with pytest.raises(ColumnError, match=r"queries has more than one column named 'user_id'.*Rename or drop"):
        as_rows(frame, name="queries")


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["1970-01-01 00:00:01", "1970-01-02 00:00:00"]),
        pd.to_datetime(["1970-01-01 00:00:01", "1970-01-02 00:00:00"]).as_unit("s"),
        pd.to_datetime(["1970-01-01 01:00:01", "1970-01-02 01:00:00"]).tz_localize("Etc/GMT-1"),
        pd.array([dt.datetime(1970, 1, 1, 0, 0, 1), dt.datetime(1970, 1, 2)], dtype=object),  # noqa: DTZ001
    ],
)
def test_times_are_nanoseconds(values):
    assert as_rows(pd.DataFrame({"timestamp": values})).times(0).tolist() == [10**9, 86_400 * 10**9]


FAR = ["2020-01-01", "2021-01-01", "9999-12-31"]
ZONED = pd.to_datetime(FAR).as_unit("us").tz_localize("Asia/Tokyo")


@pytest.mark.parametrize(
    "frame",
    [
        *(pd.DataFrame({"t": pd.to_datetime(FAR).as_unit(unit)}) for unit in ("s", "ms", "us")),
        pd.DataFrame({"t": ZONED}),
        pd.DataFrame({"t": [dt.date.fromisoformat(day) for day in FAR]}),
        pd.DataFrame({"t": [dt.datetime.fromisoformat(day) for day in FAR]}, dtype=object),
        pd.DataFrame({"t": pd.Series(pd.to_datetime(FAR).as_unit("us")).astype("timestamp[us][pyarrow]")}),
        pl.DataFrame({"t": [dt.datetime.fromisoformat(day) for day in FAR]}),
        pl.DataFrame({"t": [dt.date.fromisoformat(day) for day in FAR]}),
    ],
    ids=["s", "ms", "us", "zone", "date", "datetime", "pyarrow", "polars", "polars date"],
)
def test_a_date_that_nanoseconds_do_not_hold_keeps_its_place(frame):
    times = as_rows(frame).times(0)
    assert times.argsort().tolist() == [0, 1, 2]
    assert times[1] - times[0] == 366 * 86_400 * 10**9 or "zone" in str(frame.dtypes)


def test_a_nanosecond_tells_times_apart_beside_such_a_date_too():
    values = [pd.Timestamp("2020-01-01 00:00:00.000000001"), pd.Timestamp("9999-12-31"), pd.Timestamp("2020-01-01")]
    assert as_rows([[value] for value in values]).times(0).argsort().tolist() == [2, 0, 1]


@pytest.mark.parametrize("year", ["12000", "-0300"])
def test_dates_beyond_the_calendar_are_refused(year):
    rows = as_rows(np.array([["2020-01-01"], [f"{year}-01-01"]], "datetime64[s]"))
    with pytest.raises(ValueError, match=r"The time column 0 holds .*in row 1, beyond the years 1 to 9999. Correct"):
        rows.times(0)


def test_times_may_be_numbers_and_dates():
    assert as_rows([[3], [1]]).times(0).tolist() == [3, 1]
    assert as_rows([[3.5], [1]]).times(0).tolist() == [3.5, 1]
    dates = pl.DataFrame({"d": [dt.date(1970, 1, 2), dt.date(1970, 1, 1)]})
    assert as_rows(dates).times(0).tolist() == [86_400 * 10**9, 0]
    assert as_rows([[dt.date(1970, 1, 2)]]).times(0).tolist() == [86_400 * 10**9]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan], r"contains NaN or infinity: the time column 'timestamp' has none in row 1"),
        ([np.inf, 1.0], r"row 0"),
        (pd.to_datetime(["2020-01-01", None]), r"row 1"),
        (pd.to_datetime([None, "2020-01-01"]).tz_localize("UTC"), r"row 0"),
        (
            ["2020-01-01", "yesterday"],
            r"'timestamp' holds neither numbers nor dates, for instance '2020-01-01' in row 0.*to_dat",
        ),
        (np.array([5, None, 7], dtype=object), r"'timestamp' has none in row 1"),
        (np.array([5, 6, pd.NaT], dtype=object), r"'timestamp' has none in row 2"),
        ([pd.Timestamp("2020-01-01"), None], r"'timestamp' has none in row 1"),
        ([5, "noon", 7], r"for instance 'noon' in row 1\. Convert"),
        ([pd.Timestamp("2020-01-01"), 7], r"for instance 7 in row 1\. Convert"),
    ],
)
def test_times_without_order_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        as_rows(pd.DataFrame({"timestamp": values})).times(0)
