"""Encode columns and their crosses as codes, by vocabulary or by hash."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import murmurhash3_32

from skrec._data import Rows, Vocabulary
from skrec._data.ids.value_kinds import warn_mixed_kinds

__all__ = [
    "column_codes",
    "cross_categories",
    "cross_codes",
    "decoded",
    "fit_column",
    "fit_cross",
    "hash_crosses",
    "hashed_codes",
    "hashes_of",
    "warn_hashed_kinds",
]

Codes = NDArray[np.int32]


# ----------------------------------------------------------------------------------------------------------- one column


def fit_column(rows: Rows, position: int) -> tuple[Vocabulary, Codes]:
    """Learn the values of a column.

    Parameters
    ----------
    rows : Rows
    position : int
        Position of the column.

    Returns
    -------
    vocabulary : Vocabulary
        The values, without the missing value.
    codes : ndarray of shape (n_rows,), int32
        1 to n for the values, n + 1 for a missing value.

    Raises
    ------
    TypeError
        If a value is not hashable.
    ValueError
        If a value is infinite.

    Examples
    --------
    >>> from skrec._data import as_rows
    >>> from skrec.preprocessing._cross_codes import fit_column
    >>> fit_column(as_rows([["b"], [None], ["a"]]), 0)
    (Vocabulary(2 ids, name='x0'), array([2, 3, 1], dtype=int32))
    """
    values, missing, name = _values(rows, position)
    vocabulary, codes = Vocabulary.fit(values, name=name)
    return vocabulary, _with_missing(codes, missing, vocabulary)


def column_codes(rows: Rows, position: int, vocabulary: Vocabulary, *, warn: bool = True) -> Codes:
    """Return the codes that :func:`fit_column` gave to the values of a column, and 0 for other values.

    If ``warn`` is True, values of another kind than those of ``fit`` cause a warning.
    """
    values, missing, _ = _values(rows, position)
    codes = vocabulary.encode(values)
    if warn:
        vocabulary.warn_other_kind(values, codes, what="values")
    return _with_missing(codes, missing, vocabulary)


def decoded(vocabulary: Vocabulary, codes: NDArray[np.integer[Any]]) -> list[Any]:
    """Return the values of codes that :func:`fit_column` gave; None for a missing value."""
    values = [*vocabulary.ids.tolist(), None]
    return [values[code - 1] for code in codes.tolist()]


def _values(rows: Rows, position: int) -> tuple[NDArray[Any], NDArray[np.bool_], str]:
    """Return a column with a placeholder for missing values, the mask of the missing values, and the column's name."""
    column = rows.column(position)
    name = f"x{position}" if rows.names is None else rows.names[position]
    if column.dtype.kind == "f" and np.isinf(column).any():
        row = int(np.argmax(np.isinf(column)))
        raise ValueError(
            f"Input X contains infinity: column {name!r} has {column[row]} in row {row}, which is not a category. "
            "Replace it, for instance with X.replace([np.inf, -np.inf], np.nan); a missing value is its own category."
        )
    missing = np.asarray(pd.isna(column))
    if missing.all():
        return column[:0], missing, name
    if missing.any():  # every row keeps its position, so that errors can name it
        column = column[np.where(missing, np.argmin(missing), np.arange(len(column)))]
    return column, missing, name


def _with_missing(codes: Codes, missing: NDArray[np.bool_], vocabulary: Vocabulary) -> Codes:
    return np.where(missing, np.int32(len(vocabulary) + 1), codes if len(codes) else np.int32(0))


# ------------------------------------------------------------------------------------------------------- by vocabulary


def fit_cross(columns: Sequence[tuple[Vocabulary, Codes]], name: str) -> tuple[list[Vocabulary], Codes]:
    """Learn the combinations of values that occur in columns.

    The first two columns are combined, the result is combined with the third, and so on: each time a pair of codes
    becomes one integer, ``left * (n_right + 2) + right``, and a vocabulary gives codes to these integers. Pairs of
    32-bit codes never overflow, whatever the number of columns.

    Parameters
    ----------
    columns : sequence of (Vocabulary, ndarray of shape (n_rows,))
        The result of :func:`fit_column` for each column.
    name : str
        Name of the cross in error messages.

    Returns
    -------
    tables : list of Vocabulary
        One vocabulary for each column except the first. The last one holds the combinations of all columns.
    codes : ndarray of shape (n_rows,), int32
        Codes from 1, in lexicographic order of the codes of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data import Vocabulary
    >>> from skrec.preprocessing._cross_codes import fit_cross
    >>> left, right = Vocabulary.fit(["b", "a", "b"]), Vocabulary.fit([7, 5, 5])
    >>> fit_cross([left, right], "a_x_b")[1]
    array([3, 1, 2], dtype=int32)
    """
    tables: list[Vocabulary] = []
    codes = columns[0][1]
    for vocabulary, right in columns[1:]:
        table, codes = Vocabulary.fit(_pairs(codes, right, vocabulary), name=name)
        tables.append(table)
    return tables, codes


def cross_codes(columns: Sequence[tuple[Vocabulary, Codes]], tables: Sequence[Vocabulary]) -> Codes:
    """Return the codes that :func:`fit_cross` gave to combinations, and 0 for other combinations."""
    codes = columns[0][1]
    for (vocabulary, right), table in zip(columns[1:], tables, strict=True):
        codes = table.encode(_pairs(codes, right, vocabulary))
    return codes


