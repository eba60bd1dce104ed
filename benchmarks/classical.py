"""Classical rankers on published protocols, beside published values.

python benchmarks/classical.py --data FOLDER                                  all protocols and models
python benchmarks/classical.py --data FOLDER --protocols ncf --models EASE    some of them
python benchmarks/classical.py --data FOLDER --search --protocols ncf         search, on rows held out of training

The folder has the subfolders ``ml-1m`` (with ``ncf/``), ``ml-100k-mcrec``, ``ml-100k`` and ``citeulike-a``; files may
be gzipped. The protocols:

ncf        the split of He et al. (2017) of MovieLens 1M: one test item a user among 99 fixed negatives
mcrec      the 80/20 split of MovieLens 100K of MCRec, full ranking
ua         the official split ``ua`` of MovieLens 100K, full ranking, with the default parameters
citeulike  citeulike-a, one test item a user among 100 fixed negatives, ties against the test item; 0.2 of the 100 are
           items of the user's own training rows, which are left out

Each choice is made by validation rows. ``--search --trials N`` draws them from ``SPACES`` by Optuna's TPE sampler,
after a first trial with those of ``START``, if any, which were found on the same validation rows by hand. It is judged
by rows held out of the training rows: each user's latest item (ncf) or a random one (citeulike) among 99 or 100 drawn
negatives; a random fifth of the rows in the whole catalogue (mcrec, mean of three draws). The best values are in
``SETTINGS``, with which models are fitted on all training rows; what has no settings has its defaults. Published
values are those of Ferrari Dacrema et al. (2021, doi:10.1145/3434185), tuned, except EASE and ALS on ncf (a reference
run; iALS of Rendle et al., 2022) and all of ua (skrecsys 0.9.0 with its defaults).
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from skrec import models
from skrec.metrics import make_ranking_scorer

PAIR = ["user_id", "item_id"]
METRICS = {
    "ncf": ["hit_rate@10", "ndcg@10"],
    "mcrec": ["precision@10", "recall@10"],
    "ua": ["ndcg@10", "precision@10"],
    "citeulike": ["hit_rate@10", "ndcg@10"],
}
PUBLISHED = {
    "ncf": {
        "EASE": (0.7192, 0.4511),
        "SLIM": (0.7162, 0.4468),
        "ALS": (0.7300, 0.4500),
        "PureSVD": (0.6937, 0.4303),
        "NMF": (0.6844, 0.4192),
        "UserKNN": (0.6768, 0.4100),
        "RP3Beta": (0.6758, 0.4011),
        "ItemKNN": (0.6694, 0.3979),
    },
    "mcrec": {
        "EASE": (0.3739, 0.2430),
        "SLIM": (0.3770, 0.2441),
        "ALS": (0.3596, 0.2283),
        "PureSVD": (0.3545, 0.2247),
        "UserKNN": (0.3430, 0.2225),
        "RP3Beta": (0.3435, 0.2191),
        "ItemKNN": (0.3320, 0.2171),
    },
    "ua": {
        "EASE": (0.3163, 0.2691),
        "SLIM": (0.2297, 0.1898),
        "RP3Beta": (0.2829, 0.2470),
        "ItemKNN": (0.2474, 0.2161),
    },
    "citeulike": {
        "EASE": (0.8806, 0.7197),
        "ALS": (0.9006, 0.7313),
        "RP3Beta": (0.9002, 0.7447),
        "ItemKNN": (0.8925, 0.7267),
    },
}
MODELS = {
    "EASE": models.EASERanker,
    "SLIM": models.SLIMRanker,
    "ALS": models.ALSRanker,
    "PureSVD": models.PureSVDRanker,
    "NMF": models.NMFRanker,
    "UserKNN": models.UserKNNRanker,
    "RP3Beta": models.RP3BetaRanker,
    "ItemKNN": models.ItemKNNRanker,
}
KNN = {
    "n_neighbors": (10, 1000, "log"),
    "metric": ["cosine", "asymmetric", "jaccard", "tversky"],
    "weighting": [None, "tfidf", "bm25"],
    "shrink": (0.1, 1000.0, "log"),
    "alpha": (0.0, 1.0, "linear"),
}
SPACES = {  # lists of values, or ranges
    "EASE": {"l2": (10.0, 10_000.0, "log")},
    "SLIM": {"alpha": (0.003, 1.0, "log"), "l1_ratio": (0.0003, 0.3, "log")},
    "ALS": {
        "embedding_dim": [32, 64, 128, 192],
        "l2": (0.001, 0.1, "log"),
        "unobserved_weight": (0.01, 1.0, "log"),
        "epochs": [16],
    },
    "PureSVD": {"embedding_dim": (8, 400, "log")},
    "NMF": {"embedding_dim": (8, 200, "log"), "alpha": (1e-6, 1e-2, "log")},
    "UserKNN": {**KNN, "neighborhood": ["nearest", "reverse"]},
    "ItemKNN": KNN,
    "RP3Beta": {
        "n_neighbors": (10, 1000, "log"),
        "alpha": (0.2, 1.5, "linear"),
        "beta": (0.0, 0.9, "linear"),
        "normalize": [False, True],
        "pruning": ["past", "both"],
    },
}
START = {  # the first trial of a search
    "UserKNN": {
        "n_neighbors": 300,
        "metric": "asymmetric",
        "weighting": None,
        "shrink": 0.1,
        "alpha": 0.7,
        "neighborhood": "reverse",
    },
    "ItemKNN": {"n_neighbors": 50, "metric": "cosine", "weighting": None, "shrink": 0.1, "alpha": 0.5},
    "ALS": {"embedding_dim": 128, "l2": 0.01, "unobserved_weight": 0.1, "epochs": 16},
    "SLIM": {"alpha": 0.03, "l1_ratio": 0.01},
    "ncf EASE": {"l2": 1000.0},
    "ncf NMF": {"embedding_dim": 80, "alpha": 0.0015},
    "mcrec PureSVD": {"embedding_dim": 15},
    "mcrec UserKNN": {
        "n_neighbors": 120,
        "metric": "asymmetric",
        "weighting": "bm25",
        "shrink": 100.0,
        "alpha": 0.6,
        "neighborhood": "reverse",
    },
    "mcrec ItemKNN": {"n_neighbors": 345, "metric": "cosine", "weighting": "bm25", "shrink": 349.0, "alpha": 0.5},
    "citeulike RP3Beta": {"n_neighbors": 1000, "alpha": 0.5, "beta": 0.35, "normalize": False, "pruning": "past"},
}
SETTINGS = {  # found by --search, with the number of trials in the comment
    "ncf": {
        "EASE": START["ncf EASE"],  # 8, beside the usual value, which is better
        "ALS": START["ALS"],  # 8, of which the first is best
        "SLIM": {"alpha": 0.0995, "l1_ratio": 0.0129},  # 6
        "PureSVD": {"embedding_dim": 66},  # 8
        "NMF": START["ncf NMF"],  # by hand, and 4 of a search that was stopped
        "UserKNN": START["UserKNN"],  # 10, of which the first is best
        "RP3Beta": {"n_neighbors": 338, "alpha": 1.025, "beta": 0.624, "normalize": True, "pruning": "both"},  # 40
        "ItemKNN": {"n_neighbors": 110, "weighting": "bm25", "shrink": 867.0},  # 16
    },
    "mcrec": {
        "EASE": {"l2": 621.0},  # 50
        "SLIM": {"alpha": 0.251, "l1_ratio": 0.000338},  # 8
        "ALS": {"l2": 0.03, "unobserved_weight": 0.1},  # an earlier search on the same rows, one parameter at a time
        "PureSVD": START["mcrec PureSVD"],  # 9, beside the value of START, which is better
        "UserKNN": {  # 40
            "n_neighbors": 114,
            "metric": "asymmetric",
            "weighting": "bm25",
            "shrink": 0.873,
            "alpha": 0.908,
            "neighborhood": "reverse",
        },
        "RP3Beta": {"n_neighbors": 331, "alpha": 0.634, "beta": 0.503, "normalize": True, "pruning": "both"},  # 50
        "ItemKNN": START["mcrec ItemKNN"],  # 40, of which the first is best
    },
    "ua": {},
    "citeulike": {
        "RP3Beta": START["citeulike RP3Beta"],  # 16, of which the first is best
        "ItemKNN": {"n_neighbors": 906, "weighting": "bm25", "shrink": 12.2},  # 16
    },
}


def read(folder, name, **options):
    """Read one file of a data set, gzipped or not."""
    path = Path(folder) / name
    path = path if path.exists() else path.with_name(path.name + ".gz")
    return pd.read_csv(path, **options)


def load_ncf(folder):
    """Return training rows, the latest of each user last; test rows; and the negatives of each user."""
    train = read(folder / "ml-1m", "ncf/ml-1m.train.rating", sep="\t", names=[*PAIR, "rating"])[PAIR]
    test = read(folder / "ml-1m", "ncf/ml-1m.test.rating", sep="\t", names=[*PAIR, "rating", "time"])[PAIR]
    lists = read(folder / "ml-1m", "ncf/ml-1m.test.negative", sep="\t", header=None)
    users = lists[0].str.extract(r"\((\d+),")[0].astype(int)
    index = read(folder / "ml-1m", "ncf/item_index.csv").set_index("movie_id")["ncf_item"]
    times = read(folder / "ml-1m", "ratings.csv").assign(
        user_id=lambda rows: rows["user_id"] - 1, item_id=lambda rows: rows["movie_id"].map(index)
    )
    train = train.merge(times[[*PAIR, "time_rank"]], how="left", on=PAIR)
    train = train.sort_values(["user_id", "time_rank"], kind="stable", ignore_index=True)[PAIR]
    return train, test, dict(zip(users, lists.drop(columns=0).to_numpy(), strict=True))


def load_mcrec(folder):
    """Return training and test rows."""
    train = read(folder / "ml-100k-mcrec", "ml-100k.train.rating", sep="\t", names=[*PAIR, "rating"])[PAIR]
    lines = read(folder / "ml-100k-mcrec", "ml-100k.test.rating", sep="\t", names=["line"])["line"].str.split()
    rows = [(int(user), int(item)) for user, *items in lines for item in items]
    return train, pd.DataFrame(rows, columns=PAIR), None


def load_ua(folder):
    """Return training and test rows."""
    names = [*PAIR, "rating", "time"]
    return *(read(folder / "ml-100k", f"ua.{part}", sep="\t", names=names)[PAIR] for part in ("base", "test")), None


def load_citeulike(folder):
    """Return training rows, test rows, and the negatives of each user, without items of the user's training rows."""
    train = read(folder / "citeulike-a", "train.csv")[PAIR]
    test = read(folder / "citeulike-a", "test.tsv", sep="\t", names=[*PAIR, "negatives"])
    seen = train.groupby("user_id")["item_id"].agg(set)
    negatives = {
        user: np.array([item for item in map(int, items.split()) if item not in seen.get(user, ())])
        for user, _, items in test.itertuples(index=False)
    }
    return train, test[PAIR], negatives


