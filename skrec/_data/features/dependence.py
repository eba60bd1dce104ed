"""Measure how far another column determines the values of a field: whether they are constant within its groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.features.encoded import Encoded
from skrec._data.features.fields import Fields

__all__ = ["Dependence", "dependence", "sampled_groups", "value_codes"]

Positions = NDArray[np.int64]

_MOST_ROWS = 1 << 19
"""Maximum number of rows to compare; from larger tables, whole groups are drawn."""

_DEALT_ROWS = 1 << 14
"""Minimum number of rows to permute at random, in up to 20 permutations, to estimate the effect of chance."""

_GAP = -1


def value_codes(fields: Fields, encoded: Encoded) -> Iterator[tuple[int, Positions]]:
    """Yield the position of each column and a number for each row; equal numbers mean equal encoded values.

    Values are equal if the encoders encode them alike: ``{0, 8}`` and ``{8, 0}``, ``["a"]`` and ``("a",)``, 1 and
    ``True``, or None and NaN.

    Parameters
    ----------
    fields : Fields
    encoded : Encoded
        The rows as encoded by `fields`.

    Yields
    ------
    position : int
        Position of the column in the table.
    codes : ndarray of shape (n_rows,), int64
        -1 if the value is missing, stands for a missing value (such as -999), or is in fewer than ``min_frequency``
        rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.dependence import value_codes
    >>> from skrec._data.features.fields import Fields
    >>> from skrec._data.tables.table import as_rows
    >>> frame = pd.DataFrame({"tags": [["a", "b"], ("b", "a"), {"a"}, None], "size": [1.5, None, 2.0, 1.5]})
    >>> [(position, codes.tolist()) for position, codes in value_codes(*Fields.fit(as_rows(frame), [0, 1]))]
    [(0, [0, 0, 1, -1]), (1, [0, -1, 1, 0])]
    """
    layout = fields.layout
    n_single, n_numeric = len(layout.categorical), len(layout.numeric)
    flags: dict[int, NDArray[Any]] = {}
    for number, flag in zip(
        [*fields.flagged.tolist(), *(at for at, _ in fields.sentinels)], encoded.numbers[:, n_numeric:].T, strict=True
    ):
        flags[number] = np.maximum(flags[number], flag) if number in flags else flag
    first_number = len(fields.categories)
    arrays = np.split(encoded.arrays, np.cumsum([width for _, width in layout.arrays])[:-1], axis=1)
    for at, position in enumerate(fields.positions):
        if at < n_single:
            one, column = fields.categories[at], encoded.codes[:, at]
            yield position, _factorized(column, (column == one.unknown) | (column == one.missing))
        elif at < first_number:
            bag = encoded.bags[at - n_single]
            yield position, _factorized(_fingerprints(bag), bag[:, 0] == fields.categories[at].unknown)
        else:
            number = at - first_number
            missing = flags[number] != 0 if number in flags else np.zeros(len(encoded), np.bool_)
            is_number = number < n_numeric
            values = encoded.numbers[:, number] if is_number else _fingerprints(arrays[number - n_numeric])
            yield position, _factorized(values, missing)


def _factorized(values: NDArray[Any], missing: NDArray[np.bool_]) -> Positions:
    codes = np.full(len(values), _GAP, np.int64)
    codes[~missing] = pd.factorize(values[~missing])[0]
    return codes


def _fingerprints(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a number for each row of a matrix of 32-bit numbers; unequal rows share it with probability below 1e-9."""
    bits = np.add(rows, 0, dtype=rows.dtype).view(np.uint32).astype(np.uint64)  # adding 0 turns -0.0 into 0.0
    factors = np.random.default_rng(0).integers(1, 2**64, size=rows.shape[1], dtype=np.uint64, endpoint=False)
    return np.asarray(bits @ (factors | np.uint64(1)), np.uint64)


