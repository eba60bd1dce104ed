import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skrec._data import as_rows
from skrec._data.features.sparse_rows import SparseRows, dense_columns, largest_values, packed, refuse_options
from skrec.exceptions import ColumnError

DENSE = np.array([[0.0, 2.0, 0.0, -1.0], [0.0, 0.0, 0.0, 3.0], [0.0, 0.0, 0.0, 0.0], [0.0, -4.0, 0.0, 0.5]])


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_every_format_is_read_alike(form, kind):
    rows = SparseRows(getattr(sparse, f"{form}_{kind}")(DENSE))
    np.testing.assert_array_equal(rows.matrix.toarray(), DENSE)
    assert [rows.raw(at).tolist() for at in range(4)] == DENSE.T.tolist()
    assert (rows.n_rows, rows.n_columns, rows.names) == (4, 4, None)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64, np.float32])
def test_every_type_is_read_alike(dtype):
    whole = np.array([[0, 1], [1, 0]]).astype(dtype)
    np.testing.assert_array_equal(SparseRows(sparse.csr_array(whole)).matrix.toarray(), [[0, 1], [1, 0]])


def test_duplicates_are_added_and_explicit_zeros_are_none():
    X = sparse.coo_array(([2.0, 3.0, 0.0, 1.0, -1.0], ([0, 0, 0, 1, 1], [1, 1, 0, 2, 2])), shape=(2, 3))
    rows = SparseRows(X)
    assert rows.matrix.nnz == 1
    assert rows.matrix.toarray().tolist() == [[0, 5, 0], [0, 0, 0]]
    csr = sparse.csr_array(([0.0, 1.0, 2.0], [0, 1, 1], [0, 3]), shape=(1, 2))
    assert SparseRows(csr).matrix.toarray().tolist() == [[0, 3]]
    assert csr.nnz == 3  # the caller's matrix is as it was


@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_values_that_are_no_numbers_are_refused_with_their_place(value, what):
    X = sparse.csr_array(np.where(np.arange(12).reshape(4, 3) == 7, value, np.eye(4, 3)))
    with pytest.raises(ValueError, match=f"Input X contains {what}: the sparse matrix has it in row 2, column 1"):
        SparseRows(X)


def test_matrices_that_are_no_tables_are_refused():
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        SparseRows(sparse.csr_array((0, 3)))
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        SparseRows(sparse.csr_array((3, 0)))
    with pytest.raises(ValueError, match="Complex data not supported"):
        SparseRows(sparse.csr_array(np.eye(2) * 1j))
    with pytest.raises(ColumnError, match="categorical_features=.*cannot be used with a sparse X"):
        refuse_options(user=None, categorical_features=[0])


def test_rows_are_packed_with_scaled_values():
    rows = SparseRows(sparse.csr_array(DENSE))
    columns, largest = largest_values(rows, {3})
    assert (columns.tolist(), largest.tolist()) == ([1], [4.0])
    columns, largest = largest_values(rows, set())
    places, bits = packed(rows, columns, largest)
    assert places.shape == (4, 8)
    assert places[:][:, -2:].tolist() == [[1, 2], [-1, 2], [-1, -1], [1, 2]]
    values = np.where(places[:] >= 0, bits[:].view(np.float32), 0)
    np.testing.assert_allclose(values[:, -2:], [[0.5, -1 / 3], [0, 1], [0, 0], [-1, 0.5 / 3]], rtol=1e-6)
    unknown, _ = packed(rows, columns[1:], largest[1:])
    assert unknown.lengths.tolist() == [1, 1, 0, 1]


def test_columns_with_many_values_are_numbers():
    rows = SparseRows(sparse.csr_array(DENSE))
    assert dense_columns(rows, set()) == [3]
    assert dense_columns(rows, {3}) == []
    assert SparseRows.of_dense(as_rows(pd.DataFrame(DENSE))).matrix.nnz == 5
