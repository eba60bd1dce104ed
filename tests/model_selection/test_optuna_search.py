"""OptunaSearchCV as a search of scikit-learn."""

import logging
import pickle
import warnings

import numpy as np
import optuna
import pandas as pd
import pytest
import sklearn
from joblib import parallel_config
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy import stats
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skrec.model_selection import OptunaSearchCV

X, Y = load_iris(return_X_y=True)
ROWS = [[i % 5 + i / 1000] for i in range(30)]
TREE = {"max_depth": IntDistribution(1, 4), "criterion": ["gini", "entropy"]}
LINE = {"x": FloatDistribution(-10, 10)}


def tree(**options):
    return OptunaSearchCV(DecisionTreeClassifier(random_state=0), TREE, **{"cv": 3, "random_state": 0, **options})


def without_times(results):
    return {name: list(map(str, values)) for name, values in results.items() if not name.endswith("_time")}


# -- what scikit-learn's searches do ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scoring", ["accuracy", ["accuracy", "f1_macro"], {"accuracy": "accuracy", "score": "f1_macro"}]
)
def test_a_grid_comes_out_as_in_grid_search(scoring):
    grid = {"max_depth": [1, 2, 3], "criterion": ["gini", "entropy"]}
    options = {"scoring": scoring, "refit": "accuracy", "cv": 3, "return_train_score": True}
    theirs = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, **options).fit(X, Y)
    sampler = optuna.samplers.GridSampler(grid, seed=0)
    ours = OptunaSearchCV(DecisionTreeClassifier(random_state=0), grid, n_trials=None, sampler=sampler, **options)
    ours.fit(X, Y)
    assert set(ours.cv_results_) == {*theirs.cv_results_, "trial_number", "trial_state"}
    columns = [name for name in theirs.cv_results_ if not name.endswith("_time") and name != "params"]
    frames = [
        pd.DataFrame({name: each.cv_results_[name] for name in columns})
        .sort_values(["param_max_depth", "param_criterion"])
        .reset_index(drop=True)
        for each in (ours, theirs)
    ]
    pd.testing.assert_frame_equal(*frames)
    assert ours.best_score_ == theirs.best_score_
    assert ours.multimetric_ is theirs.multimetric_
    assert ours.n_splits_ == theirs.n_splits_ == 3
    assert ours.score(X, Y) == ours.best_estimator_.score(X, Y)
    assert type(ours.scorer_) is type(theirs.scorer_)
    for name, values in ours.cv_results_.items():
        assert len(values) == 6
        if name.endswith("_fit_time"):
            assert (values >= 0).all()


def test_each_candidate_has_the_scores_of_cross_validate():
    search = tree(n_trials=4, return_train_score=True).fit(X, Y)
    for i, params in enumerate(search.cv_results_["params"]):
        alone = cross_validate(clone(search.estimator).set_params(**params), X, Y, cv=3, return_train_score=True)
        for k in range(3):
            assert search.cv_results_[f"split{k}_test_score"][i] == alone["test_score"][k]
            assert search.cv_results_[f"split{k}_train_score"][i] == alone["train_score"][k]
    best = search.cv_results_["mean_test_score"].max()
    assert search.best_score_ == best == search.study_.best_value
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()


def test_it_finds_the_top_of_a_parabola_better_than_chance(parabola):
    found = OptunaSearchCV(parabola(), LINE, n_trials=40, cv=2, random_state=0).fit(ROWS)
    assert abs(found.best_params_["x"] - 3) < 0.3  # 40 draws at random miss it by .25 on average, the best of 20 do not
    assert found.cv_results_["trial_number"].tolist() == list(range(40))


def test_the_wrapped_estimator_shows_through():
    for estimator in (SVC(), Ridge(), make_pipeline(StandardScaler(), GaussianNB())):
        search = OptunaSearchCV(estimator, {})
        assert is_classifier(search) is is_classifier(estimator)
        assert is_regressor(search) is is_regressor(estimator)
    assert OptunaSearchCV(SVC(kernel="precomputed"), {}).__sklearn_tags__().input_tags.pairwise
    search = tree(n_trials=2)
    with pytest.raises(NotFittedError):
        search.predict(X)
    search.fit(pd.DataFrame(X, columns=list("abcd")), Y)
    assert search.classes_.tolist() == [0, 1, 2]
    assert search.feature_names_in_.tolist() == list("abcd")
    assert search.n_features_in_ == 4
    assert not hasattr(search, "transform")


