"""The defaults that are written out, and what the bins of numbers give to the parts that are linear."""

import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from skrec.datasets import make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import (
    DCNRanker,
    DeepFMRanker,
    DNNRanker,
    FMClassifier,
    FMRanker,
    NFMRanker,
    PopularityRanker,
    WideDeepClassifier,
    WideDeepRanker,
)
from skrec.testing import all_estimators

NETWORKS = [cls for _, cls in all_estimators() if hasattr(cls, "_build_network")]


@pytest.mark.parametrize("cls", NETWORKS, ids=lambda cls: cls.__name__)
def test_docstrings_tell_the_defaults(cls):
    defaults = {field.name: field.default for field in fields(cls) if field.init}
    told = {}
    for names, values in re.findall(r"^ {4}([\w, ]+) : .*default=(.+)$", cls.__doc__, flags=re.MULTILINE):
        each = values.split(" and ")
        shared = len(names.split(", ")) // len(each)
        told.update(zip(names.split(", "), each * shared, strict=True))
    assert told.keys() == defaults.keys()
    different = {}
    for name, text in told.items():
        if eval(text, {}) != defaults[name]:
            different[name] = (text, defaults[name])
    assert not different


@pytest.mark.parametrize(
    "model",
    [
        WideDeepClassifier(hidden_units=(), wide_learning_rate=0.3, early_stopping=False, random_state=0),
        FMClassifier(embedding_dim=1, learning_rate=0.03, early_stopping=False, random_state=0),
    ],
    ids=["wide", "FM"],
)
def test_linear_parts_bend_at_the_bins(model):
    x = np.random.default_rng(0).normal(size=2000)
    X, y = pd.DataFrame({"x": x, "same": "a"}), np.abs(x) > 0.7
    assert model.fit(X, y).score(X, y) > 0.95


RANKERS = [
    DCNRanker,
    FMRanker,
    WideDeepRanker,
    *(pytest.param(model, marks=pytest.mark.exhaustive) for model in (DNNRanker, DeepFMRanker, NFMRanker)),
]


@pytest.mark.parametrize("model", RANKERS, ids=lambda model: model.__name__)
def test_rankers_of_features_learn_more_than_what_is_popular_as_they_come(model):
    events = make_interactions(random_state=0)
    train, test = next(LeaveLastOut().split(events))
    score = make_ranking_scorer("ndcg@10")
    popular = score(PopularityRanker().fit(events.iloc[train]), events.iloc[test])
    assert score(model(random_state=0).fit(events.iloc[train]), events.iloc[test]) > 2 * popular
