"""The public function."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

from skrec._export._copies import with_graphs, with_replaced
from skrec._recommend import unwrap
from skrec.persistence import save

__all__ = ["export"]


def export(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    format: Literal["onnx"] = "onnx",  # noqa: A002 - the usual name
    quantize: Literal["int8"] | None = None,
    trusted: Iterable[Any] | None = None,
) -> None:
    """Export a fitted estimator to one file that serves without TensorFlow.

    The file is a bundle of the ONNX graphs of the network and of everything else that ``predict`` and ``recommend``
    need: vocabularies, column roles, encoders of features, the log of what was seen, and histories. It is read by
    :func:`skrec.serving.load`, in a process that needs neither TensorFlow nor Keras: a network needs ``onnxruntime``;
    only Pipelines, transformers and :class:`~skrec.models.ContentRanker` need scikit-learn. What training alone needs
    is left out, so that an exported network cannot be fitted again. Models without a network are stored as they are.

    Parameters
    ----------
    estimator : estimator
        A fitted model or transformer of skrec, or a Pipeline or ColumnTransformer of these and of scikit-learn's. Of a
        search, its ``best_estimator_`` is exported.
    path : str or path-like
        The file to write. It is replaced only when the new one is complete.
    format : {"onnx"}, default="onnx"
        The format of the network.
    quantize : {"int8"} or None, default=None
        If ``"int8"``, tables of embeddings are stored as whole numbers of 8 bits with a scale for each row, and kernels
        of dense layers with a scale for each column. Scores change by about 1 %.
    trusted : list of classes and functions, default=None
        As in :func:`skrec.save`: classes and functions of other packages that are part of the estimator.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ImportError
        If the packages of the extra ``onnx`` are not installed: ``pip install 'skrec-deep[onnx]'``.
    TypeError
        If a part of the estimator cannot be stored, as in :func:`skrec.save`.

    See Also
    --------
    skrec.serving.load : Load the file.
    skrec.save : Store an estimator, so that it can be fitted further.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrec
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import EASERanker
    >>> model = EASERanker().fit(make_interactions(50, 20, 600, random_state=0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrec.export(model, Path(folder) / "model.bundle")
    ...     served = skrec.serving.load(Path(folder) / "model.bundle")
    >>> served.recommend([3], k=3).equals(model.recommend([3], k=3))
    True
    """
    if format != "onnx":
        raise ValueError(f"format is {format!r}, but must be 'onnx'.")
    if quantize not in {None, "int8"}:
        raise ValueError(f"quantize is {quantize!r}, but must be 'int8' or None.")
    _check_is_fitted(estimator)
    save(with_replaced(estimator, lambda model: with_graphs(model, quantize)), path, trusted=trusted)


def _check_is_fitted(estimator: Any) -> None:
    from sklearn.utils.validation import check_is_fitted

    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(f"{estimator!r:.100} is not an estimator: pass a fitted one.")
    check_is_fitted(estimator)
    check_is_fitted(unwrap(estimator).model)
