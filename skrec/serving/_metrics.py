"""Counters of a service, in the text format of Prometheus."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping

__all__ = ["Metrics"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_HELP = {
    "skrec_requests_total": "Requests by path and status.",
    "skrec_events_total": "Events that were stored since the start.",
    "skrec_events_replayed_total": "Stored events that were applied at the start or to a new model.",
    "skrec_events_refused_total": "Stored events that a model refused when they were replayed.",
    "skrec_model_loads_total": "Attempts to take over a new model file, by result.",
}


class Metrics:
    """Counters and the durations of requests; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], float] = {}
        self._durations: dict[str, list[float]] = {}  # for each path: counts by bucket, then the sum

    def count(self, name: str, by: float = 1, **labels: object) -> None:
        """Increase a counter."""
        key = name, _labelled(labels)
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + by

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Count a request and its duration."""
        self.count("skrec_requests_total", path=path, status=status)
        with self._lock:
            parts = self._durations.setdefault(path, [0.0] * (len(_BUCKETS) + 2))
            parts[bisect_left(_BUCKETS, seconds)] += 1
            parts[-1] += seconds

    def total(self, name: str) -> float:
        """Return a counter, summed over its labels."""
        with self._lock:
            return sum(value for (each, _), value in self._counts.items() if each == name)

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """Return all metrics as text.

        Parameters
        ----------
        gauges : mapping
            Help and value of further metrics by name, which may have labels.
        """
        with self._lock:
            counts, durations = dict(self._counts), {path: list(parts) for path, parts in self._durations.items()}
        lines = []
        for name, about in _HELP.items():
            lines += [f"# HELP {name} {about}", f"# TYPE {name} counter"]
            found = [(labels, value) for (each, labels), value in sorted(counts.items()) if each == name]
            lines += [f"{name}{labels} {_number(value)}" for labels, value in found or [("", 0)]]
        name = "skrec_request_seconds"
        lines += [f"# HELP {name} Seconds from the arrival of a request to its answer.", f"# TYPE {name} histogram"]
        for path, (*buckets, total) in sorted(durations.items()):
            so_far = 0.0
            for bound, value in zip((*_BUCKETS, "+Inf"), buckets, strict=True):
                so_far += value
                lines.append(f"{name}_bucket{_labelled({'path': path, 'le': bound})} {_number(so_far)}")
            lines.append(f"{name}_sum{_labelled({'path': path})} {total:.6f}")
            lines.append(f"{name}_count{_labelled({'path': path})} {_number(so_far)}")
        for name, (about, value) in gauges.items():
            plain = name.partition("{")[0]
            lines += [f"# HELP {plain} {about}", f"# TYPE {plain} gauge", f"{name} {_number(value)}"]
        return "\n".join(lines) + "\n"


def _labelled(labels: Mapping[str, object]) -> str:
    if not labels:
        return ""
    escaped = {
        name: str(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
