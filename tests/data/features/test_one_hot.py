"""OneHot: tables and sparse matrices as one-hot rows, and back."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skrec._data import OneHot
from skrec._data.features.one_hot import object_cells
from skrec._data.features.sparse_rows import SparseRows
from skrec._data.tables.table import as_rows

TABLE = pd.DataFrame(
    {
        "age": [10.0, np.nan, 30.0],
        "city": ["Bern", None, "Rome"],
        "likes": [["war"], [], ["art", "war"]],
        "image": [[0.5, 1.0], [1.5, 2.0], None],
    }
)


def dense(one_hot, encoded):
    rows = np.zeros((len(encoded.numbers), len(one_hot.groups) + 1))
    for row, columns in enumerate(encoded.columns[:]):
        rows[row, columns[columns > 0]] = 1
    return rows[:, 1:]


def test_a_table_is_one_hot_in_groups():
    one_hot, encoded = OneHot.fit(as_rows(TABLE))
    assert one_hot.groups.tolist() == [0, 0, 0, 1, 1]  # Bern, Rome, missing; art, war
    np.testing.assert_array_equal(dense(one_hot, encoded), [[1, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0, 1, 0, 1, 1]])
    assert (one_hot.n_groups, one_hot.has_bag, encoded.values) == (1, True, None)
    assert one_hot.absent == ((0, 1), (1, 3))
    np.testing.assert_allclose(encoded.numbers[:, :3], [[-1, 0, 0], [0, 1, 0], [1, 0, 1]])


def test_perfect_reconstructions_are_the_table():
    one_hot, encoded = OneHot.fit(as_rows(TABLE))
    numbers = encoded.numbers.copy()
    numbers[:, 1:3] = np.where(numbers[:, 1:3], 5, -5)  # logits of the flags
    age, city, likes, image = one_hot.decode(numbers, dense(one_hot, encoded).astype(np.float32))
    np.testing.assert_allclose(age, TABLE["age"])
    assert city.tolist() == ["Bern", None, "Rome"]
    assert likes.tolist() == [{"war": 1.0, "art": 0.0}, {"art": 0.0, "war": 0.0}, {"art": 1.0, "war": 1.0}]
    np.testing.assert_allclose(np.stack(image[:2].tolist()), np.stack(TABLE["image"][:2]))
    assert image[2] is None
    assert object_cells([age, city]).dtype == object
    np.testing.assert_array_equal(object_cells([age, age]), np.column_stack([age, age]))


def test_unknown_values_have_no_column():
    one_hot, _ = OneHot.fit(as_rows(TABLE))
    encoded = one_hot.encode(as_rows(TABLE.assign(city="Oslo", likes=[["new"], ["new", "war"], None])))
    np.testing.assert_array_equal(dense(one_hot, encoded), [[0] * 5, [0, 0, 0, 0, 1], [0] * 5])


@pytest.mark.parametrize("negative", [False, True])
def test_columns_of_a_sparse_matrix_are_one_hot_or_numbers(negative):
    X = np.zeros((6, 5))
    X[:, 0] = 1  # one value besides 0
    X[:5, 1] = [2, 4, 6, 8, 10]  # several, and in most rows: numbers
    X[0, 3], X[1, 3] = 4, -2 if negative else 2
    one_hot, encoded = OneHot.fit(SparseRows(sparse.csr_array(X)))
    assert (one_hot.fields.positions, one_hot.bag_columns.tolist()) == ((1,), [0, 3])
    assert one_hot.bag_has_negative is negative
    assert (one_hot.bag_scales.tolist(), one_hot.n_groups) == ([1, 4], 0)
    back = one_hot.decode_sparse(encoded.numbers, (X / [1, 1, 1, 4, 1])[:, [0, 3]], n_columns=5, scaled=True)
    np.testing.assert_allclose(back, X, atol=1e-6)
