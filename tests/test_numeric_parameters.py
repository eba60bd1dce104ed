"""Booleans are integers to Python, but no estimator takes them for numbers."""

from numbers import Real

import pandas as pd
import pytest

from skrec._sklearn_compat import POSITION, Interval, InvalidParameterError
from skrec.model_selection import OptunaSearchCV, TemporalSplit, UserHoldout
from skrec.models import PopularityRanker
from skrec.testing import all_estimators

X = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 5]})
SEEDS = {"random_state", "verbose"}  # scikit-learn's, which accept booleans


def numeric_parameters(cls):
    """Parameters that may be numbers and are not switches, by their constraints and by their defaults."""
    constraints = cls._parameter_constraints
    declared = {name for name, allowed in constraints.items() if any(isinstance(one, Interval) for one in allowed)}
    by_default = {name for name, value in cls().get_params().items() if isinstance(value, Real)}
    switches = {name for name, allowed in constraints.items() if "boolean" in allowed}
    return sorted((declared | by_default) - switches - SEEDS)


@pytest.mark.parametrize(("name", "cls"), all_estimators())
def test_booleans_are_no_numbers(name, cls):
    for parameter in numeric_parameters(cls):
        for value in (True, False):
            with pytest.raises(InvalidParameterError, match=rf"The '{parameter}' parameter of {name} .*Got {value}"):
                cls(**{parameter: value}).fit(X, [1, 0, 1])


def test_the_rule_finds_parameters():
    found = {name: numeric_parameters(cls) for name, cls in all_estimators()}
    assert found["EASERanker"] == ["item", "l2", "memory_limit", "time", "user"]
    assert {"n_layers", "embedding_dim", "epochs", "l2", "dropout"} <= set(found["LightGCNRanker"])
    assert all(parameters for name, parameters in found.items())


def test_splitters_and_searches():
    for make in (lambda: UserHoldout(test_size=True), lambda: UserHoldout(n_splits=True), lambda: TemporalSplit(True)):
        with pytest.raises(InvalidParameterError, match="Got True"):
            make()
    with pytest.raises(InvalidParameterError, match="'n_trials'.*Got True"):
        OptunaSearchCV(PopularityRanker(), {}, n_trials=True).fit(X)


def test_numbers_of_any_kind_pass():
    assert Interval(Real, 0, None, closed="left").is_satisfied_by(pd.Series([2.0]).iloc[0])
    assert str(POSITION) == "an instance of 'int'"
