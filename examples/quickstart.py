"""From a table of interactions to recommendations: fit, compare, tune, recommend, save.

python examples/quickstart.py                               a generated set
python examples/quickstart.py --data ml-100k.zip            MovieLens: the zip or the unpacked folder
python examples/quickstart.py --data events.csv             any CSV or Parquet of interactions, one event a row
python examples/quickstart.py --data events.parquet --user buyer --item sku --time bought_at
"""

import argparse
import difflib
import re
import time
from pathlib import Path

import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skrec
from skrec.datasets import fetch_movielens, make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import NCFRanker, PopularityRanker

METRICS = ["ndcg@10", "recall@10"]
GRID = {"embedding_dim": [32, 64], "l2": [0.01, 0.03]}


def main() -> None:
    options = parse_options()
    try:
        X, titles = load(options)
    except (OSError, ValueError, ImportError) as error:
        raise SystemExit(f"quickstart.py: {error}") from error
    describe(X, options.data)

    # The last event of each user is held out. Every model ranks the whole catalogue, except seen items.
    train, test = next(LeaveLastOut().split(X))
    X_train, X_test = X.iloc[train], X.iloc[test]
    cold = ~X_test["item_id"].isin(X_train["item_id"])
    print(f"Held out   {len(X_test):,} last events, one a user; {cold.mean():.1%} with an item new to training\n")

    print(f"{'':<24}{'NDCG@10':>10}{'Recall@10':>12}{'fit':>9}")
    compare("PopularityRanker", PopularityRanker(), X_train, X_test)
    compare("NCFRanker: NeuMF", NCFRanker(random_state=0), X_train, X_test)

    # The search splits the training rows again in the same way: it never sees the held-out events.
    search = GridSearchCV(
        NCFRanker(architecture="mf", random_state=0),
        GRID,
        scoring=make_ranking_scorer("ndcg@10"),
        cv=LeaveLastOut(),
        error_score="raise",
    )
    compare("NCFRanker: MF, tuned", search, X_train, X_test)
    show_search(search)

    # Fit the model with the best parameters to all events, and use it.
    model = clone(search.best_estimator_).fit(X)
    users = X["user_id"].drop_duplicates().sample(min(3, X["user_id"].nunique()), random_state=0).tolist()
    recommended = model.recommend(users, k=5)
    show_recommendations(recommended, X, titles)

    skrec.save(model, options.output)
    loaded = skrec.load(options.output)
    pd.testing.assert_frame_equal(loaded.recommend(users, k=5), recommended)
    megabytes = options.output.stat().st_size / 1e6
    print(f"\nSaved to {options.output} ({megabytes:.1f} MB); loaded again, it recommends the same.")


def compare(name: str, model: object, X_train: pd.DataFrame, X_test: pd.DataFrame) -> None:
    """Fit a model and print its scores on the events held out."""
    start = time.perf_counter()
    model.fit(X_train)
    seconds = time.perf_counter() - start
    scores = make_ranking_scorer(METRICS)(model, X_test)
    print(f"{name:<24}{scores['ndcg@10']:>10.4f}{scores['recall@10']:>12.4f}{seconds:>7.1f} s", flush=True)


def show_search(search: GridSearchCV) -> None:
    """Print the score of every combination of parameters, the best one marked."""
    texts = [", ".join(f"{name}={value}" for name, value in each.items()) for each in search.cv_results_["params"]]
    width = max(map(len, texts))
    print(f"\nGrid search by the last of each user's training events\n    {'':<{width}}{'NDCG@10':>10}")
    for i, (text, score) in enumerate(zip(texts, search.cv_results_["mean_test_score"], strict=True)):
        print(f"  {'*' if i == search.best_index_ else ' '} {text:<{width}}{score:>10.4f}")


def show_recommendations(recommended: pd.DataFrame, X: pd.DataFrame, titles: dict[object, str]) -> None:
    """Print what is recommended to each user below what the user had last."""
    if "timestamp" in X:
        X = X.sort_values("timestamp", kind="stable")
    for user, rows in recommended.groupby("user_id", sort=False):
        last = [titles.get(item, f"item {item}") for item in X.loc[X["user_id"] == user, "item_id"].tail(3)]
        print(f"\nUser {user}, lately: {'; '.join(reversed(last))}")
        for row in rows.itertuples():
            print(f"  {row.rank}  {row.score:7.3f}  {titles.get(row.item_id, f'item {row.item_id}')}")


