"""Full ranking and re-ranking: the items that are ranked for each user, and the values of all users."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._recommend import Unwrapped, is_recommender
from skrec.metrics._given_past import GivenPast
from skrec.metrics._held_out import HeldOut, cells, warn_of_new_items
from skrec.metrics._list_metrics import ListJudge
from skrec.metrics._metric_names import is_per_list, parse_metric
from skrec.metrics._row_ids import RowIds, codes_of, labels_of, predicted_scores, user_column
from skrec.metrics._user_values import Values, values_of_groups, values_of_rows

_MOST_USERS = 1024  # maximal number of users to score at a time
_MOST_SCORES = 2**24  # maximal number of scores in memory: 64 MiB


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of a protocol.

    Parameters
    ----------
    users : Index of length n_users
    values : dict of str to ndarray of shape (n_users,)
        The values of each user by metric.
    cold_user_share, cold_item_share : float, default=nan
        The shares of users and items that are new to the model.
    overall : dict of str to float
        The metrics that describe all users together.
    """

    users: pd.Index
    values: Values
    cold_user_share: float = np.nan
    cold_item_share: float = np.nan
    overall: dict[str, float] = field(default_factory=dict)


def rank_catalogue(
    names: Sequence[str], unwrapped: Unwrapped, X: Any, y: Any, *, item_features: Any, fold_in: Any = None
) -> Outcome:
    """Rank the whole catalogue for each user, in the context of the user's first row (``protocol="full"``).

    The items that the user chose in training (positive rows) are left out, except held-out items, relevant or not,
    because these are evaluated. With ``fold_in``, some rows are histories that the model is given. All metrics are
    computed from the same scores, for some users at a time.
    """
    model, past = unwrapped.model, None
    if fold_in is not None:
        past, X, y = GivenPast.split(unwrapped, X, y, fold_in)
    others = [name for name in names if not is_per_list(name)]
    held_out = HeldOut.read(unwrapped, X, y, ranked=bool(others))
    given = None if past is None else past.of_users(held_out.users)
    judge = ListJudge([name for name in names if is_per_list(name)], model, held_out, item_features)
    parts = []
    for users, pairs in held_out.chunks(users_at_once(len(model.items_))):
        row, item = held_out.user[pairs] - users.start, held_out.item[pairs]
        relevant = held_out.relevant[pairs]
        found = relevant & (item >= 0)
        excluded = held_out.left_out(model, users, pairs)
        positives = cells(row[found], item[found], excluded.shape)
        if given is None:
            scores = model.score_items(held_out.asked(users))
        else:
            scores = given.scores(model, held_out.asked(users), users)
            excluded = csr_array(excluded.maximum(given.left_out(users, excluded.shape[1])))
        part = values_of_rows(others, scores, positives, excluded, n_relevant=np.bincount(row[relevant]))
        parts.append(part | judge.values(scores, positives, excluded))
    values = {name: np.concatenate([part[name] for part in parts]) for name in names if name in parts[0]}
    return Outcome(held_out.users, values, held_out.cold_user_share, held_out.cold_item_share, judge.overall())


def users_at_once(n_items: int) -> int:
    """Return the number of users for whom a catalogue is scored at a time."""
    return max(1, min(_MOST_USERS, _MOST_SCORES // max(1, n_items)))


def rank_held_out_rows(
    names: Sequence[str], estimator: Any, unwrapped: Unwrapped, X: Any, y: Any, *, user: str | int | None
) -> Outcome:
    """Rank the held-out rows of each user by the predictions of the estimator (``protocol="rerank"``).

    Users for whom all orders have the same value are left out. The values of a metric that uses only whether labels are
    above 0 are NaN for users whose labels are all above 0, or all not; users without any value are omitted.
    """
    if y is None:
        raise ValueError(
            "protocol='rerank' orders each user's held-out rows and needs their labels, but y is None. Pass y, or use "
            "protocol='full', which treats every row as relevant."
        )
    ids = RowIds.of(unwrapped, X) if user is None and is_recommender(unwrapped.model) else None
    users = user_column(X, user) if ids is None else pd.Index(ids.raw_users, name=ids.user_name)
    codes, distinct = codes_of(users, "user")
    labels = np.maximum(labels_of(y, X, getattr(estimator, "classes_", None)), 0)
    ordered = _orderable(codes, labels, names)
    scores = predicted_scores(estimator, X)
    values = values_of_groups(names, codes, labels, scores, len(distinct))
    kept = np.any([*ordered.values()], axis=0)
    index = pd.Index(distinct, name=users.name)[kept]
    kept_values = {name: np.where(ordered[name], value, np.nan)[kept] for name, value in values.items()}
    if ids is None:
        return Outcome(index, kept_values)
    relevant = (labels > 0) & kept[codes]
    held_out = HeldOut.of(unwrapped.model, ids, relevant)
    if held_out.cold_item_share == 1 and not _differ_within(codes, scores).any():
        warn_of_new_items(unwrapped.model, ids, relevant, "it has the same score for all rows of a user")
    return Outcome(index, kept_values, held_out.cold_user_share, held_out.cold_item_share)


def _orderable(
    codes: NDArray[np.int64], labels: NDArray[np.float64], names: Sequence[str]
) -> dict[str, NDArray[np.bool_]]:
    """Return, for each metric (or "" if there is none), for which users the value depends on the order.

    Raise an error if there is no such user.
    """
    binary = [name for name in names if parse_metric(name)[0] != "ndcg"]
    graded, relevant = _differ_within(codes, labels), _differ_within(codes, labels > 0)
    cure = (
        "Hold out rows of both kinds for each user, or use protocol='full', which ranks the held-out items among the "
        "whole catalogue."
    )
    if not graded.any():
        raise ValueError(f"protocol='rerank' has nothing to order: all labels of each user are equal. {cure}")
    if binary and not relevant.any():
        raise ValueError(
            f"{binary[0]} uses only whether a label is above 0, and that is the same for all rows of each user. Pass "
            f"y in which 0 is not relevant (such as rating >= 4). {cure}"
        )
    return {name: relevant if name in binary else graded for name in names or [""]}


def _differ_within(codes: NDArray[np.int64], labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return, for each code, whether its labels differ."""
    first = np.unique(codes, return_index=True)[1]
    return np.bincount(codes, weights=labels != labels[first][codes]) > 0
