"""Tables, column roles, vocabularies and the log of events, in NumPy and pandas, without any use of estimators."""

from skrec._data.events.histories import Histories
from skrec._data.events.interactions import Interactions
from skrec._data.features.column_kinds import categorical_columns
from skrec._data.features.encoded import Encoded, Layout
from skrec._data.features.fields import Fields
from skrec._data.features.item_columns import ItemColumns, ItemValues
from skrec._data.features.numbers import bin_edges
from skrec._data.features.one_hot import OneHot
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.roles import ABSENT, Roles, resolve_roles
from skrec._data.tables.table import Rows, as_rows

__all__ = [
    "ABSENT",
    "Encoded",
    "Fields",
    "Histories",
    "Interactions",
    "ItemColumns",
    "ItemValues",
    "Layout",
    "OneHot",
    "Roles",
    "Rows",
    "Vocabulary",
    "as_rows",
    "bin_edges",
    "categorical_columns",
    "resolve_roles",
]
