"""recommend, score_items, seen_items, similar_items: what a user of a fitted model asks for."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import skrec
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.models import NCFRanker, PopularityRanker, SASRecRanker
from skrec.preprocessing import HistoryEncoder, IDEncoder

EVENTS = pd.DataFrame(
    [("ann", "x"), ("ann", "y"), ("bob", "y"), ("bob", "z"), ("cy", "y"), ("cy", "w"), ("dee", "z")],
    columns=["user_id", "item_id"],
)


@pytest.fixture(scope="module")
def popularity():
    """Scores are counts: w 1, x 1, y 3, z 2, whoever asks."""
    return PopularityRanker().fit(EVENTS)


@pytest.fixture(scope="module")
def network():
    return NCFRanker(random_state=0, epochs=2, embedding_dim=4, architecture="gmf").fit(EVENTS)


def rows(frame):
    return list(frame.itertuples(index=False, name=None))


# -- what recommend returns ----------------------------------------------------------------------------------------


def test_the_best_unseen_items_come_first(popularity):
    frame = popularity.recommend(["dee", "ann"], k=2)
    assert frame.columns.tolist() == ["user_id", "item_id", "score", "rank"]
    assert frame.index.tolist() == [0, 1, 2, 3]
    assert rows(frame) == [("dee", "y", 3, 1), ("dee", "w", 1, 2), ("ann", "z", 2, 1), ("ann", "w", 1, 2)]


def test_arrays_hold_none_and_minus_infinity_where_no_item_is_left(popularity):
    items, scores = popularity.recommend(["ann", "dee"], k=3, as_frame=False)
    assert items.tolist() == [["z", "w", None], ["y", "w", "x"]]
    assert scores.tolist() == [[2, 1, -np.inf], [3, 1, 1]]


def test_seen_items_come_back_when_asked_for(popularity):
    assert rows(popularity.recommend(["ann"], k=9, exclude_seen=False)) == [
        ("ann", "y", 3, 1), ("ann", "z", 2, 2), ("ann", "w", 1, 3), ("ann", "x", 1, 4),
    ]  # fmt: skip


def test_a_user_who_has_seen_everything_gets_nothing():
    model = PopularityRanker().fit([["a", 1], ["a", 2], ["b", 1]])
    assert model.recommend(["a"]).empty
    assert model.recommend(["a", "b"])["user_id"].tolist() == ["b"]


def test_no_queries_make_an_empty_frame(popularity, network):
    for model in (popularity, network):
        frame = model.recommend([])
        assert frame.columns.tolist() == ["user_id", "item_id", "score", "rank"]
        assert frame.empty


def test_a_repeated_query_is_answered_each_time(popularity):
    assert popularity.recommend(["bob", "cy", "bob"], k=1)["user_id"].tolist() == ["bob", "cy", "bob"]


@pytest.mark.parametrize(
    "queries",
    [
        ["bob", "cy"],
        ("bob", "cy"),
        np.array(["bob", "cy"]),
        pd.Series(["bob", "cy"]),
        pd.Index(["bob", "cy"]),
        pl.Series(["bob", "cy"]),
        pd.DataFrame({"hour": [3, 4], "user_id": ["bob", "cy"]}),
        pl.DataFrame({"user_id": ["bob", "cy"]}),
        np.array([["bob"], ["cy"]]),
    ],
    ids=lambda queries: f"{type(queries).__module__.split('.')[0]}.{type(queries).__name__}",
)
def test_queries_may_come_in_any_container(popularity, queries):
    pd.testing.assert_frame_equal(popularity.recommend(queries, k=2), popularity.recommend(["bob", "cy"], k=2))


def test_column_names_are_those_of_fit_and_defaults_without_names():
    named = PopularityRanker(user="who", item="what").fit(EVENTS.set_axis(["who", "what"], axis=1))
    assert named.recommend(["ann"], k=1).columns.tolist() == ["who", "what", "score", "rank"]
    unnamed = PopularityRanker().fit(EVENTS.to_numpy())
    assert unnamed.recommend(["ann"], k=1).columns.tolist() == ["user_id", "item_id", "score", "rank"]


# -- candidates and exclusions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("candidates", [["w", "z"], ["z", "w", "z"], pl.Series(["z", "w"]), EVENTS[["item_id"]][3:6]])
def test_candidates_limit_the_choice_each_once(popularity, candidates):
    expected = [("ann", "z", 2, 1), ("ann", "w", 1, 2)]
    assert rows(popularity.recommend(["ann"], candidates=candidates)) == expected


def test_unknown_candidates_are_scored_as_unknown_and_stand_after_known_ones_among_equals(popularity, network):
    assert rows(popularity.recommend(["ann"], candidates=["new", "w", "newer"])) == [
        ("ann", "w", 1, 1), ("ann", "new", 0, 2), ("ann", "newer", 0, 3),
    ]  # fmt: skip
    frame = network.recommend(["ann"], candidates=["new", "newer", "w"])
    scores = dict(zip(frame["item_id"], frame["score"], strict=True))
    unknown = network.predict(pd.DataFrame({"user_id": ["ann"], "item_id": ["never seen"]}))
    assert scores["new"] == scores["newer"] == pytest.approx(unknown[0], abs=1e-6)


def test_unknown_candidates_and_queries_are_errors_if_the_user_wants_so():
    model = PopularityRanker(handle_unknown="error").fit(EVENTS)
    with pytest.raises(UnknownIdError, match=r"candidates.*'yy'.*'y'"):
        model.recommend(["ann"], candidates=["w", "yy"])
    with pytest.raises(UnknownIdError, match=r"queries.*'anne'.*'ann'"):
        model.recommend(["bob", "anne"])
    with pytest.raises(UnknownIdError, match="'zed'"):
        model.predict(pd.DataFrame({"user_id": ["zed"], "item_id": ["x"]}))


@pytest.mark.parametrize(
    "exclude",
    [
        [("dee", "y"), ("cy", "z")],
        {("dee", "y"), ("cy", "z")},
        np.array([["dee", "y"], ["cy", "z"]]),
        pd.DataFrame({"item_id": ["y", "z"], "score": [1, 2], "user_id": ["dee", "cy"]}),
        pl.DataFrame({"user_id": ["dee", "cy"], "item_id": ["y", "z"]}),
    ],
    ids=lambda exclude: f"{type(exclude).__module__.split('.')[0]}.{type(exclude).__name__}",
)
def test_excluded_pairs_are_left_out_beside_the_seen_ones(popularity, exclude):
    frame = popularity.recommend(["dee", "cy"], k=2, exclude=exclude)
    assert rows(frame) == [("dee", "w", 1, 1), ("dee", "x", 1, 2), ("cy", "x", 1, 1)]


def test_exclusion_reaches_unknown_users_and_unknown_candidates(popularity):
    pairs = [("new user", "y"), ("ann", "new item"), ("nobody", "z"), ("ann", "nothing")]
    assert rows(popularity.recommend(["new user", "other"], k=1, exclude=pairs)) == [
        ("new user", "z", 2, 1), ("other", "y", 3, 1),
    ]  # fmt: skip
    frame = popularity.recommend(["ann", "bob"], candidates=["new item", "w"], exclude=pairs)
    assert rows(frame) == [("ann", "w", 1, 1), ("bob", "w", 1, 1), ("bob", "new item", 0, 2)]


@pytest.mark.parametrize("exclude", [[], pd.DataFrame({"user_id": [], "item_id": []}), np.empty((0, 2)), None])
def test_excluding_nothing_changes_nothing(popularity, exclude):
    pd.testing.assert_frame_equal(
        popularity.recommend(["ann", "new"], exclude=exclude), popularity.recommend(["ann", "new"])
    )


# -- scores --------------------------------------------------------------------------------------------------------


def test_scores_have_a_column_for_each_item_or_candidate(popularity, network):
    assert popularity.score_items(["ann", "new"]).tolist() == [[1, 1, 3, 2]] * 2
    assert popularity.score_items(["ann"], ["z", "nothing", "w", "z"]).tolist() == [[2, 0, 1, 2]]
    full = network.score_items(["ann", "bob"])
    assert full.dtype == np.float32
    columns = [list(network.items_).index(item) for item in ("z", "w")]
    assert (network.score_items(["ann", "bob"], ["z", "w"]) == full[:, columns]).all()


def test_a_pair_has_one_score_wherever_it_is_asked_for(fitted_ranker, board):
    users, items = fitted_ranker.users_, fitted_ranker.items_
    by_catalogue = fitted_ranker.score_items(users)
    every_pair = pd.MultiIndex.from_product([users, items], names=["user_id", "item_id"]).to_frame(index=False)
    by_row = fitted_ranker.predict(every_pair)
    assert by_row == pytest.approx(by_catalogue.ravel(), abs=1e-5)
    frame = fitted_ranker.recommend(users, k=3)
    found = by_catalogue[np.searchsorted(users, frame["user_id"]), np.searchsorted(items, frame["item_id"])]
    assert (found == frame["score"]).all()


def close_to(scores):
    return pytest.approx(scores, rel=1e-6, abs=1e-6 * float(np.abs(scores).max()))


@pytest.mark.parametrize("architecture", ["gmf", "mlp", "neumf"])
def test_a_score_does_not_depend_on_the_rest_of_the_call(ranker, architecture):
    """Bit for bit in chunks of one size; matrix products of another size round otherwise on some processors."""
    random = np.random.default_rng(0)
    X = np.column_stack([random.integers(0, 500, 6000), random.integers(0, 1500, 6000)])
    model = ranker(architecture=architecture, embedding_dim=32, epochs=1, batch_size=1024).fit(X)
    rows = np.column_stack([random.integers(0, 550, 9000), random.integers(0, 1600, 9000)])
    scores, few = model.predict(rows), model.predict(rows[:2000])
    for part in (slice(0, 1), slice(3, 200), slice(1000, 3500), slice(None, None, -1)):
        assert model.predict(rows[part]) == close_to(scores[part])
        found = model.predict(rows[:2000][part])
        assert found.tobytes() == few[part].tobytes() if len(found) > 16 else found == close_to(few[part])
    users, items = np.arange(520), np.arange(1550)
    table = model.score_items(users, items)
    assert model.score_items(users[300:400], items).tobytes() == table[300:400].tobytes()
    assert model.score_items(users[[300]], items) == close_to(table[[300]])
    assert model.score_items(users[[300]], items).tobytes() == model.score_items(users[[300]], items).tobytes()
    for some in (slice(None, None, -7), slice(7, 8), slice(20, 22), slice(100, 117), slice(3, 1300)):
        assert model.score_items(users[200:400], items[some]) == close_to(table[200:400, some])


def test_all_unknown_users_have_the_scores_of_one(network):
    frame = network.recommend(["new", "newer"], k=4)
    assert frame["item_id"].tolist()[:4] == frame["item_id"].tolist()[4:]
    assert len(set(network.predict(pd.DataFrame({"user_id": ["new", "newer"], "item_id": "x"})))) == 1


def test_seen_items_are_a_sparse_table_of_the_log(popularity):
    seen = popularity.seen_items(["dee", "new", "ann"])
    assert seen.shape == (3, 4)
    assert seen.dtype == bool
    assert seen.toarray().tolist() == [[False, False, False, True], [False] * 4, [False, True, True, False]]


def test_a_regressor_recommends_by_predicted_rating_and_leaves_out_whatever_was_rated(board, regressor):
    rating = 1.0 + 4 * (board.train["user_id"] % 3 == board.train["item_id"] % 3)
    model = regressor().fit(board.train, rating)
    frame = model.recommend([5, 6], k=60)
    assert frame["score"].to_numpy() == pytest.approx(model.predict(frame[["user_id", "item_id"]]), abs=1e-4)
    assert frame.merge(board.train).empty
    assert len(frame) + board.train["user_id"].isin([5, 6]).sum() == 120


def test_a_classifier_leaves_out_what_was_chosen_and_not_what_was_merely_shown(board, classifier):
    chosen = (board.train["user_id"] % 3 == board.train["item_id"] % 3).to_numpy()
    model = classifier().fit(board.train, chosen)
    frame = model.recommend([5, 6], k=60)
    assert frame.merge(board.train[chosen]).empty
    assert len(frame) + chosen[board.train["user_id"].isin([5, 6])].sum() == 120
    with pytest.raises(ValueError, match=r"3 classes.*Regressor"):
        classifier(epochs=1).fit(board.train, board.train["item_id"] % 3).recommend([5])


def test_role_ids_are_the_columns_of_the_roles(popularity):
    frame = EVENTS.assign(hour=3)[["hour", "item_id", "user_id"]]
    users, items = popularity.role_ids(frame)
    assert users.tolist() == EVENTS["user_id"].tolist()
    assert items.tolist() == EVENTS["item_id"].tolist()


def test_similar_items_point_the_same_way(fitted_ranker):
    frame = fitted_ranker.similar_items([7, 3], k=4)
    assert frame.columns.tolist() == ["item_id", "similar_item", "score", "rank"]
    assert frame["item_id"].tolist() == [7] * 4 + [3] * 4
    assert frame["rank"].tolist() == [1, 2, 3, 4] * 2
    assert (frame["item_id"] % 3 == frame["similar_item"] % 3).all()
    vectors = fitted_ranker.item_embeddings_
    one, other = vectors[7], vectors[frame["similar_item"][0]]  # the ids are 0 to 59
    assert frame["score"][0] == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), abs=1e-5)
    assert len(fitted_ranker.similar_items([7], k=1000)) == len(fitted_ranker.items_) - 1
    assert fitted_ranker.similar_items([]).empty


def test_similar_items_refuses_what_has_no_embedding(fitted_ranker, popularity):
    message = r"^items has the id 1000 \(int\) in place 1, .*The nearest known id is .*\. Correct it, or leave it out"
    with pytest.raises(UnknownIdError, match=message):
        fitted_ranker.similar_items([7, 1000])
    with pytest.raises(AttributeError, match=r"^PopularityRanker does not support similar items.* NCFRanker"):
        popularity.similar_items(["x"])


def test_embeddings_follow_users_and_items(fitted_ranker):
    assert fitted_ranker.user_embeddings_.shape == (len(fitted_ranker.users_), 8)
    assert fitted_ranker.item_embeddings_.shape == (len(fitted_ranker.items_), 8)


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "3", None])
def test_k_must_be_a_whole_number_of_at_least_1(popularity, k):
    with pytest.raises(ValueError, match=r"k is .*whole number of at least 1"):
        popularity.recommend(["ann"], k=k)


def test_k_may_be_a_numpy_integer_above_the_catalogue(popularity):
    assert len(popularity.recommend(["new"], k=np.int64(10**6))) == 4
    items, _ = popularity.recommend(["new"], k=10**6, as_frame=False)
    assert items.shape == (1, 4)


def test_queries_are_missing(popularity):
    for ask in (popularity.recommend, popularity.score_items):
        with pytest.raises(ValueError, match="recommend needs queries: pass user ids, .* with a user column"):
            ask()


@pytest.mark.parametrize("query", ["ann", 3])
def test_a_lone_id_is_refused_with_the_list_to_pass(popularity, query):
    with pytest.raises(ValueError, match=r"queries=.* must be a list or an array, also for a single id: \["):
        popularity.recommend(query)


def test_empty_candidates_are_refused(popularity):
    with pytest.raises(ValueError, match="candidates is empty: pass at least one item id"):
        popularity.recommend(["ann"], candidates=[])


def test_query_rows_without_the_user_column_are_refused(popularity):
    with pytest.raises(ColumnError, match=r"'user_id'.*'userid'.*Did you mean 'userid'"):
        popularity.recommend(pd.DataFrame({"userid": ["ann"], "hour": [3]}))
    with pytest.raises(ColumnError, match="1 columns"):
        PopularityRanker(item=0, user=1).fit(EVENTS.to_numpy()).recommend(np.array([["x"]]))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_id_in_a_query_is_refused(popularity, missing):
    with pytest.raises(ValueError, match="^queries contains NaN: there is no id in place 1"):
        popularity.recommend(["ann", missing])


def test_ids_of_another_kind_are_told_of_once_a_column():
    events = pd.DataFrame({"user_id": [1, 1, 2], "item_id": ["x", "y", "y"]})
    encoder = IDEncoder().set_output(transform="pandas")
    strings = events.astype({"user_id": str})
    for model in (PopularityRanker(), make_pipeline(encoder, PopularityRanker())):
        model.fit(events)
        with pytest.warns(UserWarning, match=r"'user_id' are strings .* of fit are numbers \(int64\)") as caught:
            model.predict(strings)
        assert len(caught) == 1
        with pytest.warns(UserWarning, match=r"'user_id' are strings .* of fit are numbers \(int64\)"):
            skrec.recommend(model, ["1", "2"])
        skrec.recommend(model, [7])  # an unknown user, and no more


@pytest.mark.parametrize(
    "exclude", [[["ann"]], ["ann", "x"], [66], 66, "ann", np.arange(2), [("ann", "x", 1)], [{"ann": "x"}]], ids=repr
)
def test_exclude_needs_pairs(popularity, exclude):
    for model in (popularity, make_pipeline(IDEncoder(), PopularityRanker()).fit(EVENTS)):
        with pytest.raises(
            ValueError, match=r"^exclude must hold \(user, item\) pairs, but has .*: pass a list of pairs"
        ):
            skrec.recommend(model, ["ann"], exclude=exclude)


@pytest.mark.parametrize("pair", [("ann", np.nan), (None, "x"), ("ann", pd.NA)], ids=repr)
def test_a_missing_id_in_exclude_is_told_of(popularity, pair):
    for model in (popularity, make_pipeline(IDEncoder(), PopularityRanker()).fit(EVENTS)):
        with pytest.raises(ValueError, match=r"^exclude contains NaN: there is no id in place 1 "):
            skrec.recommend(model, ["ann"], exclude=[("bob", "x"), pair])
        with pytest.raises(TypeError, match=r"^exclude has \[1\] \(list\) in place 0, which is not hashable"):
            skrec.recommend(model, ["ann"], exclude=[("bob", [1])])


def test_pairs_of_another_kind_are_told_of():
    events = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 6]})
    message = r"ids of exclude for column '%s' are strings .* those of %s are numbers \(int64\): no pair matches"
    for model in (PopularityRanker(), make_pipeline(IDEncoder(), PopularityRanker())):
        model.fit(events)
        with pytest.warns(UserWarning, match=message % ("item_id", "the candidates")) as caught:
            skrec.recommend(model, [2], exclude=[(2, "5")])
        assert len(caught) == 1
        with pytest.warns(UserWarning, match=message % ("user_id", "the queries")) as caught:
            skrec.recommend(model, [2], exclude=[("2", 5)])
        assert len(caught) == 1
        assert len(skrec.recommend(model, [2], exclude=[(7, 99), ("2", 5)])) == 1  # of both kinds: no doubt
        assert skrec.recommend(model, [2], exclude=[(2, 5)]).empty


def test_pairs_of_known_users_may_be_listed_for_a_stranger_with_a_history():
    events = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 6]})
    model = SASRecRanker(embedding_dim=8, epochs=1, random_state=0).fit(events)
    assert len(model.recommend(["guest"], history=[[5]], exclude=[(1, 5)])) == 1


@pytest.mark.parametrize("model", [PopularityRanker(), NCFRanker(architecture="gmf", embedding_dim=3, epochs=1)])
def test_ids_that_join_are_told_of_if_they_are_of_another_kind(model):
    """Else 37 and "37" would both be items."""
    events = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 6]})
    message = r"'item_id' are strings .* of fit are numbers \(int64\): none of them is known, and all join as new ones"
    fitted = clone(model).fit(events)
    with pytest.warns(UserWarning, match=message) as caught:
        fitted.partial_fit(events.astype({"item_id": str}))
    assert len(caught) == 1
    clone(model).fit(events).partial_fit(events + 100)  # new, and no more
    if hasattr(model, "warm_start"):
        fitted = clone(model).set_params(warm_start=True).fit(events)
        with pytest.warns(UserWarning, match=message):
            fitted.fit(events.astype({"item_id": str}))


def test_events_that_are_appended_with_ids_of_another_kind_are_told_of():
    events = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 6]})
    for fitted in (SASRecRanker(embedding_dim=8, epochs=1).fit(events), HistoryEncoder().fit(events)):
        with pytest.warns(UserWarning, match=r"'user_id' are strings .* of fit are numbers \(int64\)") as caught:
            fitted.append_history(events.astype({"user_id": str}))
        assert len(caught) == 1


def test_an_empty_list_of_queries_has_an_empty_result(popularity):
    assert popularity.recommend([]).shape == (0, 4)


@pytest.mark.parametrize("method", ["recommend", "score_items", "seen_items", "role_ids", "predict"])
@pytest.mark.parametrize("model", [PopularityRanker(), NCFRanker()], ids=["popularity", "ncf"])
def test_nothing_is_answered_before_fit(model, method):
    with pytest.raises(NotFittedError):
        getattr(model, method)([["ann", "x"]])


@pytest.mark.parametrize("attribute", ["users_", "items_", "user_embeddings_", "item_embeddings_"])
def test_fitted_attributes_do_not_exist_before_fit(attribute):
    assert not hasattr(NCFRanker(), attribute)
