"""Rows of one item whose features differ."""

import numpy as np
import pandas as pd
import pytest

from skrec._data import as_rows
from skrec._data.features.conflicts import refuse_conflicts


def refuse(cells, kept=(0, 0)):
    rows = as_rows(pd.DataFrame({"item_id": ["a"] * len(cells), "feature": pd.Series(cells)}))
    refuse_conflicts(rows, [1], np.array(kept), rows.column(0), argument="candidates", item="item_id")


SAME = [
    ["x", "x"],
    [None, np.nan],
    [1.5, 1.5],
    [np.nan, np.nan],
    [["x", "y"], ["y", "x"]],
    [(1.0, 2.0), (1.0, 2.0)],
    [np.array([1.0, np.nan]), np.array([1.0, np.nan])],
    [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01")],
]
OTHER = [
    ["x", "y"],
    ["x", None],
    [1.5, np.nan],
    [["x"], ["x", "x"]],
    [["x"], None],
    [[1.0, 2.0], [2.0, 1.0]],
    [np.array([1.0, 2.0]), np.array([1.0])],
    [pd.Timestamp("2020-01-01"), pd.NaT],
]


@pytest.mark.parametrize("cells", SAME, ids=str)
def test_equal_features(cells):
    refuse(cells)


@pytest.mark.parametrize("cells", OTHER, ids=str)
def test_other_features(cells):
    refuse(cells, kept=(0, 1))
    for order in (cells, cells[::-1]):
        with pytest.raises(ValueError, match=r"2 rows of item 'a' .* column 'feature': .* in row 0 and .* in row 1\."):
            refuse(order)
