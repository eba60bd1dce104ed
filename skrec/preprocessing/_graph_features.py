"""Features of ids from a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import Rows, Vocabulary, as_rows
from skrec._data.graphs.adjacency import adjacency, normalized
from skrec._data.graphs.edges import Edges, read_knowledge, read_links
from skrec._data.tables.roles import column_positions
from skrec._sklearn_compat import POSITION, Interval, StrOptions, _fit_context, check_feature_names_in
from skrec._transaction import ReadsOneState, transaction
from skrec._warnings import warn
from skrec.preprocessing._common import read_again

__all__ = ["GraphFeatures"]

_DENSE = 512  # up to this number of nodes, the matrix is decomposed as a dense one


@dataclass(eq=False, repr=False, kw_only=True)
class GraphFeatures(ReadsOneState, TransformerMixin, BaseEstimator):
    """Turn ids into features from a graph, such as friends of users or a knowledge graph of items.

    The normalized adjacency matrix of the graph, averaged over its `powers`, is reduced to `n_components` dimensions by
    a truncated singular value decomposition. Nodes with common neighbors get similar features, which any model can use.

    Parameters
    ----------
    graph : DataFrame or array-like of shape (n_edges, 2) or (n_edges, 3)
        Undirected edges, with the columns ``source``, ``target`` and optionally ``weight``; or triples of a knowledge
        graph with the columns ``head`` and ``tail``, and optionally ``relation``, which is not used. The columns of an
        array are source, target and weight.
    columns : sequence of str or int, str, int or None, default=None
        Columns of `X` with ids of the graph, by name or position. If None, all columns. Other columns are ignored.
    n_components : int, default=16
        Number of features of each column.
    powers : sequence of int, default=(1, 2)
        Powers of the matrix to average: 1 stands for neighbors, 2 for neighbors of neighbors.
    handle_unknown : {"zeros", "mean", "error"}, default="zeros"
        How to handle an id that is not in the graph: all features are 0, or the mean of all nodes, or
        :class:`~skrec.exceptions.UnknownIdError` is raised.
    random_state : int, RandomState instance or None, default=None
        Seed of the start vector of the decomposition of graphs with more than 512 nodes. Pass an int for reproducible
        results.

    Attributes
    ----------
    nodes_ : ndarray of shape (n_nodes,)
        Ids of the nodes, sorted.
    components_ : ndarray of shape (n_nodes, n_components)
        Features of the nodes.
    singular_values_ : ndarray of shape (n_components,)
        Singular values of the averaged matrix. They are 0 if the graph has fewer nodes than components.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in ``fit``. Only available if all of them are strings.

    See Also
    --------
    skrec.models.LightGCNRanker : Propagates embeddings over such graphs.

    Notes
    -----
    The features depend on the graph alone, not on the rows of ``fit``, so that ids without rows in ``fit`` have
    features, too.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.preprocessing import GraphFeatures
    >>> friends = pd.DataFrame({"source": ["ann", "bob", "cy"], "target": ["bob", "cy", "ann"]})
    >>> X = pd.DataFrame({"user_id": ["ann", "cy", "zoe"]})
    >>> features = GraphFeatures(graph=friends, n_components=2).set_output(transform="pandas")
    >>> features.fit_transform(X).round(2).abs()["user_id_0"].tolist()
    [0.58, 0.58, 0.0]

    Before a model, a ColumnTransformer keeps the ids beside their features:

    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrec.models import DeepFMRanker
    >>> columns = make_column_transformer(
    ...     ("passthrough", ["user_id", "item_id"]),
    ...     (GraphFeatures(graph=friends, n_components=2), ["user_id"]),
    ...     verbose_feature_names_out=False,
    ... ).set_output(transform="pandas")
    >>> model = make_pipeline(columns, DeepFMRanker())
    """

    graph: Any = None
    columns: Any = None
    n_components: int = 16
    powers: Sequence[int] = (1, 2)
    handle_unknown: Literal["zeros", "mean", "error"] = "zeros"
    random_state: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "graph": "no_validation",
        "columns": ["array-like", str, POSITION, None],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "powers": ["array-like"],
        "handle_unknown": [StrOptions({"zeros", "mean", "error"})],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Decompose the graph.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Columns of ids.
        y : None
            Ignored.

        Returns
        -------
        GraphFeatures
            The fitted transformer.

        Raises
        ------
        ColumnError, TypeError, ValueError
            If the graph has no such columns or no edges, or a power is not a whole number of at least 1.
        """
        with transaction(self) as features:
            features._fit(X)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the features of ids.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of shape (n_rows, n_columns * n_components), or what ``set_output`` asks for

        Raises
        ------
        UnknownIdError
            If an id is not in the graph and `handle_unknown` is ``"error"``.
        ValueError
            If an id is missing, or if the columns differ from those of ``fit``.
        """
        check_is_fitted(self)
        rows = read_again(self, X)
        unknown = self.components_.mean(axis=0) if self.handle_unknown == "mean" else np.zeros(self.n_components)
        table = np.vstack([unknown, self.components_])
        return np.hstack([table[self._codes(rows, position)] for position in self._positions])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output columns, such as ``"user_id_0"``.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the input columns. They must equal the names seen in ``fit``, if any.

        Returns
        -------
        ndarray of shape (n_columns * n_components,) of str objects

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.preprocessing import GraphFeatures
        >>> friends = pd.DataFrame({"source": ["ann", "bob", "cy"], "target": ["bob", "cy", "ann"]})
        >>> features = GraphFeatures(graph=friends, n_components=2).fit(pd.DataFrame({"user_id": ["ann", "bob"]}))
        >>> features.get_feature_names_out().tolist()
        ['user_id_0', 'user_id_1']
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        every = [f"{names[position]}_{number}" for position in self._positions for number in range(self.n_components)]
        return np.array(every, dtype=object)

    @property
    def nodes_(self) -> NDArray[Any]:
        """Ids of the nodes, sorted."""
        check_is_fitted(self)
        return self._vocabulary.ids

    def __sklearn_is_fitted__(self) -> bool:
        return "_vocabulary" in vars(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _fit(self, X: Any) -> None:
        rows = as_rows(X)
        powers = _checked_powers(self.powers)
        edges = self._edges()
        vocabulary, codes = Vocabulary.fit(edges.ids(), name="graph")
        weight = np.ones(len(edges)) if edges.weight is None else edges.weight
        one, other = np.split(codes - 1, 2)
        matrix, _ = normalized(adjacency([(one, other, weight)], len(vocabulary)))
        vectors, values = _decompose(matrix, powers, int(self.n_components), check_random_state(self.random_state))
        listed = [self.columns] if isinstance(self.columns, str | Integral) else self.columns
        positions = range(rows.n_columns) if listed is None else column_positions(rows, listed, parameter="columns")
        validate_data(self, X, reset=True, skip_check_array=True)
        self._vocabulary, self._positions = vocabulary, tuple(int(position) for position in positions)
        self.components_, self.singular_values_ = vectors, values
        for position in self._positions:
            if not self._codes(rows, position).any():
                here, there = rows.column(position)[:1].tolist()[0], vocabulary.ids[:1].tolist()[0]
                warn(
                    f"No id in column {rows.label(position)} is in the graph: it has {here!r} "
                    f"({type(here).__name__}) in row 0, and the graph has ids such as {there!r} "
                    f"({type(there).__name__}). If there is an encoder before GraphFeatures, it has encoded X but not "
                    "the graph: put GraphFeatures before it."
                )

    def _edges(self) -> Edges:
        if self.graph is None:
            raise ValueError("GraphFeatures needs a graph: pass graph=DataFrame with the columns source and target.")
        names = {*map(str, getattr(self.graph, "columns", ()))}
        if names & {"head", "tail"}:
            return read_knowledge(self.graph, "graph")
        return read_links(self.graph, "graph")

    def _codes(self, rows: Rows, position: int) -> NDArray[np.int32]:
        ids = rows.column(position)
        where = f"Column {rows.label(position)}"
        codes = self._vocabulary.encode(ids, where=where)
        if self.handle_unknown == "error":
            self._vocabulary.refuse_unknown(ids, codes, where=where)
        return codes


def _checked_powers(powers: Any) -> tuple[int, ...]:
    found = tuple(powers)
    if not found or any(isinstance(p, bool) or not isinstance(p, Integral) or p < 1 for p in found):
        raise ValueError(f"powers must be whole numbers of at least 1, such as (1, 2), got {powers!r}.")
    return tuple(int(power) for power in found)


def _decompose(
    matrix: sparse.csr_array, powers: tuple[int, ...], n_components: int, random_state: np.random.RandomState
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the left singular vectors times the singular values, and the singular values, of the averaged powers.

    The powers of a symmetric matrix have its eigenvectors, and the singular values are the absolute eigenvalues.
    """
    n_nodes = matrix.shape[0]
    k = min(n_components, n_nodes)

    def averaged(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros_like(vectors)
        for power in range(1, max(powers) + 1):
            vectors = matrix @ vectors
            total += powers.count(power) / len(powers) * vectors
        return total

    if n_nodes <= max(_DENSE, 2 * k):
        values, vectors = np.linalg.eigh(averaged(np.eye(n_nodes)))
    else:
        operator = LinearOperator(matrix.shape, matvec=averaged, matmat=averaged, dtype=np.float64)
        values, vectors = eigsh(operator, k=k, v0=random_state.uniform(-1, 1, n_nodes))
    order = np.argsort(-np.abs(values), kind="stable")[:k]
    values, vectors = np.abs(values[order]), vectors[:, order]
    largest = np.argmax(np.abs(vectors), axis=0)
    vectors = vectors * np.where(vectors[largest, np.arange(k)] < 0, -1.0, 1.0) * values
    more = n_components - k
    return np.pad(vectors, ((0, 0), (0, more))), np.pad(values, (0, more))
