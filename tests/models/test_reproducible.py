"""The same random_state gives the same bits: again, in threads, after a pickle, in another process."""

import pickle
import random
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from optuna import TrialPruned
from sklearn.base import clone

from skrec._engine import program_cache as program
from skrec.models import NCFClassifier, NCFRanker, NCFRegressor, PopularityRanker

EVENTS = pd.DataFrame({"user_id": np.repeat(np.arange(30), 10), "item_id": np.arange(300) * 7 % 40})
LABELS = (EVENTS["item_id"] % 3 == EVENTS["user_id"] % 3).to_numpy().astype(int)
SMALL = {"epochs": 2, "embedding_dim": 4, "mlp_embedding_dim": 4, "hidden_units": (8, 4), "batch_size": 32}
MODELS = [
    pytest.param(NCFRanker(random_state=0, **SMALL), id="ranker"),
    pytest.param(NCFRanker(random_state=0, architecture="gmf", loss="softmax", n_negatives=8, **SMALL), id="shared"),
    pytest.param(
        NCFRanker(random_state=0, dropout=0.3, l2=0.01, negative_sampling="popularity", reject_positives=True, **SMALL),
        id="everything random",
    ),
    pytest.param(NCFClassifier(random_state=0, early_stopping=True, **SMALL), id="classifier"),
    pytest.param(NCFRegressor(random_state=0, **SMALL), id="regressor"),
    pytest.param(PopularityRanker(), id="popularity"),
]


def bits(model):
    return model.score_items(np.arange(35), np.arange(45)).tobytes()


@pytest.mark.parametrize("model", MODELS)
def test_the_same_random_state_gives_the_same_bits(model):
    first = clone(model).fit(EVENTS, LABELS)
    clone(model).fit(EVENTS[:50], LABELS[:50])  # another fit in between, on the same program
    assert bits(clone(model).fit(EVENTS, LABELS)) == bits(first)
    if "random_state" in model.get_params():
        assert bits(clone(model).set_params(random_state=1).fit(EVENTS, LABELS)) != bits(first)


@pytest.fixture
def no_programs(monkeypatch):
    """Start with no program, and leave those of the other tests as they are."""
    monkeypatch.setattr(program, "_CACHE", program._Cache())


def test_a_fresh_program_gives_the_same_bits(monkeypatch):
    model = NCFRanker(random_state=0, **SMALL)
    first = bits(clone(model).fit(EVENTS))
    monkeypatch.setattr(program, "_CACHE", program._Cache())
    assert bits(clone(model).fit(EVENTS)) == first


def test_a_random_state_instance_is_drawn_from():
    generator = np.random.RandomState(0)
    first, second = (NCFRanker(random_state=generator, **SMALL).fit(EVENTS) for _ in range(2))
    assert bits(first) != bits(second)
    assert bits(NCFRanker(random_state=np.random.RandomState(0), **SMALL).fit(EVENTS)) == bits(first)


@pytest.mark.parametrize("model", [MODELS[2], MODELS[-1]])
@pytest.mark.usefixtures("no_programs")  # building a network is what moves Python's generator
def test_no_global_generator_is_seeded_or_moved(model):
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    tf.random.set_seed(3)
    expected = random.random(), np.random.random(), float(tf.random.uniform([]))  # noqa: NPY002
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    tf.random.set_seed(3)
    fitted = clone(model).fit(EVENTS, LABELS)
    fitted.predict(EVENTS)
    fitted.recommend([1])
    assert (random.random(), np.random.random(), float(tf.random.uniform([]))) == expected  # noqa: NPY002


@pytest.mark.parametrize("model", MODELS)
def test_a_pickle_predicts_the_same_bits_and_can_be_fitted_again(model):
    fitted = clone(model).fit(EVENTS, LABELS)
    copy = pickle.loads(pickle.dumps(fitted))
    assert bits(copy) == bits(fitted)
    pd.testing.assert_frame_equal(copy.recommend([3, 99]), fitted.recommend([3, 99]))
    assert bits(copy.partial_fit(EVENTS, LABELS)) == bits(fitted.partial_fit(EVENTS, LABELS))


