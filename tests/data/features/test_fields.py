import json
import pickle
from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrec._data import Encoded, Fields, Layout, as_rows
from skrec.exceptions import ColumnError

FRAME = pd.DataFrame(
    {
        "user_id": [7, 8, 7, 9],
        "city": ["Rome", "Bern", None, "Rome"],
        "genres": ["War|Drama", "War", None, "War|War"],
        "age": [20.0, None, 40.0, 30.0],
        "size": [1, 2, 3, 4],
        "image": [np.array([1.0, 2.0]), None, np.array([3.0, 4.0]), np.array([5.0, 6.0])],
    }
)
FEATURES = range(1, 6)


def fit(X, positions=None, **params):
    rows = as_rows(X)
    return Fields.fit(rows, range(rows.n_columns) if positions is None else positions, **params)


def fitted(**params):
    return fit(FRAME, FEATURES, multivalued=["genres"], **params)


def assert_same(one: Encoded, other: Encoded):
    np.testing.assert_array_equal(one.codes, other.codes)
    np.testing.assert_array_equal(one.numbers, other.numbers)
    np.testing.assert_array_equal(one.arrays, other.arrays)
    assert len(one.bags) == len(other.bags)
    for bag, other_bag in zip(one.bags, other.bags, strict=True):
        np.testing.assert_array_equal(bag, other_bag)


# -------------------------------------------------------------------------------------------------- known right answers


def test_every_kind_of_field_is_encoded():
    fields, encoded = fitted()
    assert fields.layout == Layout(
        categorical=("city",),
        multivalued=("genres",),
        numeric=("age", "size"),
        flags=("age_missing", "image_missing"),
        arrays=(("image", 2),),
    )
    assert fields.names == ("city", "genres", "age", "size", "image")
    assert fields.positions == (1, 2, 3, 4, 5)
    # city: unknown 0, Bern 1, Rome 2, missing 3; genres: unknown 4, Drama 5, War 6
    assert encoded.codes.tolist() == [[2], [1], [3], [2]]
    assert [bag.tolist() for bag in encoded.bags] == [[[5, 6], [6, -1], [4, -1], [6, -1]]]
    age, size = np.sqrt(200 / 3), np.sqrt(1.25)
    expected = [
        [-10 / age, -1.5 / size, 0, 0],
        [0, -0.5 / size, 1, 1],
        [10 / age, 0.5 / size, 0, 0],
        [0, 1.5 / size, 0, 0],
    ]
    np.testing.assert_allclose(encoded.numbers, expected, rtol=1e-6)
    step = np.sqrt(1.5 / 2)  # a width of 2
    np.testing.assert_allclose(encoded.arrays, [[-step, -step], [0, 0], [0, 0], [step, step]], rtol=1e-6)
    assert len(encoded) == 4
    dtypes = [part.dtype for part in (encoded.codes, *encoded.bags, encoded.numbers, encoded.arrays)]
    assert dtypes == [np.int32, np.int32, np.float32, np.float32]


def test_the_rows_of_one_table_are_numbered_field_after_field():
    fields, _ = fitted()
    assert fields.n_rows == 7
    assert fields.rows_of("city").tolist() == [0, 1, 2]
    assert fields.rows_of("genres").tolist() == [4, 5, 6]
    assert fields.unknown.tolist() == [0]
    assert fields.missing.tolist() == [3]
    assert fields.bag_unknown.tolist() == [4]
    assert {name: v.ids.tolist() for name, v in fields.vocabularies.items()} == {
        "city": ["Bern", "Rome"],
        "genres": ["Drama", "War"],
    }
    assert fields.means.tolist() == [30.0, 2.5, 3, 4]
    np.testing.assert_allclose(fields.scales, np.sqrt([200 / 3, 1.25, 16 / 3, 16 / 3]))


