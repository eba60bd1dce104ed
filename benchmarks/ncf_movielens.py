"""NCF's protocol on MovieLens 1M: one test item a user among 99 fixed negatives; HR@10 and NDCG@10.

python benchmarks/ncf_movielens.py --data ML_1M_FOLDER                         all models, 3 seeds
python benchmarks/ncf_movielens.py --data ML_1M_FOLDER --models GMF-softmax    one of them
python benchmarks/ncf_movielens.py --data ML_1M_FOLDER --results results.json  resumes a stopped run

The folder holds ``ncf/ml-1m.train.rating``, ``ncf/ml-1m.test.rating``, ``ncf/ml-1m.test.negative`` (the split of He et
al., 2017), ``ncf/item_index.csv`` and ``ratings.csv`` (to tell the time order of the training rows); each may be
gzipped.

The number of epochs is chosen without the test set: each user's latest training item is held out and ranked among the
whole catalogue, once, with seed 0. Every seed then trains that many epochs on all training rows. In 156 of the 6,040
lists the negatives contain the test item itself; it is not ranked against itself.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from skrec.metrics import make_ranking_scorer
from skrec.models import NCFRanker, PopularityRanker

METRICS = ["hit_rate@10", "ndcg@10"]

# "32 factors" of He et al.: GMF embeddings of 32, MLP embeddings of 64 into layers of 128, 64 and 32.
HE_32 = {
    "embedding_dim": 32,
    "mlp_embedding_dim": 64,
    "hidden_units": (128, 64, 32),
    "l2": 0.001,
    "id_dropout": 0.0,
    "ema_momentum": 0.8,
}
MODELS = {
    "GMF-32": {"architecture": "gmf", "embedding_dim": 32, "loss": "log_loss"},
    "MLP-32": {"architecture": "mlp", **HE_32, "l2": 0.0},
    "NeuMF-32": {"architecture": "neumf", **HE_32, "l2": 0.004},
    "MF-softmax": {
        "architecture": "mf",
        "loss": "softmax",
        "embedding_dim": 128,
        "n_negatives": 2048,
        "batch_size": 2048,
        "l2": 0.02,
        "id_dropout": 0.0,
        "ema_momentum": 0.8,
    },
}
PUBLISHED = {
    "PopularityRanker": ".4531 / .2542 (Dacrema 2019)",
    "EASE": "not published for this split",
    "ALS": ".7310 / .4521 (iALS, tuned: irspack)",
    "GMF-32": ".708 / .429 (guoyang9/NCF)",
    "MLP-32": ".692 / .425 (He 2017)",
    "NeuMF-32": ".701 / .425 (He 2017); .7093 / .4349 (Rendle 2020)",
    "MF-softmax": ".7294 / .4523 (matrix factorisation, tuned: Rendle 2020)",
}


def read(folder, name, **options):
    """Read one file of the data set, gzipped or not."""
    path = Path(folder) / name
    path = path if path.exists() else path.with_name(path.name + ".gz")
    return pd.read_csv(path, **options)


def load(folder):
    """Return training rows in time order within a user, test rows, and each user's 99 negatives."""
    columns = ["user_id", "item_id", "rating"]
    train = read(folder, "ncf/ml-1m.train.rating", sep="\t", names=columns)[columns[:2]]
    test = read(folder, "ncf/ml-1m.test.rating", sep="\t", names=[*columns, "timestamp"])[columns[:2]]
    lists = read(folder, "ncf/ml-1m.test.negative", sep="\t", header=None)
    users = lists[0].str.extract(r"\((\d+),")[0].astype(int)
    negatives = dict(zip(users, lists.drop(columns=0).to_numpy(), strict=True))
    index = read(folder, "ncf/item_index.csv").set_index("movie_id")["ncf_item"]
    times = read(folder, "ratings.csv").assign(
        user_id=lambda rows: rows["user_id"] - 1, item_id=lambda rows: rows["movie_id"].map(index)
    )
    train = train.merge(times[["user_id", "item_id", "time_rank"]], how="left", on=["user_id", "item_id"])
    train = train.sort_values(["user_id", "time_rank"], kind="stable", ignore_index=True)
    return train.drop(columns="time_rank"), test, negatives


def judge(model, rows, negatives):
    """HR@10 and NDCG@10 among the fixed candidates."""
    scores = make_ranking_scorer(METRICS, protocol="sampled", candidates=negatives)(model, rows)
    return [scores[name] for name in METRICS]


def choose_epochs(parameters, train):
    """Return the number of epochs with the best NDCG@10 of each user's latest training item, and the curve."""
    latest = ~train.duplicated("user_id", keep="last")
    model = NCFRanker(**parameters, epochs=60, tol=0, n_iter_no_change=5, random_state=0)
    model.fit(train[~latest], X_val=train[latest])
    return int(np.argmax(model.validation_scores_)) + 1, model.validation_scores_


