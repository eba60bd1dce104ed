import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrec._data import Fields, as_rows

LISTS = [["b", "a"], [], None, ["b", "b", None]]
BAGS = [[1, 2], [0, -1], [0, -1], [2, -1]]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(LISTS),
        pd.Series([("b", "a"), (), None, ("b",)]),
        pd.Series([{"a", "b"}, set(), np.nan, frozenset("b")], dtype=object),
        pd.Series([np.array(["b", "a"]), np.array([]), pd.NA, np.array(["b", None], dtype=object)], dtype=object),
        pd.Series(LISTS, dtype=pd.ArrowDtype(pa.list_(pa.string()))),
        pl.Series(LISTS),
        pl.Series(LISTS, dtype=pl.List(pl.Categorical)),
    ],
)
def test_lists_of_any_kind_are_recognised(column):
    X = pl.DataFrame({"a": column}) if isinstance(column, pl.Series) else pd.DataFrame({"a": column})
    for params in ({}, {"categorical": ["a"]}, {"multivalued": ["a"]}):
        fields, encoded = Fields.fit(as_rows(X), [0], **params)
        assert encoded.bags[0].tolist() == BAGS
        assert fields.layout.multivalued == ("a",)
        assert fields.vocabularies["a"].ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "separator", "ids"),
    [
        (["b|a", "", None, "b||b"], "|", ["a", "b"]),
        (pd.Categorical(["b, a", None, "", "b, b"]), ", ", ["a", "b"]),
        (["b a", "b"], None, ["b", "b a"]),
        ([1.0, 2.5, None], "|", [1.0, 2.5]),
        (["a|b", ["c|d"], 3], "|", [3, "a", "b", "c|d"]),
        ([np.array([3, 1]), np.array([1, 2])], "|", [1, 2, 3]),
    ],
)
def test_named_columns_hold_several_values(values, separator, ids):
    fields, _ = Fields.fit(as_rows(pd.DataFrame({"a": values})), [0], multivalued=["a"], separator=separator)
    assert fields.vocabularies["a"].ids.tolist() == ids


def test_a_polars_array_may_be_a_set_of_values():
    frame = pl.DataFrame({"a": pl.Series([[2, 1], [2, 2], None], dtype=pl.Array(pl.Int64, 2))})
    _, encoded = Fields.fit(as_rows(frame), [0], multivalued=["a"])
    assert encoded.bags[0].tolist() == [[1, 2], [2, -1], [0, -1]]


def test_columns_of_empty_lists_only():
    fields, encoded = Fields.fit(as_rows(pd.DataFrame({"a": [[], []]})), [0])
    assert encoded.bags[0].tolist() == [[0], [0]]
    assert fields.encode(as_rows(pd.DataFrame({"a": [["x", "y"]]}))).bags[0].tolist() == [[0]]
    grown, extended = fields.extend(as_rows(pd.DataFrame({"a": [["x", "y"]]})))
    assert extended.bags[0].tolist() == [[1, 2]]
    assert grown.n_rows == 3


def test_lists_may_arrive_in_another_form_than_in_fit():
    fields, _ = Fields.fit(as_rows(pd.DataFrame({"a": LISTS})), [0])
    for other in (
        pd.DataFrame({"a": ["b|a"]}),
        pl.DataFrame({"a": [["a", "b"]]}),
        pd.DataFrame({"a": [("b", "a", "z")]}),
    ):
        assert fields.encode(as_rows(other)).bags[0].tolist() == [[1, 2]]
