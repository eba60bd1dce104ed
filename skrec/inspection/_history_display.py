"""Plot of the attention of a model to past items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec.inspection._history_attention import history_attention
from skrec.inspection._plotting import Display

__all__ = ["HistoryAttentionDisplay"]


class HistoryAttentionDisplay(Display):
    """Bars of the past items with the most attention, the one with the largest weight on top.

    Parameters
    ----------
    past_items : ndarray of shape (n_queries, n_past)
        Ids of past items, as returned by :func:`history_attention`.
    weights : ndarray of shape (n_queries, n_past)
        The attention to each past item.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars, from bottom to top.
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    history_attention : Compute the attention.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.inspection import HistoryAttentionDisplay
    >>> from skrec.models import SASRecRanker
    >>> events = make_interactions(n_users=50, n_items=30, n_interactions=500, random_state=0)
    >>> model = SASRecRanker(epochs=2, random_state=0).fit(events)
    >>> titles = {3: "Up", 7: "Heat"}
    >>> display = HistoryAttentionDisplay.from_estimator(model, history=[[3, 7, 4]], names=titles)
    >>> sorted(label.get_text() for label in display.ax_.get_yticklabels())
    ['4', 'Heat', 'Up']
    """

    def __init__(self, *, past_items: NDArray[Any], weights: NDArray[Any]) -> None:
        self.past_items = past_items
        self.weights = weights

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        queries: Any = None,
        items: Any = None,
        *,
        history: Any = None,
        query: int = 0,
        top: int | None = 10,
        names: Mapping[Any, Any] | pd.Series | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> HistoryAttentionDisplay:
        """Compute the attention of a fitted model to past items, and plot that of one query.

        Parameters
        ----------
        estimator, queries, items, history
            As for :func:`history_attention`.
        query, top, names, ax, **kwargs
            As for :meth:`plot`.

        Returns
        -------
        HistoryAttentionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        cls._pyplot()
        attention = history_attention(estimator, queries, items, history=history)
        return cls(**attention).plot(ax, query=query, top=top, names=names, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        query: int = 0,
        top: int | None = 10,
        names: Mapping[Any, Any] | pd.Series | None = None,
        **kwargs: Any,
    ) -> HistoryAttentionDisplay:
        """Plot the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure is created.
        query : int, default=0
            Position of the query to plot.
        top : int or None, default=10
            Maximum number of past items to show. If None, all of them. An item that occurs twice in the history has two
            bars.
        names : mapping or Series, default=None
            Labels of the bars by item id, for instance titles. Other items are labeled with their ids.
        **kwargs
            Keyword arguments of ``matplotlib.axes.Axes.barh``.

        Returns
        -------
        HistoryAttentionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        IndexError
            If the query does not exist.
        """
        names = {} if names is None else names
        n_queries = len(self.weights)
        if not -n_queries <= query < n_queries:
            raise IndexError(f"There is no query {query}: there are {n_queries}, counted from 0.")
        items, weights = pd.Series(self.past_items[query], dtype=object), np.asarray(self.weights[query])
        there = np.flatnonzero(items.notna() | (weights != 0))  # an unknown item has a weight, but no id
        shown = there[np.argsort(-np.abs(weights[there]), kind="stable")][:top][::-1]
        texts = ["unknown item" if pd.isna(item) else names.get(item, item) for item in items.iloc[shown]]
        self.bars_ = self._bars(ax, texts, weights[shown], kwargs)
        self.ax_.set(xlabel="Weight", ylabel="Past item")
        return self
