"""Export of the network of a fitted model as functions, and conversion of ids and rows to their inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data.tables.spelling import closest
from skrec._estimators import check_is_fitted
from skrec.base.events import Inputs
from skrec.base.reader import Query

__all__ = ["FunctionsMixin", "InputSpec", "NetworkFunction", "NetworkFunctions"]


@dataclass(frozen=True)
class InputSpec:
    """Data type and shape of one input of a network.

    Parameters
    ----------
    dtype : {"int32", "float32"}
        Data type: int32 for codes, float32 for numbers.
    shape : tuple of int or None
        Shape. None stands for an axis of any length. The first axis is the rows.

    Examples
    --------
    >>> from skrec.base import InputSpec
    >>> InputSpec("float32", (None, 2)).convert([[1, 2], [3, 4]], "query_numbers").dtype
    dtype('float32')
    """

    dtype: str
    shape: tuple[int | None, ...]

    def convert(self, value: Any, name: str) -> Any:
        """Convert a value to an array of this type and shape; TensorFlow tensors are returned unchanged.

        Parameters
        ----------
        value : array-like
            Values of the input.
        name : str
            Name of the input, for error messages.

        Returns
        -------
        ndarray or tensor

        Raises
        ------
        ValueError
            If the values have another type or shape.

        Examples
        --------
        >>> from skrec.base import InputSpec
        >>> InputSpec("int32", (None,)).convert([3, 5], "user")
        array([3, 5], dtype=int32)
        """
        is_tensor = type(value).__module__.partition(".")[0] == "tensorflow"
        array = value if is_tensor else np.asarray(value)
        shape = tuple(array.shape)
        fits = len(shape) == len(self.shape) and all(
            own in {None, other} or other is None for own, other in zip(self.shape, shape, strict=True)
        )
        if not fits:
            raise ValueError(f"The input {name!r} has shape {shape}, but the network takes {self.shape}.")
        castable = array.dtype.name == self.dtype or (
            not is_tensor and (array.size == 0 or np.can_cast(array.dtype, self.dtype, casting="same_kind"))
        )
        if not castable:
            raise ValueError(f"The input {name!r} is of type {array.dtype.name}, but the network takes {self.dtype}.")
        if is_tensor:
            return value
        converted = array.astype(self.dtype, copy=False)
        if converted.dtype.kind == "i" and not np.array_equal(converted, array):
            raise ValueError(f"The input {name!r} has values out of range for {self.dtype}, which are not valid codes.")
        return converted


class NetworkFunction:
    """Function of a network that maps a dict of inputs to one or more tensors.

    Inputs are NumPy arrays, lists or tensors. If called with tensors inside a ``tf.function``, it becomes part of the
    graph.

    Parameters
    ----------
    name : str
        Name of the function, for error messages.
    function : callable
        The TensorFlow function.
    input_spec : dict of str to InputSpec
        Names, types and shapes of the inputs.
    tensor_spec : dict of str to tf.TensorSpec
        Input specification for a ``tf.function``: ``input_signature=[tensor_spec]``.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import NCFRanker
    >>> model = NCFRanker(epochs=1, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
    >>> item = model.network_functions().item
    >>> item
    NetworkFunction('item', input_spec={'item': InputSpec(dtype='int32', shape=(None,))})
    """

    def __init__(
        self, name: str, function: Any, input_spec: Mapping[str, InputSpec], tensor_spec: Mapping[str, Any]
    ) -> None:
        self.name = name
        self.function = function
        self.input_spec = dict(input_spec)
        self.tensor_spec = dict(tensor_spec)

    def __call__(self, inputs: Mapping[str, Any]) -> Any:
        """Compute the function.

        Parameters
        ----------
        inputs : dict of str to array-like
            One value for each name in ``input_spec``. All values must have the same number of rows.

        Returns
        -------
        tensor, or nested structure of tensors

        Raises
        ------
        ValueError
            If an input is missing, unknown, or has the wrong type or shape.
        """
        if not isinstance(inputs, Mapping):
            raise TypeError(f"{self.name} takes a dict of inputs ({_listed(self.input_spec)}), not {inputs!r:.60}.")
        unknown = [name for name in inputs if name not in self.input_spec]
        missing = [name for name in self.input_spec if name not in inputs]
        if unknown or missing:
            wrong = f"has no input {unknown[0]!r}" if unknown else f"lacks the input {missing[0]!r}"
            close = closest(str(unknown[0]), missing) if unknown and missing else None
            hint = f" Did you mean {close!r}?" if close else ""
            raise ValueError(f"{self.name} {wrong}; its inputs are {_listed(self.input_spec)}.{hint}")
        converted = {name: spec.convert(inputs[name], name) for name, spec in self.input_spec.items()}
        lengths = {name: value.shape[0] for name, value in converted.items()}
        if len({n for n in lengths.values() if n is not None}) > 1:
            raise ValueError(f"The inputs of {self.name} have different numbers of rows: {lengths}.")
        return self.function(converted)

    def __repr__(self) -> str:
        return f"NetworkFunction({self.name!r}, input_spec={self.input_spec})"


@dataclass(frozen=True)
class NetworkFunctions:
    """Functions of the network of a fitted model.

    They have a copy of its weights, so a later ``fit`` does not change them.

    Parameters
    ----------
    query : NetworkFunction or None
        Maps the inputs of B queries (:meth:`~skrec.base.NetworkRecommender.query_inputs`) to one or more tensors of
        shape (B, ...). None if the model was fitted without items.
    item : NetworkFunction or None
        Maps the inputs of M items (:meth:`~skrec.base.NetworkRecommender.item_inputs`) to one or more tensors of shape
        (M, ...).
    interact : callable or None
        Maps the results of ``query`` and ``item`` to the scores of every query with every item, of shape (B, M), as
        returned by ``score_items``. With C outputs, it returns the outputs of the network, of shape (B, M, C).
    pairs : NetworkFunction
        Maps the inputs of rows (:meth:`~skrec.base.NetworkRecommender.pair_inputs`) to their scores, of shape (n,), or
        outputs, of shape (n, C). The score is the relevance of a Ranker, the rating of a Regressor, and the logit of a
        Classifier.
    dot : bool
        Whether the score is the dot product of a query vector and an item vector, plus a constant. If True, a
        nearest-neighbor index can search the items.
    module : tf.Module
        Module with the same functions, for ``tf.saved_model.save(module, path)``. The loaded object has ``query``,
        ``item``, ``interact`` and ``pairs``, which take dicts of tensors.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import NCFRanker
    >>> model = NCFRanker(epochs=1, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
    >>> functions = model.network_functions()
    >>> queries, items = functions.query(model.query_inputs([3, 5])), functions.item(model.item_inputs())
    >>> tuple(functions.interact(queries, items).shape)
    (2, 20)
    """

    query: NetworkFunction | None
    item: NetworkFunction | None
    interact: Any
    pairs: NetworkFunction
    dot: bool
    module: Any


class FunctionsMixin:
    """Mixin class for the export of networks as functions with their inputs."""

    def network_functions(self: Any) -> NetworkFunctions:
        """Return the network as functions of the query, the item and both, for export or serving.

        The functions have copies of the weights, so a later ``fit`` or ``partial_fit`` does not change them.

        Returns
        -------
        NetworkFunctions
            The functions ``query``, ``item``, ``interact`` and ``pairs``. Their ``input_spec`` gives the names, types
            and shapes of the inputs.

        See Also
        --------
        query_inputs : Convert user ids, rows or histories to the inputs of ``query``.
        item_inputs : Convert item ids or rows to the inputs of ``item``.
        pair_inputs : Convert rows with a user and an item to the inputs of ``pairs``.

        Examples
        --------
        >>> import numpy as np
        >>> from skrec.datasets import make_interactions
        >>> from skrec.models import NCFRanker
        >>> model = NCFRanker(epochs=2, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
        >>> functions = model.network_functions()
        >>> functions.query.input_spec
        {'user': InputSpec(dtype='int32', shape=(None,))}
        >>> queries = functions.query(model.query_inputs([3, 5]))
        >>> items = functions.item(model.item_inputs())
        >>> scores = functions.interact(queries, items).numpy()
        >>> bool(np.allclose(scores, model.score_items([3, 5]), atol=1e-6))
        True
        """
        from skrec._engine.functions import FunctionsModule, tensor_specs

        check_is_fitted(self)
        shapes = self._function_specs()
        plain = {key: {name: (s.dtype, s.shape) for name, s in specs.items()} for key, specs in shapes.items()}
        scale, offset = self._score_scale()
        module = FunctionsModule(
            self._fitted_structure(),
            self._weights,
            query=plain.get("query"),
            item=plain.get("item"),
            pairs=plain["pairs"],
            scale=scale,
            offset=offset,
        )
        made = {
            name: NetworkFunction(name, getattr(module, name), specs, tensor_specs(plain[name]))
            for name, specs in shapes.items()
        }
        return NetworkFunctions(made.get("query"), made.get("item"), module.interact, made["pairs"], module.dot, module)

    def query_inputs(self: Any, queries: Any = None, *, history: Any = None) -> dict[str, NDArray[Any]]:
        """Convert queries to inputs of the network.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column and optionally context columns, as in ``recommend``.
        history : list of lists of item ids, or rows, default=None
            Histories, as in ``recommend``. Only for models that read histories.

        Returns
        -------
        dict of str to ndarray of shape (n_queries, ...)
            Inputs of ``network_functions().query``.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> from skrec.models import NCFRanker
        >>> model = NCFRanker(epochs=1, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
        >>> model.query_inputs([model.users_[0], -1])  # an unknown user has code 0
        {'user': array([1, 0], dtype=int32)}
        """
        check_is_fitted(self)
        self._need_role("item")
        return _as_arrays(self._query_inputs(self._read_queries(queries, history)[1]))

    def item_inputs(self: Any, items: Any = None) -> dict[str, NDArray[Any]]:
        """Convert items to inputs of the network.

        Parameters
        ----------
        items : array-like of shape (n_items,) or rows, default=None
            Item ids, or rows with an item column and features. If None, all items in the order of ``items_``.

        Returns
        -------
        dict of str to ndarray of shape (n_items, ...)
            Inputs of ``network_functions().item``.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> from skrec.models import NCFRanker
        >>> model = NCFRanker(epochs=1, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
        >>> model.item_inputs(model.items_[:2])
        {'item': array([1, 2], dtype=int32)}
        """
        check_is_fitted(self)
        self._need_role("item")
        query = self._every_item() if items is None else self._read_query(items, "item")[1]
        return _as_arrays(self._item_inputs(query))

    def pair_inputs(self: Any, X: Any) -> dict[str, NDArray[Any]]:
        """Convert rows to inputs of the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows, as in ``predict``.

        Returns
        -------
        dict of str to ndarray of shape (n_rows, ...)
            Inputs of ``network_functions().pairs``.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> from skrec.models import NCFRanker
        >>> events = make_interactions(50, 20, 600, random_state=0)
        >>> model = NCFRanker(epochs=1, random_state=0).fit(events)
        >>> sorted(model.pair_inputs(events))
        ['item', 'user']
        """
        check_is_fitted(self)
        return _as_arrays(self._inputs_of_rows(self._read(X, reset=False)))

    def _function_specs(self: Any) -> dict[str, dict[str, InputSpec]]:
        """Return the inputs of each function: of ``pairs`` and, if the model has items, of ``query`` and ``item``."""
        if not self._has_role("item"):
            columns = self._structure["columns"]
            return {"pairs": self._freed({name: (dtype, shape) for name, dtype, shape, _ in columns})}
        one = np.zeros(1, np.int32)
        query, item = self._query_inputs(Query(one)), self._item_inputs(Query(one))
        return {"query": self._specs(query), "item": self._specs(item), "pairs": self._specs({**query, **item})}

    def _specs(self, inputs: Inputs) -> dict[str, InputSpec]:
        return self._freed({name: (str(array.dtype), array.shape[1:]) for name, array in inputs.items()})

    def _freed(self, shapes: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, InputSpec]:
        free = self._inputs_of_any_width()
        return {
            name: InputSpec(dtype, (None, *((None,) * len(shape) if name in free else shape)))
            for name, (dtype, shape) in shapes.items()
        }

    def _inputs_of_any_width(self) -> Collection[str]:
        """Return the names of the inputs whose width may vary from call to call."""
        return ()

    def _score_scale(self) -> tuple[float, float]:
        """Return the factor and the offset that convert logits to scores."""
        return 1.0, 0.0


def _as_arrays(inputs: Inputs) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(array) for name, array in inputs.items()}


def _listed(names: Collection[str]) -> str:
    return ", ".join(map(repr, names))
