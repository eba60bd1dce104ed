"""Plots of fitted models of features, in the form of scikit-learn's displays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from skrec.inspection._attention import attention_model, mean_attention
from skrec.inspection._cross_strengths import cross_strengths
from skrec.inspection._field_importance import field_importance
from skrec.inspection._plotting import Display

__all__ = ["AttentionDisplay", "CrossStrengthDisplay", "FieldImportanceDisplay"]


class FieldImportanceDisplay(Display):
    """Bars of the importance of fields, the most important one on top.

    Parameters
    ----------
    importances : Series of shape (n_fields,)
        Result of :func:`field_importance`.

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
    field_importance : Compute the importances.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.inspection import FieldImportanceDisplay
    >>> from skrec.models import FMClassifier
    >>> X = pd.DataFrame({"city": ["Bern", "Rome"] * 50, "age": [20.0] * 100})
    >>> model = FMClassifier(epochs=10, random_state=0).fit(X, ["no", "yes"] * 50)
    >>> display = FieldImportanceDisplay.from_estimator(model, X, random_state=0)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['age', 'city']
    """

    def __init__(self, *, importances: pd.Series) -> None:
        self.importances = importances

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        n_repeats: int = 5,
        random_state: Any = None,
        max_fields: int | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> FieldImportanceDisplay:
        """Compute the importance of the fields of a fitted model, and plot it.

        Parameters
        ----------
        estimator, X, n_repeats, random_state
            As for :func:`field_importance`.
        max_fields, ax, **kwargs
            As for :meth:`plot`.

        Returns
        -------
        FieldImportanceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        cls._pyplot()
        importances = field_importance(estimator, X, n_repeats=n_repeats, random_state=random_state)
        return cls(importances=importances).plot(ax, max_fields=max_fields, **kwargs)

    def plot(self, ax: Any = None, *, max_fields: int | None = None, **kwargs: Any) -> FieldImportanceDisplay:
        """Plot the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure is created.
        max_fields : int, default=None
            Maximum number of fields to show, the most important ones. If None, all fields.
        **kwargs
            Keyword arguments of ``matplotlib.axes.Axes.barh``.

        Returns
        -------
        FieldImportanceDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        shown = self.importances.sort_values(kind="stable", ascending=False)[:max_fields][::-1]
        self.bars_ = self._bars(ax, shown.index, shown.to_numpy(), kwargs)
        self.ax_.set(xlabel="Mean absolute difference of the prediction", ylabel="Field")
        return self


class CrossStrengthDisplay(Display):
    """Heat map of the strength of the cross of each pair of fields.

    Parameters
    ----------
    strengths : DataFrame of shape (n_fields, n_fields)
        Result of :func:`cross_strengths`.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.
    ax_ : matplotlib Axes
        Axes with the heat map.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    cross_strengths : Compute the strengths.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.inspection import CrossStrengthDisplay
    >>> from skrec.models import DCNClassifier
    >>> X = pd.DataFrame({"city": ["Bern", "Rome"] * 50, "age": range(100)})
    >>> model = DCNClassifier(epochs=2, random_state=0).fit(X, ["no", "yes"] * 50)
    >>> CrossStrengthDisplay.from_estimator(model).im_.get_array().shape
    (2, 2)
    """

    def __init__(self, *, strengths: pd.DataFrame) -> None:
        self.strengths = strengths

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any = None, *, ax: Any = None, colorbar: bool = True, **kwargs: Any
    ) -> CrossStrengthDisplay:
        """Compute the strengths of the crosses of a fitted model, and plot them.

        Parameters
        ----------
        estimator, X
            As for :func:`cross_strengths`.
        ax, colorbar, **kwargs
            As for :meth:`plot`.

        Returns
        -------
        CrossStrengthDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        cls._pyplot()
        return cls(strengths=cross_strengths(estimator, X)).plot(ax, colorbar=colorbar, **kwargs)

    def plot(self, ax: Any = None, *, colorbar: bool = True, **kwargs: Any) -> CrossStrengthDisplay:
        """Plot the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure is created.
        colorbar : bool, default=True
            If True, add a color bar.
        **kwargs
            Keyword arguments of ``matplotlib.axes.Axes.imshow``, for instance ``cmap="magma"``.

        Returns
        -------
        CrossStrengthDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        names, values = list(self.strengths.index), self.strengths.to_numpy()
        self.im_ = self._heat_map(ax, names, values, kwargs, colorbar=colorbar)
        self.ax_.set(xlabel="multiplied by", ylabel="Field")
        return self


class AttentionDisplay(Display):
    """Heat map of the attention of each field to each field in one layer, averaged over rows.

    Parameters
    ----------
    attention : ndarray of shape (n_layers, n_heads, n_fields, n_fields)
        Result of :func:`attention_weights` for one row, or its mean over rows.
    field_names : sequence of str
        Names of the fields.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.
    ax_ : matplotlib Axes
        Axes with the heat map.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    attention_weights : Compute the weights of every row.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.inspection import AttentionDisplay
    >>> from skrec.models import AutoIntClassifier
    >>> X = pd.DataFrame({"city": ["Bern", "Rome"] * 50, "age": range(100)})
    >>> model = AutoIntClassifier(epochs=2, random_state=0).fit(X, ["no", "yes"] * 50)
    >>> display = AttentionDisplay.from_estimator(model, X)
    >>> display.attention.shape
    (2, 2, 2, 2)
    >>> one_row = AttentionDisplay.from_estimator(model, X[:1], layer=1, head=0)
    >>> one_row.im_.get_array().shape
    (2, 2)
    """

    def __init__(self, *, attention: NDArray[Any], field_names: Sequence[str]) -> None:
        self.attention = attention
        self.field_names = field_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        layer: int = 0,
        head: int | None = None,
        ax: Any = None,
        colorbar: bool = True,
        **kwargs: Any,
    ) -> AttentionDisplay:
        """Compute the mean attention of a fitted AutoInt over rows, and plot it.

        Parameters
        ----------
        estimator : estimator
            As for :func:`attention_weights`.
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The rows over which the attention is averaged; may be a single row.
        layer, head, ax, colorbar, **kwargs
            As for :meth:`plot`.

        Returns
        -------
        AttentionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        cls._pyplot()
        unwrapped = attention_model(estimator)
        display = cls(attention=mean_attention(unwrapped, X), field_names=unwrapped.model.field_names_)
        return display.plot(ax, layer=layer, head=head, colorbar=colorbar, **kwargs)

    def plot(
        self, ax: Any = None, *, layer: int = 0, head: int | None = None, colorbar: bool = True, **kwargs: Any
    ) -> AttentionDisplay:
        """Plot the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure is created.
        layer : int, default=0
            The layer to plot. The positions are the fields themselves only in the first layer.
        head : int or None, default=None
            The head to plot. If None, the mean over the heads.
        colorbar : bool, default=True
            If True, add a color bar.
        **kwargs
            Keyword arguments of ``matplotlib.axes.Axes.imshow``, for instance ``cmap="magma"``.

        Returns
        -------
        AttentionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        IndexError
            If the layer or head does not exist.
        """
        n_layers, n_heads = self.attention.shape[:2]
        for name, at, n in (("layer", layer, n_layers), ("head", 0 if head is None else head, n_heads)):
            if not -n <= at < n:
                raise IndexError(f"There is no {name} {at}: the model has {n}, counted from 0.")
        weights = self.attention[layer].mean(axis=0) if head is None else self.attention[layer, head]
        self.im_ = self._heat_map(ax, self.field_names, weights, kwargs, colorbar=colorbar)
        self.ax_.set(xlabel="attends to", ylabel="Field")
        return self
