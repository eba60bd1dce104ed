"""How long one query takes: p50 and p99 of ``recommend`` and ``predict``, beside ``implicit`` and ``skrecsys``.

python benchmarks/latency.py                                  skrec alone, 5,000 and 50,000 items
python benchmarks/latency.py --peers-python PYTHON            beside the peers which that Python has, in turns
python benchmarks/latency.py --quick                          a minute: 5,000 items, few queries
python benchmarks/latency.py --start                          from the start of a process to its first recommendation

Each model learns the same generated events (``--events`` for each of ``--users`` users) in a process of its own, with
one thread, one user per request, the ten best items without those seen, after a warm-up. ``arrays`` is
``recommend(..., as_frame=False)``, ``frame`` the default, ``predict`` the score of one row in a DataFrame. Sequence
models read histories of 50 events. ``--threads 16`` adds the requests per second of so many threads beside those of
one, after a check that their answers are the same.

A time depends on the machine, and is only read well on a quiet core (``taskset -c 0``): quote ratios to the peers.

``--start`` saves and exports models and starts a new process for each measurement: the median of five, in seconds, and
its peak resident memory (on Linux), beside those of the bare import of TensorFlow.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

K, SEQUENCE = 10, 50
AT_MOST = 20.0  # seconds for the queries of a model
NETWORK = {"epochs": 1, "random_state": 0}
MODELS = {
    "EASE": ("skrec", "EASERanker", {"memory_limit": 100.0}),
    "ItemKNN": ("skrec", "ItemKNNRanker", {"n_neighbors": 100}),
    "ALS": ("skrec", "ALSRanker", {"embedding_dim": 64, "random_state": 0, "epochs": 3}),
    "MF": ("skrec", "NCFRanker", {"architecture": "mf", **NETWORK}),
    "NeuMF": ("skrec", "NCFRanker", {"architecture": "neumf", **NETWORK}),
    "SASRec": ("skrec", "SASRecRanker", {"max_history": SEQUENCE, **NETWORK}),
    "DCN": ("skrec", "DCNRanker", NETWORK),
    "DIN": ("skrec", "DINRanker", {"max_history": SEQUENCE, **NETWORK}),
    "ItemKNN (implicit)": ("implicit", "nearest_neighbours.CosineRecommender", {"K": 100}),
    "ALS (implicit)": ("implicit", "als.AlternatingLeastSquares", {"factors": 64, "iterations": 3, "random_state": 0}),
    "EASE (skrecsys)": ("skrecsys", "EASE", {}),
    "ItemKNN (skrecsys)": ("skrecsys", "ItemKNNRecommender", {"n_neighbors": 100}),
    "ALS (skrecsys)": ("skrecsys", "AlternatingLeastSquares", {"random_state": 0}),
}
LARGE = {"EASE", "EASE (skrecsys)"}  # a dense matrix of the items: 5,000 alone
QUICK = {"EASE", "ItemKNN", "MF", "SASRec", "DCN", "ItemKNN (implicit)", "ALS (implicit)", "EASE (skrecsys)"}
STARTED = ["EASE", "MF", "SASRec"]
PEAK = 'print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))'
START = """
import {module} as package
print(len(package.load({path!r}).recommend([{user!r}])))
"""


def events(n_users, n_items, each):
    """Return user, item and time of events; items by popularity, as ids that are numbers."""
    random = np.random.default_rng(0)
    popular = np.minimum((n_items * random.random((n_users, each)) ** 2).astype(np.int64), n_items - 1)
    popular.ravel()[:n_items] = np.arange(n_items)[: popular.size]  # as many items as were asked for
    random.shuffle(popular.ravel())
    return np.repeat(np.arange(n_users), each), popular.ravel(), np.tile(np.arange(each), n_users)


def fitted(name, data):
    """Return a fitted model, and the functions of a user to time."""
    package, class_name, parameters = MODELS[name]
    users, items, _ = data
    if package == "skrec":
        return ours(class_name, parameters, data)
    if package == "skrecsys":
        model = getattr(importlib.import_module("skrecsys.recommendation"), class_name)(**parameters)
        model.fit(np.column_stack([users, items]))
        return model, {"arrays": lambda user: model.recommend([user], n_recommendations=K)}
    from scipy.sparse import csr_matrix

    module, _, kind = class_name.partition(".")
    model = getattr(importlib.import_module(f"implicit.{module}"), kind)(**parameters)
    matrix = csr_matrix((np.ones(len(users), np.float32), (users, items)))
    model.fit(matrix, show_progress=False)
    return model, {"arrays": lambda user: model.recommend(user, matrix[user], N=K, filter_already_liked_items=True)}


def ours(class_name, parameters, data):
    """Return a fitted model of skrec, and the functions of a user to time."""
    import pandas as pd

    from skrec import models

    users, items, times = data
    X = pd.DataFrame({"user_id": users, "item_id": items, "timestamp": times})
    if class_name == "DCNRanker":
        X["genre"], X["hour"] = np.char.add("g", (items % 20).astype(str)).astype(object), times % 24
        parameters = {**parameters, "item_features": ["genre"]}
    model = getattr(models, class_name)(**parameters).fit(X)
    rows = [X.iloc[[at]] for at in range(1000)]
    return model, {
        "arrays": lambda user: model.recommend([user], K, as_frame=False),
        "frame": lambda user: model.recommend([user], K),
        "predict": lambda user: model.predict(rows[user % len(rows)]),
    }


def percentiles(function, users):
    """Return the median and the 99th percentile of the time of a call, in milliseconds."""
    started = time.perf_counter()
    for user in users[:50]:
        function(user)
        if time.perf_counter() - started > AT_MOST / 4:
            break
    spent = []
    while len(spent) < len(users) and (len(spent) < 20 or sum(spent) < AT_MOST):
        started = time.perf_counter()
        function(users[len(spent)])
        spent.append(time.perf_counter() - started)
    return [1e3 * float(value) for value in np.percentile(spent, [50, 99])]


def throughput(function, users, n_threads):
    """Return the requests per second of one thread and of several, which must answer the same."""
    started = time.perf_counter()
    alone = [function(user) for user in users]
    one = len(users) / (time.perf_counter() - started)
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(function, users[:n_threads]))
        started = time.perf_counter()
        together = list(pool.map(function, users))
        several = len(users) / (time.perf_counter() - started)
    same = all(np.array_equal(x, y) for a, b in zip(alone, together, strict=True) for x, y in zip(a, b, strict=True))
    if not same:
        raise SystemExit("Threads answer differently.")
    return [one, several]


def measure(name, n_items, options):
    """Return the times of a model, by what was called."""
    _, functions = fitted(name, events(options["users"], n_items, options["events"]))
    users = np.random.default_rng(1).integers(0, options["users"], options["queries"]).tolist()
    found = {what: percentiles(function, users) for what, function in functions.items()}
    if options["threads"] > 1:
        found["threads"] = throughput(functions["arrays"], users, options["threads"])
    return found


def in_process(python, *arguments):
    """Measure a model in a Python of its own, with one thread."""
    one = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    tensorflow = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [python, __file__, "--one", json.dumps(arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **one, **tensorflow})
    if run.returncode:
        return None, (run.stderr.strip().splitlines() or ["no message"])[-1]
    return json.loads(run.stdout.splitlines()[-1]), None


def compare(options):
    """Print the table of times."""
    settings = {name: getattr(options, name) for name in ("users", "events", "queries", "threads")}
    columns = ["arrays", "frame", "predict"]
    print(f"{'items':>7} {'model':<20}" + "".join(f"{what + ' p50':>13}{'p99':>8}" for what in columns) + "   ms")
    for n_items, name in product(options.items, options.models):
        package = MODELS[name][0]
        python = sys.executable if package == "skrec" else options.peers_python
        if python is None or (name in LARGE and n_items > 10_000):
            continue
        found, error = in_process(python, name, n_items, settings)
        if found is None:
            print(f"{n_items:>7,} {name:<20} {error}", flush=True)
            continue
        cells = [found.get(what) for what in columns]
        line = "".join(f"{'':>21}" if cell is None else f"{cell[0]:>13.2f}{cell[1]:>8.2f}" for cell in cells)
        if "threads" in found:
            one, several = found["threads"]
            line += (
                f"   {one:,.0f} requests a second, {several:,.0f} in {options.threads} threads ({several / one:.2f})"
            )
        print(f"{n_items:>7,} {name:<20}{line}", flush=True)


def start(options):
    """Print the time and memory of a process until its first recommendation."""
    import skrec

    data = events(options.users, options.items[0], options.events)
    with tempfile.TemporaryDirectory() as folder:
        codes = {"import tensorflow": "import tensorflow"}
        for name in [name for name in STARTED if name in options.models]:
            model = ours(*MODELS[name][1:], data)[0]
            path, user = str(Path(folder) / f"{name}.skrec"), model.users_[0].item()
            skrec.save(model, path)
            codes[f"{name}, skrec.load"] = START.format(module="skrec", path=path, user=user)
            path = str(Path(folder) / f"{name}.bundle")
            skrec.export(model, path)
            codes[f"{name}, bundle"] = START.format(module="skrec.serving", path=path, user=user)
        print(f"{'':<26}{'seconds':>8}{'MiB':>8}")
        for what, code in codes.items():
            spent, memory = [], []
            for _ in range(5):
                started = time.perf_counter()
                run = subprocess.run(
                    [sys.executable, "-c", f"{code}\n{PEAK}"], capture_output=True, text=True, check=False
                )
                spent.append(time.perf_counter() - started)
                if run.returncode:
                    print(f"{what:<26} {(run.stderr.strip().splitlines() or ['no message'])[-1]}", flush=True)
                    break
                memory.append(int(run.stdout.split()[-1]) / 2**10)
            else:
                print(f"{what:<26}{np.median(spent):>8.2f}{np.median(memory):>8.0f}", flush=True)


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=60, help="events of each user")
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--peers-python", help="Python that has implicit and skrecsys")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--start", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.items, options.users, options.queries = options.items[:1], 300, 100
        options.models = [name for name in options.models if name in QUICK]
    if options.one:
        print(json.dumps(measure(*json.loads(options.one))))
    elif options.start:
        start(options)
    else:
        compare(options)


if __name__ == "__main__":
    main()
