import warnings

import numpy as np
import pandas as pd
import pytest

from skrec._data import as_rows
from skrec._data.ids.id_columns import is_id_name, looks_like_ids, role_of_name, warn_ids_as_numbers

N = 8_000


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def zipf(draw, n):
    share = draw.permutation(1 / np.arange(1, n + 1))
    return draw.choice(n, N, p=share / share.sum())


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, "user") for name in ("user_id", "UserID", "user", "uid", "num__user_id", "customer-id")),
        *((name, "item") for name in ("item_id", "itemid", "remainder__item_id", "movieId", "sku")),
        *((name, None) for name in ("age", "user_age", "item_price", "shop_id", "paid", "")),
    ],
)
def test_names_suggest_roles(name, role):
    assert role_of_name(name) == role


def test_names_of_ids_end_in_one():
    assert all(map(is_id_name, ["user_id", "shopId", "Store ID", "cityid", "uuid"]))
    assert not any(map(is_id_name, ["paid", "humid", "grid", "valid", "idle", "age"]))


def test_ids_have_no_order(draw):
    assert looks_like_ids(zipf(draw, 300) + 7_000.0)
    assert looks_like_ids(draw.choice(300, N, p=draw.dirichlet(np.full(300, 2.0))).astype(float))


@pytest.mark.parametrize(
    "measure",
    {
        "ages": lambda draw: np.clip(draw.normal(40, 15, N), 1, 99),
        "even": lambda draw: draw.integers(0, 1_000, N),
        "counts": lambda draw: draw.negative_binomial(2, 0.005, N),
        "skewed": lambda draw: draw.exponential(60, N),
        "years": lambda draw: draw.integers(1950, 2024, N),
        "ratings": lambda draw: draw.integers(1, 6, N),
        "prices": lambda draw: 10 * draw.integers(0, 200, N) + 9,
        "rounded": lambda draw: np.where(draw.random(N) < 0.3, 50 * draw.integers(0, 10, N), draw.integers(0, 500, N)),
        "minutes": lambda draw: np.where(draw.random(N) < 0.5, 10 * draw.integers(0, 30, N), draw.integers(0, 300, N)),
        "fractions": lambda draw: draw.random(N),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_measures_are_no_ids(draw, measure):
    assert not looks_like_ids(np.floor(measure[1](draw)) + (0.5 if measure[0] == "fractions" else 0))


def warned(frame, positions, roles=("user", "item"), *, chosen=False):
    with warnings.catch_warnings(record=True, action="always") as caught:
        warn_ids_as_numbers(as_rows(frame), positions, roles=roles, chosen=chosen)
    return [str(warning.message) for warning in caught]


def test_the_warning_names_the_columns_and_the_cure(draw):
    ids = draw.integers(0, 50, 200)
    frame = pd.DataFrame({"user_id": ids, "itemId": ids, "shop_id": ids, "age": ids})
    (message,) = warned(frame, range(4))
    assert message.startswith("The column(s) 'user_id', 'itemId', 'shop_id' look like ids")
    assert "pass user='user_id', item='itemId'" in message
    assert "X['user_id'].astype('category')" in message
    (message,) = warned(frame, range(4), chosen=True)  # the other numbers are numbers on purpose
    assert message.startswith("The column(s) 'user_id', 'itemId' look like ids")
    assert not warned(frame[["age"]], [0])
    assert not warned(frame[["shop_id"]].assign(shop_id=range(200)), [0])  # a number of the row
    (message,) = warned(np.column_stack([draw.random(N), zipf(draw, 300)]), [0, 1])
    assert "categorical_features=[1]" in message


def test_whole_numbers_that_are_equal_as_floats_are_warned_of(draw):
    hashes = draw.integers(0, 8, N) + 2**60
    seconds = draw.integers(0, 10**9, N)
    for column in (
        pd.Series(hashes),
        pd.Series(hashes.astype(np.uint64) + np.uint64(2**63)),
        pd.Series(-hashes),
        pd.Series(hashes, dtype="Int64").mask(np.arange(N) == 7),
        pd.Series(hashes).astype(object),
    ):
        (message,) = warned(column.to_frame("ad"), [0])
        assert message.startswith("The column(s) 'ad' look like ids")
    times = pd.DataFrame({"seconds": seconds, "nanoseconds": (seconds + 10**9) * 10**9})
    assert not warned(times, [0, 1])
    assert not warned(pd.DataFrame({"one": 2**60, "gap": [None, "a"] * 50}, index=range(100)), [0, 1])
