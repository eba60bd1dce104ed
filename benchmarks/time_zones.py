"""Cost of times with a zone, beside the same times without one, in one run.

python benchmarks/time_zones.py

``LeaveLastOut``, ``TemporalSplit`` and ``HistoryEncoder.fit`` on 200,000 events, with the times as pandas, Arrow and
polars hold them. Absolute figures depend on the machine; quote the ratios. Run it with nothing else running.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from skrec.model_selection import LeaveLastOut, TemporalSplit
from skrec.preprocessing import HistoryEncoder

TASKS: dict[str, Callable[[Any], Any]] = {
    "LeaveLastOut": lambda X: next(LeaveLastOut().split(X)),
    "TemporalSplit": lambda X: list(TemporalSplit(3, horizon="30D").split(X)),
    "HistoryEncoder.fit": lambda X: HistoryEncoder().fit(X),
}


def tables(n_rows: int) -> Iterator[tuple[str, Any, Any]]:
    """Yield (what holds the times, the events without a zone, the same with one)."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": rng.integers(0, 5000, n_rows), "item_id": rng.integers(0, 1000, n_rows)})
    X["timestamp"] = pd.to_datetime(np.sort(rng.integers(0, 10**8, n_rows)), unit="s")
    zoned = X.assign(timestamp=X["timestamp"].dt.tz_localize("UTC").dt.tz_convert("Europe/Zurich"))
    yield "pandas", X, zoned
    yield "pandas, as objects", X.astype({"timestamp": object}), zoned.astype({"timestamp": object})
    try:
        import pyarrow as pa

        arrow = [pd.ArrowDtype(pa.timestamp("us", zone)) for zone in (None, "Europe/Zurich")]
        yield "Arrow", X.astype({"timestamp": arrow[0]}), zoned.astype({"timestamp": arrow[1]})
        import polars as pl

        yield "polars", pl.from_pandas(X), pl.from_pandas(zoned)
    except ImportError as error:
        print(f"left out: {error}")


def main(n_rows: int, repeats: int) -> None:
    """Time each task on each table, with and without a zone in turn, and print the ratio of the fastest calls."""
    for held, naive, zoned in tables(n_rows):
        for name, task in TASKS.items():
            seconds: dict[str, list[float]] = {"naive": [], "zoned": []}
            for _ in range(repeats):
                for kind, X in (("naive", naive), ("zoned", zoned)):
                    started = time.perf_counter()
                    task(X)
                    seconds[kind].append(time.perf_counter() - started)
            best = {kind: min(times) for kind, times in seconds.items()}
            print(
                f"{held}, {name}: {1000 * best['naive']:.0f} ms without a zone, {1000 * best['zoned']:.0f} ms with "
                f"one, ratio {best['zoned'] / best['naive']:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    main(arguments.rows, arguments.repeats)
