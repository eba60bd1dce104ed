"""Users with no or few events: what rankers as they come recommend to them, beside popularity.

python benchmarks/few_events.py --data DATA_FOLDER                                       all models, 3 seeds
python benchmarks/few_events.py --data DATA_FOLDER --sets ml-100k --models MF SASRec --seeds 1

The sets are those of ``defaults.py``, and so are the models; no parameter is set. Of ten users drawn at random, one
keeps none of the training events, one keeps one (the latest; without times, a random one), one two and one five. The
others keep all. Every model is fitted on what is left, and ranks the whole catalogue for the test events of each group.
The difference from popularity has its standard error beside it.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from defaults import MODELS, SETS, load, validation

from skrec.metrics import make_ranking_scorer

KEPT = [0, 1, 2, 5]


def few_events(rows, test, seed):
    """Return the training rows that are left, the test rows, and how many events each test row's user kept."""
    random = np.random.default_rng(seed)
    users = random.permutation(rows.loc[test, "user_id"].unique())
    kept = pd.Series(-1, index=users)  # all
    for i, n in enumerate(KEPT):
        kept.iloc[i * (len(users) // 10) : (i + 1) * (len(users) // 10)] = n
    train = rows[~test].iloc[random.permutation(int((~test).sum()))]
    if "timestamp" in rows:
        train = train.sort_values("timestamp", kind="stable")
    n = train["user_id"].map(kept).fillna(-1).to_numpy()
    train = train[(n < 0) | (train.groupby("user_id").cumcount(ascending=False).to_numpy() < n)]
    return (
        train.reset_index(drop=True),
        rows[test].reset_index(drop=True),
        rows.loc[test, "user_id"].map(kept).to_numpy(),
    )


def by_user(estimator, rows):
    """Return the NDCG@10 of each user."""
    return make_ranking_scorer("ndcg@10").evaluate(estimator, rows).per_user["ndcg@10"]


def run(model, seed, data):
    """Fit a model and popularity, and return their NDCG@10 for each number of events that users kept."""
    train, test, kept = few_events(*data, seed)
    popular, fitted = (MODELS[name](seed).fit(train) for name in ("popularity", model))
    found = {}
    for n in KEPT:
        rows = test[kept == n].reset_index(drop=True)
        ours, theirs = by_user(fitted, rows), by_user(popular, rows)
        difference = ours - theirs
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        found[str(n)] = [len(difference), theirs.mean(), ours.mean(), difference.mean(), error]
    return found


def show(results):
    """Print one table for each set."""
    for name in dict.fromkeys(key.split(" ")[0] for key in results):
        print(f"\n{name}\n\n| model | events | users | popularity | NDCG@10 | difference |\n|---|---|---|---|---|---|")
        for model in dict.fromkeys(key.split(" ")[1] for key in results if key.split(" ")[0] == name):
            runs = [found for key, found in results.items() if key.split(" ")[:2] == [name, model]]
            for n in KEPT:
                users, popular, ours, difference, error = np.mean([found[str(n)] for found in runs], axis=0)
                error /= np.sqrt(len(runs))
                cells = f"{users:.0f} | {popular:.4f} | {ours:.4f} | {difference:+.4f} ± {error:.4f}"
                print(f"| {model} | {n} | {cells} |", flush=True)


def main():
    """Run what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["ml-100k", "lastfm-2k", "amazon-toys"])
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=[name for name in MODELS if name != "popularity"]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", action="store_true", help="judge by held-out training events, not by the test's")
    options = parser.parse_args()
    results = {}
    for name in options.sets:
        data = load(options.data, name)
        if options.validate:
            data = validation(*data)
        for model in options.models:
            for seed in range(options.seeds):
                results[f"{name} {model} {seed}"] = found = run(model, seed, data)
                print(
                    name, model, seed, {n: np.round(values[1:], 4).tolist() for n, values in found.items()}, flush=True
                )
    show(results)


if __name__ == "__main__":
    main()
