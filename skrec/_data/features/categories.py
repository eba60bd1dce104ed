"""The values of a categorical field, and their rows in a joint embedding table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.features.numbers import refuse_infinity
from skrec._data.ids.values import unhashable
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import Column, as_column
from skrec._data.tables.table import Rows

__all__ = ["Categories", "Codes", "Factors", "factorize", "factors_of"]

Codes = NDArray[np.int32]


class Factors(NamedTuple):
    """A column as its distinct values and, for each row, the position of its value among them.

    Parameters
    ----------
    distinct : ndarray of shape (n,)
        The distinct values that are not missing, in any order.
    positions : ndarray of shape (n_rows,), int
        The position of each row's value in `distinct`, or -1 if the value is missing.

    Examples
    --------
    >>> from skrec._data.features.categories import factorize
    >>> factors = factorize(["b", None, "b"], name="letter")
    >>> factors.distinct, factors.positions
    (array(['b'], dtype=object), array([ 0, -1,  0]))
    """

    distinct: Column
    positions: NDArray[np.intp]


def factorize(values: Any, *, name: str) -> Factors:
    """Return the distinct values of a column.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Values of any hashable type; None, NaN, NaT and pd.NA are missing.
    name : str
        Name of the column in error messages.

    Returns
    -------
    Factors

    Raises
    ------
    TypeError
        If a value is not hashable.
    ValueError
        If a value is infinite.

    Examples
    --------
    >>> from skrec._data.features.categories import factorize
    >>> factorize([1, 1.0, 2], name="level")
    Factors(distinct=array([1., 2.]), positions=array([0, 0, 1]))
    """
    is_known = _has_known_values(values)
    column = values if is_known else as_column(values)
    try:
        positions, found = pd.factorize(column)
    except TypeError as error:
        raise unhashable(column, name) from error
    distinct = as_column(found) if is_known else found
    infinite = _infinite(distinct)
    if infinite.any():
        refuse_infinity(np.isin(positions, np.flatnonzero(infinite)), repr(name), "categorical column")
    return Factors(distinct, positions)


def factors_of(rows: Rows, position: int, *, name: str) -> Factors:
    """Return the distinct values of a column of a table, see :func:`factorize`. The column is converted once."""
    raw = rows.raw(position)
    return factorize(raw if _has_known_values(raw) else rows.column(position), name=name)


def _has_known_values(values: Any) -> bool:
    """Whether pandas knows the distinct values of a dtype, or finds them faster than those of an object array."""
    return isinstance(getattr(values, "dtype", None), (pd.CategoricalDtype, pd.StringDtype))


def _infinite(distinct: Column) -> NDArray[np.bool_]:
    if distinct.dtype.kind == "f":
        return np.isinf(distinct)
    infinite = np.zeros(len(distinct), dtype=np.bool_)
    if distinct.dtype.kind == "O" and pd.api.types.infer_dtype(distinct, skipna=False) != "string":
        infinite[:] = [isinstance(value, (float, np.floating)) and np.isinf(value) for value in distinct]
    return infinite


@dataclass(frozen=True, eq=False)
class Categories:
    """The values of a field and their rows in an embedding table that several fields share.

    Parameters
    ----------
    vocabulary : Vocabulary
        The values: codes from 1, and 0 for unknown and rare values.
    rows : ndarray of shape (len(vocabulary) + 1,), int32
        The row of the table for each code. Empty before :meth:`extend` is called.
    missing : int, default=-1
        The row for missing values. It is the row of code 0 until :meth:`extend` has seen enough missing values.

    Examples
    --------
    >>> from skrec._data.features.categories import Categories, factorize
    >>> levels = factorize(["low", None, "high", "low"], name="level")
    >>> field = Categories.empty("level").extend(levels, n_rows=100)
    >>> field.encode(levels), field.n_rows
    (array([102, 103, 101, 102], dtype=int32), 4)
    >>> field = field.extend(factorize(["mid"], name="level"), n_rows=110)
    >>> field.vocabulary.ids, field.rows
    (array(['high', 'low', 'mid'], dtype=object), array([100, 101, 102, 110], dtype=int32))
    """

    vocabulary: Vocabulary
    rows: Codes
    missing: int = -1

    @classmethod
    def empty(cls, name: str) -> Categories:
        """Return a field without values and without rows."""
        return cls(Vocabulary(np.empty(0, dtype=object), name), np.empty(0, dtype=np.int32))

    @property
    def unknown(self) -> int:
        """The row for unknown and rare values."""
        return int(self.rows[0])

    @property
    def n_rows(self) -> int:
        """Number of rows that belong to the field."""
        return len(self.rows) + int(len(self.rows) > 0 and self.missing != self.unknown)

    def extend(
        self, factors: Factors, *, n_rows: int, min_frequency: int = 1, counts: NDArray[Any] | None = None
    ) -> Categories:
        """Assign the next free rows to new values, in sorted order, and then to the missing value.

        Parameters
        ----------
        factors : Factors
            A column.
        n_rows : int
            Number of used rows of the table, which is the first free row.
        min_frequency : int, default=1
            Values in fewer rows of the column than this stay unknown.
        counts : ndarray of shape (1 + len(factors.distinct),), default=None
            The number of rows without a value, and with each value. If None, they are counted in `factors`.

        Returns
        -------
        Categories
            A new field. The existing one does not change.
        """
        if counts is None:
            counts = np.bincount(factors.positions + 1, minlength=len(factors.distinct) + 1)
        frequent = factors.distinct[counts[1:] >= min_frequency]
        if len(self.vocabulary):
            vocabulary = self.vocabulary.extend(frequent)[0]
        else:
            vocabulary = Vocabulary.fit(frequent, name=self.vocabulary.name)[0]
        n_new = len(vocabulary) + 1 - len(self.rows)
        rows = np.concatenate([self.rows, np.arange(n_rows, n_rows + n_new, dtype=np.int32)])
        missing = self.missing if len(self.rows) else int(rows[0])
        if missing == rows[0] and counts[0] >= min_frequency:
            missing = n_rows + n_new
        return Categories(vocabulary, rows, missing)

    def encode(self, factors: Factors) -> Codes:
        """Return the row of the table for each value of a column.

        Parameters
        ----------
        factors : Factors
            A column.

        Returns
        -------
        ndarray of shape (n_rows,), int32

        Warns
        -----
        UserWarning
            If the values are strings and the known values are numbers, or the other way round.
        """
        codes = self.vocabulary.encode(factors.distinct)
        self.vocabulary.warn_other_kind(factors.distinct, codes, what="values")
        rows = self.rows[codes]
        return np.append(rows, np.int32(self.missing))[factors.positions]  # position -1 selects the last

    def to_state(self) -> dict[str, Any]:
        """Return the field as a plain dict that can be stored without pickle.

        Returns
        -------
        dict

        Raises
        ------
        TypeError
            If a value is neither a string, a number nor a bool.
        """
        return {"vocabulary": self.vocabulary.to_state(), "rows": np.array(self.rows), "missing": self.missing}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Categories:
        """Create a field from the result of :meth:`to_state`.

        Parameters
        ----------
        state : mapping

        Returns
        -------
        Categories
        """
        return cls(Vocabulary.from_state(state["vocabulary"]), np.asarray(state["rows"]), int(state["missing"]))
