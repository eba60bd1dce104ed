"""TensorFlow and Keras, imported quietly and with this process's share of the threads."""

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
    """Keep what TensorFlow's libraries print while they load off the terminal; anything else is passed on.

    They write to the file descriptor itself, before any setting of theirs is read.
    """
    try:
        terminal = os.dup(2)
    except OSError:  # no standard error to keep quiet
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
# joblib gives each worker its share of the cores through OMP_NUM_THREADS; TensorFlow has names of its own for it.
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
        f"skrec needs Keras on TensorFlow, but Keras runs on {keras.backend.backend()!r} here. "
        "Set the environment variable KERAS_BACKEND to 'tensorflow' (or remove it) before Keras is imported."
    )


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Leave Python's global generator where it was: Keras draws seeds from it when it builds layers."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@contextmanager
def traces_expected() -> Iterator[None]:
    """Keep TensorFlow from warning that functions of the same code are traced often: each program does so once."""

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

    Keras has no public way to make such a variable; this function is the one place that knows.
    """
    value = variable.value
    variable._value = tf.Variable(
        value, shape=[None, *value.shape[1:]], trainable=value.trainable, dtype=value.dtype, name=variable.name
    )
    return variable


def resized(variable: keras.Variable) -> None:
    """Tell Keras how many rows a variable has now, for summaries and for callbacks that assign to it."""
    if variable.value.shape.rank and variable.value.shape[0] is None:
        variable._shape = tuple(tf.shape(variable.value).numpy().tolist())
