"""Metrics beyond accuracy for the lists of a full ranking."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._recommend import top_k
from skrec.metrics._held_out import HeldOut
from skrec.metrics._list_statistics import (
    Lists,
    are_cells,
    counts_in,
    distances_within,
    gini_index,
    mean_over_lists,
    places_by_popularity,
    self_information,
    serendipity_of,
    unit_vectors,
)
from skrec.metrics._metric_names import parse_metric
from skrec.metrics._ranks import refuse_nan
from skrec.metrics._recommended_lists import feature_vectors
from skrec.metrics._user_values import Values

_USERS_AT_ONCE = 2**16


class ListJudge:
    """Evaluates the lists of a model, some users at a time.

    Parameters
    ----------
    names : sequence of str
        Metrics of lists; may be empty.
    model : estimator
        A fitted skrec model.
    held_out : HeldOut
    item_features : DataFrame or None
        Features for diversity, one row per item, indexed by raw item id. If None, the model's embeddings are used.
    """

    def __init__(self, names: Sequence[str], model: Any, held_out: HeldOut, item_features: Any) -> None:
        self._metrics = {name: parse_metric(name) for name in names}
        kinds = {kind for kind, _ in self._metrics.values()}
        self._barred, n_items = held_out.barred, len(model.items_)
        self._depth = min(n_items, max((k or 0 for _, k in self._metrics.values()), default=0))
        if kinds & {"novelty", "serendipity", "neg_popularity"}:
            self._shares, n_users = _popularity(model)
            self._information = self_information(self._shares, n_users)
        if "diversity" in kinds:
            self._vectors = _vectors(model, held_out, item_features)
        self._needs_places = "serendipity" in kinds
        self._counts = {
            k: np.zeros(n_items, dtype=np.int64)
            for kind, k in self._metrics.values()
            if kind in {"coverage", "neg_gini"}
        }

    def values(self, scores: NDArray[Any], positives: csr_array, excluded: csr_array) -> Values:
        """Return the values of users, and update the statistics of all lists together.

        Parameters
        ----------
        scores : ndarray of shape (n_users, n_items)
        positives, excluded : csr_array of shape (n_users, n_items)
            Their stored entries are the relevant items, and the items that are not recommended.

        Returns
        -------
        dict of str to ndarray of shape (n_users,)
            The metrics that have a value for each user.
        """
        if not self._metrics:
            return {}
        lists = _best(scores, excluded, self._depth)
        for k in self._counts:
            self._counts[k] += counts_in(lists[:, :k], scores.shape[1])
        if self._needs_places:
            places = places_by_popularity(lists, self._shares, excluded)
            rows = np.repeat(np.arange(len(lists)), np.diff(positives.indptr))
            found = are_cells(lists, rows, positives.indices, scores.shape[1])
        values: Values = {}
        for name, (kind, k) in self._metrics.items():
            first = lists[:, :k]
            if kind == "novelty":
                values[name] = mean_over_lists(first, self._information)
            elif kind == "neg_popularity":
                values[name] = -mean_over_lists(first, self._shares)
            elif kind == "diversity":
                values[name] = distances_within(first, self._vectors)
            elif kind == "serendipity":
                values[name] = serendipity_of(found, places, k or 1)
        return values

    def overall(self) -> dict[str, float]:
        """Return the metrics that describe all lists together."""
        result = {}
        for name, (kind, k) in self._metrics.items():
            if kind in {"coverage", "neg_gini"}:
                counts = np.delete(self._counts[k], self._barred)
                result[name] = float(np.mean(counts > 0)) if kind == "coverage" else -gini_index(counts)
        return result


def _best(scores: NDArray[Any], excluded: csr_array, k: int) -> Lists:
    refuse_nan(scores)
    ranked = np.array(scores, dtype=scores.dtype if scores.dtype.kind == "f" else np.float64)
    ranked[np.repeat(np.arange(len(ranked)), np.diff(excluded.indptr)), excluded.indices] = -np.inf
    columns, values = top_k(ranked, k)
    return np.where(values > -np.inf, columns, -1)


def _popularity(model: Any) -> tuple[NDArray[np.float64], int]:
    """Return, for each item, the share of the users of ``fit`` who chose it, and the number of users who chose any."""
    counts, n_users = np.zeros(len(model.items_)), 0
    for start in range(0, len(model.users_), _USERS_AT_ONCE):
        seen = csr_array(model.seen_items(model.users_[start : start + _USERS_AT_ONCE]))
        counts += np.bincount(seen.indices, minlength=len(counts))
        n_users += int(np.count_nonzero(np.diff(seen.indptr)))
    return counts / max(1, n_users), max(1, n_users)


def _vectors(model: Any, held_out: HeldOut, item_features: Any) -> NDArray[np.float64]:
    if item_features is None:
        if not hasattr(model, "item_embeddings_"):
            raise ValueError(
                f"diversity compares items by vectors, and {type(model).__name__} learns no embeddings of items: pass "
                "item_features=, a DataFrame of numbers with one row per item, indexed by item id."
            )
        return unit_vectors(model.item_embeddings_)
    vectors = np.zeros((len(model.items_), item_features.shape[1]))
    kept = np.setdiff1d(np.arange(len(vectors)), held_out.barred)
    vectors[kept] = feature_vectors(item_features, held_out.catalogue[kept])
    return unit_vectors(vectors)
