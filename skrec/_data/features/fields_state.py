"""Fields as a plain dict that can be stored without pickle, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skrec._data.features.categories import Categories
from skrec._data.features.encoded import Layout

__all__ = ["fields_of_state", "state_of_fields"]


def state_of_fields(fields: Any) -> dict[str, Any]:
    """Return a dict of numbers, strings, arrays, and lists and dicts of these, from :class:`Fields`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.fields import Fields
    >>> from skrec._data.features.fields_state import state_of_fields
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"city": ["Bern", "Rome"], "age": [20.0, 40.0]}))
    >>> state = state_of_fields(Fields.fit(rows, range(2))[0])
    >>> state["categorical"], state["numeric"], state["means"].tolist()
    (['city'], ['age'], [30.0])
    """
    layout = fields.layout
    return {
        "categorical": list(layout.categorical),
        "multivalued": list(layout.multivalued),
        "numeric": list(layout.numeric),
        "arrays": [list(array) for array in layout.arrays],
        "positions": list(fields.positions),
        "categories": [one.to_state() for one in fields.categories],
        "means": np.array(fields.means),
        "scales": np.array(fields.scales),
        "flagged": np.array(fields.flagged),
        "separator": fields.separator,
        "min_frequency": int(fields.min_frequency),
        "measures": list(fields.measures),
        "limits": None if fields.limits is None else np.array(fields.limits),
        "sentinels": [[int(column), float(value)] for column, value in fields.sentinels],
    }


def fields_of_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of :class:`Fields` from the result of :func:`state_of_fields`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.fields import Fields
    >>> from skrec._data.features.fields_state import fields_of_state, state_of_fields
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"city": ["Bern", "Rome"], "age": [20.0, 40.0]}))
    >>> fields = Fields(**fields_of_state(state_of_fields(Fields.fit(rows, range(2))[0])))
    >>> fields.layout.categorical, fields.means.tolist()
    (('city',), [30.0])
    """
    flagged = np.asarray(state["flagged"], dtype=np.intp)
    sentinels = tuple((int(column), float(value)) for column, value in state.get("sentinels", ()))
    limits = state.get("limits")
    categorical, multivalued, numeric, arrays = (
        state[kind] for kind in ("categorical", "multivalued", "numeric", "arrays")
    )
    return {
        "layout": Layout.of(categorical, multivalued, numeric, arrays, flagged, sentinels=sentinels),
        "positions": tuple(state["positions"]),
        "categories": tuple(Categories.from_state(part) for part in state["categories"]),
        "means": np.asarray(state["means"]),
        "scales": np.asarray(state["scales"]),
        "flagged": flagged,
        "separator": state["separator"],
        "min_frequency": int(state["min_frequency"]),
        "measures": tuple(state["measures"]),
        "limits": None if limits is None else np.asarray(limits),
        "sentinels": sentinels,
    }
