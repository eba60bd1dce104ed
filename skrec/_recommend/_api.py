"""``recommend`` for any estimator."""

from numbers import Integral
from typing import Any

from skrec._data.tables.table import to_pandas
from skrec._recommend._any_estimator import rank_foreign
from skrec._recommend._behind_pipeline import EncodedSpace
from skrec._recommend._exclusions import exclusions_of
from skrec._recommend._unwrap import is_recommender, refuse_history, require_queries, unwrap


def recommend(
    estimator: Any,
    queries: Any = None,
    k: int = 10,
    *,
    history: Any = None,
    candidates: Any = None,
    exclude_seen: bool = True,
    exclude: Any = None,
    as_frame: bool = True,
) -> Any:
    """Return the best items for each user, by any fitted estimator.

    scikit-learn's searches and Pipelines do not forward ``recommend``. This function unwraps them, ranks in the space
    of the encoded ids and returns the raw ids.

    Parameters
    ----------
    estimator : estimator
        Fitted: a skrec model, a search or Pipeline that ends in one, or any other scikit-learn estimator with
        ``predict_proba``, ``decision_function`` or ``predict``. One that is not skrec's is given every pair of a query
        and a candidate as a row with columns ``user_id`` and ``item_id`` (and those of the queries and candidates).
    queries : array-like of shape (n_queries,) or table of shape (n_queries, n_columns), default=None
        Raw user ids, or rows as the estimator takes them. Behind transformers, rows have the user column alone, or all
        columns of ``fit`` but the item's: its id, and its features where each column goes its own way through the
        transformers. Not needed with `history`.
    k : int, default=10
        Number of items for each query, at least 1. There are fewer rows where there are fewer items.
    history : list of lists of item ids, dict, or table of shape (n_events, n_columns), default=None
        For a model of histories: the raw ids of the items of each query, oldest first, instead of what it has stored;
        the same by user, ``{user: [item, ...]}``, whose keys are the queries where there are no `queries`;
        or events with the columns of the user and the item (and the time): a DataFrame or a two-dimensional array.
        Lists without `queries` are numbered from 0.
    candidates : array-like of shape (n_candidates,) or table of shape (n_candidates, n_columns), default=None
        Raw ids of the items to choose from, or rows with item features. None is the whole catalogue of a skrec model;
        an estimator that is not skrec's has none, and needs them. Behind transformers, rows have the item column alone,
        or all columns of ``fit`` but those of the user and the time, and of the context (with the same proviso). An id
        that is there more than once counts once; its rows must have the same features.
    exclude_seen : bool, default=True
        Whether to leave out the items that the user chose in the training data: positive rows, ``y > 0`` (without ``y``
        all rows). A row with ``y <= 0`` was shown, not chosen, and may be recommended: pass it in `exclude`. An
        estimator that is not skrec's keeps no such log: there, pass all pairs in `exclude`. So do for users whom an
        encoder's `min_frequency` merged: they share one log, of which nothing is left out. A warning tells how many
        queries those are.
    exclude : table of shape (n_pairs, 2), default=None
        Further pairs of raw user and item ids to leave out: a list of pairs, an array, or a DataFrame with the columns
        of the user and the item.
    as_frame : bool, default=True
        Whether to return a DataFrame.

    Returns
    -------
    DataFrame or tuple of arrays
        Best first, at most `k` rows a query, with the columns of the user and the item (named as in the raw data;
        ``user_id`` and ``item_id`` where that has no names), ``score`` and ``rank`` (from 1). Items of
        equal scores are in the order of the model's ``items_``, for other estimators in that of the candidates. With
        ``as_frame=False``, the arrays `items` and `scores` of shape (n_queries, min(k, n_candidates)): where fewer
        items are left for a user, the item is None and the score -inf.

    Raises
    ------
    NotFittedError
        If the estimator, or the search around it, is not fitted.
    ValueError
        If `k` is below 1, `candidates` are empty, or missing where they are needed, or an encoder cannot be inverted.
    TypeError
        If there is a `history`, but the model reads none.
    ColumnError
        If a column is missing.
    UnknownIdError
        If a user or a candidate is unknown to a model, or to an encoder, with ``handle_unknown="error"``.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> X = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [5, 6, 5, 6]})
    >>> ridge = Ridge().fit(X, [0.0, 1.0, 1.0, 2.0])
    >>> recommend(ridge, [2], k=1, candidates=[5, 6]).round(2)
       user_id  item_id  score  rank
    0        2        6    1.5     1
    """
    k = _checked(k)
    queries, candidates = to_pandas(queries), to_pandas(candidates)
    unwrapped = unwrap(estimator)
    refuse_history(unwrapped.model, history)
    require_queries(unwrapped.model, queries, history)
    if is_recommender(unwrapped.model):
        if not unwrapped.transformers:
            options = {"candidates": candidates, "exclude_seen": exclude_seen, "exclude": exclude, "as_frame": as_frame}
            if history is not None:
                options["history"] = history
            return unwrapped.model.recommend(queries, k, **options)
        space = EncodedSpace(unwrapped)
        names, known_users = (space.user_name, space.item_name), space.known_users
        exclusions = exclusions_of(exclude, *names)
        ranking = space.rank(queries, k + exclusions.most, candidates, exclude_seen=exclude_seen, history=history)
        if exclude_seen and history is None:
            space.warn_merged_users(ranking.users, exclusions)
    else:
        names = "user_id", "item_id"
        exclusions = exclusions_of(exclude, *names)
        ranking, known_users = rank_foreign(estimator, queries, candidates), None
    exclusions.warn_unmatched(ranking.users, ranking.catalogue, known_users)
    best = ranking.best(k, exclusions)
    return best.as_frame(*names) if as_frame else best.as_arrays()


def _checked(k: Any) -> int:
    if isinstance(k, bool) or not isinstance(k, Integral) or int(k) < 1:
        raise ValueError(f"k={k!r} must be an integer of at least 1: the number of items for each user.")
    return int(k)
