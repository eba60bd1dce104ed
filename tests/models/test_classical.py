"""What all rankers without a network have in common."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import skrec
from skrec import models
from skrec.model_selection import search_space
from skrec.testing import check_recommender

EVENTS = pd.DataFrame(
    {
        "user_id": ["ann", "ann", "bob", "bob", "cy", "cy", "cy", "dee", "eve", "eve", "eve"],
        "item_id": ["a", "b", "b", "c", "a", "b", "d", "d", "a", "c", "e"],
    }
)
USERS = ["ann", "bob", "cy", "dee", "eve"]
ITEMS = ["a", "b", "c", "d", "e"]
WEIGHT = np.array([1, 2, 1, 3, 0.5, 1, 2, 1, 1, 4, 1])
WEIGHTED = np.array([[1, 2, 0, 0, 0], [0, 1, 3, 0, 0], [0.5, 1, 0, 2, 0], [0, 0, 0, 1, 0], [1, 0, 4, 0, 1.0]])

LINEAR = [models.ItemKNNRanker(), models.RP3BetaRanker(), models.EASERanker(l2=2.0), models.SLIMRanker()]
FACTORS = [
    models.PureSVDRanker(embedding_dim=3, random_state=0),
    models.NMFRanker(embedding_dim=3, random_state=0),
    models.ALSRanker(embedding_dim=8, random_state=0),
]
ALL = [*LINEAR, models.UserKNNRanker(), *FACTORS]


def random_events(n_users, n_items, n_events, seed=0):
    """Events of random users and items, popular ones more often, with repetitions."""
    random = np.random.default_rng(seed)
    items = (n_items * random.random(n_events) ** 2).astype(int)
    return pd.DataFrame({"user_id": random.integers(0, n_users, n_events), "item_id": items})


def each(estimators):
    return pytest.mark.parametrize("model", estimators, ids=lambda model: type(model).__name__)


@each(ALL)
def test_it_is_a_recommender(model):
    check_recommender(model)


@each(ALL)
def test_a_given_history_counts_like_a_stored_one(model):
    model = clone(model).fit(EVENTS)
    stored = model.score_items(["ann", "cy"])
    assert (model.score_items(history=[["b", "a"], ["d", "a", "b"]]) == stored).all()
    assert (model.score_items(["somebody", "ann"], history=[["a", "b"], ["a", "b", "d"]]) == stored).all()
    assert (
        model.recommend(history=[["b", "a"]], k=5)["item_id"].tolist() == model.recommend(["ann"])["item_id"].tolist()
    )
    events = EVENTS[EVENTS["user_id"].isin(["ann", "cy"])]
    assert (model.score_items(history=events) == stored).all()
    with pytest.raises(ValueError, match="1 queries, but 2 histories"):
        model.score_items(["ann"], history=[["a"], ["b"]])
    repeated = clone(model).fit(EVENTS, sample_weight=WEIGHT)
    given = repeated.score_items(history=[["a", "b", "b"]])
    np.testing.assert_array_equal(given, repeated.score_items(["ann"]))


@each(ALL)
def test_without_a_history_items_are_ranked_by_popularity(model):
    model = clone(model).fit(EVENTS, sample_weight=WEIGHT)
    shares = WEIGHTED.sum(axis=0) / WEIGHTED.sum()
    found = model.score_items(["nobody", "ann"])
    np.testing.assert_allclose(found[0], shares, rtol=1e-6)
    assert not np.allclose(found[1], shares)
    np.testing.assert_allclose(model.score_items(history=[[], ["unknown"]]), [shares, shares], rtol=1e-6)


@each([*LINEAR, models.UserKNNRanker(), models.PureSVDRanker(embedding_dim=5)])
def test_fits_in_parts_are_one_fit(model):
    model = clone(model)
    for part in (slice(0, 3), slice(3, 4), slice(4, 11)):
        model.partial_fit(EVENTS[part], sample_weight=WEIGHT[part])
    whole = clone(model).fit(EVENTS, sample_weight=WEIGHT)
    np.testing.assert_allclose(model.score_items(USERS, ITEMS), whole.score_items(USERS, ITEMS), rtol=1e-5, atol=1e-6)


@each(ALL)
def test_weights_are_numbers_of_events(model):
    rows = np.repeat(np.arange(len(EVENTS)), (2 * WEIGHT).astype(int))
    repeated = clone(model).fit(EVENTS.iloc[rows])
    weighted = clone(model).fit(EVENTS, sample_weight=2 * WEIGHT)
    np.testing.assert_allclose(repeated.score_items(USERS), weighted.score_items(USERS), rtol=1e-5)


@each(LINEAR)
def test_contributions_of_a_linear_model_add_up_to_the_score(model):
    events = random_events(30, 12, 250)
    model = clone(model).fit(events)
    for user, item in ((3, 5), (7, 0)):
        found = model.explain([user], [item])
        assert found["past_item"].tolist() != []
        assert found["contribution"].sum() == pytest.approx(model.score_items([user], [item])[0, 0], rel=1e-4, abs=1e-6)
        weights = model.item_weights_
        counts = events.loc[events["user_id"] == user, "item_id"].value_counts()
        for past, contribution in found[["past_item", "contribution"]].itertuples(index=False):
            expected = counts[past] * weights[model.items_.tolist().index(past), model.items_.tolist().index(item)]
            assert contribution == pytest.approx(expected, rel=1e-3, abs=1e-6)


@each([models.UserKNNRanker(n_neighbors=5), *FACTORS])
def test_contributions_are_the_change_of_the_score_by_removal(model):
    model = clone(model).fit(EVENTS)
    found = model.explain(["cy"], ["c"]).set_index("past_item")["contribution"]
    whole, *without = model.score_items(history=[["a", "b", "d"], ["b", "d"], ["a", "d"], ["a", "b"]], candidates=["c"])
    without = np.where(without == model.score_items(["nobody"], ["c"])[0], 0, without)  # what tells nothing counts 0
    assert whole != model.score_items(["nobody"], ["c"])[0]
    np.testing.assert_allclose(found[["a", "b", "d"]], (whole - without)[:, 0], rtol=1e-5, atol=1e-7)


@each([model for model in ALL if not isinstance(model, models.UserKNNRanker)])
def test_similar_items(model):
    model = clone(model).fit(random_events(30, 12, 250))
    found = model.similar_items(model.items_[:3], k=4)
    assert len(found) == 12
    assert (found["similar_item"] != found["item_id"]).all()
    assert found.groupby("item_id")["score"].apply(lambda scores: scores.is_monotonic_decreasing).all()


@each(ALL)
def test_saved_models_score_alike(model, tmp_path):
    model = clone(model).fit(EVENTS, sample_weight=WEIGHT)
    skrec.save(model, tmp_path / "model.zip")
    loaded = skrec.load(tmp_path / "model.zip")
    np.testing.assert_array_equal(loaded.score_items(USERS), model.score_items(USERS))
    np.testing.assert_array_equal(loaded.score_items(history=[["a", "c"]]), model.score_items(history=[["a", "c"]]))
    more = pd.DataFrame({"user_id": ["fay"], "item_id": ["a"]})
    np.testing.assert_array_equal(
        loaded.partial_fit(more).score_items(["fay"]), model.partial_fit(more).score_items(["fay"])
    )


@each(ALL)
def test_one_item_or_one_user(model):
    one = clone(model).fit(pd.DataFrame({"user_id": [1, 2, 3], "item_id": [7, 7, 7]}))
    assert one.recommend([1, 9], exclude_seen=False)["item_id"].tolist() == [7, 7]
    assert one.recommend([1]).empty
    assert np.isfinite(one.score_items([1, 9])).all()
    one = clone(model).fit(pd.DataFrame({"user_id": [1, 1, 1], "item_id": [7, 8, 9]}))
    assert np.isfinite(one.score_items([1, 9])).all()


@each(ALL)
def test_users_without_positive_events_are_served_by_popularity(model):
    X = pd.concat([EVENTS, pd.DataFrame({"user_id": ["new"], "item_id": ["f"]})])
    model = clone(model).fit(X, [1] * len(EVENTS) + [0])
    scores = model.score_items(["new", "nobody"])
    assert (scores[0] == scores[1]).all()
    assert model.recommend(["new"], k=1)["item_id"].tolist() in (["a"], ["b"])


@each(ALL)
def test_a_failed_fit_changes_nothing(model):
    model = clone(model).fit(EVENTS)
    before = model.score_items(USERS)
    with pytest.raises(ValueError, match="parameter of"):
        model.set_params(**{next(name for name in search_space(model) if name != "weighting"): -1}).fit(EVENTS[:4])
    assert (model.score_items(USERS) == before).all()


@each(ALL)
def test_the_search_space_can_be_drawn_from(model):
    parameters = model.get_params()
    for name, distribution in search_space(model).items():
        assert name in parameters
        values = getattr(distribution, "choices", None) or (distribution.low, distribution.high)
        for value in values:
            clone(model).set_params(**{name: value}).fit(EVENTS)


def test_factors_have_vectors_whose_products_are_the_scores():
    for unfitted in FACTORS:
        model = clone(unfitted).fit(EVENTS)
        queries, items = model.encode_queries(["ann", "dee"]), model.encode_items()
        np.testing.assert_allclose(queries @ items.T, model.score_items(["ann", "dee"]), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(queries, model.user_embeddings_[[0, 3]], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(items, model.item_embeddings_)
        np.testing.assert_array_equal(model.encode_items(["c", "unknown"])[1], np.zeros(items.shape[1]))


def test_no_tensorflow_is_imported():
    code = (
        "import sys; from skrec.models import *; from skrec import models; X = [[1, 5], [2, 5], [2, 6]]\n"
        "for name in ('ItemKNN', 'UserKNN', 'RP3Beta', 'EASE', 'SLIM', 'PureSVD', 'NMF', 'ALS'):\n"
        "    getattr(models, name + 'Ranker')().fit(X).recommend([1])\n"
        "print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@each([models.PopularityRanker(), *ALL])
def test_ids_may_come_without_events(model):
    fitted = clone(model).fit(EVENTS)
    more = pd.DataFrame({"user_id": ["zoe", "zoe"], "item_id": ["z", "a"]})
    scores = fitted.score_items(USERS)
    fitted.partial_fit(more, 0)
    assert fitted.items_.tolist() == [*ITEMS, "z"]
    assert fitted.users_.tolist() == [*USERS, "zoe"]
    assert not fitted.seen_items(["zoe"]).nnz
    after = fitted.score_items(USERS)
    if model not in FACTORS:  # which go on from their solution
        np.testing.assert_allclose(after[:, :-1], scores, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(after[:, -1], 0, atol=1e-6)
    assert (fitted.score_items(["zoe"]) == fitted.score_items(["nobody"])).all()
    with pytest.raises(ValueError, match="No value of y is above 0"):
        clone(model).partial_fit(more, 0)


@each(ALL)
def test_extreme_weights(model):
    model = models.EASERanker() if isinstance(model, models.EASERanker) else model  # an l2 of the size of the weights
    for factor in (1e8, 1e-8):
        scores = clone(model).fit(EVENTS, sample_weight=factor * WEIGHT).score_items(USERS)
        assert np.isfinite(scores).all()
    for factor, shown in ((1e30, r"4e\+30"), (1e-30, "4e-30")):
        with pytest.raises(ValueError, match=rf"largest sum of the sample_weight .* is {shown}, .* by its mean"):
            clone(model).fit(EVENTS, sample_weight=factor * WEIGHT)
