"""Vectorized draws of the users and items of events, for millions of rows."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

_CHUNK = 1 << 20  # number of rows drawn at once, which limits the temporary arrays to some tens of megabytes


class ZipfLaw:
    """Draw members of groups: within a group, the share of the r-th most popular is proportional to r ** -exponent."""

    def __init__(self, groups: NDArray[np.int64], exponent: float, random: np.random.RandomState) -> None:
        shuffled = random.permutation(len(groups))
        self._members = shuffled[np.argsort(groups[shuffled], kind="stable")].astype(np.int32)
        sizes = np.bincount(groups)
        offsets = np.repeat(np.cumsum(sizes) - sizes, sizes)
        weights = (np.arange(len(groups)) - offsets + 1.0) ** -exponent
        sorted_groups = groups[self._members]
        shares = weights / np.bincount(sorted_groups, weights)[sorted_groups]
        # the shares of group g fill the interval from g to g + 1, so one binary search is enough for all groups
        self._ends = np.minimum(np.cumsum(shares), sorted_groups + 1)
        self._ends[np.cumsum(sizes) - 1] = np.arange(len(sizes)) + 1
        self.probabilities = np.empty(len(groups))
        self.probabilities[self._members] = shares

    def draw(self, groups: NDArray[np.int64], random: np.random.RandomState) -> NDArray[np.int32]:
        """Return one member of each of the given groups."""
        points = np.minimum(groups + random.random_sample(len(groups)), np.nextafter(groups + 1.0, 0))
        members: NDArray[np.int32] = self._members[np.searchsorted(self._ends, points, side="right")]
        return members


def successors(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each item the next item of its group; the last item of a group is followed by the first."""
    by_group = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    following = np.roll(by_group, -1)
    following[np.cumsum(sizes) - 1] = by_group[np.cumsum(sizes) - sizes]
    successors = np.empty_like(by_group)
    successors[by_group] = following
    return successors


def draw_users(n_users: int, n: int, activity: float, random: np.random.RandomState) -> NDArray[np.int32]:
    """Return the user of each event; `activity` is the exponent of a Zipf law."""
    if activity == 0:
        return random.randint(n_users, size=n, dtype=np.int32)
    law = ZipfLaw(np.zeros(n_users, dtype=np.int64), activity, random)
    users = np.empty(n, dtype=np.int32)
    for rows in gen_batches(n, _CHUNK):
        users[rows] = law.draw(np.zeros(len(users[rows]), dtype=np.int64), random)
    return users


def draw_items(
    user_groups: NDArray[np.int64],
    users: NDArray[np.int32],
    law: ZipfLaw,
    own_probability: float,
    random: np.random.RandomState,
) -> NDArray[np.int32]:
    """Return the item of each event, drawn from the user's own group with the given probability."""
    n_groups = user_groups.max() + 1
    items = np.empty_like(users)
    for rows in gen_batches(len(users), _CHUNK):
        groups = user_groups[users[rows]]
        elsewhere = random.random_sample(len(groups)) >= own_probability
        groups[elsewhere] += random.randint(1, max(n_groups, 2), size=elsewhere.sum())
        items[rows] = law.draw(groups % n_groups, random)
    return items


def follow(
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    item_groups: NDArray[np.int64],
    probability: float,
    random: np.random.RandomState,
) -> NDArray[np.int32]:
    """Replace items, with the given probability, by the successor of the same user's previous item."""
    order = np.argsort(users, kind="stable")
    starts_anew = random.random_sample(len(users)) >= probability
    starts_anew[0] = True
    starts_anew[1:] |= np.diff(users[order]) != 0
    rows = np.arange(len(users))
    start = np.maximum.accumulate(np.where(starts_anew, rows, 0))
    by_group = np.argsort(item_groups, kind="stable")
    place = np.argsort(by_group)  # position of each item in by_group
    sizes = np.bincount(item_groups)
    offsets = np.cumsum(sizes) - sizes
    origin = items[order[start]]
    group = item_groups[origin]
    followed = np.empty_like(items)
    followed[order] = by_group[offsets[group] + (place[origin] - offsets[group] + rows - start) % sizes[group]]
    return followed
