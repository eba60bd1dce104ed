"""Pipelines with the methods of recommenders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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

    def __repr__(self) -> str:
        return f"ServedPipeline({self.pipeline!r})"

    def __len__(self) -> int:
        return len(self.pipeline)

    def __getitem__(self, step: Any) -> Any:
        return self.pipeline[step]

    @property
    def users_(self) -> NDArray[Any]:
        """Raw ids of the known users; None for a code of several."""
        space = self._space()
        return np.asarray(space.path.decode_ids(space.path.users, space.user, space.raw.user))

    @property
    def items_(self) -> NDArray[Any]:
        """Raw ids of the items, in the order of the columns of :meth:`seen_items`; None for a code of several."""
        return np.asarray(self._space().catalogue)

    def _space(self) -> EncodedSpace:
        return EncodedSpace(unwrap(self.pipeline))

    def seen_items(self, queries: Any) -> Any:
        """Return the items of the positive rows of each user, as the recommender does.

        Parameters
        ----------
        queries : array-like of shape (n_queries,)
            Raw user ids.

        Returns
        -------
        csr_array of shape (n_queries, n_items)
            Columns are in the order of ``items_``.
        """
        space = self._space()
        return space.model.seen_items(space._encode_queries(queries)[1])

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
        space = self._space()
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
