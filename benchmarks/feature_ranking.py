"""Ranking with features on MovieLens 100K, by time: users and movies absent from training reported apart; NDCG@10.

python benchmarks/feature_ranking.py --data ML_100K_FOLDER
python benchmarks/feature_ranking.py --data ML_100K_FOLDER --models FM --seeds 1
python benchmarks/feature_ranking.py --data ML_100K_FOLDER --tune      settings, on earlier events

The folder holds ``u.data``, ``u.user`` and ``u.item``, each of which may be gzipped. Every rating is an event. By their
real times, the earliest 70, 80 and 90 % of the events are trained on, each time to judge by the 10 % that follow; the
means are over the users of all three, since one part has but some forty users with an event of a new movie. Settings
are chosen in the same way at 50 and 60 %, so that the models never see an event that they are judged by.

For each user of the later events all 1,682 movies are ranked, known or not, but those of the user's training events:
``score_items`` gets the users with their features as queries and the movies with theirs as candidates. (The scorers of
``skrec.metrics`` rank the training catalogue, in which a new movie is a miss; so the metric is computed here.)

``cold users``: users without a training event; ``known users``: the others. ``cold movies``: only the later events
of movies without a training event are relevant, among all movies; ``among cold movies``: the same events, with only
such movies to choose from, which popularity cannot tell apart (its ties are broken at random, not against it).
"""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _ctr import grid

from skrec.metrics import ndcg_at_k
from skrec.models import DCNRanker, DeepFMRanker, FMRanker, PopularityRanker

GENRES = ["unknown", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama"]
GENRES += ["Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"]
USER_FEATURES = ["age", "gender", "occupation", "region"]
MOVIE_FEATURES = ["year", "genres"]
COMMON = {"item_features": MOVIE_FEATURES, "multivalued_features": ["genres"], "learning_rate": 0.003}
MODELS = {
    "FM": (FMRanker, {"loss": "softmax", "n_negatives": "all", "batch_size": 256, "ema_momentum": 0.8}),
    "DeepFM": (DeepFMRanker, {"batch_size": 1024}),
    "DCN": (DCNRanker, {"batch_size": 1024}),
}
# Much of the ids is dropped in training, since most of the users to come are new.
CANDIDATES = {
    "FM": grid(l2=[0.01, 0.03, 0.1], epochs=[12, 20, 30], id_dropout=[0.3, 0.5]),
    "DeepFM": grid(l2=[0.001, 0.003], epochs=[4, 8, 16], id_dropout=[0.5]),
    "DCN": grid(l2=[0.001, 0.003], epochs=[4, 8, 16], id_dropout=[0.5]),
}
CHOSEN = {
    "FM": {"l2": 0.03, "epochs": 30, "id_dropout": 0.3},
    "DeepFM": {"l2": 0.003, "epochs": 8, "id_dropout": 0.5},
    "DCN": {"l2": 0.003, "epochs": 8, "id_dropout": 0.5},
}


def read(folder, name, names, **options):
    """Read one file of the data set, gzipped or not."""
    path = Path(folder) / name
    path = path if path.exists() else path.with_name(path.name + ".gz")
    return pd.read_csv(path, names=names, header=None, encoding="latin-1", **options)


def load(folder):
    """Return the events in order of time, the users and the movies."""
    events = read(folder, "u.data", ["user_id", "item_id", "rating", "timestamp"], sep="\t")
    users = read(folder, "u.user", ["user_id", "age", "gender", "occupation", "zip"], sep="|")
    users["region"] = users["zip"].str[0]
    movies = read(folder, "u.item", ["item_id", "title", "released", "video", "url", *GENRES], sep="|")
    movies["year"] = pd.to_datetime(movies["released"], format="%d-%b-%Y").dt.year
    movies["genres"] = movies[GENRES].astype(bool).apply(lambda row: "|".join(row.index[row]), axis=1)
    events = events.sort_values("timestamp", kind="stable", ignore_index=True).drop(columns="rating")
    return events, users[["user_id", *USER_FEATURES]], movies[["item_id", *MOVIE_FEATURES]]


def relevance(events, users, movies):
    """Return which of the movies each of the users had to do with, (n_users, n_movies)."""
    table = np.zeros((len(users), len(movies)), bool)
    known = events[events["user_id"].isin(users)]
    table[pd.Index(users).get_indexer(known["user_id"]), pd.Index(movies).get_indexer(known["item_id"])] = True
    return table


def judge(model, train, held_out, users, movies):
    """NDCG@10 of each user, by what is relevant: arrays with NaN for users without a relevant event."""
    queries = users[users["user_id"].isin(held_out["user_id"])]
    relevant = relevance(held_out, queries["user_id"], movies["item_id"])
    scores = model.score_items(queries, movies).astype(float)
    scores[relevance(train, queries["user_id"], movies["item_id"])] = -np.inf
    known = queries["user_id"].isin(train["user_id"]).to_numpy()
    cold = ~movies["item_id"].isin(train["item_id"]).to_numpy()
    broken = scores[:, cold] + 1e-9 * np.random.default_rng(0).random((len(queries), cold.sum()))
    parts = {
        "all users": (relevant, scores),
        "known users": (relevant[known], scores[known]),
        "cold users": (relevant[~known], scores[~known]),
        "cold movies": (relevant & cold, scores),
        "among cold movies": (relevant[:, cold], broken),
    }
    return {name: ndcg_at_k(*part, k=10, per_user=True) for name, part in parts.items()}


def with_features(events, users, movies):
    """Put the features beside the ids."""
    return events.merge(users, on="user_id").merge(movies, on="item_id")


def show(name, judged, seconds, note=""):
    """Print a row of the table: means over the users of all parts and seeds."""
    values = {part: np.concatenate([one[part] for one in judged]) for part in judged[0]}
    cells = "".join(f"{np.nanmean(value):>19.4f}" for value in values.values())
    print(f"{name:<18}{cells}{seconds:>9.0f}  {note}", flush=True)


def compare(options, events, tables, starts, settings):
    """Fit the models on the events before each start, and judge them on the tenth that follows."""
    users, movies = tables
    at = [(int(start * len(events)), int((start + 0.1) * len(events))) for start in starts]
    parts = [(events[:start], events[start:end]) for start, end in at]
    judged = [judge(PopularityRanker().fit(train), train, held_out, users, movies) for train, held_out in parts]
    counts = {name: int(sum(np.isfinite(one[name]).sum() for one in judged)) for name in judged[0]}
    print(f"Training on the first {starts} of {len(events):,} events; users in each mean: {counts}")
    print(f"{'NDCG@10':<18}{''.join(f'{name:>19}' for name in counts)}{'seconds':>9}")
    show("PopularityRanker", judged, 0)
    for name in options.models:
        estimator, fixed = MODELS[name]
        for chosen in settings[name]:
            judged, started = [], time.perf_counter()
            for seed, (train, held_out) in itertools.product(range(options.seeds), parts):
                model = estimator(**COMMON, **fixed, **chosen, random_state=seed)
                model.fit(with_features(train, users, movies))
                judged.append(judge(model, train, held_out, users, movies))
            show(name, judged, (time.perf_counter() - started) / len(judged), f"{chosen}")


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of MovieLens 100K")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tune", action="store_true", help="try settings on earlier events")
    options = parser.parse_args()
    events, *tables = load(options.data)
    if options.tune:
        options.seeds = 1
        compare(options, events, tables, (0.5, 0.6), CANDIDATES)
    else:
        compare(options, events, tables, (0.7, 0.8, 0.9), {name: [CHOSEN[name]] for name in MODELS})


if __name__ == "__main__":
    main()
