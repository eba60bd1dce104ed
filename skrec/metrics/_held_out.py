"""Held-out rows as every protocol needs them: whose they are, which item they hold, whether they are relevant."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import ABSENT, Vocabulary, as_rows, resolve_roles
from skrec._data.columns import as_column
from skrec._recommend import Unwrapped

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class RowIds:
    """Ids of the users and items of rows: as the model behind the transformers knows them, and raw.

    The raw ids tell users and items apart that an encoder maps to one code, as it does with all that are new to it.
    """

    users: Array
    items: Array
    raw_users: Array
    raw_items: Array
    user_name: str
    item_position: int

    @classmethod
    def of(cls, unwrapped: Unwrapped, X: Any) -> "RowIds":
        """Read the ids of raw rows `X`; raw ids are the model's where no raw column has the name of the model's."""
        model = unwrapped.model
        users, items = map(as_column, model.role_ids(unwrapped.transform(X)))
        rows, roles = as_rows(X), model._estimator_roles
        if not unwrapped.transformers:
            return cls(users, items, users, items, roles.user_name, roles.item)
        user, item = (_same_name(rows.names, name) for name in (roles.user_name, roles.item_name))
        raw_users = users if user == ABSENT else rows.column(user)
        raw_items = items if item == ABSENT else rows.column(item)
        name = roles.user_name.rpartition("__")[2]
        return cls(users, items, raw_users, raw_items, name, item)


def _same_name(names: tuple[str, ...] | None, name: str) -> int:
    """Return the position of a column that transformers may have renamed to ``step__name``."""
    for candidate in (name, name.rpartition("__")[2]):
        if names is not None and candidate in names:
            return names.index(candidate)
    return ABSENT


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The distinct held-out (user, item) pairs of the users who have a relevant one, sorted by user.

    Parameters
    ----------
    users : Index of length n_users
        Raw ids.
    queries : ndarray of shape (n_users,)
        Their ids as the model knows them.
    user : ndarray of shape (n_pairs,)
        Position of the pair's user in `users`; sorted.
    item : ndarray of shape (n_pairs,)
        Position of the pair's item in the catalogue; -1 if it is not there.
    relevant : ndarray of shape (n_pairs,), bool
    item_position : int
        Position of the item column in the raw rows; ``ABSENT`` if the raw item ids are not known.
    cold_user_share, cold_item_share : float
        Share of the users, and of the relevant pairs, that the training data did not hold.
    """

    users: pd.Index
    queries: Array
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    relevant: NDArray[np.bool_]
    item_position: int
    cold_user_share: float
    cold_item_share: float

    @classmethod
    def read(cls, unwrapped: Unwrapped, X: Any, y: Any) -> "HeldOut":
        """Collect the pairs of raw rows: those with ``y > 0`` are relevant, without `y` all of them."""
        ids = RowIds.of(unwrapped, X)
        labels = None if y is None else labels_of(y, len(ids.users), getattr(unwrapped.model, "classes_", None))
        return cls.of(unwrapped.model, ids, np.ones(len(ids.users), dtype=bool) if labels is None else labels > 0)

    @classmethod
    def of(cls, model: Any, ids: RowIds, relevant: NDArray[np.bool_]) -> "HeldOut":
        """Collect the pairs of rows; a pair that is there more than once counts once, and as relevant if a row is.

        Raises
        ------
        ValueError
            If no row is relevant.
        """
        if not relevant.any():
            raise ValueError(
                f"None of the {len(relevant)} rows to score is relevant (y > 0): there is nothing to find. Check y, or "
                "leave it out, and every row is relevant."
            )
        users, user_labels = codes_of(ids.raw_users, "user")
        items, item_labels = codes_of(ids.raw_items, "item")
        scored = np.bincount(users, weights=relevant, minlength=len(user_labels)) > 0
        kept = scored[users]
        users = (np.cumsum(scored) - 1)[users[kept]]
        keys, first, pair = np.unique(users * len(item_labels) + items[kept], return_index=True, return_inverse=True)
        item = positions_of(ids.items[kept][first], model.items_, "item_id")
        is_relevant = np.bincount(pair, weights=relevant[kept]) > 0
        user, first_row = keys // len(item_labels), np.unique(users, return_index=True)[1]
        queries = ids.users[kept][first_row]
        return cls(
            pd.Index(user_labels, name=ids.user_name)[scored],
            queries,
            user,
            item,
            is_relevant,
            ids.item_position,
            float(np.mean(positions_of(queries, model.users_, "user_id") < 0)),
            float(np.mean(item[is_relevant] < 0)),
        )

    def chunks(self, n_users: int) -> "list[tuple[slice, slice]]":
        """Return slices of at most `n_users` users, each with the slice of their pairs."""
        starts = np.arange(0, len(self.users), n_users)
        stops = np.minimum(starts + n_users, len(self.users))
        first, last = np.searchsorted(self.user, starts), np.searchsorted(self.user, stops)
        return [
            (slice(start, stop), slice(low, high))
            for start, stop, low, high in zip(*(a.tolist() for a in (starts, stops, first, last)), strict=True)
        ]