def test_refit_false_and_a_function_that_chooses():
    search = tree(n_trials=3, refit=False).fit(X, Y)
    assert not hasattr(search, "best_estimator_")
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    last = tree(n_trials=3, refit=lambda results: len(results["params"]) - 1).fit(X, Y)
    assert last.best_params_ == last.cv_results_["params"][2]
    assert not hasattr(last, "best_score_")


def both(estimator, X, y):
    return {"good": float(estimator.score(X, y)), "bad": -float(estimator.score(X, y))}


@pytest.mark.parametrize("refit", ["good", "bad"])
def test_the_metric_of_refit_is_maximised(parabola, refit):
    search = OptunaSearchCV(parabola(), LINE, scoring=both, refit=refit, cv=2, random_state=0).fit(ROWS, [0] * 30)
    assert search.multimetric_
    assert search.best_score_ == search.study_.best_value == search.cv_results_[f"mean_test_{refit}"].max()


@pytest.mark.parametrize("refit", [True, False, lambda results: 0])
@pytest.mark.parametrize("scoring", [both, ["r2", "neg_mean_absolute_error"]])
def test_with_several_metrics_one_must_be_named(parabola, refit, scoring):
    search = OptunaSearchCV(parabola(), LINE, scoring=scoring, refit=refit, cv=2)
    with pytest.raises(ValueError, match="refit must be|refit must be the name of the one to maximise"):
        search.fit(ROWS, [0] * 30)
    assert not hasattr(search, "cv_results_")


def test_a_metric_that_is_not_there_is_guessed_at(parabola):
    with pytest.raises(ValueError, match=r"refit='god' is not one of the metrics of scoring\. Did you mean 'good'"):
        OptunaSearchCV(parabola(), LINE, scoring=both, refit="god", cv=2).fit(ROWS, [0] * 30)
    with pytest.raises(ValueError, match="The metrics are 'good', 'bad'"):
        OptunaSearchCV(parabola(), LINE, scoring=both, refit="r2", cv=2).fit(ROWS, [0] * 30)


@pytest.mark.parametrize("scoring", ["ndcg@10", ["r2", "ndcg@10"], {"ndcg": "ndcg@10"}])
def test_names_of_ranking_metrics_are_explained(parabola, scoring):
    match = r"scoring names 'ndcg@10', which is not in .* such as skrec\.metrics\.make_ranking_scorer\('ndcg@10'\)"
    with pytest.raises(ValueError, match=match):
        OptunaSearchCV(parabola(), LINE, scoring=scoring, refit="r2").fit(ROWS, [0] * 30)
    with pytest.raises(ValueError, match=r"'roc_auk', .*\. Did you mean 'roc_auc'\?"):
        OptunaSearchCV(parabola(), LINE, scoring="roc_auk").fit(ROWS, [0] * 30)


