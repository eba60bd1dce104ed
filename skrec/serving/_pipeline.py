"""Pipelines with the methods of recommenders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skrec._recommend import recommend, unwrap
from skrec._recommend._behind_pipeline import EncodedSpace
from skrec._recommend._frames import as_ids, unknown_error

__all__ = ["ServedPipeline"]


class ServedPipeline:
    """A Pipeline whose last step is a recommender, with the methods of the recommender for raw rows and ids.

    All other attributes are those of the Pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        A fitted Pipeline.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrec.models import ItemKNNRanker
    >>> from skrec.preprocessing import IDEncoder
    >>> from skrec.serving import ServedPipeline
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> served = ServedPipeline(make_pipeline(IDEncoder(), ItemKNNRanker()).fit(events))
    >>> served.recommend(["cy"], k=1)[["user_id", "item_id"]]
      user_id item_id
    0      cy       y
    >>> served.similar_items(["x"], k=1)["similar_item"].tolist()
    ['y']
    """

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def __getattr__(self, name: str) -> Any:
        if name == "pipeline":  # while the object is copied
            raise AttributeError(name)
        return getattr(self.pipeline, name)

    def recommend(self, queries: Any = None, k: int = 10, **options: Any) -> Any:
        """Return the best items for each query; see :func:`skrec.recommend` for the parameters.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            Raw user ids, or raw rows.
        k : int, default=10
            Maximum number of items per query.
        **options
            ``history``, ``candidates``, ``exclude_seen``, ``exclude`` and ``as_frame``.

        Returns
        -------
        DataFrame, or a pair of arrays
        """
        return recommend(self.pipeline, queries, k, **options)

    def similar_items(self, items: Any, k: int = 10) -> pd.DataFrame:
        """Return the items with the most similar embeddings.

        Parameters
        ----------
        items : array-like of shape (n,)
            Raw item ids.
        k : int, default=10
            Number of similar items for each item.

        Returns
        -------
        DataFrame
            As the recommender returns it, with raw ids.
        """
        space = EncodedSpace(unwrap(self.pipeline))
        ids = as_ids(items, "items")
        codes = space._encode_items([ids])
        unknown = space.path.positions(codes) < 0
        if unknown.any():
            raise unknown_error("items", ids[unknown], "items")
        found = space.model.similar_items(codes, k)  # type: ignore[attr-defined]
        n = len(found) // max(1, len(ids))
        raw = space.path.decode_ids(found["similar_item"].to_numpy(), space.item, space.raw.item)
        return pd.DataFrame(
            {space.item_name: np.repeat(ids, n), "similar_item": raw, "score": found["score"], "rank": found["rank"]}
        )

    def append_history(self, X: Any, y: Any = None) -> ServedPipeline:
        """Add events to the histories of users, without training.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_events, n_columns)
            Raw rows, as in ``fit``.
        y : array-like of shape (n_events,), default=None
            As in ``fit``.

        Returns
        -------
        self
        """
        unwrapped = unwrap(self.pipeline)
        unwrapped.model.append_history(unwrapped.transform(X), y)
        return self
