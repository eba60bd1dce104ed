"""Writers of one estimator take turns, and readers see the state before or after a write."""

import copy
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skrec.models import PopularityRanker
from skrec.preprocessing import HistoryEncoder, IDEncoder

N_USERS, N_ITEMS, N_WRITES = 50, 11, 100
EVENTS = pd.DataFrame({"user_id": np.arange(200) % N_USERS, "item_id": np.arange(200) % N_ITEMS})


@pytest.fixture(autouse=True)
def _restless_threads():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def new_event(i):
    """A new user with a new item."""
    return pd.DataFrame({"user_id": [1_000 + i], "item_id": [1_000 + i]})


def in_threads(*functions):
    with ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(function, i) for i in range(N_WRITES) for function in functions]
    return [job.result() for job in jobs]


def test_every_part_of_partial_fit_arrives():
    model = PopularityRanker().fit(EVENTS)

    def read(i):
        assert len(model.recommend([i % N_USERS, 1_000 + i], k=3)) == 6
        assert model.predict(new_event(i)) in (0, 1)
        assert model.score_items([0, 1_000 + i]).shape[0] == 2
        assert model.seen_items([0, 1_000 + i])[[1]].sum() in (0, 1)

    in_threads(lambda i: model.partial_fit(new_event(i)), read, read)
    assert sorted(model.users_) == [*range(N_USERS), *range(1_000, 1_000 + N_WRITES)]
    assert sorted(model.items_) == [*range(N_ITEMS), *range(1_000, 1_000 + N_WRITES)]
    assert model.item_counts_.sum() == len(EVENTS) + N_WRITES
    assert model.seen_items([1_000 + 7]).sum() == 1


def test_every_appended_event_arrives():
    encoder = HistoryEncoder(remainder="drop", max_history=1_000).fit(EVENTS)

    def read(i):
        lists = encoder.transform(EVENTS[:5])
        assert lists.shape == (5, 1)

    in_threads(lambda i: encoder.append_history(pd.DataFrame({"user_id": [0], "item_id": [1_000 + i]})), read)
    history = encoder.transform(pd.DataFrame({"user_id": [0], "item_id": [5_000]}))[0, 0]
    assert sorted(history[-N_WRITES:]) == list(range(1_000, 1_000 + N_WRITES))


def test_a_transformer_answers_before_or_after_a_fit():
    small, large = [["a", 1]], [[f"id {i}", i] for i in range(500)]
    encoder = IDEncoder().fit(small)
    expected = [IDEncoder().fit(X).transform(large) for X in (small, large)]
    answers = in_threads(lambda i: encoder.transform(large), lambda i: encoder.fit(small if i % 2 else large))[::2]
    assert all(any(np.array_equal(answer, each) for each in expected) for answer in answers)


class Between(PopularityRanker):
    """A model of somebody else that reads twice; a writer comes between."""

    def gap(self):
        """Wait for a writer."""

    def sizes(self):
        """Read twice."""
        before = len(self.items_)
        self.gap()
        return before, len(self.items_), self.score_items([0]).shape[1]

    def recommend(self, queries, k=10, **options):
        """Read twice."""
        first = len(self._items)
        self.gap()
        assert len(self._items) == first
        return super().recommend(queries, k, **options)

    @property
    def both_(self):
        """Two lengths."""
        first = len(self._users)
        self.gap()
        return first, len(self._users)


def test_methods_of_subclasses_read_one_state():
    model = Between().fit(EVENTS)
    written = []

    def write(self):
        thread = threading.Thread(target=model.partial_fit, args=(new_event(len(written)),))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()  # readers never keep writers waiting
        written.append(thread)

    Between.gap = write
    assert model.sizes() == (N_ITEMS, N_ITEMS, N_ITEMS)
    assert model.sizes() == (N_ITEMS + 1, N_ITEMS + 1, N_ITEMS + 1)
    assert model.both_ == (N_USERS + 2, N_USERS + 2)
    assert model.recommend([0], k=100, exclude_seen=False)["rank"].max() == N_ITEMS + 3
    assert len(model.items_) == N_ITEMS + 4


def test_a_method_may_write_and_read_on():
    class Learning(PopularityRanker):
        def learn_and_recommend(self, X, users):
            self.partial_fit(X)
            self.n_calls_ = getattr(self, "n_calls_", 0) + 1
            return self.recommend(users, k=1)

        def refit(self, X):
            self.fit(X)
            return self

    model = Learning().fit(EVENTS)
    many = pd.concat([new_event(1)] * 100)
    assert model.learn_and_recommend(many, [0])["item_id"].tolist() == [1_001]
    assert model.n_calls_ == 1
    assert model.items_[-1] == 1_001
    assert model.refit(EVENTS) is model
    assert len(model.items_) == N_ITEMS
    assert model.n_calls_ == 1


def test_a_failed_write_publishes_nothing_and_frees_the_turn():
    model = PopularityRanker().fit(EVENTS)
    before = dict(vars(model))
    for write in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="missing"):
            write(pd.DataFrame({"user_id": [1.0, None], "item_id": [1, 2]}))
    assert vars(model) == before
    thread = threading.Thread(target=model.partial_fit, args=(new_event(1),))
    thread.start()
    thread.join(10)
    assert len(model.items_) == N_ITEMS + 1


def test_parameters_set_during_a_fit_stay_set():
    class Slow(PopularityRanker):
        def _row_inputs(self, rows, users, items, *, fit=None):
            thread = threading.Thread(target=model.set_params, kwargs={"handle_unknown": "error"})
            thread.start()
            thread.join(10)
            return {}

    model = Slow()
    model.fit(EVENTS)
    assert model.handle_unknown == "error"
    assert len(model.items_) == N_ITEMS


@pytest.mark.parametrize("copied", [clone, copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_have_their_own_turns(copied):
    model = PopularityRanker().fit(EVENTS)
    assert set(vars(model)) == set(vars(pickle.loads(pickle.dumps(model))))
    other = copied(model)
    entered, leave = threading.Event(), threading.Event()

    def slow_rows():
        entered.set()
        leave.wait(10)
        return EVENTS.to_numpy()

    class Rows:
        def __array__(self, dtype=None, copy=None):
            return slow_rows()

    thread = threading.Thread(target=model.fit, args=(Rows(),))
    thread.start()
    assert entered.wait(10)
    other.fit(new_event(1))  # does not wait for the fit of the model that it was copied from
    assert other.items_.tolist() == [1_001]
    leave.set()
    thread.join(10)
    assert len(model.items_) == N_ITEMS


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_write_while_a_thread_of_the_parent_does():
    code = f"""
import os, threading
import numpy as np
from skrec.models import PopularityRanker

EVENTS = np.array({EVENTS[:20].to_numpy().tolist()})
model, entered, leave = PopularityRanker().fit(EVENTS), threading.Event(), threading.Event()

class Rows:
    def __array__(self, dtype=None, copy=None):
        entered.set()
        leave.wait(60)
        return EVENTS

thread = threading.Thread(target=model.fit, args=(Rows(),))
thread.start()
entered.wait(60)
child = os.fork()
if child == 0:
    model.partial_fit([[1000, 1000]])
    os._exit(0 if 1000 in model.items_ else 1)
print(os.waitpid(child, 0)[1])
leave.set()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "0"
