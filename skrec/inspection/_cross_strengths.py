"""How strongly a fitted model crosses each pair of fields."""

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
    """Return the learnt strength of the cross of each pair of fields.

    For a DCN of version 2 it is read off the first cross layer, ``x0 * (W x0 + b) + x0``: the Frobenius norm of the
    block of ``W`` (of ``U V^T``, if it is of low rank) by which field j is multiplied into field i, as in the study of
    the paper. The matrix is not symmetric, its diagonal holds the crosses of fields with themselves, and a norm takes
    no account of how large the vectors of a field are. Blocks of wider fields have larger norms.

    For an FM or a DeepFM it is the mean absolute value of the pair's term ``<v_i, v_j>`` over the rows ``X``: what the
    cross adds to the log-odds, the rating or the score. It is symmetric, and 0 on the diagonal. With more than two
    classes it is the mean over them, of terms centred in each row.

    Parameters
    ----------
    estimator : estimator
        A fitted DCN, FM or DeepFM (Classifier, Regressor or Ranker), or a Pipeline or search that ends in one.
    X : DataFrame or array-like of shape (n_rows, n_columns), default=None
        Rows, as for ``predict``. Needed for FM and DeepFM; not used for DCN.

    Returns
    -------
    DataFrame of shape (n_fields, n_fields), float64
        Rows (i) and columns (j) are named as in the model's ``field_names_``.

    Raises
    ------
    TypeError
        If the estimator is of another kind.
    ValueError
        If it is a DCN of version 1, or `X` is lacking.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    CrossStrengthDisplay : Plots it.

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
    needs = "Strengths of crosses are read off a DCN, an FM or a DeepFM: pass a fitted one"
    unwrapped = fitted(estimator, (_DCN, _FM, _DeepFM), needs)
    model = unwrapped.model
    if isinstance(model, _DCN):
        strengths = _block_norms(model)
    elif X is None:
        raise ValueError(
            f"The strengths of the crosses of {type(model).__name__} are means over rows: pass them as X, for "
            "instance those it was fitted on."
        )
    else:
        strengths = _mean_terms(unwrapped, X)
    names = list(model.field_names_)
    return pd.DataFrame(strengths, index=names, columns=names)


def _block_norms(model: Any) -> NDArray[np.float64]:
    config = dict(model._structure["network"])
    if config["version"] == 1:
        raise ValueError(
            f"This {type(model).__name__} has version=1, whose cross layers learn one weight for each number of a "
            "vector and none for a pair: every field is crossed with all others alike. Fit one with version=2."
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
    weights = model._weights.get("pairs/kernel")  # of each output, if there are several
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
