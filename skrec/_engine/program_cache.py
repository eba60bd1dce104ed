"""Programs between uses: fits borrow one each, and threads that score share one."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from skrec._engine.forks import refuse_after_fork
from skrec._engine.program import Program
from skrec._engine.structure import Structure

__all__ = ["borrowed", "shared"]

_CACHE_SIZE = 8


class _Shared:
    """A program that several threads read at once, and how many."""

    def __init__(self, structure: Structure, weights: Mapping[str, np.ndarray]) -> None:
        self.structure, self.weights = structure, weights
        self.n_readers = 0
        self.loaded = threading.Lock()
        self.program: Program | None = None


class _Cache:
    """Idle programs by structure, the most recently used last, and those that are read; at most a number of idle ones.

    A dropped program frees its tables at once. Its graph is freed by the garbage collector, which is called once for
    every :data:`_CACHE_SIZE` dropped programs, because a collection takes a fifth of the time of a trace.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_dropped = 0
        self._idle: OrderedDict[int, Program] = OrderedDict()
        self._shared: dict[int, _Shared] = {}  # by the id of the weights, which are alive while they are read

    def take(self, structure: Structure, weights: Mapping[str, np.ndarray] | None) -> Program:
        refuse_after_fork()  # before the lock, which the fork may have copied as taken
        with self._lock:
            for program in self._idle.values():
                program.forget()
            fitting = [key for key, program in self._idle.items() if program.structure == structure]
            if fitting:
                holding = [k for k in fitting if weights is not None and _holds(self._idle[k], weights)]
                return self._idle.pop((holding or fitting)[-1])
        return Program(structure)

    def give(self, program: Program) -> None:
        with self._lock:
            self._idle[id(program)] = program
            if len(self._idle) <= _CACHE_SIZE:
                return
            _, dropped = self._idle.popitem(last=False)
            self._n_dropped += 1
            collect = self._n_dropped % _CACHE_SIZE == 0
        dropped.empty()
        del dropped
        if collect:
            gc.collect()

    def open(self, structure: Structure, weights: Mapping[str, np.ndarray]) -> _Shared:
        """Return the program that holds these weights, which threads share; the first of them loads it."""
        refuse_after_fork()
        with self._lock:
            shared = self._shared.get(id(weights))
            if shared is None or shared.structure != structure:
                shared = self._shared[id(weights)] = _Shared(structure, weights)
            shared.n_readers += 1
        try:
            with shared.loaded:
                if shared.program is None:
                    program = self.take(structure, weights)
                    program.load(weights)
                    shared.program = program
        except BaseException:
            self.close(shared)
            raise
        return shared

    def close(self, shared: _Shared) -> None:
        """Make the program of the last reader idle again."""
        with self._lock:
            shared.n_readers -= 1
            if shared.n_readers:
                return
            if self._shared.get(id(shared.weights)) is shared:
                del self._shared[id(shared.weights)]
        if shared.program is not None:
            self.give(shared.program)


def _holds(program: Program, weights: Mapping[str, np.ndarray]) -> bool:
    return program.held is not None and program.held() is weights


_CACHE = _Cache()


@contextmanager
def borrowed(structure: Structure) -> Iterator[Program]:
    """Borrow a program of this structure.

    No other thread can use it meanwhile. After an exception, the program is discarded, unless the exception was raised
    between two epochs, for instance by a callback such as Optuna's ``TrialPruned``, which is frequent in searches.
    """
    program = _CACHE.take(structure, None)
    program.between_epochs = False
    try:
        yield program
    except Exception:
        if program.between_epochs:
            program.release()
            program.empty()
            _CACHE.give(program)
        raise
    _CACHE.give(program)


@contextmanager
def shared(structure: Structure, weights: Mapping[str, np.ndarray]) -> Iterator[Program]:
    """Borrow a program that holds ``weights``, to score with: any number of threads may use it at the same time."""
    borrowed_by_all = _CACHE.open(structure, weights)
    try:
        assert borrowed_by_all.program is not None
        yield borrowed_by_all.program
    finally:
        _CACHE.close(borrowed_by_all)
