"""Default search spaces: what estimators declare, found wherever they are."""

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from skrec import models
from skrec.base import ClosedFormRanker
from skrec.datasets import make_interactions
from skrec.model_selection import OptunaSearchCV, search_space
from skrec.models import AutoIntRanker, DCNClassifier, NCFRanker, PopularityRanker, SASRecRanker, WideDeepClassifier
from skrec.testing import all_estimators

NETWORKS = [cls for _, cls in all_estimators() if hasattr(cls, "_build_network")]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_declares_parameters_of_its_own_in_allowed_ranges(network):
    model = network()
    space = search_space(model)
    assert {"learning_rate"} < set(space) <= set(model.get_params())
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(10):
        trial = study.ask(space)  # a hand-written search
        network(**trial.params)._validate_params()
    for distribution in space.values():
        assert isinstance(distribution, BaseDistribution)


def test_every_network_declares_one():
    without = {name for name in models.__all__ if issubclass(getattr(models, name), ClosedFormRanker)}
    assert {cls.__name__ for cls in NETWORKS} == {*models.__all__} - without
    assert search_space(models.EASERanker()).keys() == {"l2"}


def test_what_a_model_is_set_to_counts():
    assert "dropout" in search_space(NCFRanker())
    assert set(search_space(NCFRanker(architecture="mf"))) == {"learning_rate", "l2", "embedding_dim"}
    assert "embedding_dim" not in search_space(NCFRanker(architecture="mlp"))
    assert "n_negatives" not in search_space(NCFRanker(n_negatives="all", loss="softmax"))
    parts = NCFRanker(gmf=NCFRanker(architecture="gmf"))
    assert not [name for name in search_space(parts) if "dim" in name or "__" in name]
    assert "dropout" not in search_space(DCNClassifier(hidden_units=()))
    assert "embedding_dim" not in search_space(WideDeepClassifier(embedding_dim={"city": 8}))
    assert "gbce_t" in search_space(SASRecRanker(loss="gbce"))
    assert "bpreg" in search_space(models.GRU4RecRanker(loss="bpr_max"))


@pytest.mark.parametrize(
    ("wrapped", "prefix"),
    [
        (make_pipeline(OrdinalEncoder(), NCFRanker()), "ncfranker__"),
        (Pipeline([("a", make_pipeline(StandardScaler(), NCFRanker())), ("b", "passthrough")]), "a__ncfranker__"),
        (GridSearchCV(NCFRanker(), {}), "estimator__"),
        (OneVsRestClassifier(make_pipeline(NCFRanker())), "estimator__ncfranker__"),
    ],
)  # fmt: skip
def test_it_is_found_inside(wrapped, prefix):
    space = search_space(wrapped)
    assert space == {f"{prefix}{name}": each for name, each in search_space(NCFRanker()).items()}
    assert set(space) <= set(wrapped.get_params())


def test_several_parts_are_tuned_together_and_frozen_ones_not():
    fitted = FrozenEstimator(NCFRanker())
    both = Pipeline([("one", NCFRanker()), ("two", SASRecRanker()), ("three", fitted)])
    assert {name.split("__")[0] for name in search_space(both)} == {"one", "two"}
    with pytest.raises(ValueError, match="FrozenEstimator declares no search space"):
        search_space(fitted)


class Own(BaseEstimator):
    def __init__(self, rate=0.1):
        self.rate = rate

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score(self, X, y=None):
        return -self.rate

    def _search_space(self, distributions):
        return {"rate": distributions.FloatDistribution(0.1, 1.0)}


def test_an_estimator_of_ones_own_declares_it():
    assert search_space(make_pipeline(Own())) == {"own__rate": FloatDistribution(0.1, 1.0)}
    search = OptunaSearchCV(make_pipeline(Own()), n_trials=20, cv=2, random_state=0).fit(np.zeros((4, 1)))
    assert search.best_params_["own__rate"] < 0.3


@pytest.mark.parametrize(
    ("estimator", "error", "match"),
    [
        (PopularityRanker(), ValueError, "PopularityRanker declares no search space.* Pass param_distributions="),
        (make_pipeline(StandardScaler()), ValueError, "Pipeline declares no search space"),
        (NCFRanker, TypeError, r"a class: pass an instance, NCFRanker\(\)"),
    ],
)
def test_where_there_is_none(estimator, error, match):
    with pytest.raises(error, match=match):
        search_space(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("network", [AutoIntRanker, SASRecRanker])
def test_heads_divide_what_they_must(network):
    events = make_interactions(20, 15, 200, random_state=0)
    space = search_space(network())
    heads = max(space["n_heads"].choices)
    for name in {"attention_units", "embedding_dim"} & set(space):
        network(epochs=1, n_heads=heads, **{name: min(space[name].choices)}).fit(events)
