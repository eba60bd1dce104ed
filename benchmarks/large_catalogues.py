"""Sampled softmax against the softmax over the whole catalogue: quality and time of SASRec on the same data.

python benchmarks/large_catalogues.py --data TOYS_FOLDER            Amazon Toys: 12,000 items, with and without sampling
python benchmarks/large_catalogues.py --generated                   200,000 generated items with a known best ranking
python benchmarks/large_catalogues.py --generated --items 20000     fewer, where the whole catalogue is affordable, too

Amazon Toys has fewer items than the limit up to which ``n_negatives="auto"`` uses the whole catalogue, so that the
limit is lowered for the row "negatives sampled". The last event of each user is held out and ranked among the whole
catalogue, without the items of the history. All other parameters are the defaults; early stopping uses events of the
training rows.

The generated items are in groups of 100 with a popularity within the group. A user stays in a group with probability
0.8 from one event to the next. The best ranking is by popularity in the group of the latest event, the user's own items
left out; its score is printed as "best possible".
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from _toys import read_toys

from skrec.base import NetworkRanker
from skrec.metrics import make_ranking_scorer
from skrec.models import PopularityRanker, SASRecRanker

METRICS = ["hit_rate@10", "ndcg@10"]
GROUP, STAYS = 100, 0.8


def load(folder):
    """Return the training and test events of Amazon Toys."""
    rows = read_toys(folder)
    last = rows.groupby("user_id").cumcount(ascending=False) == 0
    return rows[~last], rows[last]


def generate(n_items, n_users, length, seed=0):
    """Return training and test events, and the NDCG@10 of the best ranking."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, GROUP + 1)
    share /= share.sum()
    n_groups = n_items // GROUP
    item_of = rng.permutation(n_groups * GROUP).reshape(n_groups, GROUP)
    groups = np.empty((n_users, length), np.int64)
    groups[:, 0] = rng.integers(n_groups, size=n_users)
    for i in range(1, length):
        stays = rng.random(n_users) < STAYS
        groups[:, i] = np.where(stays, groups[:, i - 1], rng.integers(n_groups, size=n_users))
    ranks = rng.choice(GROUP, size=(n_users, length), p=share)
    items = item_of[groups, ranks]
    rows = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(n_users), length),
            "item_id": items.ravel(),
            "timestamp": np.tile(np.arange(length), n_users),
        }
    )
    gains = np.zeros(n_users)
    for user in range(n_users):
        if groups[user, -1] != groups[user, -2]:
            continue
        known = set(items[user, :-1])
        order = [item for item in item_of[groups[user, -1]] if item not in known][:10]
        if items[user, -1] in order:
            gains[user] = 1 / np.log2(order.index(items[user, -1]) + 2)
    # Items that were chosen before are left out of the ranking, and of the test events.
    last = rows["timestamp"].to_numpy() == length - 1
    new = np.array([items[user, -1] not in set(items[user, :-1]) for user in range(n_users)])
    return rows[~last], rows[last][new], float(gains[new].mean())


def report(name, model, train, test):
    """Fit a model, and print its scores and the time."""
    started = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - started
    scores = make_ranking_scorer(METRICS)(model, test)
    epochs = getattr(model, "n_iter_", "")
    print(
        f"{name:<34}{scores[METRICS[0]]:>8.4f}{scores[METRICS[1]]:>9.4f}{seconds:>9.0f} s  {epochs} epochs", flush=True
    )


def main():
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of Amazon Toys")
    parser.add_argument("--generated", action="store_true", help="generate events instead")
    parser.add_argument("--items", type=int, default=200_000, help="number of generated items")
    parser.add_argument("--users", type=int, default=100_000, help="number of generated users, with 12 events each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parameters", default="{}", help="further parameters of the model, as a Python dict")
    options = parser.parse_args()
    if bool(options.data) == options.generated:
        parser.error("pass either --data or --generated")
    parameters = {"random_state": options.seed, **eval(options.parameters)}
    print(f"{'':<34}{'HR@10':>8}{'NDCG@10':>9}{'fit':>11}")
    if options.generated:
        train, test, best = generate(options.items, options.users, 12)
        print(f"{'best possible':<34}{'':>8}{best:>9.4f}")
    else:
        train, test = load(options.data)
    report("popularity", PopularityRanker(), train, test)
    report("negatives sampled", Sampled(**parameters), train, test)
    if train["item_id"].nunique() <= NetworkRanker._full_catalogue or options.items <= 50_000:
        report("whole catalogue", SASRecRanker(n_negatives="all", **parameters), train, test)


class Sampled(SASRecRanker):
    """SASRec that samples negatives whatever the size of the catalogue."""

    _full_catalogue = 0


if __name__ == "__main__":
    main()
