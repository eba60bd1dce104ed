import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer

from skrec._data.tables.roles import ABSENT, Roles, column_positions, resolve_roles
from skrec._data.tables.table import as_rows
from skrec.exceptions import ColumnError


def frame(*names):
    return as_rows(pd.DataFrame([range(len(names))], columns=list(names)))


ARRAY = as_rows(np.zeros((2, 3)))


def positions(roles):
    return roles.user, roles.item, roles.time


@pytest.mark.parametrize(
    ("rows", "given", "expected"),
    [
        (frame("user_id", "item_id"), {}, (0, 1, None)),
        (frame("price", "timestamp", "item_id", "user_id"), {}, (3, 2, 1)),
        (frame("a", "b"), {"user": "b", "item": "a"}, (1, 0, None)),
        (frame("a", "b", "c"), {"user": 1, "item": 0, "time": np.int64(2)}, (1, 0, 2)),
        (frame("user_id", "item_id", "b"), {"user": "b"}, (2, 1, None)),
        (frame("enc__user_id", "enc__item_id", "remainder__timestamp"), {}, (0, 1, 2)),
        (frame("enc__user_id", "user_id", "item_id"), {}, (1, 2, None)),
        (frame("enc__who", "enc__what"), {"user": "who", "item": "what"}, (0, 1, None)),
        (as_rows(pl.DataFrame({"item_id": [1], "user_id": [1]})), {}, (1, 0, None)),
        (ARRAY, {}, (0, 1, None)),
        (ARRAY, {"user": 2, "time": 0}, (2, 1, 0)),
        (as_rows(pd.DataFrame([[1, 2, 3]])), {}, (0, 1, None)),
        (as_rows(pd.DataFrame([[1, 2, 3]], columns=[7, 8, 9])), {"item": 2}, (0, 2, None)),
    ],
)
def test_roles_are_found(rows, given, expected):
    assert positions(resolve_roles(rows, **given)) == expected


def test_roles_know_their_column_names():
    roles = resolve_roles(frame("t", "enc__user_id", "sku"), item="sku", time="t")
    assert (roles.user_name, roles.item_name, roles.time_name) == ("enc__user_id", "sku", "t")
    roles = resolve_roles(ARRAY, user=1, item=0)
    assert (roles.user_name, roles.item_name, roles.time_name) == ("user_id", "item_id", "timestamp")
    assert resolve_roles(frame("user_id", "item_id")).time_name == "timestamp"


def test_roles_survive_a_column_transformer():
    X = pd.DataFrame({"price": [1.0], "user_id": ["a"], "item_id": ["b"]})
    encoder = ColumnTransformer([("ids", "passthrough", ["item_id", "user_id"])], remainder="passthrough")
    out = encoder.set_output(transform="pandas").fit_transform(X)
    assert positions(resolve_roles(as_rows(out))) == (1, 0, None)


def test_roles_that_are_not_required_may_be_absent():
    assert resolve_roles(frame("user_id"), required=("user",)) == Roles(0, ABSENT, None, ("user_id",))
    assert positions(resolve_roles(as_rows([[1]]), required=("user",))) == (0, ABSENT, None)
    assert positions(resolve_roles(frame("age", "price"), required=())) == (ABSENT, ABSENT, None)


@pytest.mark.parametrize(
    ("rows", "given", "message"),
    [
        (
            frame("userid", "item_id"),
            {},
            (
                r"^X has no column 'user_id' for the user; its columns are 'userid' and 'item_id'. "
                r"Did you mean 'userid'\? Pass user='userid', or rename the column.$"
            ),
        ),
        (frame("user_id", "ITEM ID"), {}, r"no column 'item_id' for the item.*Did you mean 'ITEM ID'\?"),
        (frame("user_id", "movie"), {}, r"are 'user_id' and 'movie'. Pass item= with the name of the column"),
        (frame("user_id", "item_id", "time"), {"time": "tiem"}, r"no column 'tiem' for the time.*mean 'time'\?"),
        (frame(*(f"c{i}" for i in range(30))), {}, r"'c18', 'c19' and 10 more. Pass user="),
        (ARRAY, {"user": "user_id"}, r"user='user_id' is a column name, but X has no .*set_output\(.*user=0"),
        (ARRAY, {"time": "t"}, r"time='t' is a column name.*or give a position, for instance time=2"),
        (ARRAY, {"item": 3}, r"item=3 is not a position in X, which has 3 column\(s\), from 0 to 2"),
        (ARRAY, {"item": -1}, r"item=-1 is not a position"),
        (frame("user_id", "item_id"), {"item": 2}, r"item=2 is not a position"),
        (frame("user_id", "item_id"), {"item": True}, r"item=True is neither a column name nor a position"),
        (ARRAY, {"user": 1}, r"user and item are the same column, 1: each role needs a column of its own"),
        (frame("a", "item_id"), {"user": "item_id"}, r"user and item are the same column, 'item_id'"),
        (
            frame("a__user_id", "b__user_id", "item_id"),
            {},
            r"more than one that ends in it: 'a__user_id' and 'b__user_id'. Say which, for instance user='a__user_id'",
        ),
        (as_rows([[1], [2]]), {}, r"X has 1 feature\(s\), and so no column 1 for the item"),
    ],
)
def test_roles_that_cannot_be_found(rows, given, message):
    with pytest.raises(ColumnError, match=message):
        resolve_roles(rows, **given)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (frame("user_id", "time_stamp"), "no column 'timestamp' for the time; .* Did you mean 'time_stamp'"),
        (ARRAY, "no column names, so that the position of the time has to be given. Pass time= with it"),
    ],
)
def test_a_time_that_is_required_must_be_there(rows, message):
    with pytest.raises(ColumnError, match=message):
        resolve_roles(rows, required=("time",))


def test_column_errors_are_value_errors():
    with pytest.raises(ValueError, match="no column 'user_id'"):
        resolve_roles(frame("a", "b"))


def test_listed_columns_are_found_by_name_position_and_transformed_name():
    rows = as_rows(pd.DataFrame([[1, 2, 3]], columns=["cat__city", "num__age", "city"]))
    assert column_positions(rows, ["city", "age", 0, "num__age"], parameter="p") == [2, 1, 0]
    assert column_positions(rows, np.array([True, False, True]), parameter="p") == [0, 2]
    assert column_positions(rows, (), parameter="p") == []


def test_a_listed_column_that_could_be_several_is_refused():
    rows = as_rows(pd.DataFrame([[1, 2]], columns=["cat__city", "num__city"]))
    with pytest.raises(ColumnError, match=r"p has 'city', .*several columns end in it: 'cat__city' and 'num__city'"):
        column_positions(rows, ["city"], parameter="p")
