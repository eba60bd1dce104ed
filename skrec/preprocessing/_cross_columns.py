"""The columns of crosses: how they are selected, named and combined with the other columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from math import comb
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._data import Rows
from skrec._data.tables.columns import side_by_side
from skrec._data.tables.roles import column_position
from skrec.exceptions import ColumnError

__all__ = [
    "array_beside",
    "checked_degrees",
    "chosen_crosses",
    "cross_names",
    "crosses_of_degrees",
    "frame_beside",
    "one_hot",
    "refuse_contradictions",
    "refuse_same_names",
]

_MAX_CROSSES = 100_000

Cross = tuple[int, ...]


def checked_degrees(degree: int | Sequence[int]) -> list[int]:
    """Return the distinct degrees of crosses.

    Raises
    ------
    ValueError
        If a degree is not a whole number from 2 on.
    """
    degrees = [*dict.fromkeys(degree)] if isinstance(degree, Iterable) else [degree]
    if not degrees or not all(isinstance(one, Integral) and one >= 2 for one in degrees):
        raise ValueError(f"degree={degree!r} is neither a whole number from 2 on nor a tuple of such numbers.")
    return degrees


def crosses_of_degrees(degree: int | Sequence[int], n_columns: int) -> list[Cross]:
    """Return all combinations of columns, as positions.

    Raises
    ------
    ValueError
        If there are more than 100,000.
    """
    degrees = checked_degrees(degree)
    n_crosses = sum(comb(n_columns, one) for one in degrees)
    if n_crosses > _MAX_CROSSES:
        raise ValueError(
            f"{n_columns} columns have {n_crosses} crosses of degree {degree}: pass the crosses that you "
            "need, for instance crosses=[(0, 1)]."
        )
    return [cross for one in degrees for cross in combinations(range(n_columns), one)]


def chosen_crosses(crosses: Sequence[Sequence[str | int]], rows: Rows) -> list[Cross]:
    """Return the positions of the columns of each cross.

    Parameters
    ----------
    crosses : sequence of sequences of (str or int)
        Names or positions of columns.
    rows : Rows
        The table.

    Returns
    -------
    list of tuples of int

    Raises
    ------
    ColumnError
        If a column does not exist.
    ValueError
        If there is no cross, if a cross is not a sequence, has fewer than two columns or has a column twice, or if two
        crosses have the same columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data import as_rows
    >>> from skrec.preprocessing._cross_columns import chosen_crosses
    >>> chosen_crosses([("genre", "day")], as_rows(pd.DataFrame({"day": ["sun"], "genre": ["drama"]})))
    [(1, 0)]
    """
    if not crosses:
        raise ValueError(
            f"crosses={crosses!r} contains no cross. Pass tuples of columns, for instance crosses=[('genre', 'day')], "
            "or None for every pair of columns."
        )
    found: dict[frozenset[int], Cross] = {}
    for cross in crosses:
        if not isinstance(cross, tuple | list):
            raise ValueError(  # noqa: TRY004
                f"crosses has {cross!r}, which is not a tuple of columns. Pass a list of tuples, for instance "
                "crosses=[('genre', 'day')]."
            )
        positions = tuple(column_position(rows, column, parameter="crosses") for column in cross)
        if len(positions) < 2:
            raise ValueError(
                f"The cross {cross!r} has {len(positions)} column(s), but a cross needs at least two. Pass "
                "passthrough=True to keep the columns themselves in the output."
            )
        if len({*positions}) < len(positions):
            raise ValueError(f"The cross {cross!r} has the same column twice. Name each column once.")
        if frozenset(positions) in found:
            raise ValueError(f"crosses has the cross {cross!r} twice, in this or another order. List it once.")
        found[frozenset(positions)] = positions
    return list(found.values())


def cross_names(crosses: Iterable[Cross], inputs: Sequence[str]) -> list[str]:
    """Return the names of crosses, such as ``"genre_x_day"``, from the names of all input columns."""
    return ["_x_".join(inputs[position] for position in cross) for cross in crosses]


def refuse_same_names(names: Iterable[str]) -> None:
    """Raise a ColumnError if two output columns would have the same name."""
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ColumnError(
            f"{count} columns of the output would be named {name!r}. Rename a column of X, or remove one of the "
            "crosses from crosses=."
        )


def one_hot(codes: Sequence[NDArray[Any]], n_codes: Sequence[int], dtype: Any) -> sparse.csr_array:
    """Return the one-hot encoding of codes from 1, with all columns side by side; code 0 is a row of zeros.

    Parameters
    ----------
    codes : sequence of ndarray of shape (n_rows,)
    n_codes : sequence of int
        The highest code of each column.
    dtype : number type

    Returns
    -------
    csr_array of shape (n_rows, sum of `n_codes`)

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.preprocessing._cross_columns import one_hot
    >>> one_hot([np.array([2, 0]), np.array([1, 1])], [2, 1], np.int64).toarray()
    array([[0, 1, 1],
           [0, 0, 1]])
    """
    # many solvers of scikit-learn only accept 32-bit indices
    index = np.dtype(np.int32 if max(sum(n_codes), len(codes) * len(codes[0])) < 2**31 else np.int64)
    stacked: NDArray[np.signedinteger[Any]] = np.stack(codes, axis=1).astype(index)
    known = stacked > 0
    at = (stacked + (np.cumsum(n_codes) - n_codes - 1).astype(index))[known]
    ends = np.concatenate([[0], np.cumsum(known.sum(axis=1))]).astype(index)
    return sparse.csr_array((np.ones(len(at), dtype=dtype), at, ends), shape=(len(stacked), sum(n_codes)))


def array_beside(rows: Rows, codes: NDArray[Any]) -> NDArray[Any]:
    """Return the columns of a table followed by those of `codes`: numbers if one dtype holds all, else objects."""
    return side_by_side([*(rows.column(position) for position in range(rows.n_columns)), *codes.T])


def frame_beside(X: Any, rows: Rows, codes: NDArray[Any], library: str) -> Any:
    """Return a data frame with the columns of a table, which keep their types, followed by those of `codes`.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_rows, n_columns)
        The table.
    rows : Rows
        A view of the table.
    codes : ndarray of shape (n_rows, n_crosses)
    library : {"pandas", "polars"}

    Returns
    -------
    pandas or polars DataFrame
        The columns of `codes` are not named yet.
    """
    is_polars = type(X).__module__.partition(".")[0] == "polars"
    if not is_polars and (rows.names is None or not isinstance(X, pd.DataFrame)):
        index = X.index if isinstance(X, pd.DataFrame) else None
        X = pd.DataFrame({f"x{p}": rows.column(p) for p in range(rows.n_columns)}, index=index)
    if library == "pandas":
        table = X.to_pandas() if is_polars else X
        return pd.concat([table, pd.DataFrame(codes, index=table.index)], axis=1)
    import polars as pl

    table = X if is_polars else pl.from_pandas(X)
    return table.hstack(pl.DataFrame(codes, schema=[f"_x_{number}" for number in range(codes.shape[1])]))


def refuse_contradictions(transformer: Any) -> None:
    """Raise a ValueError if parameters of FeatureCrosses contradict each other."""
    if transformer.sparse_output and transformer.passthrough:
        raise ValueError(
            "sparse_output=True and passthrough=True contradict each other: a sparse matrix cannot hold input "
            "columns of any type. Use a ColumnTransformer to combine this transformer with others."
        )
    least, unknown = transformer.min_frequency, transformer.handle_unknown
    if transformer.encoding == "hash" and (least is not None or unknown == "error"):
        name = "handle_unknown='error'" if least is None else f"min_frequency={least}"
        raise ValueError(
            f"{name} needs encoding='vocabulary': a hash knows neither which combinations are new nor which are rare."
        )
