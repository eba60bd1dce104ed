"""Metrics of recommended lists beyond accuracy, one function per metric."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skrec._data.tables.columns import as_column
from skrec.metrics._array_inputs import check_k
from skrec.metrics._held_out import positions_of
from skrec.metrics._list_statistics import (
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
from skrec.metrics._recommended_lists import Recommended, Training, feature_vectors, pairs_of


def coverage_at_k(
    recommendations: Any, catalogue: ArrayLike, *, k: int, user: str = "user_id", item: str = "item_id"
) -> float:
    """Compute the share of the catalogue that is recommended to at least one user (catalogue coverage).

    ``|union of the first k items of all lists| / |catalogue|``.

    Parameters
    ----------
    recommendations : DataFrame of shape (n_rows, n_columns) or array-like of shape (n_users, n_items)
        Recommended lists. A DataFrame has one row per item, as returned by ``recommend``, with columns for the user,
        the item and optionally ``rank``, which orders each list; without it, the order of the rows counts. An array
        holds item ids, one list per row, best first, and None where there is no item.
    catalogue : array-like of shape (n_catalogue,)
        The ids of all items that could be recommended, such as ``model.items_``.
    k : int
        Number of items of each list that are evaluated, at least 1. Shorter lists are evaluated as they are.
    user, item : str, default="user_id" and "item_id"
        Column names of a DataFrame.

    Returns
    -------
    float
        Between 0 and 1; more lists cover more. It describes all lists together, so users have no values of their own.

    Raises
    ------
    ValueError
        If an item is not in the catalogue or occurs twice in a list, all lists are empty, or `k` is not an integer of
        at least 1.
    ColumnError
        If a column is missing.

    References
    ----------
    .. [1] M. Ge, C. Delgado-Battenfeld and D. Jannach, "Beyond accuracy: evaluating recommender systems by coverage and
       serendipity", RecSys 2010. :doi:`10.1145/1864708.1864761`

    Examples
    --------
    >>> from skrec.metrics import coverage_at_k
    >>> coverage_at_k([["x", "y"], ["x", "z"]], catalogue=["w", "x", "y", "z"], k=2)
    0.75
    """
    return float(np.mean(_counts(recommendations, catalogue, k, user, item) > 0))


def gini_at_k(
    recommendations: Any, catalogue: ArrayLike, *, k: int, user: str = "user_id", item: str = "item_id"
) -> float:
    """Compute the Gini index of how often the items of the catalogue are recommended.

    A high value means that few items get most of the recommendations.

    ``sum((2 i - n - 1) c_i) / (n sum(c_i))`` over the n items of the catalogue in the order of ``c_i``, the number of
    lists that have the item among their first k, from the lowest (i = 1) to the highest (i = n).

    Parameters
    ----------
    recommendations, catalogue, k, user, item
        As for :func:`coverage_at_k`.

    Returns
    -------
    float
        0 if all items are recommended equally often, ``1 - 1 / n`` if the same item is always recommended; lower is
        less biased. It describes all lists together, so users have no values of their own.

    Raises
    ------
    ValueError, ColumnError
        As :func:`coverage_at_k` does.

    References
    ----------
    .. [1] D. Fleder and K. Hosanagar, "Blockbuster culture's next rise or fall: the impact of recommender systems on
       sales diversity", Management Science 55(5), 2009. :doi:`10.1287/mnsc.1080.0974`

    Examples
    --------
    >>> from skrec.metrics import gini_at_k
    >>> gini_at_k([["x", "y"], ["x", "z"]], catalogue=["w", "x", "y", "z"], k=1)
    0.75
    >>> gini_at_k([["x", "y"], ["x", "z"]], catalogue=["w", "x", "y", "z"], k=2)
    0.375
    """
    return gini_index(_counts(recommendations, catalogue, k, user, item))


def popularity_at_k(
    recommendations: Any, train: Any, *, k: int, per_user: bool = False, user: str = "user_id", item: str = "item_id"
) -> Any:
    """Compute the mean popularity of the recommended items.

    The popularity of an item is the share of the users of `train` who chose it. The value of a list is
    the mean over its first k items. (Multiplied by the number of users, it is the average recommendation popularity of
    [1]_.)

    Parameters
    ----------
    recommendations : DataFrame of shape (n_rows, n_columns) or array-like of shape (n_users, n_items)
        As for :func:`coverage_at_k`.
    train : DataFrame of shape (n_events, n_columns) or array-like of shape (n_events, 2)
        The positive training events, one per row, with columns for the user and the item. Repeated pairs count once.
    k : int
        Number of items of each list that are evaluated, at least 1. Shorter lists are evaluated as they are.
    per_user : bool, default=False
        If True, return one value per list instead of the mean.
    user, item : str, default="user_id" and "item_id"
        Column names of DataFrames.

    Returns
    -------
    float, or ndarray or Series of shape (n_users,)
        Between 0 and 1; lower is less biased. The mean over the lists that are not empty. With ``per_user=True``, the
        values of all lists: a Series indexed by user for a DataFrame; NaN for an empty row of an array.

    Raises
    ------
    ValueError
        If no recommended item is in `train`, an item occurs twice in a list, or `k` is not an integer of at least 1.
    ColumnError
        If a column is missing.

    References
    ----------
    .. [1] H. Abdollahpouri, R. Burke and B. Mobasher, "Managing popularity bias in recommender systems with
       personalized re-ranking", FLAIRS 2019. arXiv:1901.07555

    Examples
    --------
    >>> from skrec.metrics import popularity_at_k
    >>> train = [["ann", "x"], ["bob", "x"], ["bob", "y"], ["cy", "z"], ["dan", "x"]]
    >>> popularity_at_k([["x", "y"], ["y", "z"]], train, k=2, per_user=True)
    array([0.5 , 0.25])
    """
    told = Recommended.read(recommendations, k, user, item)
    training = Training.read(train, user, item)
    return _result(told, mean_over_lists(told.lists, training.shares_of(told.items)), f"popularity@{k}", per_user)


def novelty_at_k(
    recommendations: Any, train: Any, *, k: int, per_user: bool = False, user: str = "user_id", item: str = "item_id"
) -> Any:
    """Compute the mean self-information of the recommended items: how few users know them.

    The self-information of an item is ``-log2(p)``, in bits, where ``p`` is the share of the users of `train` who chose
    it [1]_. An item without interactions counts as if one user had chosen it. The value of a list is the mean over its
    first k items, whatever their ranks (the popularity-based novelty of [2]_ without a discount).

    Parameters
    ----------
    recommendations, train, k, per_user, user, item
        As for :func:`popularity_at_k`.

    Returns
    -------
    float, or ndarray or Series of shape (n_users,)
        Between 0, for items that all users chose, and ``log2(number of users)``. See :func:`popularity_at_k`.

    Raises
    ------
    ValueError, ColumnError
        As :func:`popularity_at_k` does.

    References
    ----------
    .. [1] T. Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 107(10), 2010.
       :doi:`10.1073/pnas.1000488107`
    .. [2] S. Vargas and P. Castells, "Rank and relevance in novelty and diversity metrics for recommender systems",
       RecSys 2011. :doi:`10.1145/2043932.2043955`

    Examples
    --------
    >>> from skrec.metrics import novelty_at_k
    >>> train = [["ann", "x"], ["bob", "x"], ["bob", "y"], ["cy", "z"], ["dan", "z"]]
    >>> novelty_at_k([["x", "z"], ["y", "z"]], train, k=2, per_user=True)
    array([1. , 1.5])
    """
    told = Recommended.read(recommendations, k, user, item)
    training = Training.read(train, user, item)
    information = self_information(training.shares_of(told.items), len(training.users))
    return _result(told, mean_over_lists(told.lists, information), f"novelty@{k}", per_user)


def diversity_at_k(
    recommendations: Any,
    item_features: pd.DataFrame,
    *,
    k: int,
    per_user: bool = False,
    user: str = "user_id",
    item: str = "item_id",
) -> Any:
    """Compute the mean distance between the items of a list (intra-list diversity).

    The distance of two items is 1 minus the cosine of the angle between their vectors, averaged over all pairs of the
    first k items. (Ziegler et al. [1]_ sum the similarities instead: their intra-list similarity is the number of pairs
    times 1 minus this value.)

    Parameters
    ----------
    recommendations : DataFrame of shape (n_rows, n_columns) or array-like of shape (n_users, n_items)
        As for :func:`coverage_at_k`.
    item_features : DataFrame of shape (n_items, n_features)
        Numbers, indexed by item id: genres as 0 and 1, or ``pandas.DataFrame(model.item_embeddings_, model.items_)``.
        An item whose features are all zero has a distance of 1 from every other item.
    k : int
        Number of items of each list that are evaluated, at least 2. Shorter lists are evaluated as they are.
    per_user : bool, default=False
        If True, return one value per list instead of the mean.
    user, item : str, default="user_id" and "item_id"
        Column names of a DataFrame of recommendations.

    Returns
    -------
    float, or ndarray or Series of shape (n_users,)
        Between 0 and 2, or between 0 and 1 if no feature is negative. The mean over the lists of at least two items.
        With ``per_user=True``, the values of all lists (NaN for shorter lists): a Series by user for a DataFrame.

    Raises
    ------
    TypeError
        If `item_features` is not a DataFrame.
    ValueError
        If an item has no features, a feature is missing or not a number, an item occurs twice in a list, no list has
        two items, or `k` is not an integer of at least 2.
    ColumnError
        If a column is missing.

    References
    ----------
    .. [1] C.-N. Ziegler et al., "Improving recommendation lists through topic diversification", WWW 2005.
       :doi:`10.1145/1060745.1060754`

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.metrics import diversity_at_k
    >>> genres = pd.DataFrame({"drama": [1, 1, 0], "war": [0, 0, 1]}, index=["x", "y", "z"])
    >>> diversity_at_k([["x", "y"], ["x", "z"]], genres, k=2, per_user=True)
    array([0., 1.])
    """
    check_k(k, 2)
    told = Recommended.read(recommendations, k, user, item)
    vectors = unit_vectors(feature_vectors(item_features, told.items))
    return _result(told, distances_within(told.lists, vectors), f"diversity@{k}", per_user)


def serendipity_at_k(
    recommendations: Any,
    train: Any,
    test: Any,
    *,
    k: int,
    per_user: bool = False,
    user: str = "user_id",
    item: str = "item_id",
) -> Any:
    """Compute the share of the first k items that are relevant and that popularity would not have recommended.

    The value of a user is ``|R & T - P| / k``. R are the first k recommended items, T the items of the user in `test`,
    and P the k most popular items of `train` among those that the user did not choose there (items in `test` are not
    left out): what a :class:`~skrec.models.PopularityRanker` of the distinct pairs would recommend. Among equally
    popular items, those with the lower ids come first. This is the measure of [1]_ with popularity as the primitive
    model that determines what is expected, as in the survey [2]_. It is precision@k without the popular items.

    Parameters
    ----------
    recommendations : DataFrame of shape (n_rows, n_columns)
        As for :func:`coverage_at_k`, but not an array, because its lists have no users.
    train, test : DataFrame of shape (n_events, n_columns) or array-like of shape (n_events, 2)
        The positive training events, and the relevant held-out events, one per row, with columns for the user and the
        item.
    k : int
        Number of items of each list that are evaluated, at least 1.
    per_user : bool, default=False
        If True, return one value per user instead of the mean.
    user, item : str, default="user_id" and "item_id"
        Column names of DataFrames.

    Returns
    -------
    float or Series of shape (n_users,)
        Between 0 and 1. The mean over the users who have a list and an event in `test`. With ``per_user=True``, the
        values of all users who have a list; NaN for users without an event in `test`.

    Raises
    ------
    TypeError
        If `recommendations` is not a DataFrame.
    ValueError
        If no recommended item is in `train`, no user who has a list is in `test`, an item occurs twice in a list, or
        `k` is not an integer of at least 1.
    ColumnError
        If a column is missing.

    References
    ----------
    .. [1] M. Ge, C. Delgado-Battenfeld and D. Jannach, "Beyond accuracy: evaluating recommender systems by coverage and
       serendipity", RecSys 2010. :doi:`10.1145/1864708.1864761`
    .. [2] D. Kotkov, S. Wang and J. Veijalainen, "A survey of serendipity in recommender systems", Knowledge-Based
       Systems 111, 2016. :doi:`10.1016/j.knosys.2016.08.014`

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.metrics import serendipity_at_k
    >>> lists = pd.DataFrame({"user_id": ["ann", "ann"], "item_id": ["y", "z"], "rank": [1, 2]})
    >>> train = [["ann", "w"], ["bob", "x"], ["bob", "y"], ["cy", "x"], ["cy", "y"], ["cy", "z"]]
    >>> serendipity_at_k(lists, train, [["ann", "y"], ["ann", "z"]], k=2)
    0.5
    """
    told = Recommended.read(recommendations, k, user, item)
    if told.users is None:
        raise TypeError(
            "recommendations must be a DataFrame with the columns of the user and the item, as recommend returns it: "
            "an array has no user ids."
        )
    training = Training.read(train, user, item)
    test_users, test_items = pairs_of(test, "test", user, item)
    rows = positions_of(test_users, as_column(told.users), user)
    if (rows < 0).all():
        raise ValueError(
            f"No user of the recommendations, such as {told.users[:1].tolist()[0]!r}, has an event in test, whose "
            f"first user is {test_users[:1].tolist()[0]!r}: pass held-out events of these users, with ids of the same "
            "type."
        )
    columns = positions_of(test_items, told.items, item)
    kept = (rows >= 0) & (columns >= 0)
    found = are_cells(told.lists, rows[kept], columns[kept], len(told.items))
    excluded = training.chosen_by(as_column(told.users), rows, training.items.encode(test_items).astype(np.int64) - 1)
    lists = told.in_terms_of(training.positions_of(told.items))
    places = np.where(lists >= 0, places_by_popularity(lists, training.shares, excluded), k)
    values = serendipity_of(found, places, int(k))
    tested = np.isin(np.arange(len(values)), rows)
    return _result(told, np.where(tested, values, np.nan), f"serendipity@{k}", per_user)


def _counts(recommendations: Any, catalogue: Any, k: Any, user: str, item: str) -> NDArray[np.int64]:
    """Return the number of lists that contain each item of the catalogue."""
    told = Recommended.read(recommendations, k, user, item)
    ids = as_column(pd.unique(as_column(catalogue)))
    at = positions_of(told.items, ids, item)
    if (at < 0).any():
        raise ValueError(
            f"{np.count_nonzero(at < 0)} recommended item(s), such as {told.items[at < 0][:1].tolist()[0]!r}, are not "
            "in the catalogue: pass the ids of all items that could be recommended, such as model.items_."
        )
    return counts_in(told.in_terms_of(at), len(ids))


def _result(told: Recommended, values: NDArray[np.float64], name: str, per_user: bool) -> Any:
    if per_user:
        return told.per_user(values, name)
    if np.isnan(values).all():
        raise ValueError(f"{name} has no value for any list: no list has two items.")
    return float(np.nanmean(values))
