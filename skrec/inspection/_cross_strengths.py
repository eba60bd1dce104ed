"""Strengths of the crosses of pairs of fields in a fitted model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._recommend import Unwrapped
from skrec.inspection._fitted import fitted, prediction_scale, row_views
from skrec.models.features._dcn import _DCN
from skrec.models.features._deepfm import _DeepFM
from skrec.models.features._fm import _FM

__all__ = ["cross_strengths"]


def cross_strengths(estimator: Any, X: Any = None) -> pd.DataFrame:
    """Return the learned strength of the cross of each pair of fields.

    In a DCN of version 2, the strength is computed from the first cross layer, ``x0 * (W x0 + b) + x0``, as in the
    paper: it is the Frobenius norm of the block of ``W`` (or of ``U V^T``, for layers of low rank) by which field j is
    multiplied into field i. The matrix is not symmetric, and its diagonal holds the crosses of fields with themselves.
    The norm does not take the size of the vectors of a field into account; blocks of wider fields have larger norms.

    In an FM or a DeepFM, the strength is the mean absolute value of the pair's term ``<v_i, v_j>`` over the rows ``X``:
    the contribution of the cross to the log-odds, the rating or the score. The matrix is symmetric, with zeros on the
    diagonal. For more than two classes, it is the mean over the classes, with terms that are centered in each row.

    Parameters
    ----------
    estimator : estimator
        A fitted DCN, FM or DeepFM (Classifier, Regressor or Ranker), or a Pipeline or search that ends in one.
    X : DataFrame or array-like of shape (n_rows, n_columns), default=None
        Rows, as for ``predict``. Required for FM and DeepFM; not used for DCN.

    Returns
    -------
    DataFrame of shape (n_fields, n_fields), float64
        Rows (i) and columns (j) are named after the model's ``field_names_``.

    Raises
    ------
    TypeError
        If the estimator is not a DCN, FM or DeepFM.
    ValueError
        If the estimator is a DCN of version 1, or `X` is missing.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    CrossStrengthDisplay : Plot the strengths.

    References
    ----------
    R. Wang, R. Shivanna, D. Z. Cheng, S. Jain, D. Lin, L. Hong, E. H. Chi. "DCN V2: Improved Deep & Cross Network and
    Practical Lessons for Web-scale Learning to Rank Systems". WWW 2021, doi:10.1145/3442381.3450078.

    S. Rendle. "Factorization Machines". ICDM 2010, doi:10.1109/ICDM.2010.127.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.inspection import cross_strengths
    >>> from skrec.models import DCNClassifier
    >>> X = pd.DataFrame({"city": ["Bern", "Rome"] * 50, "age": range(100)})
    >>> model = DCNClassifier(epochs=2, random_state=0).fit(X, ["no", "yes"] * 50)
    >>> strengths = cross_strengths(model)
    >>> list(strengths), strengths.shape
    (['city', 'age'], (2, 2))
    """
    needs = "cross_strengths supports DCN, FM and DeepFM: pass a fitted model"
    unwrapped = fitted(estimator, (_DCN, _FM, _DeepFM), needs)
    model = unwrapped.model
    if isinstance(model, _DCN):
        strengths = _block_norms(model)
    elif X is None:
        raise ValueError(
            f"The strengths of the crosses of {type(model).__name__} are means over rows: pass rows as X, for "
            "instance the training rows."
        )
    else:
        strengths = _mean_terms(unwrapped, X)
    names = list(model.field_names_)
    return pd.DataFrame(strengths, index=names, columns=names)


def _block_norms(model: Any) -> NDArray[np.float64]:
    config = dict(model._structure["network"])
    if config["version"] == 1:
        raise ValueError(
            f"This {type(model).__name__} has version=1, whose cross layers have no weights for pairs of fields: "
            "every field is crossed with all others in the same way. Fit a model with version=2."
        )
    kernel = model._weights["cross_1/kernel"].astype(np.float64)
    if config["rank"]:
        kernel = model._weights["cross_1/inner_kernel"].astype(np.float64) @ kernel
    n_fields = len(model.field_names_)
    widths = config["dims"] or (len(kernel) // n_fields,) * n_fields
    starts = np.cumsum([0, *widths[:-1]])
    # The layer multiplies rows of vectors from the right: its kernel is the paper's W transposed.
    squares = np.add.reduceat(np.add.reduceat(np.square(kernel.T), starts, axis=0), starts, axis=1)
    return np.asarray(np.sqrt(squares))


def _mean_terms(unwrapped: Unwrapped, X: Any) -> NDArray[np.float64]:
    model = unwrapped.model
    n_fields = len(model.field_names_)
    total, n_rows = np.zeros((n_fields, n_fields)), 0
    weights = model._weights.get("pairs/kernel")  # one column per output, if there are several
    if weights is not None:
        weights = weights - weights.mean(axis=1, keepdims=True)
    for rows, vectors in row_views(unwrapped, X, "vectors"):
        for output in [None] if weights is None else weights.T:
            left = vectors if output is None else vectors * output
            terms = np.abs(left @ vectors.transpose(0, 2, 1))
            total += terms.sum(axis=0, dtype=np.float64) / (1 if weights is None else weights.shape[1])
        n_rows = rows.stop
    np.fill_diagonal(total, 0)
    return total / n_rows * prediction_scale(model)
