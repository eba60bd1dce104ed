"""Studies of searches: kept, found again, and gone on with after a kill."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import polars as pl
import pytest
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skrec.model_selection import OptunaSearchCV

ROWS = [[i % 5 + i / 1000] for i in range(30)]
LINE = {"x": FloatDistribution(-10, 10), "kind": ["plain", ("a", "tuple")]}


def results(search):
    names = [name for name in search.cv_results_ if not name.endswith("_time") and name != "trial_number"]
    return {name: list(map(str, search.cv_results_[name])) for name in names}


@pytest.fixture
def search(parabola):
    return lambda storage, estimator=None, **options: OptunaSearchCV(
        estimator or parabola(), LINE, **{"cv": 2, "random_state": 0, "storage": storage, "study_name": "s", **options}
    )


@pytest.fixture
def alone(parabola):
    return lambda n_trials: OptunaSearchCV(parabola(), LINE, n_trials=n_trials, cv=2, random_state=0).fit(ROWS)


def test_a_search_goes_on_from_a_database(search, alone, tmp_path):
    url = f"sqlite:///{tmp_path / 'search.db'}"
    search(url, n_trials=8).fit(ROWS)
    resumed = search(url, n_trials=14).fit(ROWS)
    assert results(resumed) == results(alone(14))
    assert resumed.best_params_ == alone(14).best_params_
    again = search(url, n_trials=14).fit(ROWS)  # nothing is left to do but to fit the best
    assert results(again) == results(resumed)
    assert again.best_estimator_.get_params() == resumed.best_estimator_.get_params()
    assert len(again.study_.trials) == 14
    resumed.study_._storage.remove_session()
    for each in (resumed, again):
        each.study_._storage._backend.engine.dispose()


CHILD = """
import os, signal
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from tests.model_selection.conftest import Parabola
from tests.model_selection.test_studies import LINE, ROWS
from skrec.model_selection import OptunaSearchCV

fits = []
def broken(estimator, X):
    fits.append(estimator.x)
    if len(fits) == 2 * 12 + 2:  # in the second fold of the thirteenth candidate
        os.kill(os.getpid(), signal.SIGKILL)
    return False

storage = JournalStorage(JournalFileBackend({path!r}))
options = {"cv": 2, "random_state": 0, "storage": storage, "study_name": "s"}
OptunaSearchCV(Parabola(broken=broken), LINE, n_trials=20, **options).fit(ROWS)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_after_a_kill_only_the_running_candidate_is_lost(search, alone, tmp_path):
    path = str(tmp_path / "journal.log")
    code = CHILD.replace("{path!r}", repr(path))
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run([sys.executable, "-c", code], cwd=root, check=False, capture_output=True, text=True)
    assert child.returncode == -signal.SIGKILL, child.stderr
    storage = JournalStorage(JournalFileBackend(path))
    states = [trial.state.name for trial in optuna.load_study(study_name="s", storage=storage).trials]
    assert states == ["COMPLETE"] * 12 + ["RUNNING"]
    resumed = search(storage, n_trials=20).fit(ROWS)
    assert results(resumed) == results(alone(20))  # the lost candidate was chosen once more
    assert resumed.cv_results_["trial_number"].tolist() == [*range(12), *range(13, 21)]


def test_results_of_an_earlier_run_keep_their_metrics_and_failures(search, parabola):
    storage = InMemoryStorage()

    def broken(estimator, X):
        return estimator.x > 0

    def scorer(estimator, X, y=None):
        return {"a": estimator.x, "b": -estimator.x}

    options = {"scoring": scorer, "refit": "b", "return_train_score": True}
    with pytest.warns(match="fits of trial"):
        first = search(storage, parabola(broken=broken), n_trials=8, **options).fit(ROWS)
    again = search(storage, n_trials=8, **options).fit(ROWS)
    assert results(again) == results(first)
    assert {"mean_test_a", "mean_train_b"} <= set(again.cv_results_)
    assert np.isnan(again.cv_results_["split1_train_a"]).any()


def test_trials_of_others_guide_the_sampler_and_are_no_results(search):
    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage, study_name="s", direction="maximize")
    study.optimize(lambda trial: -abs(trial.suggest_float("x", -10, 10)), n_trials=2)
    study.enqueue_trial({"x": 3.0, "kind": "plain"})
    found = search(storage, n_trials=3).fit(ROWS)
    assert found.cv_results_["trial_number"].tolist() == [2, 3, 4]
    assert found.cv_results_["params"][0] == {"x": 3.0, "kind": "plain"}
    assert found.best_params_["x"] == 3.0


