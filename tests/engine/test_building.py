"""Networks do not depend on Keras's global state: what was built before changes no name, and no bit of a fit."""

import hashlib
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from skrec import models
from skrec._engine import layers, training
from skrec._engine import program_cache as program
from skrec._engine.layers import Network, Table, match
from skrec._engine.program import Program
from skrec._engine.structure import Structure
from skrec.testing import all_estimators

RANDOM = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "user_id": RANDOM.integers(0, 20, 200),
        "item_id": RANDOM.integers(0, 30, 200),
        "timestamp": RANDOM.permutation(200),
        "price": RANDOM.normal(size=200),
        "kind": RANDOM.choice(list("abcdef"), 200),
    }
)
Y = (ROWS["price"] * (ROWS["item_id"] % 3 - 1) > 0).astype(int)
NETWORKS = {name: model for name, model in all_estimators() if hasattr(model, "_build_network")}
DEEPER = {"n_cross_layers": 3, "n_blocks": 3, "n_layers": 3, "hidden_units": (8, 8, 8)}
SMALL = {"user": "user_id", "item": "item_id", "epochs": 2, "embedding_dim": 4, "batch_size": 32, "random_state": 0}


def estimator(name):
    """A model of several layers of each kind."""
    model = NETWORKS[name]()
    known = model.get_params()
    return model.set_params(**{key: value for key, value in {**SMALL, **DEEPER}.items() if key in known})


def bits(name):
    model = estimator(name).fit(ROWS, Y)
    scores = model.predict_proba(ROWS) if hasattr(model, "predict_proba") else model.predict(ROWS)
    return hashlib.sha256(scores.tobytes()).hexdigest()


def snake_case(name):
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def shift(numbers):
    """Have Keras count on from at least these numbers, in this thread."""
    for prefix, number in numbers.items():
        while keras.backend.get_uid(prefix) < number:
            pass


@pytest.fixture
def structure_of(monkeypatch):
    """From a model to the structure of its program, without training it."""

    class Found(Exception):
        pass

    def found(structure, *args, **kwargs):
        raise Found(structure)

    def structure_of(name):
        with monkeypatch.context() as patch:
            patch.setattr(training, "train", found)
            with pytest.raises(Found) as caught:
                estimator(name).fit(ROWS, Y)
        return caught.value.args[0]

    return structure_of


def names_in(built):
    """All names that the graph of a program could be sorted by."""
    optimizers = [(o.name, *(variable.path for variable in o.variables)) for o, _ in built.optimizers]
    layers = [layer.name for layer in built.parts]
    return built.name, layers, list(built.named), list(built.constants), optimizers


def of_each_network():
    """One model of each network; its other tasks, which add no layer, are left to the exhaustive run."""
    first = {}
    for name, model in NETWORKS.items():
        first.setdefault(model._build_network, name)
    return [pytest.param(name, marks=[] if name in first.values() else pytest.mark.exhaustive) for name in NETWORKS]


@pytest.mark.parametrize("name", of_each_network())
def test_no_name_in_a_program_depends_on_what_was_built_before(structure_of, name):
    """In threads of their own, Keras's counters are set so that each pair of layers straddles 9 and 10."""
    structure = structure_of(name)
    expected = Program(structure)
    assert [layer.name for layer in expected.parts] == list(expected.network.parts)
    kinds = Counter(snake_case(type(layer).__name__) for layer in expected.parts)
    optimizers = dict.fromkeys((snake_case(type(o).__name__) for o, _ in expected.optimizers), 2)

    def built(start):
        shift(dict.fromkeys(kinds | optimizers | {"program": 1, "dropout": 1}, start))
        return names_in(Program(structure))

    for start in range(max(8, 10 - max(kinds.values())), 11):
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(built, start).result() == names_in(expected)


def nodes(concrete):
    return [node.name for node in concrete.graph.as_graph_def().node]


def test_layers_without_weights_and_within_others_have_names_of_their_own_too():
    """Seen in the graph that is trained: parts, layers that are no part, and layers in a layer."""

    def build(keras, layers):
        inner = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(4)])
        parts = {"user": layers.Table("user", 4), "item": layers.Table("item", 4), "inner": inner}
        activation = keras.layers.Activation("tanh")
        return layers.Network(
            query=lambda inputs: activation(inner(parts["user"](inputs["user"]))),
            item=lambda inputs: parts["item"](inputs["item"]),
            interact=layers.match,
            parts=parts,
            dot=True,
        )

    def traced(start):
        shift(dict.fromkeys(["dense", "sequential", "activation", "table", "adam"], start))
        built = Program(Structure(build=build, network=()))
        step = tf.function(built.train_step, autograph=False).get_concrete_function(tf.TensorSpec([], tf.int64))
        return names_in(built), nodes(step)

    with ThreadPoolExecutor(1) as thread:
        first, second = thread.submit(traced, 0).result(), thread.submit(traced, 9).result()
    assert first == second
    assert first[0][2] == [
        "user/embeddings",
        "item/embeddings",
        "inner/dense/kernel",
        "inner/dense/bias",
        "inner/dense_1/kernel",
        "inner/dense_1/bias",
    ]
    scopes = {re.sub(r"_\d+$", "", node.partition("/")[0]) for node in first[1]}
    assert {"user", "item", "inner", "activation"} < scopes
    assert not scopes & {"table", "sequential"}


