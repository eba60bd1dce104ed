"""Sparse updates equal what Keras's optimisers do with the same gradient written out."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from skrec._engine.backend import unsized
from skrec._engine.optimizers import OPTIMIZERS

THEIRS = {"adam": keras.optimizers.Adam, "adagrad": keras.optimizers.Adagrad, "sgd": keras.optimizers.SGD}
ROWS, WIDTH = 7, 3


def table(free=False):
    variable = keras.Variable(np.random.default_rng(0).standard_normal((ROWS, WIDTH)).astype(np.float32), name="table")
    return unsized(variable) if free else variable


def steps(every_row):
    """Ids with duplicates, and their gradients."""
    random = np.random.default_rng(1)
    for _ in range(6):
        ids = random.integers(0, ROWS, 12)
        if every_row:
            ids = np.concatenate([ids, np.arange(ROWS)])
        yield ids.astype(np.int32), random.standard_normal((len(ids), WIDTH)).astype(np.float32)


def written_out(ids, values):
    dense = np.zeros((ROWS, WIDTH), np.float32)
    np.add.at(dense, ids, values)
    return dense


@pytest.mark.parametrize("free", [False, True], ids=["sized", "unsized"])
@pytest.mark.parametrize("name", THEIRS)
def test_a_sparse_gradient_with_duplicates_acts_as_the_dense_one(name, free):
    ours, theirs = OPTIMIZERS[name](0.1), THEIRS[name](0.1)
    own, other = table(free), table()
    ours.build([own])
    for ids, values in steps(every_row=name == "adam"):
        ours.apply([tf.IndexedSlices(values, ids, (ROWS, WIDTH))], [own])
        theirs.apply([tf.constant(written_out(ids, values))], [other])
        np.testing.assert_allclose(own.value.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", THEIRS)
def test_a_dense_gradient_acts_as_in_keras(name):
    ours, theirs = OPTIMIZERS[name](0.1), THEIRS[name](0.1)
    own, other = table(), table()
    for ids, values in steps(every_row=False):
        gradient = tf.constant(written_out(ids, values))
        ours.apply([gradient], [own])
        theirs.apply([gradient], [other])
        np.testing.assert_allclose(own.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)


def ftrl(free=False):
    """Our FTRL, whose rates are a program's, and a table it is built for."""
    rates = {"group_learning_rate": tf.Variable(0.1), "group_l1": tf.Variable(0.3)}
    ours, variable = OPTIMIZERS["ftrl"](rates), table(free)
    ours.build([variable])
    return ours, variable


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_ftrl_acts_as_in_keras(sparse):
    ours, own = ftrl(free=sparse)
    theirs, other = keras.optimizers.Ftrl(0.1, l1_regularization_strength=0.3), table()
    for ids, values in steps(every_row=sparse):
        dense = tf.constant(written_out(ids, values))
        ours.apply([tf.IndexedSlices(values, ids, (ROWS, WIDTH)) if sparse else dense], [own])
        theirs.apply([dense], [other])
        np.testing.assert_allclose(own.value.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)


def test_ftrl_updates_the_rows_of_the_batch_alone():
    optimizer, variable = ftrl(free=True)
    before = variable.value.numpy()
    optimizer.apply([tf.IndexedSlices(np.ones((3, WIDTH), np.float32), np.array([1, 4, 4]), (ROWS, WIDTH))], [variable])
    moved = (variable.value.numpy() != before).any(axis=1)
    assert moved.tolist() == [False, True, False, False, True, False, False]


def test_ftrl_may_start_from_weights_of_another_fit():
    """A gradient of 0 leaves a weight where it is, for the slots start from the weight."""
    optimizer, variable = ftrl()
    expected = variable.value.numpy()
    for slot, weight in optimizer.slots:
        slot.value.assign(slot.start(weight.value))
    optimizer.apply([tf.zeros((ROWS, WIDTH))], [variable])
    np.testing.assert_allclose(variable.value.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_adam_is_lazy():
    """Rows that a batch does not use keep their place and their moments (LazyAdam)."""
    optimizer, variable = OPTIMIZERS["adam"](0.1), table(free=True)
    optimizer.build([variable])
    expected = variable.value.numpy().astype(np.float64)
    m, v = np.zeros_like(expected), np.zeros_like(expected)
    for step, (ids, values) in enumerate(steps(every_row=False), start=1):
        ids = ids % (2 + step)  # noqa: PLW2901
        optimizer.apply([tf.IndexedSlices(values, ids, (ROWS, WIDTH))], [variable])
        used, gradient = np.unique(ids), written_out(ids, values).astype(np.float64)
        m[used] = 0.9 * m[used] + 0.1 * gradient[used]
        v[used] = 0.999 * v[used] + 0.001 * gradient[used] ** 2
        corrected = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        expected[used] -= 0.1 * corrected * m[used] / (np.sqrt(v[used]) + 1e-7)
        np.testing.assert_allclose(variable.value.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_an_unsized_variable_takes_tables_of_any_length_in_one_trace():
    variable = table(free=True)
    traces = []

    @tf.function
    def total(ids):
        traces.append(1)
        return tf.reduce_sum(tf.gather(variable.value, ids))

    for rows in (7, 2, 1000):
        variable.value.assign(tf.ones([rows, WIDTH]))
        assert float(total(tf.constant([0, rows - 1]))) == 2 * WIDTH
        assert variable.value.numpy().shape == (rows, WIDTH)
    assert len(traces) == 1
