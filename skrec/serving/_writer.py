"""One thread that takes events into the models and stores them, many requests in one commit."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

__all__ = ["BusyError", "EventWriter"]

_log = logging.getLogger("skrec.serving")
_MOST = 5_000  # events of one commit

Rows = Sequence[Mapping[str, Any]]


class BusyError(Exception):
    """Too many events wait to be stored."""


class EventWriter:
    """Applies and stores the events of requests, in the order in which they came.

    An event is applied to the models first, so that those which a model refuses are not stored; its request is answered
    when the event is on the disk.

    Parameters
    ----------
    apply, store : callable
        Each gets a list of events, and takes all of them or raises an error and takes none.
    most_pending : int
        Number of waiting events above which further requests are refused.

    Attributes
    ----------
    lock : threading.Lock
        Held while events are applied and stored; who holds it sees models and database agree.
    """

    def __init__(self, apply: Callable[[Rows], None], store: Callable[[Rows], None], most_pending: int) -> None:
        self._apply, self._store, self._most_pending = apply, store, most_pending
        self.lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Rows, Future[int]] | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._pending = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="skrec-events", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Number of events that wait to be stored."""
        return self._pending

    @property
    def is_alive(self) -> bool:
        """Whether events are being taken."""
        return self._thread.is_alive()

    def submit(self, rows: Rows) -> Future[int]:
        """Hand over events; the result is their number when they are stored.

        Raises
        ------
        BusyError
            If too many events wait, or the writer was closed.
        """
        future: Future[int] = Future()
        with self._guard:
            if self._closed or self._pending + len(rows) > self._most_pending:
                raise BusyError(f"{self._pending} events wait to be stored. Try again later.")
            self._pending += len(rows)
            self._queue.put((rows, future))
        return future

    def close(self) -> None:
        """Store what waits, and end the thread."""
        with self._guard:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ends = False
        while not ends:
            group: list[tuple[Rows, Future[int]]] = []
            entry = self._queue.get()
            size = 0
            while True:
                if entry is None:
                    ends = True
                    break
                group.append(entry)
                size += len(entry[0])
                if size >= _MOST:
                    break
                try:
                    entry = self._queue.get_nowait()
                except queue.Empty:
                    break
            self._write(group)
            with self._guard:
                self._pending -= size

    def _write(self, group: list[tuple[Rows, Future[int]]]) -> None:
        if not group:
            return
        with self.lock:
            taken = self._applied(group)
            try:
                if taken:
                    self._store([row for rows, _ in taken for row in rows])
            except Exception as error:  # noqa: BLE001 - the requests are answered with it
                _log.error("Events were not stored: %s", error)
                for _, future in taken:
                    _fail(future, error)
                return
        for rows, future in taken:
            if future.set_running_or_notify_cancel():
                future.set_result(len(rows))

    def _applied(self, group: list[tuple[Rows, Future[int]]]) -> list[tuple[Rows, Future[int]]]:
        """Apply the events of a group at once; if that fails, request by request, to find those that are at fault."""
        if len(group) > 1:
            try:
                self._apply([row for rows, _ in group for row in rows])
            except Exception:  # noqa: BLE001 - found again below
                _log.info("Events of %d requests could not be applied at once", len(group))
            else:
                return group
        taken = []
        for rows, future in group:
            try:
                self._apply(rows)
            except Exception as error:  # noqa: BLE001 - the request is answered with it
                _fail(future, error)
            else:
                taken.append((rows, future))
        return taken


def _fail(future: Future[int], error: Exception) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)
