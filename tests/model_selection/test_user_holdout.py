"""Whole users held out: the split, histories that scorers give to models, numbers by hand, models without histories."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skrec.datasets import make_interactions
from skrec.metrics import capped_recall_at_k, make_ranking_scorer
from skrec.model_selection import UserHoldout
from skrec.models import EASERanker, ItemKNNRanker, MultVAERanker, NCFRanker, PopularityRanker, SASRecRanker
from skrec.preprocessing import IDEncoder

EVENTS = make_interactions(60, 25, 600, random_state=0)[["user_id", "item_id"]].drop_duplicates(ignore_index=True)


@given(
    users=st.lists(st.integers(0, 7), min_size=12, max_size=40),
    fold_in=st.floats(0.01, 0.99),
    shuffle=st.booleans(),
    seed=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_the_parts(users, fold_in, shuffle, seed):
    X = pd.DataFrame({"user_id": users, "timestamp": np.arange(len(users))[::-1]})
    counts = X["user_id"].value_counts()
    if (counts > 1).sum() < 2:
        return
    cv = UserHoldout(n_splits=2, test_size=1, fold_in=fold_in, shuffle=shuffle, random_state=seed)
    for train, test in cv.split(X):
        assert sorted([*train, *test]) == list(range(len(X)))
        held_out = X.iloc[test]
        assert held_out["user_id"].nunique() == 1
        assert not set(held_out["user_id"]) & set(X["user_id"].iloc[train])
        history = cv.fold_in_rows(held_out)
        n = len(held_out)
        assert history.sum() == min(max(int(np.floor(fold_in * n + 1e-9)), 1), n - 1)
        assert (history == cv.fold_in_rows(held_out)).all()
        if not shuffle:
            assert held_out["timestamp"][history].max() < held_out["timestamp"][~history].min()


def test_the_number_of_users():
    for test_size, n in ((0.25, 15), (7, 7)):
        train, test = next(UserHoldout(test_size=test_size).split(EVENTS))
        assert EVENTS["user_id"].iloc[test].nunique() == n
    splits = [tuple(test) for _, test in UserHoldout(3).split(EVENTS)]
    assert len(set(splits)) == 3
    assert splits == [tuple(test) for _, test in UserHoldout(3).split(EVENTS)]
    assert UserHoldout().fold_report(EVENTS)["cold_user_share"].tolist() == [1.0]
    train, test = next(UserHoldout().split(EVENTS, groups=EVENTS["user_id"] // 2))
    assert not set(EVENTS["user_id"].iloc[test] // 2) & set(EVENTS["user_id"].iloc[train] // 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fold_in": 1.0}, "'fold_in'"),
        ({"test_size": 0}, "'test_size'"),
        ({"test_size": 60}, "holds out 60 of 60 users"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        next(UserHoldout(**parameters).split(EVENTS))


def test_users_with_one_row_stay_in_training():
    X = pd.DataFrame({"user_id": [1, 2, 3, 3, 4, 4], "item_id": list("abcabc")})
    _, test = next(UserHoldout(test_size=2).split(X))
    assert test.tolist() == [2, 3, 4, 5]
    with pytest.raises(ValueError, match="only 2 have two rows or more"):
        next(UserHoldout(test_size=3).split(X))


# -- scorers -----------------------------------------------------------------------------------------------------------

METRICS = ["recall@3", "capped_recall@3", "ndcg@5"]


def by_hand(model, held_out, history):
    """The metrics of each user: EASE's scores are a product, items of the history are not ranked."""
    values = []
    for _, rows in held_out.groupby("user_id"):
        given = rows.loc[history[rows.index], "item_id"]
        targets = set(rows.loc[~history[rows.index], "item_id"])
        scores = pd.Series(model.score_items(history=[given.tolist()])[0], index=model.items_).drop(
            given[given.isin(model.items_)]
        )
        ranked = scores.sort_values(ascending=False).index.tolist()
        hits = np.array([item in targets for item in ranked])
        dcg = (hits[:5] / np.log2(np.arange(2, 7)))[:5].sum()
        ideal = (1 / np.log2(np.arange(2, 2 + min(5, len(targets))))).sum()
        found = hits[:3].sum()
        values.append([found / len(targets), found / min(3, len(targets)), dcg / ideal])
    return dict(zip(METRICS, np.mean(values, axis=0), strict=True))


@pytest.mark.parametrize("shuffle", [True, False])
def test_numbers_by_hand(shuffle):
    cv = UserHoldout(test_size=20, fold_in=0.5, shuffle=shuffle)
    train, test = next(cv.split(EVENTS))
    held_out = EVENTS.iloc[test]
    model = EASERanker(l2=20.0).fit(EVENTS.iloc[train])
    history = pd.Series(cv.fold_in_rows(held_out), index=held_out.index)
    found = make_ranking_scorer(METRICS, fold_in=cv)(model, held_out)
    assert found == pytest.approx(by_hand(model, held_out, history), rel=1e-6)
    behind = make_pipeline(IDEncoder(), EASERanker(l2=20.0)).fit(EVENTS.iloc[train])
    assert make_ranking_scorer(METRICS, fold_in=cv)(behind, held_out) == pytest.approx(found, rel=1e-6)


def test_capped_recall_is_published_recall():
    y_true, y_pred = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 1, 0]]), np.array([[5.0, 4, 1, 3, 2], [5, 4, 3, 2, 1]])
    assert capped_recall_at_k(y_true, y_pred, k=2, per_user=True).tolist() == [1.0, 0.0]
    assert capped_recall_at_k(y_true, y_pred, k=4, per_user=True).tolist() == [2 / 3, 1.0]


QUICK = {"epochs": 2, "embedding_dim": 8, "random_state": 0}


