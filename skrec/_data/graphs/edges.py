"""Edges of a graph that the caller passes as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data.ids.value_kinds import of_another_kind
from skrec._data.ids.values import join_ids, refuse_missing
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import Column
from skrec._data.tables.spelling import closest
from skrec._data.tables.table import Rows, as_rows, to_pandas
from skrec._warnings import warn
from skrec.exceptions import ColumnError

__all__ = ["Edges", "read_knowledge", "read_links"]

Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges between nodes, without self-loops.

    Parameters
    ----------
    head, tail : ndarray of shape (n_edges,)
        Ids of the nodes.
    names : tuple of str
        Names of the table, the column of the heads and the column of the tails.
    rows : ndarray of shape (n_edges,)
        Rows of the table.
    relation : ndarray of shape (n_edges,), default=None
        Ids of the kinds of edges.
    weight : ndarray of shape (n_edges,), default=None
        Positive weights. None stands for weights of 1.
    """

    head: Column
    tail: Column
    names: tuple[str, str, str]
    rows: NDArray[np.intp]
    relation: Column | None = None
    weight: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.head)

    def ids(self) -> Column:
        """Return the ids of all nodes, which may be repeated: the heads, then the tails."""
        return join_ids(self.head, self.tail)

    def encode(self, vocabulary: Vocabulary) -> tuple[Codes, Codes]:
        """Return the codes of heads and tails, 0 for other ids.

        Raises
        ------
        ValueError
            If all ids are unknown, or if an id is missing.
        """
        table, head, tail = self.names
        codes = (
            vocabulary.encode(self.head, where=f"{table}[{head!r}]"),
            vocabulary.encode(self.tail, where=f"{table}[{tail!r}]"),
        )
        if not (codes[0].any() or codes[1].any()) and len(vocabulary):
            here, there = self.head[:1].tolist()[0], vocabulary.ids[:1].tolist()[0]
            other = of_another_kind(self.head, vocabulary.ids)
            cause = (
                f"they are {type(here).__name__}, not {type(there).__name__}: convert them. If"
                if other
                else "convert them to the same ids. If"
            )
            raise ValueError(
                f"No id in {table} is known: column {head!r} has {here!r} ({type(here).__name__}) in row "
                f"{self.rows[0]}, but {vocabulary.name!r} has ids such as {there!r} ({type(there).__name__}) in X; "
                f"{cause} there is an encoder before the model, it has encoded X but not {table}: encode the graph, "
                "too, or remove the encoder, because skrec's models take ids of any kind."
            )
        return codes

    def encode_known(self, vocabulary: Vocabulary) -> tuple[Codes, Codes, NDArray[np.float64]]:
        """Return the codes and weights of the edges between known ids, with a warning if there are others.

        Raises
        ------
        ValueError
            If there are no such edges.
        """
        head, tail = self.encode(vocabulary)
        known = (head > 0) & (tail > 0)
        if not known.all():
            row = int(np.argmin(known))
            value = (self.head if head[row] == 0 else self.tail)[row : row + 1].tolist()[0]
            what = (
                f"{int((~known).sum())} of {len(self)} edges in {self.names[0]} have an id that is not in column "
                f"{vocabulary.name!r} of X, for instance {value!r} in row {self.rows[row]}"
            )
            if not known.any():
                raise ValueError(
                    f"No edge in {self.names[0]} connects two known ids: {what}. Pass edges between ids of X."
                )
            warn(f"{what}. These edges are ignored.")
        weight = np.ones(len(self)) if self.weight is None else self.weight
        return head[known], tail[known], weight[known]


def read_links(graph: Any, name: str) -> Edges:
    """Read a graph of nodes of one kind, such as friends: a table with the columns source, target and maybe weight.

    Parameters
    ----------
    graph : DataFrame or array-like of shape (n_edges, 2) or (n_edges, 3)
        Columns of a table without names are source, target and weight.
    name : str
        Name of the table in error messages.

    Returns
    -------
    Edges

    Raises
    ------
    ColumnError, TypeError, ValueError
        If it is not such a table, has no edges, or has weights that are not positive numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.graphs.edges import read_links
    >>> edges = read_links(pd.DataFrame({"source": ["ann", "bob"], "target": ["bob", "cy"]}), "user_graph")
    >>> edges.head, edges.tail, edges.weight
    (array(['ann', 'bob'], dtype=object), array(['bob', 'cy'], dtype=object), None)
    """
    rows = _table(graph, name, "source and target")
    if rows.names is None:
        names, positions = ("source", "target"), _positions(rows, name, ("source", "target"), (0, 1))
        at = 2 if rows.n_columns > 2 else None
    else:
        names, positions = ("source", "target"), _named(rows, name, ("source", "target"))
        at = _optional(rows, name, "weight", names)
    weight = None if at is None else _weights(rows, at, name)
    head, tail = (_nodes(rows, position, name, column) for position, column in zip(positions, names, strict=True))
    kept = _without_loops(head, tail, name)
    return Edges(
        head[kept], tail[kept], (name, *names), np.flatnonzero(kept), weight=None if weight is None else weight[kept]
    )


