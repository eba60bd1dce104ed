"""What users of Keras pass: callbacks, schedules, optimisers. Each works, or is refused with what to use instead."""

import pickle
import re

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skrec
from skrec._engine import program_cache as program
from skrec._engine import schedules
from skrec.model_selection import LeaveLastOut
from skrec.models import NCFRanker, WideDeepClassifier

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own

SCHEDULES = {
    "ExponentialDecay": {"initial_learning_rate": 0.02, "decay_steps": 20, "decay_rate": 0.5},
    "PiecewiseConstantDecay": {"boundaries": [10, 30], "values": [0.02, 0.01, 0.005]},
    "PolynomialDecay": {"initial_learning_rate": 0.02, "decay_steps": 100},
    "InverseTimeDecay": {"initial_learning_rate": 0.02, "decay_steps": 10, "decay_rate": 0.5, "staircase": True},
    "CosineDecay": {"initial_learning_rate": 0.0, "decay_steps": 100, "warmup_target": 0.02, "warmup_steps": 20},
    "CosineDecayRestarts": {"initial_learning_rate": 0.02, "first_decay_steps": 30},
}


def schedule(name="ExponentialDecay"):
    return getattr(keras.optimizers.schedules, name)(**SCHEDULES[name])


def test_every_schedule_of_keras_is_tried():
    found = {name for name in dir(keras.optimizers.schedules) if name[0].isupper()} - {"LearningRateSchedule"}
    assert found == set(SCHEDULES)