@pytest.mark.parametrize(
    "model",
    [
        PopularityRanker(),
        ItemKNNRanker(),
        MultVAERanker(hidden_units=(), **QUICK),
        SASRecRanker(n_blocks=1, max_history=8, **QUICK),
    ],
    ids=lambda model: type(model).__name__,
)
def test_any_model_of_histories(model):
    cv = UserHoldout(test_size=0.3)
    scoring = make_ranking_scorer(METRICS, fold_in=cv)
    alone = cross_validate(model, EVENTS, cv=cv, scoring=scoring)["test_ndcg@5"]
    named = EVENTS.assign(item_id=EVENTS["item_id"].map("item {:02}".format))
    behind = cross_validate(make_pipeline(IDEncoder(), model), named, cv=cv, scoring=scoring)["test_ndcg@5"]
    assert alone == pytest.approx(behind, rel=1e-4)
    assert 0 < alone[0] < 1


def test_a_history_is_worth_something():
    cv = UserHoldout(test_size=0.3)
    scores = [
        cross_validate(model, EVENTS, cv=cv, scoring=make_ranking_scorer("ndcg@10", fold_in=cv))["test_score"][0]
        for model in (EASERanker(l2=20.0), PopularityRanker())
    ]
    assert scores[0] > scores[1]


def test_a_search():
    cv = UserHoldout(test_size=0.3)
    scorer = make_ranking_scorer("ndcg@10", fold_in=cv)
    search = GridSearchCV(EASERanker(), {"l2": [1.0, 1e6]}, cv=cv, scoring=scorer).fit(EVENTS)
    assert search.best_score_ > 0


def test_a_model_without_histories_is_an_error():
    cv = UserHoldout(test_size=0.3)
    train, test = next(cv.split(EVENTS))
    model = NCFRanker(epochs=1, embedding_dim=4, architecture="gmf").fit(EVENTS.iloc[train])
    with pytest.raises(TypeError, match=r"NCFRanker reads no histories.* such as MultVAERanker"):
        make_ranking_scorer(fold_in=cv)(model, EVENTS.iloc[test])


def test_negatives_are_neither_history_nor_relevant():
    X = pd.DataFrame({"user_id": [900] * 4, "item_id": [1, 2, 3, 4]})
    y = np.array([0, 1, 1, 0])
    model = EASERanker(l2=20.0).fit(EVENTS)
    seen = []

    class First(UserHoldout):
        def fold_in_rows(self, X, y=None, groups=None):
            return np.arange(len(X)) < 2

    class Spy(EASERanker):
        def score_items(self, queries=None, candidates=None, *, history=None):
            seen.append([list(items) for items in history])
            return super().score_items(queries, candidates, history=history)

    spy = Spy(l2=20.0).fit(EVENTS)
    report = make_ranking_scorer(METRICS, fold_in=First()).evaluate(spy, X, y)
    assert seen == [[[2]]]
    assert report.n_users == 1
    scores = pd.Series(model.score_items(history=[[2]])[0], index=model.items_).drop(2)
    rank = (scores >= scores[3]).sum()
    assert report.metrics["recall@3"] == float(rank <= 3)


def test_users_of_the_fit_are_a_warning():
    cv = UserHoldout(test_size=20)
    train, test = next(cv.split(EVENTS))
    scorer, held_out = make_ranking_scorer("ndcg@10", fold_in=cv), EVENTS.iloc[test]
    more = EVENTS.iloc[train[: len(train) // 2]]
    both = pd.concat([held_out, more[more["user_id"].duplicated(keep=False)]])
    n_fitted = both["user_id"].nunique() - 20
    message = (
        f"EASERanker was fitted on {n_fitted} of the {n_fitted + 20} users to score, such as "
        f"{more['user_id'].iloc[0]}, but fold_in= evaluates users who are new"
    )
    for model in (EASERanker(), make_pipeline(IDEncoder(), EASERanker())):
        model.fit(EVENTS.iloc[train])
        with pytest.warns(UserWarning, match=message):
            scorer(model, both)
        with pytest.warns(UserWarning, match="was fitted on 20 of the 20 users"):
            scorer(model.fit(EVENTS), held_out)


def test_users_without_a_history_are_a_warning():
    model = PopularityRanker().fit(EVENTS)
    X = pd.DataFrame({"user_id": [900, 901, 901, 902, 903, 903], "item_id": [1, 2, 3, 4, 5, 6]})
    cv = UserHoldout(shuffle=False)
    with pytest.warns(UserWarning, match="2 of the 4 users to score, such as 900, have no history: they have a"):
        report = make_ranking_scorer("ndcg@10", fold_in=cv).evaluate(model, X)
    assert report.n_users == 4
    with pytest.warns(UserWarning, match=r"3 of the 4 users to score, such as 900, .* no positive row"):
        make_ranking_scorer("ndcg@10", fold_in=cv)(model, X, [1, 0, 1, 1, 1, 1])


def test_items_of_the_history_are_not_targets():
    X = pd.DataFrame({"user_id": [9] * 4, "item_id": [1, 1, 1, 1]})
    with pytest.raises(ValueError, match="None of the 4 held-out rows is left to score"):
        make_ranking_scorer(fold_in=UserHoldout())(PopularityRanker().fit(EVENTS), X)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"fold_in": 0.8}, TypeError, r"fold_in must be a splitter.*UserHoldout"),
        ({"fold_in": UserHoldout}, TypeError, r"fold_in must be a splitter.*UserHoldout"),
        ({"fold_in": UserHoldout(), "protocol": "rerank"}, ValueError, "fold_in needs protocol='full'"),
    ],
)
def test_bad_options_of_a_scorer(options, error, message):
    with pytest.raises(error, match=message):
        make_ranking_scorer(**options)(PopularityRanker().fit(EVENTS), EVENTS)
