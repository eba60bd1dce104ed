"""What a service serves: models, the stored events that are applied to them, and their replacement while it runs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skrec.serving._limits import Limits
from skrec.serving._load import load
from skrec.serving._metrics import Metrics
from skrec.serving._requests import Requests, requests_of
from skrec.serving._served import Served
from skrec.serving._store import EventStore
from skrec.serving._writer import EventWriter, Rows

__all__ = ["Model", "Service"]

_log = logging.getLogger("skrec.serving")

Signature = tuple[int, int, int]


@dataclass(frozen=True)
class Model:
    """A model that is being served.

    Parameters
    ----------
    served : Served
    requests : Requests
        What requests to it may contain.
    path : Path or None
        The file that it was loaded from.
    loaded : float
        When it was loaded, in seconds since 1970.
    """

    served: Served
    requests: Requests
    path: Path | None = None
    loaded: float = field(default_factory=time.time)


class Service:
    """Models by name, and their events.

    Parameters
    ----------
    sources : dict
        Estimators or paths of files, by name; the first is called ``"main"``.
    events : str
        URL of the database of events.
    titles : mapping
        Titles of items by ``str(item)``.
    limits : Limits
    threads : int, default=2
        Number of threads in which the models answer, so that the event loop does not wait for them.
    """

    def __init__(
        self, sources: Mapping[str, Any], *, events: str, titles: Mapping[str, str], limits: Limits, threads: int = 2
    ) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="skrec-model")
        self.limits, self.titles, self.metrics = limits, titles, Metrics()
        self.errors: dict[str, str] = {}  # why the latest file of a model was not taken over, by name
        self._names = tuple(sources)
        self._reloading = threading.Lock()
        self._signatures: dict[str, Signature | None] = {}
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        self.models: dict[str, Model] = {}  # replaced, never changed: a request reads it once
        for name, source in sources.items():
            is_path = isinstance(source, str | os.PathLike)
            path = Path(source) if is_path else None
            self._signatures[name] = _signature(path)
            model = self._made(load(path) if path else source, path)
            model.served.warm_up()
            self.models = {**self.models, name: model}
        self.store = EventStore(events)
        for model in self.models.values():
            self._replay(model.served, 0)
        self.writer = EventWriter(self._apply, self.store.add, limits.pending_events)

    # -- events -------------------------------------------------------------------------------------------------------

    def _apply(self, rows: Rows) -> None:
        """Apply events to all models; only an error of the first counts."""
        for name, model in self.models.items():
            try:
                model.served.append(rows)
            except Exception as error:
                if name == "main":
                    raise
                _log.warning("The model %r did not take %d events: %s", name, len(rows), error)

    def _replay(self, served: Served, after: int) -> int:
        """Apply the stored events with ids above `after`; return the last id."""
        if not served.offers("recommend"):
            return after
        for last, rows in self.store.read(after):
            refused = _apply_each(served, rows)
            self.metrics.count("skrec_events_replayed_total", len(rows) - refused)
            self.metrics.count("skrec_events_refused_total", refused)
            after = last
        return after

    # -- new files ----------------------------------------------------------------------------------------------------

    def reload(self, name: str = "main") -> None:
        """Load the file of a model again and serve it; the old model serves until then, and if this fails.

        Raises
        ------
        ValueError
            If the model was not loaded from a file, or the new one cannot replace it.
        OSError
            If the file cannot be read.
        """
        with self._reloading:
            old = self.models[name]
            if old.path is None:
                raise ValueError(f"The model {name!r} was not loaded from a file, so that it cannot be loaded again.")
            self._signatures[name] = _signature(old.path)
            try:
                new = self._made(load(old.path), old.path)
                _require_recommender(old.served, new.served)
                new.served.warm_up()
                last = self._replay(new.served, 0)
                with self.writer.lock:  # no event comes between the last that is replayed and the new model
                    self._replay(new.served, last)
                    self.models = {**self.models, name: new}
            except Exception as error:
                self.errors = {**self.errors, name: str(error)}
                self.metrics.count("skrec_model_loads_total", model=name, result="error")
                _log.error("The new file of the model %r is not served, the old model still is: %s", name, error)
                raise
            self.errors = {each: message for each, message in self.errors.items() if each != name}
            self.metrics.count("skrec_model_loads_total", model=name, result="ok")
            _log.info("Serving the new file of the model %r: %s", name, new.served.kind)

    def watch(self, seconds: float) -> None:
        """Look every few seconds whether files have changed, in a thread, and load those that have."""
        if self._watcher is None and any(model.path for model in self.models.values()):
            self._watcher = threading.Thread(target=self._watch, args=(seconds,), name="skrec-watch", daemon=True)
            self._watcher.start()

    def _watch(self, seconds: float) -> None:
        before: dict[str, Signature | None] = {}
        while not self._stop.wait(seconds):
            for name, model in self.models.items():
                now = _signature(model.path)
                is_new = now is not None and now != self._signatures[name]
                if is_new and now == before.get(name):  # it is no longer being written
                    try:
                        self.reload(name)
                    except Exception:  # noqa: BLE001 - logged, and shown by /ready
                        _log.debug("The file of %r is tried again when it has changed", name)
                before[name] = now

    def _made(self, estimator: Any, path: Path | None) -> Model:
        served = Served(estimator, titles=self.titles)
        return Model(served, requests_of(served.columns, self.limits, self._names), path)

    # -- state --------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Describe whether the service is ready, and what it serves."""
        described = {
            name: {
                "class": model.served.kind,
                "file": None if model.path is None else model.path.name,
                "loaded": model.loaded,
                "error": self.errors.get(name),
            }
            for name, model in self.models.items()
        }
        return {"ready": self.writer.is_alive, "models": described, "pending_events": self.writer.pending}

    def gauges(self) -> dict[str, tuple[str, float]]:
        """Return the gauges of ``/metrics``."""
        gauges = {"skrec_pending_events": ("Events that wait to be stored.", float(self.writer.pending))}
        loaded, failed = "Time at which the model was loaded.", "Whether the latest file of the model was refused."
        for name, model in self.models.items():
            gauges[f'skrec_model_loaded_timestamp_seconds{{model="{name}"}}'] = loaded, model.loaded
        for name in self.models:
            gauges[f'skrec_model_load_failed{{model="{name}"}}'] = failed, float(name in self.errors)
        return gauges

    def close(self) -> None:
        """Store the events that wait, and close the database."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
        self.pool.shutdown()
        self.writer.close()
        self.store.close()


def _apply_each(served: Served, rows: Rows) -> int:
    """Apply events at once, or if that fails one by one; return how many were refused."""
    try:
        served.append(rows)
    except Exception:  # noqa: BLE001 - a new model may refuse events that an old one took
        if len(rows) == 1:
            return 1
        half = len(rows) // 2
        return _apply_each(served, rows[:half]) + _apply_each(served, rows[half:])
    return 0


def _require_recommender(old: Served, new: Served) -> None:
    if old.offers("recommend") and not new.offers("recommend"):
        raise ValueError(f"The new {new.kind} does not recommend, as the model does that it replaces.")


def _signature(path: Path | None) -> Signature | None:
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_ino, found.st_size)
