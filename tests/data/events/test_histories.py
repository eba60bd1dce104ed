import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrec._data import Histories
from skrec._data.events.histories import PADDING

N_USERS, N_ITEMS = 3, 4
ROW = st.tuples(st.integers(0, N_USERS), st.integers(0, N_ITEMS), st.integers(-3, 3), st.booleans())
ROWS = st.lists(ROW, max_size=40)


def columns(rows, *, timed):
    users, items, times, chosen = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return users.astype(np.int32), items.astype(np.int32), times if timed else None, chosen.astype(bool)


def histories_of(rows, *, timed, n_users=N_USERS):
    return Histories.from_events(*columns(rows, timed=timed), n_users=n_users)


def naive_past(stored, row, *, timed):
    """Return the items that a row sees of what is stored: the rule, read off the design."""
    user, item, time, _ = row
    mine = [other for other in stored if other[0] == user > 0]
    if timed:
        mine = sorted((other for other in mine if other[2] < time), key=lambda other: other[2])
    else:
        pairs = [other[1] for other in mine]
        mine = mine[: pairs.index(item)] if item in pairs else mine
    return [other[1] for other in mine if other[3]]


def pasts(past, rows, *, timed):
    users, items, times, _ = columns(rows, timed=timed)
    ends = past.ends(users, items, times)
    assert ends.dtype == np.int64
    return [past.items[start:end].tolist() for start, end in zip(past.indptr[users], ends, strict=True)]


def assert_equal(one, other):
    assert one.n_users == other.n_users
    for name in ("indptr", "items", "times", "known", "before"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            assert a.tolist() == b.tolist()


@pytest.mark.parametrize("timed", [True, False])
@given(stored=ROWS, new=ROWS)
def test_each_row_sees_what_the_rule_says(stored, new, timed):
    past = histories_of(stored, timed=timed)
    assert (past.indptr.dtype, past.items.dtype, past.n_users) == (np.int64, np.int32, N_USERS)
    for rows in (stored, new):
        assert pasts(past, rows, timed=timed) == [naive_past(stored, row, timed=timed) for row in rows]


@given(stored=ROWS)
def test_whole_histories_are_in_order_of_time(stored):
    past = histories_of(stored, timed=True)
    for user in range(N_USERS + 1):
        events = sorted((row for row in stored if row[0] == user > 0 and row[3]), key=lambda row: row[2])
        mine = slice(*past.indptr[user : user + 2])
        assert past.items[mine].tolist() == [row[1] for row in events]
        assert past.times[mine].tolist() == [row[2] for row in events]


@pytest.mark.parametrize("timed", [True, False])
@given(rows=st.lists(ROW, max_size=40, unique_by=lambda row: row[:3]), cut=st.integers(0, 40), more=st.integers(0, 2))
def test_appending_equals_starting_again(rows, cut, more, timed):
    before = histories_of(rows[:cut], timed=timed)
    after = before.append(*columns(rows[cut:], timed=timed), n_users=N_USERS + more)
    assert_equal(after, histories_of(rows, timed=timed, n_users=N_USERS + more))
    assert_equal(before, histories_of(rows[:cut], timed=timed))


@given(stored=ROWS, new=ROWS)
def test_events_that_are_stored_are_not_added_again(stored, new):
    past = histories_of(stored, timed=True)
    events = {row[:3] for row in stored if row[0] and row[3]}
    after = past.append(*columns(stored + new, timed=True), n_users=N_USERS)
    assert_equal(after, histories_of([*stored, *(row for row in new if row[:3] not in events)], timed=True))


def test_users_may_join_and_times_may_turn_into_fractions():
    past = Histories.from_events([1, 1], [5, 6], [10, 30], n_users=1)
    after = past.append([3, 1], [5, 7], [20, 20.5], n_users=3)
    assert after.indptr.tolist() == [0, 0, 3, 3, 4]
    assert after.items.tolist() == [5, 7, 6, 5]
    assert after.times.tolist() == [10, 20.5, 30, 20]


def test_events_of_one_instant_do_not_see_each_other():
    past = Histories.from_events([1, 1, 1], [5, 6, 7], np.full(3, 2**60, np.int64), n_users=1)
    assert past.ends([1, 1, 1], [5, 6, 7], np.full(3, 2**60)).tolist() == [0, 0, 0]
    assert past.ends([1], [5], [2**60 + 1]).tolist() == [3]


@pytest.mark.parametrize("timed", [True, False])
def test_many_rows_see_all_that_was_before_them(timed):
    rng = np.random.default_rng(0)
    users = rng.integers(0, 1000, 300_000)
    when = rng.permutation(len(users)) if timed else np.arange(len(users))
    items = np.arange(1, len(users) + 1)
    past = Histories.from_events(users, items, when if timed else None, n_users=1000)
    rank = pd.Series(when).groupby(users).rank().to_numpy() - 1
    expected = np.where(users > 0, past.indptr[users] + rank, 0)
    assert np.array_equal(past.ends(users, items, when if timed else None), expected)


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([3, 0, 3]), np.array([True, False, False, True]), [], [2]])
def test_windows_are_rows_of_the_padded_matrix(rows):
    past = Histories.from_events([1, 1, 1, 2, 2], [5, 6, 0, 8, 9], n_users=3)
    windows = past.windows([1, 0, 2, 3], 2)
    matrix = np.array([[6, 0], [PADDING, PADDING], [8, 9], [PADDING, PADDING]])
    rows = rows if isinstance(rows, slice) else np.array(rows, dtype=getattr(rows, "dtype", int))
    assert windows[rows].dtype == windows.dtype == np.int32
    assert np.array_equal(windows[rows], matrix[rows])
    taken = windows.take(rows)
    assert np.array_equal(np.asarray(taken), matrix[rows])
    assert (len(taken), taken.shape, taken.ndim) == (len(matrix[rows]), matrix[rows].shape, 2)
    assert taken.lengths.tolist() == (matrix[rows] != PADDING).sum(axis=1).tolist()


