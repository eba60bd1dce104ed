"""The form in which a network of fields reads a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Encoded", "Layout"]


@dataclass(frozen=True)
class Layout:
    """The fields of a table. Tables that only differ in their values have equal layouts.

    Fields have the names of their columns, or names such as ``"x3"`` by position if the table has no column names.
    Fields of the same kind are in the order in which their positions were given.

    Parameters
    ----------
    categorical : tuple of str
        Fields with one category in each row.
    multivalued : tuple of str
        Fields with several values in each row.
    numeric : tuple of str
        Fields with standardized numbers.
    flags : tuple of str
        Columns of 0 and 1. First those that mark missing numbers or arrays, such as ``"age_missing"``, only for fields
        with a missing value in fit. Then those that mark extreme values that occurred repeatedly in fit, such as
        ``"age=-999"``.
    arrays : tuple of (str, int)
        Fields with an array in each row, and the widths of the arrays.

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

    @classmethod
    def of(
        cls,
        categorical: Sequence[str],
        multivalued: Sequence[str],
        numeric: Sequence[str],
        arrays: Sequence[Sequence[Any]],
        flagged: NDArray[np.intp],
        *,
        sentinels: Sequence[tuple[int, float]],
    ) -> Layout:
        """Return the layout of named fields; `flagged` counts through the numeric fields and then the arrays."""
        flaggable = [*numeric, *(name for name, _ in arrays)]
        return cls(
            categorical=tuple(categorical),
            multivalued=tuple(multivalued),
            numeric=tuple(numeric),
            flags=(
                *(f"{flaggable[number]}_missing" for number in flagged),
                *(f"{numeric[column]}={value:g}" for column, value in sentinels),
            ),
            arrays=tuple((str(name), int(width)) for name, width in arrays),
        )

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
    """The rows of a table in the form that a network reads.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_categorical), int32
        The row of the joint embedding table for each categorical field.
    bags : list of ndarray of shape (n_rows, longest), int32
        The distinct rows of the values of each multi-valued field, ascending, padded with -1. `longest` depends on the
        table and is at least 1.
    numbers : ndarray of shape (n_rows, n_numeric + n_flags), float32
        Standardized numbers, 0 if missing, followed by the flags.
    arrays : ndarray of shape (n_rows, sum of widths), float32
        The array fields side by side, zeros if missing.

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
