"""Autoencoders for users who were not in training, and ratings by AutoRec, on MovieLens 1M.

Strong generalization (UserHoldout): ratings above 3.5 are positive, users with at least 5 of them are kept. A tenth of
the users is held out for the test and another tenth for validation; 80 % of the events of a held-out user are given,
the others are scored. Recall is divided by the minimum of k and the number of relevant items, as published.

The number of epochs is chosen by early stopping on events of the training users; what else is set here is chosen on
the validation users (--choose scores them instead of the test users). There are no published figures for this split:
EASE in the same run is the yardstick.

AutoRec (--autorec): RMSE of 10 % of all ratings at random; a tenth of the others chooses the number of epochs, and the
network is then trained on all of them. Published (Sedhain et al., 2015): .831 by item, .874 by user.

python benchmarks/autoencoders.py --data FOLDER --autorec item,user
python benchmarks/autoencoders.py --data FOLDER [--seeds 3] [--models EASE,MultVAE,MultDAE,RecVAE] [--choose]

The folder holds ml-1m/ratings.csv.gz with user_id, movie_id and rating.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from skrec.metrics import make_ranking_scorer
from skrec.model_selection import UserHoldout
from skrec.models import AutoRecRegressor, EASERanker, MultDAERanker, MultVAERanker, PopularityRanker, RecVAERanker

METRICS = ["capped_recall@20", "capped_recall@50", "ndcg@100"]
MODELS = {
    "popularity": lambda seed: PopularityRanker(),
    "EASE": lambda seed: EASERanker(l2=300.0),
    "MultVAE": lambda seed: MultVAERanker(random_state=seed),
    "MultDAE": lambda seed: MultDAERanker(random_state=seed),
    "RecVAE": lambda seed: RecVAERanker(random_state=seed),
}


def read(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path / "ml-1m" / "ratings.csv.gz")
    return frame.rename(columns={"movie_id": "item_id"})[["user_id", "item_id", "rating"]]


def positives(ratings: pd.DataFrame) -> pd.DataFrame:
    events = ratings.loc[ratings["rating"] > 3.5, ["user_id", "item_id"]]
    return events[events.groupby("user_id")["item_id"].transform("size") >= 5].reset_index(drop=True)


def strong_generalization(events: pd.DataFrame, names: list[str], seeds: int, *, choose: bool) -> None:
    test_users = UserHoldout(test_size=0.1, fold_in=0.8, random_state=0)
    others, test = next(test_users.split(events))
    validation_users = UserHoldout(test_size=0.1 / 0.9, fold_in=0.8, random_state=1)
    train, validation = (events.iloc[others].iloc[part] for part in next(validation_users.split(events.iloc[others])))
    held_out, cv = (validation, validation_users) if choose else (events.iloc[test], test_users)
    print(f"{len(train)} events of {train['user_id'].nunique()} users; {held_out['user_id'].nunique()} held out")
    scorer = make_ranking_scorer(METRICS, fold_in=cv)
    print(f"{'':<12}{'R@20':>8}{'R@50':>8}{'NDCG@100':>10}{'epochs':>8}{'seconds':>9}")
    for name in names:
        found, epochs, seconds = [], [], []
        for seed in range(1 if name in {"EASE", "popularity"} else seeds):
            start = time.perf_counter()
            model = MODELS[name](seed).fit(train)
            seconds.append(time.perf_counter() - start)
            epochs.append(getattr(model, "n_iter_", 0))
            found.append([*scorer(model, held_out).values()])
        recall_20, recall_50, ndcg = np.mean(found, axis=0)
        print(
            f"{name:<12}{recall_20:8.4f}{recall_50:8.4f}{ndcg:10.4f}{np.mean(epochs):8.0f}{np.mean(seconds):9.1f}"
            f"   NDCG of each seed {np.round([ndcg for *_, ndcg in found], 4).tolist()}",
            flush=True,
        )


def ratings_by_autorec(ratings: pd.DataFrame, ways: list[str], seeds: int) -> None:
    X, y = ratings[["user_id", "item_id"]], ratings["rating"].to_numpy(float)
    for by in ways:
        found, start = [], time.perf_counter()
        for seed in range(seeds):
            train, test = train_test_split(np.arange(len(y)), test_size=0.1, random_state=seed)
            model = AutoRecRegressor(by=by, random_state=seed).fit(X.iloc[train], y[train])
            found.append(root_mean_squared_error(y[test], model.predict(X.iloc[test])))
            print(f"  {by}, seed {seed}: RMSE {found[-1]:.4f} after {model.n_iter_} epochs", flush=True)
        print(
            f"AutoRec by {by}: RMSE {np.mean(found):.4f}, {(time.perf_counter() - start) / seeds:.0f} s a fit",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", default="popularity,EASE,MultVAE,MultDAE,RecVAE")
    parser.add_argument("--choose", action="store_true", help="score the validation users instead of the test users")
    parser.add_argument("--autorec", default="", help="item, user or item,user: ratings instead of rankings")
    arguments = parser.parse_args()
    ratings = read(arguments.data)
    if arguments.autorec:
        ratings_by_autorec(ratings, arguments.autorec.split(","), arguments.seeds)
        return
    strong_generalization(positives(ratings), arguments.models.split(","), arguments.seeds, choose=arguments.choose)


if __name__ == "__main__":
    main()
