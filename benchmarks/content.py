"""Content-based ranking of new and of known items: NDCG@10 and HR@10 of ContentRanker beside popularity.

python benchmarks/content.py --data FOLDER --sets ml-100k amazon-toys ml-1m      the table
python benchmarks/content.py --data FOLDER --choose                              the choice of the hyper-parameters
python benchmarks/content.py --data FOLDER --models DeepFMRanker                 a network of features, for comparison

FOLDER holds the folders ``ml-100k`` (GroupLens' files), ``ml-1m`` (``ratings.csv`` with ``time_rank``, and
``movies.dat``) and ``amazon-toys`` (the files of S3-Rec). Features are the genres, the words of the title and the year
of films, and the categories and brands of toys.

new items
    A fifth of the items, drawn at random with the seed, and all of their events are held out. Users who chose at least
    one of them are judged: the held-out items are ranked, as rows with their features, and those that the user chose
    are relevant. No model has an event of any of them.
known items
    The last event of each user is held out, and all items that the user has not chosen yet are ranked.

No figure was published for these protocols. With ``--choose`` the same two protocols are applied within the training
rows: the last event of each user and a fifth of the items (seed 100) are removed first and never looked at, and
what is held out from the rest is what the choice is made by.
"""

import argparse
import gzip
import itertools
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _toys import read_toys

from skrec.models import ContentRanker, DeepFMRanker, PopularityRanker

GRID = {"l2": [None, 3.0, 10.0, 30.0, 100.0], "popularity": [0.0, 0.1, 0.2, 0.4, 0.8], "shrinkage": [0.0, 2.0]}
MODELS = {
    "random order": None,
    "PopularityRanker": lambda features, seed: PopularityRanker(),
    "ContentRanker, l2=None": lambda features, seed: ContentRanker(
        item_features=features, l2=None, popularity=0, random_state=seed
    ),
    "ContentRanker, popularity=0": lambda features, seed: ContentRanker(
        item_features=features, popularity=0, random_state=seed
    ),
    "ContentRanker": lambda features, seed: ContentRanker(item_features=features, random_state=seed),
    "DeepFMRanker": lambda features, seed: DeepFMRanker(item_features=features, random_state=seed),
}


def open_text(path, encoding="utf-8"):
    """Open a file, which may be compressed."""
    found = next(path.parent.glob(f"{path.name}*"))
    return gzip.open(found, "rt", encoding=encoding) if found.suffix == ".gz" else found.open(encoding=encoding)


def load_ml_100k(folder):
    """Return the events in order of time, and the films."""
    with open_text(folder / "u.data") as file:
        rows = pd.read_csv(file, sep="\t", names=["user_id", "item_id", "rating", "timestamp"])
    with open_text(folder / "u.item", "latin-1") as file:
        films = pd.read_csv(file, sep="|", header=None)
    flags = films.iloc[:, 5:].to_numpy(bool)
    items = pd.DataFrame({"item_id": films[0], "genres": [np.flatnonzero(row).tolist() for row in flags]})
    items["title"] = films[1].str.replace(r" \(\d{4}\)$", "", regex=True)
    items["year"] = pd.to_datetime(films[2], format="%d-%b-%Y").dt.year
    rows = rows.sort_values(["user_id", "timestamp"], kind="stable", ignore_index=True)
    return rows[["user_id", "item_id"]], items


def load_ml_1m(folder):
    """Return the events in order of time, and the films."""
    with open_text(folder / "ratings.csv") as file:
        rows = pd.read_csv(file).query("time_rank >= 0").sort_values(["user_id", "time_rank"], ignore_index=True)
    with open_text(folder / "movies.dat", "latin-1") as file:
        films = pd.DataFrame([line.strip().split("::") for line in file], columns=["item_id", "title", "genres"])
    films["item_id"], films["genres"] = films["item_id"].astype(int), films["genres"].str.split("|")
    films["year"] = films["title"].str.extract(r"\((\d{4})\)$")[0].astype(float)
    films["title"] = films["title"].str.replace(r" \(\d{4}\)$", "", regex=True)
    return rows.rename(columns={"movie_id": "item_id"})[["user_id", "item_id"]], films


def load_amazon_toys(folder):
    """Return the events in order of time, and the toys."""
    rows = read_toys(folder)[["user_id", "item_id"]]
    with open_text(folder / "Toys_and_Games_item2attributes.json") as file:
        found = json.load(file)
    items = pd.DataFrame({"item_id": rows["item_id"].unique()})
    items["attributes"] = [found.get(str(item), []) for item in items["item_id"]]
    return rows, items


SETS = {"ml-100k": load_ml_100k, "ml-1m": load_ml_1m, "amazon-toys": load_amazon_toys}


