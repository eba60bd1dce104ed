"""Speed of evaluation: skrec's against RecTools's and skrecsys's, in one run.

python benchmarks/evaluation_speed.py --data ML_1M_FOLDER --rectools-python PATH --skrecsys-python PATH

The paths are the Pythons of environments with ``rectools`` and ``skrecsys``; the folder is that of ``next_item.py``.
All 6,040 users of MovieLens 1M are judged by 6 metrics at 3 cut-offs: first by the last event of each, then by the last
ten, from one array of scores (a truncated SVD of the other events, which are left out of the ranking).

Each library takes what it takes, ready made: skrec the scores of all users and items, and the relevant pairs as a
sparse array; the others lists of 20 items, which skrec's ``top_k`` cut from the same scores. How long that took is
printed, and counted only where it says so: skrec's time includes the ranking, for its metrics of accuracy take no
lists. RecTools takes frames of user, item and rank and computes all metrics in one call; skrecsys takes an array and
the relevant items of each user, one call a metric. The libraries run one after the other, each in a process of its own;
the best of several calls counts. The values are compared: those of RecTools's MAP differ where a user has more relevant
items than k, for it divides by their number. Absolute figures depend on the machine; quote the ratios. Run it with
nothing else running.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CUTS = (5, 10, 20)
KINDS = ("ndcg", "recall", "precision", "hit_rate", "map", "mrr")
NAMES = [f"{kind}@{k}" for kind in KINDS for k in CUTS]


def best_of(function, repeats=10):
    """Seconds of the fastest of several calls after a first, and what it returned."""
    result, times = function(), []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times), result


def skrec_part(data):
    """Judge the scores by skrec."""
    from scipy.sparse import csr_array

    import skrec
    from skrec.metrics import ranking_metrics

    scores = data["scores"]
    relevant = csr_array((np.ones(len(data["users"])), (data["users"], data["items"])), shape=scores.shape)
    seconds, values = best_of(lambda: ranking_metrics(relevant, scores, NAMES))
    return {"version": f"skrec {skrec.__version__}", "seconds": seconds, "values": values}


def rectools_part(data):
    """Judge the lists by RecTools; runs in its environment."""
    import pandas as pd
    import rectools
    from rectools import Columns
    from rectools.metrics import MAP, MRR, NDCG, HitRate, Precision, Recall, calc_metrics

    n_users, length = data["lists"].shape
    lists = pd.DataFrame(
        {
            Columns.User: np.repeat(np.arange(n_users), length),
            Columns.Item: data["lists"].ravel(),
            Columns.Rank: np.tile(np.arange(1, length + 1), n_users),
        }
    )
    relevant = pd.DataFrame({Columns.User: data["users"], Columns.Item: data["items"]})
    classes = {"recall": Recall, "precision": Precision, "hit_rate": HitRate, "map": MAP, "mrr": MRR}
    metrics = {f"{kind}@{k}": cls(k=k) for kind, cls in classes.items() for k in CUTS}
    metrics |= {f"ndcg@{k}": NDCG(k=k, divide_by_achievable=True) for k in CUTS}
    seconds, values = best_of(lambda: calc_metrics(metrics, lists, relevant))
    return {"version": f"RecTools {rectools.VERSION}", "seconds": seconds, "values": values}


def skrecsys_part(data):
    """Judge the lists by skrecsys; runs in its environment."""
    from importlib.metadata import version

    from skrecsys import metrics

    functions = {
        "ndcg": metrics.ndcg_at_k,
        "recall": metrics.recall_at_k,
        "precision": metrics.precision_at_k,
        "hit_rate": metrics.hit_rate_at_k,
        "map": metrics.average_precision_at_k,
        "mrr": metrics.reciprocal_rank_at_k,
    }
    lists = data["lists"]
    bounds = np.searchsorted(data["users"], np.arange(1, len(lists)))
    relevant = [set(items.tolist()) for items in np.split(data["items"], bounds)]

    def judge():
        return {f"{kind}@{k}": functions[kind](relevant, lists, k=k) for kind in KINDS for k in CUTS}

    seconds, values = best_of(judge)
    return {"version": f"skrecsys {version('skrecsys')}", "seconds": seconds, "values": values}


PARTS = {"skrec": skrec_part, "RecTools": rectools_part, "skrecsys": skrecsys_part}


def prepare(folder, n_held_out, path):
    """Write scores, lists and the held-out pairs of all users; return the seconds that the lists took."""
    import pandas as pd
    from next_item import load  # skrec is not there in the other environments
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import svds

    from skrec._recommend import top_k

    rows = pd.concat(load(folder)).sort_values(["user_id", "timestamp"], kind="stable")
    last = (rows.groupby("user_id").cumcount(ascending=False) < n_held_out).to_numpy()
    users, items = (pd.factorize(rows[name], sort=True)[0] for name in ("user_id", "item_id"))
    chosen = csr_array((np.ones(len(rows), np.float32)[~last], (users[~last], items[~last])))
    chosen.resize(users.max() + 1, items.max() + 1)
    left, strength, right = svds(chosen, k=32, random_state=0)
    scores = ((left * strength) @ right).astype(np.float32)
    scores[users[~last], items[~last]] = -np.inf
    seconds, (lists, _) = best_of(lambda: top_k(scores, max(CUTS)))
    np.savez(path, scores=scores, lists=lists, users=users[last], items=items[last])
    return seconds


def measure(name, python, path):
    """Run one part with an interpreter of its own."""
    command = [python, __file__, "--part", name, "--data", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The part of {name} failed ({python}):\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Measure all libraries, or the one that this process is for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder of MovieLens 1M")
    parser.add_argument("--rectools-python", help="Python of an environment with rectools")
    parser.add_argument("--skrecsys-python", help="Python of an environment with skrecsys")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](np.load(options.data))))
        return
    pythons = {"skrec": sys.executable, "RecTools": options.rectools_python, "skrecsys": options.skrecsys_python}
    for name, python in pythons.items():
        if python is None:
            parser.error(
                f"--{name.lower()}-python: name the Python of an environment where {name.lower()} is installed"
            )
    with tempfile.TemporaryDirectory() as folder:
        for n_held_out, what in ((1, "the last event"), (10, "the last ten events")):
            path = Path(folder) / "data.npz"
            seconds = prepare(options.data, n_held_out, path)
            print(
                f"By {what} of each user, {len(NAMES)} values; lists of {max(CUTS)} items took {seconds:.3f} s",
                flush=True,
            )
            ours = None
            for name, python in pythons.items():
                part = measure(name, python, path)
                ours = ours or part
                report(part, ours, 0 if part is ours else seconds)


def report(part, ours, listing):
    """Print the seconds of one library, beside skrec's and with the making of its lists, and how its values differ."""
    apart = {name: abs(part["values"][name] - ours["values"][name]) for name in NAMES}
    farthest = max(NAMES, key=apart.__getitem__)
    ratios = [(part["seconds"] + more) / ours["seconds"] for more in (0, listing)]
    print(
        f"  {part['version']:<16}{part['seconds']:7.3f} s, {ratios[0]:5.1f} times skrec's, with the lists "
        f"{ratios[1]:5.1f} times; NDCG@10 {part['values']['ndcg@10']:.6f}; farthest from skrec's: {farthest}, by "
        f"{apart[farthest]:.1e}",
        flush=True,
    )


if __name__ == "__main__":
    main()
