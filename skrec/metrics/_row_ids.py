"""What scorers read off raw rows: ids, labels and predictions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import ABSENT, as_rows, resolve_roles
from skrec._data.tables.columns import as_column
from skrec._data.targets.labels import read_labels
from skrec._data.targets.numbers import numeric_labels
from skrec._recommend import Unwrapped
from skrec._recommend._frames import as_table, columns_of
from skrec._recommend._id_path import decoded, id_path, stages_of
from skrec._recommend._inverse_steps import Stage
from skrec._recommend._protocol import FittedRecommender, StoresHistories, query_times, roles_of

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class RowIds:
    """Ids of the users and items of rows: raw, and as the model behind the transformers knows them.

    An encoder may map several raw ids to one code: all that are new to it, and with ``min_frequency`` the rare ones.
    The raw ids tell them apart. Such a code cannot be recommended, for it stands for no item, and the training events
    under it are not those of one user. Were it counted as an item, then the more items an encoder merges, the better
    would its model seem.

    Parameters
    ----------
    users, items : ndarray of shape (n_rows,)
        Ids as the model knows them.
    raw_users, raw_items : ndarray of shape (n_rows,)
        Ids in the raw rows; those of the model where the transformers cannot be inverted.
    own_user, own_item : ndarray of shape (n_rows,), bool
        Whether the model's id stands for the raw one alone.
    catalogue : ndarray of shape (n_items,)
        Raw ids of the model's items, in its order; those of the model where the transformers cannot be inverted.
    barred : ndarray of int
        Positions in the catalogue of ids that stand for no item.
    user_name : str
        Name of the user column.
    item_position : int
        Position of the item column in the raw rows; ``ABSENT`` where the transformers cannot be inverted.
    context : table of shape (n_rows, n_columns) or None
        The rows as the model is given them, where it was fitted with columns besides the user, the item and the time,
        or reads what its users did before.
    when : ndarray of shape (n_rows,) or None
        The times of these rows.
    """

    users: Array
    items: Array
    raw_users: Array
    raw_items: Array
    own_user: NDArray[np.bool_]
    own_item: NDArray[np.bool_]
    catalogue: Array
    barred: NDArray[np.int64]
    user_name: str
    item_position: int
    context: Any
    when: Array | None

    @classmethod
    def of(cls, unwrapped: Unwrapped, X: Any) -> "RowIds":
        """Read the ids of raw rows."""
        transformed = unwrapped.transform(X)
        context = _context(unwrapped.model, transformed)
        when = None if context is None else query_times(unwrapped.model, context)
        users, items = map(as_column, unwrapped.model.role_ids(transformed))
        roles, own_catalogue = roles_of(unwrapped.model), np.asarray(unwrapped.model.items_)
        every, nothing = np.ones(len(users), dtype=np.bool_), np.empty(0, dtype=np.int64)
        untold = users, items, users, items, every, every, own_catalogue, nothing, roles.user_name
        if not unwrapped.transformers:
            return cls(*untold, roles.item, context, when)
        try:
            stages, user, item = stages_of(unwrapped.transformers, roles.user, roles.item)
        except (AttributeError, ValueError):  # it cannot be told which raw columns they are
            return cls(*untold, ABSENT, context, when)
        rows, names = as_rows(X), stages[0].names
        columns = columns_of(transformed)
        raw_columns = decoded(stages, columns)
        own_user, own_item = raw_columns[user], raw_columns[item]
        catalogue = _raw_catalogue(unwrapped, stages, columns, item)
        if names is not None and rows.names is not None:
            user, item = rows.names.index(str(names[user])), rows.names.index(str(names[item]))
        raw_users, raw_items = rows.column(user), rows.column(item)
        return cls(
            users,
            items,
            raw_users,
            raw_items,
            _is_own(users, raw_users, own_user),
            _is_own(items, raw_items, own_item),
            catalogue,
            np.flatnonzero(pd.isna(catalogue)),
            roles.user_name if rows.names is None else rows.names[user],
            item,
            context,
            when,
        )


def _raw_catalogue(unwrapped: Unwrapped, stages: list[Stage], columns: list[Array], item: int) -> Array:
    """Return the raw ids of the items of a model behind transformers; None for a code of several."""
    try:
        return id_path(unwrapped).catalogue  # kept from call to call
    except Exception:  # noqa: BLE001  # transformers may refuse made-up values in any way: take those of a row
        own = np.asarray(unwrapped.model.items_)
        first = [np.repeat(column[:1], len(own)) for column in columns]
        first[roles_of(unwrapped.model).item] = own
        catalogue = decoded(stages, first)[item].astype(object)
        catalogue[catalogue == "infrequent_sklearn"] = None
        return catalogue


def _context(model: FittedRecommender, X: Any) -> Any:
    """Return the rows as a table that the model takes as queries; None where it knows a query by its user alone."""
    roles = roles_of(model)
    n_ids = 2 if roles.time is None else 3
    reads_times = roles.time is not None and isinstance(model, StoresHistories)
    if getattr(model, "n_features_in_", n_ids) <= n_ids and not reads_times:
        return None
    table = as_rows(X).table
    return as_table(table, None) if isinstance(table, list) else table


def _is_own(codes: Array, raw: Array, decoded: Array) -> NDArray[np.bool_]:
    """Return whether the code of a row stands for its raw id alone."""
    own = np.asarray(decoded.astype(object) == raw.astype(object), dtype=np.bool_)
    if own.any() or pd.isna(decoded).all():
        return own
    # Nothing comes back as it was: inverse_transform does not invert. Codes that two raw ids share tell themselves.
    pairs = pd.DataFrame({"code": codes, "raw": raw}).drop_duplicates()
    return ~np.isin(codes, pairs.code[pairs.code.duplicated()].to_numpy())


def codes_of(ids: Any, role: str) -> tuple[NDArray[np.int64], Any]:
    """Return the codes of ids, from 0 in the order of first appearance, and the distinct ids."""
    codes, distinct = pd.factorize(ids)
    if (codes < 0).any():
        raise ValueError(
            f"Input X contains NaN: the {role} of row {int(np.argmax(codes < 0))} is missing. Drop the row."
        )
    return codes.astype(np.int64), distinct


def labels_of(y: Any, X: Any, classes: Any = None) -> NDArray[np.float64]:
    """Return labels as numbers: relevant rows above 0.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        Numbers or bools; or the labels of a classifier of two classes, of which the second is the relevant one.
    X : table of shape (n_rows, n_columns)
        The rows that they belong to.
    classes : array of classes or None
        ``classes_`` of the classifier.

    Raises
    ------
    ValueError
        If the length or the order of pandas labels differs, a label is missing or infinite, or labels are not numbers
        and not of two classes.
    """
    cure = " With protocol='full', y=None makes every row relevant."
    column = read_labels(y, X, cure=cure)
    if _is_binary(classes) and pd.Series(column).isin(list(classes)).all():
        return np.asarray(column == classes[1], dtype=np.float64)
    what = "numbers, above 0 for the relevant rows"
    if _is_binary(classes):
        what += f", or labels of the classes {np.asarray(classes).tolist()!r}"
    return numeric_labels(column, X, what=what, cure="Convert it, for instance with y == 'click'.")


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
