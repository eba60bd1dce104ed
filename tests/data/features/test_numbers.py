import datetime as dt
import decimal
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skrec._data import Fields, as_rows, bin_edges
from skrec._data.features.numbers import as_numbers
from skrec._data.tables.columns import as_column
from skrec.exceptions import ColumnError


def fit(values, **params):
    fields, encoded = Fields.fit(as_rows(pd.DataFrame({"a": values})), [0], categorical=[], **params)
    return fields, encoded.numbers


# --------------------------------------------------------------------------------------------------------- conversion


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1, 2]),
        ([True, False], [1, 0]),
        (pd.array([True, None], dtype="boolean"), [1, np.nan]),
        (pd.array([1, None], dtype="Int8"), [1, np.nan]),
        (pd.array([1.5, None], dtype="float64[pyarrow]"), [1.5, np.nan]),
        (["12.5", " 3 ", None, 1, np.int8(2), True], [12.5, 3, np.nan, 1, 2, 1]),
        (["nan", pd.NA], [np.nan, np.nan]),
        (pd.Categorical(["1", "2", None]), [1, 2, np.nan]),
        ([decimal.Decimal("1.5"), None], [1.5, np.nan]),
        ([2**70, 1], [2.0**70, 1]),
        (np.array([2**63 + 2048], dtype=np.uint64), [2.0**63 + 2048]),
        (pd.to_datetime(["1970-01-02", None]), [86_400, np.nan]),
        (pd.to_datetime(["1970-01-01 00:00:01.5"]).as_unit("ms"), [1.5]),
        (pd.to_datetime(["1970-01-01 01:00:01", None]).tz_localize("Etc/GMT-1"), [1, np.nan]),
        (np.array(["3000-01-01"], dtype="datetime64[D]"), [32_503_680_000]),
        ([dt.date(1970, 1, 2), None], [86_400, np.nan]),
        (pd.to_timedelta(["1 day", None]), [86_400, np.nan]),
        ([dt.timedelta(seconds=2), None], [2, np.nan]),
        (pl.Series([dt.date(1970, 1, 2), None]), [86_400, np.nan]),
        (pl.Series([dt.datetime(1970, 1, 1, 0, 0, 2)]), [2]),  # noqa: DTZ001
        (pl.Series([dt.timedelta(seconds=2), None]), [2, np.nan]),
        (pl.Series(["1.5"]).cast(pl.Decimal(5, 2)), [1.5]),
        (pl.Series([True, None]), [1, np.nan]),
    ],
)
def test_numbers_and_times_are_numbers(values, expected):
    numbers = as_numbers(as_column(values), "'a'")
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, expected)


@pytest.mark.parametrize("value", ["x", "", "1,5", [1], {}, 10**400, dt.time(1)])
def test_the_first_value_that_is_no_number_is_named(value):
    column = as_column([1, None, value, "y"])
    with pytest.raises(ColumnError) as caught:
        as_numbers(column, "'a'")
    assert f"Column 'a' is one of numbers, but has {value!r} ({type(value).__name__}) in row 2." in str(caught.value)
    assert "categorical_features" in str(caught.value)


# ------------------------------------------------------------------------------------------------------ standardising


def test_means_and_scales_are_those_of_the_values_that_are_there():
    fields, numbers = fit([1.0, np.nan, 3.0, 8.0])
    assert fields.means.tolist() == [4.0]
    np.testing.assert_allclose(fields.scales, np.std([1, 3, 8]))
    np.testing.assert_allclose(
        numbers, np.array([[-3, 0], [0, 1], [-1, 0], [4, 0]]) / [np.std([1, 3, 8]), 1], rtol=1e-6
    )


@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, -1e300, 1e-300, 1.7e18])
def test_a_constant_column_is_zero(value):
    fields, numbers = fit([value] * 7)
    assert fields.scales.tolist() == [1.0]
    assert not numbers.any()
    assert np.isfinite(fields.encode(as_rows(pd.DataFrame({"a": [value * 1.5]}))).numbers).all()


