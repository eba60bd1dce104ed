"""Learning rates: a number, or a Keras schedule whose rates are computed before each epoch.

The rates of an epoch are a variable of the program, so that fits with different schedules share a trace.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from skrec._engine.backend import keras, tf

__all__ = ["checked_rate", "from_stored", "step_rates", "stored"]

_KEPT = 32
_compiled: OrderedDict[tuple[type, str], Callable[..., Any]] = OrderedDict()


def checked_rate(rate: Any) -> Any:
    """Return a learning rate as a float or a schedule.

    Raises
    ------
    TypeError
        If it is neither. The message says what to pass.
    """
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return rate
    if isinstance(rate, Real) and not isinstance(rate, bool):
        return float(rate)
    if isinstance(rate, type):
        cure = f"Pass an instance of {rate.__name__} with its parameters."
    elif isinstance(rate, keras.optimizers.Optimizer):
        cure = "Pass the optimizer's name as optimizer= and its rate as learning_rate=."
    else:
        cure = (
            "To compute the rate of each epoch in a function, pass callbacks="
            "[keras.callbacks.LearningRateScheduler(function)] and the first rate as learning_rate=."
        )
    raise TypeError(
        f"learning_rate must be a number above 0 or a keras.optimizers.schedules.LearningRateSchedule, got {rate!r}. "
        f"{cure}"
    )


def step_rates(schedule: Any, first: int, n_steps: int) -> np.ndarray:
    """Return the learning rates of ``n_steps`` steps, starting with step ``first``, counted from the first fit.

    Raises
    ------
    ValueError
        If a rate is negative or NaN.
    """
    try:
        rates: np.ndarray = _function_of(schedule)(tf.constant(first, tf.int64), tf.constant(n_steps, tf.int64)).numpy()
    except Exception as error:
        error.add_note(f"This was raised by learning_rate={type(schedule).__name__}(...), called with a step number.")
        raise
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0)))
    if len(wrong):
        raise ValueError(
            f"learning_rate={type(schedule).__name__}(...) gives {rates[wrong[0]]} in step {first + wrong[0]}: a "
            "learning rate must be a number of at least 0."
        )
    return rates


def _function_of(schedule: Any) -> Callable[..., Any]:
    """Trace a schedule once, including its clones, because a trace takes memory that TensorFlow never frees."""

    def rates(first: Any, n_steps: Any) -> Any:
        def rate(step: Any) -> Any:
            return tf.reshape(tf.cast(schedule(step), tf.float32), [])

        return tf.map_fn(rate, tf.range(first, first + n_steps), fn_output_signature=tf.float32)

    try:
        key = (type(schedule), json.dumps(schedule.get_config(), sort_keys=True))
    except (NotImplementedError, TypeError, ValueError):  # a custom class that cannot be serialized
        return tf.function(rates, autograph=False)  # type: ignore[no-any-return]
    if key not in _compiled:
        _compiled[key] = tf.function(rates, autograph=False)
        if len(_compiled) > _KEPT:
            _compiled.popitem(last=False)
    return _compiled[key]


def stored(schedule: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the configuration of a built-in Keras schedule; None for any other object."""
    name = type(schedule).__name__
    schedules = keras.optimizers.schedules
    if name == "LearningRateSchedule" or getattr(schedules, name, None) is not type(schedule):
        return None
    return name, dict(schedule.get_config())


def from_stored(name: str, config: Mapping[str, Any]) -> Any:
    """Create a schedule from the result of :func:`stored`.

    Raises
    ------
    ValueError
        If Keras has no schedule of this name.
    """
    found = vars(keras.optimizers.schedules).get(name, object)
    if not issubclass(found, keras.optimizers.schedules.LearningRateSchedule):
        raise ValueError(f"Keras has no learning rate schedule {name!r}.")  # noqa: TRY004 - a damaged file
    return found.from_config(dict(config))