class Rates(keras.callbacks.Callback):
    """Keep the rate of the last step of each epoch."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))


def n_steps(events):
    return -(-len(events) // 64)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_of_keras_give_the_rate_of_each_step(board, ranker, name):
    rates = Rates()
    ranker(epochs=4, learning_rate=schedule(name), callbacks=rates).fit(board.events)
    steps = n_steps(board.events) * np.arange(1, 5) - 1
    expected = [float(schedule(name)(np.int64(step))) for step in steps]
    assert rates.rates == pytest.approx(expected, rel=1e-5)


def test_a_constant_schedule_is_a_constant_rate(board, ranker):
    constant = keras.optimizers.schedules.PiecewiseConstantDecay([10**6], [0.01, 0.0])
    one, other = (ranker(epochs=3, learning_rate=rate).fit(board.events) for rate in (constant, 0.01))
    np.testing.assert_array_equal(one.item_embeddings_, other.item_embeddings_)


def test_after_a_rate_of_0_nothing_is_learnt(board, ranker):
    end = keras.optimizers.schedules.PiecewiseConstantDecay([n_steps(board.events) - 1], [0.01, 0.0])
    stopped = ranker(epochs=3, learning_rate=end).fit(board.events)
    np.testing.assert_array_equal(stopped.item_embeddings_, ranker(epochs=1).fit(board.events).item_embeddings_)


def test_a_schedule_goes_on_with_warm_start_and_partial_fit(board, ranker):
    whole = ranker(epochs=4, learning_rate=schedule()).fit(board.events)
    parts = ranker(epochs=2, learning_rate=schedule(), warm_start=True).fit(board.events).fit(board.events)
    each = ranker(learning_rate=schedule())
    for _ in range(4):
        each.partial_fit(board.events)
    for model in (parts, each):
        np.testing.assert_array_equal(model.item_embeddings_, whole.item_embeddings_)


def test_schedules_are_parameters_like_others(board, ranker, tmp_path):
    """Cloned, pickled, searched and stored; and no clone makes another trace."""
    model = ranker(epochs=1, learning_rate=schedule()).fit(board.events)
    n_programs, n_traces = len(program._CACHE._idle), len(schedules._compiled)
    again = clone(model).fit(board.events)
    read = pickle.loads(pickle.dumps(model))
    skrec.save(model, tmp_path / "model.skrec")
    loaded = skrec.load(tmp_path / "model.skrec")
    for other in (again, read, loaded, clone(loaded).fit(board.events)):
        assert other.get_params()["learning_rate"].get_config() == schedule().get_config()
        np.testing.assert_array_equal(other.predict(board.held_out), model.predict(board.held_out))
    assert (len(program._CACHE._idle), len(schedules._compiled)) == (n_programs, n_traces)
    grid = {"learning_rate": [schedule(), 0.01]}
    search = GridSearchCV(ranker(epochs=1), grid, cv=LeaveLastOut(), error_score="raise").fit(board.events)
    assert len(search.cv_results_["params"]) == 2


class Own(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of the caller's that cannot be serialised."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate / (1.0 + keras.ops.cast(step, "float32"))


def test_a_schedule_of_ones_own(board, ranker, tmp_path):
    rates = Rates()
    model = ranker(epochs=1, learning_rate=Own(0.1), callbacks=[rates]).fit(board.events)
    assert rates.rates == pytest.approx([0.1 / n_steps(board.events)])
    with pytest.raises(TypeError, match=r"learning_rate is <.*Own.*pickle"):
        skrec.save(model.set_params(callbacks=None), tmp_path / "model.skrec")


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (keras.optimizers.schedules.CosineDecay, "Pass an instance of CosineDecay"),
        (lambda epoch: 0.1, r"callbacks=\[keras.callbacks.LearningRateScheduler\(function\)\]"),
        (keras.optimizers.Adam(0.01), "name as optimizer= and its rate as learning_rate="),
        (Own(-1.0), r"learning_rate=Own\(...\) gives -1.0 in step 0: .* at least 0"),
        ("fast", "learning_rate"),
        (0.0, "learning_rate"),
    ],
    ids=["class", "function", "optimizer", "negative", "text", "zero"],
)
def test_what_is_no_rate_is_refused(board, ranker, unchanged, rate, message):
    model = ranker(epochs=1, learning_rate=rate)
    with unchanged(ranker(epochs=1)), pytest.raises((TypeError, ValueError), match=message):
        model.fit(board.events)
    assert not hasattr(model, "users_")


@pytest.mark.parametrize("name", ["LearningRateScheduler", "ReduceLROnPlateau"])
def test_a_callback_cannot_set_a_rate_that_a_schedule_gives(board, ranker, name):
    callback = {
        "LearningRateScheduler": lambda: keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
        "ReduceLROnPlateau": lambda: keras.callbacks.ReduceLROnPlateau(monitor="loss", min_delta=100, patience=0),
    }[name]()
    with pytest.raises(TypeError, match="cannot set the learning rate if learning_rate is a schedule"):
        ranker(epochs=3, learning_rate=schedule(), callbacks=[callback]).fit(board.events)


def test_the_wide_part_keeps_its_own_rate():
    random = np.random.default_rng(0)
    X = random.integers(0, 5, (80, 3)).astype(str)
    model = WideDeepClassifier(epochs=1, learning_rate=schedule(), random_state=0)
    assert model.fit(X, random.integers(0, 2, 80)).n_iter_ == 1


# -- optimisers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Adam", "SGD", "Adagrad"])
def test_names_of_optimisers_are_taken_as_keras_writes_them(board, ranker, name):
    one, other = (ranker(epochs=1, optimizer=written).fit(board.events) for written in (name, name.lower()))
    np.testing.assert_array_equal(one.item_embeddings_, other.item_embeddings_)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("rmsprop", "got 'rmsprop'. Use 'adam'"),
        ("adamw", "Use 'adam', with l2="),
        (keras.optimizers.Adam(0.01), r"optimizer='adam', learning_rate=\.\.\."),
        (keras.optimizers.SGD(0.01, momentum=0.9), r"optimizer='sgd', learning_rate=\.\.\."),
        (keras.optimizers.Adam, "optimizer"),
        (None, "optimizer"),
    ],
    ids=["rmsprop", "adamw", "Adam()", "SGD()", "Adam", "None"],
)
def test_other_optimisers_are_refused_with_what_to_use(board, ranker, optimizer, message):
    model = ranker(epochs=1, optimizer=optimizer)
    with pytest.raises(ValueError, match=message):
        model.fit(board.events)
    assert not hasattr(model, "users_")


# -- callbacks -----------------------------------------------------------------------------------------------------

SAVING = (NotImplementedError, "warm_start=True.*skrec.save")
EXPECTED = {
    "BackupAndRestore": SAVING,
    "CSVLogger": None,
    "Callback": None,
    "CallbackList": None,
    "EarlyStopping": None,
    "History": None,
    "LambdaCallback": None,
    "LearningRateScheduler": None,
    "ModelCheckpoint": SAVING,
    "OrbaxCheckpoint": SAVING,
    "ProgbarLogger": None,
    "ReduceLROnPlateau": None,
    "RemoteMonitor": None,
    "SwapEMAWeights": (NotImplementedError, "ema_momentum="),
    "TensorBoard": None,
    "TerminateOnNaN": None,
}
FOUND = [name for name in dir(keras.callbacks) if name[0].isupper()]


def make(name, folder):
    cls = getattr(keras.callbacks, name)
    made = {
        "BackupAndRestore": lambda: cls(folder / "backup"),
        "CSVLogger": lambda: cls(folder / "log.csv"),
        "CallbackList": lambda: cls([keras.callbacks.TerminateOnNaN()]),
        "EarlyStopping": lambda: cls(monitor="val_ndcg", mode="max"),
        "LambdaCallback": lambda: cls(on_epoch_end=recorded),
        "LearningRateScheduler": lambda: cls(halved),
        "ModelCheckpoint": lambda: cls(folder / "model.keras"),
        "OrbaxCheckpoint": lambda: cls(folder / "orbax"),
        "ReduceLROnPlateau": lambda: cls(monitor="loss", min_delta=100, patience=1, factor=0.5),
        "RemoteMonitor": lambda: cls(root="http://127.0.0.1:9", send_as_json=True),
        "TensorBoard": lambda: cls(folder / "board", histogram_freq=1, update_freq=1),
    }
    return made.get(name, cls)()


RECORDED = []


def recorded(epoch, logs):
    RECORDED.append((epoch, sorted(logs)))


def halved(epoch, rate):
    return rate / 2


def test_every_callback_of_keras_is_tried():
    assert set(FOUND) <= set(EXPECTED)


@pytest.mark.filterwarnings("ignore:Could not reach RemoteMonitor:UserWarning")
@pytest.mark.parametrize("name", FOUND)
def test_callbacks_of_keras_work_or_say_what_to_use(board, ranker, tmp_path, capfd, name):
    if name == "OrbaxCheckpoint":
        pytest.importorskip("orbax.checkpoint")
    for other, package in {"RemoteMonitor": "requests", "TensorBoard": "tensorboard"}.items():
        if name == other:
            pytest.importorskip(package)
    callback = make(name, tmp_path)
    model = ranker(epochs=3, callbacks=callback)  # one, without a list
    options = {"X_val": board.held_out[:50]}
    if EXPECTED[name] is not None:
        error, message = EXPECTED[name]
        with pytest.raises(error, match=message):
            model.fit(board.events, **options)
        assert not hasattr(model, "users_")
        return
    model.fit(board.events, **options)
    assert 0 < model.n_iter_ <= 3
    plain = ranker(epochs=model.n_iter_).fit(board.events, **options)
    if name not in {"LearningRateScheduler", "ReduceLROnPlateau"}:
        np.testing.assert_array_equal(plain.item_embeddings_, model.item_embeddings_)
    if name == "TensorBoard":  # which no copy can be made of
        return
    if name == "TensorBoard":  # which no copy can be made of
        return
    again = clone(model).fit(board.events, **options)  # the used callback can be copied, and used once more
    np.testing.assert_array_equal(again.item_embeddings_, model.item_embeddings_)
    if name not in {"LambdaCallback", "CallbackList"}:
        pickle.loads(pickle.dumps(model)).predict(board.held_out)


def test_callbacks_leave_what_they_are_there_for(board, ranker, tmp_path, capfd):
    kinds = ["CSVLogger", "LambdaCallback", "ReduceLROnPlateau"]
    RECORDED.clear()
    ranker(epochs=3, callbacks=[make(name, tmp_path) for name in kinds]).fit(board.events)
    assert (tmp_path / "log.csv").read_text().splitlines()[0].startswith("epoch,")
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    assert [epoch for epoch, _ in RECORDED] == [0, 1, 2]
    assert all("loss" in names for _, names in RECORDED)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("ema_momentum", [0.0, 0.8])
def test_restore_best_weights_keeps_the_weights_of_the_best_epoch(board, ranker, early_stopping, ema_momentum):
    """The best by what it monitors, also where skrec would have kept another epoch."""
    stop = keras.callbacks.EarlyStopping(monitor="own", mode="max", patience=2, restore_best_weights=True)

    def own(epoch, logs=None):
        logs["own"] = [0.0, 1.0, 0.5, 0.4, 0.3][epoch]

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=own), stop]
    settings = {"ema_momentum": ema_momentum, "early_stopping": early_stopping}
    model = ranker(epochs=9, callbacks=callbacks, **settings).fit(board.events)
    assert model.n_iter_ == 4
    best = ranker(epochs=2, **settings, n_iter_no_change=99, tol=-9.0).set_params(tol=0.0).fit(board.events)
    if early_stopping:  # of two epochs, the second is the better one here
        assert best.validation_scores_[1] == max(best.validation_scores_)
        assert model.best_validation_score_ == pytest.approx(best.best_validation_score_, abs=1e-6)
    np.testing.assert_allclose(model.item_embeddings_, best.item_embeddings_, rtol=1e-6)


def test_restore_best_weights_with_early_stopping_on_the_same_score(board, ranker):
    stop = keras.callbacks.EarlyStopping(monitor="val_ndcg", mode="max", patience=2, restore_best_weights=True)
    model = ranker(epochs=9, early_stopping=True, tol=0, callbacks=[stop]).fit(board.events)
    assert model.best_validation_score_ == pytest.approx(max(model.validation_scores_), abs=1e-6)


class Looks(keras.callbacks.Callback):
    """Looks at the model, and puts it back where it was."""

    def on_epoch_begin(self, epoch, logs=None):
        self.weights = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        self.n_weights = sum(weight.size for weight in self.weights)
        assert self.model.count_params() == self.n_weights
        assert self.model.get_layer("user").get_weights()[0].shape == (49, 8)
        lines = []
        self.model.summary(print_fn=lambda text, line_break=None: lines.append(text))
        assert "user" in "".join(lines)
        self.model.set_weights(self.weights)
        assert all((a == b).all() for a, b in zip(self.weights, self.model.get_weights(), strict=True))


def test_callbacks_may_look_at_the_network_and_set_its_weights(board, ranker):
    looks = Looks()
    model = ranker(epochs=2, callbacks=looks).fit(board.events)
    assert looks.n_weights == sum(array.size for array in model._weights.values())
    start = ranker(epochs=1, learning_rate=1e-30).fit(board.events)
    np.testing.assert_allclose(model.item_embeddings_, start.item_embeddings_, atol=1e-12)


class Does(keras.callbacks.Callback):
    def __init__(self, act):
        super().__init__()
        self.act = act

    def on_epoch_end(self, epoch, logs=None):
        self.act(self.model)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda model: model.save("model.keras"), NotImplementedError, "skrec.save"),
        (lambda model: model.load_weights("w.weights.h5"), NotImplementedError, "skrec.save"),
        (lambda model: model.predict([1]), NotImplementedError, "X_val"),
        (lambda model: model.set_weights(model.get_weights()[1:]), ValueError, "6 weights, but 5"),
        (lambda model: model.set_weights([w[:1] for w in model.get_weights()]), ValueError, "'user/embeddings' has"),
    ],
    ids=["save", "load", "predict", "too few", "other shapes"],
)
def test_what_a_callback_cannot_do_is_told(board, ranker, act, error, message):
    with pytest.raises(error, match=message):
        ranker(epochs=1, callbacks=[Does(act)]).fit(board.events)


@pytest.mark.parametrize("callbacks", [keras.callbacks.TerminateOnNaN, [keras.callbacks.TerminateOnNaN]])
def test_a_class_is_no_callback(board, ranker, callbacks):
    with pytest.raises(TypeError, match=re.escape("Pass an instance: TerminateOnNaN()")):
        NCFRanker(epochs=1, callbacks=callbacks).fit(board.events)
