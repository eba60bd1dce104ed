"""Negatives come from the distribution that was asked for, and never from what a user likes if that is refused."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from skrec._data import Interactions
from skrec._engine.batches import Column, TrainingArrays, TrainingData
from skrec._engine.context import TrainingContext
from skrec.models import NCFRanker

COUNTS = np.array([0, 40, 10, 1, 90, 5, 0, 20])  # by item code; no item has code 0; item 6 has no events
N_ITEMS = len(COUNTS) - 1


def step(number=0, seed=3):
    return TrainingContext(tf.constant(seed), tf.constant(number), dropout=None, id_dropout=None, penalised=False)


def data(*, alpha=0.0, positives=None, batch_size=4, n_rows=10):
    rows = np.arange(n_rows, dtype=np.int32)
    made = TrainingData((Column("user"), Column("item")), (), batch_size, popularity=alpha > 0)
    target = rows[:, None].astype(np.float32)
    counts = COUNTS if alpha else None
    arrays = TrainingArrays({"user": rows, "item": rows}, target, None, N_ITEMS, counts, positives)
    made.fill(arrays, alpha)
    return made


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.75, 1.0, 2.0])
def test_items_are_drawn_in_proportion_to_a_power_of_their_counts(alpha):
    drawn = data(alpha=alpha).draw(step(), tf.constant([200, 100])).numpy()
    assert drawn.shape == (200, 100)
    expected = np.maximum(COUNTS[1:], 1.0) ** alpha
    observed = np.bincount(drawn.ravel(), minlength=N_ITEMS + 1)
    assert observed[0] == 0
    assert chisquare(observed[1:], drawn.size * expected / expected.sum()).pvalue > 1e-3


def test_each_step_and_each_draw_is_another():
    made = data()
    shape = tf.constant([4, 50])
    one = step()
    draws = [
        made.draw(one, shape),
        made.draw(one, shape),
        made.draw(step(number=1), shape),
        made.draw(step(seed=4), shape),
    ]
    assert len({draw.numpy().tobytes() for draw in draws}) == 4
    assert made.draw(step(), shape).numpy().tobytes() == draws[0].numpy().tobytes()


def test_rejection_leaves_no_positive_that_counts():
    """User 1 likes all items but one: what three draws do not find does not count."""
    users = np.array([1] * 6 + [2, 2])
    log = Interactions.from_codes(users, [1, 2, 3, 4, 5, 6, 1, 7], n_users=3, n_items=N_ITEMS)
    owners = np.repeat(np.arange(log.n_users + 1), np.diff(log.indptr))
    made = data(positives=owners * (N_ITEMS + 1) + log.items)
    asked = np.array([1, 2, 3, 0])
    drawn, usable = made.draw_unseen(step(), tf.constant(asked, tf.int32), tf.constant([4, 5000]))
    drawn, usable = drawn.numpy(), usable.numpy() > 0
    assert set(drawn[0][usable[0]]) == {7}
    assert usable[0].mean() == pytest.approx(1 - (6 / 7) ** 3, abs=0.03)
    assert set(drawn[1][usable[1]]) == {2, 3, 4, 5, 6}
    assert usable[1].mean() == pytest.approx(1 - (2 / 7) ** 3, abs=0.02)
    for row in (2, 3):  # nothing is known of these users
        assert usable[row].all()
        assert set(drawn[row]) == set(range(1, N_ITEMS + 1))


def test_rejecting_positives_keeps_them_from_being_pushed_away():
    """With a catalogue of two liked items and one other, only the other can be a negative."""
    X = np.array([[user, item] for user in range(20) for item in (0, 1)] + [[20, 2]] * 5)
    scores = {}
    for reject in (False, True):
        model = NCFRanker(
            architecture="gmf", embedding_dim=4, loss="bpr", reject_positives=reject, random_state=0, batch_size=16,
            learning_rate=0.05, l2=0.001, epochs=20,
        ).fit(X)  # fmt: skip
        scores[reject] = model.score_items(np.arange(20))
    gap = {reject: (table[:, :2].min(axis=1) - table[:, 2]).mean() for reject, table in scores.items()}
    assert gap[True] > 1.3 * gap[False]


# -- batches -------------------------------------------------------------------------------------------------------


def test_an_epoch_sees_every_row_once_and_pads_the_last_batch_with_weight_0():
    made = data()
    seen = []
    for epoch in range(2):
        made.shuffle(7, epoch)
        batches = [made.batch(number) for number in range(3)]
        rows = np.concatenate([columns["user"].numpy()[weight.numpy() > 0] for columns, _, weight in batches])
        assert sorted(rows) == list(range(10))
        assert [int(np.sum(weight.numpy())) for _, _, weight in batches] == [4, 4, 2]
        for columns, target, _ in batches:
            assert (columns["item"].numpy() == target.numpy()[:, 0]).all()
        seen.append(rows.tolist())
    assert seen[0] != seen[1]


def test_rows_keep_their_weights():
    rows = np.arange(10, dtype=np.int32)
    made = TrainingData((Column("user"), Column("item")), (), 4, popularity=False)
    made.fill(TrainingArrays({"user": rows, "item": rows}, np.zeros((10, 1), np.float32), rows / np.float32(2), 9), 0)
    made.shuffle(0, 0)
    for number in range(2):
        columns, _, weight = made.batch(number)
        np.testing.assert_array_equal(weight, columns["user"].numpy() / 2)
    made.clear()
    assert made.target.numpy().size == made.weight.numpy().size == made.columns["user"].numpy().size == 0
