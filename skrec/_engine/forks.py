"""Detection of forked processes, in which TensorFlow hangs if it has run before the fork.

A fork copies only one thread, and TensorFlow waits forever for the others. ``import skrec`` imports this module, which
detects forks from then on. It imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["refuse_after_fork"]

_MESSAGE = (
    "TensorFlow cannot run in this process, because it was forked from a process in which TensorFlow had already run. "
    "Fit, or load the model with skrec.load or joblib, after the fork: start gunicorn without --preload, or "
    "load in its post_fork hook; with multiprocessing use multiprocessing.get_context('spawn'). joblib's own worker "
    "processes (n_jobs) are not forked and need no change."
)
_forked_after_use = False


def _has_run() -> bool:
    """Return whether TensorFlow has started its threads, in this process or in one that this was forked from."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    # There is no public way to check this without starting them.
    return getattr(getattr(eager, "_context", None), "_context_handle", None) is not None


def _note_fork() -> None:
    global _forked_after_use  # noqa: PLW0603
    _forked_after_use = _forked_after_use or _has_run()


def _lost_its_threads() -> bool:
    """Return whether TensorFlow has lost its threads in a fork before skrec was imported (Linux only)."""
    names = []
    try:
        names = [(task / "comm").read_text() for task in Path("/proc/self/task").iterdir()]
    except OSError:  # there is no /proc, or a thread has just ended
        return False
    return bool(names) and not any(name.startswith("tf_") for name in names) and _has_run()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
    _forked_after_use = _lost_its_threads()


def refuse_after_fork() -> None:
    """Raise an error in a process that was forked from one in which TensorFlow has run.

    Raises
    ------
    RuntimeError
    """
    if _forked_after_use:
        raise RuntimeError(_MESSAGE)