LOAD = {"ncf": load_ncf, "mcrec": load_mcrec, "ua": load_ua, "citeulike": load_citeulike}


def hold_out(protocol, train, seed=0):
    """Return two parts of the training rows, and negatives for those of the second."""
    random = np.random.default_rng(seed)
    if protocol in {"mcrec", "ua"}:
        held = random.random(len(train)) < 0.2
        return train[~held], train[held], None
    if protocol == "citeulike":
        train = train.sample(frac=1, random_state=seed)
    held = ~train.duplicated("user_id", keep="last") & train.duplicated("user_id", keep="first")
    items, n = train["item_id"].unique(), {"ncf": 99, "citeulike": 100}[protocol]
    seen = train.groupby("user_id")["item_id"].agg(set)
    negatives = {}
    for user in train.loc[held, "user_id"]:
        drawn = random.permutation(items)[: n + len(seen[user])]
        negatives[user] = np.array([item for item in drawn if item not in seen[user]][:n])
    return train[~held], train[held], negatives


def judge(protocol, model, rows, negatives):
    """Return the metrics of a fitted model."""
    options = {} if negatives is None else {"protocol": "sampled", "candidates": negatives}
    scores = make_ranking_scorer(METRICS[protocol], **options)(model, rows)
    return [scores[name] for name in METRICS[protocol]]


