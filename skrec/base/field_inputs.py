"""Conversion of encoded columns to inputs of a network, and the latest values that are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrec._data import Encoded, Fields, ItemColumns, Roles, Rows
from skrec._data.tables.spelling import meant
from skrec.base.events import Inputs
from skrec.base.reader import Codes
from skrec.exceptions import ColumnError


def whole_numbers(units: Any, name: str = "hidden_units") -> tuple[int, ...]:
    """Check the numbers of units of the hidden layers; an empty sequence is allowed."""
    units = tuple(units)
    if any(isinstance(n, bool) or not isinstance(n, Integral) or n < 1 for n in units):
        raise ValueError(
            f"{name} is {units!r}, but must contain a whole number of at least 1 for each layer, such as (128, 64)."
        )
    return tuple(int(n) for n in units)


def named(side: str, encoded: Encoded) -> Inputs:
    """Return the arrays of a side under the input names of the network; arrays without columns are omitted."""
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
    """Return one row with unknown values in all fields."""
    layout = fields.layout
    numbers = np.zeros((1, layout.n_numbers), np.float32)
    numbers[:, len(layout.numeric) : len(layout.numeric) + len(fields.flagged)] = 1  # the numbers are missing
    bags = [np.array([[row]], np.int32) for row in fields.bag_unknown]
    arrays = np.zeros((1, sum(width for _, width in layout.arrays)), np.float32)
    return named(side, Encoded(fields.unknown[None], bags, numbers, arrays))


def latest(new: Inputs, unknown: Inputs, codes: Codes, size: int, old: Inputs) -> Inputs:
    """Return arrays (size, ...) of the last row of each code, else its old row, else the unknown row."""
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


def fill_gaps(
    made: Inputs, new: Inputs, codes: Codes, old: Inputs, *, side: str, fields: Fields, named: Collection[str]
) -> None:
    """Replace missing values by the last known value, in fields that are features of items or of users.

    Parameters
    ----------
    made : dict of str to ndarray (size, ...)
        Result of :func:`latest` for `new`, `codes` and `old`. It is modified in place.
    side : str
    fields : Fields
        The fields of the side.
    named : collection of str
        Names of the fields to fill.
    """
    for place in _places(side, fields):
        if place.name not in named or not (lacking := place.gaps(made)).any():
            continue
        last = np.full(len(lacking), -1, np.int64)
        there = np.flatnonzero(~place.gaps(new))
        last[codes[there]] = there
        lacking[0] = False  # unknown ids have no values
        sources = [(new, np.flatnonzero(lacking & (last >= 0)), last)]
        if old:
            before = np.flatnonzero(~place.gaps(old))
            sources.append((old, before[lacking[before] & (last[before] < 0)], np.arange(len(lacking))))
        for source, to, rows in sources:
            for name, columns in place.columns:
                made[name][to, columns] = _widened(source[name][rows[to]], made[name].shape[1])[:, columns]


class _Place(NamedTuple):
    """Place of a field in the inputs, with the values that mark it as missing."""

    name: str
    columns: list[tuple[str, slice]]
    told_by: str
    column: int
    missing: tuple[float, ...]

    def gaps(self, inputs: Inputs) -> NDArray[np.bool_]:
        """Return the rows in which it is missing or unknown."""
        return np.isin(inputs[self.told_by][:, self.column], self.missing)


def _places(side: str, fields: Fields) -> Iterator[_Place]:
    layout, n_numeric, numbers = fields.layout, len(fields.layout.numeric), f"{side}_numbers"
    for at, name in enumerate(layout.categorical):
        missing = (int(fields.unknown[at]), int(fields.missing[at]))
        yield _Place(name, [(f"{side}_codes", slice(at, at + 1))], f"{side}_codes", at, missing)
    for at, name in enumerate(layout.multivalued):
        bag = f"{side}_bag_{at}"
        yield _Place(name, [(bag, slice(None))], bag, 0, (int(fields.bag_unknown[at]),))
    starts = np.cumsum([0, *(width for _, width in layout.arrays)])
    for flag, at in enumerate(fields.flagged.tolist(), start=n_numeric):
        if at < n_numeric:
            name, value = layout.numeric[at], (numbers, slice(at, at + 1))
        else:
            first, end = starts[at - n_numeric : at - n_numeric + 2].tolist()
            name, value = layout.arrays[at - n_numeric][0], (f"{side}_arrays", slice(first, end))
        yield _Place(name, [value, (numbers, slice(flag, flag + 1))], numbers, flag, (1.0,))


def latest_times(
    new: NDArray[Any], codes: Codes, size: int, old: NDArray[Any] | None
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return which rows are not older than the stored row of their code, and the new stored times (size,).

    The time of a code without a stored row is the lowest number.
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


def positions_in(
    rows: Rows, fields: Fields | ItemColumns, roles: Roles, side: str, *, what: str | None = None
) -> tuple[int, ...] | None:
    """Return the positions of the fields in a table of queries or candidates; None if it has none, even misspelled.

    `what` is the name of the rows in error messages, if they are neither queries nor candidates.
    """
    if rows.names is None or roles.names is None:
        if not fields.positions or rows.n_columns > max(fields.positions):
            return fields.positions
        return None
    names = fields.names
    missing = [name for name in names if name not in rows.names]
    hint = meant(missing, [name for name in rows.names if name not in roles.names])
    if missing and (hint or len(missing) < len(names)):
        alone = "ids alone" if what is None else f"none of the columns {', '.join(map(repr, names))}"
        what = what or ("queries" if side == "query" else "candidates")
        raise ColumnError(
            f"The {what} lack the column(s) {', '.join(map(repr, missing))}, which fit saw. "
            f"{hint or f'Add them, or pass {alone} to use the last known values.'}"
        )
    return None if missing else tuple(rows.names.index(name) for name in names)


def refuse_ignored(
    rows: Rows, fields: Fields | ItemColumns, roles: Roles, side: str, decided: Mapping[str, tuple[str, str]]
) -> None:
    """Raise an error if a table of queries or candidates has a column that would be ignored.

    The ids and the time are allowed, and so are all columns of ``X`` together, because rows of ``X`` can be
    queries and, without the user, candidates.

    Parameters
    ----------
    rows : Rows
    fields : Fields or ItemColumns
        The fields of the side.
    roles : Roles
    side : {"query", "item"}
    decided : mapping of str to (str, str)
        Role of each feature of ``X`` and the reason for it.

    Raises
    ------
    ColumnError
    """
    if rows.names is None or roles.names is None:
        return
    role_names = {roles.user_name, roles.item_name, roles.time_name}
    others = [name for name in rows.names if name not in role_names and name not in fields.names]
    may_lack = {roles.time_name, roles.user_name if side == "item" else None}
    if set(roles.names) - may_lack <= set(rows.names):
        others = [name for name in others if name not in roles.names]
    if not others:
        return
    name, what, belongs = others[0], *(("queries", "query") if side == "query" else ("candidates", "item"))
    if name not in decided:
        hint = meant([known for known in roles.names if known not in rows.names], [name])
        raise ColumnError(
            f"The {what} have the column {name!r}, which fit did not see, so that it would be ignored. "
            f"{hint or 'Remove it, or fit with it.'}"
        )
    role, reason = decided[name]
    here = ", ".join(map(repr, [*(fields.names if side == "item" else ()), name]))
    cure = f"item_features=[{here}]" if side == "item" else f"item_features= that does not name {name!r}"
    raise ColumnError(
        f"The {what} have the column {name!r}, which would be ignored: in fit it was a feature of the "
        f"{'item' if role == 'item feature' else 'query'} ({role}: {reason}). If it belongs to the {belongs}, fit with "
        f"{cure}; if not, remove it here. The attribute column_roles_ lists the role of every column."
    )


def chosen_fields(names: Sequence[str], wanted: Iterable[str | int], parameter: str, roles: Roles) -> Iterator[int]:
    """Yield the indices in ``names`` of fields given by name, by suffix of the name, or by position."""
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
            raise ColumnError(f"{parameter} names {spec!r}, which is not a field; the fields are {listed}.{hint}")


def _label(position: int, roles: Roles) -> str:
    """Return the field name of a column."""
    for role in ("user", "item"):
        if position == getattr(roles, role):
            return str(getattr(roles, f"{role}_name"))
    if roles.names is None or not 0 <= position < len(roles.names):
        return f"x{position}"
    return roles.names[position]
