"""Cells that are the same object are read once, with the result of reading each."""

import numpy as np
import pytest

from skrec._data.features import shared_cells as module
from skrec._data.features.item_columns import _tuples
from skrec._data.features.multivalued import split
from skrec._data.features.shared_cells import shared_cells
from skrec._data.features.vectors import width_of

CELLS = [["a", "b"], None, [], ["b"], "c|a", ["b", None, "b"], {"d"}]


def column(cells, n=3000, seed=0):
    """A column with each cell many times, as after a merge."""
    result = np.empty(len(cells), object)
    result[:] = cells
    return result[np.random.default_rng(seed).integers(0, len(cells), n)]


def test_distinct_objects_and_the_object_of_each_cell():
    cells = column([[1], [1], None])  # two equal lists are two objects
    distinct, index = shared_cells(cells)
    assert len(distinct) == 3
    assert all(distinct[at] is cell for at, cell in zip(index, cells, strict=True))
    assert shared_cells(column([[number] for number in range(2000)])) is None
    assert shared_cells(cells[:100]) is None
    assert shared_cells(np.arange(5000)) is None


def test_lists_are_those_of_reading_each_cell(monkeypatch):
    cells = column(CELLS)
    shared, tuples = split(cells, name="x", separator="|"), _tuples(cells, "x", "|")
    monkeypatch.setattr(module, "_FEW", len(cells) + 1)
    each = split(cells, name="x", separator="|")
    np.testing.assert_array_equal(shared.rows, each.rows)
    values, expected = (lists.factors.distinct[lists.factors.positions].tolist() for lists in (shared, each))
    assert values == expected
    np.testing.assert_array_equal(shared.counts[1:].sum(), each.counts[1:].sum())
    assert tuples.tolist() == _tuples(cells, "x", "|").tolist()


def test_arrays_have_the_width_of_the_distinct_ones():
    assert width_of(column([np.zeros(3), None, np.ones(3)])) == 3
    assert width_of(column([np.zeros(3), np.ones(2)])) is None
    assert width_of(column([[0.5, 1.0], [2.0, 3.0]])) == 2


def test_errors_name_the_row_of_the_column():
    cells = column([["a"]])
    cells[1234:] = [["b", {}]] * (3000 - 1234)
    with pytest.raises(TypeError, match=r"a list with {} \(dict\) in row 1234"):
        split(cells, name="x", separator=None)
