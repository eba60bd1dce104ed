"""A ranker with random scores that stands in for skrec's models, known to scorers by its methods alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skrec._data import Interactions, Vocabulary, as_rows, resolve_roles


class RandomRanker(BaseEstimator):
    """Scores are random small whole numbers, so that many are tied; ``bonus`` is added for the items of training."""

    def __init__(self, seed=0, levels=5, bonus=0.0):
        self.seed = seed
        self.levels = levels
        self.bonus = bonus

    def fit(self, X, y=None):
        rows = as_rows(X)
        self.n_features_in_ = rows.n_columns
        self._estimator_roles = resolve_roles(rows)
        self._users, users = Vocabulary.fit(rows.column(self._estimator_roles.user))
        self._items, items = Vocabulary.fit(rows.column(self._estimator_roles.item), name="item_id")
        kept = slice(None) if y is None else np.asarray(y) > 0
        sizes = {"n_users": len(self._users), "n_items": len(self._items)}
        self._log = Interactions.from_codes(users[kept], items[kept], **sizes)
        self.users_, self.items_ = self._users.ids, self._items.ids
        rng = np.random.default_rng(self.seed)
        self.table_ = rng.integers(0, self.levels, (len(self._users) + 1, len(self._items))).astype(np.float32)
        self.table_ += self.bonus * self._log.item_counts[1:]
        self.n_calls_ = 0
        return self

    def role_ids(self, X):
        rows = as_rows(X)
        return rows.column(self._estimator_roles.user), rows.column(self._estimator_roles.item)

    def score_items(self, queries, candidates=None):
        self.n_calls_ += 1
        columns = slice(None) if candidates is None else self._items.encode(candidates) - 1
        return self.table_[self._users.encode(queries)][:, columns]

    def seen_items(self, queries):
        return self._log.seen(self._users.encode(queries))

    def predict(self, X):
        users, items = self.role_ids(X)
        return np.append(self.table_, np.zeros((len(self.table_), 1)), axis=1)[
            self._users.encode(users), self._items.encode(items) - 1
        ]

    def recommend(self, queries, k=10):
        raise NotImplementedError


@pytest.fixture(scope="session")
def random_ranker():
    return RandomRanker


@pytest.fixture
def log():
    rng = np.random.default_rng(5)
    X = pd.DataFrame({"user_id": rng.integers(0, 30, 600), "item_id": rng.zipf(1.3, 600) % 40})
    return X.assign(user_id="u" + X.user_id.astype(str), item_id="i" + X.item_id.astype(str))
