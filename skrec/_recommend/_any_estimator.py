"""Estimators that are not skrec's: every pair of a query and a candidate is scored as a row."""

from typing import Any

import numpy as np
import pandas as pd

from skrec._data.features.conflicts import refuse_conflicts
from skrec._data.tables.columns import Column, as_column
from skrec._data.tables.table import as_rows
from skrec._estimators import check_is_fitted
from skrec._recommend._candidates import CandidateLists, best_in_lists, read_candidates
from skrec._recommend._frames import as_ids, as_table, is_table, named_column
from skrec._recommend._result import Ranking
from skrec.exceptions import ColumnError

_ROWS_AT_ONCE = 1_000_000


def rank_foreign(estimator: Any, queries: Any, candidates: Any) -> Ranking:
    """Rank the candidates for each query; ties stay in the order of the candidates."""
    if candidates is None:
        raise ValueError(
            f"{type(estimator).__name__} has no catalogue of its own: pass candidates=, the ids of the items to choose "
            "from (or a DataFrame of their features)."
        )
    check_is_fitted(estimator)
    users = _side(queries, "user_id", "queries")
    found = read_candidates(candidates, as_column(users["user_id"]), catalogue=None, names=("user_id", "item_id"))
    if isinstance(found, CandidateLists):
        return _rank_lists(estimator, users, found)
    items = _side(found, "item_id", "candidates")
    if items.empty:
        raise ValueError("candidates is empty: pass at least one item.")
    first, item = np.unique(pd.factorize(items["item_id"])[0], return_index=True, return_inverse=True)[1:]
    features = [at for at, name in enumerate(items) if name != "item_id"]
    ids = as_column(items["item_id"])
    refuse_conflicts(as_rows(items), features, first[item], ids, argument="candidates", item="item_id")
    items = items.drop_duplicates("item_id")
    twice = [name for name in users if name in items]
    if twice:
        raise ColumnError(f"The queries and the candidates both have the column {twice[0]!r}: leave it out of one.")
    scores = np.empty((len(users), len(items)))
    step = max(1, _ROWS_AT_ONCE // len(items))
    for start in range(0, len(users), step):
        rows = users.iloc[start : start + step].merge(items, how="cross")
        scores[start : start + step] = _scores(estimator, _as_fitted(estimator, rows)).reshape(-1, len(items))
    positions = np.argsort(-scores, axis=1, kind="stable").astype(np.int64)
    scores = np.take_along_axis(scores, positions, axis=1)
    return Ranking(as_column(users["user_id"]), as_column(items["item_id"]), positions, scores)


def _rank_lists(estimator: Any, users: pd.DataFrame, lists: CandidateLists) -> Ranking:
    """Rank candidates that differ by query; of an item that a list has more than once the first row counts."""
    given = pd.DataFrame({"query": lists.query, "item_id": lists.ids})
    kept = np.flatnonzero(~given.duplicated().to_numpy())
    query, catalogue = lists.query[kept], lists.ids[kept]
    items = pd.DataFrame({"item_id": catalogue})
    if lists.rows is not None:
        table = _side(lists.table, "item_id", "candidates").drop(columns="user_id")
        items = table.iloc[lists.rows[kept]].reset_index(drop=True)
    twice = [name for name in users if name in items]
    if twice:
        raise ColumnError(f"The queries and the candidates both have the column {twice[0]!r}: leave it out of one.")
    rows = pd.concat([users.iloc[query].reset_index(drop=True), items], axis=1)
    scores = np.concatenate(
        [
            _scores(estimator, _as_fitted(estimator, rows.iloc[start : start + _ROWS_AT_ONCE]))
            for start in range(0, max(1, len(rows)), _ROWS_AT_ONCE)
        ]
    )
    best = best_in_lists(query, np.arange(len(query)), scores, len(users), lists.longest)
    return Ranking(as_column(users["user_id"]), catalogue, best, np.where(best < 0, -np.inf, scores[best]))


def _side(values: Any, name: str, argument: str) -> pd.DataFrame:
    """Return queries or candidates as a DataFrame with the column `name`."""
    if hasattr(values, "columns"):
        return pd.DataFrame({str(label): named_column(values, label, argument) for label in [*values.columns, name]})
    if is_table(values):
        raise ValueError(f"{argument} must be ids, or rows in a DataFrame with the column {name!r}.")
    return pd.DataFrame({name: as_ids(values, argument)})


def _as_fitted(estimator: Any, rows: pd.DataFrame) -> Any:
    """Return rows with the columns, and in the form, that the estimator was fitted on."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        missing = [str(name) for name in names if name not in rows]
        if missing:
            raise ColumnError(
                f"{type(estimator).__name__} was fitted on the columns {missing}, which neither the queries nor the "
                "candidates have: pass these as DataFrames (the user's in 'user_id', the item's in 'item_id')."
            )
        return rows[[*names]]
    width = getattr(estimator, "n_features_in_", rows.shape[1])
    if rows.shape[1] != width:
        raise ValueError(
            f"{type(estimator).__name__} was fitted on {width} column(s) without names, and the rows to score have "
            f"{rows.shape[1]}: fit it on a DataFrame with the columns 'user_id' and 'item_id'."
        )
    return as_table([as_column(rows[name]) for name in rows], None)


def _scores(estimator: Any, rows: Any) -> Column:
    for method in ("predict_proba", "decision_function", "predict"):
        if hasattr(estimator, method):
            scores = np.asarray(getattr(estimator, method)(rows))
            if scores.ndim == 1:
                return scores
            if method == "predict_proba" and scores.shape[1] <= 2:
                return np.asarray(scores[:, -1])
            raise ValueError(
                f"{type(estimator).__name__} gives {scores.shape[1]} scores a row, and items are ranked by one: use a "
                "classifier of two classes or a regressor."
            )
    raise TypeError(f"{type(estimator).__name__} cannot rank: it has no predict_proba, decision_function or predict.")
