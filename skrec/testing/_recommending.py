"""Checks of the results of a fitted recommender."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skrec.testing._case import N_GROUPS, Case, require


def check_ids_are_those_of_the_data(case: Case) -> None:
    """Check that ``users_`` and ``items_`` hold the distinct ids of the rows, in order."""
    for name, expected in (("users_", case.users), ("items_", case.items)):
        ids = np.asarray(getattr(case.fitted, name))
        require(ids.tolist() == expected.tolist(), f"{name} is {ids!r}, expected the sorted ids {expected!r}")


def check_score_items_has_a_column_for_each_item(case: Case) -> None:
    """Check that scores are floats without NaN, with one row per query and one column per item or candidate."""
    require(case.scores.shape == (len(case.users), len(case.items)), f"score_items has shape {case.scores.shape}")
    require(case.scores.dtype.kind == "f", f"score_items returns {case.scores.dtype}, expected floats")
    require(np.isfinite(case.scores).all(), "score_items returns NaN or infinity")
    chosen = [7, 3, 3, 20]
    some = case.fitted.score_items(case.users[:5], case.items[chosen])
    require(
        np.array_equal(some, case.scores[:5][:, chosen]),
        "score_items gives candidates other scores than in the catalogue",
    )


def check_recommend_returns_a_frame(case: Case) -> None:
    """Check the frame of ``recommend``: columns, k rows per query, ranks, and the order of the queries."""
    queries = case.users[[4, 0, 9, 0]]
    frame = case.fitted.recommend(queries, k=3)
    require(isinstance(frame, pd.DataFrame), f"recommend returns a {type(frame).__name__}, expected a DataFrame")
    require(list(frame.columns) == [*case.columns, "score", "rank"], f"its columns are {list(frame.columns)}")
    require(
        frame[case.columns[0]].tolist() == np.repeat(queries, 3).tolist(), "queries are not answered in their order"
    )
    require(
        frame["rank"].tolist() == [1, 2, 3] * 4, f"ranks are {frame['rank'].tolist()}, expected 1 to k for each query"
    )
    require(frame.index.tolist() == list(range(12)), "the index of the frame is not 0, 1, 2, ...")


def check_recommend_follows_score_items(case: Case) -> None:
    """Check that the best items by ``score_items`` come first, equal ones in the order of ``items_``."""
    for exclude_seen in (True, False):
        scores = np.where(case.seen & exclude_seen, -np.inf, case.scores)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :4]
        frame = case.fitted.recommend(case.users, k=4, exclude_seen=exclude_seen)
        require(
            frame[case.columns[1]].tolist() == case.items[best].ravel().tolist(),
            f"recommend(exclude_seen={exclude_seen}) is not the order of score_items, ties by the order of items_",
        )
        expected = np.take_along_axis(scores, best, axis=1).ravel()
        require(np.array_equal(frame["score"], expected), "the scores of recommend are not those of score_items")


def check_arrays_are_the_frame(case: Case) -> None:
    """Check that ``as_frame=False`` returns the same values in arrays of shape (n_queries, k)."""
    items, scores = case.fitted.recommend(case.users, k=4, as_frame=False)
    frame = case.fitted.recommend(case.users, k=4)
    require(np.shape(items) == np.shape(scores) == (len(case.users), 4), f"arrays have shape {np.shape(items)}")
    require(np.ravel(items).tolist() == frame[case.columns[1]].tolist(), "arrays and frame have different items")
    require(np.array_equal(np.ravel(scores), frame["score"]), "arrays and frame have different scores")


def check_seen_items_are_left_out(case: Case) -> None:
    """Check that the seen items and all recommended items together make up the catalogue."""
    shape = case.fitted.seen_items(case.users).shape
    require(shape == (len(case.users), len(case.items)), f"seen_items has shape {shape}")
    frame = case.fitted.recommend(case.users, k=len(case.items))
    recommended = np.zeros(shape, bool)
    recommended[
        np.searchsorted(case.users, frame[case.columns[0]]), np.searchsorted(case.items, frame[case.columns[1]])
    ] = True
    require(not (recommended & case.seen).any(), "recommend returns items that the user has seen")
    require((recommended | case.seen).all(), "recommend leaves out items that the user has not seen")
    if case.y is None:
        pairs = set(case.X.itertuples(index=False, name=None))
        seen = {(case.users[user], case.items[item]) for user, item in zip(*case.seen.nonzero(), strict=True)}
        require(seen == pairs, "seen_items does not return the items of the user's rows in fit")


def check_excluded_pairs_are_left_out(case: Case) -> None:
    """Check that ``exclude`` leaves out the given pairs, and nothing else."""
    before = case.fitted.recommend(case.users[:4], k=len(case.items))
    first = before.loc[before["rank"] == 1, case.columns]
    after = case.fitted.recommend(case.users[:4], k=len(case.items), exclude=first)
    expected = before.loc[before["rank"] > 1, case.columns].to_numpy().tolist()
    require(
        after[case.columns].to_numpy().tolist() == expected,
        "exclude= does not leave out exactly the given pairs",
    )


def check_candidates_limit_the_choice(case: Case) -> None:
    """Check that only candidates are returned, each once, with their scores in the catalogue; also unknown ones."""
    chosen = [30, 2, 2, 11]
    frame = case.fitted.recommend(case.users[:3], candidates=case.items[chosen], exclude_seen=False)
    for query, user in enumerate(case.users[:3]):
        part = frame[frame[case.columns[0]] == user]
        items = part[case.columns[1]].tolist()
        require(sorted(items) == case.items[[2, 11, 30]].tolist(), f"of the candidates {chosen}, {items} came back")
        expected = case.scores[query][np.searchsorted(case.items, items)]
        require(np.array_equal(part["score"], expected), "candidates have other scores than in the catalogue")
    if "handle_unknown" in case.fitted.get_params():
        model = case.fit(handle_unknown="oov")
        frame = model.recommend(case.users[:1], candidates=[*case.items[:2], 9_999], exclude_seen=False)
        require(
            9_999 in frame[case.columns[1]].tolist(),
            "an unknown candidate is not recommended with handle_unknown='oov'",
        )


def check_k(case: Case) -> None:
    """Check that a ``k`` above the number of items returns all items, and that a ``k`` below 1 is an error."""
    frame = case.fitted.recommend(case.users[:2], k=10 * len(case.items), exclude_seen=False)
    require(len(frame) == 2 * len(case.items), f"k above the catalogue returns {len(frame)} rows for two users")
    for k in (0, -3):
        try:
            case.fitted.recommend(case.users[:2], k=k)
        except ValueError:
            continue
        raise AssertionError(f"recommend(k={k}) raises no ValueError")


def check_predict_agrees_with_score_items(case: Case) -> None:
    """Check that ``predict`` and ``score_items`` rank new rows of a user in the same order.

    Rows of ``fit`` are left out, because a model of histories scores them by the events before them.
    """
    for query, user in enumerate(case.users):
        new = ~np.isin(case.items, case.items_of(user))
        scores = case.scores[query][new]
        predicted = case.relevance(case.fitted, case.rows(user, case.items[new]))
        order = np.argsort(scores, kind="stable")
        tolerance = 1e-5 * max(1.0, np.abs(predicted).max())
        gaps = np.diff(scores[order]) > 1e-5 * max(1.0, np.abs(scores).max())
        require(
            (np.diff(predicted[order])[gaps] > -tolerance).all(),
            f"predict and score_items rank items in different orders for {user!r}",
        )


def check_a_score_does_not_depend_on_the_other_rows(case: Case) -> None:
    """Check that a row's score is the same alone, in another order, or among others.

    It is the same bit for bit for the same number of rows, and to a millionth of the largest score for another one.
    """
    whole = case.relevance(case.fitted, case.X)
    reverse = case.relevance(case.fitted, case.X[::-1])
    require(reverse.tobytes() == whole[::-1].tobytes(), "rows predicted in reverse have other scores")
    tolerance = 1e-6 * np.abs(whole).max()
    for what, rows in (("alone", slice(3, 4)), ("in part", slice(5, 60))):
        part = case.relevance(case.fitted, case.X[rows])
        require(
            np.allclose(part, whole[rows], rtol=0, atol=tolerance),
            f"rows predicted {what} have other scores than all together",
        )
    alone = np.concatenate([case.fitted.score_items([user]) for user in case.users[::7]])
    require(
        np.allclose(alone, case.scores[::7], rtol=0, atol=1e-6 * np.abs(case.scores).max()),
        "a query scored alone has other scores than among others",
    )


def check_unknown_users(case: Case) -> None:
    """Check that unknown users get equal scores with ``handle_unknown="oov"``, and raise an error with ``"error"``."""
    parameters = case.estimator.get_params()
    model = case.fit(handle_unknown="oov") if "handle_unknown" in parameters else case.fitted
    unknown = ["unknown 1", "unknown 2"]
    scores = np.asarray(model.score_items(unknown))
    require(np.isfinite(scores).all(), "unknown users have scores that are not finite")
    require(np.array_equal(scores[0], scores[1]), "two unknown users have different scores")
    frame = model.recommend(unknown, k=3)
    require(len(frame) == 6, f"two unknown users get {len(frame)} rows for k=3")
    require(
        np.isfinite(case.relevance(model, case.rows(unknown, case.items[:2]))).all(), "predict fails for unknown users"
    )
    require(model.seen_items(unknown).nnz == 0, "unknown users have seen items")
    if "handle_unknown" not in parameters:
        return
    model = case.fit(handle_unknown="error")
    calls: dict[str, Any] = {
        "recommend": lambda: model.recommend(unknown),
        "score_items": lambda: model.score_items(unknown),
        "predict": lambda: model.predict(case.rows(unknown, case.items[:2])),
        "recommend of candidates": lambda: model.recommend(case.users[:1], candidates=[9_999]),
    }
    for name, call in calls.items():
        try:
            call()
        except ValueError as error:
            require(
                any(repr(id_) in str(error) for id_ in (*unknown, 9_999)),
                f"the error of {name} does not name the id: {error}",
            )
            continue
        raise AssertionError(f"{name} serves unknown ids although handle_unknown='error'")


def check_finds_the_groups(case: Case) -> None:
    """Check that items of the user's own group are recommended far more often than by chance."""
    frame = case.fitted.recommend(case.users, k=3, exclude_seen=case.y is None)
    users = np.searchsorted(case.users, frame[case.columns[0]])
    share = np.mean(users % N_GROUPS == frame[case.columns[1]] % N_GROUPS)
    require(
        share > (1 + 1 / N_GROUPS) / 2,
        f"{share:.0%} of the recommended items are from the user's own group; {1 / N_GROUPS:.0%} are by chance, "
        "100% would be correct: the model does not learn the checkerboard",
    )