def cross_categories(vocabularies: Sequence[Vocabulary], tables: Sequence[Vocabulary]) -> list[tuple[Any, ...]]:
    """Return the combinations of values for the codes of a cross, from 1, in order; None for a missing value.

    Parameters
    ----------
    vocabularies : sequence of Vocabulary
        The vocabularies of the columns.
    tables : sequence of Vocabulary
        The vocabularies that :func:`fit_cross` returned.

    Returns
    -------
    list of tuple
    """
    pairs = tables[-1].ids
    parts: list[list[Any]] = []
    for position in range(len(vocabularies) - 1, 0, -1):
        left, right = np.divmod(pairs, len(vocabularies[position]) + 2)
        parts.insert(0, decoded(vocabularies[position], right))
        pairs = left if position == 1 else tables[position - 2].ids[left - 1]
    return list(zip(decoded(vocabularies[0], pairs), *parts, strict=True))


def _pairs(left: Codes, right: Codes, vocabulary: Vocabulary) -> NDArray[np.int64]:
    # a code 0 on either side gives a number that does not occur in fit, as fit has no code 0
    return left.astype(np.int64) * (len(vocabulary) + 2) + right


# -------------------------------------------------------------------------------------------------------------- by hash


def hashes_of(vocabulary: Vocabulary) -> NDArray[np.uint64]:
    """Return a hash of each value that is the same in every process, on every platform and in every Python version.

    The hash is MurmurHash3 (32 bits) of a canonical text. Equal values have the same text, whatever their type.

    Parameters
    ----------
    vocabulary : Vocabulary

    Returns
    -------
    ndarray of shape (n + 2,), uint64
        By code: unused, the n values, a missing value.

    Raises
    ------
    TypeError
        If there is no canonical text for the type of a value.

    Examples
    --------
    >>> from skrec._data import Vocabulary
    >>> from skrec.preprocessing._cross_codes import hashes_of
    >>> hashes_of(Vocabulary([1, 0.5])).tolist() == hashes_of(Vocabulary([1.0, 0.5])).tolist()
    True
    """
    hashes = np.zeros(len(vocabulary) + 2, dtype=np.uint64)
    for code, value in enumerate([*vocabulary.ids.tolist(), None], start=1):
        try:
            hashes[code] = murmurhash3_32(_text(value), seed=0, positive=True)
        except TypeError as error:
            raise TypeError(
                f"Column {vocabulary.name!r} has {value!r} ({type(value).__name__}), which has no stable hash: only "
                "strings, numbers, dates and tuples of these have one. Convert it, for instance with "
                "X[column].map(str), or pass encoding='vocabulary'."
            ) from error
    return hashes


def hash_crosses(columns: Sequence[NDArray[np.uint64]], n_bins: int) -> NDArray[np.int64]:
    """Return the codes, from 1 to `n_bins`, of the rows of a cross.

    Parameters
    ----------
    columns : sequence of ndarray of shape (n_rows,), uint64
        The hashes of the values in each column.
    n_bins : int

    Returns
    -------
    ndarray of shape (n_rows,), int64

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.preprocessing._cross_codes import hash_crosses
    >>> one, two = np.array([1, 2], dtype=np.uint64), np.array([2, 1], dtype=np.uint64)
    >>> hash_crosses([one, two], 1000)
    array([228, 606])
    """
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for hashes in columns:
        mixed = _mix(mixed ^ hashes)
    return (mixed % np.uint64(n_bins)).astype(np.int64) + 1


def hashed_codes(rows: Rows, crosses: Sequence[tuple[int, ...]], n_bins: int) -> list[NDArray[np.int64]]:
    """Return the codes, from 1 to `n_bins`, of the rows of a table in each cross, given as positions of columns.

    Each distinct value of a column is hashed once, whatever the number of rows and crosses.
    """
    hashes = {}
    for position in {*chain(*crosses)}:
        vocabulary, codes = fit_column(rows, position)
        hashes[position] = hashes_of(vocabulary)[codes]
    return [hash_crosses([hashes[position] for position in cross], n_bins) for cross in crosses]


def warn_hashed_kinds(rows: Rows, kinds: Mapping[int, Sequence[str]]) -> None:
    """Warn about values of a kind that ``fit`` did not see: their hashes differ, even if the values look alike.

    Parameters
    ----------
    rows : Rows
    kinds : mapping of int to sequence of str
        The kinds of the values in ``fit`` by position of the column, see
        :func:`skrec._data.ids.value_kinds.kinds_of`.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> from skrec._data import as_rows
    >>> from skrec.preprocessing._cross_codes import warn_hashed_kinds
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     warn_hashed_kinds(as_rows([[b"a"]]), {0: ["strings"]})
    >>> str(caught[0].message)[:52]
    "Some values for column 'x0' are bytes, such as b'a' "
    """
    for position, known in kinds.items():
        column = rows.column(position)
        every = np.ones(len(column), dtype=np.bool_)
        name = f"x{position}" if rows.names is None else rows.names[position]
        so = "their hashes differ from those in fit"
        warn_mixed_kinds(column, every, frozenset(known), name, what="values", so=so)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits: SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _text(value: Any) -> bytes:  # noqa: PLR0911
    """Return bytes that are the same for equal values and different for other values, on every platform."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, int):
        return b"n%d" % value
    if isinstance(value, float | Decimal | Fraction):
        return f"n{Fraction(value) if math.isfinite(value) else value}".encode()
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, datetime):
        moment = pd.Timestamp(value)
        return f"d{(moment.tz_convert('UTC') if moment.tz else moment).isoformat()}".encode()
    if isinstance(value, timedelta):
        return f"t{pd.Timedelta(value).isoformat()}".encode()
    if isinstance(value, tuple):
        return b"(" + b"".join(b"%d:%s" % (len(text), text) for text in map(_text, value))
    if isinstance(value, pd.Interval):
        return b"i" + _text((value.left, value.right, value.closed))
    if value is None or isinstance(value, date | time | pd.Period | UUID):
        return f"{type(value).__name__}:{value}".encode()
    raise TypeError(f"no canonical text for {type(value).__name__}")