@dataclass(frozen=True)
class Dependence:
    """How far a column's values are determined by the groups of another.

    Parameters
    ----------
    n_deviations : int
        Number of rows whose value is not the most frequent value of their group.
    n_expected : float
        Expected number of deviations if the values were assigned to the rows at random, which measures how informative
        the data are. It is 0 if no group has two rows, or if the column has only one value.
    n_rows : int
        Number of rows with a value in groups with at least two such rows.
    first : int
        The first row that deviates, or -1 if no row deviates.
    usual : int
        A row of the same group with the group's most frequent value, or -1 if no row deviates.

    Examples
    --------
    >>> from skrec._data.features.dependence import Dependence
    >>> Dependence(n_deviations=1, n_expected=50, n_rows=60).share
    0.02
    """

    n_deviations: int
    n_expected: float
    n_rows: int
    first: int = -1
    usual: int = -1

    @property
    def share(self) -> float:
        """Deviations divided by those expected by chance: 0 if the group determines the value, about 1 if not."""
        return self.n_deviations / self.n_expected if self.n_expected else 1.0


def dependence(values: Positions, groups: NDArray[np.integer]) -> Dependence:
    """Measure how far the groups of rows determine their values.

    Missing values are ignored. But if the value is missing in more than half of the rows of the groups that have a
    value, a missing value counts as a value of its own.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), int64
        Codes of the values, as returned by :func:`value_codes`.
    groups : ndarray of shape (n_rows,), int
        The group of each row, from 0.

    Returns
    -------
    Dependence

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.dependence import dependence
    >>> prices, items = np.array([0, 1, 0, 1, 2, -1]), np.array([5, 7, 5, 7, 5, 7])
    >>> found = dependence(prices, items)
    >>> found.n_deviations, found.n_rows, found.first, found.usual
    (1, 5, 4, 0)
    """
    there = values >= 0
    with_value = np.zeros(int(groups.max()) + 1, np.bool_)
    with_value[groups[there]] = True
    rows = np.flatnonzero(with_value[groups])
    if np.count_nonzero(there) * 2 >= len(rows):
        rows = np.flatnonzero(there)
    sizes = np.bincount(groups[rows], minlength=len(with_value))
    rows = rows[sizes[groups[rows]] > 1]
    if not len(rows):
        return Dependence(0, 0, 0)
    of_rows, in_groups = values[rows] + 1, groups[rows].astype(np.int64)
    deviating, usual = _deviations(of_rows, in_groups)
    random, n_deals = np.random.default_rng(0), int(np.clip(_DEALT_ROWS // len(rows), 1, 20))
    deals = [_deviations(random.permutation(of_rows), in_groups)[0] for _ in range(n_deals)]
    n_expected = float(np.mean([len(dealt) for dealt in deals]))
    if not len(deviating):
        return Dependence(0, n_expected, len(rows))
    first = int(deviating[0])
    return Dependence(len(deviating), n_expected, len(rows), int(rows[first]), int(rows[usual[in_groups[first]]]))


def _deviations(values: Positions, groups: Positions) -> tuple[Positions, Positions]:
    """Return the rows without the most frequent value of their group, and for each group a row with this value."""
    pairs, distinct = pd.factorize(groups * (int(values.max()) + 1) + values)
    counts = np.bincount(pairs)
    first_row = np.empty(len(distinct), np.int64)
    first_row[pairs[::-1]] = np.arange(len(values) - 1, -1, -1)
    of_pair = groups[first_row]
    order = np.lexsort((first_row, -counts, of_pair))
    best = order[np.diff(of_pair[order], prepend=-1) > 0]
    usual = np.full(int(groups.max()) + 1, -1, np.int64)
    usual[of_pair[best]] = first_row[best]
    is_best = np.zeros(len(distinct), np.bool_)
    is_best[best] = True
    return np.flatnonzero(~is_best[pairs]), usual


def sampled_groups(groups: NDArray[np.integer]) -> NDArray[np.intp] | slice:
    """Return the rows to compare: all rows, or, if there are very many, those of whole groups drawn at random.

    Parameters
    ----------
    groups : ndarray of shape (n_rows,), int

    Returns
    -------
    ndarray of int, or slice

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.dependence import sampled_groups
    >>> sampled_groups(np.array([1, 1, 2]))
    slice(None, None, None)
    """
    if len(groups) <= _MOST_ROWS:
        return slice(None)
    drawn = np.random.default_rng(0).random(int(groups.max()) + 1) < _MOST_ROWS / len(groups)
    return np.flatnonzero(drawn[groups])
