"""What a network of fields takes of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Encoded", "Layout"]


@dataclass(frozen=True)
class Layout:
    """Which fields there are; equal for tables that differ in their values alone.

    Fields have the names of their columns, or are called ``"x3"`` by position where the table has no names. Within a
    kind they stand in the order that their positions were given in.

    Parameters
    ----------
    categorical : tuple of str
        Fields with one category in each row.
    multivalued : tuple of str
        Fields with several values in each row.
    numeric : tuple of str
        Standardised numbers.
    flags : tuple of str
        Columns of 0 and 1 that tell where a number or an array is missing: ``"age_missing"``, only for fields that had
        a missing value in fit; then those that tell where a number is an extreme value that fit saw again and again:
        ``"age=-999"``.
    arrays : tuple of (str, int)
        Fields with an array in each row, and its width.

    Examples
    --------
    >>> from skrec._data.features.encoded import Layout
    >>> Layout(categorical=("city",), numeric=("age",), flags=("age_missing",)).n_numbers
    2
    """

    categorical: tuple[str, ...] = ()
    multivalued: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    arrays: tuple[tuple[str, int], ...] = ()

    @property
    def n_numbers(self) -> int:
        """Number of numeric fields and flags together."""
        return len(self.numeric) + len(self.flags)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all fields: categorical, multi-valued, numeric, arrays."""
        return tuple(name for name, _ in self.kinds)

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        """Name and kind of all fields, in the order of `names`."""
        return (
            *((name, "categorical") for name in self.categorical),
            *((name, "multivalued") for name in self.multivalued),
            *((name, "numeric") for name in self.numeric),
            *((name, "array") for name, _ in self.arrays),
        )


@dataclass(frozen=True, eq=False)
class Encoded:
    """The rows of a table in the form that a network takes.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_categorical), int32
        For every categorical field the row of the joint embedding table.
    bags : list of ndarray of shape (n_rows, longest), int32
        For every multi-valued field the rows of its values, each once and ascending, then -1. `longest` depends on
        the table and is at least 1.
    numbers : ndarray of shape (n_rows, n_numeric + n_flags), float32
        Standardised numbers, 0 where they are missing, then the flags.
    arrays : ndarray of shape (n_rows, sum of widths), float32
        The array fields side by side, zeros where they are missing.

    Examples
    --------
    >>> from skrec._data.features.fields import Fields
    >>> from skrec._data.tables.table import as_rows
    >>> encoded = Fields.fit(as_rows([["a", 1.0], ["b", 2.0], ["a", 3.0]]), [0])[1]
    >>> encoded.take([2, 1]).codes
    array([[1],
           [2]], dtype=int32)
    """

    codes: NDArray[np.int32]
    bags: list[NDArray[np.int32]]
    numbers: NDArray[np.float32]
    arrays: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: ArrayLike | slice) -> Encoded:
        """Return some of the rows.

        Parameters
        ----------
        rows : array-like of int or bool, or slice
            Which rows.

        Returns
        -------
        Encoded
        """
        at = rows if isinstance(rows, slice) else np.asarray(rows)
        return Encoded(self.codes[at], [bag[at] for bag in self.bags], self.numbers[at], self.arrays[at])
