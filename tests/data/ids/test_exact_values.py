"""Distinct values stay distinct, and equal ones equal, whatever holds them."""

import datetime as dt
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrec._data.features.fields import Fields
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import as_column, side_by_side
from skrec._data.tables.table import as_rows
from skrec.models import FMClassifier, NCFRanker
from skrec.preprocessing import FeatureCrosses, HistoryEncoder, IDEncoder, MultiHotEncoder

BIG = 2**60
EDGES = [0, 1, -1, 2**53, 2**53 + 1, BIG, BIG + 1, BIG + 2, -BIG - 1, 2**62 + 1, 2**63 - 1]
UNSIGNED = [0, 1, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1]


def arrow(values, dtype=None):
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, dtype)))


CONTAINERS = {
    "Int64": lambda v: pd.Series(v, dtype="Int64"),
    "arrow": arrow,
    "arrow chunked": lambda v: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(v[:1], pa.int64()), pa.array(v[1:], pa.int64())]))
    ),
    "arrow dictionary": lambda v: pd.Series(pd.arrays.ArrowExtensionArray(pa.array(v, pa.int64()).dictionary_encode())),
    "arrow decimal": lambda v: arrow([None if x is None else Decimal(x) for x in v], pa.decimal128(38, 2)),
    "polars": lambda v: pl.Series(v, dtype=pl.Int64),
    "polars Int128": lambda v: pl.Series(v, dtype=pl.Int128),
    "polars Decimal": lambda v: pl.Series([None if x is None else Decimal(x) for x in v], dtype=pl.Decimal(38, 2)),
    "category": lambda v: pd.Series(pd.Categorical(v, categories=sorted({x for x in v if x is not None}))),
    "objects": lambda v: pd.Series(v, dtype=object),
    "objects with NaN": lambda v: pd.Series([np.nan if x is None else x for x in v], dtype=object),
    "objects with NA": lambda v: pd.Series([pd.NA if x is None else x for x in v], dtype=object),
    "scalars of NumPy": lambda v: pd.Series([None if x is None else np.int64(x) for x in v], dtype=object),
    "decimals": lambda v: pd.Series([None if x is None else Decimal(x) for x in v], dtype=object),
    "fractions": lambda v: pd.Series([None if x is None else Fraction(x) for x in v], dtype=object),
    "masked": lambda v: np.ma.array([x or 0 for x in v], mask=[x is None for x in v], dtype=np.int64),
    "list": list,
}
UNSIGNED_CONTAINERS = {
    "UInt64": lambda v: pd.Series(
        pd.arrays.IntegerArray(
            np.array([x or 0 for x in v], dtype=np.uint64), np.array([x is None for x in v], dtype=bool)
        )
    ),
    "arrow": lambda v: arrow(v, pa.uint64()),
    "polars": lambda v: pl.Series(v, dtype=pl.UInt64),
    "category": CONTAINERS["category"],
    "objects": CONTAINERS["objects"],
    "scalars of NumPy": lambda v: pd.Series([None if x is None else np.uint64(x) for x in v], dtype=object),
}  # fmt: skip


def by_python(values):
    seen = {}
    return [-1 if value is None else seen.setdefault(value, len(seen)) for value in values]


def frame_of(column):
    return pl.DataFrame({"a": column}) if isinstance(column, pl.Series) else pd.DataFrame({"a": column})


def codes_of(column, kind="categorical"):
    """Codes of the values of a column, in the order of their appearance; -1 where they are missing."""
    named = {"categorical": [], "multivalued": ["a"]} if kind == "multivalued" else {"categorical": ["a"]}
    fields, encoded = Fields.fit(as_rows(frame_of(column)), [0], **named)
    if kind == "multivalued":
        missing = [int(fields.bag_unknown[0])] + [-1] * (encoded.bags[0].shape[1] - 1)
        return by_python([None if bag == missing else tuple(bag) for bag in encoded.bags[0].tolist()])
    return by_python([None if code == fields.missing[0] else code for code in encoded.codes[:, 0].tolist()])


