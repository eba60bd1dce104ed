"""Memory: what many small fits leave behind, and what a fit of twenty million events needs.

python benchmarks/memory.py                 both parts
python benchmarks/memory.py --parts fits    resident memory before and after 200 fits of one structure
python benchmarks/memory.py --parts events  peak above TensorFlow's own footprint, data frame included
"""

import argparse
import resource
from pathlib import Path

import numpy as np

from skrec.datasets import make_interactions
from skrec.models import NCFRanker

MIB = 2**20


def resident():
    """Resident memory of this process in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MIB


def peak():
    """Highest resident memory of this process so far in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB


def many_fits(n_fits=200):
    """Print how memory grows over fits that differ in data, rates, penalties and negatives."""
    rng = np.random.default_rng(0)

    def fit(i):
        events = make_interactions(100 + i % 50, 60 + i % 30, 1000, random_state=i)
        model = NCFRanker(
            epochs=2,
            batch_size=256,
            learning_rate=10 ** rng.uniform(-4, -2),
            l2=10 ** rng.uniform(-6, -3),
            dropout=rng.uniform(0.05, 0.5),
            n_negatives=int(rng.integers(1, 9)),
            random_state=i,
        )
        model.fit(events).recommend(events["user_id"].unique()[:10])

    for i in range(10):
        fit(i)
    before = resident()
    for i in range(n_fits):
        fit(i)
    print(
        f"{n_fits} fits: {before:,.0f} MiB before, {resident():,.0f} MiB after, grown by {resident() - before:.0f} MiB"
    )


def many_events(n_rows=20_000_000):
    """Print the peak memory of one epoch over many events."""
    events = make_interactions(1000, 500, 5000, random_state=0)
    NCFRanker(epochs=1, random_state=0).fit(events)
    footprint = peak()
    rng = np.random.default_rng(0)
    import pandas as pd

    events = pd.DataFrame(
        {
            "user_id": rng.integers(0, 200_000, n_rows, dtype=np.int32),
            "item_id": (50_000 * rng.random(n_rows, dtype=np.float32) ** 3).astype(np.int32),
        }
    )
    held = resident()
    NCFRanker(epochs=1, early_stopping=False, batch_size=8192, random_state=0).fit(events)
    print(
        f"{n_rows:,} events: peak {peak():,.0f} MiB, {(peak() - footprint) / 1024:.2f} GiB above the {footprint:,.0f} "
        f"MiB of a process with a small fit (of it the data frame {events.memory_usage().sum() / MIB:,.0f} "
        f"MiB; {held:,.0f} MiB resident before the fit)"
    )


PARTS = {"fits": many_fits, "events": many_events}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    for part in parser.parse_args().parts:
        PARTS[part]()
