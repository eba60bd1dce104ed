"""From encoded columns to the inputs of a network, and what is kept of the latest ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import Encoded, Fields, Roles, Rows
from skrec._data.names import meant
from skrec.exceptions import ColumnError
from skrec.models._events import Inputs
from skrec.models._reader import Codes


def whole_numbers(units: Any, name: str = "hidden_units") -> tuple[int, ...]:
    """Check the units of hidden layers; none is allowed."""
    units = tuple(units)
    if any(isinstance(n, bool) or not isinstance(n, Integral) or n < 1 for n in units):
        raise ValueError(
            f"{name} is {units!r}; it must hold a whole number of at least 1 for each layer, for instance (128, 64)."
        )
    return tuple(int(n) for n in units)


def named(side: str, encoded: Encoded) -> Inputs:
    """Give the arrays of a side the names that a network knows them by; those without columns are left out."""
    named: Inputs = {}
    if encoded.codes.shape[1]:
        named[f"{side}_codes"] = encoded.codes
    for i, bag in enumerate(encoded.bags):
        width = int(2 ** np.ceil(np.log2(max(8, bag.shape[1]))))  # few widths, few traces
        named[f"{side}_bag_{i}"] = np.pad(bag, ((0, 0), (0, width - bag.shape[1])), constant_values=-1)
    if encoded.numbers.shape[1]:
        named[f"{side}_numbers"] = encoded.numbers
    if encoded.arrays.shape[1]:
        named[f"{side}_arrays"] = encoded.arrays
    return named


def unknown(side: str, fields: Fields) -> Inputs:
    """One row of which nothing is known."""
    layout = fields.layout
    numbers = np.zeros((1, layout.n_numbers), np.float32)
    numbers[:, len(layout.numeric) :] = 1  # the numbers are missing
    bags = [np.array([[row]], np.int32) for row in fields.bag_unknown]
    arrays = np.zeros((1, sum(width for _, width in layout.arrays)), np.float32)
    return named(side, Encoded(fields.unknown[None], bags, numbers, arrays))


def latest(new: Inputs, unknown: Inputs, codes: Codes, size: int, old: Inputs) -> Inputs:
    """Arrays (size, ...) of the last row of each code; what was kept before, or "unknown", where there is none."""
    latest = {}
    for name, array in new.items():
        before, blank = old.get(name), unknown[name]
        width = max(array.shape[1], blank.shape[1], 0 if before is None else before.shape[1])
        made = np.repeat(_widened(blank, width), size, axis=0)
        if before is not None:
            made[: len(before)] = _widened(before, width)
        made[codes] = _widened(array, width)
        made[0] = _widened(blank, width)[0]
        latest[name] = made
    return latest


def latest_times(
    new: NDArray[Any], codes: Codes, size: int, old: NDArray[Any] | None
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Tell which rows are not older than what is kept of their code, and the time (size,) of what is kept then.

    Of a code that has nothing as yet it is the lowest number.
    """
    dtype = new.dtype if old is None else np.result_type(new, old)
    times = np.full(size, -np.inf if dtype.kind == "f" else np.iinfo(dtype).min, dtype)
    if old is not None:
        times[: len(old)] = old
    replaces = new >= times[codes]
    np.maximum.at(times, codes, new)
    return replaces, times


def _widened(array: NDArray[Any], width: int) -> NDArray[Any]:
    return np.pad(array, ((0, 0), (0, width - array.shape[1])), constant_values=-1)


def depends_on(rows: Rows, position: int, codes: Codes) -> bool:
    """Whether all rows of a code have the same value in a column."""
    column = rows.column(position)
    if column.dtype == object:
        column = np.array([str(value) for value in column], dtype=object)
    values = pd.factorize(column, use_na_sentinel=False)[0].astype(np.int64)
    first = np.full(int(codes.max()) + 1, -1, np.int64)
    first[codes] = values
    return bool((first[codes] == values).all())


def positions_in(rows: Rows, fields: Fields, roles: Roles, side: str) -> tuple[int, ...] | None:
    """Positions of the fields in a table of queries or candidates; None if it has none of them, misspelt ones too."""
    if rows.names is None or roles.names is None:
        if not fields.positions or rows.n_columns > max(fields.positions):
            return fields.positions
        return None
    names = fields.layout.names
    missing = [name for name in names if name not in rows.names]
    hint = meant(missing, [name for name in rows.names if name not in roles.names])
    if missing and (hint or len(missing) < len(names)):
        what = "queries" if side == "query" else "candidates"
        raise ColumnError(
            f"The {what} lack the column(s) {', '.join(map(repr, missing))}, which fit saw. "
            f"{hint or 'Add them, or pass ids alone, for which the last values seen are taken.'}"
        )
    return None if missing else tuple(rows.names.index(name) for name in names)


def chosen_fields(names: Sequence[str], wanted: Iterable[str | int], parameter: str, roles: Roles) -> Iterator[int]:
    """Yield the places of fields among ``names``, given as columns are: by name, by its ending, or by position."""
    for spec in wanted:
        name = _label(spec, roles) if isinstance(spec, Integral) and not isinstance(spec, bool) else str(spec)
        endings = [other for other in names if other.endswith(f"__{name}")]
        if name in names:
            yield names.index(name)
        elif len(endings) == 1:
            yield names.index(endings[0])
        else:
            close = endings or get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            listed = ", ".join(names)
            raise ColumnError(f"{parameter} names {spec!r}, which is no field; the fields are {listed}.{hint}")


def _label(position: int, roles: Roles) -> str:
    """Return the name of the field that a column has become."""
    for role in ("user", "item"):
        if position == getattr(roles, role):
            return str(getattr(roles, f"{role}_name"))
    if roles.names is None or not 0 <= position < len(roles.names):
        return f"x{position}"
    return roles.names[position]