@given(stored=ROWS, length=st.integers(1, 5))
def test_windows_show_the_last_events_of_the_past(stored, length):
    past = histories_of(stored, timed=False)
    users, items, _, _ = columns(stored, timed=False)
    matrix = past.windows(users, length, past.ends(users, items))[:]
    shown = [[code for code in row if code != PADDING] for row in matrix.tolist()]
    assert shown == [naive_past(stored, row, timed=False)[-length:] for row in stored]
    assert all(row == sorted(row, key=lambda code: code != PADDING) for row in matrix.tolist())


def test_no_events_at_all():
    past = Histories.from_events([], [], n_users=2)
    assert past.ends([1, 0], [1, 2]).tolist() == [0, 0]
    assert past.windows([1, 2, 0], 2)[:].tolist() == [[PADDING] * 2] * 3
    assert past.append([2], [7], n_users=2).windows([2], 2)[:].tolist() == [[PADDING, 7]]


def test_an_array_of_windows():
    windows = Histories.from_events([1], [5], n_users=1).windows([1], 2)
    assert np.asarray(windows, dtype=np.int64).dtype == np.int64
    with pytest.raises(ValueError, match="cannot be converted to an array without a copy"):
        np.array(windows, copy=False)


def test_wrong_events_are_refused():
    timed = Histories.from_events([1], [5], [10], n_users=1)
    order = Histories.from_events([1], [5], n_users=1)
    with pytest.raises(ValueError, match=r"The stored events have times, but the rows have none.*Pass times for"):
        timed.append([1], [5], n_users=1)
    with pytest.raises(ValueError, match="The stored events have times, but the rows have none"):
        timed.ends([1], [5])
    with pytest.raises(ValueError, match="The rows have times, but the stored events have none"):
        order.append([1], [5], [11], n_users=1)
    with pytest.raises(ValueError, match="The rows have times, but the stored events have none"):
        order.ends([1], [5], [11])
    with pytest.raises(ValueError, match="Histories of 1 users cannot shrink to 0"):
        order.append([0], [5], n_users=0)
    with pytest.raises(ValueError, match="user codes must be one-dimensional and from 0 to 1"):
        order.windows([2], 3)
    with pytest.raises(ValueError, match="item codes must be one-dimensional and from 0 to 2147483647"):
        order.ends([1], [-1])
    with pytest.raises(ValueError, match=r"There are 2 users, but the shape of items is \(1,\)"):
        order.ends([1, 1], [5])
    with pytest.raises(ValueError, match=r"There are 1 users, but the shape of chosen is \(2,\)"):
        order.append([1], [5], chosen=[True, True], n_users=1)
    with pytest.raises(ValueError, match="A window shows at least one event, got length=0"):
        order.windows([1], 0)
