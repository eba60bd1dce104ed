"""Base class of the displays: matplotlib, if it is installed, and the axes to plot on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Display"]


class Display:
    """Base of the displays."""

    ax_: Any
    figure_: Any

    @classmethod
    def _pyplot(cls) -> Any:
        """Import matplotlib; called first, so that a missing matplotlib is reported before any computation."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{cls.__name__} needs matplotlib, which is not installed: pip install matplotlib, or skrec-deep[plot]."
            ) from error
        return plt

    def _start(self, ax: Any) -> Any:
        """Return and store the axes to plot on; new axes for None."""
        plt = self._pyplot()
        self.ax_ = plt.subplots(layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        return self.ax_

    def _bars(self, ax: Any, names: Iterable[Any], values: NDArray[Any], options: dict[str, Any]) -> Any:
        """Plot labeled bars, the first at the bottom."""
        ax = self._start(ax)
        bars = ax.barh(range(len(values)), values, **options)
        ax.set_yticks(range(len(values)), [str(name) for name in names])
        return bars

    def _heat_map(
        self, ax: Any, names: Sequence[str], values: NDArray[Any], options: dict[str, Any], *, colorbar: bool
    ) -> Any:
        """Plot a square matrix whose rows and columns have the same names."""
        ax = self._start(ax)
        image = ax.imshow(np.asarray(values), **{"vmin": 0, **options})
        labels = [str(name) for name in names]
        ax.set_xticks(range(len(labels)), labels, rotation=90)
        ax.set_yticks(range(len(labels)), labels)
        if colorbar:
            ax.figure.colorbar(image, ax=ax)
        return image
