"""Separate fields that were learned together into those of the query and those of the item."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from skrec._data.features.categories import Categories
from skrec._data.features.encoded import Encoded, Layout
from skrec._data.features.fields import Fields

__all__ = ["select_fields"]


def select_fields(fields: Fields, encoded: Encoded, positions: Collection[int]) -> tuple[Fields, Encoded]:
    """Return some of the fields, with a separate embedding table, and the rows as encoded by them.

    The result is the same as if only these fields had been fitted.

    Parameters
    ----------
    fields : Fields
        Fields as returned by :meth:`~skrec._data.features.fields.Fields.fit`, not extended since.
    encoded : Encoded
        The encoded rows returned with the fields.
    positions : collection of int
        Positions of the columns to keep.

    Returns
    -------
    fields : Fields
    encoded : Encoded

    Examples
    --------
    >>> from skrec._data.features.fields import Fields
    >>> from skrec._data.features.sides import select_fields
    >>> from skrec._data.tables.table import as_rows
    >>> fields, encoded = Fields.fit(as_rows([["a", "x", 1.0], ["b", "y", 3.0]]), [0, 1, 2])
    >>> fields.layout.categorical, encoded.codes.tolist()
    (('x0', 'x1'), [[1, 4], [2, 5]])
    >>> item, of_item = select_fields(fields, encoded, [1])
    >>> item.layout.categorical, of_item.codes.tolist(), of_item.numbers.shape
    (('x1',), [[1], [2]], (2, 0))
    """
    layout, kept = fields.layout, [at for at, position in enumerate(fields.positions) if position in positions]
    n_single, n_tables, n_numeric = len(layout.categorical), len(fields.categories), len(layout.numeric)
    single = [at for at in kept if at < n_single]
    several = [at for at in kept if n_single <= at < n_tables]
    numbers = [at - n_tables for at in kept if n_tables <= at < n_tables + n_numeric]
    arrays = [at - n_tables - n_numeric for at in kept if at >= n_tables + n_numeric]

    categories, shifts, n_rows = [], [], 0
    for at in (*single, *several):
        one = fields.categories[at]
        shifts.append(np.int32(n_rows - one.unknown))
        categories.append(Categories(one.vocabulary, one.rows + shifts[-1], one.missing + int(shifts[-1])))
        n_rows += one.n_rows
    codes = np.ascontiguousarray(encoded.codes[:, single] + np.array(shifts[: len(single)], np.int32))
    bags = [
        np.where((bag := encoded.bags[at - n_single]) >= 0, bag + shift, np.int32(-1))
        for at, shift in zip(several, shifts[len(single) :], strict=True)
    ]

    widths = [width for _, width in layout.arrays]
    starts = np.cumsum([0, *widths])
    places = np.array([place for at in arrays for place in range(starts[at], starts[at] + widths[at])], np.intp)
    in_scales = np.concatenate([np.array(numbers, np.intp), n_numeric + places])
    flaggable = [*numbers, *(n_numeric + at for at in arrays)]
    flagged = [flaggable.index(at) for at in fields.flagged.tolist() if at in flaggable]
    flags = [at for at, number in enumerate(fields.flagged.tolist()) if number in flaggable]
    sentinels = [(numbers.index(at), value) for at, value in fields.sentinels if at in numbers]
    flags += [len(fields.flagged) + at for at, (number, _) in enumerate(fields.sentinels) if number in numbers]
    selected = replace(
        fields,
        layout=Layout(
            categorical=tuple(layout.categorical[at] for at in single),
            multivalued=tuple(layout.multivalued[at - n_single] for at in several),
            numeric=tuple(layout.numeric[at] for at in numbers),
            flags=tuple(layout.flags[at] for at in flags),
            arrays=tuple(layout.arrays[at] for at in arrays),
        ),
        positions=tuple(fields.positions[at] for at in kept),
        categories=tuple(categories),
        means=fields.means[in_scales],
        scales=fields.scales[in_scales],
        flagged=np.array(flagged, np.intp),
        measures=tuple(fields.measures[at] for at in numbers),
        limits=None if fields.limits is None else fields.limits[in_scales],
        sentinels=tuple(sentinels),
    )
    of_numbers = np.ascontiguousarray(encoded.numbers[:, [*numbers, *(n_numeric + at for at in flags)]])
    return selected, Encoded(codes, bags, of_numbers, np.ascontiguousarray(encoded.arrays[:, places]))