def test_sample_weights_and_groups_arrive(parabola):
    groups = [i // 10 for i in range(30)]
    search = OptunaSearchCV(parabola(), LINE, n_trials=2, cv=GroupKFold(3))
    search.fit(ROWS, groups=groups, sample_weight=[2.0] * 30)
    assert search.best_estimator_.weight_ == 60
    assert search.n_splits_ == 3
    with pytest.raises(ValueError, match="groups"):
        OptunaSearchCV(parabola(), LINE, n_trials=2, cv=GroupKFold(3)).fit(ROWS)


def test_metadata_is_routed():
    groups, weights = np.arange(150) % 4, np.linspace(1, 2, 150)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(mean_absolute_error, greater_is_better=False).set_score_request(sample_weight=True)
        ridge = Ridge().set_fit_request(sample_weight=True)
        options = {"scoring": scorer, "cv": GroupKFold(4)}
        ours = OptunaSearchCV(ridge, {"alpha": [1.0]}, n_trials=1, **options)
        theirs = GridSearchCV(ridge, {"alpha": [1.0]}, **options)
        for search in (ours, theirs):
            search.fit(X, Y, sample_weight=weights, groups=groups)
        assert ours.best_score_ == theirs.best_score_
        assert np.array_equal(ours.best_estimator_.coef_, theirs.best_estimator_.coef_)
        assert ours.score(X, Y, sample_weight=weights) == theirs.score(X, Y, sample_weight=weights)
        unasked = OptunaSearchCV(Ridge(), {"alpha": [1.0]})
        with pytest.raises(ValueError, match="sample_weight"):
            unasked.fit(X, Y, sample_weight=weights)


def test_folds_can_be_fitted_at_once():
    alone = tree(n_trials=4).fit(X, Y)
    idle = pytest.warns(UserWarning, match="MedianPruner had nothing to prune: .* all splits are fitted in parallel")
    with parallel_config(backend="threading", n_jobs=2), idle:
        together = tree(n_trials=4, pruner=optuna.pruners.MedianPruner()).fit(X, Y)
    assert without_times(alone.cv_results_) == without_times(together.cv_results_)


def test_a_fitted_search_can_be_pickled_and_cloned():
    storage = optuna.storages.InMemoryStorage()
    search = tree(n_trials=2, pruner=optuna.pruners.MedianPruner(), storage=storage, study_name="kept").fit(X, Y)
    copy = pickle.loads(pickle.dumps(search))
    assert np.array_equal(copy.predict(X), search.predict(X))
    assert copy.study_.best_value == search.best_score_
    assert not hasattr(clone(search), "cv_results_")


def test_folds_are_drawn_once_for_all_candidates(parabola):
    search = OptunaSearchCV(parabola(), {"x": [1.0]}, n_trials=5, cv=KFold(2, shuffle=True)).fit(ROWS)
    assert len(set(search.cv_results_["split0_test_score"])) == 1


# -- seeds -----------------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_search():
    state = pickle.dumps(np.random.get_state())  # noqa: NPY002
    first, second, other = (tree(n_trials=15, random_state=seed).fit(X, Y) for seed in (1, 1, 2))
    assert without_times(first.cv_results_) == without_times(second.cv_results_)
    assert first.cv_results_["params"] != other.cv_results_["params"]
    assert pickle.dumps(np.random.get_state()) == state  # noqa: NPY002
    twice = np.random.RandomState(3)
    assert (
        tree(random_state=twice).fit(X, Y).cv_results_["params"]
        != tree(random_state=twice).fit(X, Y).cv_results_["params"]
    )


def test_a_sampler_is_used_as_it_is():
    results = [tree(sampler=optuna.samplers.RandomSampler(seed=7)).fit(X, Y).cv_results_ for _ in range(2)]
    assert without_times(results[0]) == without_times(results[1])
    assert results[0]["params"] != tree().fit(X, Y).cv_results_["params"]


# -- failures --------------------------------------------------------------------------------------------------------


def above_zero(estimator, X):
    return estimator.x > 0


def in_one_fold(estimator, X):
    return estimator.x > 0 and X[0][0] == 0


def always(estimator, X):
    return True


def test_a_candidate_whose_folds_all_fail_does_not_end_the_search(parabola):
    search = OptunaSearchCV(parabola(broken=above_zero), LINE, n_trials=12, cv=2, random_state=0)
    with pytest.warns(
        FitFailedWarning,
        match=r"2 of 2 fits of trial \d+ with {'x': .* failed. Their scores .* nan(?s:.)*is broken",
    ):
        search.fit(ROWS)
    failed = np.array([x > 0 for x in search.cv_results_["param_x"]])
    assert failed.any()
    assert not failed.all()
    assert np.isnan(search.cv_results_["mean_test_score"][failed]).all()
    assert (search.cv_results_["rank_test_score"][failed] == (~failed).sum() + 1).all()
    assert set(search.cv_results_["trial_state"][failed]) == {"FAIL"}
    assert "is broken" in search.study_.trials[int(np.flatnonzero(failed)[0])].user_attrs["skrec:error"]
    assert search.best_params_["x"] <= 0


@pytest.mark.parametrize("scoring", [None, both])
def test_the_score_of_a_failed_fold_is_error_score(parabola, scoring):
    refit = "good" if scoring else True
    options = {"n_trials": 8, "cv": 2, "random_state": 0, "scoring": scoring, "refit": refit}
    search = OptunaSearchCV(parabola(broken=in_one_fold), LINE, error_score=-500, **options)
    with pytest.warns(FitFailedWarning, match="1 of 2 fits of trial .* Their scores are set to -500"):
        search.fit(ROWS, [0] * 30)
    failed = np.array([x > 0 for x in search.cv_results_["param_x"]])
    name = "good" if scoring else "score"
    folds = np.array([search.cv_results_[f"split{k}_test_{name}"] for k in range(2)])
    assert ((folds == -500).sum(axis=0) == failed).all()
    assert set(search.cv_results_["trial_state"]) == {"COMPLETE"}
    assert np.allclose(search.cv_results_[f"mean_test_{name}"], folds.mean(axis=0))


def test_an_error_is_raised_where_it_is_asked_for(parabola):
    storage = optuna.storages.InMemoryStorage()
    options = {"cv": 2, "random_state": 0, "storage": storage, "study_name": "a"}
    with pytest.raises(RuntimeError, match="is broken"):
        OptunaSearchCV(parabola(broken=above_zero), LINE, error_score="raise", **options).fit(ROWS)
    study = optuna.load_study(study_name="a", storage=storage)
    assert study.trials[-1].state.name == "FAIL"
    mended = OptunaSearchCV(parabola(), LINE, **options).fit(ROWS)  # what was not finished is tried again
    alone = OptunaSearchCV(parabola(), LINE, cv=2, random_state=0).fit(ROWS)
    assert mended.cv_results_["params"] == alone.cv_results_["params"]


def test_only_if_nothing_succeeds_it_is_an_error(parabola):
    search = OptunaSearchCV(parabola(broken=always), LINE, n_trials=3, cv=2, error_score=0)
    match = (
        r"None of the 3 candidates .* 3 failed, 0 were pruned\. The first error, in trial 0 with {'x'(?s:.)*is broken"
    )
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match=match):
        search.fit(ROWS)
    assert not hasattr(search, "study_")


