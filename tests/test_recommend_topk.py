"""top_k is a stable sort, cut at k."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrec._recommend import top_k


def check(scores, k):
    columns, values = top_k(scores.copy(), k)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(columns, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(scores, expected, axis=1))


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 5),
    columns=st.integers(1, 900),
    k=st.integers(1, 40),
    levels=st.sampled_from([2, 5, 50, 10**6]),
    excluded=st.sampled_from([0.0, 0.3, 0.99, 1.0]),
)
def test_it_is_a_stable_sort_whatever_the_ties_and_the_excluded(seed, rows, columns, k, levels, excluded):
    random = np.random.default_rng(seed)
    scores = random.integers(0, levels, (rows, columns)).astype(np.float32)
    scores[random.random(scores.shape) < excluded] = -np.inf
    check(scores, min(k, columns))


@pytest.mark.parametrize("columns", [127, 128, 129, 160, 161, 1024, 1055])
@pytest.mark.parametrize("k", [1, 2, 8])
def test_it_is_exact_around_whole_groups_of_columns(columns, k):
    random = np.random.default_rng(columns)
    check(random.standard_normal((20, columns)).astype(np.float32), k)
    check(np.zeros((3, columns), np.float32), k)
    check(-np.sort(random.standard_normal((3, columns)), axis=1), k)


def test_no_rows_and_all_columns():
    columns, values = top_k(np.empty((0, 500), np.float32), 3)
    assert columns.shape == values.shape == (0, 3)
    check(np.random.default_rng(0).standard_normal((4, 9)), 9)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("levels", [1, 2, 4])
def test_it_is_exact_where_most_of_many_columns_are_equal(rows, levels):
    random = np.random.default_rng(levels)
    check(random.integers(0, levels, (rows, 20_000)).astype(np.float32), 10)
    few = np.full((rows, 20_000), -np.inf, np.float32)
    few[:, 19_990:19_995] = 1
    check(few, 10)
