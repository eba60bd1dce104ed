"""What ``fit`` learns is declared beside the parameters, and is none of them."""

from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd
import pytest
from sklearn.base import clone

from skrec.models import PopularityRanker
from skrec.testing import all_estimators

EVENTS = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["x", "y", "y"]})


@dataclass(eq=False, repr=False, kw_only=True)
class Smoothed(PopularityRanker):
    """A model with a parameter and a fitted attribute of its own."""

    smoothing: float = 1.0

    smoothed_: Any = field(init=False, repr=False)
    _n_fits: int = field(default=0, init=False, repr=False)

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.smoothed_ = self.item_counts_ + self.smoothing
        self._n_fits = self._n_fits + 1
        return self


class Renamed(Smoothed):
    """A subclass without the decorator."""


@pytest.mark.parametrize("cls", [cls for _, cls in all_estimators(["classifier", "regressor", "ranker"])])
def test_fitted_attributes_are_no_parameters_and_unset_before_fit(cls):
    model = cls()
    learnt = {each.name for each in fields(cls) if not each.init}
    assert {"_users", "_items", "_log"} <= learnt
    assert learnt.isdisjoint(model.get_params())
    assert set(vars(model)) == set(model.get_params())
    assert not any(name in repr(model) for name in learnt)


@pytest.mark.parametrize("cls", [Smoothed, Renamed])
def test_a_subclass_declares_its_own(cls):
    model = cls(smoothing=2.0)
    assert sorted(model.get_params()) == ["handle_unknown", "item", "smoothing", "time", "user"]
    assert repr(model) == f"{cls.__name__}(smoothing=2.0)"
    assert not hasattr(model, "smoothed_")
    assert model._n_fits == 0
    model.fit(EVENTS).fit(EVENTS)
    assert model.smoothed_.tolist() == [3.0, 4.0]
    assert model._n_fits == 2
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert set(vars(copy)) == set(model.get_params())


def test_files_of_older_versions_lack_what_was_not_learnt_then():
    model = PopularityRanker().fit(EVENTS)
    state = {name: value for name, value in vars(model).items() if name != "_time_kind"}
    older = object.__new__(PopularityRanker)
    older.__dict__.update(state)
    assert older.recommend(["bob"], k=1)["item_id"].tolist() == ["x"]
    assert older.partial_fit(EVENTS).item_counts_.tolist() == [2.0, 4.0]