@pytest.mark.filterwarnings("ignore:In trial . with:UserWarning")
def test_scores_that_fail_are_failures_too(parabola):
    def scorer(estimator, X, y=None):
        raise ValueError("no score")

    search = OptunaSearchCV(parabola(), LINE, n_trials=2, cv=2, scoring=scorer)
    with (
        pytest.warns(UserWarning, match="Scoring failed"),
        pytest.raises(ValueError, match=r"2 failed, 0 were pruned\. In trial 0 with .*error_score='raise' shows it"),
    ):
        search.fit(ROWS)


@pytest.mark.filterwarnings("ignore:In trial . with:UserWarning")
def test_a_scorer_that_returns_nan_is_named(parabola):
    def scorers(estimator, X, y=None):
        return {"good": 1.0, "odd": float("nan") if len(X) > 1 else 0.0}

    match = r"In trial 0 with \{'x': .*\}, the scorer 'odd' returned NaN on the test part of split 0\. To see"
    for error_score in ("raise", np.nan):
        search = OptunaSearchCV(
            parabola(), LINE, n_trials=2, cv=2, scoring=scorers, refit="odd", error_score=error_score
        )
        with pytest.warns(UserWarning, match=match), pytest.raises(ValueError, match=match) as caught:
            search.fit(ROWS)
        assert ("error_score='raise' shows it" in str(caught.value)) == (error_score != "raise")
    single = OptunaSearchCV(parabola(), LINE, n_trials=1, cv=2, scoring=lambda *_: float("nan"), error_score="raise")
    match = r"In trial 0 with .*, scoring returned NaN on the test part of split 0"
    with pytest.warns(UserWarning, match=match), pytest.raises(ValueError, match=match):
        single.fit(ROWS)


