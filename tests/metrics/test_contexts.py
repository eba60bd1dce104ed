"""Scorers of models that read a context: the query of a user is the user's first held-out row."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrec.exceptions import ColumnError
from skrec.metrics import make_ranking_scorer, ndcg_at_k
from skrec.models import FMRanker, NCFRanker, PopularityRanker
from skrec.preprocessing import IDEncoder

N_ITEMS = 30
KINDS = np.array(["calm", "fast", "loud"])
# The mood is drawn for each row, and of few rows of an item it may nearly be the item's.
pytestmark = pytest.mark.filterwarnings("ignore:Column .* is the same in all rows of an item, except")

FAST = {"embedding_dim": 8, "batch_size": 64, "learning_rate": 0.02, "l2": 0, "random_state": 0}


def table(users, times, items):
    """Rows of users at a time of the day; an item's kind is its own."""
    users, items = np.asarray(users), np.asarray(items)
    return pd.DataFrame(
        {
            "user_id": users,
            "mood": KINDS[np.asarray(times)],
            "hour": np.asarray(times) * 8.0 + users % 5,
            "item_id": items,
            "kind": KINDS[items % 3],
        }
    )


def drawn(users, seed=0):
    """Events of users who choose what fits their mood, which is another one every time."""
    draw = np.random.default_rng(seed)
    items = draw.integers(0, N_ITEMS, len(users))
    times = np.where(draw.random(len(users)) < 0.05, draw.integers(0, 3, len(users)), items % 3)
    return table(users, times, items)


@pytest.fixture(scope="module")
def train():
    return drawn(np.repeat(np.arange(40), 15))


@pytest.fixture(scope="module")
def fitted(train):
    return FMRanker(**FAST).fit(train)


@pytest.fixture(scope="module")
def held_out():
    """Two events of each user, of whom the last 20 are new."""
    return drawn(np.random.default_rng(1).permutation(np.repeat(np.arange(60), 2)), seed=1)


def first_rows(X):
    return X.drop_duplicates("user_id").set_index("user_id", drop=False)


@settings(max_examples=25)
@given(rows=st.lists(st.tuples(st.integers(38, 41), st.integers(0, 2), st.integers(0, N_ITEMS + 2), st.booleans())))
def test_one_list_a_user_in_the_context_of_the_first_row(fitted, train, rows):
    """Against plain loops: what the model says of that row; users 40 and 41 and three items are new to it."""
    users, times, items, y = zip(*rows, (38, 1, 2, True), strict=True)
    X, y = table(users, times, items), np.array(y)
    candidates = {user: [0, 5, 6, 7, 31] for user in range(38, 42)}
    full = make_ranking_scorer("mrr@50").evaluate(fitted, X, y).per_user["mrr@50"]
    few = make_ranking_scorer("mrr@50", protocol="sampled", candidates=candidates).evaluate(fitted, X, y)
    expected, expected_few = {}, {}
    for user, query in first_rows(X).iterrows():
        own = X.user_id == user
        relevant = set(X.item_id[own & y])
        if not relevant:
            continue
        scores = dict(enumerate(fitted.score_items(query.to_frame().T.astype(X.dtypes))[0]))
        seen = set(train.item_id[train.user_id == user]) - set(X.item_id[own])
        order = sorted(set(scores) - seen, key=lambda item: (-scores[item], item in relevant))
        ranks = [1 + order.index(item) for item in relevant & set(scores)]
        expected[user] = 1 / min(ranks) if ranks else 0
        inverse = [
            item in scores and 1 / (1 + sum(scores[other] >= scores[item] for other in {0, 5, 6, 7} - {item}))
            for item in relevant
        ]
        expected_few[user] = np.mean(inverse)
    assert full.to_dict() == pytest.approx(expected)
    assert few.per_user["mrr@50"].to_dict() == pytest.approx(expected_few)


def test_a_catalogue_scored_in_parts_meets_the_right_contexts(fitted, held_out, monkeypatch):
    protocols = {"protocol": "full"}, {"protocol": "sampled", "n_candidates": 9}
    scorers = [make_ranking_scorer(["ndcg@5", "mrr@5"], **protocol) for protocol in protocols]
    whole = [scorer.evaluate(fitted, held_out).per_user for scorer in scorers]
    monkeypatch.setattr("skrec.metrics._protocols._MOST_SCORES", N_ITEMS * 7)
    monkeypatch.setattr("skrec.metrics._sampled._MUCH_LARGER", 0)  # score the candidates alone
    monkeypatch.setattr("skrec.metrics._sampled._FEW_USERS", 7)
    for scorer, expected in zip(scorers, whole, strict=True):
        pd.testing.assert_frame_equal(scorer.evaluate(fitted, held_out).per_user, expected)


