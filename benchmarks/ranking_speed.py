"""Speed of ranking a whole catalogue for all users, in one run.

python benchmarks/ranking_speed.py

NeuMF: ``recommend`` against every (user, item) pair through the same compiled network. GMF: ``recommend`` against a
NumPy matrix product with ``argpartition``. 6,040 users, 3,706 items, one million events; seen items left out. Absolute
figures depend on the machine; quote the ratios. Run it with nothing else running.
"""

import argparse
import time

import numpy as np

from skrec.datasets import make_interactions
from skrec.models import NCFRanker

K = 10


def best_of(function, repeats):
    """Seconds of the fastest of several calls."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def top_k_of_rows(scores, seen):
    """Mask, partition and sort, as one would write it in NumPy."""
    scores[seen.nonzero()] = -np.inf
    best = np.argpartition(scores, -K, axis=1)[:, -K:]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def every_pair(model, chunk=64):
    """Rank with a score for each pair of a user and an item, without sharing anything between them."""
    users, items = model.users_, model.items_
    for at in range(0, len(users), chunk):
        part = users[at : at + chunk]
        pairs = np.empty((len(part) * len(items), 2), dtype=np.int64)
        pairs[:, 0], pairs[:, 1] = np.repeat(part, len(items)), np.tile(items, len(part))
        top_k_of_rows(model.predict(pairs).reshape(len(part), len(items)), model.seen_items(part))


def numpy_ranking(model, chunk=1024):
    """Rank factors in NumPy: product, mask, partition, sort."""
    users, items = model.user_embeddings_, model.item_embeddings_
    seen = model.seen_items(model.users_)
    for at in range(0, len(users), chunk):
        top_k_of_rows(users[at : at + chunk] @ items.T, seen[at : at + chunk])


def compare(name, model, other, what, repeats=5):
    """Print the seconds of recommend and of the other way, and their ratio."""
    model.recommend(model.users_[:200], k=K, as_frame=False)  # traced before it is timed
    ours = best_of(lambda: model.recommend(model.users_, k=K, as_frame=False), repeats)
    theirs = best_of(lambda: other(model), max(1, repeats // 2))
    print(f"{name}: recommend {ours:.3f} s ({len(model.users_) / ours:,.0f} users/s), {what} {theirs:.3f} s, "
          f"ratio {theirs / ours:.1f}", flush=True)  # fmt: skip


def main():
    """Fit one epoch of each, and time."""
    events = make_interactions(6040, 3706, 1_000_000, random_state=0)[["user_id", "item_id"]].to_numpy()
    settings = {"epochs": 1, "early_stopping": False, "random_state": 0}
    neumf = NCFRanker(embedding_dim=32, mlp_embedding_dim=32, hidden_units=(64, 32, 16), **settings).fit(events)
    compare("NeuMF", neumf, every_pair, "every pair through the network")
    gmf = NCFRanker(architecture="gmf", embedding_dim=64, **settings).fit(events)
    compare("GMF, 64 factors", gmf, numpy_ranking, "NumPy product and argpartition")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    main()
