"""Plots of a comparison of models and of the training of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skrec._recommend import unwrap
from skrec.inspection._compare import Comparison, compare
from skrec.inspection._plotting import Display

__all__ = ["ComparisonDisplay", "TrainingCurveDisplay"]


class ComparisonDisplay(Display):
    """Means of a metric with confidence intervals, one line per model.

    Parameters
    ----------
    comparison : Comparison
        Result of :func:`compare`.

    Attributes
    ----------
    errorbar_ : matplotlib ErrorbarContainer
        The means and intervals, the last model at the bottom.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    compare : Fit and evaluate the models.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.inspection import ComparisonDisplay
    >>> from skrec.models import NCFRanker
    >>> events = make_interactions(n_users=50, n_items=30, n_interactions=500, random_state=0)
    >>> models = {"MF": NCFRanker(architecture="mf", epochs=2, random_state=0)}
    >>> display = ComparisonDisplay.from_estimators(models, events)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['popularity', 'MF']
    """

    def __init__(self, *, comparison: Comparison) -> None:
        self.comparison = comparison

    @classmethod
    def from_estimators(
        cls,
        estimators: Any,
        X: Any,
        y: Any = None,
        *,
        metric: str | None = None,
        ax: Any = None,
        plot_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> ComparisonDisplay:
        """Compare models and plot one metric.

        Parameters
        ----------
        estimators, X, y, **options
            As for :func:`compare`.
        metric, ax
            As for :meth:`plot`.
        plot_options : dict or None, default=None
            Keyword arguments of ``matplotlib.axes.Axes.errorbar``.

        Returns
        -------
        ComparisonDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        cls._pyplot()
        display = cls(comparison=compare(estimators, X, y, **options))
        return display.plot(ax, metric=metric, **(plot_options or {}))

    def plot(self, ax: Any = None, *, metric: str | None = None, **kwargs: Any) -> ComparisonDisplay:
        """Plot the means of a metric and their intervals.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure is created.
        metric : str or None, default=None
            A metric of the comparison. If None, the first one. Metrics without values per user have no intervals.
        **kwargs
            Keyword arguments of ``matplotlib.axes.Axes.errorbar``.

        Returns
        -------
        ComparisonDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the comparison does not contain the metric.
        """
        names, table = self.comparison.metrics, self.comparison.table.iloc[::-1]
        metric = names[0] if metric is None else metric
        if metric not in names:
            raise ValueError(f"The comparison has no metric {metric!r}: it has {', '.join(names)}.")
        ax = self._start(ax)
        mean, error = table[metric].to_numpy(), None
        if f"{metric} low" in table:
            limits = table[[f"{metric} low", f"{metric} high"]].to_numpy()
            error = np.abs(limits - mean[:, None]).T
        options = {"fmt": "o", "capsize": 3, **kwargs}
        self.errorbar_ = ax.errorbar(mean, range(len(mean)), xerr=error, **options)
        ax.set_yticks(range(len(mean)), [str(name) for name in table.index])
        share = "" if error is None else f" ({self.comparison.confidence_level:.0%} intervals over users)"
        ax.set(xlabel=f"{metric}{share}", ylabel="Model")
        return self


class TrainingCurveDisplay(Display):
    """Loss and validation score of a network by epoch.

    Parameters
    ----------
    loss : array-like of shape (n_epochs,)
        Mean loss of each epoch, ``loss_curve_``.
    validation_scores : array-like of shape (n_epochs,) or None, default=None
        Validation score after each epoch, ``validation_scores_``; empty or None without early stopping.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The loss and, if there is one, the validation score.
    ax_ : matplotlib Axes
        Axes with the loss.
    validation_ax_ : matplotlib Axes or None
        Axes with the validation score, on the right.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Plot scores by number of training rows; it accepts the estimators and
        scorers of skrec.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.inspection import TrainingCurveDisplay
    >>> from skrec.models import NCFRanker
    >>> events = make_interactions(n_users=50, n_items=30, n_interactions=500, random_state=0)
    >>> model = NCFRanker(architecture="mf", epochs=3, early_stopping=True, random_state=0).fit(events)
    >>> display = TrainingCurveDisplay.from_estimator(model)
    >>> [len(line.get_xdata()) for line in display.lines_]
    [3, 3]
    """

    def __init__(self, *, loss: ArrayLike, validation_scores: ArrayLike | None = None) -> None:
        self.loss = loss
        self.validation_scores = validation_scores

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **kwargs: Any) -> TrainingCurveDisplay:
        """Plot the training curve of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network of skrec, or a Pipeline or search around one.
        ax, **kwargs
            As for :meth:`plot`.

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not a network.
        """
        cls._pyplot()
        model = unwrap(estimator).model
        check_is_fitted(model)
        if not hasattr(model, "loss_curve_"):
            raise TypeError(f"{type(model).__name__} has no loss_curve_: it is not trained in epochs.")
        scores = getattr(model, "validation_scores_", None)
        return cls(loss=model.loss_curve_, validation_scores=scores).plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> TrainingCurveDisplay:
        """Plot the loss and, on the right, the validation score.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure is created.
        **kwargs
            Keyword arguments of ``matplotlib.axes.Axes.plot``, for both lines.

        Returns
        -------
        TrainingCurveDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax, loss = self._start(ax), np.asarray(self.loss)
        scores = np.asarray([] if self.validation_scores is None else self.validation_scores)
        self.lines_ = ax.plot(np.arange(1, len(loss) + 1), loss, **{"color": "C0", "label": "loss", **kwargs})
        ax.set(xlabel="Epoch", ylabel="Loss")
        self.validation_ax_ = None
        if len(scores):
            self.validation_ax_ = ax.twinx()
            epochs = (
                np.arange(len(loss) - len(scores), len(loss)) + 1
            )  # the scores belong to the epochs of the last call
            options = {"color": "C1", "label": "validation score", **kwargs}
            self.lines_ = [*self.lines_, *self.validation_ax_.plot(epochs, scores, **options)]
            self.validation_ax_.set(ylabel="Validation score")
        ax.legend(handles=self.lines_)
        return self
