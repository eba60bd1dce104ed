"""A log of events and what every split must be; a cheap estimator with a known best parameter, for searches."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator


@pytest.fixture(scope="session")
def splits_of():
    """Split a table into a list of (train, test), after the checks that hold for every splitter."""

    def splits(splitter, X, **arguments):
        found = list(splitter.split(X, **arguments))
        assert len(found) == splitter.get_n_splits(X)
        for train, test in found:
            assert len(train)
            assert len(test)
            assert not set(train) & set(test)
            for rows in (train, test):
                assert rows.dtype.kind == "i"
                assert np.all(np.diff(rows) > 0)
                assert 0 <= rows[0] <= rows[-1] < len(X)
        return found

    return splits


@pytest.fixture(scope="session")
def log():
    """400 events of 40 users and 50 items, some of them rare, in no order, with ties in time."""
    random = np.random.default_rng(0)
    users, items = random.zipf(1.4, 1000) % 40, random.zipf(1.2, 1000) % 50
    return pd.DataFrame({"user_id": users, "item_id": items, "timestamp": random.integers(0, 90, 1000)})[:400]


class Parabola(BaseEstimator):
    """Its score is best, 0, at x = 3; each fold takes off what its rows are on average."""

    def __init__(self, x=0.0, kind="plain", broken=None):
        self.x = x
        self.kind = kind
        self.broken = broken

    def fit(self, X, y=None, sample_weight=None):
        if self.broken is not None and self.broken(self, X):
            raise RuntimeError(f"x={self.x:.2f} is broken")
        self.weight_ = None if sample_weight is None else float(sum(sample_weight))
        self.n_features_in_ = 1
        return self

    def predict(self, X):
        return [self.x] * len(X)

    def score(self, X, y=None, sample_weight=None):
        return -((self.x - 3) ** 2) - float(sum(row[0] for row in X)) / len(X)


@pytest.fixture
def parabola():
    return Parabola
