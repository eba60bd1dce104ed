"""What a recommender needs in order to be served through a Pipeline and to be evaluated: public members alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray

from skrec._data.tables.roles import Roles

__all__ = ["FittedRecommender", "ReadsFeatures", "StoresHistories", "feature_positions", "query_times", "roles_of"]


class FittedRecommender(Protocol):
    """A fitted model that ranks a catalogue of its own, as all subclasses of :class:`skrec.base.Recommender` do.

    :func:`skrec.recommend` and the ranking scorers use these members alone. A class with another base needs them too,
    and nothing else; if it reads columns besides those of the user and the item, also those of :class:`ReadsFeatures`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.base import FittedRecommender
    >>> from skrec.models import PopularityRanker
    >>> def catalogue_size(model: FittedRecommender) -> int:
    ...     return len(model.items_)
    >>> catalogue_size(PopularityRanker().fit(pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"]})))
    2
    """

    @property
    def n_features_in_(self) -> int:
        """Number of columns of the rows of ``fit``."""

    @property
    def users_(self) -> NDArray[Any]:
        """Ids of the known users, shape (n_users,)."""

    @property
    def items_(self) -> NDArray[Any]:
        """Ids of the items of the catalogue, shape (n_items,)."""

    @property
    def roles_(self) -> Roles:
        """Positions and names of the columns of the user, the item and the time: the same object until a new fit."""

    def recommend(self, queries: Any, k: int = 10, **options: Any) -> Any:
        """Return the k best items of each query; options are ``candidates``, ``exclude_seen`` and ``as_frame``.

        ``history`` is passed only to models that are :class:`StoresHistories`, and to those whose ``reads_histories``
        is True.
        """

    def score_items(self, queries: Any, candidates: Any = None) -> NDArray[Any]:
        """Score the catalogue, or candidates, for each query."""

    def seen_items(self, queries: Any) -> Any:
        """Mark the items that the user of each query chose in ``fit``: a sparse array of shape (n_queries, n_items)."""

    def role_ids(self, X: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the user ids and the item ids of rows."""


@runtime_checkable
class ReadsFeatures(Protocol):
    """A fitted model that reads other columns than those of the user and the item."""

    def query_times(self, queries: Any) -> NDArray[Any] | None:
        """Return the times of rows that are queries; None if they have none."""

    def feature_positions(self, side: Literal["query", "item"]) -> Collection[int] | None:
        """Return the positions of the columns with the features of queries or of items; None if that is not known."""


@runtime_checkable
class StoresHistories(Protocol):
    """A fitted model whose scores depend on the stored events of a user: those before the time of a query, if any."""

    def append_history(self, X: Any, y: Any = None) -> Any:
        """Add events to the histories of users."""


def roles_of(model: FittedRecommender) -> Roles:
    """Return which columns are the user, the item and the time.

    Classes written before ``roles_`` was public have ``_estimator_roles``.
    """
    roles: Roles = model.roles_ if hasattr(model, "roles_") else getattr(model, "_estimator_roles")  # noqa: B009
    return roles


def query_times(model: FittedRecommender, queries: Any) -> NDArray[Any] | None:
    """Return the times of rows that are queries; None if they have none or the model reads none."""
    return model.query_times(queries) if isinstance(model, ReadsFeatures) else None


def feature_positions(model: FittedRecommender, side: Literal["query", "item"]) -> Collection[int] | None:
    """Return the positions of the columns with the features of queries or of items; None if that is not known."""
    return model.feature_positions(side) if isinstance(model, ReadsFeatures) else None
