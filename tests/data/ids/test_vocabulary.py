import datetime as dt
import json
import pickle
from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skrec._data import Vocabulary
from skrec.exceptions import UnknownIdError

NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64),
    st.integers(-5, 5),
    st.sampled_from([2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 10**18, 10**18 + 1, 2**70]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
IDS = st.one_of(NUMBERS, st.text(max_size=3), st.sampled_from(["1", "1.0", "é", "\U0001f600", "a\0b", "a\0c"]))
COLUMNS = st.lists(IDS, max_size=30) | st.lists(st.text(), max_size=30) | st.lists(NUMBERS, max_size=30)


def rank(value):
    """The order of ids: numbers by value, then strings."""
    return (1, value) if isinstance(value, str) else (0, value)


@pytest.mark.filterwarnings("ignore:Column .* has ids or categories that are floats beyond")
@given(COLUMNS, COLUMNS)
@example([2**63 - 1], [float(2**63), 2**63])
@example([float(2**63)], [2**63 - 1, 2**63])
@example([-1, 0.5], [2**64 - 1])
@example([2**64 - 1], [-1, float(2**64)])
@example([10**18 + 1, 0.5], [float(10**18)])
@example([0.0, 2**70], [2**70])
@example([0.5], [10**400, 2])
def test_ids_are_python_values_in_order(values, others):
    vocabulary, codes = Vocabulary.fit(values)
    expected = {value: code for code, value in enumerate(sorted(set(values), key=rank), start=1)}
    assert vocabulary.ids.tolist() == list(expected)
    assert codes.dtype == np.int32
    assert codes.tolist() == [expected[value] for value in values]
    assert vocabulary.encode(values).tolist() == codes.tolist()
    assert vocabulary.encode(others).tolist() == [expected.get(value, 0) for value in others]
    assert vocabulary.decode(codes).tolist() == values


@pytest.mark.filterwarnings("ignore:Column .* has ids or categories that are floats beyond")
@pytest.mark.filterwarnings("ignore:(The|Some) ids for column 'user_id' are:UserWarning")  # strings join numbers
@given(COLUMNS, COLUMNS)
def test_extending_keeps_the_old_codes(old, new):
    first, first_codes = Vocabulary.fit(old)
    second, codes = first.extend(new)
    assert second.ids.tolist() == first.ids.tolist() + sorted(set(new) - set(old), key=rank)
    assert second.encode(old).tolist() == first_codes.tolist()
    assert second.encode(new).tolist() == codes.tolist()
    assert second.decode(codes).tolist() == new


@pytest.mark.filterwarnings("ignore:Column .* has ids or categories that are floats beyond")
@given(COLUMNS)
def test_state_is_plain(values):
    vocabulary, codes = Vocabulary.fit(values, name="item_id")
    state = vocabulary.to_state()
    if isinstance(state["ids"], list):
        state = json.loads(json.dumps(state))
    for copy in (Vocabulary.from_state(state), pickle.loads(pickle.dumps(vocabulary))):
        assert copy.name == "item_id"
        assert copy.ids.dtype == vocabulary.ids.dtype
        assert [*map(type, copy.ids.tolist())] == [*map(type, vocabulary.ids.tolist())]
        assert copy.encode(values).tolist() == codes.tolist()


@given(st.lists(st.integers(0, 6) | st.sampled_from("abc"), max_size=40), st.integers(1, 5))
def test_infrequent_ids_are_unknown(values, min_frequency):
    vocabulary, codes = Vocabulary.fit(values, min_frequency=min_frequency)
    frequent = {value for value, count in Counter(values).items() if count >= min_frequency}
    assert set(vocabulary.ids.tolist()) == frequent
    assert vocabulary.encode(values).tolist() == codes.tolist()
    assert (codes > 0).tolist() == [value in frequent for value in values]


@pytest.mark.parametrize("low", [0, -(2**63), 2**63 - 30_000, 10**18])
@pytest.mark.parametrize("step", [1, 97])
def test_many_whole_numbers(low, step):
    rng = np.random.default_rng(0)
    ids = low + np.arange(0, 20_000 // step * step, step, dtype=np.int64)
    values = rng.permutation(np.repeat(ids, 3))
    vocabulary, codes = Vocabulary.fit(values)
    assert np.array_equal(vocabulary.ids, ids)
    assert np.array_equal(ids[codes - 1], values)
    near = low + np.arange(0, 25_000, 7, dtype=np.int64)
    expected = np.where(np.isin(near, ids), np.searchsorted(ids, near) + 1, 0)
    assert np.array_equal(vocabulary.encode(near), expected)
    assert np.array_equal(vocabulary.encode(near[:5]), expected[:5])
    assert np.array_equal(vocabulary.encode(near[::-1]), expected[::-1])


@pytest.mark.parametrize(
    "values",
    [
        np.array(["b", "a", "b"]),
        pd.Series(["b", "a", "b"]),
        pd.Series(["b", "a", "b"], dtype="string"),
        pd.Series(["b", "a", "b"], dtype="category"),
        pl.Series(["b", "a", "b"]),
        pd.Index(["b", "a", "b"]),
        ("b", "a", "b"),
        np.array(["b", np.str_("a"), "b"], dtype=object),
    ],
)
def test_strings_from_anywhere(values):
    vocabulary, codes = Vocabulary.fit(values)
    assert codes.tolist() == [2, 1, 2]
    assert [*map(type, vocabulary.ids)] == [str, str]
    assert vocabulary.encode(["a", "b", "c"]).tolist() == [1, 2, 0]


def test_object_arrays_of_numbers_equal_float_arrays():
    values = np.random.default_rng(0).uniform(size=50).round(1)
    floats, objects = Vocabulary.fit(values), Vocabulary.fit(values.astype(object))
    assert floats[0].ids.dtype == objects[0].ids.dtype == np.float64
    assert floats[0].ids.tolist() == objects[0].ids.tolist()
    assert floats[1].tolist() == objects[1].tolist()


def test_narrow_types_are_compared_by_value():
    vocabulary, _ = Vocabulary.fit(np.array([1, 200], dtype=np.uint8))
    assert vocabulary.encode(np.array([1, -56], dtype=np.int8)).tolist() == [1, 0]
    assert vocabulary.encode(np.array([1.0, 200.5], dtype=np.float32)).tolist() == [1, 0]
    assert vocabulary.encode(np.array([True, False])).tolist() == [1, 0]
    assert vocabulary.encode(np.array([200], dtype=np.uint64)).tolist() == [2]


def test_other_hashable_ids():
    day, stamp = dt.date(2020, 1, 2), pd.Timestamp("2020-01-01", tz="UTC")
    values = [(2, "b"), stamp, "x", day, (1, "a"), 3, frozenset({1})]
    vocabulary, codes = Vocabulary.fit(values)
    assert vocabulary.ids.tolist() == [3, "x", stamp, day, frozenset({1}), (1, "a"), (2, "b")]
    assert vocabulary.decode(codes).tolist() == values
    assert vocabulary.encode([(1, "a"), (1, "b"), stamp]).tolist() == [6, 0, 3]
    with pytest.raises(TypeError, match=r"'user_id' has Timestamp.*only strings, numbers and bools"):
        vocabulary.to_state()


def test_ids_without_an_order_stay_as_they_came():
    values = [("a", 1), (1, "a"), ("a", 1)]
    vocabulary, codes = Vocabulary.fit(values)
    assert vocabulary.ids.tolist() == values[:2]
    assert codes.tolist() == [1, 2, 1]


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
def test_datetimes_are_ids(unit):
    days = pd.to_datetime(["2020-01-02", "2020-01-01"]).as_unit(unit)
    vocabulary, codes = Vocabulary.fit(days)
    assert vocabulary.ids.tolist() == sorted(days)
    assert codes.tolist() == [2, 1]
    assert vocabulary.encode([pd.Timestamp("2020-01-01"), "2020-01-01"]).tolist() == [1, 0]
    assert vocabulary.encode(days.as_unit("us")).tolist() == [2, 1]
    with pytest.raises(ValueError, match="contains NaN"):
        vocabulary.encode(pd.to_datetime([None]))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")])
@pytest.mark.parametrize("other", ["a", 1, 1.5])
def test_missing_ids_are_refused(missing, other):
    message = (
        r"^Input X contains NaN: column 'item_id' has no id in row 1 \(2 such row\(s\)\)\. .*"
        r"X\.dropna\(subset=\['item_id'\]\)"
    )
    values = [other, missing, missing]
    with pytest.raises(ValueError, match=message):
        Vocabulary.fit(values, name="item_id")
    vocabulary, _ = Vocabulary.fit([other], name="item_id")
    for call in (vocabulary.encode, vocabulary.extend):
        with pytest.raises(ValueError, match=message):
            call(values)


@pytest.mark.parametrize("values", [[1.0, np.inf], ["a", -np.inf], np.array([1, np.inf], dtype=object)])
def test_infinite_ids_are_refused(values):
    message = r"Input X contains infinity: column 'user_id' has no id in row 1 \(1 such"
    with pytest.raises(ValueError, match=message):
        Vocabulary.fit(values)
    for known in ([1.0], ["a"]):
        with pytest.raises(ValueError, match=message):
            Vocabulary.fit(known)[0].encode(values)


@pytest.mark.parametrize(
    ("known", "values", "message"),
    [
        ([1, 2], ["1", "7"], r"are strings \(object\), but those of fit are numbers \(int64\).*\.astype\('int64'\)\.$"),
        ([1.5, 2], ["1"], r"are strings \(object\), .* numbers \(float64\).*\.astype\('float64'\)\.$"),
        (["1", "2"], [1, 2], r"are numbers \(int64\), but those of fit are strings \(object\).*\.astype\(str\)\.$"),
        (["a", "b"], [b"a", b"b"], r"are bytes \(object\), .* strings \(object\).*\.str\.decode\('utf-8'\)\.$"),
        (["a", "b"], np.array([b"a"]), r"are bytes \(object\), .* strings \(object\).*\.str\.decode\('utf-8'\)\.$"),
        ([np.str_("a")], [np.bytes_(b"a")], r"are bytes \(object\), .* strings .*\.str\.decode\('utf-8'\)\.$"),
        ([b"a", b"b"], ["a"], r"are strings \(object\), .* bytes \(object\).*\.str\.encode\('utf-8'\)\.$"),
        (["2020-01-01"], pd.to_datetime(["2020-01-01"]), r"are dates \(datetime64\[.*strings.*\.astype\(str\)\.$"),
        (pd.to_datetime(["2020-01-01"]), ["2020-01-01"], r"are strings .* dates \(object\).*pandas\.to_datetime\.$"),
        ([1577836800], pd.to_datetime(["2020-01-01"]), r"are dates .* numbers \(int64\).* Convert them as in fit\.$"),
        (pd.to_datetime(["2020-01-01"]), [1577836800], r"are numbers .* dates \(object\).*pandas\.to_datetime\.$"),
        ([(1, 2)], ["a"], r"are strings \(object\), .* tuple \(object\)"),
    ],
)
def test_ids_of_another_kind_are_doubted(known, values, message):
    vocabulary, _ = Vocabulary.fit(known, name="item_id")
    codes = vocabulary.encode(values)
    assert not codes.any()
    with pytest.warns(UserWarning, match=f"The ids for column 'item_id' {message}"):
        vocabulary.warn_other_kind(values, codes)


def test_ids_of_another_kind_that_join_are_doubted():
    vocabulary, _ = Vocabulary.fit([1, 2], name="item_id")
    with pytest.warns(UserWarning, match="'item_id' are strings .* those of fit are numbers .* all join as new ones"):
        assert len(vocabulary.extend(["1", "2"])[0]) == 4
    with pytest.warns(UserWarning, match="Some ids .* are strings, such as '2' in row 1, .* numbers: .* join as new"):
        assert len(vocabulary.extend([1, "2"])[0]) == 3


@pytest.mark.parametrize(
    ("known", "values"),
    [
        ([1, 2], [7]),
        (["a"], ["b"]),
        (["a"], [np.str_("b")]),
        ([1, "a"], ["b"]),
        ([1], []),
        ([], ["a"]),
        ([1], [True, 2.5]),
    ],
)
def test_unknown_ids_of_the_same_kind_are_not_doubted(known, values):
    vocabulary, _ = Vocabulary.fit(known)
    vocabulary.warn_other_kind(values, vocabulary.encode(values))


@pytest.mark.parametrize(
    ("known", "values", "message"),
    [
        (["a", "b"], ["a", b"b", b"a"], r"are bytes, such as b'b' in row 1, .* strings: .*\.str\.decode\('utf-8'\)\.$"),
        ([1, 2], ["x", 1], r"are strings, such as 'x' in row 0, but those of fit are numbers: .*pandas\.to_numeric\.$"),
        (["a", 1], ["a", b"a"], r"are bytes, such as b'a' in row 1, but those of fit are numbers and strings: "),
        (["1"], ["1", 1], r"are numbers, such as 1 in row 1, but those of fit are strings: .*\.astype\(str\)\.$"),
    ],
)
def test_some_ids_of_another_kind_are_warned_about(known, values, message):
    vocabulary, _ = Vocabulary.fit(known, name="item_id")
    with pytest.warns(UserWarning, match=f"Some ids for column 'item_id' {message}"):
        vocabulary.warn_other_kind(values, vocabulary.encode(values))


@pytest.mark.parametrize("value", [[1, 2], {"foo": "bar"}, {1}, (1, [2])])
def test_unhashable_ids_are_refused(value):
    message = r"Column 'user_id' has .* in row 1, which is not hashable.*argument must be .* string.* number"
    with pytest.raises(TypeError, match=message):
        Vocabulary.fit([0.5, value])
    for known in ([1.0], ["a"]):
        with pytest.raises(TypeError, match=message):
            Vocabulary.fit(known)[0].encode([0.5, value])


def test_empty_vocabulary():
    vocabulary, codes = Vocabulary.fit(["a", "b"], min_frequency=2)
    assert len(vocabulary) == 0
    assert codes.tolist() == [0, 0]
    assert vocabulary.encode([1, "a"]).tolist() == vocabulary.encode([1, 2]).tolist() == [0, 0]
    assert vocabulary.decode([0]).tolist() == [None]
    assert vocabulary.extend([1])[0].ids.tolist() == [1]
    assert Vocabulary.fit([])[0].encode([1.5]).tolist() == [0]


def test_ids_cannot_be_changed():
    given_ids = np.array([1, 2])
    vocabulary = Vocabulary(given_ids)
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.ids[0] = 5
    given_ids[0] = 1  # the caller's array stays writeable


@pytest.mark.parametrize("code", [-1, 3, 1.5, np.nan, np.inf, "a", None])
def test_what_is_not_a_code_is_refused(code):
    vocabulary, _ = Vocabulary.fit([10, 20])
    with pytest.raises(ValueError, match=r"is not a code of column 'user_id': codes .* 0 \(unknown\) to 2"):
        vocabulary.decode(np.array([1, code], dtype=object))


def test_decoding_keeps_the_shape_and_type():
    vocabulary, _ = Vocabulary.fit([10, 20])
    assert vocabulary.decode([[1, 2], [2, 2]]).tolist() == [[10, 20], [20, 20]]
    assert vocabulary.decode([1.0, 2.0]).dtype == np.int64
    assert vocabulary.decode([[0, 2]]).tolist() == [[None, 20]]


@pytest.mark.parametrize(
    ("known", "unknown", "hint"),
    [
        (["ana", "bo"], "anna", r"The nearest known id is 'ana' \(str\)\. "),
        ([6, 7], "7", r"has the id '7' \(str\) in row 1.*The nearest known id is 7 \(int\)\. "),
        (["6", "7"], 7, r"has the id 7 \(int\) in row 1.*The nearest known id is '7' \(str\)\. "),
        ([10, 20, 40], 29, r"The nearest known id is 20 \(int\)\. "),
        ([10, 20], "zoe", r"seen in fit \(2 such row\(s\)\)\. Correct it"),
        ([f"user-{i:05}" for i in range(30_000)], "user-12345x", r"The nearest known id is 'user-12345'"),
    ],
)
def test_unknown_ids_are_named(known, unknown, hint):
    vocabulary, _ = Vocabulary.fit(known, name="who")
    values = [known[0], unknown, unknown]
    codes = vocabulary.encode(values)
    with pytest.raises(UnknownIdError, match=r"Column 'who' has the id") as caught:
        vocabulary.refuse_unknown(values, codes)
    assert caught.match(hint)
    assert caught.match(r"handle_unknown='oov'\.$")
    vocabulary.refuse_unknown(values[:1], codes[:1])
