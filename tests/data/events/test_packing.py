"""Packed sequences: every event is predicted once, from what came before it in its own user's history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrec._data import Histories
from skrec._data.events.histories import PADDING
from skrec._data.events.packing import pack

N_USERS, N_ITEMS = 4, 5
ROW = st.tuples(st.integers(1, N_USERS), st.integers(0, N_ITEMS), st.integers(-2, 2))
ROWS = st.lists(ROW, min_size=1, max_size=40)
LENGTHS = st.integers(1, 6)


def packed_of(rows, length, *, timed):
    """Pack rows (user, item, time); without times their order is the order of time."""
    users, items, times = np.array(rows, np.int64).T
    users, items = users.astype(np.int32), items.astype(np.int32)
    histories = Histories.from_events(users, items, times if timed else None, n_users=N_USERS)
    if timed:
        ends = histories.ends(users, items, times)
    else:  # an item may come again: the n-th row of a user sees the n rows before it
        ends = histories.indptr[users] + [(users[:i] == user).sum() for i, user in enumerate(users)]
    return pack(histories, users, ends, items, length)


def pasts_of(rows, *, timed):
    """The items strictly before each row in its user's history, read off the rows alone."""
    pasts = []
    for i, (user, _, time) in enumerate(rows):
        mine = [(row[2], at, row[1]) for at, row in enumerate(rows) if row[0] == user]
        earlier = sorted(event for event in mine if (event[0] < time if timed else event[1] < i))
        pasts.append([item for *_, item in (earlier if timed else sorted(earlier, key=lambda event: event[1]))])
    return pasts


def visible(packed, row, place):
    """What a prediction may look at: its sequence up to its source, as attention and the recurrence bound it."""
    length = packed.history.shape[1]
    source = packed.source[row, place]
    ends = np.flatnonzero(packed.position[row, :source] == length - 1)
    start = ends[-1] + 1 if len(ends) else 0
    window = packed.history[row, start : source + 1].tolist()
    place_in_window = packed.position[row, start : source + 1]
    assert place_in_window.tolist() == list(range(place_in_window[0], place_in_window[0] + len(window)))
    assert PADDING not in window[1:]
    return window[1:] if window[0] == PADDING else window


def predictions(packed):
    """Event, its item and what it is predicted from, for each that there is."""
    for row, place in zip(*np.nonzero(packed.event >= 0), strict=True):
        yield packed.event[row, place], packed.item[row, place], visible(packed, row, place)


@pytest.mark.parametrize("timed", [True, False])
@given(rows=ROWS, length=LENGTHS)
def test_every_event_is_predicted_once_from_its_past_alone(rows, length, timed):
    packed = packed_of(rows, length, timed=timed)
    pasts, found = pasts_of(rows, timed=timed), list(predictions(packed))
    assert sorted(event for event, *_ in found) == list(range(len(rows)))
    longest = dict.fromkeys(range(1, N_USERS + 1), 0)
    for (user, *_), past in zip(rows, pasts, strict=True):
        longest[user] = max(longest[user], len(past))
    for event, item, seen in found:
        user, past = rows[event][0], pasts[event]
        assert item == rows[event][1]
        assert seen == past[len(past) - len(seen) :]  # the latest ones of it, and nothing else
        assert bool(seen) == bool(past)
        if longest[user] < length:
            assert seen == past
        if len(past) == longest[user]:
            assert seen == past[-length:]


@given(rows=ROWS, length=LENGTHS)
def test_the_order_of_rows_does_not_matter_where_there_are_times(rows, length):
    rows = sorted({(user, time): (user, item, time) for user, item, time in rows}.values())  # no ties
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    seen = {rows[event]: past for event, _, past in predictions(packed_of(rows, length, timed=True))}
    assert {shuffled[event]: past for event, _, past in predictions(packed_of(shuffled, length, timed=True))} == seen


@given(rows=ROWS, length=LENGTHS)
def test_where_nothing_is(rows, length):
    packed = packed_of(rows, length, timed=True)
    for array in (packed.history, packed.position, packed.item, packed.source, packed.event):
        assert array.shape == packed.history.shape
        assert array.shape[1] == length
    assert (packed.item[packed.event < 0] == 0).all()
    assert ((packed.source >= 0) & (packed.source < length)).all()
    assert (packed.event >= 0).any(axis=1).all()  # no row without anything to predict
    # The latest place of every sequence, and every place without one, is at the end of a window.
    empty = (packed.history == PADDING) & (packed.position == length - 1)
    following = np.roll(packed.position, -1, axis=1)
    inside = ~empty & (packed.position < length - 1)
    assert not inside[:, -1].any()
    assert (following[inside] == packed.position[inside] + 1).all()


def test_a_long_history_is_cut_into_windows_from_its_end():
    packed = packed_of([(1, item, 0) for item in (1, 2, 3, 4, 5, 1, 2)], 3, timed=False)
    seen = {int(event): past for event, _, past in predictions(packed)}
    assert seen == {0: [], 1: [1], 2: [1, 2], 3: [1, 2, 3], 4: [4], 5: [4, 5], 6: [4, 5, 1]}


def test_more_events_at_one_instant_than_places():
    rows = [(1, 4, 0), *[(1, item % N_ITEMS + 1, 1) for item in range(11)], (2, 3, 5)]
    packed = packed_of(rows, 4, timed=True)
    seen = {int(event): past for event, _, past in predictions(packed)}
    assert seen == {0: [], **{event: [4] for event in range(1, 12)}, 12: []}


def test_unknown_items_stay_in_a_history_and_may_be_predicted():
    packed = packed_of([(1, 0, 0), (1, 3, 1), (1, 0, 2)], 4, timed=True)
    assert {int(event): (int(item), past) for event, item, past in predictions(packed)} == {
        0: (0, []), 1: (3, [0]), 2: (0, [0, 3])}  # fmt: skip


def test_little_is_padding():
    random = np.random.default_rng(0)
    lengths = np.minimum(random.lognormal(3, 1, 300).astype(int) + 1, 150)
    users = np.repeat(np.arange(1, 301), lengths).astype(np.int32)
    items = random.integers(1, 50, len(users)).astype(np.int32)
    histories = Histories.from_events(users, items, n_users=300)
    ends = np.arange(len(users)) * 1
    packed = pack(histories, users, ends, items, 64)
    assert (packed.event >= 0).sum() == len(users)
    assert (packed.event >= 0).mean() > 0.95
