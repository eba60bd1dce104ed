"""Pruning of running fits by the validation score of each epoch, and searches of skrec's own models."""

import pickle

import numpy as np
import optuna
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

import skrec
from skrec.datasets import make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut, OptunaSearchCV
from skrec.models import NCFClassifier, NCFRanker
from skrec.preprocessing import IDEncoder

EVENTS = make_interactions(n_users=40, n_items=30, n_interactions=1200, random_state=0)
SETTINGS = {"architecture": "mf", "embedding_dim": 8, "epochs": 4, "batch_size": 64, "random_state": 0}
RATES = {"learning_rate": [0.0001, 0.01, 0.02]}  # the first learns next to nothing


class AfterEpoch(optuna.pruners.BasePruner):
    """Prune the slow ones after two epochs, and remember what was asked."""

    def __init__(self, slow=0.001):
        self.slow = slow

    def prune(self, study, trial):
        rate = next(value for name, value in trial.params.items() if name.endswith("learning_rate"))
        return rate < self.slow and trial.last_step == 1


def ranker(**options):
    return NCFRanker(**{**SETTINGS, "early_stopping": True, **options})


def grid(estimator, space=RATES, **options):
    options = {"cv": LeaveLastOut(), "scoring": make_ranking_scorer("ndcg@10"), "n_trials": None, **options}
    return OptunaSearchCV(estimator, space, sampler=optuna.samplers.GridSampler(space, seed=0), **options)


def of_rate(search, rate):
    (name,) = search.best_params_
    (row,) = [i for i, params in enumerate(search.cv_results_["params"]) if params[name] == rate]
    number = search.cv_results_["trial_number"][row]
    return search.cv_results_["mean_test_score"][row], search.study_.trials[number]


@pytest.fixture(scope="module")
def pruned():
    return grid(ranker(), pruner=AfterEpoch()).fit(EVENTS)


def test_a_fit_that_falls_behind_ends_after_the_epoch(pruned):
    score, trial = of_rate(pruned, 0.0001)
    assert np.isnan(score)
    assert trial.state.name == "PRUNED"
    assert list(trial.intermediate_values) == [0, 1]
    assert sorted(pruned.cv_results_["trial_state"]) == ["COMPLETE", "COMPLETE", "PRUNED"]


def test_what_is_reported_are_the_validation_scores_of_the_fit(pruned):
    (train, _) = next(LeaveLastOut().split(EVENTS))
    for rate, n_epochs in [(0.01, 4), (0.0001, 2)]:
        model = ranker(learning_rate=rate).fit(EVENTS.iloc[train])
        assert list(of_rate(pruned, rate)[1].intermediate_values.values()) == model.validation_scores_[:n_epochs]


def test_candidates_that_are_not_pruned_come_out_as_without_a_pruner(pruned):
    plain = grid(ranker()).fit(EVENTS)
    for rate in RATES["learning_rate"][1:]:
        assert of_rate(plain, rate)[0] == of_rate(pruned, rate)[0]
    assert plain.best_params_ == pruned.best_params_
    one, other = plain.best_estimator_, pruned.best_estimator_
    assert np.array_equal(one.item_embeddings_, other.item_embeddings_)
    assert (
        one.get_params() == other.get_params() == clone(other).get_params() == ranker(**other.get_params()).get_params()
    )
    assert other.callbacks is None
    assert set(pruned.best_params_) == {"learning_rate"}
    assert np.array_equal(pickle.loads(pickle.dumps(pruned)).best_estimator_.item_embeddings_, one.item_embeddings_)


def test_the_best_estimator_recommends(pruned):
    through = skrec.recommend(pruned, [3, 5], k=2)
    assert through.equals(pruned.best_estimator_.recommend([3, 5], k=2))


def test_the_network_of_a_pipeline_is_found():
    space = {f"ncfranker__{name}": values for name, values in RATES.items()}
    calls = []
    pipeline = make_pipeline(IDEncoder(time="timestamp"), ranker(callbacks=[Recorder(calls)]))
    search = grid(pipeline, space, pruner=AfterEpoch()).fit(EVENTS)
    assert "PRUNED" in search.cv_results_["trial_state"]
    assert ["loss", "val_ndcg"] in calls
    assert len(search.best_estimator_[-1].callbacks) == 1
    assert len(skrec.recommend(search, [3, 5], k=2)) == 4


class Recorder:
    """A callback of the user's own: a function with a list that all copies share."""

    def __init__(self, calls):
        self.calls = calls

    def __call__(self, epoch, logs):
        self.calls.append(sorted(logs))

    def __deepcopy__(self, memo):
        return self


def test_without_early_stopping_only_folds_are_left_out():
    options = {"cv": KFold(2, shuffle=True, random_state=0), "pruner": AfterEpoch()}
    search = grid(ranker(early_stopping=False), **options).fit(EVENTS)
    assert all(list(trial.intermediate_values) == [0, 1] for trial in search.study_.trials)
    assert set(search.cv_results_["trial_state"]) == {"COMPLETE"}  # the second fold is the last


def test_only_the_first_fit_of_the_first_fold_is_heard():
    X, y = make_interactions(30, 20, 400, target="label", random_state=0)
    model = NCFClassifier(**{**SETTINGS, "epochs": 3}, early_stopping=True, user=0, item=1)
    bagging = BaggingClassifier(model, n_estimators=2, random_state=0)
    space = {"estimator__learning_rate": [0.01]}
    search = OptunaSearchCV(bagging, space, n_trials=1, cv=2).fit(X[["user_id", "item_id"]].to_numpy(), y)
    assert list(search.study_.trials[0].intermediate_values) == [0, 1, 2]


def test_pruning_among_threads_and_where_errors_are_raised():
    options = {"cv": KFold(2, shuffle=True, random_state=0), "pruner": AfterEpoch(), "error_score": "raise"}
    with parallel_config(backend="threading", n_jobs=2):
        search = grid(ranker(), **options).fit(EVENTS)
    alone = grid(ranker(), **options).fit(EVENTS)
    for each in (search, alone):
        assert sorted(each.cv_results_["trial_state"]) == ["COMPLETE", "COMPLETE", "PRUNED"]
        assert list(of_rate(each, 0.0001)[1].intermediate_values) == [0, 1]
    assert search.best_score_ == alone.best_score_


def test_a_copy_in_another_process_is_deaf():
    from skrec.model_selection._pruning import report_epochs

    study = optuna.create_study()
    model = ranker()
    report_epochs(model, study.ask())
    (copy,) = pickle.loads(pickle.dumps(model)).callbacks
    copy(0, {"val_ndcg": 1.0})
    assert study.trials[0].intermediate_values == {}
    assert report_epochs(LogisticRegression(), study.ask()).heard is False
