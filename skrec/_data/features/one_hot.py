"""A table, or the rows of a sparse matrix, as sparse one-hot rows beside numbers, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrec._data.events.windows import Windows
from skrec._data.features.encoded import Encoded
from skrec._data.features.fields import Fields
from skrec._data.features.sparse_rows import SparseRows, dense_columns, largest_values, packed
from skrec._data.tables.columns import object_array
from skrec._data.tables.table import Rows

__all__ = ["OneHot", "OneHotRows"]

_SHORTEST = 8


class OneHotRows(NamedTuple):
    """Encoded rows.

    Parameters
    ----------
    columns : Windows of shape (n_rows, longest)
        The one-hot columns of each row, from 1.
    values : Windows of shape (n_rows, longest) or None
        The bits of their values. None if all of them are 1.
    numbers : ndarray of shape (n_rows, n_numeric + n_flags + sum of the widths of arrays), float32
        Standardized numbers, flags, and arrays.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.one_hot import OneHot
    >>> from skrec._data.tables.table import as_rows
    >>> one_hot, rows = OneHot.fit(as_rows(pd.DataFrame({"city": ["Bern", "Rome"], "age": [20.0, 40.0]})))
    >>> rows.columns[:][:, -1].tolist(), rows.values is None, rows.numbers.tolist()
    ([1, 2], True, [[-1.0], [1.0]])
    """

    columns: Windows
    values: Windows | None
    numbers: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class OneHot:
    """The learned one-hot columns and numbers of a table.

    Each category, each value of a multi-valued field, and each column of a sparse matrix is a one-hot column. Unknown
    values have none. Missing values of a categorical field have one if they occurred in fit.

    Parameters
    ----------
    fields : Fields
        The fields of a table, or the columns of a sparse matrix that are numbers.
    places : ndarray of shape (fields.n_rows,), int32
        The one-hot column, from 1, of each row of a joint embedding table of the fields; 0 for unknown values.
    groups : ndarray of shape (n_columns,), int32
        The categorical field of each one-hot column; the number of categorical fields for all other columns.
    bag_columns : ndarray of int64, or None
        Columns of a sparse matrix that are one-hot columns. None for tables.
    bag_scales : ndarray of float64, or None
        Largest absolute value of each of them, by which values are divided.
    bag_has_negative : bool
        Whether one of them has a negative value.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.one_hot import OneHot
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"city": ["Bern", "Rome", None], "genres": [["War"], [], ["Art", "War"]]}))
    >>> one_hot, encoded = OneHot.fit(rows)
    >>> encoded.columns[:], one_hot.groups
    (array([[-1, -1, -1, -1, -1, -1,  1,  5],
           [-1, -1, -1, -1, -1, -1, -1,  2],
           [-1, -1, -1, -1, -1,  3,  4,  5]], dtype=int32), array([0, 0, 0, 1, 1], dtype=int32))
    """

    fields: Fields
    places: NDArray[np.int32]
    groups: NDArray[np.int32]
    bag_columns: NDArray[np.int64] | None = None
    bag_scales: NDArray[np.float64] | None = None
    bag_has_negative: bool = False

    @classmethod
    def fit(cls, rows: Rows, **options: Any) -> tuple[OneHot, OneHotRows]:
        """Learn the columns of a table or of a sparse matrix, and encode it.

        Parameters
        ----------
        rows : Rows
        **options
            See :meth:`Fields.fit`; not used for sparse rows.
        """
        if isinstance(rows, SparseRows):
            numbers = [at for at in dense_columns(rows, set()) if _has_several_values(rows, at)]
            fields, encoded = Fields.fit(rows, numbers, categorical=None)
            columns, scales = largest_values(rows, set(numbers))
            groups = np.zeros(len(columns), np.int32)
            negative = bool((rows.matrix.data[~np.isin(rows.matrix.indices, numbers)] < 0).any())
            one_hot = cls(fields, np.empty(0, np.int32), groups, columns, scales, negative)
        else:
            fields, encoded = Fields.fit(rows, range(rows.n_columns), **options)
            n_single = len(fields.layout.categorical)
            known = np.ones(fields.n_rows, np.bool_)
            group = np.full(fields.n_rows, n_single, np.int32)
            for number, one in enumerate(fields.categories):
                known[one.unknown] = False
                if number < n_single:
                    group[[*one.rows, one.missing]] = number
            places = (np.cumsum(known) * known).astype(np.int32)
            one_hot = cls(fields, places, group[known])
        return one_hot, one_hot._rows(rows, encoded)

    def encode(self, rows: Rows) -> OneHotRows:
        """Encode a table or sparse rows like those of fit."""
        return self._rows(rows, self.fields.encode(rows))

    @property
    def n_groups(self) -> int:
        """Number of categorical fields."""
        return len(self.fields.layout.categorical)

    @property
    def has_bag(self) -> bool:
        """Whether there are one-hot columns that belong to no categorical field."""
        return bool((self.groups == self.n_groups).any())

    @property
    def absent(self) -> tuple[tuple[int, int], ...]:
        """The numbers, and then the places of arrays, that are missing where each flag is 1: (start, stop)."""
        layout, n = self.fields.layout, len(self.fields.layout.numeric)
        ends = np.cumsum([n, *(width for _, width in layout.arrays)]).tolist()
        flagged = self.fields.flagged.tolist()
        spans = [(at, at + 1) if at < n else (ends[at - n], ends[at - n + 1]) for at in flagged]
        return (*spans, *((at, at + 1) for at, _ in self.fields.sentinels))

    def _rows(self, rows: Rows, encoded: Encoded) -> OneHotRows:
        numbers = np.concatenate([encoded.numbers, encoded.arrays], axis=1)
        if self.bag_columns is not None:
            assert isinstance(rows, SparseRows)
            assert self.bag_scales is not None
            columns, values = packed(rows, self.bag_columns, self.bag_scales)
            return OneHotRows(columns, values, numbers)
        codes = np.concatenate([encoded.codes, *encoded.bags], axis=1)
        if len(self.places):
            codes = np.where(codes >= 0, self.places[np.maximum(codes, 0)], 0)
        known = codes > 0
        ends = np.concatenate([[0], np.cumsum(known.sum(axis=1))]).astype(np.int64)
        longest = int(np.diff(ends).max(initial=1))
        length = max(_SHORTEST, 1 << (longest - 1).bit_length())
        return OneHotRows(Windows(codes[known].astype(np.int32), ends[:-1], ends[1:], length), None, numbers)

    # -- back to the columns of the table ------------------------------------------------------------------------------

    def decode(self, numbers: NDArray[np.float32], scores: NDArray[np.float32]) -> list[NDArray[Any]]:
        """Return the columns of the table, in its order, for reconstructed rows.

        Parameters
        ----------
        numbers : ndarray of shape (n_rows, n_numeric + n_flags + sum of the widths of arrays)
            Standardized numbers, logits of flags, and arrays.
        scores : ndarray of shape (n_rows, n_columns)
            Probabilities of the one-hot columns.

        Returns
        -------
        list of ndarray of shape (n_rows,)
        """
        layout = self.fields.layout
        columns = [self._category(number, scores) for number in range(len(layout.categorical))]
        first = len(columns)
        columns += [self._bag(first + number, scores) for number in range(len(layout.multivalued))]
        columns += self._numbers(numbers)
        order = np.argsort(self.fields.positions)
        return [columns[number] for number in order]

    def decode_sparse(
        self, numbers: NDArray[np.float32], scores: NDArray[np.float32], *, n_columns: int, scaled: bool
    ) -> NDArray[np.float32]:
        """Return the rows of a sparse matrix as a dense array; scores are multiplied by the scales if `scaled`."""
        assert self.bag_columns is not None
        assert self.bag_scales is not None
        dense = np.zeros((len(numbers), n_columns), np.float32)
        dense[:, self.bag_columns] = scores * self.bag_scales if scaled else scores
        for position, column in zip(self.fields.positions, self._numbers(numbers), strict=True):
            dense[:, position] = column
        return dense

    def _category(self, number: int, scores: NDArray[np.float32]) -> NDArray[Any]:
        """Return the likeliest known category of a field, None if the missing value is the likeliest."""
        one = self.fields.categories[number]
        ids = one.vocabulary.ids
        at = self.places[one.rows[1:]]
        if one.missing != one.unknown:
            ids = np.concatenate([ids.astype(object), object_array([None])])
            at = np.append(at, self.places[one.missing])
        if not len(at):
            return np.full(len(scores), None, dtype=object)
        return np.asarray(ids[scores[:, at - 1].argmax(axis=1)])

    def _bag(self, number: int, scores: NDArray[np.float32]) -> NDArray[Any]:
        """Return the probability of each value of a multi-valued field, as a dict in descending order."""
        one = self.fields.categories[number]
        ids, found = one.vocabulary.ids.tolist(), scores[:, self.places[one.rows[1:]] - 1]
        order = np.argsort(-found, axis=1, kind="stable")
        return object_array(
            [{ids[at]: float(row[at]) for at in places} for row, places in zip(found, order.tolist(), strict=True)]
        )

    def _numbers(self, numbers: NDArray[np.float32]) -> list[NDArray[Any]]:
        """Return the numbers in the units of the table, followed by the arrays."""
        fields, layout = self.fields, self.fields.layout
        n, n_flags = len(layout.numeric), len(layout.flags)
        values = np.delete(numbers.astype(np.float64), np.s_[n : n + n_flags], axis=1) * fields.scales + fields.means
        instead = [np.nan] * len(fields.flagged) + [value for _, value in fields.sentinels]
        for flag, ((start, stop), value) in enumerate(zip(self.absent, instead, strict=True)):
            values[numbers[:, n + flag] > 0, start:stop] = value
        columns = [_as_measured(values[:, at], fields.measures[at]) for at in range(n)]
        ends = np.cumsum([n, *(width for _, width in layout.arrays)]).tolist()
        arrays = [values[:, start:stop] for start, stop in pairwise(ends)]
        return columns + [object_array([None if np.isnan(row).all() else row for row in block]) for block in arrays]


def _has_several_values(rows: SparseRows, position: int) -> bool:
    """Return whether the values of a column that are not 0 differ, so that it holds more than 0 and 1."""
    values = rows.raw(position)
    values = values[values != 0]
    return bool(len(values) and values.min() != values.max())


def _as_measured(seconds: NDArray[np.float64], measure: str) -> NDArray[Any]:
    """Return numbers as dates or durations if the column held these in fit."""
    if measure not in {"dates", "durations"}:
        return seconds
    missing = np.isnan(seconds)
    steps = (np.where(missing, 0.0, seconds) * 1e6).astype(np.int64)
    times = steps.astype("datetime64[us]" if measure == "dates" else "timedelta64[us]")
    times[missing] = np.datetime64("NaT") if measure == "dates" else np.timedelta64("NaT")
    return times


def object_cells(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return columns as one array: of numbers if all columns are numbers, otherwise of objects.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.one_hot import object_cells
    >>> object_cells([np.array(["Bern", "Rome"]), np.array([20.0, 40.0])])
    array([['Bern', 20.0],
           ['Rome', 40.0]], dtype=object)
    """
    if all(column.dtype.kind == "f" for column in columns):
        return np.column_stack(columns)
    cells = np.empty((len(columns[0]), len(columns)), dtype=object)
    for position, column in enumerate(columns):
        cells[:, position] = object_array(column.tolist() if column.dtype.kind != "O" else list(column))
    return cells
