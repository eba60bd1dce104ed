"""Which rows of a column are equal to the encoders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.arrays import stack, width_of
from skrec._data.categories import Categories, factors_of
from skrec._data.columns import object_array
from skrec._data.kinds import Kind, kind_of
from skrec._data.lists import pack, split
from skrec._data.numbers import as_numbers
from skrec._data.table import Rows

__all__ = ["value_codes"]


def value_codes(
    rows: Rows, position: int, *, kind: Kind | None = None, separator: str | None = "|"
) -> NDArray[np.intp]:
    """Return a code for each row of a column, the same for two rows if and only if they are one value to the encoders.

    This is the one notion of equality: 1 and 1.0, ``["a"]`` and ``("a",)``, ``{0, 8}`` and ``[8, 0, 8]``, None and NaN
    are equal; ``"1"`` is not 1, and whole numbers of any size are exact.

    Parameters
    ----------
    rows : Rows
        The table.
    position : int
        Position of the column, from 0.
    kind : {"categorical", "multivalued", "numeric", "array"}, default=None
        The kind of field that the column is encoded as; None: what :func:`skrec._data.kinds.kind_of` finds.
    separator : str or None, default="|"
        Where the strings of a multi-valued column are split.

    Returns
    -------
    ndarray of shape (n_rows,), int
        From 0 in order of appearance; -1 where the value is missing, which for a multi-valued column includes an
        empty list.

    Raises
    ------
    ColumnError
        If a number is none, or an array has another width.
    TypeError
        If a category is not hashable.
    ValueError
        If a value is infinite.

    Examples
    --------
    >>> from skrec._data.equality import value_codes
    >>> from skrec._data.table import as_rows
    >>> rows = as_rows([[{0, 8}, 1], [[8, 0], 1.0], [None, 2], [[8], float("nan")]])
    >>> value_codes(rows, 0), value_codes(rows, 1)
    (array([ 0,  0, -1,  1]), array([ 0,  0,  1, -1]))
    """
    cells: NDArray[Any]
    kind = kind_of(rows, position) if kind is None else kind
    label = rows.label(position)
    if kind == "categorical":
        return factors_of(rows, position, name=label.strip("'")).positions
    if kind == "numeric":
        return np.asarray(pd.factorize(as_numbers(rows.column(position), label) + 0.0)[0])
    if kind == "multivalued":
        lists = split(rows.column(position), name=label.strip("'"), separator=separator)
        field = Categories.empty("").extend(lists.factors, n_rows=0, counts=lists.counts)
        cells, missing = pack(lists, field), field.unknown
        is_missing = cells[:, 0] == missing
    else:
        cells = stack(rows.raw(position), width_of(rows.raw(position)) or 0, label) + 0.0
        is_missing = np.isnan(cells).all(axis=1)
        cells[np.isnan(cells)] = np.nan
    codes = np.full(rows.n_rows, -1, dtype=np.intp)
    codes[~is_missing] = pd.factorize(object_array([cell.tobytes() for cell in cells[~is_missing]]))[0]
    return codes
