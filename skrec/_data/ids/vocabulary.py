"""Ids and their codes: 1 to n for the known ids, 0 for all others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.ids.number_codes import codes_of_numbers, is_float
from skrec._data.ids.value_kinds import kinds_of, warn_mixed_kinds, warn_other_kind, warn_rounded
from skrec._data.ids.values import (
    as_objects,
    factorize_sorted,
    join_ids,
    nearest_id,
    refuse_infinite,
    refuse_missing,
    unhashable,
)
from skrec._data.tables.columns import Column, as_column, narrow, object_array
from skrec.exceptions import UnknownIdError

__all__ = ["Vocabulary"]

Codes = NDArray[np.int32]

_STATE_TYPES = (str, bool, int, float)


class Vocabulary:
    """An immutable, one-to-one map between ids and the codes 1 to n.

    Ids are compared by value, as in Python: 1, 1.0 and ``np.int64(1)`` are the same id, ``"1"`` is another, and
    integers of any size are exact. Numbers sort first, then strings, then other types by the name of the type.

    Parameters
    ----------
    ids : ndarray of shape (n,)
        The distinct ids. The code of ``ids[i]`` is ``i + 1``. :meth:`fit` creates them from a column.
    name : str, default="user_id"
        Name of their column in error messages.

    Attributes
    ----------
    ids : ndarray of shape (n,), read-only
    name : str

    Examples
    --------
    >>> from skrec._data.ids.vocabulary import Vocabulary
    >>> vocabulary, codes = Vocabulary.fit(["bo", "al", "bo"], name="user_id")
    >>> vocabulary.ids, codes
    (array(['al', 'bo'], dtype=object), array([2, 1, 2], dtype=int32))
    >>> vocabulary.encode(["al", "cy"])
    array([1, 0], dtype=int32)
    >>> vocabulary.decode([2, 0])
    array(['bo', None], dtype=object)
    """

    def __init__(self, ids: Column, name: str = "user_id") -> None:
        ids = as_column(ids)
        self.ids = (as_objects(ids) if ids.dtype.kind in "Mm" else ids).view()
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
        """Create a vocabulary from the ids in a column, and encode the column.

        Parameters
        ----------
        values : array-like of shape (n_rows,)
            The ids, which may be repeated.
        name : str, default="user_id"
            Name of the column in error messages.
        min_frequency : int, default=1
            Ids in fewer rows than this are left out and have code 0.

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
        column = as_column(values)
        warn_rounded(column, f"Column {name!r}")
        ids, codes = factorize_sorted(column, name)
        if min_frequency > 1:
            frequent = np.bincount(codes, minlength=len(ids) + 1)[1:] >= min_frequency
            new_codes = np.zeros(len(ids) + 1, dtype=np.int32)
            new_codes[1:][frequent] = np.arange(1, frequent.sum() + 1)
            ids, codes = ids[frequent], new_codes[codes]
        return cls(ids, name), codes

    def encode(self, values: Any, *, where: str | None = None) -> Codes:
        """Return the codes of ids, and 0 for ids that are not in the vocabulary.

        Parameters
        ----------
        values : array-like of shape (n_rows,)
        where : str or None, default=None
            Name of the argument, such as ``"queries"``, if the values are not a column of ``X``.

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
        refuse_missing(column, self.name, where)
        if self.ids.dtype.kind in "iuO":
            warn_rounded(column, f"Column {self.name!r}" if where is None else where)
        if column.dtype.kind == "O":
            codes = self._codes_of_objects(column, where)
            refuse_infinite(column, codes, self.name, where)
            return codes
        if self._is_numeric and column.dtype.kind in "iufb":
            return self._codes_of_numbers(column)
        positions, distinct = pd.factorize(column)
        found: Codes = self._codes_of_objects(as_objects(distinct))[positions]
        return found

    def refuse_unknown(self, values: Any, codes: Codes, *, where: str | None = None, or_oov: bool = False) -> None:
        """Raise an error if an id has no code, as required by ``handle_unknown="error"``.

        Parameters
        ----------
        values : array-like of shape (n_rows,)
            The ids.
        codes : ndarray of shape (n_rows,)
            The codes of the ids, as returned by :meth:`encode`.
        where : str or None, default=None
            Name of the argument in the message if the ids are not a column of ``X``. Such an argument only accepts
            known ids, unless ``handle_unknown="oov"`` would help (`or_oov`).

        Raises
        ------
        UnknownIdError
            If a code is 0.

        Examples
        --------
        >>> from skrec._data.ids.vocabulary import Vocabulary
        >>> vocabulary, _ = Vocabulary.fit(["ana", "bo"])
        >>> vocabulary.refuse_unknown(["anna"], vocabulary.encode(["anna"]))
        Traceback (most recent call last):
        skrec.exceptions.UnknownIdError: Column 'user_id' has the id 'anna' (str) in row 0, which was not seen in fit \
