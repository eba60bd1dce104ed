"""Classical rankers on published protocols, beside published values.

python benchmarks/classical.py --data FOLDER                                  all protocols and models
python benchmarks/classical.py --data FOLDER --protocols ncf --models EASE    some of them
python benchmarks/classical.py --data FOLDER --search 30 --protocols ncf      search, on rows held out of training

The folder has the subfolders ``ml-1m`` (with ``ncf/``), ``ml-100k-mcrec``, ``ml-100k`` and ``citeulike-a``; files may
be gzipped. The protocols:

ncf        the split of He et al. (2017) of MovieLens 1M: one test item a user among 99 fixed negatives
mcrec      the 80/20 split of MovieLens 100K of MCRec, full ranking
ua         the official split ``ua`` of MovieLens 100K, full ranking, with the default parameters
citeulike  citeulike-a, one test item a user among 100 fixed negatives, ties against the test item

Parameters are never chosen by test rows. ``--search N`` draws N sets of parameters with Optuna from the search space of
the model, fits on a part of the training rows and ranks the rest of them: each user's latest training item among 99
drawn negatives (ncf), a random tenth of the training rows in the whole catalogue (mcrec), one random item of each
user among 100 drawn negatives (citeulike). The best values are in ``SETTINGS``. Models are then fitted on all training
rows. Published values are those of Ferrari Dacrema et al. (2021, doi:10.1145/3434185), tuned, except EASE and ALS on
ncf (a reference run; iALS of Rendle et al., 2022) and all of ua (skrecsys 0.9.0 with its defaults).
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from optuna import create_study, logging, samplers

from skrec import models
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import search_space

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
    "UserKNN": models.UserKNNRanker,
    "RP3Beta": models.RP3BetaRanker,
    "ItemKNN": models.ItemKNNRanker,
}
SETTINGS = {"ncf": {}, "mcrec": {}, "ua": {}, "citeulike": {}}  # found by --search


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
    """Return training rows, test rows, and the negatives of each user."""
    test = read(folder / "citeulike-a", "test.tsv", sep="\t", names=[*PAIR, "negatives"])
    negatives = {user: np.array(items.split(), int) for user, _, items in test.itertuples(index=False)}
    return read(folder / "citeulike-a", "train.csv")[PAIR], test[PAIR], negatives


LOAD = {"ncf": load_ncf, "mcrec": load_mcrec, "ua": load_ua, "citeulike": load_citeulike}


def hold_out(protocol, train, seed=0):
    """Return two parts of the training rows, and negatives for those of the second."""
    random = np.random.default_rng(seed)
    if protocol in {"mcrec", "ua"}:
        held = random.random(len(train)) < 0.1
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


def search(protocol, name, data, n_trials, fixed):
    """Print the best parameters on rows held out of training."""
    train, held, negatives = data
    logging.set_verbosity(logging.WARNING)
    study = create_study(direction="maximize", sampler=samplers.TPESampler(seed=0, n_startup_trials=n_trials // 3))
    seeded = {"random_state": 0} if "random_state" in MODELS[name]().get_params() else {}
    space = {key: value for key, value in search_space(MODELS[name](**fixed)).items() if key not in fixed}
    for _ in range(n_trials):
        trial = study.ask(space)
        started = time.perf_counter()
        model = MODELS[name](**fixed, **trial.params, **seeded).fit(train)
        values = judge(protocol, model, held, negatives)
        study.tell(trial, sum(values))
        cells = " ".join(f"{value:.4f}" for value in values)
        print(f"{protocol} {name} {cells} {time.perf_counter() - started:.1f} s {trial.params}", flush=True)
    print(f"BEST {protocol} {name} {study.best_value:.4f} {fixed} {study.best_params}", flush=True)


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
    parser.add_argument("--search", type=int, default=0, metavar="N", help="search N sets of parameters instead")
    parser.add_argument(
        "--fixed", nargs="*", default=[], metavar="NAME=VALUE", help="parameters that the search does not change"
    )
    options = parser.parse_args()
    fixed = {name: parse(value) for name, _, value in (pair.partition("=") for pair in options.fixed)}
    for protocol in options.protocols:
        data = LOAD[protocol](options.data)
        if options.search:
            data = hold_out(protocol, data[0])
            for name in options.models:
                search(protocol, name, data, options.search, fixed)
            continue
        first, second = METRICS[protocol]
        print(f"\n{protocol}\n{'model':<9}{first:>17}{second:>17}{'fit s':>9}  {'published':<16} parameters")
        for name in options.models:
            run(protocol, name, data, options.seeds)


def parse(text):
    """Return a number if the text is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None if text == "None" else text


if __name__ == "__main__":
    main()
