from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from skrec._data import Fields, as_rows
from skrec._data.features.dependence import dependence, sampled_groups, value_codes
from skrec._data.features.sides import select_fields

CODES = {
    "sets": ([{0, 8}, {8, 0}, {8}, {0, 8, 9}], [0, 0, 1, 2]),
    "lists and tuples": ([["a"], ("a",), np.array(["a"]), ["a", "a"], ["b"]], [0, 0, 0, 0, 1]),
    "orders": ([["a", "b"], ["b", "a"], {"a", "b"}], [0, 0, 0]),
    "gaps": (["a", None, np.nan, pd.NA, pd.NaT, "a"], [0, -1, -1, -1, -1, 0]),
    "gaps in lists": ([["a", None], ["a"], ["a", np.nan], [None], [], None], [0, 0, 0, -1, -1, -1]),
    "equal numbers": ([1, 1.0, True, np.int64(1), Decimal(1), "1"], [0, 0, 0, 0, 0, 1]),
    "texts": (["a", np.str_("a"), "b"], [0, 0, 1]),
    "arrays": ([np.array([0.0, 1.5]), np.array([-0.0, 1.5]), np.array([0.0, 2.5])], [0, 0, 1]),
    "lists of numbers": ([[0.5, 1.0], (0.5, 1), None, [1.0, 0.5]], [0, 0, -1, 1]),
}


@pytest.mark.parametrize(("values", "expected"), CODES.values(), ids=CODES)
def test_values_are_equal_where_they_are_encoded_alike(values, expected):
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    fields, encoded = Fields.fit(as_rows(frame), [0])
    assert [(position, codes.tolist()) for position, codes in value_codes(fields, encoded)] == [(0, expected)]


def test_numbers_differ_by_as_little_as_the_encoder_tells_apart():
    frame = pd.DataFrame({"price": [0.3, 0.1 + 0.2, 0.31, np.nan], "when": pd.to_datetime(["2024-01-01"] * 3 + [None])})
    codes = dict(value_codes(*Fields.fit(as_rows(frame), [0, 1])))
    assert codes[0].tolist() == [0, 0, 1, -1]
    assert codes[1].tolist() == [0, 0, 0, -1]


def test_deviations_are_counted_in_groups_of_two_and_more():
    groups = np.array([1, 1, 1, 2, 2, 3])
    found = dependence(np.array([4, 4, 5, 6, -1, 9]), groups)
    assert (found.n_deviations, found.n_rows, found.first, found.usual) == (1, 3, 2, 0)
    assert dependence(np.array([4, 4, 4, 6, 6, 9]), groups).n_deviations == 0
    assert dependence(np.zeros(6, np.int64), groups).n_expected == 0  # a constant tells nothing
    alone = dependence(np.arange(6), np.arange(6))
    assert (alone.n_rows, alone.share) == (0, 1.0)


def test_a_value_that_is_mostly_missing_is_missing_on_purpose():
    groups = np.repeat(np.arange(100), 10)
    rare = np.where(np.arange(1000) % 10 == 0, groups, -1)
    assert dependence(rare, groups).n_deviations == 100
    frequent = np.where(np.arange(1000) % 10 < 3, -1, groups)
    assert dependence(frequent, groups).n_deviations == 0


def test_the_share_of_deviations_is_that_of_chance_where_groups_tell_nothing():
    draw = np.random.default_rng(0)
    groups, rare = draw.integers(0, 40, 4000), (draw.random(4000) < 0.01).astype(np.int64)
    assert dependence(rare, groups).share == pytest.approx(1, abs=0.2)
    assert dependence(draw.integers(0, 9, 4000), groups).share == pytest.approx(1, abs=0.05)


def test_of_many_rows_whole_groups_are_looked_at():
    groups = np.repeat(np.arange(1000), 1000)
    rows = sampled_groups(groups)
    assert 2**18 < len(rows) < 2**20
    assert set(np.bincount(groups[rows])) == {0, 1000}


def test_selected_fields_are_those_of_a_fit_of_their_own():
    frame = pd.DataFrame(
        {
            "city": ["Rome", None, "Bern", "Rome"],
            "tags": [["a"], ["b", "a"], None, ["c"]],
            "kind": ["x", "y", None, "x"],
            "age": [1.0, None, 2.0, 4.0],
            "size": [1.0, 2.0, 3.0, 5.0],
            "image": [np.array([1.0, 2.0]), None, np.array([3.0, 4.0]), np.array([5.0, 7.0])],
            "text": [np.array([1.0]), np.array([0.5]), np.array([3.0]), np.array([5.0])],
        }
    )
    rows = as_rows(frame)
    both, encoded = Fields.fit(rows, range(7))
    for positions in ([0, 2, 4], [1, 2, 3, 6], [5, 3], [], range(7)):
        fields, of_fields = select_fields(both, encoded, positions)
        alone, expected = Fields.fit(rows, sorted(positions))
        assert (fields.layout, fields.positions, fields.n_rows) == (alone.layout, alone.positions, alone.n_rows)
        for name in ("codes", "numbers", "arrays"):
            np.testing.assert_array_equal(getattr(of_fields, name), getattr(expected, name))
        np.testing.assert_array_equal(of_fields.bags, expected.bags)
        again = fields.encode(rows)
        np.testing.assert_array_equal(again.codes, expected.codes)
        np.testing.assert_array_equal(again.numbers, expected.numbers)
        assert fields.extend(as_rows(frame.assign(city="Oslo", kind="z")))[0].n_rows == (
            alone.extend(as_rows(frame.assign(city="Oslo", kind="z")))[0].n_rows
        )


def test_sentinels_are_gaps_and_stay_with_their_fields():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(50, 5, (300, 3)), columns=["a", "b", "c"]).round(2)
    frame.loc[frame.index % 10 == 0, ["b", "c"]] = -99_999.0
    frame.loc[3, "b"] = None
    rows = as_rows(frame)
    both, encoded = Fields.fit(rows, range(3))
    assert both.sentinels
    assert (dict(value_codes(both, encoded))[1] < 0).tolist() == [row % 10 == 0 or row == 3 for row in range(300)]
    for positions in ([0], [1], [2, 0], [1, 2]):
        fields, of_fields = select_fields(both, encoded, positions)
        alone, expected = Fields.fit(rows, sorted(positions))
        assert (fields.layout, fields.sentinels) == (alone.layout, alone.sentinels)
        np.testing.assert_allclose(fields.limits, alone.limits)
        np.testing.assert_allclose(of_fields.numbers, expected.numbers, atol=1e-6)
        np.testing.assert_allclose(fields.encode(rows).numbers, expected.numbers, atol=1e-6)