class EASE:
    """EASE (Steck, 2019, arXiv:1905.03375), the linear model to beat, in NumPy."""

    def __init__(self, l2=1000.0):
        self.l2 = l2

    def fit(self, X):
        """Solve for the item-item weights."""
        users, self.users_ = pd.factorize(X["user_id"], sort=True)
        items, self.items_ = pd.factorize(X["item_id"], sort=True)
        matrix = np.zeros((len(self.users_), len(self.items_)), np.float32)
        matrix[users, items] = 1
        gram = matrix.T @ matrix + self.l2 * np.eye(len(self.items_), dtype=np.float32)
        inverse = np.linalg.inv(gram)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0)
        self.scores = matrix @ weights
        return self


class ALS:
    """Implicit ALS of the package ``implicit`` (Hu et al., 2008), 64 factors."""

    def fit(self, X):
        """Factorise."""
        from implicit.als import AlternatingLeastSquares
        from scipy.sparse import csr_matrix

        users, self.users_ = pd.factorize(X["user_id"], sort=True)
        items, self.items_ = pd.factorize(X["item_id"], sort=True)
        matrix = csr_matrix((np.ones(len(X), np.float32), (users, items)))
        model = AlternatingLeastSquares(64, regularization=50, alpha=10, random_state=0)
        model.fit(matrix, show_progress=False)
        self.scores = model.user_factors @ model.item_factors.T
        return self


def judge_scores(model, test, negatives):
    """HR@10 and NDCG@10 of a matrix of scores: the same protocol, computed on its own."""
    row = pd.Series(np.arange(len(model.users_)), index=model.users_)
    column = pd.Series(np.arange(len(model.items_)), index=model.items_)
    hits, gains = [], []
    for user, item in test.itertuples(index=False):
        others = [column[i] for i in negatives[user] if i != item and i in column.index]
        own = model.scores[row[user], column[item]] if item in column.index else -np.inf
        rank = np.count_nonzero(model.scores[row[user], others] >= own)
        hits.append(rank < 10)
        gains.append(1 / np.log2(rank + 2) if rank < 10 else 0.0)
    return [float(np.mean(hits)), float(np.mean(gains))]


def run(name, parameters, data, seeds, results):
    """Choose the epochs, train each seed on all training rows, judge on the test rows; keep what is done."""
    train, test, negatives = data
    done = results.setdefault(name, {"seeds": {}})
    if "epochs" not in done:
        started = time.perf_counter()
        done["epochs"], done["validation"] = choose_epochs(parameters, train)
        done["search_seconds"] = time.perf_counter() - started
        save(results)
    for seed in map(str, range(seeds)):
        if seed in done["seeds"]:
            continue
        started = time.perf_counter()
        model = NCFRanker(**parameters, epochs=done["epochs"], early_stopping=False, random_state=int(seed)).fit(train)
        seconds = time.perf_counter() - started
        done["seeds"][seed] = [*judge(model, test, negatives), seconds]
        save(results)


def run_baseline(name, data, results):
    """Fit and judge a model without epochs or seeds."""
    train, test, negatives = data
    if results.get(name, {}).get("seeds"):
        return
    started = time.perf_counter()
    model = {"PopularityRanker": PopularityRanker, "EASE": EASE, "ALS": ALS}[name]().fit(train)
    seconds = time.perf_counter() - started
    scores = judge(model, test, negatives) if name == "PopularityRanker" else judge_scores(model, test, negatives)
    results[name] = {"seeds": {"0": [*scores, seconds]}}
    save(results)


def save(results):
    """Write the results so that a stopped run resumes where it stopped."""
    path = Path(results["path"])
    path.with_suffix(".part").write_text(json.dumps(results, indent=1), encoding="utf-8")
    path.with_suffix(".part").replace(path)


def show(results, models):
    """Print the table."""
    print(f"\n{'model':<18}{'epochs':>7}{'HR@10':>16}{'NDCG@10':>16}{'seconds':>9}  published HR@10 / NDCG@10")
    for name in models:
        if not results.get(name, {}).get("seeds"):
            continue
        values = np.array(list(results[name]["seeds"].values()))
        mean, spread = values.mean(axis=0), values.std(axis=0)
        cells = [
            f"{m:.4f} ± {s:.4f}" if len(values) > 1 else f"{m:.4f}" for m, s in zip(mean[:2], spread[:2], strict=True)
        ]
        epochs = results[name].get("epochs", "")
        print(f"{name:<18}{epochs:>7}{cells[0]:>16}{cells[1]:>16}{mean[2]:>9.0f}  {PUBLISHED[name]}", flush=True)


def main():
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of MovieLens 1M")
    parser.add_argument("--models", nargs="+", choices=PUBLISHED, default=list(PUBLISHED))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--results", default="ncf_movielens.json", help="file that keeps the results; an existing one is resumed"
    )
    options = parser.parse_args()
    path = Path(options.results)
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    results["path"] = str(path)
    data = load(options.data)
    for name in options.models:
        if name in MODELS:
            run(name, MODELS[name], data, options.seeds, results)
        else:
            try:
                run_baseline(name, data, results)
            except ImportError as error:
                print(f"{name}: left out ({error})")
        show(results, [name])
    show(results, options.models)


if __name__ == "__main__":
    main()