def test_layers_of_keras_start_from_their_own_initializers():
    """A convolution's Glorot limit counts the places that it sees; an initializer that was chosen is the one used."""

    def build(keras, layers):
        parts = {
            "user": layers.Table("user", 4),
            "item": layers.Table("item", 4),
            "filters": keras.layers.Conv1D(64, 5),
            "plain": keras.layers.Dense(64),
            "chosen": keras.layers.Dense(4, kernel_initializer="he_normal", bias_initializer="ones"),
        }

        def query(inputs):
            x = keras.ops.repeat(parts["user"](inputs["user"])[:, None], 8, axis=1)
            return parts["chosen"](parts["plain"](keras.ops.max(parts["filters"](x), axis=1)))

        item = lambda inputs: parts["item"](inputs["item"])  # noqa: E731
        return layers.Network(query=query, item=item, interact=layers.match, parts=parts, dot=True)

    built = Program(Structure(build=build, network=()))
    drawn, again = (built.initial(3, {"user": 5, "item": 7}) for _ in range(2))
    for name, array in drawn.items():
        np.testing.assert_array_equal(again[name], array)
    assert np.abs(drawn["filters/kernel"]).max() == pytest.approx(np.sqrt(6 / (5 * 4 + 5 * 64)), rel=0.02)
    assert np.abs(drawn["plain/kernel"]).max() == pytest.approx(np.sqrt(6 / (64 + 64)), rel=0.02)
    assert (drawn["chosen/bias"] == 1).all()
    assert drawn["chosen/kernel"].std() == pytest.approx(np.sqrt(2 / 64), rel=0.15)


def test_a_part_cannot_have_the_name_of_a_path():
    def build(keras, layers):
        parts = {"user": layers.Table("user", 4), "towers/item": layers.Table("item", 4)}
        return Network(query=lambda inputs: None, item=lambda inputs: None, interact=match, parts=parts)

    with pytest.raises(ValueError, match="'towers/item' cannot name a part"):
        Program(Structure(build=build, network=()))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_policy_for_other_networks_is_none_for_these(monkeypatch, policy):
    monkeypatch.setattr(program, "_CACHE", program._Cache())
    expected = bits("DCNClassifier")
    monkeypatch.setattr(program, "_CACHE", program._Cache())
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        assert bits("DCNClassifier") == expected
    finally:
        keras.config.set_dtype_policy(before)


def test_networks_are_built_where_the_caller_puts_them():
    with tf.device("/CPU:0"):
        built = Program(Structure(build=models.NCFRanker._build_network, network=tuple(sorted(
            {"gmf_dim": 4, "mlp_dim": 0, "hidden_units": (), "weighted": True, "n_outputs": 1}.items()
        ))))  # fmt: skip
    assert all("CPU:0" in weight.value.device for weight in built.named.values())
    assert isinstance(built.parts[0], Table)


SCRIPT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("test_building", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for name in sys.argv[2:]:
    print(module.bits(name))
"""


def in_a_fresh_process(names):
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__)), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(names, done.stdout.split(), strict=True))


def fits_are_equal_after_others(names, monkeypatch):
    fresh = in_a_fresh_process(names)
    every_kind = {snake_case(kind) for kind in [*vars(keras.layers), *layers.__all__, "Adam", "Program"]}

    def shifted(name, start):
        shift(dict.fromkeys(every_kind, start))
        return bits(name)

    for start in (8, 9):
        monkeypatch.setattr(program, "_CACHE", program._Cache())
        with ThreadPoolExecutor(2) as threads:
            here = dict(zip(names, threads.map(shifted, names, [start] * len(names)), strict=True))
        assert here == fresh


def test_a_fit_has_the_bits_of_a_fresh_process(monkeypatch):
    fits_are_equal_after_others(["DCNClassifier"], monkeypatch)


@pytest.mark.exhaustive
def test_every_fit_has_the_bits_of_a_fresh_process(monkeypatch):
    fits_are_equal_after_others(list(NETWORKS), monkeypatch)
