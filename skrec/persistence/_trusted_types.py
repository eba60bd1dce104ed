"""The names of skrec's own types in an estimator, for tools that load trusted types only."""

import pickle
from types import FunctionType, MethodType
from typing import Any

__all__ = ["trusted_types"]


def trusted_types(estimator: Any) -> list[str]:
    """Return the names of skrec's types and functions that an estimator consists of, as skops wants them.

    ``skops.io.load`` creates objects of known types only. It knows those of scikit-learn, and needs a list of those of
    other packages. MLflow, which stores estimators by skops, needs the same list as ``skops_trusted_types``.

    Parameters
    ----------
    estimator : estimator
        A model or transformer of skrec, or any estimator around it, such as a ``Pipeline``, a search or a
        ``BaggingClassifier``.

    Returns
    -------
    list of str
        Sorted names such as ``'skrec.models.factors._ncf.NCFRanker'``; all of them begin with ``skrec.``. Types of
        your own and of other packages are not among them: review what ``skops.io.get_untrusted_types`` lists besides.

    Raises
    ------
    TypeError
        If a part of the estimator can be stored neither by pickle nor by skops, such as a lock or an open file.

    See Also
    --------
    skrec.save : Store an estimator in skrec's own format, which needs no list of types.

    Examples
    --------
    >>> import skops.io
    >>> from skrec.models import PopularityRanker
    >>> from skrec.persistence import trusted_types
    >>> model = PopularityRanker().fit([["ana", "tea"], ["bo", "tea"], ["bo", "rye"]])
    >>> sorted(name.rpartition(".")[2] for name in trusted_types(model))
    ['Interactions', 'PopularityRanker', 'Roles', 'Vocabulary']
    >>> loaded = skops.io.loads(skops.io.dumps(model), trusted=trusted_types(model))
    >>> loaded.items_
    array(['rye', 'tea'], dtype=object)
    """
    walk = _Walk()
    walk.dump(estimator)
    return sorted(walk.names)


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


class _Walk(pickle.Pickler):
    """Visits all objects that a pickle would store, and collects the names of those of skrec; arrays are not copied."""

    def __init__(self) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=lambda _: None)
        self.names: set[str] = set()

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, MethodType):
            owner = type(value.__self__)
            self._collect(owner.__module__, f"{owner.__name__}.{value.__name__}")
            return list, ([value.__self__],)
        if isinstance(value, (type, FunctionType)):
            self._collect(value.__module__, value.__name__)
            # Not looked up by its name, because a lambda or a local class has none.
            return NotImplemented if value is list else (list, ())
        self._collect(type(value).__module__, type(value).__name__)
        return NotImplemented

    def _collect(self, module: str, name: str) -> None:
        if module.partition(".")[0] == "skrec":
            self.names.add(f"{module}.{name}")