def test_unknown_and_missing_values_at_encode():
    fields, _ = fitted()
    encoded = fields.encode(
        as_rows(
            FRAME.assign(
                city=["Oslo", None, "Bern", "rome"],
                genres=["Noir|War", "Noir", "", None],
                age=[None, 30, 60, -1e9],
                size=[None, 2.5, None, 2.5],
            )
        )
    )
    assert encoded.codes.ravel().tolist() == [0, 3, 1, 0]
    assert encoded.bags[0].tolist() == [[6], [4], [4], [4]]
    assert encoded.numbers[:, 1].tolist() == [0, 0, 0, 0]  # fit saw no missing size, so it has no flag
    assert encoded.numbers[:, 2].tolist() == [1, 0, 0, 0]
    assert encoded.numbers[3, 0] < -1e8  # outliers stay


def test_encode_repeats_what_fit_returned_and_rows_can_be_taken():
    fields, encoded = fitted()
    assert_same(fields.encode(as_rows(FRAME)), encoded)
    part = encoded.take([3, 0])
    assert_same(
        part, Encoded(encoded.codes[[3, 0]], [encoded.bags[0][[3, 0]]], encoded.numbers[[3, 0]], encoded.arrays[[3, 0]])
    )
    assert_same(encoded.take(slice(1, 3)), encoded.take(np.array([False, True, True, False])))
    # A row does not depend on the other rows of the call, the width of the bags aside.
    alone = [fields.encode(as_rows(FRAME.iloc[[row]])) for row in range(4)]
    assert [one.codes[0].tolist() for one in alone] == encoded.codes.tolist()
    assert [one.bags[0][0].tolist() for one in alone] == [[5, 6], [6], [4], [6]]
    np.testing.assert_array_equal(np.concatenate([one.numbers for one in alone]), encoded.numbers)


def test_polars_and_lists_give_what_pandas_gives():
    pandas = FRAME[["city", "genres", "age", "size"]]
    fields, encoded = fit(pandas, multivalued=["genres"])
    for other in (pl.from_pandas(pandas), pandas.convert_dtypes(), pandas.astype({"city": "category"})):
        same, same_encoded = fit(other, multivalued=["genres"])
        assert same.layout == fields.layout
        assert_same(same_encoded, encoded)
        assert_same(fields.encode(as_rows(other)), encoded)
    for other in (pandas.to_numpy(dtype=object), pandas.to_numpy(dtype=object).tolist()):
        unnamed, unnamed_encoded = fit(other, multivalued=[1])
        assert unnamed.names == ("x0", "x1", "x2", "x3")
        assert unnamed.layout.flags == ("x2_missing",)
        assert_same(unnamed_encoded, encoded)


def test_no_field_at_all():
    fields, encoded = fit(FRAME, [])
    assert fields.layout == Layout()
    assert (fields.n_rows, fields.names, fields.vocabularies) == (0, (), {})
    assert encoded.codes.shape == encoded.numbers.shape == encoded.arrays.shape == (4, 0)
    assert encoded.bags == []
    assert len(fields.encode(as_rows(FRAME[:1]))) == 1
    assert fields.bin_edges(encoded, 4).shape == (0, 5)
    assert Fields.from_state(fields.to_state()).layout == Layout()


def test_the_layout_tells_of_kinds_and_widths_alone():
    one, other = (
        fitted()[0].layout,
        fit(FRAME.assign(city="Oslo", size=[5, 5, 5, 6]), FEATURES, multivalued=["genres"])[0].layout,
    )
    assert one == other
    assert hash(one) == hash(other)
    assert one.n_numbers == 4
    assert one != fit(FRAME.assign(age=1.0), FEATURES, multivalued=["genres"])[0].layout


# ----------------------------------------------------------------------------------------------------------- categories


