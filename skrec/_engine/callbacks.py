"""Callbacks of the caller: Keras callbacks, custom callbacks and functions."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from skrec._engine.backend import keras

__all__ = ["CANNOT_SAVE", "Listener", "checked_callbacks", "let_go"]

CANNOT_SAVE = (
    "The network cannot be saved alone, as ModelCheckpoint and BackupAndRestore do: without the rest of the estimator "
    "it is not usable. To keep the progress of a long fit, fit a few epochs at a time with warm_start=True, and store "
    "the estimator after each fit with skrec.save. The weights of the best epoch are kept by early_stopping=True, or "
    "by keras.callbacks.EarlyStopping(restore_best_weights=True)."
)
_REFUSED = {
    "ModelCheckpoint": CANNOT_SAVE,
    "BackupAndRestore": CANNOT_SAVE,
    "SwapEMAWeights": "An exponential moving average of the weights is a parameter of the estimator: pass "
    "ema_momentum= instead of keras.callbacks.SwapEMAWeights.",
}


class Listener(keras.callbacks.Callback):
    """Call a function after every epoch."""

    def __init__(self, function: Callable[[int, dict[str, float]], Any]) -> None:
        super().__init__()
        self._function = function

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._function(epoch, dict(logs))


def checked_callbacks(callbacks: Any) -> tuple[Any, ...]:
    """Convert callbacks to Keras callbacks, and check them.

    Parameters
    ----------
    callbacks : keras.callbacks.Callback or callable, a sequence of these, or None
        Callbacks. A function is called as ``f(epoch, logs)`` after every epoch.

    Returns
    -------
    tuple of keras.callbacks.Callback

    Raises
    ------
    TypeError
        If an object is neither a callback nor a function.
    NotImplementedError
        If a parameter of the estimator replaces a Keras callback.
    """
    if callbacks is None:
        return ()
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    return tuple(_checked(callback) for callback in (callbacks if isinstance(callbacks, Sequence) else [callbacks]))


def _checked(callback: Any) -> Any:
    if isinstance(callback, keras.callbacks.Callback):
        for name, cure in _REFUSED.items():
            if isinstance(callback, getattr(keras.callbacks, name, ())):
                raise NotImplementedError(cure)
        return callback
    if callable(callback) and not isinstance(callback, type):
        return Listener(callback)
    cure = f"Pass an instance: {callback.__name__}()." if isinstance(callback, type) else "Leave it out."
    raise TypeError(
        "callbacks must be a list of instances of keras.callbacks.Callback, or of functions f(epoch, logs), "
        f"but has {callback!r}. {cure}"
    )


def let_go(callback: Any) -> None:
    """Remove the program and closed files from a callback, so that it can be pickled and cloned."""
    keras.callbacks.Callback.set_model(callback, None)
    for name, value in vars(callback).items():
        if isinstance(value, io.IOBase) and value.closed:
            setattr(callback, name, None)
