"""Attention, recurrence and interest against NumPy, and packed neighbours that never see each other."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from skrec._data import Histories
from skrec._data.events.packing import pack
from skrec._engine.layers.attention import SelfAttention, past
from skrec._engine.layers.local_activation import Catalogue, LocalActivation, distinct
from skrec._engine.layers.recurrent import GRU
from skrec._engine.program_cache import shared
from skrec.models import GRU4RecRanker, SASRecRanker

RANDOM = np.random.default_rng(0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def filled(layer):
    """Give a layer random weights; return them by name."""
    weights = {weight.name: RANDOM.standard_normal(weight.shape).astype(np.float32) for weight in layer.variables}
    for weight in layer.variables:
        weight.assign(weights[weight.name])
    return weights


# -- attention -------------------------------------------------------------------------------------------------------


def test_the_mask_of_the_past_by_hand():
    """Two sequences of 2 and 3 places, and a place with nothing."""
    mask = past(tf.constant([[4, 5, 3, 4, 5, 5]]))[0].numpy().astype(int)
    assert mask.tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
@settings(max_examples=30)
def test_the_mask_keeps_to_the_own_sequence(sizes):
    length = sum(sizes) + 1
    position = np.concatenate([*(np.arange(length - size, length) for size in sizes), [length - 1]])
    owner = np.concatenate([*(np.full(size, i) for i, size in enumerate(sizes)), [len(sizes)]])
    expected = (owner[:, None] == owner[None, :]) & np.tri(length, dtype=bool)
    assert (past(tf.constant(position[None], tf.int32))[0].numpy() == expected).all()


@pytest.mark.parametrize("n_heads", [1, 2, 3])
def test_self_attention_is_scaled_dot_product_attention(n_heads):
    dim, length = 6, 5
    layer = SelfAttention(dim, n_heads)
    weights = filled(layer)
    x = RANDOM.standard_normal((2, length, dim)).astype(np.float32)
    queries = x[:, -2:]
    allowed = np.tri(length, dtype=bool)[None, -2:].repeat(2, axis=0)
    allowed[1, :, 0] = False
    heads, shares = [], []
    for head in np.split(np.arange(dim), n_heads):
        query, key, value = (
            rows @ weights[f"{name}_kernel"][:, head] for name, rows in (("query", queries), ("key", x), ("value", x))
        )
        logits = np.einsum("bqd,bkd->bqk", query, key) / np.sqrt(dim / n_heads)
        shares.append(softmax(np.where(allowed, logits, -np.inf), axis=2))
        heads.append(shares[-1] @ value)
    assert layer.attention(queries, x, allowed).numpy() == pytest.approx(np.stack(shares, axis=1), abs=1e-5)
    assert layer(queries, x, allowed).numpy() == pytest.approx(np.concatenate(heads, axis=2), abs=1e-4)


# -- recurrence ------------------------------------------------------------------------------------------------------


def gru(x, starts, weights):
    """Cho et al. (2014), equations 5 to 8, one place after the other."""
    units = len(weights["candidate_kernel"])
    states = np.zeros((*x.shape[:2], units))
    for row in range(len(x)):
        state = np.zeros(units)
        for place in range(x.shape[1]):
            if starts[row, place]:
                state = np.zeros(units)
            update, reset, new = np.split(x[row, place] @ weights["kernel"] + weights["bias"], 3)
            of_update, of_reset = np.split(state @ weights["gates_kernel"], 2)
            update, reset = sigmoid(update + of_update), sigmoid(reset + of_reset)
            new = np.tanh(new + (reset * state) @ weights["candidate_kernel"])
            state = update * state + (1 - update) * new
            states[row, place] = state
    return states


def test_gated_recurrent_units_start_anew_where_a_sequence_does():
    layer = GRU(4, 3)
    weights = filled(layer)
    x = RANDOM.standard_normal((3, 7, 4)).astype(np.float32)
    starts = np.array([[1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 1, 1], [0, 0, 1, 0, 0, 0, 0]], bool)
    found = layer(tf.constant(x), tf.constant(starts)).numpy()
    assert found == pytest.approx(gru(x, starts, weights), abs=1e-5)
    alone = layer(tf.constant(x[1:2, 3:5]), tf.constant([[True, False]])).numpy()
    assert found[1, 3:5] == pytest.approx(alone[0], abs=1e-6)


# -- interest --------------------------------------------------------------------------------------------------------


def test_the_local_activation_unit():
    dim, units = 4, 5
    layer = LocalActivation(dim, units)
    weights = filled(layer)
    history, candidates = RANDOM.standard_normal((2, 3, dim)), RANDOM.standard_normal((2, 6, dim))
    history, candidates = history.astype(np.float32), candidates.astype(np.float32)
    there = np.array([[False, True, True], [False, False, False]])
    kernel = np.concatenate([weights["past_kernel"], weights["candidate_kernel"], weights["product_kernel"]])
    expected = np.zeros((2, 6, 3))
    for row, candidate, place in np.argwhere(np.ones_like(expected)):
        if there[row, place]:
            h, v = history[row, place], candidates[row, candidate]
            hidden = sigmoid(np.concatenate([h, v, h * v]) @ kernel + weights["bias"])
            expected[row, candidate, place] = (hidden @ weights["output_kernel"] + weights["output_bias"])[0]
    found = layer.weights_of(tf.constant(history), tf.constant(there), tf.constant(candidates)).numpy()
    assert found == pytest.approx(expected, abs=1e-4)
    interest = layer(tf.constant(history), tf.constant(there), tf.constant(candidates)).numpy()
    assert interest == pytest.approx(expected @ history, abs=1e-4)
    assert not interest[1].any()  # nobody is interested without a history


def test_items_of_a_history_have_their_features():
    layer = Catalogue((("price", "float32", ()), ("tags", "int32", (2,))))
    price, tags = np.array([0, 1.5, 2.5], np.float32), np.array([[0, 0], [3, 4], [5, 6]], np.int32)
    layer.arrays["price"].value.assign(price)
    layer.arrays["tags"].value.assign(tags)
    found = layer(tf.constant([2, 0, 2]))
    assert found["item"].numpy().tolist() == [2, 0, 2]
    assert found["price"].numpy().tolist() == [2.5, 0, 2.5]
    assert found["tags"].numpy().tolist() == [[5, 6], [0, 0], [5, 6]]
    assert layer.trainable_variables == []
    assert distinct(lambda codes: codes * 2, tf.constant([3, 1, 3])).numpy().tolist() == [6, 2, 6]


# -- packed sequences ------------------------------------------------------------------------------------------------

LENGTH = 8
# Three users side by side; the last one's history is longer than a row.
USERS = np.repeat([1, 2, 3], [3, 2, 13]).astype(np.int32)
ITEMS = RANDOM.integers(1, 10, len(USERS)).astype(np.int32)


def packed_of(items):
    histories = Histories.from_events(USERS, items, n_users=3)
    return pack(histories, USERS, np.arange(len(USERS)), items, LENGTH)


@pytest.fixture(scope="module", params=[SASRecRanker, GRU4RecRanker])
def network(request):
    """A program with trained weights; SASRec with two blocks and two heads, GRU4Rec with two layers."""
    more = {"n_heads": 2} if request.param is SASRecRanker else {"n_layers": 2}
    X = np.column_stack([np.repeat(np.arange(3), 10), np.arange(30) % 10])
    model = request.param(embedding_dim=8, epochs=2, max_history=LENGTH, random_state=0, **more).fit(X)
    with shared(model._fitted_structure(), model._weights) as program:
        yield program.network


def columns_of(packed, rows=slice(None)):
    return {name: tf.constant(getattr(packed, name)[rows]) for name in ("history", "position", "source")}


def of_events(network, packed):
    """What each event is predicted from, in the order of the events."""
    there = packed.event >= 0
    return network.states(columns_of(packed)).numpy()[there][np.argsort(packed.event[there])]


def test_no_event_sees_itself_or_what_came_later(network):
    """Exchanging an item changes what is predicted after it by the same user, and not one bit of anything else."""
    before = of_events(network, packed_of(ITEMS))
    for changed in (0, 1, 3, 5, 11, len(ITEMS) - 1):
        items = ITEMS.copy()
        items[changed] = items[changed] % 9 + 1
        after = of_events(network, packed_of(items))
        may_change = (USERS[changed] == USERS) & (np.arange(len(ITEMS)) > changed)
        assert (after[~may_change] == before[~may_change]).all()
        following = changed + 1
        if following < len(ITEMS) and USERS[following] == USERS[changed]:
            assert (after[following] != before[following]).any()


def test_the_gradient_of_a_prediction_reaches_only_the_past(network):
    """The same, of training's own path: the vectors of the items in a row, before and after one another."""
    packed = packed_of(ITEMS)
    table = network.parts["item"].embeddings.value
    for event in (0, 2, 4, 9, len(ITEMS) - 1):
        row, place = np.argwhere(packed.event == event)[0]
        with tf.GradientTape() as tape:
            tape.watch(table)
            one = tf.reduce_sum(tf.square(network.states(columns_of(packed, [row]))[0, place]))
        slices = tape.gradient(one, table)
        rows = tf.math.unsorted_segment_sum(slices.values, slices.indices, tf.shape(table)[0]).numpy()
        reached = set(np.flatnonzero(np.abs(rows[1:]).sum(axis=1)) + 1)
        assert reached <= set(ITEMS[:event][USERS[:event] == USERS[event]].tolist())


def test_a_packed_place_computes_what_a_query_does(network):
    """The last of a user's events is predicted in training from what a query of the history before it sees."""
    packed = packed_of(ITEMS)
    states = of_events(network, packed)
    for user in (1, 2, 3):
        mine = ITEMS[user == USERS]
        window = np.full((1, LENGTH), -1, np.int32)
        shown = mine[:-1][-LENGTH:]
        window[0, LENGTH - len(shown) :] = shown
        query = network.query({"history": tf.constant(window)}).numpy()[0]
        assert states[np.flatnonzero(user == USERS)[-1]] == pytest.approx(query, abs=1e-5)


@pytest.mark.parametrize("shown", [0, 1, 3])
def test_a_short_window_scores_as_a_long_one(network, shown):
    long = np.full((1, LENGTH), -1, np.int32)
    long[0, LENGTH - shown :] = ITEMS[:shown]
    short = long[:, -(shown + 1) :]
    expected = network.query({"history": tf.constant(long)}).numpy()
    assert network.query({"history": tf.constant(short)}).numpy() == pytest.approx(expected, abs=1e-5)
