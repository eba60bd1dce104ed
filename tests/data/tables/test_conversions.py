"""Each column of a table is converted once a call."""

import numpy as np
import pandas as pd
import pytest
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from skrec.models import FMClassifier, FMRanker, NCFRanker, SASRecRanker
from skrec.preprocessing import FeatureCrosses, HistoryEncoder, IDEncoder, MultiHotEncoder


class CountedDtype(ExtensionDtype):
    name, type, kind, na_value = "counted", object, "O", None

    @classmethod
    def construct_array_type(cls):
        return Counted


class Counted(ExtensionArray):
    """A column that counts how often it is made an array."""

    def __init__(self, values, counter):
        self.values, self.counter = values, counter
        self.dtype_ = CountedDtype()

    dtype = property(lambda self: self.dtype_)
    nbytes = property(lambda self: self.values.nbytes)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, at):
        found = self.values[at]
        return Counted(found, self.counter) if isinstance(found, np.ndarray) else found

    def __array__(self, dtype=None, copy=None):
        self.counter.append(1)
        return self.values.copy()

    def isna(self):
        self.counter.append(1)
        return pd.isna(self.values)

    def copy(self):
        return Counted(self.values.copy(), self.counter)

    def take(self, indices, *, allow_fill=False, fill_value=None):
        return Counted(self.values.take(indices), self.counter)


def table(**columns):
    """Return a frame of columns that count, and their counters."""
    counters = {name: [] for name in columns}
    frame = {}
    for name, values in columns.items():
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
        frame[name] = Counted(array, counters[name])
    return pd.DataFrame(frame), counters


R = np.random.default_rng(0)
USERS, ITEMS = R.integers(0, 20, 200), R.integers(0, 15, 200)
EVENTS = {
    "user_id": USERS,
    "item_id": ITEMS,
    "city": [f"city {user % 3}" for user in USERS],
    "genres": [["drama", "war"][: 1 + item % 2] for item in ITEMS],
    "image": [np.array([item / 2, 1.5]) for item in ITEMS],
}
FEATURES = {name: EVENTS[name] for name in ("city", "genres", "image")}
LABELS = USERS % 2


def once(counters):
    counts = {name: len(counter) for name, counter in counters.items()}
    for counter in counters.values():
        counter.clear()
    return counts


@pytest.mark.parametrize(
    ("estimator", "columns", "methods"),
    [
        (FMClassifier(epochs=1), FEATURES, ["predict", "predict_proba"]),
        (FMRanker(epochs=1, embedding_dim=2), EVENTS, ["predict", "partial_fit"]),
        (NCFRanker(epochs=1, architecture="mf"), {name: EVENTS[name] for name in ("user_id", "item_id")}, ["predict"]),
        (SASRecRanker(epochs=1, max_history=5), {name: EVENTS[name] for name in ("user_id", "item_id")}, ["predict"]),
        (IDEncoder(), {"user_id": USERS, "city": EVENTS["city"]}, ["transform"]),
        (FeatureCrosses(), {"user_id": USERS, "city": EVENTS["city"]}, ["transform"]),
        (MultiHotEncoder(), {"genres": EVENTS["genres"], "city": EVENTS["city"]}, ["transform"]),
        (HistoryEncoder(remainder="drop"), {"user_id": USERS, "item_id": ITEMS}, ["transform"]),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
@pytest.mark.filterwarnings("ignore:Column")
def test_a_column_is_converted_once_a_call(estimator, columns, methods):
    X, counters = table(**columns)
    labels = [LABELS] if hasattr(estimator, "predict_proba") else []
    estimator.fit(X, *labels)
    assert max(once(counters).values()) == 1
    for method in methods:
        getattr(estimator, method)(X)
        assert max(once(counters).values()) == 1, method


def test_queries_and_candidates_are_converted_once():
    X, _ = table(**EVENTS)
    model = FMRanker(epochs=1, embedding_dim=2).fit(X)
    queries, of_queries = table(**{name: EVENTS[name][:5] for name in EVENTS})
    candidates, of_candidates = table(**{name: EVENTS[name][:5] for name in EVENTS})
    columns = model.column_roles_
    assert columns is not None
    model.recommend(queries[["user_id", "city"]], k=2, candidates=candidates[["item_id", "genres", "image"]])
    assert set(once(of_queries).values()) <= {0, 1}
    assert set(once(of_candidates).values()) <= {0, 1}
