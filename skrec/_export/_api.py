"""The public function."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

from skrec._export._copies import with_graphs, with_replaced
from skrec._export._folders import write_folder
from skrec._export._pruned import check_pruning, prunable, pruned
from skrec._recommend import unwrap
from skrec.persistence import save

__all__ = ["export"]

FORMATS = ("onnx", "saved_model", "litert")


def export(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    format: Literal["onnx", "saved_model", "litert"] = "onnx",  # noqa: A002 - the usual name
    quantize: Literal["int8"] | None = None,
    prune: float | None = None,
    fine_tune: tuple[Any, Any] | None = None,
    fine_tune_epochs: int = 1,
    trusted: Iterable[Any] | None = None,
) -> None:
    """Export a fitted estimator to serve without the library that trained it.

    With ``format="onnx"``, the file is a bundle of the ONNX graphs of the network and of everything else that
    ``predict`` and ``recommend`` need: vocabularies, column roles, encoders of features, the log of what was seen, and
    histories. It is read by :func:`skrec.serving.load`, in a process that needs neither TensorFlow nor Keras: a network
    needs ``onnxruntime``; only Pipelines, transformers and :class:`~skrec.models.ContentRanker` need scikit-learn. What
    training alone needs is left out, so that an exported network cannot be fitted again. Models without a network are
    stored as they are.

    With ``format="saved_model"`` or ``format="litert"``, the network alone is exported, for programs that have
    TensorFlow or LiteRT but not skrec: a folder with its functions and two JSON files, which say how ids and rows
    become inputs.

    Parameters
    ----------
    estimator : estimator
        A fitted model or transformer of skrec, or a Pipeline or ColumnTransformer of these and of scikit-learn's. Of a
        search, its ``best_estimator_`` is exported.
    path : str or path-like
        The file or folder to write. It is replaced only when the new one is complete.
    format : {"onnx", "saved_model", "litert"}, default="onnx"
        The format of the network: a bundle of ONNX graphs, a TensorFlow SavedModel, or LiteRT files. A SavedModel and
        LiteRT files are folders with an input specification, and need a model with a network.
    quantize : {"int8"} or None, default=None
        If ``"int8"``, tables of embeddings are stored as whole numbers of 8 bits with a scale for each row, and kernels
        of dense layers with a scale for each column. Scores change by about 1 %. With ``format="litert"``, this is the
        dynamic-range quantization of its converter. Not available for ``format="saved_model"``.
    prune : float or None, default=None
        Share of the values of each kernel of a dense layer that are set to zero: those with the smallest absolute
        values. Tables of embeddings, biases and norms are not pruned. Of a Pipeline, only the model at its end is
        pruned. A bundle stores pruned kernels without their zeros.
    fine_tune : tuple (X, y) or None, default=None
        Rows and targets, as for ``fit`` of the estimator (``y`` may be None for a Ranker), on which a copy of the
        pruned network is trained further. The zeros stay zero. The estimator does not change; neither do the log of
        seen events and the histories in the export. Ids that are new in these rows are not part of the export.
    fine_tune_epochs : int, default=1
        Number of passes over these rows.
    trusted : list of classes and functions, default=None
        As in :func:`skrec.save`: classes and functions of other packages that are part of the estimator.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ImportError
        If the packages of the extra ``onnx`` are not installed: ``pip install 'skrec-deep[onnx]'``.
    TypeError
        If a part of the estimator cannot be stored, as in :func:`skrec.save`; with another format than ``"onnx"``, if
        the estimator has no network, is a Pipeline, or has operations that LiteRT lacks.
    ValueError
        If an argument is out of range, or the network has no kernels that could be pruned.
    FileExistsError
        If a folder is to be written, and `path` is something else than an empty folder or an earlier export.

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
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}, but must be 'onnx', 'saved_model' or 'litert'.")
    if quantize not in {None, "int8"}:
        raise ValueError(f"quantize is {quantize!r}, but must be 'int8' or None.")
    if quantize is not None and format == "saved_model":
        raise ValueError("quantize='int8' is not available for format='saved_model': use 'litert' or 'onnx'.")
    check_pruning(prune, fine_tune, fine_tune_epochs)
    _check_is_fitted(estimator)
    if prune is not None:
        model = prunable(unwrap(estimator).model)
        small = pruned(estimator, model, float(prune), fine_tune, int(fine_tune_epochs))
        estimator = with_replaced(estimator, lambda one: small if one is model else one)
    if format == "onnx":
        save(with_replaced(estimator, lambda model: with_graphs(model, quantize)), path, trusted=trusted)
    else:
        write_folder(estimator, path, format=format, int8=quantize == "int8")


def _check_is_fitted(estimator: Any) -> None:
    from sklearn.utils.validation import check_is_fitted

    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(f"{estimator!r:.100} is not an estimator: pass a fitted one.")
    check_is_fitted(estimator)
    check_is_fitted(unwrap(estimator).model)