def test_threads_fit_and_predict_at_once_as_one_after_another():
    def fit_and_score(seed):
        model = NCFRanker(random_state=seed % 4, architecture=["gmf", "neumf"][seed % 2], **SMALL).fit(EVENTS)
        return [bits(model) for _ in range(3)] + [model.predict(EVENTS).tobytes()]

    serial = [fit_and_score(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(fit_and_score, range(8))) == serial


def test_threads_share_one_fitted_model():
    models = [NCFRanker(random_state=seed, **SMALL).fit(EVENTS) for seed in range(2)]
    expected = [bits(model) for model in models]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda call: bits(models[call % 2]), range(40))) == expected * 20


@pytest.mark.usefixtures("no_programs")
def test_many_fits_of_one_structure_share_one_program():
    """Rates, penalties, seeds, numbers of rows, ids and negatives are no part of it."""
    generator = np.random.default_rng(0)
    for seed in range(20):
        rows = generator.integers(0, 300, generator.integers(20, 300))
        NCFRanker(
            random_state=seed,
            learning_rate=10 ** generator.uniform(-4, -1),
            l1=10 ** generator.uniform(-6, -1),
            l2=10 ** generator.uniform(-6, -1),
            dropout=generator.uniform(0.1, 0.9),
            id_dropout=generator.uniform(0.01, 0.5),
            n_negatives=int(generator.integers(1, 6)),
            **{**SMALL, "epochs": 1},
        ).fit(EVENTS.iloc[rows])
    assert len(program._CACHE._idle) == 1


class Pruned(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise TrialPruned


@pytest.mark.usefixtures("no_programs")
def test_fits_that_a_callback_ends_share_one_program():
    """The error reaches the caller, and the next fit finds the program as if nothing had been."""
    model = NCFRanker(random_state=0, **SMALL)
    expected = bits(clone(model).fit(EVENTS))
    kept = dict(program._CACHE._idle)
    for _ in range(2):
        with pytest.raises(TrialPruned):
            clone(model).set_params(callbacks=[Pruned()]).fit(EVENTS[:100])
    assert bits(clone(model).fit(EVENTS)) == expected
    assert program._CACHE._idle == kept


@pytest.mark.usefixtures("no_programs")
def test_few_programs_are_kept(monkeypatch):
    monkeypatch.setattr(program, "_CACHE_SIZE", 2)
    models = [
        NCFRanker(random_state=0, architecture="gmf", embedding_dim=dim, epochs=1).fit(EVENTS[:40])
        for dim in range(1, 5)
    ]  # fmt: skip
    assert len(program._CACHE._idle) == 2
    assert [model.predict(EVENTS).shape for model in models] == [(300,)] * 4


SCRIPT = """
    import pickle, sys
    import joblib
    import numpy as np

    models = pickle.load(open(sys.argv[1], "rb")) + joblib.load(sys.argv[2])
    users, items = np.arange(35), np.arange(45)
    scores = [model.score_items(users, items).tobytes() for model in models]
    again = [type(model)(**model.get_params()) for model in models[: len(models) // 2]]
    for model in again:
        model.fit(*pickle.load(open(sys.argv[3], "rb")))
    scores += [model.score_items(users, items).tobytes() for model in again]
    pickle.dump(scores, open(sys.argv[4], "wb"))
"""


def test_another_process_predicts_and_fits_the_same_bits_in_silence(tmp_path):
    """Not a word on the terminal: neither of a quiet fit nor of TensorFlow's start."""
    models = [clone(model.values[0]).fit(EVENTS, LABELS) for model in MODELS]
    (tmp_path / "models.pickle").write_bytes(pickle.dumps(models))
    joblib.dump(models, tmp_path / "models.joblib", compress=3)
    (tmp_path / "data.pickle").write_bytes(pickle.dumps((EVENTS, LABELS)))
    names = ["models.pickle", "models.joblib", "data.pickle", "scores.pickle"]
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), *(str(tmp_path / name) for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert pickle.loads((tmp_path / "scores.pickle").read_bytes()) == [bits(model) for model in models] * 3
