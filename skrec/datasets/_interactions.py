"""A generator of interactions with a known ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skrec._sklearn_compat import Interval, StrOptions, validate_parameter_constraints
from skrec.datasets._draws import ZipfLaw, draw_items, draw_users, follow, successors
from skrec.exceptions import UnknownIdError

_START, _YEAR = 1_577_836_800, 365 * 86_400  # 2020-01-01 in Unix seconds; the events are spread over one year

_PROBABILITY = [Interval(Real, 0, 1, closed="both")]
_EXPONENT = [Interval(Real, 0, None, closed="left")]
_COUNT = [Interval(Integral, 1, None, closed="left")]
_COUNT_OR_ZERO = [Interval(Integral, 0, None, closed="left")]
_CONSTRAINTS: dict[str, list[Any]] = {
    "n_users": _COUNT,
    "n_items": _COUNT,
    "n_interactions": _COUNT,
    "n_groups": _COUNT,
    "affinity": _PROBABILITY,
    "popularity": _EXPONENT,
    "activity": _EXPONENT,
    "sequential": _PROBABILITY,
    "target": [StrOptions({"label", "rating"}), None],
    "n_categorical": _COUNT_OR_ZERO,
    "n_numeric": _COUNT_OR_ZERO,
    "feature_noise": _PROBABILITY,
    "ids": [StrOptions({"int", "str"})],
    "random_state": ["random_state"],
    "return_truth": ["boolean"],
}


@dataclass(frozen=True, eq=False, repr=False)
class InteractionTruth:
    """The ground truth of :func:`make_interactions`: the distribution that the events were drawn from.

    Attributes
    ----------
    users, items : DataFrame
        All users and all items, including those without events, sorted by id: ``user_id`` or ``item_id``, ``group``
        and the feature columns. They can be used as tables of queries and of candidates.
    popularity : ndarray of shape (n_items,)
        The probability of each item within its group, in the order of `items`.
    successors : ndarray of shape (n_items,)
        The id of the successor of each item, which is the next item of its group. Used if `sequential` is above 0.
    n_groups, affinity, sequential, target
        The parameters of the generator.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> X, truth = make_interactions(4, 4, 50, n_groups=2, popularity=0, random_state=0, return_truth=True)
    >>> truth.users["group"].tolist(), truth.items["group"].tolist()
    ([0, 1, 1, 0], [0, 0, 1, 1])
    >>> truth.item_probabilities([0])
    array([[0.45, 0.45, 0.05, 0.05]])
    """

    users: pd.DataFrame
    items: pd.DataFrame
    popularity: NDArray[np.float64]
    successors: NDArray[Any]
    n_groups: int
    affinity: float
    sequential: float
    target: Literal["label", "rating"] | None

    def item_probabilities(self, user_ids: ArrayLike, previous_items: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the probability of each item to be the item of a user's next event.

        Sorting the items by this probability gives the best possible ranking for a user's next event, even if seen
        items are excluded.

        Parameters
        ----------
        user_ids : array-like of shape (n,)
            The user ids, as in the column ``user_id``.
        previous_items : array-like of shape (n,), default=None
            The item of each user's latest event. If None, `sequential` is ignored, as for the first event of a user.

        Returns
        -------
        ndarray of shape (n, n_items)
            Each row sums to one. The columns are in the order of `items`.

        Raises
        ------
        UnknownIdError
            If an id is not one of the generated ids.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> X, truth = make_interactions(9, 6, 50, sequential=0.5, random_state=0, return_truth=True)
        >>> truth.item_probabilities(X["user_id"], X["item_id"]).shape
        (50, 6)
        """
        users = _codes(user_ids, self.users["user_id"])
        own = self.own_group_probability
        user_groups, item_groups = self.users["group"].to_numpy()[users], self.items["group"].to_numpy()
        other = (1 - own) / max(self.n_groups - 1, 1)
        probabilities = np.where(user_groups[:, None] == item_groups, own, other) * self.popularity
        if previous_items is not None:
            previous = _codes(previous_items, self.items["item_id"])
            following = _codes(self.successors, self.items["item_id"])[previous]
            probabilities *= 1 - self.sequential
            probabilities[np.arange(len(users)), following] += self.sequential
        return probabilities

    def expected_target(self, user_ids: ArrayLike, item_ids: ArrayLike) -> NDArray[np.float64]:
        """Return the expected target of each pair: the probability of the label 1, or the mean rating.

        No other prediction from the pair has a lower expected squared error or log loss.

        Parameters
        ----------
        user_ids, item_ids : array-like of shape (n,)
            The ids of the pairs.

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        ValueError
            If the interactions were generated without a target.
        UnknownIdError
            If an id is not one of the generated ids.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> X, y, truth = make_interactions(target="rating", affinity=0.75, random_state=0, return_truth=True)
        >>> np.unique(truth.expected_target(X["user_id"], X["item_id"]))
        array([2., 4.])
        """
        if self.target is None:
            raise ValueError('These interactions have no target: generate them with target="label" or target="rating".')
        users, items = _codes(user_ids, self.users["user_id"]), _codes(item_ids, self.items["item_id"])
        same_group = self.users["group"].to_numpy()[users] == self.items["group"].to_numpy()[items]
        probability = np.where(same_group, self.affinity, 1 - self.affinity)
        return probability if self.target == "label" else 1 + 4 * probability

    @property
    def own_group_probability(self) -> float:
        """The probability that the item of an event is of the user's own group; the other groups share the rest."""
        return 1 / self.n_groups if self.target is not None or self.n_groups == 1 else self.affinity

    def __repr__(self) -> str:
        """Return the sizes in one line."""
        return f"InteractionTruth({len(self.users)} users, {len(self.items)} items, {self.n_groups} groups)"


