"""Text that spells numbers or dates, and columns of which nearly each row is a category."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrec._data.features.fields import Fields
from skrec._data.tables.table import as_rows
from skrec.models import DCNClassifier

R = np.random.default_rng(0)
X = R.normal(size=300) * 9999
PLAIN = [f"{x:.2f}" for x in X]
DATES = pd.date_range("2020-01-01", periods=300).strftime("%Y-%m-%d").tolist()


def read(values, **options):
    frame = values if isinstance(values, (pd.DataFrame, pl.DataFrame, np.ndarray)) else pd.DataFrame({"p": values})
    return Fields.fit(as_rows(frame), [0], **options)[0]


def instead(values, value, row=0):
    return [*values[:row], value, *values[row + 1 :]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (PLAIN, "numbers as text, such as '1257.18': .* pandas.to_numeric, or"),
        (
            instead(PLAIN, "?"),
            r"numbers as text, such as '-1320.92', but also '\?': .*to_numeric\(..., errors='coerce'\)",
        ),
        (instead(PLAIN, "N/A", 150), "numbers as text, .* but also 'N/A': .*errors='coerce'"),
        (instead(PLAIN, "", 150), "numbers as text, .* but also '': .*errors='coerce'"),
        ([f"{x:,.2f}" for x in X], r"numbers as text, such as '1,257.18': .*to_numeric after X\['p'\].*\(',', ''\)"),
        (
            [f"{x:,.2f}".translate(str.maketrans(",.", ".,")) for x in X],
            r"numbers as text, such as '1.257,18': .*replace\('.', ''\).str.replace\(',', '.'\)",
        ),
        (
            [f"{x:.2f}".replace(".", ",") for x in X],
            r"numbers as text, such as '1257,18': .*\.str\.replace\(',', '\.'\)",
        ),
        ([f"{x:,.2f}".replace(",", " ") for x in X], r"numbers as text, such as '1 257.18': .*replace\(r'"),
        ([f"{x:,.0f}" for x in X], "numbers as text, such as '1,257': "),
        ([f"{x / 1e4:.1%}" for x in X], "numbers as text, such as '12.6%': .*other signs"),
        ([f"$ {x:.2f}" for x in X], r"numbers as text, such as '\$ 1257.18': .*other signs"),
        ([f"{x:.2f} \u20ac" for x in X], "numbers as text, .*other signs"),
        ([f"  {x:.2f} " for x in X], "numbers as text, such as '  1257.18 ': .*pandas.to_numeric, or"),
        ([f"{x:.3e}" for x in X], "numbers as text, such as '1.257e"),
        (DATES, "dates as text, such as '2020-01-01': .* pandas.to_datetime, or"),
        (
            instead(DATES, "soon", 9),
            r"dates as text, such as '2020-01-01', but also 'soon': .*to_datetime\(..., errors",
        ),
        ([f"{d[8:]}/{d[5:7]}/{d[:4]} 10:30" for d in DATES], "dates as text, such as '01/01/2020 10:30'"),
        ([pd.Timestamp(d).strftime("%d %b %Y") for d in DATES], "dates as text, such as '01 Jan 2020'"),
        ([*X[:200], "?", *X[201:]], r"numbers as objects, such as 1257.*, but also '\?': .*errors='coerce'"),
    ],
)
def test_most_values_tell_what_text_spells(values, message):
    with pytest.warns(UserWarning, match=f"Column 'p' holds {message}") as caught:
        read(pd.DataFrame({"p": pd.Series(values, dtype=object)}))
    assert len(caught) == 1


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(PLAIN, dtype="string"),
        pd.Series(PLAIN, dtype="category"),
        pd.Series(PLAIN, dtype="string[pyarrow]"),
        pl.Series(PLAIN),
        pl.Series(PLAIN, dtype=pl.Categorical),
        np.array(PLAIN)[:, None],
        np.array(PLAIN, dtype=object)[:, None],
    ],
    ids=["string", "category", "Arrow", "polars", "polars Categorical", "array", "array of objects"],
)
def test_text_is_read_in_every_container(column):
    table = column if isinstance(column, np.ndarray) else type(column)([]).to_frame("p").__class__({"p": column})
    with pytest.warns(UserWarning, match="Column '?(p|0)'? holds numbers as text, such as '1257.18'"):
        read(table)


@pytest.mark.parametrize(
    "values",
    [
        ["8001", "3011"] * 150,
        ["low", "high", "1.5"] * 100,
        ["a-1", "b-2.5", None] * 100,
        ["0.5", "1.5", "2.5", None] * 75,
        [f"{h:016x}" for h in R.integers(0, 2**63, 30)] * 10,
        [f"10.0.{i % 9}.{i % 7}" for i in range(300)],
        [f"v1.{i % 5}.{i % 3}" for i in range(300)],
        ["123-45-6789", "987-65-4321"] * 150,
        ["9-17", "10-18"] * 150,
        [True, False, None] * 100,
        list("ab") * 150,
        [f"n{i}" for i in range(199)],
        [f"n{i % 150}" for i in range(300)],
    ],
)
def test_ordinary_categories_are_not_suspected(values):
    dtype = "category" if "0.5" in values else object
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(pd.DataFrame({"p": pd.Series(values, dtype=dtype)})).layout.categorical == ("p",)


def test_declared_categories_are_not_suspected():
    frame = pd.DataFrame({"p": instead(PLAIN, "?")})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(frame, categorical=["p"])
        read(pd.DataFrame({"p": [f"{h:016x}" for h in R.integers(0, 2**63, 300)]}), categorical=["p"])


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_a_category_in_nearly_every_row_is_warned_about(dtype):
    names = pd.Series([f"name {i}" for i in range(290)] + ["name 0"] * 10, dtype=dtype)
    with pytest.warns(UserWarning, match=r"Column 'p' has a different category .* every row \(290 in 300 rows\), such"):
        read(names)


def test_models_warn_of_numbers_that_arrive_as_text():
    frame = pd.DataFrame({"p": instead(PLAIN, "?"), "c": ["x", "y"] * 150})
    with pytest.warns(UserWarning, match=r"Column 'p' holds numbers as text, .* but also '\?'"):
        DCNClassifier(epochs=1, random_state=0).fit(frame, X > 0)
