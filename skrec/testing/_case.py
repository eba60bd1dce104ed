"""The data of the checks: a checkerboard of groups of users and groups of items."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor

N_GROUPS = 3
_N_USERS, _N_ITEMS = 30, 36


def require(condition: Any, message: str) -> None:
    """Raise AssertionError, also under ``python -O``."""
    if not condition:
        raise AssertionError(message)


@dataclass
class Case:
    """An estimator with the data that it is checked on, and a fitted copy that checks may read but not change.

    A user likes exactly the items of the user's own group. A Ranker is trained on 70 % of the liked pairs, a Classifier
    or a Regressor on 70 % of all pairs, with labels.

    Parameters
    ----------
    estimator : estimator
        The estimator to check; it is cloned before every fit.
    """

    estimator: Any

    def __post_init__(self) -> None:
        random = np.random.RandomState(0)
        user_of_pair, item_of_pair = np.divmod(random.permutation(_N_USERS * _N_ITEMS), _N_ITEMS)
        liked = user_of_pair % N_GROUPS == item_of_pair % N_GROUPS
        train = random.random_sample(len(liked)) < 0.7
        self.y: NDArray[Any] | None = None
        if is_classifier(self.estimator):
            self.y = liked[train].astype(int)
        elif is_regressor(self.estimator):
            self.y = np.where(liked[train], 5.0, 1.0)
        else:
            train &= liked
        self.X = self.rows([f"user {code:02}" for code in user_of_pair[train]], 300 + item_of_pair[train])

    @property
    def columns(self) -> list[str]:
        """The names of the user and the item column."""
        roles = [(getattr(self.estimator, role, None), f"{role}_id") for role in ("user", "item")]
        return [given if isinstance(given, str) else default for given, default in roles]

    def rows(self, users: Any, items: Any) -> pd.DataFrame:
        """Make rows of user ids and item ids; one of the two may be a single id."""
        return pd.DataFrame(dict(zip(self.columns, (users, items), strict=True)))

    @property
    def users(self) -> NDArray[Any]:
        """All user ids, sorted."""
        return np.array(sorted(set(self.X[self.columns[0]])), dtype=object)

    @property
    def items(self) -> NDArray[Any]:
        """All item ids, sorted."""
        return np.unique(self.X[self.columns[1]])

    def items_of(self, user: Any) -> NDArray[Any]:
        """Return the items of a user's rows."""
        user_column, item_column = self.columns
        return np.asarray(self.X.loc[self.X[user_column] == user, item_column])

    def fit(self, **parameters: Any) -> Any:
        """Fit a clone of the estimator, always with the same ``random_state``."""
        model = clone(self.estimator)
        if "random_state" in model.get_params():
            parameters = {"random_state": 0, **parameters}
        return model.set_params(**parameters).fit(*self.arguments())

    def arguments(self, rows: Any = slice(None)) -> tuple[Any, ...]:
        """Return the arguments of ``fit`` and ``partial_fit``, for all or some rows."""
        return (self.X[rows],) if self.y is None else (self.X[rows], self.y[rows])

    @cached_property
    def fitted(self) -> Any:
        """A fitted clone, which checks must not change."""
        return self.fit()

    @cached_property
    def scores(self) -> NDArray[Any]:
        """The scores of the catalogue by the fitted clone, of shape (n_users, n_items)."""
        return np.asarray(self.fitted.score_items(self.users))

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """The items that the fitted clone regards as seen, of shape (n_users, n_items)."""
        return np.asarray(self.fitted.seen_items(self.users).toarray(), dtype=bool)

    def relevance(self, model: Any, X: Any) -> NDArray[Any]:
        """Return the prediction of a model for each row as one number; higher is better."""
        if not is_classifier(model):
            return np.asarray(model.predict(X))
        if hasattr(model, "decision_function"):
            return np.asarray(model.decision_function(X))
        return np.asarray(model.predict_proba(X)[:, 1])
