"""Requests that are served at the same time, and what is kept between them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from skrec._engine import program_cache
from skrec.models import NCFRanker

EVENTS = pd.DataFrame({"user_id": np.arange(240) % 40, "item_id": np.arange(240) * 7 % 31})


@pytest.fixture(params=["mf", "neumf"])
def model(request, monkeypatch):
    monkeypatch.setattr(program_cache, "_CACHE", program_cache._Cache())
    return NCFRanker(architecture=request.param, epochs=1, early_stopping=False, random_state=0).fit(EVENTS)


def test_threads_share_one_program_and_get_the_same_results(model):
    users = np.arange(40)
    expected = [model.recommend([user], as_frame=False) for user in users]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda user: model.recommend([user], as_frame=False), users))
    for (items, scores), (same_items, same_scores) in zip(expected, found, strict=True):
        assert items.tolist() == same_items.tolist()
        assert scores.tobytes() == same_scores.tobytes()
    assert len(program_cache._CACHE._idle) == 1
    assert not program_cache._CACHE._shared


def test_inputs_of_the_catalogue_are_computed_once(model, monkeypatch):
    calls = []
    item_inputs = type(model)._item_inputs

    def counted(self, items):
        calls.append(len(items.codes))
        return item_inputs(self, items)

    monkeypatch.setattr(type(model), "_item_inputs", counted)
    for user in range(3):
        model.recommend([user])
    model.score_items([0, 1])
    assert calls == [31]
    model.score_items([0], candidates=[3, 4])
    assert calls == [31, 2]


def test_a_later_fit_replaces_what_is_kept(model, monkeypatch):
    before = model.score_items([0, 1])
    model.partial_fit(EVENTS[::-1])
    after = model.score_items([0, 1])
    assert not np.array_equal(before, after)
    monkeypatch.setattr(program_cache, "_CACHE", program_cache._Cache())
    assert model.score_items([0, 1]).tobytes() == after.tobytes()


def test_candidates_in_the_order_of_the_catalogue_have_the_scores_of_the_catalogue(model):
    whole = model.score_items([5])
    np.testing.assert_allclose(model.score_items([5], candidates=model.items_), whole, rtol=1e-6, atol=1e-6)
    backwards = model.score_items([5], candidates=model.items_[::-1])
    np.testing.assert_allclose(backwards[:, ::-1], whole, rtol=1e-6, atol=1e-6)


def test_another_thread_can_train_while_one_reads(model):
    other = NCFRanker(architecture=model.architecture, epochs=1, early_stopping=False, random_state=1)
    expected = model.score_items([0])
    with program_cache.shared(model._fitted_structure(), model._weights) as program:
        other.fit(EVENTS)
        assert program.held() is model._weights
    assert model.score_items([0]).tobytes() == expected.tobytes()


def test_an_error_while_reading_leaves_the_program_usable(model):
    expected = model.score_items([0])
    with pytest.raises(ZeroDivisionError), program_cache.shared(model._fitted_structure(), model._weights):
        1 / 0
    assert not program_cache._CACHE._shared
    assert model.score_items([0]).tobytes() == expected.tobytes()
