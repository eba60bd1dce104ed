"""Text that docstrings of methods with histories share."""

from __future__ import annotations

from skrec._docs import documented

__all__ = ["EXPLAINED_ITEMS", "EXPLAINED_QUERIES", "EXPLAIN_RAISES", "GIVEN_HISTORY", "WALKS", "documented"]

EXPLAINED_QUERIES = """\
queries : array-like of shape (n_queries,) or rows, default=None
    User ids or rows, as in :meth:`recommend`. Rows may have an item column with the items to explain, such as the rows
    returned by ``recommend``."""

EXPLAINED_ITEMS = """\
items : array-like of shape (n_queries,), default=None
    The item to explain for each query. Required if the rows have no item column."""

GIVEN_HISTORY = """\
history : list of lists of item ids, or rows, default=None
    Histories, as in :meth:`recommend`."""

EXPLAIN_RAISES = """\
ValueError
    If there are no items, or their number differs from the number of queries."""

WALKS = """\
>>> import pandas as pd
>>> from skrec.models import SASRecRanker
>>> walks = pd.DataFrame(
...     {"user_id": [1, 1, 1, 2, 2, 2], "item_id": list("abcbcd"), "timestamp": [1, 2, 3, 1, 2, 3]}
... )
>>> settings = {"embedding_dim": 8, "max_history": 8, "learning_rate": 0.05, "dropout": 0.0}
>>> model = SASRecRanker(epochs=40, early_stopping=False, random_state=0, **settings).fit(walks)"""
