"""Names of columns, and what a misspelt one may have meant."""

import numpy as np
import pytest

from skrec._data.tables.spelling import closest, guessing


@pytest.mark.parametrize(
    ("name", "guess"), [("user_id", "UserID"), ("itm_id", "item_id"), ("price", None), ("item id", "item_id")]
)
def test_the_closest_name(name, guess):
    assert closest(name, ["UserID", "item_id"]) == guess


def error_of(known, names):
    with pytest.raises(ValueError, match="names should match") as caught, guessing(known, names):
        raise ValueError("The names should match.\n")
    return str(caught.value)


def test_what_is_misspelt_is_added_to_the_error():
    known = np.array(["user_id", "item_id", "age"], dtype=object)
    assert error_of(known, ("userid", "item_id", "Age")) == (
        "The names should match.\nDid you mean 'user_id' by 'userid', 'age' by 'Age'? Rename them."
    )


@pytest.mark.parametrize(
    ("known", "names"),
    [(["a"], None), (None, ["a"]), (["a", "b"], ["b", "a"]), (["age"], ["shoe"]), (["a"], ["a", "ab"])],
)
def test_where_nothing_is_the_error_stays_as_it_is(known, names):
    assert error_of(known, names) == "The names should match.\n"
