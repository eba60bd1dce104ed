"""Common pitfalls of evaluation, each shown with numbers; docs/pitfalls.md explains them.

python examples/pitfalls.py                   generated events
python examples/pitfalls.py --data ml-100k    MovieLens 100K: the zip or the unpacked folder
"""

import argparse

import numpy as np
import pandas as pd

from skrec.datasets import fetch_movielens, make_interactions
from skrec.metrics import make_ranking_scorer, ndcg_at_k
from skrec.model_selection import LeaveLastOut
from skrec.models import NCFRanker, PopularityRanker, SASRecRanker

ndcg = make_ranking_scorer("ndcg@10")


def load(path):
    """Return events, and whether the user liked what came of each."""
    if path is not None:
        events = fetch_movielens("100k", path=path).interactions
        return events.drop(columns="rating"), (events["rating"] >= 4).to_numpy()
    X, rating = make_interactions(200, 100, 24_000, n_groups=4, sequential=0.5, target="rating", random_state=0)
    # Users come and go, as they do in any real log: each stays for a quarter of the time.
    time = (X["timestamp"] - X["timestamp"].min()) / np.ptp(X["timestamp"])
    kept = (time - 0.75 * X["user_id"] / 200).between(0, 0.25) & ~X.duplicated(["user_id", "item_id"])
    return X[kept].reset_index(drop=True), (rating[kept] >= 4).to_numpy()


def table(title, columns):
    """Print a title and the names of the columns; return what prints a row."""
    print(f"\n{title}\n{'':<30}" + "".join(f"{column:>14}" for column in columns), flush=True)

    def row(name, values, form=".4f"):
        cells = (f"{'' if value is None else format(value, form):>14}" for value in values)
        print((f"{name:<30}" + "".join(cells)).rstrip(), flush=True)

    return row


def random_split_against_time_split(X):
    """Hold out one event of each user, any or the last; return the models fitted to all but the last."""
    any_of_user = np.sort(X.groupby("user_id").sample(1, random_state=0).index)
    splits = [(X.index.difference(any_of_user), any_of_user), next(LeaveLastOut().split(X))]
    row = table("1. NDCG@10 of one held-out event a user: any of them, or the last", ["any", "last"])
    models = {
        "PopularityRanker": PopularityRanker(),
        "NCFRanker": NCFRanker(random_state=0),
        "SASRecRanker": SASRecRanker(epochs=20, learning_rate=0.002, random_state=0),
    }
    for name, model in models.items():
        row(name, [ndcg(model.fit(X.iloc[train]), X.iloc[test]) for train, test in splits])
    return models


def vocabulary_before_the_split(X):
    """Split at a date; let the model know of the ids after it, or not."""
    past = (X["timestamp"] < X["timestamp"].quantile(0.9)).to_numpy()
    train, test = X[past], X[~past]
    scorer = make_ranking_scorer(["ndcg@10", "cold_users", "cold_items"])
    row = table("2. The last tenth of the events held out: vocabulary of all rows, or of training", ["all", "training"])
    # With weight 0 the later events do not affect training, but their users and items are in the vocabulary.
    leaky = NCFRanker(random_state=0).fit(X, sample_weight=past.astype(float))
    honest = NCFRanker(random_state=0).fit(train)
    reports = [scorer.evaluate(model, test) for model in (leaky, honest)]
    row("unknown users", [report.cold_user_share for report in reports], ".1%")
    row("events with an unknown item", [report.cold_item_share for report in reports], ".1%")
    known = np.isin(reports[0].per_user.index, train["user_id"])
    for name, rows in (("all users", np.ones_like(known)), ("known users", known), ("new users", ~known)):
        row(f"NDCG@10 of {rows.sum()} {name}", [report.per_user["ndcg@10"][rows].mean() for report in reports])


def sampled_against_full(X, popularity, neumf):
    """Rank the last event of each user among few items, or among all."""
    train, test = next(LeaveLastOut().split(X))
    numbers = [5, 20, 99, 500]
    row = table(
        "3. NDCG@10 of the last event, among n drawn items (mean of 5 draws) or among all",
        [*(f"n = {n}" for n in numbers), "all"],
    )
    values = {}
    for name, model in {
        "PopularityRanker": popularity,
        "NCFRanker: NeuMF": neumf,
        "NCFRanker: MF": NCFRanker(architecture="mf", random_state=0).fit(X.iloc[train]),
        "NCFRanker: MLP": NCFRanker(architecture="mlp", random_state=0).fit(X.iloc[train]),
        "NCFRanker: MF, BPR": NCFRanker(architecture="mf", loss="bpr", l2=0.001, random_state=0).fit(X.iloc[train]),
    }.items():
        draws = [
            [make_ranking_scorer("ndcg@10", protocol="sampled", n_candidates=n, random_state=seed) for seed in range(5)]
            for n in numbers
        ]
        values[name] = [
            sum(scorer.evaluate(model, X.iloc[test]).per_user["ndcg@10"] for scorer in scorers) / len(scorers)
            for scorers in [*draws, [ndcg]]
        ]
        row(name, [value.mean() for value in values[name]])
    for one, other in (("NeuMF", "MF"), ("MLP", "MF, BPR")):
        both = zip(values[f"NCFRanker: {one}"], values[f"NCFRanker: {other}"], strict=True)
        differences = [a - b for a, b in both]
        row(f"{one} minus {other}", [difference.mean() for difference in differences], "+.4f")
        row("  standard error", [difference.sem() for difference in differences])


def all_positive_ndcg(X, liked):
    """Order the held-out events of each user among themselves; or find them among all items."""
    train, test = next(LeaveLastOut(n=10).split(X))
    X_test, y_test = X.iloc[test], liked[test]
    row = table("4. NDCG@10 of the last 10 events of each user", ["all positive", "liked or not", "among all"])
    # For users who liked all ten or none, all orders are equally good.
    mixed = pd.Series(y_test).groupby(X_test["user_id"].to_numpy()).transform("nunique").to_numpy() > 1
    users = X_test["user_id"].to_numpy()

    def of_held_out(scores):
        return [
            ndcg_at_k(np.ones(len(test)), scores, groups=users, k=10),
            ndcg_at_k(y_test[mixed], scores[mixed], groups=users[mixed], k=10),
        ]

    row("random numbers", [*of_held_out(np.random.default_rng(0).random(len(test))), None])
    for model in (PopularityRanker(), NCFRanker(random_state=0)):
        model.fit(X.iloc[train])
        row(type(model).__name__, [*of_held_out(model.predict(X_test)), ndcg(model, X_test)])
    try:
        make_ranking_scorer("ndcg@10", protocol="rerank")(model, X_test, np.ones(len(test)))
    except ValueError as error:
        print(f"skrec, asked for the first column: {error}")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", help="folder or zip of MovieLens 100K")
X, liked = load(parser.parse_args().data)
print(f"{len(X):,} events, {X['user_id'].nunique():,} users, {X['item_id'].nunique():,} items")
fitted = random_split_against_time_split(X)
vocabulary_before_the_split(X)
sampled_against_full(X, fitted["PopularityRanker"], fitted["NCFRanker"])
all_positive_ndcg(X, liked)
