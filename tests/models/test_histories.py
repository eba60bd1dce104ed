"""What models of histories share: what a row may see, histories that the caller gives, and events added later."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import skrec
from skrec._data.events.histories import PADDING
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.models import DINRanker, GRU4RecRanker, SASRecRanker

SMALL = {"embedding_dim": 8, "epochs": 2, "batch_size": 4, "random_state": 0}
MODELS = [
    SASRecRanker(n_heads=2, **SMALL),
    pytest.param(GRU4RecRanker(**SMALL), marks=pytest.mark.exhaustive),  # has the histories of SASRec
    DINRanker(hidden_units=(8,), attention_units=4, **SMALL),
]
IDS = ["SASRec", "GRU4Rec", "DIN"]
N_USERS, N_ITEMS = 8, 10

# Users have 1 to 6 events, items come again, and the rows are not in order of time.
_random = np.random.default_rng(0)
_users = np.repeat(np.arange(N_USERS), [6, 6, 5, 4, 3, 6, 2, 1])
EVENTS = pd.DataFrame(
    {
        "user_id": _users,
        "item_id": np.append(np.arange(N_ITEMS), _random.integers(0, N_ITEMS, len(_users) - N_ITEMS)),
    }
)
TIMED = EVENTS.assign(timestamp=_random.permutation(len(EVENTS)) + 100)[::-1].reset_index(drop=True)


def items_of(frame, user):
    mine = frame[frame["user_id"] == user]
    return (mine.sort_values("timestamp") if "timestamp" in mine else mine)["item_id"].tolist()


@pytest.fixture(scope="module", params=MODELS, ids=IDS)
def model(request):
    """Fitted on rows in order of time."""
    return clone(request.param).fit(EVENTS)


@pytest.fixture(scope="module", params=MODELS, ids=IDS)
def timed(request):
    """Fitted on rows with times."""
    return clone(request.param).fit(TIMED)


# -- what training sees ----------------------------------------------------------------------------------------------


class Stop(Exception):
    """Training is not what is looked at."""


def training_arrays(model, X, y=None, *, method="fit", **fit):
    """Return what ``fit`` or ``partial_fit`` hands to the network; row i has the weight i + 1."""
    found = []

    def stop(structure, arrays, *args, **kwargs):
        found.append(arrays)
        raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skrec._engine.training.train", stop)
        with pytest.raises(Stop):
            getattr(model, method)(X, y, sample_weight=np.arange(1.0, len(X) + 1), **fit)
    return found[0]


def training_views(arrays):
    """Yield the row in X, the code of its item, and the codes of what the network may look at for it."""
    history = arrays.columns["history"]
    if "position" not in arrays.columns:
        for row, item, codes in zip(arrays.weight, arrays.columns["item"], history[:], strict=True):
            yield int(row) - 1, item, codes[codes != PADDING].tolist()
        return
    position, last = arrays.columns["position"], history.shape[1] - 1
    for line, place in np.argwhere(arrays.weight > 0):
        source = arrays.columns["source"][line, place]
        ends = np.flatnonzero(position[line, :source] == last)
        codes = history[line, ends[-1] + 1 if len(ends) else 0 : source + 1]
        yield int(arrays.weight[line, place]) - 1, arrays.columns["item"][line, place], codes[codes != PADDING].tolist()


ROW = st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 3), st.booleans())


def past_of(rows, i, inside, *, timed, first):
    """The rule, read off the design: items of the user's chosen rows before row i.

    Without times a model that looks rows up knows them by user and item, and takes the ``first`` of them.
    """
    user, item, time, _ = rows[i]
    mine = [j for j in range(len(rows)) if rows[j][0] == user]
    if timed:
        before = sorted((j for j in mine if rows[j][2] < time), key=lambda j: (rows[j][2], j))
    else:
        here = next(j for j in mine if rows[j][1] == item) if first else i
        before = [j for j in mine if j < here]
    return [rows[j][1] for j in before if rows[j][3] and j in inside]


@pytest.mark.parametrize("stops", [False, True], ids=["all rows", "early stopping"])
@pytest.mark.parametrize("timed", [True, False], ids=["timed", "untimed"])
@pytest.mark.parametrize("model", MODELS, ids=IDS)
@given(rows=st.lists(ROW, min_size=1, max_size=25), max_history=st.integers(1, 6))
@settings(max_examples=25)
def test_no_training_example_sees_itself_or_a_later_event(model, timed, stops, rows, max_history):
    rows = [*rows, (4, 0, 0, True), (4, 1, 1, True)]  # somebody has a last event to hold out
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "y"])
    y = frame.pop("y").to_numpy().astype(float)
    frame = frame if timed else frame.drop(columns="timestamp")
    model = clone(model).set_params(max_history=max_history, early_stopping=stops)
    arrays = training_arrays(model, frame, y)
    views = list(training_views(arrays))
    inside = {row for row, *_ in views}
    assert len(views) == len(inside)  # each is learnt from once
    assert (len(inside) < len(rows)) if stops else (len(inside) == len(rows))
    if stops:  # what is held out is the last of its user that was chosen
        for row in set(range(len(rows))) - inside:
            user, _, time, chosen = rows[row]
            assert chosen
            later = [j for j in range(len(rows)) if rows[j][0] == user and rows[j][3] and j != row]
            assert all(rows[j][2] <= time if timed else j < row for j in later)
    items = np.unique(frame["item_id"])
    looks_up = isinstance(model, DINRanker)
    for row, item, codes in views:
        past = past_of(rows, row, inside, timed=timed, first=looks_up)
        seen = items[np.array(codes, int) - 1].tolist()
        assert items[item - 1] == rows[row][1]
        assert seen == past[len(past) - len(seen) :]
        assert bool(seen) == bool(past)
        if looks_up:
            assert len(seen) == min(len(past), max_history)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_partial_fit_sees_what_is_stored_and_not_what_comes_later(model):
    fitted = clone(model).fit(TIMED)
    new = pd.DataFrame({"user_id": [0, 0, 0], "item_id": [5, 6, 7], "timestamp": [900, 900, 950]})
    arrays = training_arrays(fitted, new, method="partial_fit")
    stored = [item + 1 for item in items_of(TIMED, 0)]
    seen = {row: codes for row, _, codes in training_views(arrays)}
    assert seen == {0: stored, 1: stored, 2: [*stored, 6, 7]}


@pytest.mark.parametrize("model", MODELS, ids=IDS)
@pytest.mark.parametrize("frame", [EVENTS, TIMED], ids=["untimed", "timed"])
def test_what_is_held_out_is_no_history_of_its_own_score(model, frame):
    """The score is that of a model which never saw the rows."""
    order = frame.sort_values("timestamp", kind="stable") if "timestamp" in frame else frame
    last = order[order.duplicated("user_id")].drop_duplicates("user_id", keep="last").index
    train, held_out = frame.drop(index=last), frame.loc[last]
    assert set(train["item_id"]) == set(frame["item_id"])  # else the vocabularies differ
    stopped = clone(model).set_params(early_stopping=True, epochs=1).fit(frame)
    apart = clone(model).set_params(epochs=1).fit(train)
    assert stopped.validation_scores_ == [pytest.approx(apart.score(held_out), abs=1e-6)]
    # Afterwards all of it is history.
    users = np.arange(N_USERS)
    expected = apart.score_items(users, history=[items_of(frame, user) for user in users])
    assert stopped.score_items(users) == pytest.approx(expected, abs=1e-5)


def test_validation_rows_from_before_training_see_nothing_of_it(timed):
    early = TIMED.drop_duplicates("user_id").assign(timestamp=-5, item_id=lambda frame: frame["user_id"] + 1)
    with pytest.warns(UserWarning, match="earlier than the first event in fit"):
        stopped = clone(timed).set_params(epochs=1).fit(TIMED, X_val=early)
    plain = clone(timed).set_params(epochs=1).fit(TIMED)
    users = early["user_id"]
    scores = plain.score_items(users, history=[[]] * len(users))
    gains = []
    for user, item, row in zip(users, early["item_id"], scores, strict=True):
        rivals = np.setdiff1d(np.arange(N_ITEMS), [*items_of(TIMED, user), item])
        rank = 1 + (row[rivals] >= row[item]).sum()
        gains.append(1 / np.log2(1 + rank) if rank <= 10 else 0)
    assert stopped.validation_scores_ == [pytest.approx(np.mean(gains), abs=1e-6)]


# -- histories that the caller gives ---------------------------------------------------------------------------------


def test_the_stored_history_given_again_scores_the_same_bits(model):
    users = np.arange(N_USERS)
    expected = model.score_items(users)
    assert (model.score_items(users, history=[items_of(EVENTS, user) for user in users]) == expected).all()
    assert (model.score_items(users, history=EVENTS) == expected).all()
    assert (model.score_items(users, history=pl.from_pandas(EVENTS)) == expected).all()
    assert (model.score_items(users[::-1], history=EVENTS) == expected[::-1]).all()
    assert (model.score_items(users, [7, 3], history=EVENTS) == expected[:, [7, 3]]).all()
    pd.testing.assert_frame_equal(model.recommend(users, k=4, history=EVENTS), model.recommend(users, k=4))


def test_a_history_of_events_is_put_in_order_of_time(timed):
    users = np.arange(N_USERS)
    expected = timed.score_items(users)
    assert (timed.score_items(users, history=TIMED.sample(frac=1, random_state=0)) == expected).all()
    in_order = TIMED.sort_values("timestamp").drop(columns="timestamp")
    assert (timed.score_items(users, history=in_order) == expected).all()


def test_a_history_replaces_the_stored_one(model):
    given = model.score_items([0, 0, 0], history=[[1, 2], [2, 3], []])
    assert len(np.unique(given, axis=0)) == 3
    assert (given != model.score_items([0])).any(axis=1).all()
    alone = model.score_items([0], history=[[2, 3]])[0]
    np.testing.assert_allclose(alone, given[1], rtol=0, atol=1e-6 * np.abs(given).max())  # not of the other queries


def test_sessions_of_nobody_known(model):
    """They are numbered; an empty one is what an unknown user gets."""
    sessions = [[1, 2, 3], [], np.array([4]), (5, 6), pd.Series([7])]
    found = model.recommend(history=sessions, k=3)
    assert found["user_id"].tolist() == np.repeat(np.arange(5), 3).tolist()
    assert found["rank"].tolist() == [1, 2, 3] * 5
    unknown = ["nobody", -1, 77, 78, 79]
    assert (model.score_items(unknown, history=sessions) == model.score_items(history=sessions)).all()
    assert (model.score_items([99]) == model.score_items(history=[[]])).all()


def test_events_without_queries_rank_for_each_of_their_users(model):
    events = pd.DataFrame({"user_id": ["b", "a", "b"], "item_id": [1, 2, 3]})
    found = model.recommend(history=events, k=2)
    assert found["user_id"].tolist() == ["b", "b", "a", "a"]
    assert (model.score_items(history=events) == model.score_items(history=[[1, 3], [2]])).all()
    assert (model.score_items(["a", "c", "b", "a"], history=events)
            == model.score_items(history=[[2], [], [1, 3], [2]])).all()  # fmt: skip


def test_unknown_items_stand_in_a_history_as_unknown(model):
    strange, stranger = model.score_items(history=[[1, 999, 2], [1, -7, 2]])
    assert (strange == stranger).all()
    assert (strange != model.score_items(history=[[1, 2]])).any()
    assert model.recommend(history=[[999]], k=20)["item_id"].nunique() == N_ITEMS


def test_no_more_than_max_history_counts(model):
    assert model._length == 8
    long = list(_random.integers(0, N_ITEMS, 40))
    assert (model.score_items(history=[long]) == model.score_items(history=[long[-8:]])).all()
    assert (model.score_items(history=[long]) != model.score_items(history=[long[-7:]])).any()


def test_what_was_seen_is_left_out(model):
    found = model.recommend(history=[[1, 2, 999], [3] * 30], k=99)
    assert [set(mine) for _, mine in found.groupby("user_id")["item_id"]] == [
        set(range(N_ITEMS)) - {1, 2},
        set(range(N_ITEMS)) - {3},
    ]
    assert len(model.recommend(history=[[1, 2]], k=99, exclude_seen=False)) == N_ITEMS
    # A given history replaces the stored one here too.
    assert set(model.recommend([0], history=[[1]], k=99)["item_id"]) == set(range(N_ITEMS)) - {1}
    assert set(model.recommend([0], k=99)["item_id"]) == set(range(N_ITEMS)) - set(items_of(EVENTS, 0))
    left = model.recommend([0], history=[[1]], k=99, candidates=[1, 2, 3], exclude=[(0, 3)])
    assert left["item_id"].tolist() == [2]


def test_rows_with_a_time_see_only_what_was_before(timed):
    mine = TIMED[TIMED["user_id"] == 0].sort_values("timestamp")
    at = [0, *mine["timestamp"], 10_000]
    rows = pd.DataFrame({"user_id": 0, "timestamp": at})
    items = mine["item_id"].tolist()
    expected = timed.score_items([0] * len(at), history=[[], *(items[:n] for n in range(len(items))), items])
    assert (timed.score_items(rows) == expected).all()
    # The rows of fit are predicted from what came before them.
    predicted = timed.predict(mine)
    assert predicted == pytest.approx(expected[np.arange(1, len(mine) + 1), mine["item_id"]], abs=1e-5)


def test_rows_without_a_time_see_what_came_before_their_first_like(model):
    mine = EVENTS[EVENTS["user_id"] == 1]
    items = mine["item_id"].tolist()
    histories = [items[: items.index(item)] for item in items]
    expected = model.score_items([1] * len(items), history=histories)[np.arange(len(items)), items]
    assert model.predict(mine) == pytest.approx(expected, abs=1e-5)
    new = pd.DataFrame({"user_id": [1] * N_ITEMS, "item_id": np.arange(N_ITEMS)})
    new = new[~new["item_id"].isin(items)]
    assert model.predict(new) == pytest.approx(model.score_items([1], new["item_id"])[0], abs=1e-5)


BAD_HISTORIES = [
    ({"history": "12"}, "history is '12'; pass a list with the item ids of each query"),
    ({"history": 5}, "history is 5; pass a list"),
    ({"history": [1, 2]}, "history holds 1, which is not a list: pass a list of lists.*For one session"),
    ({"history": ["ab"]}, "history holds 'ab', which is not a list"),
    ({"history": [None]}, "history holds None, which is not a list"),
    ({}, "recommend needs queries.*, or history= for sessions without a user"),
    ({"queries": [0, 1], "history": [[1]]}, "There are 2 queries, but 1 histories: pass one for each query"),
    ({"queries": 0, "history": [[1]]}, "queries=0 must be a list"),
    ({"history": [[2], [1, np.nan]]}, r"^history\[1\] contains NaN: there is no id in place 1 \(1 such place\(s\)\)"),
    ({"history": [[1, None]]}, r"^history\[0\] contains NaN: there is no id in place 1.* leave these out"),
    ({"history": [[1, np.inf]]}, r"^history\[0\] contains infinity: there is no id in place 1"),
    (
        {"history": pd.DataFrame({"user_id": [1, 1], "item_id": [None, "x"]})},
        r"^history\['item_id'\] contains NaN: there is no id in place 0",
    ),
    ({"queries": [1, None]}, "^queries contains NaN: there is no id in place 1"),
    ({"queries": [1], "candidates": [np.nan]}, "^candidates contains NaN: there is no id in place 0"),
    ({"history": [[1]], "k": 0}, "k is 0"),
    ({"history": [[1]], "candidates": []}, "candidates is empty"),
]


@pytest.mark.parametrize(("options", "message"), BAD_HISTORIES, ids=[str(options) for options, _ in BAD_HISTORIES])
def test_bad_histories(model, unchanged, options, message):
    with unchanged(model), pytest.raises(ValueError, match=message):
        model.recommend(**options)


def test_lists_are_no_items_of_a_history(model):
    with pytest.raises(
        TypeError, match=r"^history\[0\] has \[4\] \(list\) in place 1, which is not hashable and so no id"
    ):
        model.recommend(history=[[3, [4]]])


def test_events_without_a_column_and_without_a_time(model, timed):
    with pytest.raises(ColumnError, match="There is no column 'user_id', the user in fit; the columns are 'item_id'"):
        model.recommend(history=EVENTS[["item_id"]])
    with pytest.raises(ValueError, match="time column 'timestamp' has none in row 0"):
        timed.recommend(pd.DataFrame({"user_id": [1], "timestamp": [np.nan]}))


def test_a_missing_time_of_a_history_is_said_to_be_its_own(timed):
    with pytest.raises(ValueError, match="^Input history contains NaN.*time column 'timestamp' has none in row 3"):
        timed.recommend(history=TIMED.assign(timestamp=TIMED["timestamp"].astype(float).mask(TIMED.index == 3)))


def test_a_wide_array_of_sessions_is_not_taken_for_events(model):
    sessions = np.array([[5, 3, 1, 7], [2, 4, 6, 8]])
    with pytest.raises(ValueError, match=r"array with 4 columns, but rows had 2 in fit.*history\.tolist\(\)"):
        model.recommend(history=sessions)
    found = model.recommend(history=sessions[:, :2])
    assert found["user_id"].unique().tolist() == [5, 2]


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_unknown_ids_can_be_refused(model, unchanged):
    strict = clone(model).set_params(handle_unknown="error").fit(EVENTS)
    for call in (
        lambda: strict.recommend(history=[[1, 999]]),
        lambda: strict.recommend([99]),
        lambda: strict.append_history(EVENTS.assign(item_id=999)),
    ):
        with unchanged(strict), pytest.raises(UnknownIdError, match="was not seen in fit"):
            call()


def test_unknown_ids_are_named_where_they_are():
    strict = clone(MODELS[0]).set_params(handle_unknown="error").fit(EVENTS)
    user, known = EVENTS["user_id"].iloc[0], EVENTS["item_id"].iloc[0]
    message = r"^{} has the id 999999 \(int\) in {}, which was not seen .*handle_unknown='oov'"
    with pytest.raises(UnknownIdError, match=message.format(r"history\[1\]", "place 1")):
        strict.recommend(history=[[known], [known, 999999]])
    with pytest.raises(UnknownIdError, match=message.format("candidates", "place 0")):
        strict.recommend([user], candidates=[999999])
    with pytest.raises(UnknownIdError, match=message.format("queries", "place 1")):
        strict.recommend([user, 999999])
    with pytest.raises(UnknownIdError, match=message.format("Column 'item_id'", "row 0")):
        strict.predict(EVENTS[:1].assign(item_id=999999))


# -- events added later ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [EVENTS, TIMED], ids=["untimed", "timed"])
@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_appended_events_count_as_stored_ones(model, frame):
    """Known and new users, known and unknown items; no weight moves."""
    fitted = clone(model).fit(frame)
    before = pickle.loads(pickle.dumps(fitted))
    more = pd.DataFrame({"user_id": [6, 4, 4, 77, 77], "item_id": [3, 4, 5, 1, 999]})
    if "timestamp" in frame:
        more["timestamp"] = np.arange(len(more)) + 1000
    assert fitted.append_history(more) is fitted
    assert fitted.users_.tolist() == [*before.users_, 77]
    assert fitted.items_.tolist() == before.items_.tolist()
    assert all((fitted._weights[name][: len(array)] == array).all() for name, array in before._weights.items())
    users = [6, 4, 2, 77]
    lists = [items_of(frame, user) + items_of(more, user) for user in users]
    assert (fitted.score_items(users) == before.score_items(users, history=lists)).all()
    assert 3 not in fitted.recommend([6], k=99)["item_id"].tolist()
    assert set(fitted.recommend([77], k=99)["item_id"]) == set(range(N_ITEMS)) - {1}
    later = more[:1].assign(item_id=9)
    if "timestamp" in frame:
        later["timestamp"] = 9999
    assert fitted.predict(later) == pytest.approx(fitted.score_items([6], [9])[0], abs=1e-5)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_a_history_may_grow_longer_than_any_in_fit(model):
    more = pd.DataFrame({"user_id": 1, "item_id": [4, 5] * 20})
    fitted = clone(model).fit(EVENTS).append_history(more)
    assert fitted.recommend([0, 1], k=1, exclude_seen=False).shape == (2, 4)
    lists = [items_of(EVENTS, 0), items_of(EVENTS, 1) + more["item_id"].tolist()]
    assert (fitted.score_items([0, 1]) == fitted.score_items([0, 1], history=lists)).all()
    assert fitted.partial_fit(more[:3]).score_items([1]).shape == (1, N_ITEMS)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
@pytest.mark.parametrize("n", [7, 8, 9])
def test_the_held_out_event_may_make_the_longest_history_longer(model, n):
    events = pd.DataFrame({"user_id": np.repeat([0, 1], n), "item_id": np.arange(2 * n) % N_ITEMS})
    fitted = clone(model).set_params(early_stopping=True, epochs=1).fit(events)
    assert fitted.recommend([0, 1], k=1, exclude_seen=False).shape == (2, 4)


def test_a_stored_event_is_not_appended_again(timed):
    copy = pickle.loads(pickle.dumps(timed)).append_history(TIMED)
    assert (copy.score_items(np.arange(N_USERS)) == timed.score_items(np.arange(N_USERS))).all()
    older = pd.DataFrame({"user_id": [7], "item_id": [0], "timestamp": [1]})
    copy.append_history(older)
    assert (copy.score_items([7]) == timed.score_items([7], history=[[0, *items_of(TIMED, 7)]])).all()


def test_what_was_shown_but_not_chosen_is_no_history(model):
    copy = pickle.loads(pickle.dumps(model)).append_history(EVENTS[:2].assign(item_id=[8, 9]), [0, 1])
    expected = model.score_items([0], history=[[*items_of(EVENTS, 0), 9]])
    assert (copy.score_items([0]) == expected).all()


BAD_EVENTS = [
    (EVENTS.rename(columns={"item_id": "item"}), "feature names should match"),
    (EVENTS.assign(item_id=np.nan), "column 'item_id' has no id in any of its"),
    (EVENTS.assign(user_id=None), "column 'user_id' has no id in any of its"),
]


@pytest.mark.parametrize("events", BAD_EVENTS, ids=["renamed", "no item", "no user"])
@pytest.mark.parametrize("method", ["append_history", "partial_fit", "fit"])
def test_bad_events_change_nothing(model, unchanged, events, method):
    frame, message = events
    if method != "partial_fit" and "item" in frame:
        message = "no column 'item_id'"
    with unchanged(model), pytest.raises(ValueError, match=message):
        getattr(model, method)(frame)


@pytest.mark.parametrize("missing", [np.nan, pd.NaT], ids=str)
def test_a_missing_time_is_refused(timed, unchanged, missing):
    frame = TIMED.assign(timestamp=pd.to_datetime(TIMED["timestamp"]) if missing is pd.NaT else TIMED["timestamp"])
    frame.loc[3, "timestamp"] = missing
    with unchanged(timed), pytest.raises(ValueError, match="time column 'timestamp' has none in row 3"):
        timed.fit(frame)
    with unchanged(timed), pytest.raises(ValueError, match="time column 'timestamp' has none in row 3"):
        timed.append_history(frame)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_partial_fit_learns_from_new_events(model):
    fitted = clone(model).fit(EVENTS)
    before = pickle.loads(pickle.dumps(fitted))
    new = pd.DataFrame({"user_id": [0, 5, 88], "item_id": [50, 3, 50]})
    fitted.partial_fit(new)
    assert fitted.items_.tolist() == [*range(N_ITEMS), 50]
    assert fitted.n_iter_ == len(fitted.loss_curve_) - len(before.loss_curve_) == 1
    assert (fitted.score_items([1]) != before.score_items([1], fitted.items_)).any()
    assert 50 not in fitted.recommend([0, 88], k=99)["item_id"].tolist()


# -- copies ----------------------------------------------------------------------------------------------------------


def test_copies_score_the_same_bits(model, timed, tmp_path):
    for fitted in (model, timed):
        expected = fitted.score_items(np.arange(N_USERS + 2))
        skrec.save(fitted, tmp_path / "model.skrec")
        loaded = skrec.load(tmp_path / "model.skrec")
        for copy in (loaded, pickle.loads(pickle.dumps(fitted))):
            assert (copy.score_items(np.arange(N_USERS + 2)) == expected).all()
            copy.append_history((EVENTS if fitted is model else TIMED)[:1])
    assert (clone(model).fit(EVENTS).score_items([0, 1]) == model.score_items([0, 1])).all()


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_a_saved_fit_goes_on_where_a_longer_one_would_be(model, tmp_path):
    half = clone(model).set_params(warm_start=True, epochs=2).fit(EVENTS)
    skrec.save(half, tmp_path / "model.skrec")
    resumed = skrec.load(tmp_path / "model.skrec").fit(EVENTS)
    assert (half.fit(EVENTS).score_items([0, 1]) == resumed.score_items([0, 1])).all()
    for ema_momentum in (0.0, 0.7):
        longer = clone(model).set_params(ema_momentum=ema_momentum, epochs=4).fit(EVENTS)
        half = clone(model).set_params(ema_momentum=ema_momentum, warm_start=True, epochs=2).fit(EVENTS)
        assert (half.fit(EVENTS).score_items([0, 1]) == longer.score_items([0, 1])).all()


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_events_added_between_fits_do_not_disturb_them(model, tmp_path):
    """Users that join have a place in the weights trained and in their average."""
    half = clone(model).set_params(ema_momentum=0.7, warm_start=True, epochs=2).fit(EVENTS)
    plain = pickle.loads(pickle.dumps(half)).fit(EVENTS)
    half.append_history(pd.DataFrame({"user_id": [77, 1], "item_id": [3, 4]}))
    assert np.isfinite(half.score_items([77])).all()
    skrec.save(half, tmp_path / "model.skrec")
    added = skrec.load(tmp_path / "model.skrec").fit(EVENTS)
    assert added.loss_curve_ == plain.loss_curve_
    assert (added.score_items([0, 1]) == plain.score_items([0, 1])).all()
    assert np.isfinite(added.partial_fit(EVENTS[:9].assign(user_id=78)).score_items([77, 78])).all()


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_warm_start_on_shorter_histories(model):
    long = pd.DataFrame({"user_id": np.repeat([0, 1], 12), "item_id": np.arange(24) % N_ITEMS})
    fitted = clone(model).set_params(warm_start=True).fit(long).fit(long[::6])
    assert fitted.recommend([0, 1], k=1).shape == (2, 4)


def test_times_that_leave_no_row_a_past_are_told_of():
    """As behind an encoder of ids, for which a new time is an unknown id."""
    events = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [3, 4, 3, 5], "timestamp": [10, 20, 10, 30]})
    model = SASRecRanker(embedding_dim=8, epochs=1, random_state=0).fit(events)
    assert np.isfinite(model.predict(events)).all()  # the first of them have no past either
    for ask in (model.predict, model.recommend):
        with pytest.warns(
            UserWarning, match="All 4 rows are earlier than the first event in fit.*pass the time through"
        ):
            ask(events.assign(timestamp=0))
