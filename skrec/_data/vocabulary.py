"""Ids and their codes: 1 to n for the ids that were seen, 0 for every other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.columns import Column, as_column, narrow, object_array

__all__ = ["Vocabulary"]

Codes = NDArray[np.int32]

_CHUNK = 1 << 20
_STATE_TYPES = (str, bool, int, float)


class Vocabulary:
    """An immutable, one-to-one map between ids and the codes 1 to n.

    Ids are compared by value, as Python compares them: 1, 1.0 and ``np.int64(1)`` are one id, ``"1"`` is another,
    and integers of any size are exact. Numbers sort first, then strings, then other types by the name of the type.

    Parameters
    ----------
    ids : ndarray of shape (n,)
        The ids, each once; the code of ``ids[i]`` is ``i + 1``. :meth:`fit` makes them from a column.
    name : str, default="user_id"
        The column they stand in, for error messages.

    Attributes
    ----------
    ids : ndarray of shape (n,), read-only
    name : str

    Examples
    --------
    >>> from skrec._data.vocabulary import Vocabulary
    >>> vocabulary, codes = Vocabulary.fit(["bo", "al", "bo"], name="user_id")
    >>> vocabulary.ids, codes
    (array(['al', 'bo'], dtype=object), array([2, 1, 2], dtype=int32))
    >>> vocabulary.encode(["al", "cy"])
    array([1, 0], dtype=int32)
    >>> vocabulary.decode([2, 0])
    array(['bo', None], dtype=object)
    """

    def __init__(self, ids: Column, name: str = "user_id") -> None:
        self.ids = ids.view()
        self.ids.flags.writeable = False
        self.name = name

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} ids, name={self.name!r})"

    def __reduce__(self) -> tuple[type[Vocabulary], tuple[Column, str]]:
        return Vocabulary, (self.ids, self.name)

    @classmethod
    def fit(cls, values: Any, *, name: str = "user_id", min_frequency: int = 1) -> tuple[Vocabulary, Codes]:
        """Make a vocabulary of the ids in a column, and encode the column.

        Parameters
        ----------
        values : array-like of shape (n_rows,)
            The ids, any number of times each.
        name : str, default="user_id"
            The column they stand in, for error messages.
        min_frequency : int, default=1
            Ids in fewer rows than this are left out: their code is 0.

        Returns
        -------
        vocabulary : Vocabulary
        codes : ndarray of shape (n_rows,), int32

        Raises
        ------
        TypeError
            If an id is not hashable.
        ValueError
            If an id is missing or infinite.
        """
        ids, codes = _factorize_sorted(as_column(values), name)
        if min_frequency > 1:
            frequent = np.bincount(codes, minlength=len(ids) + 1)[1:] >= min_frequency
            new_codes = np.zeros(len(ids) + 1, dtype=np.int32)
            new_codes[1:][frequent] = np.arange(1, frequent.sum() + 1)
            ids, codes = ids[frequent], new_codes[codes]
        return cls(ids, name), codes

    def encode(self, values: Any) -> Codes:
        """Return the codes of ids; 0 for those that are not in the vocabulary.

        Parameters
        ----------
        values : array-like of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,), int32

        Raises
        ------
        TypeError
            If an id is not hashable.
        ValueError
            If an id is missing or infinite.
        """
        column = as_column(values)
        _refuse_missing(column, self.name)
        if column.dtype.kind == "O":
            codes = self._codes_of_objects(column)
            _refuse_infinite(column, codes, self.name)
            return codes
        if self._is_numeric and column.dtype.kind in "iufb":
            return self._codes_of_numbers(column)
        positions, distinct = pd.factorize(column)
        found: Codes = self._codes_of_objects(_as_objects(distinct))[positions]
        return found

    def decode(self, codes: Any) -> Column:
        """Return the ids of codes.

        Parameters
        ----------
        codes : array-like of shape (n_rows,), int
            Codes from 0 to n.

        Returns
        -------
        ndarray of shape (n_rows,)
            The ids, of the type of :attr:`ids`; an object array with None for 0 if there is one.

        Raises
        ------
        ValueError
            If a code is not a whole number from 0 to n.
        """
        codes = np.asarray(codes)
        whole = codes.astype(np.int64)
        wrong = (whole != codes) | (whole < 0) | (whole > len(self))
        if wrong.any():
            raise ValueError(
                f"{codes[wrong][0]} is not a code of column {self.name!r}: codes are whole numbers from 0 (unknown) "
                f"to {len(self)}."
            )
        known = whole > 0
        if known.all():
            return np.asarray(self.ids[whole - 1])
        ids = np.full(whole.shape, None, dtype=object)
        ids[known] = self.ids[whole[known] - 1]
        return ids

    def extend(self, values: Any) -> tuple[Vocabulary, Codes]:
        """Add the ids of a column that are new. Old ids keep their codes; new ones follow, sorted.

        Parameters
        ----------
        values : array-like of shape (n_rows,)

        Returns
        -------
        vocabulary : Vocabulary
            A new vocabulary; this one does not change.
        codes : ndarray of shape (n_rows,), int32
            The codes of the column in the new vocabulary.

        Raises
        ------
        TypeError
            If an id is not hashable.
        ValueError
            If an id is missing or infinite.

        Examples
        --------
        >>> from skrec._data.vocabulary import Vocabulary
        >>> vocabulary, _ = Vocabulary.fit([5, 7])
        >>> vocabulary.extend([7, 6, 1])[0].ids
        array([5, 7, 1, 6])
        """
        column = as_column(values)
        codes = self.encode(column)
        new = codes == 0
        if not new.any():
            return self, codes
        ids, new_codes = _factorize_sorted(column[new], self.name)
        codes[new] = new_codes + np.int32(len(self))
        return Vocabulary(_join(self.ids, ids), self.name), codes

    def to_state(self) -> dict[str, Any]:
        """Return the vocabulary as a plain dict, to be stored without pickle.

        Returns
        -------
        dict
            ``"name"``, and ``"ids"``: a numeric array, or a list of strings, numbers and bools.

        Raises
        ------
        TypeError
            If an id is of another type.

        Examples
        --------
        >>> from skrec._data.vocabulary import Vocabulary
        >>> state = Vocabulary.fit(["a", 1])[0].to_state()
        >>> state
        {'name': 'user_id', 'ids': [1, 'a']}
        >>> Vocabulary.from_state(state)
        Vocabulary(2 ids, name='user_id')
        """
        if self._is_numeric:
            return {"name": self.name, "ids": np.array(self.ids)}
        ids = self.ids.tolist()
        other = next((value for value in ids if type(value) not in _STATE_TYPES), None)
        if other is not None:
            raise TypeError(
                f"Column {self.name!r} has the id {other!r} ({type(other).__name__}): only strings, numbers and bools "
                "can be stored without pickle. Convert the ids to strings, or use pickle or joblib."
            )
        return {"name": self.name, "ids": ids}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Vocabulary:
        """Make a vocabulary of what :meth:`to_state` returned.

        Parameters
        ----------
        state : mapping

        Returns
        -------
        Vocabulary
        """
        ids = state["ids"]
        return cls(object_array(ids) if isinstance(ids, list) else np.asarray(ids), str(state["name"]))

    @property
    def _is_numeric(self) -> bool:
        return self.ids.dtype.kind in "iufb"

    @cached_property
    def _sorted_keys(self) -> tuple[Column, Codes | None]:
        """Numeric ids in order, and their codes (None: 1 to n)."""
        keys = self.ids.astype(np.int64) if self.ids.dtype.kind == "b" else self.ids
        if np.all(keys[1:] > keys[:-1]):
            return keys, None
        order = np.argsort(keys)
        return keys[order], (order + 1).astype(np.int32)

    @cached_property
    def _index(self) -> pd.Index[Any]:
        index = pd.Index(self.ids, dtype=object, tupleize_cols=False)
        index.get_indexer(index[:1])  # Fills its hash table before another thread can see it.
        return index

    def _codes_of_numbers(self, column: Column) -> Codes:
        keys, codes_of_keys = self._sorted_keys
        if not len(keys) or not len(column):
            return np.zeros(len(column), dtype=np.int32)
        if keys.dtype == column.dtype == np.int64 and _is_compact(keys[0], keys[-1], len(column)):
            table = np.zeros(int(keys[-1]) - int(keys[0]) + 1, dtype=np.int32)
            table[keys - keys[0]] = np.arange(1, len(keys) + 1) if codes_of_keys is None else codes_of_keys
            return _take_from_table(table, column, int(keys[0]))
        positions, distinct = pd.factorize(column)
        values, exact = _cast_exactly(distinct, keys.dtype)
        at = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
        codes = at.astype(np.int32) + np.int32(1) if codes_of_keys is None else codes_of_keys[at]
        codes[(keys[at] != values) | ~exact] = 0
        return np.asarray(codes[positions])

    def _codes_of_objects(self, column: Column) -> Codes:
        try:
            if not self._is_numeric:
                target = pd.Index(column, dtype=object, tupleize_cols=False)
                return (self._index.get_indexer(target) + 1).astype(np.int32)
            positions, distinct = pd.factorize(column)
        except TypeError as error:
            raise _unhashable(column, self.name) from error
        codes = np.zeros(len(distinct), dtype=np.int32)
        whole = [isinstance(value, (int, np.integer, np.bool_)) for value in distinct]
        floats = [isinstance(value, (float, np.floating)) for value in distinct]
        signed = [w and -(2**63) <= value < 2**63 for w, value in zip(whole, distinct, strict=True)]
        unsigned = [w and 2**63 <= value < 2**64 for w, value in zip(whole, distinct, strict=True)]
        for mask, dtype in ((signed, np.int64), (unsigned, np.uint64), (floats, np.float64)):
            codes[mask] = self._codes_of_numbers(distinct[mask].astype(dtype))
        return np.asarray(codes[positions])


def _factorize_sorted(column: Column, name: str) -> tuple[Column, Codes]:
    """Return the distinct ids of a column, sorted, and the codes of its rows."""
    _refuse_missing(column, name)
    if column.dtype == np.int64 and len(column):
        low, high = column.min(), column.max()
        if _is_compact(low, high, len(column)):
            return _factorize_compact(column, int(low), int(high))
    try:
        positions, distinct = pd.factorize(column)
    except TypeError as error:
        raise _unhashable(column, name) from error
    if column.dtype.kind == "O":
        distinct = object_array([_plain(value) for value in distinct])
        _refuse_infinite(column, positions, name, distinct)
        order = _order(distinct)
    else:
        order = np.argsort(distinct)
    codes = np.empty(len(distinct), dtype=np.int32)
    codes[order] = np.arange(1, len(distinct) + 1)
    ids = distinct[order]
    if ids.dtype.kind == "f":
        ids = ids + 0.0  # -0.0 becomes 0.0
    return ids if ids.dtype.kind in "iufbO" else _as_objects(ids), codes[positions]


def _is_compact(low: Any, high: Any, n_rows: int) -> bool:
    """Whether a look-up table over the range of the ids is small beside the column."""
    return int(high) - int(low) < 2 * n_rows + 4096


def _factorize_compact(column: Column, low: int, high: int) -> tuple[Column, Codes]:
    seen = np.zeros(high - low + 1, dtype=np.bool_)
    for start in range(0, len(column), _CHUNK):
        seen[column[start : start + _CHUNK] - low] = True
    ids = np.flatnonzero(seen)
    ids += low
    return ids, _take_from_table(np.cumsum(seen, dtype=np.int32), column, low)


def _take_from_table(table: Codes, column: Column, low: int) -> Codes:
    """Return ``table[column - low]``, 0 outside the table, in chunks to save memory."""
    codes = np.empty(len(column), dtype=np.int32)
    for start in range(0, len(column), _CHUNK):
        values = column[start : start + _CHUNK]
        inside = (values >= low) & (values <= low + len(table) - 1)
        if inside.all():
            table.take(values - low, out=codes[start : start + _CHUNK])
        else:
            codes[start : start + _CHUNK] = np.where(inside, table[np.where(inside, values, low) - low], 0)
    return codes


def _cast_exactly(values: Column, dtype: np.dtype[Any]) -> tuple[Column, NDArray[np.bool_]]:
    """Cast numbers; also tell which of them kept their value."""
    if values.dtype.kind == "b":
        values = values.astype(np.int64)
    if values.dtype == dtype:
        return values, np.ones(len(values), dtype=np.bool_)
    fits = np.ones(len(values), dtype=np.bool_)
    if dtype.kind in "iu":
        low, high = (-(2.0**63), 2.0**63) if dtype.kind == "i" else (0.0, 2.0**64)
        as_float = values.astype(np.float64)
        fits = (as_float >= low) & (as_float < high)
        values = np.where(fits, values, values.dtype.type(0))
    cast = values.astype(dtype)
    if dtype.kind == "f":  # Back again: floats of 2**63 or 2**64 come from rounding up, and would overflow.
        fits = cast < (2.0**63 if values.dtype.kind == "i" else 2.0**64)
        back = np.where(fits, cast, 0.0).astype(values.dtype)
    else:
        back = cast.astype(values.dtype)
    return cast, fits & (back == values)


def _as_objects(values: Any) -> Column:
    """Return values as an object array of plain Python values and pandas timestamps."""
    return object_array(list(pd.Series(values).astype(object)))


def _plain(value: Any) -> Any:
    if not isinstance(value, np.generic):
        return value
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    return pd.Timedelta(value) if isinstance(value, np.timedelta64) else value.item()


def _order(ids: Column) -> NDArray[np.intp]:
    """Return the order of distinct objects: numbers, strings, then other types by name."""
    groups: dict[tuple[int, str], list[int]] = {}
    for position, value in enumerate(ids):
        rank = 0 if isinstance(value, (int, float)) else 1 if isinstance(value, str) else 2
        groups.setdefault((rank, type(value).__name__ if rank == 2 else ""), []).append(position)
    order: list[int] = []
    for key in sorted(groups):
        try:
            order += sorted(groups[key], key=ids.__getitem__)
        except TypeError:  # Values without an order stay as they first appeared.
            order += groups[key]
    return np.array(order, dtype=np.intp)


def _join(old: Column, new: Column) -> Column:
    """Concatenate ids, in one type if it holds them all exactly."""
    if old.dtype == new.dtype:
        return np.concatenate([old, new])
    return narrow(np.concatenate([old.astype(object), new.astype(object)]))


def _refuse_missing(column: Column, name: str) -> None:
    if column.dtype.kind == "f":
        wrong = ~np.isfinite(column)
    elif column.dtype.kind in "OMm":
        wrong = np.asarray(pd.isna(column))
    else:
        return
    if wrong.any():
        row = int(np.argmax(wrong))
        what = "infinity" if column.dtype.kind == "f" and np.isinf(column[row]) else "NaN"
        raise _bad_id(what, name, row, int(wrong.sum()))


def _refuse_infinite(column: Column, codes: NDArray[Any], name: str, distinct: Column | None = None) -> None:
    """Refuse infinite floats among objects: among the distinct ones, or else among those without a code."""
    if distinct is None:
        rows = np.flatnonzero(codes == 0)
        infinite = [int(row) for row in rows if _is_infinite(column[row])]
    else:
        positions = [position for position, value in enumerate(distinct) if _is_infinite(value)]
        infinite = np.flatnonzero(np.isin(codes, positions)).tolist() if positions else []
    if infinite:
        raise _bad_id("infinity", name, infinite[0], len(infinite))


def _is_infinite(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and bool(np.isinf(value))


def _bad_id(what: str, name: str, row: int, n_rows: int) -> ValueError:
    return ValueError(
        f"Input X contains {what}: column {name!r} has no id in row {row} ({n_rows} such row(s)). Every row needs an "
        f"id that is neither missing nor infinite: drop these rows, for instance with X.dropna(subset=[{name!r}]), "
        "or give them an id of their own."
    )


def _unhashable(column: Column, name: str) -> TypeError:
    for row, value in enumerate(column):
        try:
            hash(value)
        except TypeError:
            return TypeError(
                f"Column {name!r} has {value!r} ({type(value).__name__}) in row {row}, which is not hashable and so "
                "no id. The argument must be a column of strings, numbers or other hashable values: "
                "convert it, for instance with X[column].map(str)."
            )
    return TypeError(f"Column {name!r} holds ids that cannot be compared with one another.")
