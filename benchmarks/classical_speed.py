"""Fit time and memory of the classical rankers, beside the packages ``implicit`` and ``skrecsys``, in one run.

python benchmarks/classical_speed.py --data ML_1M_FOLDER                         skrec alone
python benchmarks/classical_speed.py --data ML_1M_FOLDER --peers-python PYTHON   beside both, which that Python has
python benchmarks/classical_speed.py --memory 50000                              peak memory at 50,000 items

All models learn the training rows of NCF's split of MovieLens 1M (``ncf/ml-1m.train.rating``; files may be gzipped) and
are judged by its test items among the 99 fixed negatives (HR@10 / NDCG@10), so that times are read at known quality.
The settings are the same in all packages where they have the parameter. A time is the best of ``--repeat`` fits, each
from an array of ids (skrec, skrecsys) or a ready matrix (implicit) in a process of its own; the packages take turns.
Absolute times depend on the machine: quote the ratios. On a machine that is busy with other work, ``--cpu`` counts the
seconds of the processor instead; then pin the benchmark to one core (``taskset -c 0``), or threads count twice.

``--memory N`` fits each model on generated events of N items, 20 an item, in a process of its own, and prints the peak
resident memory above that before ``fit``.
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

K = 100
CLOCK = time.process_time if "--cpu" in sys.argv else time.perf_counter
ALS = {"random_state": 0}
MODELS = {
    "EASE": {"skrec": ("EASERanker", {"l2": 1000.0}), "skrecsys": ("EASE", {"l2_reg": 1000.0})},
    "SLIM": {
        "skrec": ("SLIMRanker", {"alpha": 0.05, "l1_ratio": 0.01, "n_neighbors": K}),
        "skrecsys": ("SLIMElasticNet", {"alpha": 0.05, "l1_ratio": 0.01, "n_neighbors": K}),
    },
    "ALS": {
        "skrec": ("ALSRanker", {"embedding_dim": 64, **ALS}),
        "implicit": ("als.AlternatingLeastSquares", {"factors": 64, "regularization": 5, "alpha": 5, **ALS}),
        "skrecsys": ("AlternatingLeastSquares", {"random_state": 0}),
    },
    "ItemKNN": {
        "skrec": ("ItemKNNRanker", {"n_neighbors": K, "shrink": 0.0}),
        "implicit": ("nearest_neighbours.CosineRecommender", {"K": K}),
        "skrecsys": ("ItemKNNRecommender", {"n_neighbors": K}),
    },
    "RP3Beta": {
        "skrec": ("RP3BetaRanker", {"n_neighbors": K, "alpha": 1.0, "beta": 0.6, "normalize": True}),
        "skrecsys": ("RP3Beta", {"n_neighbors": K, "alpha": 1.0, "beta": 0.6}),
    },
    "UserKNN": {"skrec": ("UserKNNRanker", {})},
    "PureSVD": {"skrec": ("PureSVDRanker", {"random_state": 0})},
}


def load(folder):
    """Return training pairs, and for each test user the test item and the negatives (-1 for a duplicate)."""

    def path(name):
        found = Path(folder) / "ncf" / name
        return found if found.exists() else found.with_name(found.name + ".gz")

    train = np.loadtxt(path("ml-1m.train.rating"), np.int64, usecols=(0, 1))
    test = np.loadtxt(path("ml-1m.test.rating"), np.int64, usecols=(0, 1))
    negatives = np.loadtxt(path("ml-1m.test.negative"), np.int64, usecols=range(1, 100))
    negatives[negatives == test[:, 1:]] = -1
    return train, np.column_stack([test, negatives])


def judge(scores, lists):
    """Return HR@10 and NDCG@10 of scores of shape (n_users, 100), the test item first; ties count against it."""
    ranks = ((scores[:, 1:] >= scores[:, :1]) & (lists[:, 2:] >= 0)).sum(axis=1)
    gains = np.where(ranks < 10, 1 / np.log2(ranks + 2), 0)
    return float((ranks < 10).mean()), float(gains.mean())


def fit_and_score(package, name, parameters, train, lists):
    """Return the seconds of a fit and the scores of the lists."""
    users, items = np.repeat(lists[:, 0], lists.shape[1] - 1), np.maximum(lists[:, 1:], 0)
    pairs = np.column_stack([users, items.ravel()])
    if package == "implicit":
        from scipy.sparse import csr_matrix

        module, _, kind = name.partition(".")
        model = getattr(importlib.import_module(f"implicit.{module}"), kind)(**parameters)
        matrix = csr_matrix((np.ones(len(train), np.float32), (train[:, 0], train[:, 1])))
        started = CLOCK()
        model.fit(matrix, show_progress=False)
        seconds = CLOCK() - started
        if hasattr(model, "user_factors"):
            scores = model.user_factors @ model.item_factors.T
        else:
            scores = (matrix @ model.similarity).toarray()
        scores = np.pad(scores, ((0, 0), (0, max(0, int(items.max()) + 1 - scores.shape[1]))))
        return seconds, np.take_along_axis(scores[lists[:, 0]], items, axis=1)
    model = getattr(importlib.import_module({"skrec": "skrec.models"}.get(package, "skrecsys.recommendation")), name)
    model = model(**parameters)
    started = CLOCK()
    model.fit(train)
    seconds = CLOCK() - started
    known = np.isin(pairs[:, 1], train[:, 1])  # skrecsys refuses others
    scores = np.full(len(pairs), -np.inf)
    scores[known] = model.predict(pairs[known])
    return seconds, scores.reshape(items.shape)


def measure(package, name, parameters, file):
    """Return the time, HR@10 and NDCG@10."""
    with np.load(file) as data:
        train, lists = data["train"], data["lists"]
    seconds, scores = fit_and_score(package, name, parameters, train, lists)
    return seconds, *judge(scores, lists)


def in_process(python, package, model, file, more):
    """Measure a model in a Python of its own."""
    arguments = json.dumps([package, *model, str(file)])
    run = subprocess.run([python, __file__, "--one", arguments, *more], capture_output=True, text=True, check=False)
    if run.returncode:
        return None, run.stderr.strip().splitlines()[-1:]
    return json.loads(run.stdout.splitlines()[-1]), None


def compare(options):
    """Print the table of times."""
    train, lists = load(options.data)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.npz"
        np.savez(file, train=train, lists=lists)
        print(f"{'model':<9}{'package':<10}{'fit s':>8}{'HR@10':>8}{'NDCG@10':>9}   skrec / faster peer")
        for model in options.models:
            times = {}
            pythons = dict.fromkeys(MODELS[model], options.peers_python) | {"skrec": sys.executable}
            for package in list(MODELS[model]) * options.repeat:
                if pythons[package] is None:
                    continue
                found, error = in_process(
                    pythons[package], package, MODELS[model][package], file, ["--cpu"] if options.cpu else []
                )
                if found is None:
                    print(f"{model:<9}{package:<10} {error}")
                    pythons[package] = None
                    continue
                times[package] = min(found, times.get(package, found))
            for package, found in times.items():
                print(f"{model:<9}{package:<10}{found[0]:>8.2f}{found[1]:>8.4f}{found[2]:>9.4f}", flush=True)
            peers = [found[0] for package, found in times.items() if package != "skrec"]
            if peers and "skrec" in times:
                print(f"{'':<44}{times['skrec'][0] / min(peers):.2f}", flush=True)


def memory(name, n_items):
    """Print the memory that a fit on generated events takes."""
    from skrec import models

    random = np.random.default_rng(0)
    n_events, n_users = 20 * n_items, n_items
    popular = (n_items * random.random(n_events) ** 2).astype(np.int64)
    X = np.column_stack([random.integers(0, n_users, n_events), random.permutation(n_items)[popular]])
    class_name, parameters = MODELS[name]["skrec"]
    if name == "EASE":
        parameters = {**parameters, "memory_limit": 100.0}
    models.PopularityRanker().fit(X[:1000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    getattr(models, class_name)(**parameters).fit(X)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{name:<9}{n_items:>9,} items{n_events:>11,} events {peak / 2**20:>7.2f} GiB {seconds:>8.1f} s", flush=True)


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of MovieLens 1M")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--peers-python", help="Python that has implicit and skrecsys")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="count the seconds of the processor")
    parser.add_argument("--memory", type=int, metavar="N", help="measure memory at N items instead")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*json.loads(options.one))))
    elif options.memory and len(options.models) == 1:
        memory(options.models[0], options.memory)
    elif options.memory:
        for name in options.models:
            subprocess.run([sys.executable, __file__, "--memory", str(options.memory), "--models", name], check=False)
    elif options.data:
        compare(options)
    else:
        parser.error("pass --data or --memory")


if __name__ == "__main__":
    main()