@settings(max_examples=10, deadline=None)
@given(values=st.lists(st.sampled_from([*EDGES, None]), min_size=2), other=st.sampled_from(sorted(CONTAINERS)))
@pytest.mark.parametrize("container", sorted(CONTAINERS))
def test_whole_numbers_keep_their_value(container, other, values):
    column = CONTAINERS[container](values)
    if container not in {"masked", "list"}:
        assert codes_of(column) == by_python(values)
    known = sorted({value for value in values if value is not None})
    vocabulary = Vocabulary.fit(CONTAINERS[other](known))[0]
    assert vocabulary.ids.tolist() == known
    there = [row for row, value in enumerate(values) if value is not None]
    expected = [known.index(values[row]) + 1 for row in there]
    assert vocabulary.encode(as_column(column)[there]).tolist() == expected


@settings(max_examples=10, deadline=None)
@given(
    values=st.lists(st.sampled_from([*UNSIGNED, None]), min_size=1), other=st.sampled_from(sorted(UNSIGNED_CONTAINERS))
)
@pytest.mark.parametrize("container", sorted(UNSIGNED_CONTAINERS))
def test_unsigned_numbers_keep_their_value(container, other, values):
    column = UNSIGNED_CONTAINERS[container](values)
    assert codes_of(column) == by_python(values)
    known = sorted({value for value in values if value is not None})
    vocabulary = Vocabulary.fit(UNSIGNED_CONTAINERS[other](known))[0]
    there = [row for row, value in enumerate(values) if value is not None]
    assert vocabulary.encode(as_column(column)[there]).tolist() == [known.index(values[row]) + 1 for row in there]


