"""Plots of what a fitted model of features has learnt, in the form of scikit-learn's displays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec.inspection._attention import attention_model, mean_attention
from skrec.inspection._cross_strengths import cross_strengths
from skrec.inspection._field_importance import field_importance

__all__ = ["AttentionDisplay", "CrossStrengthDisplay", "FieldImportanceDisplay"]


class FieldImportanceDisplay:
    """Bars of the importance of fields, the most important one on top.

    Parameters
    ----------
    importances : Series of shape (n_fields,)
        As :func:`field_importance` returns them.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars, the lowest first.
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    field_importance : Computes what is plotted.

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
        _pyplot(cls.__name__)
        importances = field_importance(estimator, X, n_repeats=n_repeats, random_state=random_state)
        return cls(importances=importances).plot(ax, max_fields=max_fields, **kwargs)

    def plot(self, ax: Any = None, *, max_fields: int | None = None, **kwargs: Any) -> FieldImportanceDisplay:
        """Plot the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; None: a new figure.
        max_fields : int, default=None
            How many fields to show at most, the most important ones.
        **kwargs
            For ``matplotlib.axes.Axes.barh``.

        Returns
        -------
        FieldImportanceDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = _pyplot(type(self).__name__)
        if ax is None:
            _, ax = plt.subplots()
        shown = self.importances.sort_values(kind="stable", ascending=False)[:max_fields][::-1]
        self.bars_ = ax.barh(range(len(shown)), shown.to_numpy(), **kwargs)
        ax.set_yticks(range(len(shown)), [str(name) for name in shown.index])
        ax.set(xlabel="Mean absolute difference of the prediction", ylabel="Field")
        self.ax_, self.figure_ = ax, ax.figure
        return self


class CrossStrengthDisplay:
    """Heat map of the strength of the cross of each pair of fields.

    Parameters
    ----------
    strengths : DataFrame of shape (n_fields, n_fields)
        As :func:`cross_strengths` returns them.

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
    cross_strengths : Computes what is plotted.

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
        _pyplot(cls.__name__)
        return cls(strengths=cross_strengths(estimator, X)).plot(ax, colorbar=colorbar, **kwargs)

    def plot(self, ax: Any = None, *, colorbar: bool = True, **kwargs: Any) -> CrossStrengthDisplay:
        """Plot the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; None: a new figure.
        colorbar : bool, default=True
            Whether to add a colour bar.
        **kwargs
            For ``matplotlib.axes.Axes.imshow``, for instance ``cmap="magma"``.

        Returns
        -------
        CrossStrengthDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = _pyplot(type(self).__name__)
        values, names = self.strengths.to_numpy(), list(self.strengths.index)
        self.im_ = _heat_map(plt, values, names, ax, colorbar=colorbar, options=kwargs)
        self.im_.axes.set(xlabel="multiplied by", ylabel="Field")
        self.ax_, self.figure_ = self.im_.axes, self.im_.axes.figure
        return self


class AttentionDisplay:
    """Heat map of the attention of each field for each, the mean over rows; of one layer.

    Parameters
    ----------
    attention : ndarray of shape (n_layers, n_heads, n_fields, n_fields)
        What :func:`attention_weights` returns for one row, or its mean over rows.
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
    attention_weights : Computes the weights of every row.

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
            The rows; one row for the attention in it alone.
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
        _pyplot(cls.__name__)
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
            Where to; None: a new figure.
        layer : int, default=0
            Which layer. Only in the first one are the positions the fields themselves.
        head : int or None, default=None
            Which head; None: the mean over the heads.
        colorbar : bool, default=True
            Whether to add a colour bar.
        **kwargs
            For ``matplotlib.axes.Axes.imshow``, for instance ``cmap="magma"``.

        Returns
        -------
        AttentionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        IndexError
            If there is no such layer or head.
        """
        plt = _pyplot(type(self).__name__)
        n_layers, n_heads = self.attention.shape[:2]
        for name, at, n in (("layer", layer, n_layers), ("head", 0 if head is None else head, n_heads)):
            if not -n <= at < n:
                raise IndexError(f"There is no {name} {at}: the model has {n}, counted from 0.")
        weights = self.attention[layer].mean(axis=0) if head is None else self.attention[layer, head]
        self.im_ = _heat_map(plt, weights, self.field_names, ax, colorbar=colorbar, options=kwargs)
        self.im_.axes.set(xlabel="attends to", ylabel="Field")
        self.ax_, self.figure_ = self.im_.axes, self.im_.axes.figure
        return self


def _pyplot(display: str) -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{display} needs matplotlib, which is not installed: pip install matplotlib, or skrec-deep[plot]."
        ) from error
    return plt


def _heat_map(
    plt: Any, values: NDArray[Any], names: Sequence[str], ax: Any, *, colorbar: bool, options: dict[str, Any]
) -> Any:
    if ax is None:
        _, ax = plt.subplots()
    image = ax.imshow(np.asarray(values), **{"vmin": 0, **options})
    labels = [str(name) for name in names]
    ax.set_xticks(range(len(labels)), labels, rotation=90)
    ax.set_yticks(range(len(labels)), labels)
    if colorbar:
        ax.figure.colorbar(image, ax=ax)
    return image
