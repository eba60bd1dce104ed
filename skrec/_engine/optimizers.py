"""Keras optimizers that update only the embedding rows of the batch.

The Keras optimizers either update every row in every step (Adam) or do not sum the gradients of an id that occurs twice
in a batch. Each class here is equivalent to its Keras parent with the dense gradient, except that Adam's moments of a
row decay only if the row is used ("lazy" Adam).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from skrec._engine.backend import keras, tf, unsized

__all__ = ["OPTIMIZERS", "SGD", "Adagrad", "Adam", "Ftrl"]


def _sum_duplicates(gradient: Any) -> tuple[Any, Any]:
    """Return the distinct rows of a gradient and the sum of the values of each."""
    rows, positions = tf.unique(gradient.indices)
    return rows, tf.math.unsorted_segment_sum(gradient.values, positions, tf.shape(rows)[0])


def _scatter(variable: Any, rows: Any, values: Any) -> None:
    tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=rows, updates=values)


def _subtract(variable: Any, rows: Any, values: Any) -> None:
    """Subtract values from distinct rows; on a CPU, two to four times as fast as ``ResourceScatterSub``."""
    _scatter(variable, rows, tf.gather(variable, rows) - values)


def _rows_of(table: Any) -> Any:
    """Create a variable for any number of rows of a table."""
    inner = table.shape[1:]
    return tf.Variable(tf.zeros([0, *inner], table.dtype), shape=[None, *inner], trainable=False)


class _Sparse:
    """Mixin class with separate updates of dense variables and of table rows, and slots of any length."""

    scheduled = False  # whether each step has its own rate
    factors: Sequence[tuple[Any, Any]] = ()  # tables with their own factor of the learning rate

    def build(self, variables: Any) -> None:
        self.slots: list[tuple[Any, Any]] = []  # (slot, the weight it belongs to)
        self.rate = super().learning_rate  # type: ignore[misc]  # the variable
        super().build(variables)  # type: ignore[misc]

    @property
    def learning_rate(self) -> Any:
        """The rate of the next step; outside of the traced step, a schedule gives a plain number."""
        rate = super().learning_rate  # type: ignore[misc]
        return tf.convert_to_tensor(rate.value) if self.scheduled and tf.executing_eagerly() else rate

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        if self.scheduled:
            raise TypeError(
                "A callback cannot set the learning rate if learning_rate is a schedule. Remove the callback, or pass "
                "a number as learning_rate."
            )
        keras.optimizers.Optimizer.learning_rate.fset(self, rate)

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: str = "zeros"
    ) -> Any:
        slot = super().add_variable_from_reference(reference_variable, name=name, initializer=initializer)  # type: ignore[misc]
        value = getattr(reference_variable, "value", reference_variable)
        if value.shape.rank and value.shape[0] is None:
            unsized(slot)
        slot.start = partial(self._start, name or "")
        self.slots.append((slot, reference_variable))
        return slot

    def _start(self, name: str, weights: Any) -> Any:
        """Return the initial value of a slot of this name for these weights."""
        return tf.fill(tf.shape(weights), self.initial_accumulator_value if "accumulator" in name else 0.0)  # type: ignore[attr-defined]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = tf.cast(learning_rate, variable.dtype)
        for table, factor in self.factors:
            if variable is table:
                rate *= factor
        if isinstance(gradient, tf.IndexedSlices):
            self._update_rows(variable, *_sum_duplicates(gradient), rate)
        else:
            self._update_dense(variable, gradient, rate)

    def _update_rows(self, variable: Any, rows: Any, gradient: Any, rate: Any) -> None:
        raise NotImplementedError

    def _update_dense(self, variable: Any, gradient: Any, rate: Any) -> None:
        raise NotImplementedError

    def _slot(self, slots: list[Any], variable: Any) -> Any:
        return slots[self._get_variable_index(variable)].value  # type: ignore[attr-defined]


class Adam(_Sparse, keras.optimizers.Adam):
    """Adam (Kingma & Ba, 2015, arXiv:1412.6980), lazy for tables."""

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._copies = [[_rows_of(variable) for _ in range(3)] for variable in variables]

    def _update_rows(self, variable: Any, rows: Any, gradient: Any, rate: Any) -> None:
        """Update copies of the rows with the dense operation: one kernel instead of a dozen."""
        tables = (variable, self._slot(self._momentums, variable), self._slot(self._velocities, variable))
        copies = self._copies[self._get_variable_index(variable)]
        for table, copy in zip(tables, copies, strict=True):
            copy.assign(tf.gather(table, rows))
        weights, m, v = copies
        self._apply(weights, m, v, gradient, rate)
        for table, copy in zip(tables, copies, strict=True):
            _scatter(table, rows, copy.read_value())

    def _update_dense(self, variable: Any, gradient: Any, rate: Any) -> None:
        m, v = self._slot(self._momentums, variable), self._slot(self._velocities, variable)
        self._apply(variable, m, v, gradient, rate)

    def _apply(self, weights: Any, m: Any, v: Any, gradient: Any, rate: Any) -> None:
        step = tf.cast(self.iterations.value + 1, weights.dtype)
        # The kernel computes 1 - beta_2, and therefore v, in single precision: scaling the rate corrects for that.
        rounded = np.sqrt((1.0 - np.float32(self.beta_2)) / (1.0 - self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=weights.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, weights.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, weights.dtype), step),
            lr=rate * tf.cast(rounded, rate.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class Adagrad(_Sparse, keras.optimizers.Adagrad):
    """AdaGrad (Duchi et al., 2011)."""

    def _update_rows(self, variable: Any, rows: Any, gradient: Any, rate: Any) -> None:
        accumulator = self._slot(self._accumulators, variable)
        summed = tf.gather(accumulator, rows) + tf.square(gradient)
        _scatter(accumulator, rows, summed)
        _subtract(variable, rows, rate * gradient / tf.sqrt(summed + self.epsilon))

    def _update_dense(self, variable: Any, gradient: Any, rate: Any) -> None:
        accumulator = self._slot(self._accumulators, variable)
        accumulator.assign_add(tf.square(gradient))
        variable.assign_sub(rate * gradient / tf.sqrt(accumulator + self.epsilon))


class SGD(_Sparse, keras.optimizers.SGD):
    """Stochastic gradient descent without momentum."""

    def _update_rows(self, variable: Any, rows: Any, gradient: Any, rate: Any) -> None:
        _subtract(variable, rows, rate * gradient)

    def _update_dense(self, variable: Any, gradient: Any, rate: Any) -> None:
        variable.assign_sub(rate * gradient)


class Ftrl(_Sparse, keras.optimizers.Ftrl):
    """FTRL-Proximal with L1 (McMahan et al., 2013, doi:10.1145/2487575.2488200).

    It trains a parameter group of a network beside the main optimizer, with its own rates.
    """

    def __init__(self, rates: Any) -> None:
        super().__init__()
        self._rates = rates

    def _start(self, name: str, weights: Any) -> Any:
        """Return slots that reproduce nonzero initial weights, because FTRL computes weights only from its slots."""
        if "linear" not in name:
            return super()._start(name, weights)
        scale = tf.sqrt(tf.cast(self.initial_accumulator_value, weights.dtype)) / self._rates["group_learning_rate"]
        return -scale * weights - self._rates["group_l1"] * tf.sign(weights)

    def _arguments(self, variable: Any, gradient: Any) -> dict[str, Any]:
        index = self._get_variable_index(variable)
        return {
            "var": variable.handle,
            "accum": self._accumulators[index].value.handle,
            "linear": self._linears[index].value.handle,
            "grad": gradient,
            "lr": self._rates["group_learning_rate"],
            "l1": self._rates["group_l1"],
            "l2": 0.0,
            "l2_shrinkage": 0.0,
            "lr_power": -0.5,
        }

    def _update_rows(self, variable: Any, rows: Any, gradient: Any, rate: Any) -> None:  # noqa: ARG002
        tf.raw_ops.ResourceSparseApplyFtrlV2(**self._arguments(variable, gradient), indices=rows)

    def _update_dense(self, variable: Any, gradient: Any, rate: Any) -> None:  # noqa: ARG002
        tf.raw_ops.ResourceApplyFtrlV2(**self._arguments(variable, gradient))


OPTIMIZERS = {"adam": Adam, "adagrad": Adagrad, "sgd": SGD, "ftrl": Ftrl}
