"""Several passes of ``partial_fit`` over the same parts: what was seen is trained on again, and counted once."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone

from skrec.models import (
    DINRanker,
    FMClassifier,
    GRU4RecRanker,
    NCFClassifier,
    NCFRegressor,
    PopularityRanker,
    SASRecRanker,
)

RNG = np.random.default_rng(0)
X = pd.DataFrame({"user_id": np.arange(80) % 8, "item_id": RNG.integers(0, 10, 80)})
TIMED = X.assign(timestamp=RNG.permutation(80))
CHUNKS = [slice(0, 40), slice(40, 80)]
SMALL = {"embedding_dim": 8, "random_state": 0}
RANKERS = [
    PopularityRanker(),
    SASRecRanker(max_history=8, **SMALL),
    GRU4RecRanker(max_history=8, **SMALL),
    DINRanker(max_history=8, hidden_units=(8,), **SMALL),
]
NAMES = [type(model).__name__ for model in RANKERS]


def state(model):
    """Return all that counts events."""
    log, past = model._log, getattr(model, "_histories", None)
    held = [log.indptr, log.items, log.item_counts, getattr(model, "item_counts_", None), model.users_, model.items_]
    if past is not None:
        held += [past.indptr, past.items, past.times, past.known, past.before]
    return [None if array is None else array.tolist() for array in held]


@pytest.mark.parametrize("events", [X, TIMED], ids=["order", "times"])
@pytest.mark.parametrize("model", RANKERS, ids=NAMES)
def test_a_second_pass_trains_and_counts_nothing(model, events):
    fitted = clone(model)
    for chunk in CHUNKS:
        fitted.partial_fit(events[chunk])
    before, scores = state(fitted), fitted.score_items([1, 2])
    for chunk in CHUNKS:
        fitted.partial_fit(events[chunk], seen=True)
    assert state(fitted) == before
    assert np.array_equal(fitted.score_items([1, 2]), scores) == isinstance(model, PopularityRanker)
    if isinstance(model, PopularityRanker):
        assert fitted.item_counts_.tolist() == np.bincount(events["item_id"]).tolist()
    fitted.partial_fit(events[CHUNKS[0]])  # and without it they are new events, unless their times tell
    added = len(events[CHUNKS[0]])
    assert sum(fitted._log.item_counts) == sum(np.array(before[2])) + added


def test_rows_of_a_seen_part_are_learned_from_their_own_past():
    """Where the order of the rows tells, a part that is not the last one must not be taken for it."""
    first = pd.DataFrame({"user_id": [1, 1, 1], "item_id": [5, 6, 7]})
    model = SASRecRanker(max_history=8, **SMALL).partial_fit(first)
    model.partial_fit(pd.DataFrame({"user_id": [1, 1], "item_id": [8, 9]}))
    from skrec.base.learning import learn

    events = learn(model, first, None, None, fresh=False, more=True, seen=True)
    assert model._ends(events).tolist() == [0, 1, 2]


def test_classifiers_and_regressors():
    y = np.arange(80) % 2
    for model, columns in (
        (NCFClassifier(**SMALL), X),
        (NCFRegressor(**SMALL), X),
        (FMClassifier(user="user_id", item="item_id", **SMALL), X.assign(age=RNG.random(80))),
        (FMClassifier(**SMALL), pd.DataFrame({"age": RNG.random(80)})),
    ):
        fitted = clone(model).partial_fit(columns, y)
        counts, before = fitted._log.item_counts.tolist(), fitted.predict(columns[:9])
        weights = {name: array.copy() for name, array in fitted._weights.items()}
        fitted.partial_fit(columns, y, seen=True)
        assert fitted._log.item_counts.tolist() == counts
        assert any((fitted._weights[name] != array).any() for name, array in weights.items())
        assert len(before) == len(fitted.predict(columns[:9]))


@pytest.mark.parametrize("model", RANKERS[:2], ids=NAMES[:2])
def test_what_was_not_seen_is_refused_and_changes_nothing(model):
    with pytest.raises(ValueError, match=f"seen=True, but this {type(model).__name__} is not fitted yet"):
        clone(model).partial_fit(TIMED, seen=True)
    fitted = clone(model).partial_fit(TIMED[:40])
    before = state(fitted)
    unseen = ~pd.MultiIndex.from_frame(X[40:]).isin(pd.MultiIndex.from_frame(X[:40]))
    pair = TIMED[40:][unseen][:1]
    cases = [
        (pair.assign(user_id=99), r"row 0 of X \(user 99\) was not seen before: no earlier call had its user"),
        (pair.assign(item_id=99), r"row 0 of X \(item 99\) was not seen before: no earlier call had its item"),
        (pd.concat([TIMED[:3], pair]), r"row 3 of X \(user \d, item \d\) was not seen .* \(1 of 4 rows\)"),
    ]
    if isinstance(model, SASRecRanker):
        cases.append((TIMED[:2].assign(timestamp=[1000, 1001]), "this event was in no earlier call .2 of 2 rows"))
    for rows, message in cases:
        with pytest.raises(ValueError, match=message):
            fitted.partial_fit(rows, seen=True)
        assert state(fitted) == before
    with pytest.raises(TypeError, match="seen must be True or False, which applies to all rows of the call, got"):
        fitted.partial_fit(TIMED[:2], seen=[True, False])


def test_events_of_append_history_can_be_trained_on():
    model = SASRecRanker(max_history=8, **SMALL).fit(X.assign(item_id=np.arange(80) % 10))
    more = pd.DataFrame({"user_id": [3, 77], "item_id": [4, 5]})
    before = state(model.append_history(more))
    model.partial_fit(more, seen=True)
    assert state(model) == before


def test_the_metadata_of_a_router_may_be_seen():
    with sklearn.config_context(enable_metadata_routing=True):
        for model in (PopularityRanker(), NCFClassifier()):
            asked = clone(model.set_partial_fit_request(seen=True))
            assert asked.get_metadata_routing().partial_fit.requests["seen"] is True
