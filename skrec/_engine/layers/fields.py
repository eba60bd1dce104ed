"""Embedding of the columns of a table as one vector per field.

A side of a network, the query's or the item's, takes its columns under these names: ``user`` or ``item`` (the codes of
the ids), ``query_codes`` (N, n_categorical), ``query_bag_0``, ... (N, longest; padded with -1), ``query_numbers``
(N, n_numeric + n_flags) and ``query_arrays`` (N, sum of widths); ``item_codes`` and so on for the item.
Sparse rows come as ``query_sparse`` and ``query_values`` (N, longest): places of columns from 1, padded with -1, and
the bits of their values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from skrec._engine.backend import keras, tf
from skrec._engine.layers.cross import bi_interaction
from skrec._engine.layers.field_parts import FieldTable, Numbers, Side
from skrec._engine.layers.network import Network
from skrec._engine.layers.sparse import ColumnBag
from skrec._engine.layers.table import Table

__all__ = ["Fields", "embed", "field_network", "first_order", "flatten"]

OfSide = Callable[[Mapping[str, Any]], Any]  # from the inputs of N rows to a tensor (N, ...)


@dataclass(frozen=True)
class Fields:
    """Fields of a pair, the query fields before the item fields, and their embedding.

    Parameters
    ----------
    query, item : tuple
        Arguments of each :class:`Side`.
    dim : int
        Width of the vectors.
    n_bins : int
        Number of bins of a numeric field. If 0, its vector is the number times one vector.
    pooling : {"mean", "sum", "max"}
        How the vectors of several values are combined.
    """

    query: tuple[Any, ...]
    item: tuple[Any, ...]
    dim: int
    n_bins: int
    pooling: str

    @property
    def sides(self) -> tuple[Side, Side]:
        """The query's side and the item's."""
        return Side(*self.query), Side(*self.item)

    def __len__(self) -> int:
        return sum(side.n_fields for side in self.sides)

    @property
    def width(self) -> int:
        """How many numbers the vectors of a pair hold."""
        return len(self) * self.dim

    def embed(self, parts: dict[str, Any], *, small_numbers: bool = False, pairs: bool = False) -> list[OfSide]:
        """Create functions from the columns of each side to vectors (N, n_fields, dim); see :func:`embed`."""
        options = {"n_bins": self.n_bins, "pooling": self.pooling}
        return [
            embed(parts, side, self.dim, small_numbers=small_numbers, pairs=pairs, **options)  # type: ignore[arg-type]
            for side in self.sides
        ]

    def without_pairs(self, vectors: Any) -> Any:
        """Return only the field vectors from the result of :meth:`embed` with ``pairs``."""
        return vectors[:, :-1] if self.sides[0].sparse else vectors

    def bi_interaction(self, vectors: Any) -> Any:
        """Return the sum of the products of all pairs of columns: (N, dim), of vectors with ``pairs``."""
        if not self.sides[0].sparse:
            return bi_interaction(vectors)
        return bi_interaction(vectors[:, :-1]) + vectors[:, -1]

    def first_order(self, parts: dict[str, Any], n_outputs: int, **options: Any) -> list[OfSide]:
        """Make a linear model of the columns of each side: (N, n_outputs); see :func:`first_order`."""
        return [first_order(parts, side, n_outputs, n_bins=self.n_bins, **options) for side in self.sides]

    def categories(self) -> list[OfSide]:
        """Create functions that return the codes of the single-valued fields of each side: (N, n), ids first."""
        return [partial(_categories, side) for side in self.sides]


def embed(
    parts: dict[str, Any],
    side: Side,
    dim: int,
    *,
    n_bins: int = 0,
    pooling: str = "mean",
    name: str = "",
    stddev: float = 0.1,
    small_numbers: bool = False,
    penalised: bool = True,
    pairs: bool = False,
) -> OfSide:
    """Create the layers that embed the columns of a side, and add them to ``parts``.

    Parameters
    ----------
    parts : dict
        All layers of the network, by name.
    side : Side
        The fields.
    dim : int
        Width of the vectors.
    n_bins : int
        Number of bins of a numeric field. If 0, its vector is the number times one vector.
    pooling : {"mean", "sum", "max"}
        How the vectors of several values are combined.
    name : str
        Suffix of the layer names, if a side is embedded twice.
    stddev, penalised
        Of the tables, see :class:`~skrec._engine.layers.Table`.
    small_numbers : bool
        Whether the vectors of numbers and arrays start as small as those of categories: where vectors are multiplied
        with each other, large ones would drown the rest.
    pairs : bool
        Whether one more vector follows where the side has a bag of columns: the sum of the products of all pairs of
        its columns.

    Returns
    -------
    callable
        From the inputs of N rows to vectors (N, n_fields, dim).
    """
    role = f"{side.role}{name}"
    fields, numbers, array, bag = (f"{side.name}{name}_{kind}" for kind in ("fields", "numbers", "array", "sparse"))
    expand = partial(tf.expand_dims, axis=1)
    makers: list[Callable[[Mapping[str, Any]], list[Any]]] = []
    if side.role:
        parts[role] = Table(side.role, dim, stddev=stddev, penalised=penalised)
        makers.append(lambda inputs: [expand(parts[role](inputs[str(side.role)]))])
    if side.categorical or side.multivalued:
        parts[fields] = FieldTable(side, dim, stddev=stddev, penalised=penalised, pooling=pooling)
        makers.append(lambda inputs: [parts[fields](inputs)])
    if side.numeric or side.flags:
        parts[numbers] = Numbers(side, dim, n_bins=n_bins, stddev=stddev if small_numbers else None)
        makers.append(lambda inputs: [parts[numbers](inputs[f"{side.name}_numbers"])])
    for i in range(len(side.arrays)):
        parts[f"{array}_{i}"] = keras.layers.Dense(dim)
        if small_numbers:
            parts[f"{array}_{i}"].stddev = stddev
    makers.append(
        lambda inputs: [expand(parts[f"{array}_{i}"](values)) for i, values in enumerate(_arrays(side, inputs))]
    )
    if side.sparse:
        parts[bag] = ColumnBag(side.name, dim, stddev=stddev, penalised=penalised)
        makers.append(lambda inputs: [expand(part) for part in parts[bag](inputs)[: 2 if pairs else 1]])

    def call(inputs: Mapping[str, Any]) -> Any:
        vectors = [vector for maker in makers for vector in maker(inputs)]
        if not vectors:
            return tf.zeros([_n_rows(inputs), 0, dim])
        return vectors[0] if len(vectors) == 1 else tf.concat(vectors, axis=1)

    return call


def first_order(
    parts: dict[str, Any],
    side: Side,
    n_outputs: int,
    *,
    n_bins: int = 0,
    name: str = "_linear",
    penalised: bool = True,
    only: Mapping[str, Sequence[int]] | None = None,
) -> OfSide:
    """Create the layers of a linear model of the columns of a side, and add them to ``parts``.

    With ``only`` it is one of the fields that this gives for the side's name.

    With ``n_bins`` it is piecewise linear in the numbers.

    Returns
    -------
    callable
        From the inputs of N rows to their share of the logits (N, n_outputs).
    """
    terms = embed(
        parts,
        side,
        n_outputs,
        n_bins=n_bins,
        pooling="sum",
        name=name,
        stddev=0.0,
        small_numbers=True,
        penalised=penalised,
    )

    def call(inputs: Mapping[str, Any]) -> Any:
        of_fields = terms(inputs)
        return tf.reduce_sum(
            of_fields if only is None else tf.gather(of_fields, tf.constant(list(only[side.name]), tf.int32), axis=1),
            axis=1,
        )

    return call


def _categories(side: Side, inputs: Mapping[str, Any]) -> Any:
    codes = [inputs[side.role][:, None]] if side.role else []
    codes += [inputs[f"{side.name}_codes"]] if side.categorical else []
    return tf.concat(codes, axis=1) if codes else tf.zeros([_n_rows(inputs), 0], tf.int32)


def _n_rows(inputs: Mapping[str, Any]) -> Any:
    return tf.shape(next(iter(inputs.values())))[0]


def _arrays(side: Side, inputs: Mapping[str, Any]) -> Sequence[Any]:
    if not side.arrays:
        return ()
    split: Sequence[Any] = tf.split(inputs[f"{side.name}_arrays"], side.arrays, axis=1)
    return split


def flatten(vectors: Any, dims: Sequence[int] | None = None) -> Any:
    """Concatenate the field vectors (N, n_fields, dim), with only the first ``dims[i]`` numbers of each."""
    if dims is None:
        return tf.reshape(vectors, [tf.shape(vectors)[0], vectors.shape[1] * vectors.shape[2]])
    return tf.concat([vectors[:, i, :dim] for i, dim in enumerate(dims)], axis=1)


def field_network(
    core: OfSide,
    parts: Mapping[str, Any],
    of_sides: Mapping[str, Sequence[OfSide]],
    *,
    n_outputs: int,
    width: int,
    views: Mapping[str, OfSide] | None = None,
) -> Network:
    """Create a network from a function of all fields of a pair, the query fields before the item fields.

    Parameters
    ----------
    core : callable
        From a dict of tensors, (N, n_fields, ...) each, to logits (N, n_outputs).
    parts : mapping
        All layers.
    of_sides : mapping of str to (callable, callable)
        From the inputs of N rows of the query and of the item to tensors (N, n, ...), which ``core`` gets side by side
        under this name; ``"logits"`` (N, n_outputs) are added to the result of ``core`` instead.
    n_outputs : int
        Number of outputs.
    width : int
        About how many numbers the core holds for one pair.
    views : mapping of str to callable, default=None
        What there is to see inside: functions of what ``core`` gets of N rows, to a tensor (N, ...).
    """
    names = [name for name in of_sides if name != "logits"]

    def query(inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {name: of_side[0](inputs) for name, of_side in of_sides.items()}

    def item(inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {name: of_side[1](inputs) for name, of_side in of_sides.items()}

    def interact(query: Mapping[str, Any], item: Mapping[str, Any]) -> Any:
        left, right = query[names[0]], item[names[0]]
        one = right.shape.rank > left.shape.rank and right.shape[1] == 1
        logits = core({name: _side_by_side(query[name], item[name], one=one) for name in names})
        n, m = tf.shape(left)[0], 1 if one else tf.shape(right)[-left.shape.rank]
        logits = tf.reshape(logits, tf.stack([n, m, n_outputs]))
        if "logits" in of_sides:
            logits += tf.expand_dims(query["logits"], 1) + item["logits"]
        return tf.squeeze(logits, -1) if n_outputs == 1 else logits

    def seen_by(view: OfSide) -> OfSide:
        def call(inputs: Mapping[str, Any]) -> Any:
            left, right = query(inputs), item(inputs)
            return view({name: tf.concat([left[name], right[name]], axis=1) for name in names})

        return call

    seen = {name: seen_by(view) for name, view in (views or {}).items()}
    return Network(query=query, item=item, interact=interact, parts=parts, width=width, views=seen)


def _side_by_side(query: Any, item: Any, *, one: bool) -> Any:
    """Join (B, n, ...) with (B, M, m, ...) or (M, m, ...) to (B * M, n + m, ...)."""
    if one:
        return tf.concat([query, tf.squeeze(item, 1)], axis=1)
    b, m = tf.shape(query)[0], tf.shape(item)[-query.shape.rank]
    inner = list(query.shape[2:])
    left = tf.broadcast_to(tf.expand_dims(query, 1), tf.stack([b, m, query.shape[1], *inner]))
    right = tf.broadcast_to(item, tf.stack([b, m, item.shape[-query.shape.rank + 1], *inner]))
    return tf.reshape(
        tf.concat([left, right], axis=2), [-1, query.shape[1] + item.shape[-query.shape.rank + 1], *inner]
    )