@given(
    st.lists(
        st.sampled_from([
            *EDGES, 0.5, 1.0, 2.0**60, None, True, "1", b"1", np.int64(BIG + 1), np.float32(0.5), np.float64(2**60),
            np.uint64(2**63), Decimal(BIG + 1), Decimal("0.5"), Decimal("0.1"), 0.1, Fraction(1, 2), np.str_("1"),
            np.bytes_(b"1"), np.longdouble(BIG + 1), np.bool_(True), dt.date(2020, 1, 1),
        ]),
        min_size=1,
    )
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Column .* has ids or categories that are floats")  # floats beyond 2**53
def test_mixed_objects_are_equal_as_in_python(values):
    plain = [Fraction(*v.as_integer_ratio()) if isinstance(v, np.longdouble) else v for v in values]
    exact = [int(v) if isinstance(v, (np.integer, np.bool_)) else v for v in plain]
    assert codes_of(pd.Series(values, dtype=object)) == by_python(exact)


def test_values_of_other_types_are_equal_whatever_holds_them():
    dates = [dt.date(2020, 1, 1), None, dt.date(9999, 1, 1)]
    same = {
        "dates": [pd.Series(dates, dtype=object), arrow(dates, pa.date32()), pl.Series(dates)],
        "strings": [
            pd.Series(["a", None, "b"], dtype=dtype)
            for dtype in (object, "string", "str", "category", pd.ArrowDtype(pa.large_string()))
        ]
        + [arrow(["a", None, "b"]), pl.Series(["a", None, "b"]), pl.Series(["a", None, "b"], dtype=pl.Categorical)]
        + [pd.Series(pd.arrays.ArrowExtensionArray(pa.array(["a", None, "b"]).dictionary_encode()))],
        "booleans": [
            pd.Series([True, None, False], dtype=dtype) for dtype in (object, "boolean", "category")
        ] + [arrow([True, None, False]), pl.Series([True, None, False])],
        "bytes": [pd.Series([b"a", None, b"b"], dtype=object), arrow([b"a", None, b"b"]), pl.Series([b"a", None, b"b"])
        ],
        "lists": [
            pd.Series([[BIG + 1, BIG + 2], None, [BIG]], dtype=object), arrow([[BIG + 2, BIG + 1, None], None, [BIG]]),
            pl.Series([[BIG + 1, None, BIG + 2], None, [BIG]]),
            pd.Series([(BIG + 1, BIG + 2), None, {BIG}], dtype=object),
            arrow([[BIG + 1, BIG + 2], None, [BIG]], pa.large_list(pa.int64())),
            pd.Series([np.array([BIG + 1, BIG + 2]), None, np.array([BIG])], dtype=object),
        ],
    }  # fmt: skip
    for name, columns in same.items():
        kind = "multivalued" if name == "lists" else "categorical"
        for column in columns:
            assert codes_of(column, kind) == [0, -1, 1], (name, column.dtype)
        if name != "lists":
            ids = [column.drop_nulls() if isinstance(column, pl.Series) else column.dropna() for column in columns]
            vocabulary = Vocabulary.fit(ids[0])[0]
            assert all(sorted(vocabulary.encode(values)) == [1, 2] for values in ids), name


def test_extended_floats_keep_their_value():
    values = np.array([BIG, BIG + 1, BIG, 2**63 + 1], dtype=np.longdouble)
    assert as_column(values).tolist() == [BIG, BIG + 1, BIG, 2**63 + 1]
    assert as_column(np.array([0.5, np.nan], dtype=np.longdouble)).dtype == np.float64


def test_columns_go_side_by_side_as_floats_only_if_exact():
    exact = side_by_side([np.array([2**53]), np.array([0.5]), np.array([True])])
    assert exact.dtype == np.float64
    for large in (np.array([BIG + 1]), np.array([2**63 + 1], dtype=np.uint64)):
        assert side_by_side([large, np.array([0.5])]).tolist() == [[int(large[0]), 0.5]]
        assert side_by_side([large, np.array([-1])]).tolist() == [[int(large[0]), -1]]


# ------------------------------------------------------------------------------------------------------ public surface

AD = np.random.default_rng(0).integers(0, 8, 120)


def with_gap(ids, gap):
    return [None if missing else number + BIG for number, missing in zip(ids.tolist(), gap, strict=True)]


TABLES = {
    "Int64": lambda ids, gap: pd.DataFrame({"ad": pd.Series(ids + BIG, dtype="Int64").mask(gap), "c": "x"}),
    "arrow": lambda ids, gap: pd.DataFrame({"ad": pd.Series(ids + BIG, dtype="int64[pyarrow]").mask(gap), "c": "x"}),
    "polars": lambda ids, gap: pl.DataFrame({"ad": with_gap(ids, gap), "c": "x"}),
    "arrow table": lambda ids, gap: pa.table({"ad": with_gap(ids, gap), "c": ["x"] * len(ids)}),
    "category": lambda ids, gap: pd.DataFrame({"ad": pd.Series(ids + BIG).astype("category").mask(gap), "c": "x"}),
    "array": lambda ids, gap: np.array([[ad, "x"] for ad in with_gap(ids, gap)], dtype=object),
}
GAP = np.arange(len(AD)) == 7


@pytest.mark.parametrize("container", sorted(TABLES))
def test_one_missing_value_leaves_all_others_apart_in_a_model(container):
    labels = AD % 2
    full, gaps = TABLES[container](AD, GAP & False), TABLES[container](AD, GAP)
    model = FMClassifier(epochs=1, random_state=0, categorical_features=["ad", "c"] if container != "array" else [0, 1])
    served = model.fit(full, labels).predict_proba(full)
    assert len(np.unique(served[:, 1])) == 8
    np.testing.assert_array_equal(model.predict_proba(gaps)[~GAP], served[~GAP])
    learnt = model.fit(gaps, labels).predict_proba(gaps)
    assert len(np.unique(learnt[~GAP, 1])) == 8
    np.testing.assert_array_equal(model.predict_proba(full)[~GAP], learnt[~GAP])


@pytest.mark.parametrize("container", sorted(TABLES))
def test_one_missing_value_leaves_all_others_apart_in_transformers(container):
    full, gaps = TABLES[container](AD, GAP & False), TABLES[container](AD, GAP)
    for encoding in ("vocabulary", "hash"):
        crosses = FeatureCrosses(encoding=encoding, n_bins=2**30)
        assert len(np.unique(crosses.fit_transform(gaps))) == 9
        np.testing.assert_array_equal(crosses.transform(full)[~GAP], crosses.transform(gaps)[~GAP])
        assert len(np.unique(FeatureCrosses(encoding=encoding).fit(full).transform(gaps))) == 9
    assert MultiHotEncoder().fit_transform(gaps).sum(axis=0).tolist() == [*np.bincount(AD[~GAP]), len(AD)]
    with pytest.raises(ValueError, match=r"column '?(ad|x0)'? has no id in row 7"):
        IDEncoder().fit(gaps)
    encoder = IDEncoder().fit(full)
    assert encoder.categories_[0].tolist() == list(range(BIG, BIG + 8))


def test_crosses_beside_a_column_of_fractions_keep_large_ids():
    frame = pd.DataFrame({"ad": AD + BIG, "c": AD % 3, "price": AD / 7})
    beside = FeatureCrosses(crosses=[("ad", "c")], passthrough=True).fit_transform(frame)
    assert len({int(value) for value in beside[:, 0]}) == 8


def test_histories_and_recommendations_keep_large_ids():
    events = pd.DataFrame({"user_id": AD + BIG, "item_id": pd.Series(np.arange(120) % 15 + BIG, dtype="Int64")})
    histories = HistoryEncoder(remainder="drop").set_output(transform="pandas").fit(events).transform(events)
    assert len({item for items in histories.iloc[:, 0] for item in items}) <= 15
    model = NCFRanker(architecture="mf", epochs=1, random_state=0).fit(events)
    arguments = {
        "Int64": (pd.Series([BIG + 1, BIG + 2], dtype="Int64"), pd.Series([BIG + 3, BIG + 4], dtype="Int64")),
        "polars": (pl.Series([BIG + 1, BIG + 2]), pl.Series([BIG + 3, BIG + 4])),
        "arrow": (pa.array([BIG + 1, BIG + 2]), pa.array([BIG + 3, BIG + 4])),
        "mixed": ([np.int64(BIG + 1), Decimal(BIG + 2)], [np.uint64(BIG + 3), BIG + 4]),
    }
    for queries, candidates in arguments.values():
        found = model.recommend(queries, k=2, candidates=candidates, exclude_seen=False)
        assert found["user_id"].tolist() == [BIG + 1] * 2 + [BIG + 2] * 2
        assert set(found["item_id"]) == {BIG + 3, BIG + 4}
    excluded = pd.DataFrame({"user_id": pd.Series([BIG + 1], dtype="Int64"), "item_id": pl.Series([BIG + 3]).to_list()})
    assert BIG + 3 not in set(model.recommend([BIG + 1], k=15, exclude_seen=False, exclude=excluded)["item_id"])


def test_large_floats_as_ids_are_suspected_of_having_been_rounded():
    rounded = pd.DataFrame({"user_id": np.array([BIG + 1, BIG + 2], dtype=np.float64), "item_id": [1, 2]})
    message = "Column 'user_id' has ids or categories that are floats beyond 2.*53, such as .* rounded"
    with pytest.warns(UserWarning, match=message):
        IDEncoder().fit(rounded)
    encoder = IDEncoder().fit(rounded.astype("int64"))
    with pytest.warns(UserWarning, match=message):
        encoder.transform(rounded)
    table = pd.DataFrame({"ad": rounded["user_id"], "c": ["x", "y"]})
    with pytest.warns(UserWarning, match="Column 'ad' has ids or categories that are floats beyond"):
        FMClassifier(epochs=1, categorical_features=["ad", "c"]).fit(table, [0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        IDEncoder().fit(pd.DataFrame({"user_id": [0.5, 2.0**53], "item_id": [1, 2]}))


def test_ids_that_floats_of_32_bits_have_rounded_are_suspected():
    ids = np.arange(2**24, 2**24 + 64)
    message = "Column 'item_id' has ids or categories that are floats beyond 2.*24, such as .* with 32 bits"
    rounded = pd.DataFrame({"user_id": 1.0, "item_id": ids}).astype("float32")
    for table in (rounded, pl.from_pandas(rounded)):
        with pytest.warns(UserWarning, match=message):
            IDEncoder().fit(table)
    with pytest.warns(UserWarning, match="Column 'x1' has ids .* floats beyond 2.*24"):
        IDEncoder().fit(rounded.to_numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        IDEncoder().fit(rounded.astype("float64").assign(item_id=ids.astype(np.float64)))
        IDEncoder().fit(rounded.assign(item_id=np.float32(2**25)))  # a single large value is no evidence


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1])
@pytest.mark.parametrize("other", [None, np.nan, 0.5])
def test_the_first_whole_numbers_that_no_float_holds_keep_their_value(number, other):
    assert as_column(pd.Series([number, other], dtype=object)).tolist()[0] == number
    assert as_column([other, number]).tolist()[1] == number
