"""Models on graphs: LightGCN, XSimGCL, friends and MKR, beside models without a graph.

python benchmarks/graphs.py --data DATA_FOLDER                                   all protocols
python benchmarks/graphs.py --data DATA_FOLDER --protocols lastfm-2k --seeds 1   one of them, with one seed
python benchmarks/graphs.py --data DATA_FOLDER --choose                          scores of validation rows instead

ml-1m      Rows of rating 3 and more, each user's rows 8:1:1 at random, full ranking, R@10 / NDCG@10.
lastfm-2k  Training and test files of LightGCN's repository, full ranking, and the friends of the users.
movie-kg   Ratings 4 and 5 of movies with an entity, as many random unseen movies as negatives, 6:2:2 at random, AUC and
           accuracy. The graph's movies are mapped to MovieLens ids by ``item_index2entity_id``.

Settings of ``lastfm-2k`` were compared on a tenth of each user's training rows (they are training rows again for the
test), and those of ``movie-kg`` on the second part; the weight of the friends and the settings of ``ml-1m`` have not
been searched. No setting was chosen on test rows. The training and validation items of a user are not ranked.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

from skrec.models import LightGCNRanker, MKRClassifier, NCFClassifier, NCFRanker, PopularityRanker

MF = {"architecture": "mf", "embedding_dim": 64, "loss": "bpr", "n_negatives": 1, "reject_positives": True}
XSIMGCL = {"n_layers": 2, "layer_weights": (0, 0.5, 0.5), "contrastive_weight": 0.1, "noise": 0.2}
ML = {"batch_size": 65536, "learning_rate": 0.03, "l2": 1e-5}
LAST = {"batch_size": 2048, "learning_rate": 0.01, "l2": 1e-3, "epochs": 60}
RANKERS = {
    "ml-1m": {
        "MF, BPR": (NCFRanker, {**MF, **ML, "epochs": 60}, ".1776 / .2401"),
        "LightGCN, BPR": (LightGCNRanker, {**ML, "n_layers": 2, "epochs": 60, "loss": "bpr"}, ".1861 / .2538"),
        "XSimGCL, BPR": (LightGCNRanker, {**ML, **XSIMGCL, "epochs": 30, "loss": "bpr"}, ".2116 / .2750"),
        "MF, softmax": (NCFRanker, {"architecture": "mf"}, ""),
        "LightGCN, softmax": (LightGCNRanker, {}, ""),
    },
    "lastfm-2k": {
        "popularity": (PopularityRanker, {}, ""),
        "MF, BPR": (NCFRanker, {**MF, **LAST, "learning_rate": 0.003}, ""),
        "LightGCN, BPR": (LightGCNRanker, {**LAST, "loss": "bpr"}, ""),
        "LightGCN, BPR + friends": (
            LightGCNRanker,
            {**LAST, "loss": "bpr", "friends": True, "user_graph_weight": 0.3},
            "",
        ),
        "XSimGCL, BPR": (LightGCNRanker, {**LAST, **XSIMGCL, "epochs": 30, "loss": "bpr"}, ""),
        "MF, softmax": (NCFRanker, {"architecture": "mf"}, ""),
        "LightGCN, softmax": (LightGCNRanker, {}, ""),
        "LightGCN, softmax + friends": (LightGCNRanker, {"friends": True, "user_graph_weight": 0.3}, ""),
    },
}
KNOWLEDGE = {"batch_size": 4096, "learning_rate": 0.02, "early_stopping": False, "id_dropout": 0.0}
CLASSIFIERS = {
    "MF": (NCFClassifier, {**KNOWLEDGE, "architecture": "gmf", "embedding_dim": 8, "epochs": 20, "l2": 1e-4}, ""),
    "MKR": (MKRClassifier, {**KNOWLEDGE, "epochs": 20, "l2": 1e-4}, ".917 / .843"),
}


def read(path, names, sep=r"\s+"):
    return pd.read_csv(path, sep=sep, header=None, names=names, engine="c")


def load_ml(folder, rng):
    """Return training, validation and test rows: 8:1:1 of each user."""
    rows = pd.read_csv(next(Path(folder).glob("ml-1m/ratings.csv*")), usecols=["user_id", "movie_id", "rating"])
    rows = rows[rows["rating"] >= 3].rename(columns={"movie_id": "item_id"})[["user_id", "item_id"]]
    rows = rows.iloc[rng.permutation(len(rows))]
    share = (rows.groupby("user_id").cumcount() + 0.5) / rows.groupby("user_id")["user_id"].transform("size")
    return rows[share < 0.8], rows[(share >= 0.8) & (share < 0.9)], rows[share >= 0.9]


def load_lastfm(folder, rng, *, choose):
    """Return training, validation and test rows, and the friends."""
    folder = Path(folder) / "lastfm-2k"
    train, test = (
        read(next(folder.glob(name)), ["user_id", "item_id", "plays"])[["user_id", "item_id"]]
        for name in ("data1.txt*", "test1.txt*")
    )
    friends = read(next(folder.glob("trustnetwork.txt*")), ["source", "target"])
    if not choose:
        return train, train[:0], test, friends
    train = train.iloc[rng.permutation(len(train))]
    share = (train.groupby("user_id").cumcount() + 0.5) / train.groupby("user_id")["user_id"].transform("size")
    return train[share < 0.9], train[share >= 0.9], test, friends


def load_movies(folder, rng):
    """Return training, validation and test rows with labels, and the triples."""
    folder = Path(folder)
    ratings = pd.read_csv(next(folder.glob("ml-1m/ratings.csv*")), usecols=["user_id", "movie_id", "rating"])
    entities = read(next(folder.glob("movie-kg/item_index2entity_id*")), ["movie_id", "entity"])
    triples = read(next(folder.glob("movie-kg/kg.txt*")), ["head", "relation", "tail"])
    ratings = ratings.merge(entities, on="movie_id").rename(columns={"entity": "item_id"})
    liked = ratings[ratings["rating"] >= 4][["user_id", "item_id"]].assign(label=1)
    items = entities["entity"].to_numpy()
    rated = ratings.groupby("user_id")["item_id"].agg(set)
    parts = [liked]
    for user, n in liked.groupby("user_id").size().items():
        unseen = np.setdiff1d(items, list(rated[user]))
        drawn = rng.choice(unseen, min(n, len(unseen)), replace=False)
        parts.append(pd.DataFrame({"user_id": user, "item_id": drawn, "label": 0}))
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.iloc[rng.permutation(len(rows))]
    first, second = int(0.6 * len(rows)), int(0.8 * len(rows))
    return rows[:first], rows[first:second], rows[second:], triples


def judge(model, rows, others, k=10):
    """Recall@k and NDCG@k over the catalogue without the training items and those of `others`."""
    users = rows["user_id"].unique()
    exclude = others if len(others) else None
    items, _ = model.recommend(users, k=k, exclude=exclude, as_frame=False)
    relevant = rows.groupby("user_id")["item_id"].agg(set)
    hits = np.array([[item in relevant[user] for item in row] for user, row in zip(users, items, strict=True)])
    n = np.array([len(relevant[user]) for user in users])
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)[np.minimum(n, k) - 1]
    return (hits.sum(axis=1) / n).mean(), (hits @ gains / ideal).mean()


def rank(protocol, folder, seed, *, choose):
    """Yield the name, figures and seconds of each ranker."""
    rng = np.random.default_rng(seed)
    if protocol == "ml-1m":
        train, validation, test = load_ml(folder, rng)
        friends = None
    else:
        train, validation, test, friends = load_lastfm(folder, rng, choose=choose)
    for name, (model, chosen, published) in RANKERS[protocol].items():
        settings = {**chosen, **({} if model is PopularityRanker else {"random_state": seed})}
        if settings.pop("friends", False):
            settings["user_graph"] = friends
        start = time.perf_counter()
        fitted = model(**settings).fit(train)
        seconds = time.perf_counter() - start
        others = validation[:0] if choose else validation
        yield name, judge(fitted, validation if choose else test, others), seconds, published


def classify(folder, seed, *, choose):
    """Yield the name, figures and seconds of each classifier."""
    train, validation, test, triples = load_movies(folder, np.random.default_rng(seed))
    held = validation if choose else test
    for name, (model, chosen, published) in CLASSIFIERS.items():
        settings = {**chosen, "random_state": seed}
        if model is MKRClassifier:
            settings["item_graph"] = triples
        start = time.perf_counter()
        fitted = model(**settings).fit(train[["user_id", "item_id"]], train["label"])
        seconds = time.perf_counter() - start
        probability = fitted.predict_proba(held[["user_id", "item_id"]])[:, 1]
        figures = roc_auc_score(held["label"], probability), accuracy_score(held["label"], probability > 0.5)
        yield name, figures, seconds, published


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with ml-1m, lastfm-2k and movie-kg")
    parser.add_argument("--protocols", nargs="+", default=["ml-1m", "lastfm-2k", "movie-kg"])
    parser.add_argument("--models", nargs="+", help="only these")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", action="store_true", help="score the validation rows")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=".* edges in user_graph have an id")
    for protocol in arguments.protocols:
        for every in (CLASSIFIERS, RANKERS.get(protocol, {})):
            for name in [*every]:
                if arguments.models and name not in arguments.models:
                    del every[name]
        found = {}
        for seed in range(arguments.seeds):
            options = (arguments.data, seed)
            every = classify(*options, choose=arguments.choose) if protocol == "movie-kg" else None
            for name, figures, seconds, published in every or rank(protocol, *options, choose=arguments.choose):
                print(
                    f"  {protocol} {name} seed {seed}: {figures[0]:.4f} / {figures[1]:.4f} {seconds:.0f} s", flush=True
                )
                found.setdefault(name, []).append((*figures, seconds, published))
        names = "AUC / accuracy" if protocol == "movie-kg" else "R@10 / NDCG@10"
        print(f"{protocol:20} {names}, mean of {arguments.seeds} seed(s)   published   fit")
        for name, values in found.items():
            first, second, seconds = np.mean([value[:3] for value in values], axis=0)
            print(f"{name:20} {first:.4f} / {second:.4f}   {values[0][3]:13} {seconds:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