(1 such row(s)). The nearest known id is 'ana' (str). Correct it, fit on data that has it, or pass handle_unknown='oov'.
        """
        unknown = np.flatnonzero(codes == 0)
        if not len(unknown):
            return
        value = as_column(values)[unknown[:1]].tolist()[0]
        nearest = nearest_id(value, self.ids)
        hint = "" if nearest is None else f"The nearest known id is {nearest!r} ({type(nearest).__name__}). "
        what, row = (f"Column {self.name!r}", "row") if where is None else (where, "place")
        cure = ", fit on data that has it, or pass handle_unknown='oov'"
        if where is not None and not or_oov:
            cure = ", or leave it out: of an unknown id nothing can be told"
        raise UnknownIdError(
            f"{what} has the id {value!r} ({type(value).__name__}) in {row} {unknown[0]}, which was not seen in fit "
            f"({len(unknown)} such {row}(s)). {hint}Correct it{cure}."
        )

    def warn_other_kind(self, values: Any, codes: Codes, what: str = "ids") -> None:
        """Warn if ids are unknown because no id seen in ``fit`` is of their kind; see :func:`warn_other_kind`."""
        if not len(self) or not len(codes):
            return
        unknown = codes == 0
        if unknown.all():
            warn_other_kind(as_column(values), self.ids, self.name, what=what)
        elif unknown.any() and (column := as_column(values)).dtype.kind == "O":
            so = "they are not known, and count as unknown"
            warn_mixed_kinds(column, unknown, self._kinds, self.name, what=what, so=so)

    def decode(self, codes: Any) -> Column:
        """Return the ids of codes.

        Parameters
        ----------
        codes : array-like of any shape, int
            Codes from 0 to n.

        Returns
        -------
        ndarray of the shape of `codes`
            The ids, with the dtype of :attr:`ids`, or an object array with None for the code 0 if it occurs.

        Raises
        ------
        ValueError
            If a code is not an integer from 0 to n.
        """
        codes = np.asarray(codes)
        if codes.dtype.kind == "O":
            codes = narrow(codes.ravel()).reshape(codes.shape)
        if codes.dtype.kind not in "iufb":
            wrong = np.ones(codes.shape, dtype=np.bool_)
        else:
            wrong = ~((codes >= 0) & (codes <= len(self)) & (codes == np.floor(codes)))
        if wrong.any():
            raise ValueError(
                f"{codes[wrong].tolist()[0]!r} is not a code of column {self.name!r}: codes are whole numbers from 0 "
                f"(unknown) to {len(self)}."
            )
        whole = codes.astype(np.int64)
        known = whole > 0
        if known.all():
            return np.asarray(self.ids[whole - 1])
        ids = np.full(whole.shape, None, dtype=object)
        ids[known] = self.ids[whole[known] - 1]
        return ids

    def extend(self, values: Any) -> tuple[Vocabulary, Codes]:
        """Add the new ids of a column. Existing ids keep their codes; new ids follow in sorted order.

        Ids of another kind than the existing ids cause a warning (:func:`warn_other_kind`), because they would
        duplicate the catalogue.

        Parameters
        ----------
        values : array-like of shape (n_rows,)

        Returns
        -------
        vocabulary : Vocabulary
            A new vocabulary. The existing one does not change.
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
        >>> from skrec._data.ids.vocabulary import Vocabulary
        >>> vocabulary, _ = Vocabulary.fit([5, 7])
        >>> vocabulary.extend([7, 6, 1])[0].ids
        array([5, 7, 1, 6])
        """
        column = as_column(values)
        codes = self.encode(column)
        new = codes == 0
        if not new.any():
            return self, codes
        ids, new_codes = factorize_sorted(column[new], self.name)
        if new.all() and len(self):
            warn_other_kind(column, self.ids, self.name, so="none of them is known, and all join as new ones")
        elif len(self) and column.dtype.kind == "O":
            so = "they are not known, and join as new ones"
            warn_mixed_kinds(column, new, self._kinds, self.name, what="ids", so=so)
        codes[new] = new_codes + np.int32(len(self))
        return Vocabulary(join_ids(self.ids, ids), self.name), codes

    def to_state(self) -> dict[str, Any]:
        """Return the vocabulary as a plain dict that can be stored without pickle.

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
        >>> from skrec._data.ids.vocabulary import Vocabulary
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
                f"Column {self.name!r} has {other!r} ({type(other).__name__}): of ids and categories "
                "only strings, numbers and bools can be stored without pickle. Fit on strings, for instance "
                "X[column].map(str), or use pickle or joblib."
            )
        return {"name": self.name, "ids": ids}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Vocabulary:
        """Create a vocabulary from the result of :meth:`to_state`.

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
    def _kinds(self) -> frozenset[str]:
        """The kinds of the ids, see :func:`skrec._data.ids.value_kinds.kinds_of`."""
        return kinds_of(self.ids)

    @cached_property
    def _sorted_keys(self) -> tuple[Column, Codes | None]:
        """Sorted numeric ids and their codes (None if they are 1 to n)."""
        keys = self.ids.astype(np.int64) if self.ids.dtype.kind == "b" else self.ids
        if np.all(keys[1:] > keys[:-1]):
            return keys, None
        order = np.argsort(keys)
        return keys[order], (order + 1).astype(np.int32)

    @cached_property
    def all_codes(self) -> Codes:
        """Codes of all ids, in their order; read-only."""
        codes = np.arange(1, len(self.ids) + 1, dtype=np.int32)
        codes.flags.writeable = False
        return codes

    @cached_property
    def _index(self) -> pd.Index[Any]:
        index = pd.Index(self.ids, dtype=object, tupleize_cols=False)
        index.get_indexer(index[:1])  # Fills its hash table before another thread can see it.
        return index

    def _codes_of_numbers(self, column: Column) -> Codes:
        return codes_of_numbers(column, *self._sorted_keys)

    def _codes_of_objects(self, column: Column, where: str | None = None) -> Codes:
        try:
            if not self._is_numeric:
                target = pd.Index(column, dtype=object, tupleize_cols=False)
                return np.asarray(self._index.get_indexer(target) + 1, dtype=np.int32)
            positions, distinct = pd.factorize(column)
        except TypeError as error:
            raise unhashable(column, self.name, where) from error
        codes = np.zeros(len(distinct), dtype=np.int32)
        whole = [isinstance(value, (int, np.integer, np.bool_)) for value in distinct]
        signed = [w and -(2**63) <= value < 2**63 for w, value in zip(whole, distinct, strict=True)]
        unsigned = [w and 2**63 <= value < 2**64 for w, value in zip(whole, distinct, strict=True)]
        floats = [not s and not u and is_float(v) for s, u, v in zip(signed, unsigned, distinct, strict=True)]
        for mask, dtype in ((signed, np.int64), (unsigned, np.uint64), (floats, np.float64)):
            codes[mask] = self._codes_of_numbers(distinct[mask].astype(dtype))
        return np.asarray(codes[positions])