def make_interactions(
    n_users: int = 200,
    n_items: int = 100,
    n_interactions: int = 5_000,
    *,
    n_groups: int = 4,
    affinity: float = 0.9,
    popularity: float = 1.0,
    activity: float = 0.0,
    sequential: float = 0.0,
    target: Literal["label", "rating"] | None = None,
    n_categorical: int = 0,
    n_numeric: int = 0,
    feature_noise: float = 0.1,
    ids: Literal["int", "str"] = "int",
    random_state: int | np.random.RandomState | None = None,
    return_truth: bool = False,
) -> Any:
    """Generate interactions of groups of users who like groups of items.

    Users and items are assigned at random to groups of equal size. For each event, a user is drawn, then a group of
    items (the user's own group with probability `affinity`, else any other group), then an item of that group according
    to a Zipf law. A model that finds the groups and the popularity within them ranks as well as possible; popularity
    alone does not. The same pair may occur more than once; ``drop_duplicates(["user_id", "item_id"])`` keeps the first
    occurrence of each pair.

    Parameters
    ----------
    n_users, n_items, n_interactions : int, default=200, 100, 5000
        The number of users, items and events (rows). Some users and items may have no event. With ``ids="int"`` and no
        features, each row takes 16 bytes.
    n_groups : int, default=4
        The number of groups. At most the number of users and the number of items.
    affinity : float, default=0.9
        The share of a user's events with items of the user's own group.
    popularity : float, default=1.0
        The exponent of the Zipf law of items within a group: the share of the r-th most popular item is proportional to
        ``r ** -popularity``. If 0, all items are equally popular.
    activity : float, default=0.0
        The exponent of the Zipf law of the number of events per user. If 0, all users are equally active.
    sequential : float, default=0.0
        The probability that the item of an event is the successor of the item of the same user's previous event, which
        only a sequence model can learn. The other events are drawn as described above.
    target : {"label", "rating"}, default=None
        The kind of target `y` to generate. With a target, the items are drawn from all groups with equal probability,
        whoever the user is: the rows are then impressions, not choices. A ``"label"`` is 1 with probability `affinity`
        if user and item belong to the same group, and with probability ``1 - affinity`` otherwise, so that `affinity`
        (if above 0.5) is the best possible accuracy. A ``"rating"`` is 1 to 5: one plus a binomial number of four
        draws with the same probability.
    n_categorical, n_numeric : int, default=0
        The number of categorical and of numeric feature columns that depend on the group, for users and for items:
        ``user_category_0``, ..., ``user_number_0``, ..., ``item_category_0``, ..., ``item_number_0``, ...
    feature_noise : float, default=0.1
        The share of users (and items) whose category is redrawn from all groups, and the standard deviation of the
        numbers around the center of their group. The centers are drawn from a standard normal distribution.
    ids : {"int", "str"}, default="int"
        If ``"int"``, the ids are ``0 ... n - 1`` (int32). If ``"str"``, they are strings such as ``"u007"`` and
        ``"i42"``, which sort in the same order.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same rows in every call.
    return_truth : bool, default=False
        Whether to also return the ground truth.

    Returns
    -------
    X : DataFrame of shape (n_interactions, 3 + 2 * (n_categorical + n_numeric))
        The events in order of time: ``user_id``, ``item_id``, ``timestamp`` (Unix seconds, all distinct) and the
        features (category and float32).
    y : Series of shape (n_interactions,)
        The targets. Only returned if `target` is given.
    truth : InteractionTruth
        The groups and features of all users and items, and the distribution of the events. Only returned if
        ``return_truth=True``.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> X = make_interactions(n_users=50, n_items=20, n_interactions=1_000, random_state=0)
    >>> X.dtypes.astype(str).to_dict()
    {'user_id': 'int32', 'item_id': 'int32', 'timestamp': 'int64'}
    >>> X, y = make_interactions(target="label", n_categorical=1, random_state=0)
    >>> X.columns.tolist()
    ['user_id', 'item_id', 'timestamp', 'user_category_0', 'item_category_0']
    >>> sorted(set(y.tolist()))
    [0, 1]
    """
    validate_parameter_constraints(
        _CONSTRAINTS, {name: value for name, value in locals().items() if name in _CONSTRAINTS}, "make_interactions"
    )
    if n_groups > min(n_users, n_items):
        raise ValueError(
            f"n_groups={n_groups} is larger than the number of users ({n_users}) or items ({n_items}): lower n_groups."
        )
    random = check_random_state(random_state)
    user_groups, item_groups = (random.permutation(np.arange(n) % n_groups) for n in (n_users, n_items))
    item_law = ZipfLaw(item_groups, popularity, random)
    describe = partial(
        _describe,
        n_categorical=n_categorical,
        n_numeric=n_numeric,
        noise=feature_noise,
        ids=ids,
        random=np.random.RandomState(random.randint(2**31 - 1)),  # separate: the events do not depend on it
    )
    truth = InteractionTruth(
        users=describe("user", user_groups),
        items=describe("item", item_groups),
        popularity=item_law.probabilities,
        successors=_make_ids("item", n_items, ids)[successors(item_groups)].to_numpy(),
        n_groups=n_groups,
        affinity=affinity,
        sequential=sequential,
        target=target,
    )
    users = draw_users(n_users, n_interactions, activity, random)
    items = draw_items(user_groups, users, item_law, truth.own_group_probability, random)
    if sequential:
        items = follow(users, items, item_groups, sequential, random)
    results: list[Any] = [_make_frame(truth, users, items, random)]
    if target is not None:
        probability = np.where(user_groups[users] == item_groups[items], affinity, 1 - affinity)
        draws = random.binomial(1 if target == "label" else 4, probability)
        results.append(pd.Series(draws + (target == "rating"), name=target))
    if return_truth:
        results.append(truth)
    return results[0] if len(results) == 1 else tuple(results)


