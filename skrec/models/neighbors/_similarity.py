"""Similarities of rows of a matrix: weights of terms, norms and the formulas of the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._estimators import Interval, StrOptions
from skrec.models.neighbors._products import Similarity

__all__ = ["NeighborParameters", "TermWeights", "squared_norms"]

_K1, _B = 1.2, 0.75  # BM25 as in Lucene
_TINY = np.finfo(np.float32).tiny

SIMILARITY = """\
n_neighbors : int, default={n_neighbors}
    {kept}
metric : {{"cosine", "asymmetric", "jaccard", "tversky"}}, default="cosine"
    Similarity of {what} i and j with the vectors x and y: a dot product divided by

    * ``"cosine"``: ``|x| |y|``;
    * ``"asymmetric"``: ``|x| ** (2 * alpha) * |y| ** (2 * (1 - alpha))`` (Aiolli, 2013), where {past};
    * ``"jaccard"``: ``|x|**2 + |y|**2 - x @ y``, for sets the size of the union;
    * ``"tversky"``: ``x @ y + alpha * (|x|**2 - x @ y) + beta * (|y|**2 - x @ y)`` (Tversky, 1977); {past}.
weighting : {{"bm25", "tfidf"}} or None, default={weighting}
    Weights of the vectors, in which {document} is a document and its {terms} are the terms. ``"tfidf"`` multiplies by
    the inverse document frequency of :class:`~sklearn.feature_extraction.text.TfidfTransformer`; ``"bm25"`` also
    dampens repeated events and long documents (``k1=1.2``, ``b=0.75``). If None, vectors contain the number of
    events of each pair, or the sum of their ``sample_weight``.
shrink : float, default={shrink}
    A number that is added to the divisor. It reduces similarities that are based on few events.
alpha : float, default={alpha}
    Parameter of ``metric="asymmetric"`` (from 0 to 1) and ``"tversky"``.
beta : float, default=1.0
    Parameter of ``metric="tversky"``. With ``alpha`` and ``beta`` of 1 it equals ``"jaccard"``, with 0.5 it is the Dice
    similarity."""


@dataclass(frozen=True)
class TermWeights:
    """Weights of the terms of documents, learned from the documents of ``fit``.

    Parameters
    ----------
    kind : {"bm25", "tfidf"} or None
    inverse_frequency : ndarray of shape (n_terms,)
        Inverse document frequency of each term.
    mean_length : float
        Mean of the sum of the terms of a document.
    """

    kind: str | None
    inverse_frequency: NDArray[np.float64]
    mean_length: float

    @classmethod
    def of(cls, documents: csr_array, kind: str | None) -> TermWeights:
        """Learn the weights from documents in rows."""
        frequency = np.bincount(documents.indices, minlength=documents.shape[1])
        n = np.count_nonzero(np.diff(documents.indptr))
        if kind == "tfidf":
            inverse = np.log((1 + n) / (1 + frequency)) + 1
        else:
            inverse = np.log1p((n - frequency + 0.5) / (frequency + 0.5))
        return cls(kind, inverse, float(documents.sum() / max(n, 1)) or 1.0)

    def apply(self, documents: csr_array) -> csr_array:
        """Return the weighted documents, float32."""
        data = documents.data
        if self.kind == "bm25":
            length = np.repeat(np.asarray(documents.sum(axis=1)), np.diff(documents.indptr))
            data = data * (_K1 + 1) / (data + _K1 * (1 - _B + _B * length / self.mean_length))
        if self.kind is not None:
            data = data * self.inverse_frequency[documents.indices]
        parts = (data.astype(np.float32), documents.indices, documents.indptr)
        return csr_array(parts, shape=documents.shape)


def squared_norms(matrix: csr_array) -> NDArray[np.float64]:
    """Return the squared norms of the rows."""
    return np.asarray(matrix.power(2).sum(axis=1), np.float64)


@dataclass(eq=False, repr=False, kw_only=True)
class NeighborParameters:
    """Parameters of similarities."""

    n_neighbors: int = 100
    metric: Literal["cosine", "asymmetric", "jaccard", "tversky"] = "cosine"
    weighting: Literal["bm25", "tfidf"] | None = None
    shrink: float = 0.0
    alpha: float = 0.5
    beta: float = 1.0

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"cosine", "asymmetric", "jaccard", "tversky"})],
        "weighting": [StrOptions({"bm25", "tfidf"}), None],
        "shrink": [Interval(Real, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
    }

    def _check_alpha(self) -> None:
        if self.metric == "asymmetric" and self.alpha > 1:
            raise ValueError(
                f"alpha is {self.alpha!r}, but metric='asymmetric' needs a value from 0 to 1: alpha is the exponent of "
                "one squared norm, 1 - alpha that of the other."
            )

    def _similarity(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Similarity:
        """Return the function from dot products to similarities of vectors with the given squared norms."""
        alpha, beta = float(self.alpha), float(self.beta)
        if self.metric in {"cosine", "asymmetric"}:
            exponent = 0.5 if self.metric == "cosine" else alpha
            of_x, of_y = (x**exponent).astype(np.float32), (y ** (1 - exponent)).astype(np.float32)
        else:
            if self.metric == "jaccard":
                alpha = beta = 1.0
            of_x, of_y = (alpha * x).astype(np.float32), (beta * y).astype(np.float32)

        def similarity(dots: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
            found: NDArray[Any] = of_x[rows]
            if self.metric in {"cosine", "asymmetric"}:
                found *= of_y[columns]
            else:
                found += of_y[columns]
                found += dots * np.float32(1 - alpha - beta)
            found += np.float32(self.shrink)
            np.maximum(found, _TINY, out=found)  # where no event has a weight
            np.divide(dots, found, out=found)
            return found

        return similarity

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = {
            "n_neighbors": distributions.IntDistribution(10, 1000, log=True),
            "weighting": distributions.CategoricalDistribution((None, "bm25", "tfidf")),
            "shrink": distributions.FloatDistribution(0.0, 200.0),
        }
        if self.metric == "asymmetric":
            space["alpha"] = distributions.FloatDistribution(0.0, 1.0)
        if self.metric == "tversky":
            space["alpha"] = space["beta"] = distributions.FloatDistribution(0.0, 2.0)
        return space