@pytest.mark.parametrize(
    "container",
    [
        pl.DataFrame,
        lambda X: X.to_numpy(dtype=object),
        lambda X: X.to_numpy(dtype=object).tolist(),
        lambda X: X[X.columns[::-1]],
        lambda X: X.astype({"mood": "category"}).set_index(np.zeros(len(X))),
    ],
    ids=["polars", "array", "list", "reversed", "categories"],
)
def test_any_container(train, fitted, held_out, container):
    order = ["user_id", "item_id", "mood", "hour", "kind"]
    scorer = make_ranking_scorer(["ndcg@10", "cold_users"])
    expected = scorer(fitted, held_out)
    assert expected["cold_users"] == pytest.approx(1 / 3)
    X, test = container(train[order]), container(held_out[order])
    model = fitted if hasattr(test, "set_index") else FMRanker(**FAST).fit(X)
    assert scorer(model, test) == pytest.approx(expected)


def test_the_context_counts(fitted, held_out):
    """What fits the mood comes first, for new users too; and moods that are mixed up say nothing."""
    X = first_rows(held_out)
    cold = X[X.user_id >= 40]
    assert fitted.score(cold) == make_ranking_scorer("ndcg@10")(fitted, cold)
    ten_of_ten = np.mean(1 / np.log2(np.arange(10) + 2))  # right if all ten of the kind come first, in any order
    assert fitted.score(cold) == pytest.approx(ten_of_ten, abs=0.12)
    importance = permutation_importance(
        fitted, held_out, None, scoring=make_ranking_scorer("recall@10"), n_repeats=3, random_state=0
    )
    by_name = dict(zip(held_out, importance.importances_mean, strict=True))
    assert by_name["mood"] > 0.05
    assert by_name["kind"] == 0  # the catalogue's is taken


def test_without_its_context_a_user_is_asked_for_as_last_seen(fitted, train, held_out):
    ids = held_out[["user_id", "item_id"]]
    contexts = train[["user_id", "mood", "hour"]].drop_duplicates("user_id", keep="last")
    known = ids[ids.user_id < 40]
    scorer = make_ranking_scorer("ndcg@10")
    assert scorer(fitted, known) == pytest.approx(scorer(fitted, known.merge(contexts, on="user_id")))
    with pytest.raises(ColumnError, match=r"queries lack the column\(s\) 'hour'"):
        scorer(fitted, held_out.drop(columns="hour"))


def test_pipelines_and_searches(train, held_out):
    """The rows reach the model as the transformers leave them: here with encoded ids, and hours without a unit."""
    encoder = make_column_transformer(
        (IDEncoder(), ["user_id", "item_id"]),
        (StandardScaler(), ["hour"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipeline = make_pipeline(encoder, FMRanker(**FAST, item_features=["kind"]))
    events = pd.concat([train, held_out], ignore_index=True)
    scorer = make_ranking_scorer(["recall@10", "cold_users"])
    search = GridSearchCV(
        pipeline, {"fmranker__epochs": [1, 20]}, cv=GroupKFold(2), scoring=scorer, refit="recall@10"
    ).fit(events, groups=events["user_id"])  # fmt: skip
    assert search.best_params_ == {"fmranker__epochs": 20}
    assert (search.cv_results_["mean_test_cold_users"] == 1).all()
    by_popularity = cross_validate(
        PopularityRanker(), events, cv=GroupKFold(2), scoring=make_ranking_scorer("recall@10"), groups=events["user_id"]
    )  # fmt: skip
    assert search.best_score_ > 1.15 * by_popularity["test_score"].mean()
    fold = clone(pipeline).fit(train)
    rows = first_rows(held_out)
    scores = fold[-1].score_items(fold[:-1].transform(rows))
    catalogue = encoder_items(fold)
    seen = np.array([[item in set(train.item_id[train.user_id == user]) for item in catalogue] for user in rows.index])
    relevant = np.array([np.isin(catalogue, held_out.item_id[held_out.user_id == user]) for user in rows.index])
    scores[seen & ~relevant] = -np.inf
    value = make_ranking_scorer("ndcg@10")(fold, held_out)
    assert value == pytest.approx(ndcg_at_k(relevant, scores, k=10))


def encoder_items(pipeline):
    """Raw ids of the items of the model behind the encoder."""
    codes = pd.DataFrame({"user_id": 0, "item_id": pipeline[-1].items_})
    encoder = pipeline[0].named_transformers_["idencoder"]
    return np.asarray(encoder.inverse_transform(codes), dtype=object)[:, 1].astype(int)


def test_models_that_know_a_user_by_the_id_alone_score_as_without_the_context(train, held_out):
    model = NCFRanker(architecture="gmf", epochs=2, **FAST).fit(train)
    for protocol in ("full", "sampled"):
        scorer = make_ranking_scorer(["ndcg@10", "mrr@10"], protocol=protocol)
        ids_alone = scorer.evaluate(model, held_out[["user_id", "item_id"]])
        pd.testing.assert_frame_equal(scorer.evaluate(model, held_out).per_user, ids_alone.per_user, check_exact=True)
