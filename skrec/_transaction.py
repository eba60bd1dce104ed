"""Consistent state for threads: writers of an estimator take turns, and a reader works on one state throughout.

A writer (:func:`transaction`) changes a copy of the estimator and publishes it by one assignment of ``__dict__``.
Fitted attributes are replaced and never changed in place, so shallow copies are enough. A reader
(:class:`ReadsOneState`) keeps the ``__dict__`` that the estimator had at the beginning of the call, and so sees either
all changes of a writer or none.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isfunction
from typing import Any, TypeVar

from skrec._estimators import BaseEstimator

__all__ = ["ReadsOneState", "snapshot", "transaction"]

_Estimator = TypeVar("_Estimator")


class _Locks:
    """A lock for each estimator, stored outside of it, so that it is not an attribute and is not copied or pickled."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[int, tuple[weakref.ref[Any], threading.RLock]] = {}

    def of(self, estimator: Any) -> threading.RLock:
        """Return the lock of an estimator."""
        key = id(estimator)
        with self._guard:
            known = self._locks.get(key)
            if known is None or known[0]() is not estimator:
                known = weakref.ref(estimator, lambda dead: self._forget(key, dead)), threading.RLock()
                self._locks[key] = known
            return known[1]

    def _forget(self, key: int, dead: Any) -> None:
        known = self._locks.get(key)
        if known is not None and known[0] is dead:
            self._locks.pop(key, None)


class _Reads(threading.local):
    """The snapshots that this thread reads, by ``id``, each with the estimator that it was taken from."""

    def __init__(self) -> None:
        self.open: dict[int, tuple[Any, Any]] = {}

    def owner_of(self, estimator: Any) -> Any:
        """Return the estimator that a snapshot was taken from; return any other estimator unchanged."""
        return self.open.get(id(estimator), (None, estimator))[1]


_locks = _Locks()
_reads = _Reads()


def _after_fork() -> None:
    """Start the child process with new locks: locks held by other threads would never be released in it."""
    global _locks  # noqa: PLW0603
    _locks = _Locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _sharing(estimator: _Estimator, state: dict[str, Any]) -> _Estimator:
    """Return an object of the same class that has the given ``__dict__``."""
    made: _Estimator = object.__new__(type(estimator))
    made.__dict__ = state
    return made


def snapshot(estimator: _Estimator) -> _Estimator:
    """Return the estimator in its current state, which a later :func:`transaction` does not change.

    Parameters
    ----------
    estimator : estimator
        An estimator that only changes in transactions, as the estimators of skrec do.

    Returns
    -------
    estimator
        An object of the same class.

    Examples
    --------
    >>> from skrec._transaction import snapshot
    >>> from skrec.models import PopularityRanker
    >>> model = PopularityRanker().fit([[1, 5], [2, 5]])
    >>> before = snapshot(model)
    >>> model.partial_fit([[3, 6]]).items_, before.items_
    (array([5, 6]), array([5]))
    """
    return _sharing(estimator, estimator.__dict__)


@contextmanager
def transaction(estimator: _Estimator) -> Iterator[_Estimator]:
    """Yield a copy of the estimator to write to; publish its attributes at the end, unless the block raises.

    Writers of one estimator take turns. Readers see the previous state until the end. Parameters that are set in the
    meantime are kept.

    Parameters
    ----------
    estimator : estimator
        The estimator to change. It does not change until the end of the block.

    Yields
    ------
    estimator
        A shallow copy.
    """
    owner = _reads.owner_of(estimator)
    with _locks.of(owner):
        before = dict(owner.__dict__)
        written = _sharing(owner, dict(before))
        yield written
        state, now = written.__dict__, owner.__dict__
        for name in owner.get_params(deep=False):
            if name in now and now[name] is not before.get(name) and state.get(name) is before.get(name):
                state[name] = now[name]
        for reader, of in _reads.open.values():
            if of is owner:  # a method that writes and then reads
                reader.__dict__ = state
        owner.__dict__ = state


class ReadsOneState:
    """Base class of estimators whose public methods and properties each read one state.

    This includes the methods of subclasses and of their mixins. A method that is called from outside works on a
    :func:`snapshot`, and the methods that it calls work on the same snapshot. If it returns ``self``, the caller gets
    the estimator, and attributes that it sets are set on the estimator.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, member in _public_members(cls).items():
            if isfunction(member):
                setattr(cls, name, _reading(member))
            elif isinstance(member, property) and member.fget is not None:
                setattr(cls, name, property(_reading(member.fget), member.fset, member.fdel, member.__doc__))


def _public_members(cls: type) -> dict[str, Any]:
    """Return the public attributes that a class defines or inherits from a mixin."""
    members: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base in BaseEstimator.__mro__ or base is ReadsOneState:
            continue
        wrapped = base is not cls and issubclass(base, ReadsOneState)
        fields = vars(base).get("__annotations__", {})  # the default of a parameter may be a function
        for name, member in vars(base).items():
            if wrapped or name.startswith("_") or name in fields:
                members.pop(name, None)
            else:
                members[name] = member
    return members


def _reading(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method so that it works on one state from beginning to end."""

    @wraps(method)
    def read(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if id(self) in _reads.open:
            return method(self, *args, **kwargs)
        reader = snapshot(self)
        _reads.open[id(reader)] = reader, self
        try:
            result = method(reader, *args, **kwargs)
        finally:
            del _reads.open[id(reader)]
        return self if result is reader else result

    return read
