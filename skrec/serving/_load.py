"""Loading of exported models."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from skrec._serving_only import serve_only

__all__ = ["load"]


def load(path: str | os.PathLike[str], *, trusted: Iterable[Any] | None = None) -> Any:
    """Load a model that was exported by :func:`skrec.export`, without importing TensorFlow or Keras.

    In a process that has not imported scikit-learn, models are loaded without it, too, which saves a second and 80 MB.
    Nothing in the file is executed. A file of :func:`skrec.save` loads as well; its network imports TensorFlow when it
    is used.

    Parameters
    ----------
    path : str or path-like
        The file to read.
    trusted : list of classes and functions, default=None
        As in :func:`skrec.load`.

    Returns
    -------
    estimator or ServedPipeline
        The exported estimator, with its methods except for those that train: ``predict``, ``predict_proba``,
        ``recommend``, ``score_items``, ``similar_items``, ``append_history``, ``explain`` and so on. Scores differ from
        those of the estimator by rounding only (int8: by about 1 %). A Pipeline with a recommender is returned as a
        :class:`ServedPipeline`. Any number of threads may call the methods.

    Raises
    ------
    FileFormatError
        If the file was not written by skrec, is damaged or altered, has a newer format, or names a class or function
        that is not `trusted`.
    ImportError
        When a network is used for the first time, if ``onnxruntime`` is not installed.
    OSError
        If the file cannot be opened.

    See Also
    --------
    skrec.export : Write the file.
    skrec.load : Load a file in a process that trains.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrec
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import ItemKNNRanker
    >>> model = ItemKNNRanker().fit(make_interactions(50, 20, 600, random_state=0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrec.export(model, Path(folder) / "model.bundle")
    ...     served = skrec.serving.load(Path(folder) / "model.bundle")
    >>> served.recommend([3], k=3).shape
    (3, 4)
    """
    serve_only()
    from skrec.persistence import load

    estimator = load(path, trusted=trusted)
    if hasattr(estimator, "steps"):
        from skrec._recommend import is_recommender, unwrap

        if is_recommender(unwrap(estimator).model):
            from skrec.serving._pipeline import ServedPipeline

            return ServedPipeline(estimator)
    return estimator
