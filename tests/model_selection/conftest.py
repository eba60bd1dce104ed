"""A log of events, and what every split must be."""

import numpy as np
import pandas as pd
import pytest


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