def test_an_interrupt_leaves_the_study_in_order(parabola):
    def interrupted(estimator, X):
        if estimator.x > 0:
            raise KeyboardInterrupt
        return False

    storage = optuna.storages.InMemoryStorage()
    options = {"cv": 2, "random_state": 0, "storage": storage, "study_name": "a"}
    with pytest.raises(KeyboardInterrupt):
        OptunaSearchCV(parabola(broken=interrupted), LINE, **options).fit(ROWS)
    states = [trial.state.name for trial in optuna.load_study(study_name="a", storage=storage).trials]
    assert states == ["COMPLETE"] * (len(states) - 1) + ["FAIL"]
    alone = OptunaSearchCV(parabola(), LINE, cv=2, random_state=0).fit(ROWS)
    resumed = OptunaSearchCV(parabola(), LINE, **options).fit(ROWS)
    assert resumed.cv_results_["params"] == alone.cv_results_["params"]


# -- pruning between folds -------------------------------------------------------------------------------------------


class Below(optuna.pruners.BasePruner):
    """Prune what was reported below a threshold."""

    def __init__(self, threshold):
        self.threshold = threshold

    def prune(self, study, trial):
        return trial.intermediate_values[trial.last_step] < self.threshold


def test_a_pruner_with_nothing_to_prune_is_told_of(parabola):
    one_split = [(range(20), range(20, 30))]
    search = OptunaSearchCV(parabola(), LINE, n_trials=3, cv=one_split, random_state=0, pruner=Below(np.inf))
    with pytest.warns(UserWarning, match=r"Below had nothing to prune: there is only one split.*early_stopping=True"):
        search.fit(ROWS)
    assert set(search.cv_results_["trial_state"]) == {"COMPLETE"}
    search.set_params(pruner=optuna.pruners.NopPruner()).fit(ROWS)


def test_folds_of_a_candidate_that_falls_behind_are_left_out(parabola):
    whole = OptunaSearchCV(parabola(), LINE, n_trials=9, cv=3, random_state=0).fit(ROWS)
    pruned = OptunaSearchCV(parabola(), LINE, n_trials=9, cv=3, random_state=0, pruner=Below(-40)).fit(ROWS)
    behind = whole.cv_results_["split0_test_score"] < -40
    assert behind.any()
    assert not behind.all()
    assert (pruned.cv_results_["trial_state"] == np.where(behind, "PRUNED", "COMPLETE")).all()
    assert pruned.cv_results_["params"] == whole.cv_results_["params"]
    for k in range(3):
        left = pruned.cv_results_[f"split{k}_test_score"]
        assert np.array_equal(left[~behind], whole.cv_results_[f"split{k}_test_score"][~behind])
        assert np.isnan(left[behind]).all() == (k > 0)
    assert np.isnan(pruned.cv_results_["mean_test_score"][behind]).all()
    assert (pruned.cv_results_["rank_test_score"][behind] == (~behind).sum() + 1).all()
    complete = pruned.study_.trials[int(np.flatnonzero(~behind)[0])]
    assert complete.intermediate_values[2] == pytest.approx(complete.value)


def test_a_score_is_not_made_up_for_what_was_pruned(parabola):
    search = OptunaSearchCV(parabola(), LINE, cv=3, random_state=0, pruner=Below(-40), error_score=1e6).fit(ROWS)
    assert "PRUNED" in search.cv_results_["trial_state"]
    assert search.best_score_ < 0


def test_everything_pruned_is_an_error(parabola):
    with pytest.raises(ValueError, match="None of the 2 candidates .* 0 failed, 2 were pruned"):
        OptunaSearchCV(parabola(), LINE, n_trials=2, cv=2, pruner=Below(np.inf)).fit(ROWS)


def test_no_folds_are_an_error(parabola):
    with pytest.raises(ValueError, match=r"cv=\[\] makes no folds"):
        OptunaSearchCV(parabola(), LINE, cv=[]).fit(ROWS)


# -- time, bars and logs ---------------------------------------------------------------------------------------------


