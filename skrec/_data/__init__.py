"""Tables, column roles, vocabularies and the log of events, in NumPy and pandas; knows nothing of estimators."""

from skrec._data.interactions import Interactions
from skrec._data.roles import ABSENT, Roles, resolve_roles
from skrec._data.table import Rows, as_rows
from skrec._data.vocabulary import Vocabulary

__all__ = ["ABSENT", "Interactions", "Roles", "Rows", "Vocabulary", "as_rows", "resolve_roles"]