def draw(trial, space):
    """Let a trial of Optuna draw parameters."""
    drawn = {}
    for key, values in space.items():
        if isinstance(values, list):
            drawn[key] = trial.suggest_categorical(key, values)
        else:
            low, high, scale = values
            suggest = trial.suggest_int if isinstance(low, int) else trial.suggest_float
            drawn[key] = suggest(key, low, high, log=scale == "log")
    return drawn


def search(protocol, name, splits, n_trials):
    """Print the parameters that are best on rows held out of training, found by Optuna's TPE sampler."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seeded = {"random_state": 0} if "random_state" in MODELS[name]().get_params() else {}

    def value(trial):
        parameters, judged, started = draw(trial, SPACES[name]), [], time.perf_counter()
        for train, held, negatives in splits:
            model = MODELS[name](**parameters, **seeded).fit(train)
            judged.append(judge(protocol, model, held, negatives))
        found = np.mean(judged, axis=0)
        print(f"{protocol} {name} {found.round(4)} {time.perf_counter() - started:.1f} s {parameters}", flush=True)
        return found.sum()

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=n_trials // 2)
    )
    start = START.get(f"{protocol} {name}", START.get(name))
    if start is not None:
        study.enqueue_trial(start)
    study.optimize(value, n_trials=n_trials)
    print(f"BEST {protocol} {name} {study.best_value:.4f} {study.best_params}", flush=True)


def run(protocol, name, data, seeds):
    """Fit and judge, once or with several seeds, and print a row of the table."""
    train, test, negatives = data
    settings = SETTINGS[protocol].get(name, {})
    random = "random_state" in MODELS[name]().get_params()
    results = []
    for seed in range(seeds if random else 1):
        model = MODELS[name](**settings, **({"random_state": seed} if random else {}))
        started = time.perf_counter()
        model.fit(train)
        seconds = time.perf_counter() - started
        results.append([*judge(protocol, model, test, negatives), seconds])
    mean, spread = np.mean(results, axis=0), np.std(results, axis=0)
    cells = [f"{m:.4f}" + (f" ± {s:.4f}" if random else "") for m, s in zip(mean[:2], spread[:2], strict=True)]
    published = PUBLISHED[protocol].get(name)
    beside = "" if published is None else f"{published[0]:.4f} / {published[1]:.4f}"
    told = ", ".join(f"{key}={value}" for key, value in settings.items()) or "defaults"
    print(f"{name:<9}{cells[0]:>17}{cells[1]:>17}{mean[2]:>9.1f}  {beside:<16} {told}", flush=True)


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder with the data sets")
    parser.add_argument("--protocols", nargs="+", choices=METRICS, default=list(METRICS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--search", action="store_true", help="search parameters instead")
    parser.add_argument("--trials", type=int, default=30, help="number of trials of a search")
    options = parser.parse_args()
    for protocol in options.protocols:
        data = LOAD[protocol](options.data)
        if options.search:
            splits = [hold_out(protocol, data[0], seed) for seed in range(3 if protocol == "mcrec" else 1)]
            for name in options.models:
                search(protocol, name, splits, options.trials)
            continue
        first, second = METRICS[protocol]
        print(f"\n{protocol}\n{'model':<9}{first:>17}{second:>17}{'fit s':>9}  {'published':<16} parameters")
        for name in options.models:
            run(protocol, name, data, options.seeds)


if __name__ == "__main__":
    main()