def test_rare_values_are_unknown_and_so_is_a_rare_missing_value():
    frame = pd.DataFrame(
        {"city": ["a", "b", "a", None, "c", "c", "b", "b"], "tags": ["x x y", "x", "z", "y z", "", "w w", "", ""]}
    )
    fields, encoded = fit(frame, multivalued=["tags"], separator=" ", min_frequency=2)
    assert fields.rows_of("city").tolist() == [0, 1, 2, 3]
    assert fields.missing.tolist() == fields.unknown.tolist() == [0]
    assert encoded.codes.ravel().tolist() == [1, 2, 1, 0, 3, 3, 2, 2]
    # w is twice in one row, which counts once
    assert fields.vocabularies["tags"].ids.tolist() == ["x", "y", "z"]
    assert encoded.bags[0].tolist() == [[5, 6], [5, -1], [7, -1], [6, 7], *([[4, -1]] * 4)]
    assert fit(frame.iloc[[0, 3, 3]], [0], min_frequency=2)[1].codes.ravel().tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("fitted_on", "encoded"),
    [
        ([1, 2, 1], [1.0, 3.0, np.nan]),
        ([1.0, 2.0, np.nan], pd.array([1, 3, None], dtype="Int64")),
        (pd.array([True, False, None], dtype="boolean"), [1, 2, None]),
        (pd.Categorical([1, 2, 1]), [1.0, 5.0, None]),
        (pd.Series(["a", "b", None], dtype="category"), pl.Series(["a", "z", None], dtype=pl.Categorical)),
        (np.array(["a", "b", "a"]), pd.Series(["a", "z", None], dtype="string[pyarrow]")),
        (pd.to_datetime(["2020-01-01", "2021-01-01", None]), pd.to_datetime(["2020-01-01", "2019-01-01", None])),
    ],
)
def test_categories_are_compared_by_value_whatever_the_type(fitted_on, encoded):
    X = pd.DataFrame({"a": pd.Series(fitted_on)})
    other = pl.DataFrame({"a": encoded}) if isinstance(encoded, pl.Series) else pd.DataFrame({"a": pd.Series(encoded)})
    fields, _ = fit(X, categorical=["a"])
    known = fields.rows_of("a")[fields.vocabularies["a"].encode(X["a"].iloc[:1])[0]]
    assert fields.encode(as_rows(other)).codes.ravel().tolist() == [known, 0, fields.missing[0]]
    assert known > 0
    assert (fields.missing[0] > 0) == X["a"].isna().any()


def test_a_column_of_missing_categories_only():
    fields, encoded = fit(pd.DataFrame({"a": [None, None], "b": pd.array([None, None], dtype="string")}))
    assert encoded.codes.tolist() == [[1, 3], [1, 3]]
    assert fields.encode(as_rows(pd.DataFrame({"a": ["x", None], "b": [1.5, None]}))).codes.tolist() == [[0, 2], [1, 3]]


# --------------------------------------------------------------------------------------------------------------- extend


def test_extend_appends_rows_and_keeps_all_old_ones():
    fields, encoded = fit(FRAME.drop(index=2), FEATURES, multivalued=["genres"])
    assert fields.n_rows == 6
    later = FRAME.assign(
        city=["Bern", "Ahus", None, "Zug"], genres=["Art|War", None, "Drama", "Art"], age=1000.0, size=None
    )
    grown, extended = fields.extend(as_rows(later))
    assert (fields.n_rows, grown.n_rows) == (6, 10)
    assert grown.rows_of("city").tolist() == [0, 1, 2, 6, 7]  # Ahus, Zug
    assert grown.vocabularies["city"].ids.tolist() == ["Bern", "Rome", "Ahus", "Zug"]
    assert (fields.missing[0], grown.missing[0]) == (0, 8)
    assert grown.rows_of("genres").tolist() == [3, 4, 5, 9]
    assert extended.codes.ravel().tolist() == [1, 6, 8, 7]
    assert extended.bags[0].tolist() == [[5, 9], [3, -1], [4, -1], [9, -1]]
    assert grown.layout == fields.layout
    assert grown.means is fields.means
    assert grown.scales is fields.scales
    assert extended.numbers[0, 0] > 100
    assert_same(grown.encode(as_rows(later)), extended)
    assert_same(grown.encode(as_rows(FRAME.drop(index=2))), encoded)
    assert_same(grown.extend(as_rows(later))[1], extended)
    assert grown.extend(as_rows(later))[0].n_rows == grown.n_rows


def test_extend_heeds_the_minimal_frequency_within_its_table():
    fields, _ = fit(pd.DataFrame({"a": ["x", "x", "y"]}), min_frequency=2)
    grown, encoded = fields.extend(as_rows(pd.DataFrame({"a": ["y", "z", "z", None, "x", None]})))
    assert grown.vocabularies["a"].ids.tolist() == ["x", "z"]
    assert encoded.codes.ravel().tolist() == [0, 2, 2, 3, 1, 3]