def test_values_that_differ_by_rounding_alone_stay_small():
    for scale in (1.0, 1e200, 1e-200):
        _, numbers = fit(np.array([0.3, 0.1 + 0.2, 0.3, 0.3]) * scale)
        assert np.abs(numbers).max() <= 1.0


def test_a_column_without_any_value_is_zeros_and_a_flag():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fields, numbers = fit([np.nan, np.nan])
    assert fields.layout.flags == ("a_missing",)
    assert (fields.means.tolist(), fields.scales.tolist()) == ([0.0], [1.0])
    assert numbers.tolist() == [[0, 1], [0, 1]]
    assert fields.encode(as_rows(pd.DataFrame({"a": [5.0, None]}))).numbers.tolist() == [[5, 0], [0, 1]]


def test_weights_count_where_they_are_given():
    values, weights = np.array([1.0, 5.0, np.nan, 9.0]), [1, 2, 5, 0]
    fields, numbers = fit(values, sample_weight=weights)
    repeated, _ = fit([1.0, 5.0, 5.0])
    np.testing.assert_allclose([fields.means, fields.scales], [repeated.means, repeated.scales])
    assert numbers[3, 0] > 0
    without, numbers = fit([1.0, 2.0], sample_weight=[0, 0])
    assert (without.means.tolist(), numbers[:, 0].tolist()) == ([0.0], [1.0, 2.0])


@pytest.mark.parametrize("size", [1e308, 1e200, 1e-200, 1e-308])
def test_numbers_of_any_size_are_standardised(size):
    fields, numbers = fit(np.array([1.0, -1.0, 0.5, np.nan]) * size)
    _, expected = fit([1.0, -1.0, 0.5, np.nan])
    np.testing.assert_allclose(numbers, expected, rtol=1e-6)
    assert np.isfinite(fields.encode(as_rows(pd.DataFrame({"a": [1.7e308, -1.7e308]}))).numbers).all()


def test_outliers_stay_and_what_single_precision_cannot_hold_is_its_largest_number():
    fields, _ = fit([0.0, 1.0])
    numbers = fields.encode(as_rows(pd.DataFrame({"a": [1e30, 1e300, -1e300]}))).numbers[:, 0]
    largest = np.finfo(np.float32).max
    np.testing.assert_allclose(numbers, np.array([2e30, largest, -largest], dtype=np.float32))


