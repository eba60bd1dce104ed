"""Encode the features of a table for a network of fields: as rows of one embedding table, and as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrec._data.features.categories import Categories, Codes, factors_of
from skrec._data.features.column_kinds import (
    columns_by_kind,
    field_name,
    measures_of,
    refuse_other_measures,
)
from skrec._data.features.encoded import Encoded, Layout
from skrec._data.features.fields_state import fields_of_state, state_of_fields
from skrec._data.features.multivalued import pack, split
from skrec._data.features.numbers import bin_edges, learn_scales, standardise
from skrec._data.features.vectors import learn_arrays, standardise_arrays
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.table import Rows

__all__ = ["Fields"]


@dataclass(frozen=True, eq=False)
class Fields:
    """The learned state of the features of a table: categories, means and scales, widths.

    The categorical and multi-valued fields share one embedding table. Each field has a row for unknown and rare values
    and a row for each value, one field after another. Rows that :meth:`extend` adds come at the end, so that existing
    rows never change.

    Parameters
    ----------
    layout : Layout
    positions : tuple of int
        Positions of the columns, in the order of ``layout.names``.
    categories : tuple of Categories
        The values of the categorical fields, followed by those of the multi-valued fields.
    means, scales : ndarray of shape (n_numeric + sum of the widths of arrays,), float64
        Means and scales of the numeric fields, followed by those of every place of the arrays.
    flagged : ndarray of shape (n_flags,), int
        The numeric fields, and then the arrays, that have a flag, in order.
    separator : str or None
        The separator at which the strings of multi-valued fields are split.
    min_frequency : int
    measures : tuple of str
        What the numeric fields measure, see :func:`skrec._data.features.column_kinds.measures_of`.
    limits : ndarray of shape (n_numeric + sum of the widths of arrays, 2), float64, or None
        Limits beyond which numbers are compressed. If None, as in files of earlier versions, numbers are unchanged.
    sentinels : tuple of (int, float)
        Numeric fields and their values with a separate flag, see :class:`skrec._data.features.outliers.Spread`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.fields import Fields
    >>> from skrec._data.tables.table import as_rows
    >>> frame = pd.DataFrame({
    ...     "city": ["Bern", "Rome", "Bern"],
    ...     "genres": ["Drama|War", "War", None],
    ...     "age": [20.0, None, 40.0],
    ... })
    >>> fields, encoded = Fields.fit(as_rows(frame), range(3), multivalued=["genres"])
    >>> fields.layout
    Layout(categorical=('city',), multivalued=('genres',), numeric=('age',), flags=('age_missing',), arrays=())
    >>> encoded.codes.ravel(), encoded.numbers
    (array([1, 2, 1], dtype=int32), array([[-1.,  0.],
           [ 0.,  1.],
           [ 1.,  0.]], dtype=float32))
    >>> encoded.bags[0]
    array([[ 4,  5],
           [ 5, -1],
           [ 3, -1]], dtype=int32)
    >>> fields.rows_of("city"), fields.rows_of("genres"), fields.n_rows
    (array([0, 1, 2], dtype=int32), array([3, 4, 5], dtype=int32), 6)
    >>> fields.encode(as_rows(frame.replace("Rome", "Oslo"))).codes.ravel()
    array([1, 0, 1], dtype=int32)
    """

    layout: Layout
    positions: tuple[int, ...] = field(repr=False)
    categories: tuple[Categories, ...] = field(repr=False)
    means: NDArray[np.float64] = field(repr=False)
    scales: NDArray[np.float64] = field(repr=False)
    flagged: NDArray[np.intp] = field(repr=False)
    separator: str | None = field(default="|", repr=False)
    min_frequency: int = field(default=1, repr=False)
    measures: tuple[str, ...] = field(default=(), repr=False)
    limits: NDArray[np.float64] | None = field(default=None, repr=False)
    sentinels: tuple[tuple[int, float], ...] = field(default=(), repr=False)

    @classmethod
    def fit(
        cls,
        rows: Rows,
        positions: Sequence[int],
        *,
        categorical: Any = "from_dtype",
        multivalued: Sequence[str | int] | None = None,
        separator: str | None = "|",
        min_frequency: int = 1,
        sample_weight: ArrayLike | None = None,
    ) -> tuple[Fields, Encoded]:
        """Learn the features of a table, and encode it.

        Parameters
        ----------
        rows : Rows
            The table.
        positions : sequence of int
            The columns that are features. May be empty.
        categorical : "from_dtype", sequence of str or int, boolean mask, callable or None, default="from_dtype"
            Names or positions of the categorical columns, whatever their dtype, or a mask over all columns of the
            table, or a function of the table that returns either. All other columns are numeric. If ``"from_dtype"``,
            strings, categories, objects and booleans are categorical. Lists and arrays are always recognized.
        multivalued : sequence of str or int, default=None
            Additional columns with several values in each row: delimited strings, or arrays that are sets of values.
        separator : str or None, default="|"
            The separator at which the strings of multi-valued columns are split. If None, a string is one value.
        min_frequency : int, default=1
            Values in fewer rows than this are unknown.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows in the means and scales of numbers and arrays.

        Returns
        -------
        fields : Fields
        encoded : Encoded

        Raises
        ------
        ColumnError
            If a column does not exist, or if a column is taken to be numeric but is not.
        TypeError
            If a category is not hashable.
        ValueError
            If a value is infinite.
        """
        kinds = columns_by_kind(rows, positions, categorical, multivalued, separator)
        names = {kind: [field_name(rows, position) for position in found] for kind, found in kinds.items()}
        learnt = learn_scales(rows, kinds["numeric"], sample_weight)
        widths, *of_arrays, lacks_arrays = learn_arrays(rows, kinds["array"], sample_weight)
        of_numbers = (learnt.means, learnt.scales, learnt.limits)
        means, scales, limits = (np.concatenate(pair) for pair in zip(of_numbers, of_arrays, strict=True))
        flagged = np.flatnonzero(np.concatenate([learnt.has_missing, lacks_arrays]))
        arrays = list(zip(names["array"], widths, strict=True))
        sentinels = tuple(learnt.sentinels)
        layout = Layout.of(
            names["categorical"], names["multivalued"], names["numeric"], arrays, flagged, sentinels=sentinels
        )
        order = tuple(position for found in kinds.values() for position in found)
        empty = tuple(Categories.empty(name) for name in (*layout.categorical, *layout.multivalued))
        measures = measures_of(rows, kinds["numeric"])
        learnt_fields = cls(
            layout, order, empty, means, scales, flagged, separator, min_frequency, measures, limits, sentinels
        )
        return learnt_fields.extend(rows)

    def encode(self, rows: Rows) -> Encoded:
        """Encode a table. Values that were not seen in fit get the row of the unknown value of their field.

        Parameters
        ----------
        rows : Rows
            A table with the columns of the table passed to fit, in the same order.

        Returns
        -------
        Encoded

        Raises
        ------
        ColumnError
            If a value of a numeric column is not a number, or if an array has another width.
        TypeError
            If a category is not hashable.
        ValueError
            If a value is infinite.
        """
        return self._read(rows, is_fit=False)[1]

    def extend(self, rows: Rows) -> tuple[Fields, Encoded]:
        """Learn the new values of a table, and encode it. Everything else remains as learned in fit.

        Parameters
        ----------
        rows : Rows
            A table with the columns of the table passed to fit, in the same order. New values are added if they are in
            at least `min_frequency` of its rows.

        Returns
        -------
        fields : Fields
            New fields. The existing ones do not change.
        encoded : Encoded

        Raises
        ------
        ColumnError
            If a value of a numeric column is not a number, or if an array has another width.
        TypeError
            If a category is not hashable.
        ValueError
            If a value is infinite.

        Examples
        --------
        >>> from skrec._data.features.fields import Fields
        >>> from skrec._data.tables.table import as_rows
        >>> fields, _ = Fields.fit(as_rows([["b", "x"], ["d", "x"]]), [0, 1])
        >>> fields, encoded = fields.extend(as_rows([["a", "y"], ["b", "x"]]))
        >>> encoded.codes
        array([[5, 6],
               [1, 4]], dtype=int32)
        >>> fields.rows_of("x0")
        array([0, 1, 2, 5], dtype=int32)
        """
        return self._read(rows, is_fit=True)

    @property
    def n_rows(self) -> int:
        """Number of rows of the joint embedding table."""
        return sum(one.n_rows for one in self.categories)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all fields, in the order of `positions`."""
        return self.layout.names

    @property
    def vocabularies(self) -> dict[str, Vocabulary]:
        """The values, without the missing value, of each categorical and multi-valued field, by its name."""
        return {one.vocabulary.name: one.vocabulary for one in self.categories}

    @property
    def unknown(self) -> Codes:
        """The row of the unknown value of each categorical field."""
        return np.array([one.unknown for one in self._single], dtype=np.int32)

    @property
    def missing(self) -> Codes:
        """The row of the missing value of each categorical field; the unknown one if too few were missing."""
        return np.array([one.missing for one in self._single], dtype=np.int32)

    @property
    def bag_unknown(self) -> Codes:
        """The row of the unknown value of each multi-valued field."""
        return np.array([one.unknown for one in self._several], dtype=np.int32)

    def rows_of(self, name: str) -> Codes:
        """Return the rows of the joint embedding table for the codes of a field.

        Parameters
        ----------
        name : str
            Name of a categorical or multi-valued field.

        Returns
        -------
        ndarray of shape (len(self.vocabularies[name]) + 1,), int32
            The first row is that of the unknown value.
        """
        return next(one.rows for one in self.categories if one.vocabulary.name == name)

    def bin_edges(self, encoded: Encoded, n_bins: int) -> NDArray[np.float32]:
        """Return the bin edges of the standardized numbers, ignoring missing ones.

        Parameters
        ----------
        encoded : Encoded
            The rows whose numbers are used.
        n_bins : int
            Number of bins of each numeric field.

        Returns
        -------
        ndarray of shape (n_numeric, n_bins + 1), float32
            See :func:`skrec._data.features.numbers.bin_edges`.
        """
        n_numeric = len(self.layout.numeric)
        numbers = encoded.numbers[:, :n_numeric].copy()
        of_numbers = self.flagged[self.flagged < n_numeric]
        flagged = numbers[:, of_numbers]
        flagged[encoded.numbers[:, n_numeric : n_numeric + len(of_numbers)] != 0] = np.nan
        numbers[:, of_numbers] = flagged
        for number, (column, _) in enumerate(self.sentinels):
            numbers[encoded.numbers[:, n_numeric + len(self.flagged) + number] != 0, column] = np.nan
        return bin_edges(numbers, n_bins)

    def to_state(self) -> dict[str, Any]:
        """Return the fields as a plain dict that can be stored without pickle.

        Returns
        -------
        dict
            A dict of numbers, strings, arrays, and lists and dicts of these.

        Raises
        ------
        TypeError
            If a category is neither a string, a number nor a bool.

        Examples
        --------
        >>> from skrec._data.features.fields import Fields
        >>> from skrec._data.tables.table import as_rows
        >>> fields, _ = Fields.fit(as_rows([["b", 1.0], ["d", 2.0]]), [0, 1])
        >>> Fields.from_state(fields.to_state()).layout == fields.layout
        True
        """
        return state_of_fields(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Fields:
        """Create fields from the result of :meth:`to_state`.

        Parameters
        ----------
        state : mapping

        Returns
        -------
        Fields
        """
        return cls(**fields_of_state(state))

    @property
    def _single(self) -> tuple[Categories, ...]:
        return self.categories[: len(self.layout.categorical)]

    @property
    def _several(self) -> tuple[Categories, ...]:
        return self.categories[len(self.layout.categorical) :]

    def _read(self, rows: Rows, *, is_fit: bool) -> tuple[Fields, Encoded]:
        """Encode each field of a table as soon as it is learned, so that its distinct values are found only once."""
        layout, n_rows = self.layout, self.n_rows
        codes = np.empty((rows.n_rows, len(layout.categorical)), dtype=np.int32)
        bags: list[Codes] = []
        categories: list[Categories] = []
        for number, (old, position) in enumerate(zip(self.categories, self.positions, strict=False)):
            name = old.vocabulary.name
            is_single = number < len(layout.categorical)
            lists = None if is_single else split(rows.column(position), name=name, separator=self.separator)
            factors = factors_of(rows, position, name=name) if lists is None else lists.factors
            new = old
            if is_fit:
                counts = None if lists is None else lists.counts
                new = old.extend(factors, n_rows=n_rows, min_frequency=self.min_frequency, counts=counts)
                n_rows += new.n_rows - old.n_rows
            categories.append(new)
            if lists is None:
                codes[:, number] = new.encode(factors)
            else:
                bags.append(pack(lists, new))
        return replace(self, categories=tuple(categories)), Encoded(codes, bags, *self._standardised(rows))

    def _standardised(self, rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the numbers with all flags, and the arrays."""
        first, n = len(self.categories), len(self.layout.numeric)
        of_numbers, of_arrays = self.flagged[self.flagged < n], self.flagged[self.flagged >= n] - n
        positions, widths = self.positions[first:], [width for _, width in self.layout.arrays]
        refuse_other_measures(rows, positions[:n], self.measures)
        limits, array_limits = (None, None) if self.limits is None else (self.limits[:n], self.limits[n:])
        numbers, is_sentinel = standardise(
            rows,
            positions[:n],
            self.means[:n],
            self.scales[:n],
            of_numbers,
            limits=limits,
            sentinels=self.sentinels,
        )
        arrays, missing = standardise_arrays(
            rows, positions[n:], widths, self.means[n:], self.scales[n:], limits=array_limits
        )
        flags = [missing[:, of_arrays].astype(np.float32), is_sentinel]
        return np.concatenate([numbers, *flags], axis=1) if any(part.shape[1] for part in flags) else numbers, arrays