# ---------------------------------------------------------------------------------------------------------------- state


def test_state_and_pickle_round_trips():
    fields, encoded = fitted(min_frequency=1, separator="|")
    grown, _ = fields.extend(as_rows(FRAME.assign(city="Zug", genres="Art")))
    state = grown.to_state()
    assert "Zug" in json.dumps(state, default=np.ndarray.tolist)
    for copy in (Fields.from_state(state), pickle.loads(pickle.dumps(grown))):
        assert copy.layout == grown.layout
        assert hash(copy.layout) == hash(grown.layout)
        assert copy.n_rows == grown.n_rows
        assert_same(copy.encode(as_rows(FRAME)), encoded)
        assert copy.extend(as_rows(FRAME.assign(city="Ulm")))[0].n_rows == grown.n_rows + 1
    assert str(fields).startswith("Fields(layout=Layout(categorical=('city',)")


def test_categories_without_a_plain_form_need_pickle():
    fields, _ = fit(pd.DataFrame({"day": pd.to_datetime(["2020-01-01"])}), categorical=["day"])
    with pytest.raises(TypeError, match=r"Column 'day' has Timestamp.*Fit on strings.*or use pickle"):
        fields.to_state()


# --------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("X", "params", "error", "message"),
    [
        (
            {"city": ["a", "b"]},
            {"categorical": []},
            ColumnError,
            r"Column 'city' is one of numbers, but has 'a' \(str\) in row 0\..*to_numeric.*add the column to",
        ),
        ({"age": [1.0, -np.inf]}, {}, ValueError, r"contains infinity: the column 'age' has it in row 1 \(1 such row"),
        (
            {"age": [1.0, np.inf]},
            {"categorical": ["age"]},
            ValueError,
            r"infinity: the categorical column 'age' .* row 1",
        ),
        ({"age": [None, 1, np.inf, "a"]}, {}, ValueError, r"infinity: the categorical column 'age' .* row 2"),
        (
            {"a": ["x", {"foo": "bar"}]},
            {},
            TypeError,
            r"Column 'a' has .*'foo'.* in row 1.*argument must be .* string.* number",
        ),
        ({"a": [["x"], None, ["y", ["z"]]]}, {}, TypeError, r"Column 'a' has a list with \['z'\] \(list\) in row 2"),
        ({"a": [["x"], [1.5, np.inf]]}, {}, ValueError, r"Column 'a' has a list with inf \(float\) in row 1.*finite"),
        ({"a": [[2.5], [1.5, np.inf]]}, {}, ValueError, r"Column 'a' has a list with .*inf.* in row 1.*finite"),
        ({"a": [np.zeros(2), np.array([1, np.inf])]}, {}, ValueError, r"infinity: the column 'a' has it in row 1"),
        (
            {"city": ["a"]},
            {"categorical": ["ciy"]},
            ColumnError,
            r"'ciy', which is not a column of X.*Did you mean 'city'",
        ),
        (
            {"city": ["a"]},
            {"multivalued": ["citty"]},
            ColumnError,
            r"multivalued_features has 'citty'.*Did you mean 'city'",
        ),
    ],
)
def test_what_cannot_be_learnt_is_refused(X, params, error, message):
    with pytest.raises(error, match=message):
        fit(pd.DataFrame({name: pd.Series(values) for name, values in X.items()}), **params)


@pytest.mark.parametrize(
    ("column", "values", "error", "message"),
    [
        ("age", [1.0, "old", None, 2], ColumnError, r"Column 'age' is one of numbers, but has 'old' \(str\) in row 1"),
        ("age", [[1.0], 1, 1, 1], ColumnError, r"Column 'age' is one of numbers, but has \[1.0\] \(list\) in row 0"),
        ("size", [1, 1, 1, np.inf], ValueError, r"infinity: the column 'size' has it in row 3"),
        ("city", ["a", ["b"], "c", "d"], TypeError, r"Column 'city' has \['b'\] \(list\) in row 1"),
    ],
)
def test_what_cannot_be_encoded_is_refused(column, values, error, message):
    fields, _ = fitted()
    other = FRAME.assign(**{column: pd.Series(values, dtype=object)})
    for method in (fields.encode, fields.extend):
        with pytest.raises(error, match=message):
            method(as_rows(other))


