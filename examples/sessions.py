"""Predict the next item of a session, also for anonymous visitors: SASRec compared with popularity, with explanations.

python examples/sessions.py                   generated events
python examples/sessions.py --data ml-100k    MovieLens 100K: the zip or the unpacked folder
"""

import argparse

import pandas as pd

from skrec.datasets import fetch_movielens, make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import PopularityRanker, SASRecRanker

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", help="folder or zip of MovieLens 100K")
path = parser.parse_args().data
if path:
    movielens = fetch_movielens("100k", path=path)
    X, titles = movielens.interactions.drop(columns="rating"), movielens.items.set_index("item_id")["title"]
    session, click = [172, 228], 71
else:
    X = make_interactions(n_users=500, n_items=200, n_interactions=15_000, sequential=0.6, random_state=0)
    titles = pd.Series({item: f"item {item}" for item in range(200)})
    session, click = [3, 7], 11


def show(what, **asked):
    """Print what is recommended, and what the past items contribute to the score of the first one."""
    print(f"\n{what}")
    best = model.recommend(k=5, **asked)
    for row in best.itertuples():
        print(f"  {row.rank}  {row.score:7.3f}  {titles[row.item_id]}")
    led = model.explain(items=best["item_id"][:1], **asked)[:3].itertuples()
    print("  for", "; ".join(f"{titles[row.past_item]}: {row.contribution:+.3f}" for row in led))


# The last event of each user is held out. Both models rank the whole catalogue, except items that the user has seen.
train, test = next(LeaveLastOut().split(X))
for model in (PopularityRanker(), SASRecRanker(epochs=20, learning_rate=0.002, random_state=0)):
    scores = make_ranking_scorer(["ndcg@10", "recall@10"])(model.fit(X.iloc[train]), X.iloc[test])
    print(f"{type(model).__name__:<18}NDCG@10 {scores['ndcg@10']:.4f}   Recall@10 {scores['recall@10']:.4f}")
model.append_history(X.iloc[test])  # add the held-out events without training

show("A session of a visitor without an id: " + "; ".join(titles[session]), history=[session])

# The visitor signs up and clicks once more: new users and new events join the histories without training.
visitor, now = X["user_id"].max() + 1, X["timestamp"].max()
events = pd.DataFrame({"user_id": visitor, "item_id": [*session, click], "timestamp": now + pd.Series([1, 2, 3])})
model.append_history(events)
show(f"User {visitor}, after a click on {titles[click]}", queries=[visitor])