def codes_of(ids: Any, role: str) -> tuple[NDArray[np.int64], Any]:
    """Return the codes of ids, from 0 in the order of first appearance, and the distinct ids."""
    codes, distinct = pd.factorize(ids)
    if (codes < 0).any():
        raise ValueError(
            f"Input X contains NaN: the {role} of row {int(np.argmax(codes < 0))} is missing. Drop the row."
        )
    return codes.astype(np.int64), distinct


def positions_of(ids: Array, catalogue: Array, name: str) -> NDArray[np.int64]:
    """Return where ids are in an array of distinct ids; -1 for those that are not."""
    positions: NDArray[np.int64] = Vocabulary(as_column(catalogue), name).encode(ids).astype(np.int64) - 1
    return positions


def labels_of(y: Any, n_rows: int, classes: Any = None) -> NDArray[np.float64]:
    """Return labels as numbers: relevant rows above 0.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Numbers or booleans; or the labels of a classifier of two classes, of which the second is the relevant one.
    n_rows : int
        Number of rows there must be.
    classes : array of classes or None
        ``classes_`` of the classifier.

    Raises
    ------
    ValueError
        If the length is wrong, a label is missing or infinite, or labels are no numbers and not of two classes.
    """
    labels = as_column(y)
    if len(labels) != n_rows:
        raise ValueError(f"y has {len(labels)} labels, but X has {n_rows} rows: there must be one for each row.")
    missing = np.asarray(pd.isna(labels))
    if missing.any():
        raise ValueError(
            f"y contains NaN in row {int(np.argmax(missing))}: every row needs a label, or y must be None."
        )
    if labels.dtype.kind in "OMm":
        if not _is_binary(classes) or not pd.Series(labels).isin(list(classes)).all():
            raise ValueError(
                f"y holds labels such as {labels[0]!r}, of which it cannot be told which are relevant. Pass numbers: "
                "rows with y > 0 are relevant."
            )
        return np.asarray(labels == classes[1], dtype=np.float64)
    numbers = labels.astype(np.float64)
    if np.isinf(numbers).any():
        raise ValueError(f"y contains infinity in row {int(np.argmax(np.isinf(numbers)))}: labels must be finite.")
    return numbers


def predicted_scores(estimator: Any, X: Any) -> Array:
    """Return one score a row: of the second of two classes where the estimator knows it, else what it predicts.

    Raises
    ------
    ValueError
        If there is not one number a row, or one is NaN.
    """
    method = "predict"
    if _is_binary(getattr(estimator, "classes_", None)):
        methods = ("decision_function", "predict_proba", "predict")
        method = next(name for name in methods if hasattr(estimator, name))
    scores = np.asarray(getattr(estimator, method)(X))
    if method == "predict_proba":
        scores = scores[:, 1]
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    name = type(estimator).__name__
    if scores.ndim != 1 or scores.dtype.kind not in "iufb":
        raise ValueError(
            f"{method} of {name} returned an array of shape {scores.shape} and type {scores.dtype}; rows are ranked by "
            "one number each. Use a regressor, or a classifier of two classes."
        )
    if np.isnan(scores).any():
        raise ValueError(f"{method} of {name} returned NaN for row {int(np.argmax(np.isnan(scores)))}.")
    return scores.astype(np.float64) if scores.dtype.kind != "f" else scores


def user_column(X: Any, user: str | int | None) -> pd.Index:
    """Return the user of each row of raw `X`, for an estimator that does not know which column it is."""
    rows = as_rows(X)
    roles = resolve_roles(rows, user=user, required=("user",))
    return pd.Index(rows.column(roles.user), name=roles.user_name)


def _is_binary(classes: Any) -> bool:
    return classes is not None and np.ndim(classes) == 1 and len(classes) == 2
