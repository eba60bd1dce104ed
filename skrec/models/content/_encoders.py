"""Vectors of the values of one column of item features, by scikit-learn's transformers: sparse rows of unit length."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.preprocessing import QuantileTransformer, StandardScaler, normalize

from skrec._data import Vocabulary
from skrec._data.features.item_columns import is_missing
from skrec._data.features.multivalued import split
from skrec._data.tables.columns import Column, as_column

__all__ = ["Encoder", "encoded", "learn_encoder", "value_names"]

Encoder = dict[str, Any]
"""The kind of a column and the fitted transformers; empty if no item has a value."""

_N_KNOTS = 8
"""Number of knots of the piecewise-linear encoding of numbers by their rank."""


def learn_encoder(kind: str, column: Column, name: str, vectorizer: Any = None) -> Encoder:
    """Fit the transformers of a column on its values, one an item.

    Parameters
    ----------
    kind : {"text", "categorical", "multivalued", "numeric", "array"}
    column : ndarray of shape (n_items,) or (n_items, width)
        See :meth:`skrec._data.ItemColumns.read`.
    name : str
        Name of the column.
    vectorizer : transformer, default=None
        Transformer of text, which is cloned. If None, TF-IDF of words.

    Returns
    -------
    dict
    """
    known = column[~is_missing(column)]
    if not len(known):
        return {}
    if kind == "text":
        return _learn_text(known, vectorizer)
    if kind == "numeric":
        quantiles = QuantileTransformer(n_quantiles=min(1000, len(known)), subsample=None)
        return {"kind": kind, "quantiles": quantiles.fit(known[:, None])}
    if kind == "array":
        return {"kind": kind, "scaler": StandardScaler().fit(known)}
    lists = split(known, name=name, separator=None)
    vocabulary, codes = Vocabulary.fit(lists.factors.distinct, name=name)
    counts = _indicators(lists.rows, codes[lists.factors.positions], (len(known), len(vocabulary)))
    return (
        {"kind": kind, "vocabulary": vocabulary, "weights": TfidfTransformer().fit(counts)} if len(vocabulary) else {}
    )


def _learn_text(texts: Column, vectorizer: Any) -> Encoder:
    made = TfidfVectorizer(sublinear_tf=True) if vectorizer is None else clone(vectorizer)
    try:
        return {"kind": "text", "vectorizer": made.fit(texts.tolist())}
    except ValueError as error:
        if "empty vocabulary" in str(error):
            return {}
        raise


def encoded(encoder: Encoder, column: Column, name: str) -> sparse.csr_array:
    """Return the vectors of values: of length 1, or 0 for missing and unknown values.

    Parameters
    ----------
    encoder : dict
        The result of :func:`learn_encoder`.
    column : ndarray of shape (n,) or (n, width)
    name : str

    Returns
    -------
    csr_array of shape (n, n_dimensions), float64
    """
    n = len(column)
    if not encoder:
        return sparse.csr_array((n, 0))
    kind, missing = encoder["kind"], is_missing(column)
    if kind == "text":
        vectors = encoder["vectorizer"].transform(["" if text is None else text for text in column.tolist()])
    elif kind == "numeric":
        vectors = _hats(encoder["quantiles"].transform(np.where(missing, 0.0, column)[:, None]).ravel(), missing)
    elif kind == "array":
        vectors = np.nan_to_num(encoder["scaler"].transform(column))
    else:
        lists = split(column, name=name, separator=None)
        codes = encoder["vocabulary"].encode(lists.factors.distinct)[lists.factors.positions]
        known = codes > 0
        counts = _indicators(lists.rows[known], codes[known], (n, len(encoder["vocabulary"])))
        vectors = encoder["weights"].transform(counts)
    return unit_rows(sparse.csr_array(vectors, dtype=np.float64))


def unit_rows(vectors: sparse.csr_array) -> sparse.csr_array:
    """Scale rows to a length of 1; there may be no columns, if no value was known in ``fit``."""
    return sparse.csr_array(normalize(vectors)) if vectors.shape[1] else vectors


def value_names(encoder: Encoder) -> NDArray[Any]:
    """Return the value that each dimension of the vectors stands for: a word or a category, or None for numbers.

    Parameters
    ----------
    encoder : dict

    Returns
    -------
    ndarray of shape (n_dimensions,) of objects
    """
    if not encoder:
        return np.empty(0, object)
    if encoder["kind"] == "text":
        vectorizer = encoder["vectorizer"]
        if hasattr(vectorizer, "get_feature_names_out"):
            return np.asarray(vectorizer.get_feature_names_out(), object)
        return np.full(vectorizer.transform([""]).shape[1], None)
    if encoder["kind"] == "numeric":
        return np.full(_N_KNOTS, None)
    if encoder["kind"] == "array":
        return np.full(encoder["scaler"].n_features_in_, None)
    return as_column(encoder["vocabulary"].ids).astype(object)


def _indicators(rows: NDArray[Any], codes: NDArray[Any], shape: tuple[int, int]) -> sparse.csr_array:
    """Return a matrix with 1 for each value of each item; repeated values count once."""
    found = sparse.csr_array((np.ones(len(rows)), (rows, codes - 1)), shape=shape)
    found.sum_duplicates()
    found.data[:] = 1.0
    return found


def _hats(ranks: NDArray[np.float64], missing: NDArray[np.bool_]) -> sparse.csr_array:
    """Encode ranks from 0 to 1 by the two nearest of equally spaced knots, so that near ranks have similar vectors."""
    distance = np.abs(ranks[:, None] * (_N_KNOTS - 1) - np.arange(_N_KNOTS))
    weights = np.maximum(0.0, 1.0 - distance)
    weights[missing] = 0.0
    return sparse.csr_array(weights)