def test_timeout_ends_the_search(parabola):
    def slow(estimator, X):
        import time

        time.sleep(0.02)
        return False

    search = OptunaSearchCV(parabola(broken=slow), LINE, n_trials=None, timeout=0.3, cv=2).fit(ROWS)
    assert 1 <= len(search.cv_results_["params"]) <= 8
    with pytest.raises(ValueError, match="No candidate was finished within timeout"):
        OptunaSearchCV(parabola(), LINE, timeout=1e-9, cv=2).fit(ROWS)
    with pytest.raises(ValueError, match="n_trials and timeout are both None"):
        OptunaSearchCV(parabola(), LINE, n_trials=None, cv=2).fit(ROWS)


def test_it_is_silent_unless_asked(parabola, capsys, caplog):
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.INFO)
    try:
        search = OptunaSearchCV(parabola(broken=above_zero), LINE, n_trials=6, cv=2, random_state=0, pruner=Below(-100))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitFailedWarning)
            search.fit(ROWS)
            assert capsys.readouterr() == ("", "")
            assert not caplog.records
            search.set_params(show_progress_bar=True).fit(ROWS)
            assert "6/6" in capsys.readouterr().err
            assert not caplog.records
            search.set_params(show_progress_bar=False, verbose=1).fit(ROWS)
        assert optuna.logging.get_verbosity() == logging.INFO
        assert "Best is trial" in caplog.text
        assert "pruned" in caplog.text
        capsys.readouterr()
        OptunaSearchCV(parabola(), LINE, n_trials=1, cv=2, verbose=2).fit(ROWS)
        assert capsys.readouterr().out.count("[CV] END ") == 2
    finally:
        optuna.logging.set_verbosity(verbosity)


# -- the space -------------------------------------------------------------------------------------------------------


def test_values_of_many_kinds():
    space = {
        "max_depth": np.array([2, 3]),
        "min_samples_leaf": stats.randint(1, 4),
        "ccp_alpha": stats.uniform(0.0, 0.1),
        "min_impurity_decrease": stats.loguniform(1e-6, 1e-3),
        "class_weight": [None, {0: 1, 1: 2, 2: 3}],
        "criterion": CategoricalDistribution(("gini", "entropy")),
        "max_features": ("sqrt", None),
    }
    search = OptunaSearchCV(DecisionTreeClassifier(random_state=0), space, n_trials=12, cv=2, random_state=0).fit(X, Y)
    drawn = pd.DataFrame(search.cv_results_["params"])
    assert set(drawn["max_depth"]) <= {2, 3}
    assert set(drawn["min_samples_leaf"]) <= {1, 2, 3}
    assert drawn["ccp_alpha"].between(0, 0.1).all()
    assert drawn["min_impurity_decrease"].between(1e-6, 1e-3).all()
    assert {str(value) for value in drawn["class_weight"]} == {"None", "{0: 1, 1: 2, 2: 3}"}
    assert {type(value) for value in drawn["max_depth"]} == {int}


@pytest.mark.parametrize(
    ("space", "error", "match"),
    [
        ({"max_dept": [1]}, ValueError, r"'max_dept', which is not a parameter of Dec.*\. Did you mean 'max_depth'"),
        ({"zzz": [1]}, ValueError, r"See estimator\.get_params"),
        ({"max_depth": 3}, TypeError, "Put a single value in a list"),
        ({"max_depth": "all"}, TypeError, "must be a distribution from optuna"),
        ({"max_depth": []}, ValueError, "is empty: list the values"),
        ({"class_weight": [{0: 1}, "{0: 1}"]}, ValueError, "several values that print as '{0: 1}'"),
        ({"max_depth": stats.poisson(3)}, TypeError, "distribution poisson, for which Optuna has no counterpart"),
        ({}, ValueError, "nothing to search"),
        (None, ValueError, "declares no search space"),
    ],
)  # fmt: skip
def test_spaces_that_are_none(space, error, match):
    with pytest.raises(error, match=match):
        OptunaSearchCV(DecisionTreeClassifier(), space).fit(X, Y)


@pytest.mark.parametrize(
    "parameter",
    [{"n_trials": 0}, {"timeout": 0}, {"sampler": "tpe"}, {"pruner": "p"}, {"storage": 1}, {"param_distributions": []}],
)
def test_parameters_are_checked(parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        tree().set_params(**parameter).fit(X, Y)
