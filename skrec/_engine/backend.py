"""Import of TensorFlow and Keras, without log output and with the number of threads of this process."""

from __future__ import annotations

import logging
import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from skrec._engine.forks import refuse_after_fork

_CHATTER = re.compile(rb"WARNING: All log messages before absl|[IW]\d{4} |To enable the following instructions")


@contextmanager
def _quiet_import() -> Iterator[None]:
    """Suppress what TensorFlow's libraries print while they load; all other output is passed on.

    They write to the file descriptor directly, before any of their settings is read.
    """
    try:
        terminal = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as kept:
        sys.stderr.flush()
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            kept.seek(0)
            for line in kept:
                if not _CHATTER.match(line):
                    os.write(2, line)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# joblib limits the threads of each worker through OMP_NUM_THREADS; TensorFlow has its own names for it.
if "OMP_NUM_THREADS" in os.environ:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", os.environ["OMP_NUM_THREADS"])
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", os.environ["OMP_NUM_THREADS"])

refuse_after_fork()
with _quiet_import():
    import keras
    import tensorflow as tf

__all__ = ["keras", "preserved_random_state", "resized", "tf", "traces_expected", "unsized"]

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"skrec needs Keras on TensorFlow, but Keras uses the backend {keras.backend.backend()!r}. "
        "Set the environment variable KERAS_BACKEND to 'tensorflow' (or remove it) before Keras is imported."
    )


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Restore the state of Python's global generator, from which Keras draws seeds when it builds layers."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@contextmanager
def traces_expected() -> Iterator[None]:
    """Suppress TensorFlow's warning about frequent retracing: each program traces the same code once."""

    def is_another(record: logging.LogRecord) -> bool:
        return "tf.function retracing" not in record.getMessage()

    logger = tf.get_logger()
    logger.addFilter(is_another)
    try:
        yield
    finally:
        logger.removeFilter(is_another)


def unsized(variable: keras.Variable) -> keras.Variable:
    """Free the first axis of a Keras variable, so that one traced program serves tables of any number of rows.

    Keras has no public way to create such a variable; only this function depends on the internals.
    """
    value = variable.value
    variable._value = tf.Variable(
        value, shape=[None, *value.shape[1:]], trainable=value.trainable, dtype=value.dtype, name=variable.name
    )
    return variable


def resized(variable: keras.Variable) -> None:
    """Update the number of rows of a variable in Keras, for summaries and for callbacks that assign to it."""
    if variable.value.shape.rank and variable.value.shape[0] is None:
        variable._shape = tuple(tf.shape(variable.value).numpy().tolist())
