"""Read the file of a model to serve."""

import os
from collections.abc import Iterable
from typing import Any

__all__ = ["load"]


def load(path: str | os.PathLike[str], *, trusted: Iterable[Any] | None = None) -> Any:
    """Load a model to serve from a file; nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        A file that :func:`skrec.save` wrote.
    trusted : list of classes and functions, default=None
        Classes and functions of other packages that are part of the model, as in :func:`skrec.load`.

    Returns
    -------
    estimator
        The stored model.

    Raises
    ------
    FileFormatError
        If the file was not written by skrec, or is damaged.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> import skrec
    >>> from skrec.models import PopularityRanker
    >>> model = PopularityRanker().fit(pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"]}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrec.save(model, Path(folder) / "model.skrec")
    ...     skrec.serving.load(Path(folder) / "model.skrec")
    PopularityRanker()
    """
    from skrec.persistence import load as load_estimator

    return load_estimator(path, trusted=trusted)
