"""Tables, column roles, vocabularies and the log of events, in NumPy and pandas; knows nothing of estimators."""

from skrec._data.encoded import Encoded, Layout
from skrec._data.fields import Fields
from skrec._data.histories import Histories
from skrec._data.interactions import Interactions
from skrec._data.kinds import categorical_columns
from skrec._data.numbers import bin_edges
from skrec._data.roles import ABSENT, Roles, resolve_roles
from skrec._data.table import Rows, as_rows
from skrec._data.vocabulary import Vocabulary

__all__ = [
    "ABSENT",
    "Encoded",
    "Fields",
    "Histories",
    "Interactions",
    "Layout",
    "Roles",
    "Rows",
    "Vocabulary",
    "as_rows",
    "bin_edges",
    "categorical_columns",
    "resolve_roles",
]
