"""One query at a time: short cuts return what the same computation for many queries does."""

import gc

import numpy as np
import pytest
from sklearn.base import clone

from skrec.base.per_array import PerArray
from skrec.datasets import make_interactions
from skrec.models import ALSRanker, EASERanker, ItemKNNRanker, PopularityRanker, PureSVDRanker, RP3BetaRanker

EVENTS = make_interactions(80, 300, 1500, random_state=0)
WEIGHTS = np.random.default_rng(0).uniform(0.1, 3, len(EVENTS))
MODELS = [
    PopularityRanker(),
    ItemKNNRanker(),
    RP3BetaRanker(),
    ALSRanker(random_state=0),
    PureSVDRanker(random_state=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_one_query_has_the_scores_that_it_has_among_others(model):
    model = clone(model).fit(EVENTS, sample_weight=WEIGHTS)
    users = model.users_
    together = model.score_items(users)
    alone = np.concatenate([model.score_items([user]) for user in users])
    np.testing.assert_array_equal(alone, together)
    items, scores = model.recommend(users, as_frame=False)
    for at, user in enumerate(users):
        found = model.recommend([user], as_frame=False)
        np.testing.assert_array_equal(found[0][0], items[at])
        np.testing.assert_array_equal(found[1][0], scores[at])


def test_all_items_as_candidates_score_as_the_catalogue():
    model = EASERanker().fit(EVENTS)
    np.testing.assert_array_equal(model.score_items([3], candidates=model.items_), model.score_items([3]))


def test_results_are_kept_as_long_as_their_array():
    kept, calls = PerArray(), []

    def total(array):
        calls.append(array.sum())
        return calls[-1]

    first, second = np.ones(3), np.zeros(3)
    assert [kept.of(array, total) for array in (first, second, first)] == [3, 0, 3]
    assert calls == [3, 0]
    del first
    gc.collect()
    assert len(kept._results) == 1