def split_items(rows, seed):
    """Hold out all events of a fifth of the items."""
    ids = np.sort(rows["item_id"].unique())
    held_out = np.random.default_rng(seed).permutation(ids)[: len(ids) // 5]
    is_new = rows["item_id"].isin(held_out)
    return rows[~is_new], rows[is_new]


def split_last(rows):
    """Hold out the last event of each user."""
    is_last = rows.groupby("user_id").cumcount(ascending=False) == 0
    return rows[~is_last], rows[is_last]


def judge(model, train, test, candidates, *, seed, most=None):
    """NDCG@10 and HR@10 of a fitted model, or of a random order."""
    test = test[test["user_id"].isin(train["user_id"].unique())]
    users = np.sort(test["user_id"].unique())
    users = np.sort(np.random.default_rng(seed).permutation(users)[:most])
    test = test[test["user_id"].isin(users)]
    if model is None:
        ids = (candidates if candidates is not None else train)["item_id"].unique()
        random = np.random.default_rng(seed)
        drawn = np.stack([random.choice(ids, 10, replace=False) for _ in users])
        found = pd.DataFrame({"user_id": np.repeat(users, 10), "item_id": drawn.ravel()})
        found["rank"] = np.tile(np.arange(1, 11), len(users))
    else:
        if candidates is not None:  # equal scores are ranked in a random order, not by id
            candidates = candidates.sample(frac=1, random_state=seed)
            candidates = candidates["item_id"] if isinstance(model, PopularityRanker) else candidates
        found = model.recommend(users, k=10, candidates=candidates)
    hits = found.merge(test[["user_id", "item_id"]].drop_duplicates())
    gains = (1 / np.log2(hits["rank"] + 1)).groupby(hits["user_id"]).sum().reindex(users, fill_value=0.0)
    n_relevant = test.groupby("user_id")["item_id"].nunique().clip(upper=10)
    ideal = np.cumsum(1 / np.log2(np.arange(2, 12)))[n_relevant.to_numpy() - 1]
    return [float(np.mean(gains / ideal)), float(np.mean(gains > 0))]


def protocols(rows, items, seed):
    """Yield the name, the training rows, the held-out rows and the candidates of each protocol."""
    train, test = split_items(rows, seed)
    yield "new items", train, test, items[items["item_id"].isin(test["item_id"])]
    train, test = split_last(rows)
    yield "known items", train, test, None


def compare(name, rows, items, options):
    """Print the table of a set of data: means over the seeds."""
    features = [column for column in items if column != "item_id"]
    for protocol in ("new items", "known items"):
        for model_name in options.models:
            figures, seconds = [], []
            for seed in range(options.seeds):
                chosen = next(part for part in protocols(rows, items, seed) if part[0] == protocol)
                _, train, test, candidates = chosen
                model, started = None, time.perf_counter()
                if MODELS[model_name] is not None:
                    model = MODELS[model_name](features, seed).fit(train.merge(items))
                seconds.append(time.perf_counter() - started)
                figures.append(judge(model, train, test, candidates, seed=seed, most=options.users))
                if protocol == "known items" and "DeepFM" not in model_name:
                    break  # nothing is random
            ndcg, hit_rate = np.mean(figures, axis=0)
            print(
                f"{name:<13}{protocol:<13}{model_name:<29}{ndcg:>8.4f}{hit_rate:>8.4f}{np.mean(seconds):>8.1f}",
                flush=True,
            )


def choose(name, rows, items, options):
    """Print what each combination of hyper-parameters reaches within the training rows."""
    features = [column for column in items if column != "item_id"]
    rows = split_last(split_items(rows, 100)[0])[0]
    parts = list(protocols(rows, items, 101))
    fitted = {(part[0], l2): None for part in parts for l2 in GRID["l2"]}
    for (protocol, train, test, candidates), l2 in itertools.product(parts, GRID["l2"]):
        model = ContentRanker(item_features=features, l2=l2, random_state=0).fit(train.merge(items))
        fitted[protocol, l2] = model
        for popularity, shrinkage in itertools.product(GRID["popularity"], GRID["shrinkage"]):
            if protocol == "new items" and popularity + shrinkage > 0:
                continue  # the order of items without events does not depend on them
            weights = model._popularities * (popularity / (model.popularity or 1.0))
            model.shrinkage, kept = shrinkage, model._popularities
            model._popularities = weights
            figures = judge(model, train, test, candidates, seed=0, most=options.users)
            model._popularities, model.shrinkage = kept, 0.0
            print(
                f"{name:<13}{protocol:<13}l2={l2!s:<7}popularity={popularity:<5}shrinkage={shrinkage:<5}"
                + "{:>8.4f}{:>8.4f}".format(*figures),
                flush=True,
            )


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with the folders of the sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["ml-100k", "amazon-toys"])
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=[name for name in MODELS if "DeepFM" not in name]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--users", type=int, help="judge at most that many users, drawn at random")
    parser.add_argument("--choose", action="store_true", help="compare hyper-parameters within the training rows")
    options = parser.parse_args()
    if not options.choose:
        print(f"{'data':<13}{'protocol':<13}{'model':<29}{'NDCG@10':>8}{'HR@10':>8}{'fit s':>8}", flush=True)
    for name in options.sets:
        rows, items = SETS[name](Path(options.data) / name)
        if options.choose:
            choose(name, rows, items, options)
        else:
            compare(name, rows, items, options)


if __name__ == "__main__":
    main()