def test_a_study_belongs_to_one_search(search, parabola):
    storage = InMemoryStorage()
    search(storage, n_trials=2).fit(ROWS)
    X, y = load_iris(return_X_y=True)
    for changed, match in [
        (search(storage, cv=3), "n_splits was 2 and is 3"),
        (search(storage, scoring="r2"), "scoring was None and is 'r2'"),
        (search(storage, refit="b"), "refit was None and is 'b'"),
        (
            search(storage).set_params(param_distributions={"x": [1.0]}),
            r"the parameter x was 'FloatDistribution' and is \[1.0\]; the parameter kind was .* and is None",
        ),
        (
            search(storage).set_params(param_distributions={**LINE, "x": FloatDistribution(1, 2, log=True)}),
            "the parameter x was 'FloatDistribution' and is 'FloatDistribution, log'",
        ),
    ]:
        with pytest.raises(ValueError, match=f"The study 's' belongs to another search: {match}"):
            changed.fit(ROWS)
    with pytest.raises(ValueError, match="rows was '30 with checksum .*' and is '20 with checksum"):
        search(storage).fit(ROWS[:20])
    with pytest.raises(ValueError, match=r"estimator was 'Parabola\(\)' and is 'GaussianNB\(\)'"):
        OptunaSearchCV(GaussianNB(), {"var_smoothing": [1.0]}, cv=2, storage=storage, study_name="s").fit(X, y)
    assert len(optuna.load_study(study_name="s", storage=storage).trials) == 2


@pytest.mark.parametrize("table", [np.asarray, pd.DataFrame, pl.DataFrame, csr_array])
def test_outer_folds_of_nested_cross_validation_do_not_share_a_study(table, tmp_path):
    X, y = table(np.arange(60.0).reshape(30, 2)), np.arange(30) % 2
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "journal.log")))
    nested = OptunaSearchCV(
        DummyClassifier(), {"strategy": ["prior", "stratified"]}, n_trials=2, cv=2, storage=storage, study_name="s"
    )
    with pytest.raises(ValueError, match="rows was '24 with checksum .*' and is '24 with checksum"):
        cross_validate(nested, X, y, error_score="raise")
    assert len(nested.set_params(study_name="t").fit(X, y).fit(X, y).study_.trials) == 2


def test_ranges_may_change(search):
    storage = InMemoryStorage()
    search(storage, n_trials=2).fit(ROWS)
    nearer = {**LINE, "x": FloatDistribution(2, 4)}
    found = search(storage, n_trials=12).set_params(param_distributions=nearer).fit(ROWS)
    assert all(2 <= params["x"] <= 4 for params in found.cv_results_["params"][2:])


def test_a_study_that_minimises_is_refused(search):
    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name="s")
    with pytest.raises(ValueError, match="The study 's' was not created to maximise"):
        search(storage).fit(ROWS)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"study_name": None}, "storage was given without study_name"),
        ({"storage": None}, "study_name was given without storage"),
        ({"storage": "search.db"}, "'search.db' is not a database URL. For a file use 'sqlite:///search.db'"),
    ],
)
def test_storages_that_are_none(search, options, match):
    with pytest.raises(ValueError, match=match):
        search(InMemoryStorage()).set_params(**options).fit(ROWS)


@pytest.mark.parametrize(
    ("option", "given"),
    [("sampler", optuna.samplers.TPESampler), ("pruner", optuna.pruners.MedianPruner), ("storage", InMemoryStorage)],
)
def test_classes_in_place_of_objects(search, option, given):
    with pytest.raises(TypeError, match=rf"{option} is the class {given.__name__}: pass an instance"):
        search(InMemoryStorage()).set_params(**{option: given}).fit(ROWS)


def test_the_scorer_is_told_apart_by_name(search):
    storage = InMemoryStorage()
    tree = DecisionTreeClassifier(random_state=0)
    X, y = load_iris(return_X_y=True)
    options = {"cv": 2, "n_trials": 1, "storage": storage, "study_name": "t"}

    def one(estimator, X, y):
        return 1.0

    def two(estimator, X, y):
        return 2.0

    OptunaSearchCV(tree, {"max_depth": [1, 2]}, scoring=one, **options).fit(X, y)
    with pytest.raises(ValueError, match="scoring was '.*one' and is '.*two'"):
        OptunaSearchCV(tree, {"max_depth": [1, 2]}, scoring=two, **options).fit(X, y)
    with pytest.raises(ValueError, match="scoring was '.*one' and is {'a': 'r2'}"):
        OptunaSearchCV(tree, {"max_depth": [1, 2]}, scoring={"a": "r2"}, refit="a", **options).fit(X, y)
