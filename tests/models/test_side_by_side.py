"""Requests, writers and save at the same time: every answer and every file has one state, and no event is lost."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import skrec
from skrec._transaction import snapshot
from skrec.datasets import make_interactions
from skrec.models import DINRanker, EASERanker, ItemKNNRanker, MultVAERanker, NCFRanker, SASRecRanker

EVENTS = make_interactions(30, 20, 300, random_state=0)
ASKED = EVENTS["user_id"].unique()[:4]
LATER = EVENTS["timestamp"].max() + 1
MODELS = {
    "closed form": EASERanker(),
    "neighbors": ItemKNNRanker(),
    "factors": NCFRanker(epochs=1, random_state=0),
    "autoencoder": MultVAERanker(epochs=1, random_state=0),
    "sequence": SASRecRanker(epochs=1, random_state=0),
    "target attention": DINRanker(epochs=1, random_state=0),
}


@pytest.fixture(autouse=True)
def _restless_threads():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=MODELS)
def model(request):
    return clone(MODELS[request.param]).fit(EVENTS)


def event(i, user=None):
    """An event of the i-th write: of a user of its own, or of one who is asked for."""
    item = EVENTS["item_id"].iloc[i]
    return pd.DataFrame({"user_id": [1_000 + i if user is None else user], "item_id": item, "timestamp": LATER + i})


def answer(model):
    return model.recommend(ASKED, k=5)


def is_one_of(found, states):
    return any(found.equals(state) for state in states)


def test_every_answer_and_every_file_has_one_state(model, tmp_path):
    """Writers note the state after each write, so that all states that a request can see are known."""
    states, answers, turn, done = [snapshot(model)], [], threading.Lock(), threading.Event()

    def write(change, i):
        with turn:
            change(event(i, ASKED[i % len(ASKED)]))
            states.append(snapshot(model))
            n, start = len(answers), time.perf_counter()
            while len(answers) == n and time.perf_counter() - start < 10:  # until someone has asked in between
                time.sleep(0.001)

    def ask(_):
        while not done.is_set():
            answers.append(answer(model))

    def save(number):
        for count in range(3):
            skrec.save(model, tmp_path / f"{number}.{count}")

    with ThreadPoolExecutor(8) as pool:
        requests = [pool.submit(ask, i) for i in range(2)]
        changes = [getattr(model, name) for name in ("partial_fit", "append_history") if hasattr(model, name)]
        work = [pool.submit(write, changes[i % len(changes)], i) for i in range(4)]
        work += [pool.submit(save, i) for i in range(2)]
        try:
            for job in work:
                job.result()
        finally:
            done.set()
        for job in requests:
            job.result()
    expected = [answer(state) for state in states]
    assert len(states) == 5
    assert not expected[0].equals(expected[-1])
    assert all(is_one_of(found, expected) for found in answers)
    assert len({next(i for i, one in enumerate(expected) if one.equals(found)) for found in answers}) > 1
    for file in tmp_path.iterdir():
        assert is_one_of(answer(skrec.load(file)), expected), file


def test_writers_lose_no_event(model):
    """Writers in eight threads: each event is there at the end, once."""
    before, n = model._log.item_counts.sum(), 16

    def write(i):
        if hasattr(model, "append_history") and i % 4:
            model.append_history(event(i))
        else:
            model.partial_fit(event(i))
        model.recommend(ASKED)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(n)))
    new = np.arange(1_000, 1_000 + n)
    assert np.isin(new, model.users_).all()
    seen = model.seen_items(new)
    assert (np.diff(seen.indptr) == 1).all()
    np.testing.assert_array_equal(model.items_[seen.indices], EVENTS["item_id"].iloc[:n])
    assert model._log.item_counts.sum() == before + n