# ----------------------------------------------------------------------------------------------------------- hypothesis

CATEGORIES = st.one_of(
    st.none(), st.sampled_from(["a", "b", "c", "", "1"]), st.integers(0, 3), st.sampled_from([1.0, 2.5])
)
BAGS = st.one_of(st.none(), st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=5))
NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6))
TABLES = st.lists(st.tuples(CATEGORIES, BAGS, NUMBERS), min_size=1, max_size=12)


def frame_of(table):
    columns = zip(*table, strict=True)
    dtypes = (object, object, float)
    return pd.DataFrame({n: pd.Series(c, dtype=d) for n, c, d in zip("abc", columns, dtypes, strict=True)})


def known(counts, min_frequency):
    return {value for value, count in counts.items() if count >= min_frequency}


@pytest.mark.filterwarnings("ignore:(The|Some) values for column")  # of another kind than in fit
@settings(max_examples=60, deadline=None)
@given(TABLES, TABLES, st.integers(1, 2))
def test_encoding_agrees_with_a_naive_one(table, other, min_frequency):
    fields, _ = fit(frame_of(table), categorical=["a"], multivalued=["b"], min_frequency=min_frequency)
    encoded = fields.encode(as_rows(frame_of(other)))
    rows = {
        name: dict(zip(v.ids.tolist(), fields.rows_of(name)[1:].tolist(), strict=True))
        for name, v in fields.vocabularies.items()
    }
    seen = known(Counter(value for value, _, _ in table), min_frequency)
    assert set(rows["a"]) == seen - {None}
    naive = [rows["a"].get(value, fields.missing[0] if value is None else fields.unknown[0]) for value, _, _ in other]
    assert encoded.codes.ravel().tolist() == naive
    assert (fields.missing[0] != fields.unknown[0]) == (None in seen)
    assert set(rows["b"]) == known(Counter(v for _, bag, _ in table for v in set(bag or ())), min_frequency) - {None}
    for bag, (_, values, _) in zip(encoded.bags[0].tolist(), other, strict=True):
        expected = sorted({rows["b"][value] for value in values or () if value in rows["b"]})
        assert [row for row in bag if row >= 0] == (expected or [fields.bag_unknown[0]])
        assert sorted(bag, key=lambda row: row < 0) == bag
    present = np.array([value for _, _, value in table if value is not None])
    if len(present):
        mean = present.mean()
        scale = present.std() if np.ptp(present) > 1e-9 * max(1.0, np.abs(present).max()) else None
        if scale:
            numbers = [0.0 if value is None else (value - mean) / scale for _, _, value in other]
            np.testing.assert_allclose(encoded.numbers[:, 0], numbers, rtol=1e-4, atol=1e-4)
    used = [row for name in rows for row in fields.rows_of(name)] + fields.missing.tolist()
    assert sorted(set(used)) == list(range(fields.n_rows))


@pytest.mark.filterwarnings("ignore:(The|Some) (ids|values) for column")  # strings may follow numbers here
@settings(max_examples=40, deadline=None)
@given(TABLES, TABLES)
def test_extend_never_changes_an_old_row(table, other):
    fields, encoded = fit(frame_of(table), categorical=["a"], multivalued=["b"])
    grown, extended = fields.extend(as_rows(frame_of(other)))
    for name, vocabulary in fields.vocabularies.items():
        rows = grown.rows_of(name)
        assert rows[: len(vocabulary) + 1].tolist() == fields.rows_of(name).tolist()
        assert (rows[len(vocabulary) + 1 :] >= fields.n_rows).all()
    assert_same(grown.encode(as_rows(frame_of(other))), extended)
    again = grown.encode(as_rows(frame_of(table)))
    np.testing.assert_array_equal(again.numbers, encoded.numbers)
    np.testing.assert_array_equal(again.bags[0], encoded.bags[0])
    is_known = encoded.codes != fields.unknown
    np.testing.assert_array_equal(again.codes[is_known], encoded.codes[is_known])
    assert is_known.all()