def describe(X: pd.DataFrame, source: Path | None) -> None:
    """Print what was loaded."""
    sizes = f"{len(X):,} interactions, {X['user_id'].nunique():,} users, {X['item_id'].nunique():,} items"
    print(f"Data       {source or 'generated'}: {sizes}")
    if "timestamp" not in X:
        print("Time       no column of times: the order of the rows within a user stands for it (or name one: --time)")


# ---------------------------------------------------------------------------------------------------- reading the data

# Letters of usual column names, the likeliest first; --user, --item, --time and --title name any other column.
USUAL = {
    "user": "userid user uid customerid customer visitorid memberid accountid reviewerid buyerid sessionid",
    "item": "itemid item iid movieid productid product sku asin articleid trackid songid bookid videoid businessid",
    "time": "timestamp time datetime date eventtime unixtimestamp createdat unixreviewtime",
    "title": "title itemtitle itemname movietitle producttitle productname name",
}


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder or zip of a MovieLens set, or a CSV or Parquet file")
    parser.add_argument(
        "--movielens", default="100k", choices=["100k", "1m", "latest-small"], help="which MovieLens set"
    )
    for role in USUAL:
        parser.add_argument(f"--{role}", metavar="COLUMN", help=f"column of the {role} in a CSV or Parquet file")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_suffix(".skrec"), help="where the model goes"
    )
    return parser.parse_args()


def load(options: argparse.Namespace) -> tuple[pd.DataFrame, dict[object, str]]:
    """Return the interactions, with the columns skrec looks for by default, and the titles of the items."""
    if options.data is None:
        X = make_interactions(n_users=1_000, n_items=500, n_interactions=40_000, n_groups=5, random_state=0)
        return X.drop_duplicates(["user_id", "item_id"], ignore_index=True), {}
    if options.data.is_dir() or options.data.suffix == ".zip":
        movielens = fetch_movielens(options.movielens, path=options.data)
        return movielens.interactions.drop(columns="rating"), movielens.items.set_index("item_id")["title"].to_dict()
    return load_table(options)


def load_table(options: argparse.Namespace) -> tuple[pd.DataFrame, dict[object, str]]:
    """Read a CSV or Parquet file and find its columns."""
    path = options.data
    read = pd.read_parquet if {".parquet", ".pq"} & set(path.suffixes) else pd.read_csv
    table = pd.read_csv(path, sep="\t") if ".tsv" in path.suffixes else read(path)
    found = {role: find_column(table, role, getattr(options, role)) for role in USUAL}
    X = pd.DataFrame({"user_id": table[found["user"]], "item_id": table[found["item"]]})
    if found["time"]:
        times = table[found["time"]]
        is_number = pd.api.types.is_numeric_dtype(times)
        X["timestamp"] = times if is_number else pd.to_datetime(times, utc=True).dt.tz_localize(None)
    titles = dict(zip(X["item_id"], table[found["title"]], strict=True)) if found["title"] else {}
    print("Columns    " + ", ".join(f"{role}: {column}" for role, column in found.items() if column))
    missing = X.isna().any(axis=1)
    if missing.any():
        print(f"Left out   {missing.sum():,} rows without a user, an item or a time")
    return X[~missing], titles


def find_column(table: pd.DataFrame, role: str, named: str | None) -> str | None:
    """Return the column that was named, or the one with the likeliest name."""
    columns = [str(column) for column in table.columns]
    if named is not None:
        if named in columns:
            return named
        close = difflib.get_close_matches(named, columns, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(columns)}."
        raise ValueError(f"--{role} {named}: there is no such column; {hint}")
    letters = {re.sub("[^a-z]", "", column.lower()): column for column in reversed(columns)}
    likely = [letters[name] for name in USUAL[role].split() if name in letters]
    if not likely and role in ("user", "item"):
        raise ValueError(
            f"No column looks like the {role}; name it with --{role}. The columns are {', '.join(columns)}."
        )
    return likely[0] if likely else None


if __name__ == "__main__":
    main()