def test_large_numbers_that_lie_close_keep_their_differences():
    _, numbers = fit(pd.to_datetime(["2024-01-01 00:00:00", "2024-01-01 00:00:02"]))
    assert numbers.ravel().tolist() == [-1, 1]


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, lambda X: X.astype(object), lambda X: X.astype(np.float32)])
def test_ten_thousand_columns(make):
    X = np.random.default_rng(0).normal(size=(30, 10_000)).astype(np.float32).astype(np.float64)
    X[3, ::7] = np.nan
    fields, encoded = Fields.fit(as_rows(make(X)), range(1, 10_000))
    assert encoded.numbers.shape == (30, fields.layout.n_numbers) == (30, 9_999 + 1_428)
    expected = np.nan_to_num((X[:, 1:] - np.nanmean(X[:, 1:], axis=0)) / np.nanstd(X[:, 1:], axis=0))
    np.testing.assert_allclose(encoded.numbers[:, :9_999], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(encoded.numbers[:, 9_999:], np.isnan(X[:, 7::7]))
    assert fields.layout.flags[:2] == ("x7_missing", "x14_missing")


def test_blocks_of_columns_do_not_show(monkeypatch):
    X = np.array([[1.0, np.nan, 3.0, 9.0, np.nan], [2.0, 5.0, 3.0, 1.0, 2.0], [4.0, 7.0, 5.0, np.nan, 1.0]])
    whole = Fields.fit(as_rows(X), range(5))[1].numbers
    for size in (1, 6):
        monkeypatch.setattr("skrec._data.features.numbers._BLOCK", size)
        np.testing.assert_array_equal(Fields.fit(as_rows(X), range(5))[1].numbers, whole)


# -------------------------------------------------------------------------------------------------------------- edges


def encode(x, edges):
    """Piecewise-linear encoding, bins of width zero being steps."""
    widths = np.diff(edges)
    inside = (x[:, None] - edges[:-1]) / np.where(widths > 0, widths, np.float32(1))
    return np.where(widths > 0, np.clip(inside, 0, 1), x[:, None] >= edges[:-1])


def test_edges_are_quantiles():
    numbers = np.random.default_rng(0).normal(size=(501, 3)).astype(np.float32)
    numbers[::5, 1] = np.nan
    numbers[:, 2] = np.nan
    edges = bin_edges(numbers, 8)
    assert edges.shape == (3, 9)
    assert edges.dtype == np.float32
    np.testing.assert_allclose(edges[:2], np.nanquantile(numbers[:, :2], np.linspace(0, 1, 9), axis=0).T, rtol=1e-5)
    assert not edges[2].any()
    assert np.isnan(numbers[::5, 1]).all()


def test_edges_that_coincide_are_kept_once_and_the_last_is_repeated():
    numbers = np.array([[0, 1, 7], [0, 2, 7], [0, 2, 7], [0, 2, 7], [1, 3, 7]], dtype=np.float32)
    assert bin_edges(numbers, 4).tolist() == [[0, 1, 1, 1, 1], [1, 2, 3, 3, 3], [7] * 5]
    assert bin_edges(numbers[:1], 1).tolist() == [[0, 0], [1, 1], [7, 7]]


def test_a_frequent_value_takes_no_edges_from_the_others():
    rare = np.arange(1.0, 101.0, dtype=np.float32)
    edges = bin_edges(np.concatenate([np.zeros(2000, np.float32), rare])[:, None], 10)[0]
    assert edges[0] == 0
    assert edges[-1] == 100
    assert np.diff(edges).max() < 100 / 8


def test_few_distinct_values_are_edges_however_rare():
    numbers = np.repeat(np.float32([0, 1, 2, 5]), [10_000, 1, 1, 1])[:, None]
    assert bin_edges(numbers, 4)[0].tolist() == [0, 1, 2, 5, 5]


@given(hnp.arrays(np.float32, st.integers(1, 30), elements=st.floats(-100, 100, width=32)), st.integers(1, 12))
def test_edges_never_fall_and_the_encoding_keeps_the_order(numbers, n_bins):
    edges = bin_edges(numbers[:, None], n_bins)[0]
    assert edges.shape == (n_bins + 1,)
    np.testing.assert_allclose([edges[0], edges[-1]], [numbers.min(), numbers.max()], rtol=0, atol=1e-30)
    unique = np.unique(edges)
    assert edges.tolist() == unique.tolist() + [unique[-1]] * (n_bins + 1 - len(unique))
    x = np.sort(numbers)
    encoded = encode(x, edges)
    assert np.isfinite(encoded).all()
    assert (np.diff(encoded, axis=0) >= -1e-6).all()
    assert (encoded[x == x[-1]] == 1).all()
    assert np.isfinite(1 / np.diff(unique)).all()


def test_missing_numbers_have_no_say_in_the_edges():
    frame = pd.DataFrame({"a": [1.0, None, 2.0, None, None, 3.0], "b": [0.0, 1, 2, 3, 4, 5]})
    fields, encoded = Fields.fit(as_rows(frame), [0, 1])
    before = encoded.numbers.copy()
    standardised = encoded.numbers[[0, 2, 5], 0]
    np.testing.assert_allclose(fields.bin_edges(encoded, 2)[0], standardised)
    np.testing.assert_allclose(fields.bin_edges(encoded, 5)[1], encoded.numbers[:, 1], rtol=1e-6)
    np.testing.assert_array_equal(encoded.numbers, before)
