"""Checks of the state of an estimator: parameters, copies, and failed or repeated fits."""

from __future__ import annotations

import pickle
import random
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrec._sklearn_compat import InvalidParameterError, validate_parameter_constraints
from skrec.testing._case import Case, require


def _scores(case: Case, model: Any) -> bytes:
    return np.asarray(model.score_items(case.users, case.items)).tobytes()


def _global_state() -> bytes:
    return pickle.dumps((random.getstate(), np.random.get_state()))  # noqa: NPY002


def check_nothing_is_answered_before_fit(case: Case) -> None:
    """Check that every method raises NotFittedError before ``fit``."""
    model = clone(case.estimator)
    for name, argument in (
        ("recommend", ["ann"]),
        ("score_items", ["ann"]),
        ("seen_items", ["ann"]),
        ("predict", case.X),
    ):
        try:
            getattr(model, name)(argument)
        except NotFittedError:
            continue
        raise AssertionError(f"{name} raises no NotFittedError before fit")


def check_fit_returns_the_estimator_and_keeps_its_parameters(case: Case) -> None:
    """Check that ``fit`` returns the estimator and changes no parameter, so that it can be cloned."""
    model = clone(case.estimator)
    before = {name: repr(value) for name, value in model.get_params().items()}
    require(model.fit(*case.arguments()) is model, "fit does not return the estimator")
    for what, now in (("fit changes", model), ("clone of a fitted estimator changes", clone(model))):
        changed = [name for name, value in now.get_params().items() if repr(value) != before[name]]
        require(not changed, f"{what} the parameter {changed[:1]}")


def check_the_search_space_is_of_its_parameters(case: Case) -> None:
    """Check that ``search_space`` contains only parameters, and that the ends of their ranges are allowed."""
    if not hasattr(case.estimator, "_search_space"):
        return
    from optuna import distributions

    constraints = getattr(case.estimator, "_parameter_constraints", {})
    for name, distribution in case.estimator._search_space(distributions).items():
        require(name in case.estimator.get_params(), f"its search space has {name!r}, which is not a parameter")
        require(isinstance(distribution, distributions.BaseDistribution), f"it declares {distribution!r} for {name!r}")
        ends = getattr(distribution, "choices", None) or (distribution.low, distribution.high)
        for value in ends if name in constraints else ():
            try:
                validate_parameter_constraints({name: constraints[name]}, {name: value}, type(case.estimator).__name__)
            except InvalidParameterError as error:
                raise AssertionError(f"it declares a range that it does not allow: {error}") from error


def check_containers_do_not_matter(case: Case) -> None:
    """Check that an array, and a frame with columns in another order, lead to the same model."""
    if any(isinstance(getattr(case.estimator, role, None), str) for role in ("user", "item")):
        return
    expected = _scores(case, case.fitted)
    for what, X in (("an array", case.X.to_numpy(object)), ("columns in another order", case.X[case.columns[::-1]])):
        model = clone(case.fitted)
        model.fit(X, *case.arguments()[1:])
        require(_scores(case, model) == expected, f"{what} leads to another model than the frame")


def check_the_same_random_state_gives_the_same_bits(case: Case) -> None:
    """Check that fits with the same ``random_state`` are equal bit for bit, and use no global random generator."""
    case.fitted.score_items(case.users)  # imports at the first fit may use the global generators
    before = _global_state()
    require(_scores(case, case.fit()) == _scores(case, case.fitted), "two fits with the same random_state differ")
    require(_global_state() == before, "fit changes the state of the global random generator of Python or NumPy")


def check_a_pickle_is_the_same(case: Case) -> None:
    """Check that an unpickled copy has the same scores, recommendations and seen items, bit for bit."""
    copy = pickle.loads(pickle.dumps(case.fitted))
    require(_scores(case, copy) == _scores(case, case.fitted), "an unpickled copy has other scores")
    require(np.array_equal(copy.seen_items(case.users).toarray(), case.seen), "an unpickled copy has other seen items")
    pd.testing.assert_frame_equal(copy.recommend(case.users), case.fitted.recommend(case.users))


def check_a_failed_fit_changes_nothing(case: Case) -> None:
    """Check that a failed fit does not change an estimator, fitted or not."""
    bad = case.X.astype(object)
    bad.iloc[5, 0] = None
    calls: dict[str, tuple[Any, ...]] = {
        "a missing id": (bad, *case.arguments()[1:]),
        "no column of users": (case.X.rename(columns={case.columns[0]: "nothing of the kind"}), *case.arguments()[1:]),
        "a y of another length": (case.X, np.ones(len(case.X) - 1)),
        "no rows": case.arguments(slice(0, 0)),
    }
    methods = ["fit", "partial_fit"] if hasattr(case.estimator, "partial_fit") else ["fit"]
    for model in (case.fit(), clone(case.estimator)):
        for what, arguments in calls.items():
            for method in methods:
                before = dict(vars(model))
                try:
                    getattr(model, method)(*arguments)
                except (ValueError, TypeError):
                    now = vars(model)
                    changed = [name for name in {**before, **now} if now.get(name) is not before.get(name)]
                    require(not changed, f"{method} with {what} fails, but changes the attribute {changed[:1]}")
                    continue
                raise AssertionError(f"{method} with {what} raises no ValueError")
        if model.__sklearn_is_fitted__() if hasattr(model, "__sklearn_is_fitted__") else hasattr(model, "items_"):
            require(_scores(case, model) == _scores(case, case.fitted), "a failed fit changes the scores")


def check_partial_fit_adds_ids(case: Case) -> None:
    """Check that new users and items are added after the known ones, are recommended, and count as seen."""
    if not hasattr(case.estimator, "partial_fit"):
        return
    model = case.fit()
    users, items = case.users.tolist(), case.items.tolist()
    new = case.rows(["someone new", "someone new", users[0]], [items[0], 9_999, 9_999])
    model.partial_fit(new, *(() if case.y is None else (case.y.max() * np.ones(3, case.y.dtype),)))
    require(
        np.asarray(model.users_).tolist() == [*users, "someone new"], f"users_ is {model.users_!r} after partial_fit"
    )
    require(np.asarray(model.items_).tolist() == [*items, 9_999], f"items_ is {model.items_!r} after partial_fit")
    require(
        np.shape(model.score_items(["someone new"])) == (1, len(items) + 1), "score_items does not know the new item"
    )
    frame = model.recommend(["someone new", users[1]], k=len(items) + 1)
    recommended = frame.groupby(case.columns[0])[case.columns[1]].agg(set)
    require(9_999 in recommended[users[1]], "a new item is not recommended")
    if case.y is None:
        require(not {items[0], 9_999} & recommended["someone new"], "items that a new user has seen are recommended")
        seen = model.seen_items(case.users).toarray()[:, :-1]
        require((seen == case.seen).all(), "partial_fit forgets what users have seen")
