import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrec._data import Fields, as_rows
from skrec.exceptions import ColumnError

ARRAYS = [[1.0, 2.0], None, [3.0, 4.0]]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([np.array([1.0, 2.0]), None, np.array([3.0, 4.0])]),
        pd.Series([np.array([1, 2]), np.nan, np.array([3.0, 4.0], dtype=np.float16)], dtype=object),
        pd.Series(ARRAYS, dtype=pd.ArrowDtype(pa.list_(pa.float64(), 2))),
        pl.Series(ARRAYS, dtype=pl.Array(pl.Float32, 2)),
    ],
)
def test_arrays_of_one_width_are_put_side_by_side(column):
    X = pl.DataFrame({"a": column}) if isinstance(column, pl.Series) else pd.DataFrame({"a": column})
    both = X.hstack([column.alias("b")]) if isinstance(X, pl.DataFrame) else X.assign(b=column)
    fields, encoded = Fields.fit(as_rows(both), [0, 1])
    assert fields.layout.arrays == (("a", 2), ("b", 2))
    assert fields.layout.flags == ("a_missing", "b_missing")
    np.testing.assert_allclose(encoded.arrays * np.sqrt(2), [[-1, -1, -1, -1], [0, 0, 0, 0], [1, 1, 1, 1]], rtol=1e-6)
    assert encoded.numbers.tolist() == [[0, 0], [1, 1], [0, 0]]
    lists = pd.DataFrame({"a": pd.Series(ARRAYS), "b": pd.Series([None, (5, 6), [np.nan, 7]])})
    encoded = fields.encode(as_rows(lists))
    np.testing.assert_allclose(encoded.arrays * np.sqrt(2), [[-1, -1, 0, 0], [0, 0, 3, 3], [1, 1, 0, 4]], rtol=1e-6)
    assert encoded.numbers.tolist() == [[0, 1], [1, 0], [0, 0]]
    nothing = pd.DataFrame({"a": [None], "b": [np.nan]})
    assert fields.encode(as_rows(nothing)).arrays.tolist() == [[0, 0, 0, 0]]


def test_huge_numbers_in_arrays_stay_finite():
    _, encoded = Fields.fit(as_rows(pd.DataFrame({"a": [np.array([1e300, -1e300, np.nan])]})), [0])
    assert np.isfinite(encoded.arrays).all()


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ([1, 2, 3], r"3 of them"),
        (np.zeros((2, 2)), r"array\(\[\[0"),
        (2.0, r"2.0 \(float\)"),
        ("ab", r"'ab' \(str\)"),
        (["a", "b"], r"\['a', 'b'\] \(list\)"),
    ],
)
def test_arrays_of_another_width_are_refused(cell, found):
    fields, _ = Fields.fit(as_rows(pd.DataFrame({"a": [np.zeros(2)]})), [0])
    other = pd.DataFrame({"a": pd.Series([None, (1, 2), cell], dtype=object)})
    for method in (fields.encode, fields.extend):
        with pytest.raises(
            ColumnError, match=rf"(?s)'a' holds arrays of 2 numbers, but row 2 has {found}.*Give every row an"
        ):
            method(as_rows(other))


def test_arrays_of_another_width_are_refused_in_polars_too():
    fields, _ = Fields.fit(as_rows(pd.DataFrame({"a": [np.zeros(2)]})), [0])
    other = pl.DataFrame({"a": pl.Series([[1.0, 2.0, 3.0]], dtype=pl.Array(pl.Float64, 3))})
    with pytest.raises(ColumnError, match=r"Column 'a' holds arrays of 2 numbers, but row 0 has 3 of them"):
        fields.encode(as_rows(other))


VECTORS = [[0.5, 1.0, -2.0], None, [0.25, 3.0, 4.0]]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(VECTORS),
        pd.Series([None if v is None else tuple(v) for v in VECTORS]),
        pd.Series(VECTORS, dtype=pd.ArrowDtype(pa.list_(pa.float64()))),
        pl.Series(VECTORS),
        pl.Series(VECTORS, dtype=pl.List(pl.Float32)),
    ],
    ids=["lists", "tuples", "arrow", "polars", "polars 32"],
)
def test_lists_of_fractions_of_one_length_are_arrays(column):
    frame = pl.DataFrame({"a": column}) if isinstance(column, pl.Series) else pd.DataFrame({"a": column})
    fields, encoded = Fields.fit(as_rows(frame), [0])
    assert fields.layout.arrays == (("a", 3),)
    np.testing.assert_allclose(encoded.arrays * np.sqrt(3), [[1, -1, -1], [0, 0, 0], [-1, 1, 1]], rtol=1e-6)
    bags, _ = Fields.fit(as_rows(frame), [0], multivalued=["a"])
    assert bags.layout.multivalued == ("a",)


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        [[1, 2], [3, 4]],
        [[0.5], [1.5]],
        [["0.5", "1.5"], ["2.5", "3.5"]],
        [{0.5, 1.5}, {2.5, 3.5}],
        [[True, False], [False, True]],
        [[], []],
        [[0.5, "a"], [1.5, "b"]],
    ],
)
def test_other_lists_are_bags(values):
    assert Fields.fit(as_rows(pd.DataFrame({"a": values})), [0])[0].layout.multivalued == ("a",)


def test_a_vector_of_another_length_is_told_of():
    frame = pd.DataFrame({"v": [None, [0.5, 1.0], [0.5, 2.0], [0.25]]})
    message = r"Column 'v' holds lists of fractional numbers, but row 3 has 1 numbers and most have 2.*=\['v'\]"
    for X in (frame, pl.from_pandas(frame)):
        with pytest.warns(UserWarning, match=message):
            Fields.fit(as_rows(X), [0])
        Fields.fit(as_rows(X), [0], multivalued=["v"])  # said to be categories
