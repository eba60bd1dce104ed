from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrec._data import Interactions

N_USERS, N_ITEMS = 5, 7
EVENTS = st.lists(st.tuples(st.integers(0, N_USERS), st.integers(0, N_ITEMS)), max_size=60)


def log_of(events, n_users=N_USERS, n_items=N_ITEMS):
    users, items = np.array(events, dtype=np.int32).reshape(-1, 2).T
    return Interactions.from_codes(users, items, n_users=n_users, n_items=n_items)


def assert_is_log_of(log, events, n_users, n_items):
    pairs = {(user, item) for user, item in events if user and item}
    assert (log.n_users, log.n_items) == (n_users, n_items)
    assert log.indptr.dtype == np.int64
    assert log.item_counts.dtype == np.float64
    assert log.items.dtype == np.int32
    assert len(log.indptr) == n_users + 2
    for user in range(n_users + 1):
        items = log.items[log.indptr[user] : log.indptr[user + 1]]
        assert items.tolist() == sorted(item for u, item in pairs if u == user)
    counts = Counter(item for _, item in events if item)
    assert log.item_counts.tolist() == [counts[item] for item in range(n_items + 1)]


@given(EVENTS)
def test_the_log_holds_every_pair_once_and_counts_every_event(events):
    assert_is_log_of(log_of(events), events, N_USERS, N_ITEMS)


@given(EVENTS, EVENTS, st.integers(0, 2), st.integers(0, 2))
def test_extending_equals_starting_again(old, new, more_users, more_items):
    n_users, n_items = N_USERS + more_users, N_ITEMS + more_items
    new = [*new, (n_users, n_items)]
    before = log_of(old)
    users, items = np.array(new).T
    assert_is_log_of(before.extend(users, items, n_users=n_users, n_items=n_items), old + new, n_users, n_items)
    assert_is_log_of(before, old, N_USERS, N_ITEMS)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4)), max_size=20), st.booleans())
def test_weights_are_added(events, store):
    users, items, weights = np.array(events, dtype=np.int32).reshape(-1, 3).T
    sizes = {"n_users": 2, "n_items": 3, "store_weights": store}
    log = Interactions.from_codes(users[:8], items[:8], weights=weights[:8], **sizes)
    log = log.extend(users[8:], items[8:], weights=weights[8:], **sizes)
    assert log.item_counts.tolist() == [sum(w for _, i, w in events if i == item > 0) for item in range(4)]
    sums = [[sum(w for u, i, w in events if (u, i) == (user, item)) for item in (1, 2, 3)] for user in (1, 2)]
    seen = [[any((u, i) == (user, item) for u, i, _ in events) for item in (1, 2, 3)] for user in (1, 2)]
    assert log.matrix().toarray().tolist() == (sums if store else seen)


@given(EVENTS, st.lists(st.integers(0, N_USERS), max_size=8))
def test_seen_items(events, users):
    seen = log_of(events).seen(users)
    assert seen.shape == (len(users), N_ITEMS)
    assert seen.dtype == bool
    expected = [[(user, item) in events and user > 0 for item in range(1, N_ITEMS + 1)] for user in users]
    assert seen.toarray().tolist() == expected
    assert seen.has_canonical_format


def test_keys_of_many_users_and_items_do_not_overflow():
    log = Interactions.from_codes([10**6], [3 * 10**6], n_users=10**6, n_items=3 * 10**6)
    assert log.seen([10**6]).indices.tolist() == [3 * 10**6 - 1]


def test_lists_and_unsigned_codes():
    log = Interactions.from_codes(np.array([1, 1], dtype=np.uint8), [2, 1], n_users=1, n_items=300)
    assert log.items.tolist() == [1, 2]


def test_wrong_codes_are_refused():
    with pytest.raises(ValueError, match="item codes outside 0 to 2"):
        Interactions.from_codes([1, 1], [1, 3], n_users=1, n_items=2)
    with pytest.raises(ValueError, match="user codes outside 0 to 1"):
        Interactions.from_codes([-1, 1], [1, 2], n_users=1, n_items=2)
    with pytest.raises(ValueError, match=r"users \(2,\) and items \(1,\) must be one-dimensional and of equal length"):
        Interactions.from_codes([1, 1], [1], n_users=1, n_items=2)
    log = log_of([(1, 1)])
    with pytest.raises(IndexError, match="User codes must be from 0 to 5"):
        log.seen([6])
    with pytest.raises(ValueError, match="cannot shrink to 5 and 6"):
        log.extend([1], [1], n_users=5, n_items=6)
