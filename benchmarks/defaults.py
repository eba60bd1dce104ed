"""All rankers as they come, on six sets of data: quality under full ranking, and the time to fit.

python benchmarks/defaults.py --data DATA_FOLDER                                     everything, 3 seeds
python benchmarks/defaults.py --data DATA_FOLDER --sets lastfm-2k --models MF --seeds 1
python benchmarks/defaults.py --data DATA_FOLDER --results defaults.json             resumes a stopped run
python benchmarks/defaults.py --data DATA_FOLDER --validate --results chosen.json    without the test events

The folder holds a folder for each set: ``ml-100k``, ``ml-1m``, ``amazon-toys``, ``sasrec-video``, ``lastfm-2k`` and
``frappe``. On the first four sets, the last event of each user is held out, and the model is fitted on all others.
``lastfm-2k`` has a test file. Of ``frappe``, a fifth of the distinct pairs of user and item is held out at random. The
whole catalogue is ranked, without the items of the user's training events.

No parameter is set. Models that stop early hold out events of the rows that they are fitted on; test events decide
nothing. With ``--validate``, the test events are dropped first, and of the others, the last one of each user or a tenth
is held out: these are the figures by which defaults are chosen. A model without randomness is fitted once.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from _toys import read_toys

from skrec.inspection import compare
from skrec.models import (
    ALSRanker,
    EASERanker,
    GRU4RecRanker,
    ItemKNNRanker,
    LightGCNRanker,
    MultVAERanker,
    NCFRanker,
    PopularityRanker,
    SASRecRanker,
)

METRICS = ["hit_rate@10", "ndcg@10", "recall@10"]
MODELS = {
    "popularity": lambda seed: PopularityRanker(),
    "ItemKNN": lambda seed: ItemKNNRanker(),
    "EASE": lambda seed: EASERanker(),
    "ALS": lambda seed: ALSRanker(random_state=seed),
    "MF": lambda seed: NCFRanker(architecture="mf", random_state=seed),
    "NeuMF": lambda seed: NCFRanker(random_state=seed),
    "LightGCN": lambda seed: LightGCNRanker(random_state=seed),
    "Mult-VAE": lambda seed: MultVAERanker(random_state=seed),
    "SASRec": lambda seed: SASRecRanker(random_state=seed),
    "GRU4Rec": lambda seed: GRU4RecRanker(random_state=seed),
}
WITHOUT_SEED = {"popularity", "ItemKNN", "EASE"}
SETS = ["ml-100k", "ml-1m", "amazon-toys", "sasrec-video", "lastfm-2k", "frappe"]
IDS = ["user_id", "item_id"]


def read(path, **options):
    """Read one file, gzipped or not."""
    path = Path(path)
    return pd.read_csv(path if path.exists() else path.with_name(path.name + ".gz"), **options)


def last_events(rows):
    """Split off the last event of each user."""
    rows = rows.sort_values(["user_id", "timestamp"], kind="stable", ignore_index=True)
    return rows, rows.groupby("user_id").cumcount(ascending=False).to_numpy() == 0


def load(folder, name):
    """Return the events of a set, and a mask of the test events."""
    folder = Path(folder) / name
    if name == "ml-100k":
        rows = read(folder / "u.data", sep="\t", names=[*IDS, "rating", "timestamp"])
        return last_events(rows[[*IDS, "timestamp"]])
    if name == "ml-1m":
        rows = read(folder / "ratings.csv").query("time_rank >= 0")
        rows = rows.rename(columns={"movie_id": "item_id", "time_rank": "timestamp"})
        return last_events(rows[[*IDS, "timestamp"]])
    if name == "amazon-toys":
        return last_events(read_toys(folder))
    if name == "sasrec-video":
        rows = read(folder / "Video.txt", sep=" ", names=IDS)
        return last_events(rows.assign(timestamp=rows.groupby("user_id").cumcount()))
    if name == "lastfm-2k":
        parts = [read(folder / f"{part}.txt", sep="\t", names=[*IDS, "plays"])[IDS] for part in ("data1", "test1")]
        return pd.concat(parts, ignore_index=True), np.repeat([False, True], [len(part) for part in parts])
    rows = read(folder / "frappe.csv", sep="\t").rename(columns={"user": "user_id", "item": "item_id"})
    rows = rows[IDS].drop_duplicates(ignore_index=True)
    test = np.zeros(len(rows), bool)
    test[np.random.default_rng(0).permutation(len(rows))[: len(rows) // 5]] = True
    return rows, test


def validation(rows, test):
    """Drop the test events, and hold out others: the last event of each user, or a tenth."""
    rows = rows[~test].reset_index(drop=True)
    if "timestamp" in rows:
        return last_events(rows)
    held_out = np.zeros(len(rows), bool)
    held_out[np.random.default_rng(1).permutation(len(rows))[: len(rows) // 10]] = True
    return rows, held_out


def run(name, model, seed, data):
    """Fit and judge one model."""
    rows, test = data
    split = [(np.flatnonzero(~test), np.flatnonzero(test))]
    found = compare({name: MODELS[model](seed)}, rows, cv=split, scoring=METRICS, baseline=False, n_resamples=99)
    line = found.table.iloc[0]
    return {column: float(line[column]) for column in (*METRICS, "fit_seconds", "rank_seconds")}


def save(path, results):
    """Write the results so that a stopped run resumes where it stopped."""
    path.with_suffix(".part").write_text(json.dumps(results, indent=1), encoding="utf-8")
    path.with_suffix(".part").replace(path)


def show(results, sets, models, *, validate=False):
    """Print one table for each set."""
    results = {key: value for key, value in results.items() if key.endswith("validate") == validate}
    for name in sets:
        print(f"\n{name}\n\n| model | HR@10 | NDCG@10 | R@10 | fit, s | seeds |\n|---|---|---|---|---|---|")
        for model in models:
            runs = [value for key, value in results.items() if key.split(" ")[:2] == [name, model]]
            if not runs:
                continue
            table = pd.DataFrame(runs)
            mean, spread = table.mean(), table.std(ddof=0)
            cells = [
                f"{mean[metric]:.4f}" + (f" ± {spread[metric]:.4f}" if len(runs) > 1 else "") for metric in METRICS
            ]
            print(f"| {model} | {' | '.join(cells)} | {mean['fit_seconds']:.1f} | {len(runs)} |", flush=True)


def main():
    """Run what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", action="store_true", help="judge by held-out training events, not by the test's")
    parser.add_argument("--results", default="defaults.json", help="file of the results; an existing one is resumed")
    options = parser.parse_args()
    path = Path(options.results)
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for seed in range(options.seeds):
        for name in options.sets:
            data = load(options.data, name)
            if options.validate:
                data = validation(*data)
            for model in options.models:
                key = f"{name} {model} {seed}" + (" validate" if options.validate else "")
                if key in results or (seed and model in WITHOUT_SEED):
                    continue
                results[key] = run(name, model, seed, data)
                print(key, {column: round(value, 4) for column, value in results[key].items()}, flush=True)
                save(path, results)
    show(results, options.sets, options.models, validate=options.validate)


if __name__ == "__main__":
    main()