def _make_ids(side: str, n: int, ids: str) -> pd.Index:
    if ids == "int":
        return pd.Index(np.arange(n, dtype=np.int32))
    width = len(str(n - 1))
    return pd.Index([f"{side[0]}{i:0{width}d}" for i in range(n)])


def _describe(
    side: str,
    groups: NDArray[np.int64],
    *,
    n_categorical: int,
    n_numeric: int,
    noise: float,
    ids: str,
    random: np.random.RandomState,
) -> pd.DataFrame:
    """Return the table of all users or all items: id, group and features."""
    n, n_groups = len(groups), groups.max() + 1
    columns: dict[str, Any] = {f"{side}_id": _make_ids(side, n, ids), "group": groups}
    for number in range(n_categorical):
        codes = np.where(random.random_sample(n) < noise, random.randint(n_groups, size=n), groups)
        categories = pd.Index([f"{side[0]}{group}" for group in range(n_groups)])
        columns[f"{side}_category_{number}"] = pd.Categorical.from_codes(codes, categories)
    for number in range(n_numeric):
        values = random.standard_normal(n_groups)[groups] + noise * random.standard_normal(n)
        columns[f"{side}_number_{number}"] = values.astype(np.float32)
    return pd.DataFrame(columns)


def _make_frame(
    truth: InteractionTruth, users: NDArray[np.int32], items: NDArray[np.int32], random: np.random.RandomState
) -> pd.DataFrame:
    step = max(1, _YEAR // len(users))
    timestamps = random.randint(step, size=len(users), dtype=np.int64)
    timestamps += np.arange(_START, _START + step * len(users), step)
    columns: dict[str, Any] = {
        "user_id": truth.users["user_id"].array[users],
        "item_id": truth.items["item_id"].array[items],
        "timestamp": timestamps,
    }
    for table, codes in ((truth.users, users), (truth.items, items)):
        for name in table.columns[2:]:
            columns[name] = table[name].array[codes]
    return pd.DataFrame(columns, copy=False)


def _codes(ids: ArrayLike, known: pd.Series) -> NDArray[np.intp]:
    wanted = pd.Index(ids)
    codes: NDArray[np.intp] = pd.Index(known).get_indexer(wanted)
    if (codes < 0).any():
        unknown = wanted[codes < 0].tolist()[0]
        first, last = known.iloc[[0, -1]].tolist()
        raise UnknownIdError(
            f"{known.name} {unknown!r} is not one of the {len(known)} generated ids ({first!r} to {last!r})."
        )
    return codes