def read_knowledge(graph: Any, name: str, *, relations: bool = False) -> Edges:
    """Read a knowledge graph: a table with the columns head, tail and relation.

    Parameters
    ----------
    graph : DataFrame or array-like of shape (n_edges, 3) or (n_edges, 2)
        Columns of a table without names are head, relation and tail, or head and tail.
    name : str
        Name of the table in error messages.
    relations : bool, default=False
        Whether the relation is required.

    Returns
    -------
    Edges

    Raises
    ------
    ColumnError, TypeError, ValueError
        If it is not such a table, or has no edges.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.graphs.edges import read_knowledge
    >>> graph = pd.DataFrame({"head": [5, 7], "relation": ["genre", "genre"], "tail": ["drama", "drama"]})
    >>> read_knowledge(graph, "item_graph").relation
    array(['genre', 'genre'], dtype=object)
    """
    needed = ("head", "relation", "tail") if relations else ("head", "tail")
    rows = _table(graph, name, " and ".join(needed).replace(" and ", ", ", len(needed) - 2))
    if rows.names is None:
        three = rows.n_columns > 2
        _positions(rows, name, needed, range(len(needed)))
        head, tail, at = 0, 2 if three else 1, 1 if three else None
    else:
        head, *_, tail = _named(rows, name, needed)
        at = _optional(rows, name, "relation", needed)
        if "weight" in rows.names:
            raise ColumnError(
                f"{name} has a column 'weight', but the edges of a knowledge graph have no weights of their own. "
                "Remove it."
            )
    heads, tails = _nodes(rows, head, name, "head"), _nodes(rows, tail, name, "tail")
    kept = _without_loops(heads, tails, name)
    relation = None if at is None else (_nodes(rows, at, name, "relation") if relations else rows.column(at))[kept]
    return Edges(heads[kept], tails[kept], (name, "head", "tail"), np.flatnonzero(kept), relation)


def _table(graph: Any, name: str, columns: str) -> Rows:
    if isinstance(graph, str | bytes) or not (hasattr(graph, "__len__") or hasattr(graph, "collect")):
        raise TypeError(f"{name} must be a DataFrame with the columns {columns}, got {graph!r:.60}.")
    graph = to_pandas(graph)
    if hasattr(graph, "__len__") and len(graph) == 0:
        raise ValueError(f"{name} has no edges. Pass {name}=None for a model without this graph.")
    return as_rows(graph, name=name)


def _named(rows: Rows, name: str, needed: tuple[str, ...]) -> list[int]:
    assert rows.names is not None
    for column in needed:
        if column not in rows.names:
            guess = closest(column, [other for other in rows.names if other not in needed])
            hint = "" if guess is None else f" Did you mean {guess!r}?"
            raise ColumnError(
                f"{name} has no column {column!r}; its columns are {list(rows.names)}.{hint} Rename the columns to "
                f"{', '.join(needed)}."
            )
    return [rows.names.index(column) for column in needed]


def _optional(rows: Rows, name: str, column: str, needed: tuple[str, ...]) -> int | None:
    """Return the position of a column that may be missing, but not be misspelt."""
    assert rows.names is not None
    if column in rows.names:
        return rows.names.index(column)
    if (guess := closest(column, [other for other in rows.names if other not in needed])) is not None:
        raise ColumnError(f"{name} has a column {guess!r}. Did you mean {column!r}? Rename it, or remove it.")
    return None


def _positions(rows: Rows, name: str, needed: tuple[str, ...], found: Any) -> list[int]:
    if rows.n_columns < len(needed):
        raise ColumnError(
            f"{name} has {rows.n_columns} column(s), but needs {', '.join(needed)} in this order. Pass a DataFrame "
            "with these columns."
        )
    if rows.n_columns > 3:
        raise ColumnError(f"{name} has {rows.n_columns} columns without names, but 3 are the most. Pass a DataFrame.")
    return list(found)


def _nodes(rows: Rows, at: int, name: str, column: str) -> Column:
    """Return a column of ids, none of which is missing."""
    ids = rows.column(at)
    refuse_missing(ids, column, f"{name}[{column!r}]")
    return ids


def _weights(rows: Rows, at: int, name: str) -> NDArray[np.float64]:
    try:
        weight = rows.column(at).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The weights of {name} must be numbers above 0: {error}") from error
    wrong = ~(np.isfinite(weight) & (weight > 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"The weights of {name} must be numbers above 0, but row {row} has {weight[row]}.")
    return weight


def _without_loops(head: Column, tail: Column, name: str) -> NDArray[np.bool_]:
    """Return which edges connect two nodes; warn of the others."""
    loops = np.asarray(head == tail) if head.dtype.kind == tail.dtype.kind else _equal(head, tail)
    if loops.all():
        raise ValueError(f"{name} has no edges but self-loops, which connect an id with itself. Pass {name}=None.")
    if loops.any():
        row = int(np.argmax(loops))
        warn(
            f"{int(loops.sum())} of {len(head)} edges in {name} connect an id with itself, for instance "
            f"{head[row : row + 1].tolist()[0]!r} in row {row}. These edges are ignored."
        )
    return ~loops


def _equal(head: Column, tail: Column) -> NDArray[np.bool_]:
    return np.array([one == other for one, other in zip(head.tolist(), tail.tolist(), strict=True)], np.bool_)
